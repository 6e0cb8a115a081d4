"""The sound card line over a real PulseAudio: the contract, and what can happen to sound cards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hotline.drivers.line import Line
from hotline.drivers.sound.line import Settings
from rig.line_contract import Far, LineContract
from rig.pulse import FedLine, Interface, SoundServer

SETTINGS = Settings(device="line-in", output="line-out", hook="exchange://cable")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundServer]:
    server = SoundServer(tmp_path_factory.mktemp("sound"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.kill()


@pytest.fixture
def interfaces() -> Iterator[list[Interface]]:
    made: list[Interface] = []
    yield made
    for interface in made:
        interface.close()


class TestSoundLine(LineContract):
    @pytest.fixture(autouse=True)
    def _server(self, server: SoundServer, interfaces: list[Interface]) -> None:
        self.server, self.interfaces = server, interfaces

    def make_pair(self) -> tuple[Line, Far]:
        interface = Interface(self.server)
        self.interfaces.append(interface)
        return FedLine("test", SETTINGS, interface), interface

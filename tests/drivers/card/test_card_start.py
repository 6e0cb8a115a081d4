"""What a technician is told when a card cannot be used: one sentence for each cause, with what to do."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hotline.config.settings import SettingsError
from hotline.drivers import make
from hotline.drivers.card.client import WORKER
from hotline.drivers.card.worker import wire
from hotline.drivers.card.worker.wire import Kind
from hotline.drivers.line import LineError
from rig.card_board import INIS, LIBRARIES, build


def library(board, source):
    """Another library in the place of the vendor's."""
    path = board.folder / LIBRARIES[board.driver]
    (board.folder / "other.c").write_text(source)
    return ["gcc", "-shared", "-fPIC", "-o", str(path), str(board.folder / "other.c")]


def no_library(board):
    (board.folder / LIBRARIES[board.driver]).unlink()


def of_32_bits(board):
    subprocess.run([*library(board, ""), "-m32", "-nostdlib"], check=True)


def too_old(board):
    subprocess.run(library(board, ""), check=True)


def lacks_another(board):
    subprocess.run([*library(board, ""), "-Wl,--no-as-needed", "-L.", build_dependency(board)], check=True)
    (board.folder / "libneeded.so").unlink()


def build_dependency(board):
    path = board.folder / "libneeded.so"
    subprocess.run(["gcc", "-shared", "-Wl,-soname,libneeded.so", "-x", "c", "/dev/null", "-o", str(path)], check=True)
    return str(path)


def no_ini(board):
    (board.folder / INIS[board.driver]).unlink()


def no_index(board):
    (board.folder / "ShIndex.ini").unlink()


def no_channels(board):
    board.types = []
    board.ini()


def refuses(**values):
    return lambda board: board.ini(**values)


CAUSES = [
    ("synway", no_library, "没有语音卡的程序库 libshpa3api.so：请安装语音卡驱动程序，或在 folder 写出它所在的文件夹"),
    ("donjin", no_library, "没有语音卡的程序库 libtc08a32.so：请安装语音卡驱动程序"),
    ("synway", of_32_bits, "是 32 位的，装载它的 Python 是 64 位的：请安装 32 位的 Python，在 python 写出它的路径"),
    ("donjin", of_32_bits, "是 32 位的，装载它的 Python 是 64 位的"),
    ("synway", too_old, "里没有 SsmStartCti，版本太旧：请更新语音卡驱动程序"),
    ("donjin", too_old, "里没有 LoadDRV，版本太旧"),
    ("synway", lacks_another, "装载不了，可能缺少它需要的其他文件：请重新安装语音卡驱动程序"),
    ("synway", no_ini, "ShConfig.ini：请用三汇的配置工具 ShCtiConfig 生成"),
    ("synway", no_index, "ShIndex.ini：请用三汇的配置工具 ShCtiConfig 生成"),
    ("donjin", no_ini, "东进语音卡的设置文件 TC08A-V.INI 读不了：请把它放在"),
    ("synway", refuses(refuse=5), "三汇驱动启动失败（错误码 5：board serial number does not match）"),
    ("donjin", refuses(refuse=-3), "TC08A-V.INI 与机器里的卡不一致：请重新运行东进的配置程序"),
    ("donjin", refuses(refuse=-1), "东进语音卡的设备驱动打不开（返回 -1）：请检查卡、驱动程序是否装好"),
    ("donjin", refuses(enable=-2), "东进语音卡要不到放音、录音用的内存"),
    ("donjin", refuses(enable=-7), "东进语音卡启动失败（返回 -7）"),
    ("donjin", refuses(refresh=-5), "这种东进卡不能在内存中录音"),
    ("synway", no_channels, "三汇驱动启动了，却没有一路可用"),
    ("donjin", no_channels, "东进驱动启动了，却没有一路可用"),
]


def opened(board, **more):
    """The first line of the board, open."""
    line = board.use(make("card", board.section(**more))).lines[0]
    line.open()
    return line


def refusal(board, **more):
    with pytest.raises(LineError) as caught:
        opened(board, **more)
    return str(caught.value)


@pytest.mark.parametrize(("driver", "sabotage", "sentence"), CAUSES)
def test_each_cause_has_its_sentence(board, driver, sabotage, sentence):
    place = board(driver)
    sabotage(place)
    assert sentence in refusal(place)


@pytest.mark.parametrize("driver", ["synway", "donjin"])
def test_a_card_held_by_another_program(board, driver):
    """The program is named; once it has gone, the card can be had."""
    place = board(driver)
    start = {"synway": "SsmStartCti(b'ShConfig.ini', b'ShIndex.ini')", "donjin": "LoadDRV()"}[driver]
    path = str(place.folder / LIBRARIES[driver])
    program = f"import ctypes, sys; print(ctypes.CDLL({path!r}).{start}, flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", program], cwd=place.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout.readline() == "0\n"
        sentence = refusal(place)
        assert "语音卡正被别的程序占用：" in sentence
        assert f"（进程 {other.pid}）" in sentence
        other.stdin.close()
    place.settle()  # the worker that was refused has died: before, no other is started
    with pytest.raises(LineError, match="占用"):
        place.lines[0].open()  # it does not wait, so it cannot know yet
    place.settle()
    place.lines[0].open()


@pytest.mark.parametrize(
    ("types", "channels", "sentence"),
    [
        ([2], [0], "语音卡第 0 路是内线模块，不能接外线：请换一路，写在 channels 里"),
        ([0, 3], [1], "语音卡第 1 路是录音模块"),
        ([9], [0], "语音卡第 0 路是空的，或不是模拟外线"),
        ([0], [4], "语音卡只有 1 路（0 到 0），没有第 4 路：请改 channels 或 count"),
    ],
)
def test_a_channel_that_is_no_outside_line(board, types, channels, sentence):
    place = board("synway")
    place.types = types
    place.ini()
    assert sentence in refusal(place, channels=channels)


def test_the_other_channels_of_the_card_can_be_used(board):
    place = board("synway", 2)
    place.types = [2, 0]
    place.ini()
    lines = place.use(make("card", place.section())).lines
    with pytest.raises(LineError, match="内线模块"):
        lines[0].open()
    lines[1].open()


def test_settings_that_cannot_be(board, tmp_path):
    place = board("synway")
    with pytest.raises(SettingsError, match=r"线路 card：channels = \[0, 1\]，须是 1 个不同的数，与 count 一样多"):
        make("card", place.section(channels=[0, 1]))
    with pytest.raises(SettingsError, match=r"\[lines.card\] watch_volts：没有这项设置，是不是 watch_voltage"):
        make("card", place.section(watch_volts=True))
    assert "没有这个文件夹" in refusal(place, folder=str(tmp_path / "nowhere"))
    assert "启动不了（No such file or directory），须是一个 Python 解释器的路径" in refusal(
        place, python="/nowhere/python"
    )
    assert "语音卡进程意外结束（代码 0x1）" in refusal(place, python=shutil.which("false"))


def script(folder: Path, text: str) -> str:
    """A program in the place of the interpreter; it is called with `-m worker NAME PORT`."""
    path = folder / "python"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_the_worker_needs_no_library_but_pythons_own(board):
    place = board("synway")
    bare = script(place.folder, f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    assert opened(place, python=bare).card.types == b"\0"


STRANGER = """#!{python}
import os, socket, sys
strangers = [socket.create_connection(("127.0.0.1", int(sys.argv[-1]))) for _ in range(3)]
strangers[0].sendall(bytes([32, 255, 0, 4]) + b"1234")
strangers[1].sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
strangers[2].close()
os.execv({python!r}, [{python!r}, *sys.argv[1:]])
"""


def test_who_connects_without_the_token_is_sent_away(board):
    place = board("synway")
    assert opened(place, python=script(place.folder, STRANGER.format(python=sys.executable))).card.types == b"\0"


GARBAGE = """#!{python}
import os, socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[-1]))) as service:
    service.sendall(bytes([32, 255, 0, 32]) + os.environ["HOTLINE_CARD_TOKEN"].encode())
    service.recv(1 << 16)
    service.sendall(b"\\xff" * 100)
    service.recv(1)
"""


def test_a_worker_that_talks_rubbish_is_ended(board):
    place = board("synway")
    sentence = refusal(place, python=script(place.folder, GARBAGE.format(python=sys.executable)))
    assert "语音卡进程说的话听不懂，已将它结束" in sentence


def test_the_fake_is_compiled_without_a_warning(tmp_path):
    for driver in LIBRARIES:
        build(driver, tmp_path, "-Wall", "-Werror")


def test_a_worker_whose_service_is_gone_hangs_up_and_ends(board):
    """Spoken to as the service does it: token, options, off hook - and then the service is killed."""
    place = board("synway")
    surroundings = os.environ | {"PYTHONPATH": str(WORKER), "HOTLINE_CARD_TOKEN": "secret"}
    decoder = wire.Decoder()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "worker", "synway", str(listener.getsockname()[1])]
        with subprocess.Popen(command, env=surroundings, cwd=place.folder) as process:
            service, _ = listener.accept()
            with service:

                def until(kind):
                    while True:
                        for message in decoder.receive(service.recv(1 << 16)):
                            if message.kind is kind:
                                return message

                assert until(Kind.HELLO).body == b"secret"
                service.sendall(wire.pack_text(Kind.START, wire.CARD, json.dumps({"folder": str(place.folder)})))
                assert until(Kind.READY).body == b"\0"
                service.sendall(wire.pack_number(Kind.OFF_HOOK, 0, 1))
                assert until(Kind.OFF_HOOK).number == 1
            assert process.wait(20) == 0
    assert opened(place).card.types == b"\0", "the card is free again"

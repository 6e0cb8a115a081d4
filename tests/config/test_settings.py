"""One settings file, checked once: what is right is kept, what is wrong is said in one Chinese sentence each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hotline.config.settings import SettingsError, find, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hotline.toml"


def complaint(file: Path, text: str) -> str:
    """What the settings file is refused with, without the file's name."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(file)
    return str(caught.value).replace(f"{file}: ", "")


def test_an_empty_file_gives_the_defaults(file: Path) -> None:
    file.write_text("")
    settings = load(file)
    assert settings.web.port == 8329
    assert settings.identity.pin == "required"
    assert settings.lines == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[web]\nport = 99999", "[web] port = 99999：须是 1 到 65535 的整数"),
        ('[web]\nport = "8329"', '[web] port = "8329"：须是 1 到 65535 的整数'),
        ("[web]\nprot = 1", "[web] prot：没有这项设置，是不是 port？"),
        ("[extras]\nzzz = 1", "[extras] zzz：没有这项设置，这里可以写：unit_account"),
        ("[wbe]\nport = 1", "wbe：没有这项设置，是不是 web？"),
        ("web = 3", "web = 3：须是一节设置"),
        ("lines = []", "lines = []：须是一节设置"),
        ("[lines.1]", "[lines.1] 缺少 driver：必须写，须是文字"),
        ('[lines.2]\ndriver = "a"\nrings = true', "[lines.2] rings = true：须是 1 到 10 的整数"),
        ("[dialog]\nattempts = 2.5", "[dialog] attempts = 2.5：须是 1 到 9 的整数"),
        ("[dialog]\nattempts = 0", "[dialog] attempts = 0：须是 1 到 9 的整数"),
        ("[dialog]\ninter_digit = 0", "[dialog] inter_digit = 0：须是大于 0 且不超过 3600 的数"),
        ("[dialog]\ninter_digit = nan", "[dialog] inter_digit = NaN：须是大于 0 且不超过 3600 的数"),
        ('[identity]\npin = "maybe"', '[identity] pin = "maybe"：须是 required 或 off'),
        ('[extras]\nunit_account = "yes"', '[extras] unit_account = "yes"：须是 true 或 false'),
        ('[centre]\nphone = "abc"', '[centre] phone = "abc"：须是 5 到 20 个数字或横线'),
        ('[centre]\nname = ""', '[centre] name = ""：须是 1 到 60 个字'),
        ('[fund]\nsetup = ["a", 3]', "[fund] setup 的第 2 项 = 3：须是文字"),
        ("[service]\nstate = 5", "[service] state = 5：须是文件夹或文件的路径"),
        ("[web]\nport = 8330", "[web] port 和 desk_port 都是 8330：须是两个不同的端口"),
        ("[recording]\nlongest = 1", "[recording] shortest = 1：须小于 longest（1）"),
        (
            '[hangup]\nignored_tones = ["ringback"]',
            '[hangup] ignored_tones 的第 1 项 = "ringback"：'
            "须是 busy、congestion、unobtainable、dial、howler、sit 或 notice",
        ),
        ("[hangup]\nsilence = 24", "[dialog] first_digit × attempts = 24：须小于 [hangup] silence（24）"),
        ("[recording]\nsilence = 60", "[recording] silence = 60：须小于 [hangup] silence（60）"),
        ("[lines.1]\ndriver = 'a'\ncount = 1001", "[lines.1] count = 1001：须是 1 到 1000 的整数"),
        (
            "[lines.1]\ndriver = 'a'\ncount = 2\n[lines.1-2]\ndriver = 'a'",
            "[lines.1-2] 和 [lines.1] 里都有线路 1-2：请换一个段名",
        ),
        ('[fund]\nconnection = "x"', "[fund] 写了 connection，却没有 [fund.sql]：须写查询语句"),
        (
            '[identity]\nlogin = "card_number"\n[fund.sql]\naccount = "a"\nloan = "b"',
            '[identity] login = "card_number"：须在 [fund.sql] 写 account_by_card',
        ),
    ],
)
def test_a_wrong_value_is_named_with_section_key_value_and_what_is_allowed(
    file: Path, text: str, sentence: str
) -> None:
    assert complaint(file, text) == sentence


def test_all_faults_are_told_at_once(file: Path) -> None:
    file.write_text("[web]\nport = 0\n[dialog]\nattempts = 99\n[extras]\nnews = true\n")
    with pytest.raises(SettingsError) as caught:
        load(file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{file}: [") for line in lines)


def test_a_connection_string_is_never_repeated(file: Path) -> None:
    """It holds the password of the fund database."""
    said = complaint(file, '[fund]\nconnection = ["PWD=hunter2"]\n')
    assert "hunter2" not in said
    assert "connection" in said
    file.write_text('[fund]\nconnection = "PWD=hunter2"\n[fund.sql]\naccount = "a"\nloan = "b"\n')
    assert "hunter2" not in repr(load(file))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[web]\nport 8329\n", ("第 2 行第 6 列", "port 8329", "TOML")),
        ("[web", ("文件末尾", "TOML")),
        ("[web]\nport = 1\nport = 2\n", ("第 3 行", "port = 2")),
    ],
)
def test_a_syntax_error_gives_line_and_column(file: Path, text: str, words: tuple[str, ...]) -> None:
    said = complaint(file, text)
    assert all(word in said for word in words), said


def test_a_file_in_another_encoding_is_named_as_such(file: Path) -> None:
    file.write_bytes('[web]\n[centre]\nname = "某市"\n'.encode("gb18030"))
    with pytest.raises(SettingsError, match=r"第 3 行不是 UTF-8 编码"):
        load(file)


def test_a_byte_order_mark_is_no_fault(file: Path) -> None:
    file.write_bytes("\ufeff[centre]\nname = '某市'\n".encode())
    assert load(file).centre.name == "某市"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="没有这个文件"):
        load(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="读不了"):
        load(tmp_path)


def test_overrides_go_before_the_file_and_are_checked_like_it(file: Path, tmp_path: Path) -> None:
    file.write_text('[web]\nport = 9000\n[lines.1]\ndriver = "a"\n')
    settings = load(file, {"web.port": 9100, "service.state": tmp_path / "state", "lines.1.rings": 3})
    assert (settings.web.port, settings.lines["1"].rings) == (9100, 3)
    assert settings.service.state == tmp_path / "state"
    with pytest.raises(SettingsError, match=r"\[web\] port = 0"):
        load(file, {"web.port": 0})


def test_keys_of_a_driver_are_kept_for_it(file: Path) -> None:
    file.write_text('[lines.1]\ndriver = "a"\nport = "/dev/ttyACM0"\n')
    assert load(file).lines["1"].model_extra == {"port": "/dev/ttyACM0"}


def test_relative_paths_start_at_the_settings_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = file.with_name("own.yaml")
    own.write_text("")
    file.write_text('tones = "cn"\n[dialog]\nfile = "own.yaml"\n')
    monkeypatch.chdir(file.parent)
    settings = load(Path("hotline.toml"))
    assert settings.service.state == file.parent / "var"
    assert settings.recordings() == file.parent / "var/voice/prop"
    assert settings.dialog.file == str(own)
    assert settings.tones == "cn"  # nothing of that name beside the file: the shipped one is meant


def test_a_recording_folder_may_lie_elsewhere(file: Path, tmp_path: Path) -> None:
    file.write_text(f"[recording]\nfolder = {json.dumps(str(tmp_path / 'disk'))}\n")
    assert load(file).recordings() == tmp_path / "disk"


def test_the_file_is_searched_where_the_manual_says(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    monkeypatch.delenv("HOTLINE_CONFIG", raising=False)
    with pytest.raises(SettingsError, match="没有找到设置文件"):
        find()
    file.write_text("")
    assert find().absolute() == file
    monkeypatch.setenv("HOTLINE_CONFIG", "named.toml")
    assert find() == Path("named.toml")
    assert find(Path("chosen.toml")) == Path("chosen.toml")

"""No identity number and no PIN reaches a log, whichever way it is handed to the logger."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path

import pytest
from hotline.daemon.log import KEPT_DAYS, Masking, logging_to, mask

# Fictional: area code 990101 does not exist.
NEW_FORM = "990101198503070017"
ENDS_IN_X = "99010119870316005X"
OLD_FORM = "990101600101123"
PIN = "135790"
SECRETS = (NEW_FORM, ENDS_IN_X, ENDS_IN_X.lower(), ENDS_IN_X.replace("X", "*"), OLD_FORM, PIN)

log = logging.getLogger("hotline.test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


def written(folder: Path) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in folder.iterdir())


@pytest.mark.parametrize("number", SECRETS[:-1])
@pytest.mark.parametrize("around", ["{}", "id={},", "查询{}的账户", "x{}y", "('{}', 1)", "{}#", "\n{}\n"])
def test_identity_numbers_are_masked_wherever_they_stand(number: str, around: str) -> None:
    said = mask(around.format(number))
    assert number not in said
    assert number[:11] not in said
    assert number[-8:] not in said


@pytest.mark.parametrize(
    "text",
    [
        f"pin={PIN}",
        f"PIN: {PIN}",
        f"pin {PIN} refused",
        f"{{'pin': '{PIN}'}}",
        f'{{"new_pin": "{PIN}"}}',
        f"密码：{PIN}",
        f"密码是{PIN}",
        f"查询密码 {PIN} 不对",
        f"{NEW_FORM}{PIN}",
        f"{ENDS_IN_X[:-1]}*{PIN}, pin {PIN}",
        " ".join(NEW_FORM) + "# " + f"pin={' '.join(PIN)}",
    ],
)
def test_everything_marked_as_a_pin_is_masked(text: str) -> None:
    assert PIN[-4:] not in mask(text).replace(" ", "")
    assert NEW_FORM not in mask(text).replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21 18:36:27,123",
        "13912345678",
        "0990-6512329",
        "12329",
        "call 20261121-0042",
        "spinning 123456",
        "余额",
    ],
)
def test_other_numbers_stay_readable(text: str) -> None:
    assert mask(text) == text


def test_nothing_secret_is_written_however_it_is_logged(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Account:
        def __repr__(self) -> str:
            return f"Account({NEW_FORM}, pin={PIN})"

    with logging_to(folder, "debug"):
        log.info("plain %s", NEW_FORM)
        log.warning("args %r %s", {"id": ENDS_IN_X, "pin": PIN}, [OLD_FORM])
        log.debug("an object %r", Account())
        log.info("extra fields", extra={"pin": PIN, "caller_id_number": NEW_FORM, "account": Account()})
        log.info("a stack", stack_info=True)
        try:
            raise ValueError(f"no account {NEW_FORM}, pin {PIN}") from KeyError(ENDS_IN_X)
        except ValueError:
            log.exception("look-up of %s failed", OLD_FORM)
    for text in (written(folder), capfd.readouterr().err):
        assert not [secret for secret in SECRETS if secret in text]
        for words in ("plain", "args", "an object", "Traceback", "KeyError", "Account("):
            assert words in text


def test_a_record_with_wrong_arguments_is_masked_and_kept() -> None:
    record = logging.makeLogRecord({"msg": "wrong %d %d", "args": (NEW_FORM,)})
    assert Masking().filter(record)
    assert record.getMessage().startswith("wrong %d %d")
    assert NEW_FORM not in record.getMessage()


def test_extra_fields_are_masked_for_any_formatter(folder: Path) -> None:
    seen: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    with logging_to(folder):
        entrance = logging.getLogger().handlers[-1]
        keep = Keep()
        for each in entrance.filters:
            keep.addFilter(each)
        log.addHandler(keep)
        log.info("x", extra={"pin": PIN, "id_number": NEW_FORM, "line": 3})
        log.removeHandler(keep)
    assert (vars(seen[0])["pin"], vars(seen[0])["line"]) == ("******", 3)
    assert vars(seen[0])["id_number"] == "990101********0017"


def test_the_level_decides_what_is_written(folder: Path) -> None:
    with logging_to(folder, "warning"):
        log.info("quiet")
        log.warning("loud")
    assert "quiet" not in written(folder)
    assert "WARNING hotline.test: loud" in written(folder)


def test_the_journal_gets_priorities_and_no_times(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    with logging_to(None):
        log.error("a\nb")
        log.info("c")
    assert capfd.readouterr().err.splitlines() == ["<3>hotline.test: a", "<3>b", "<6>hotline.test: c"]


def test_a_file_a_day_is_kept_for_more_than_six_months(folder: Path) -> None:
    with logging_to(folder):
        thread_target = next(thread for thread in threading.enumerate() if thread.name.endswith("(_monitor)"))
        assert thread_target.is_alive()
    assert KEPT_DAYS > 184
    handler = TimedRotatingFileHandler(folder / "hotline.log", when="midnight", backupCount=KEPT_DAYS)
    handler.doRollover()
    handler.close()
    assert len(list(folder.iterdir())) == 2


def test_an_uncaught_exception_is_logged_masked(folder: Path) -> None:
    program = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from hotline.daemon.log import logging_to\n"
        f"with logging_to(Path({str(folder)!r})):\n"
        f"    thread = threading.Thread(target=lambda: int('pin {PIN}'))\n"
        "    thread.start(); thread.join()\n"
        f"    sys.excepthook(ValueError, ValueError('no {NEW_FORM}'), None)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    for text in (run.stderr, written(folder)):
        assert "未料到的错误" in text
        assert not [secret for secret in SECRETS if secret in text]


def test_afterwards_nothing_is_left_of_it(folder: Path) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level, sys.excepthook, threading.excepthook
    with logging_to(folder):
        assert root.handlers != before[0]
    assert (root.handlers, root.level, sys.excepthook, threading.excepthook) == before

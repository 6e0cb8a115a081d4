"""The laboratory: a corpus that is the same whenever made, a scorer by its rules, a report of what was found."""

import os

import numpy as np
import pytest
from hotline.bench.lab import keys, others, ours, peers, recordings, report, score, speed, table, tones, voices
from hotline.bench.lab.__main__ import cases
from hotline.bench.lab.pieces import Case, alaw, hybrid, keyed
from hotline.bench.lab.score import Cell, Heard
from hotline.dsp import generate
from hotline.dsp.levels import power_dbm0
from hotline.voice import audiofile

FAMILIES = (*keys.FAMILIES, *others.FAMILIES, *tones.FAMILIES)
SMALL = 0.001  # each case once


def case(expect, *, group="g", value=0.0, begins=0):
    return Case(group, value, expect, np.zeros(8000, np.int16), begins=begins)


# --- corpus


@pytest.mark.parametrize("family", [keys.clean, keys.impaired, keys.all_at_once, others.no_keys])
def test_a_seed_makes_the_same_cases(family):
    first, again, other = cases(family, 5, SMALL), cases(family, 5, SMALL), cases(family, 6, SMALL)
    assert [(one.group, one.value, one.expect) for one in first] == [
        (one.group, one.value, one.expect) for one in again
    ]
    assert all(np.array_equal(one.samples, two.samples) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one.samples, two.samples) for one, two in zip(first, other, strict=True))


def test_families_have_names_of_their_own():
    """Each seeds its own generator by its name."""
    assert len({family.__name__ for family in FAMILIES}) == len(FAMILIES)


def test_scale_is_how_many_of_each():
    assert [len(cases(keys.clean, 5, scale)) for scale in (SMALL, 0.1, 0.2)] == [4, 8, 16]


def test_keys_lie_where_their_marks_say():
    made = keyed(np.random.default_rng(1), "15", 50, 60, -10.0, 4.0)
    assert [end - begin for begin, end in made.marks] == [400, 400]
    assert made.marks[1][0] - made.marks[0][1] == 480
    silent = np.ones(len(made.signal), bool)
    for begin, end in made.marks:
        silent[begin:end] = False
        assert power_dbm0(made.signal[begin:end]) == pytest.approx(-10 + 10 * np.log10(1 + 10**-0.4), abs=0.5)
    assert not made.signal[silent].any()


def test_a_hybrid_loses_what_it_is_told_to():
    rng = np.random.default_rng(1)
    sent = rng.standard_normal(40000) * 1000
    assert power_dbm0(hybrid(rng, sent, 12.0)) == pytest.approx(float(power_dbm0(sent)) - 12, abs=0.2)


def test_prompts_are_sent_where_keys_lie_over_them():
    for one in cases(keys.barge_in, 5, SMALL):
        assert one.sent is not None
        assert len(one.sent) == len(one.samples)


def test_identity_numbers_are_fictional_and_well_formed():
    rng = np.random.default_rng(1)
    for _ in range(50):
        number = keys.identity_number(rng)
        assert number.startswith("990101")
        weights = [pow(2, 17 - place, 11) for place in range(18)]
        values = [10 if one == "*" else int(one) for one in number]
        assert sum(w * v for w, v in zip(weights, values, strict=True)) % 11 == 1  # ISO 7064 MOD 11-2


def test_what_is_talked_is_all_kinds_in_equal_parts():
    rng = np.random.default_rng(1)
    made = list(voices.talk_off(rng, 0.3))
    assert [one.group for one in made] == [f"talk-off: {name}" for name in voices.KINDS]
    assert {len(one.samples) for one in made} == {3 * 8000}
    assert all(one.expect == "" and power_dbm0(one.samples) > -35 for one in made)


@pytest.fixture
def two_packages(tmp_path, monkeypatch):
    """Two packages that dpkg-deb makes and unpacks; the folder they are fetched into. Only the download is played, for
    the archive's would be 1.1 GB."""
    monkeypatch.setattr(recordings, "PACKAGES", {"recorded people": ("talk",), "recorded music": ("song",)})
    for package, seconds in (("talk", 200), ("song", 20)):
        sounds = tmp_path / package / "usr" / "share"
        (tmp_path / package / "DEBIAN").mkdir(parents=True)
        control = f"Package: {package}\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: sounds\n"
        (tmp_path / package / "DEBIAN" / "control").write_text(control)
        sounds.mkdir(parents=True)
        for number in range(3):
            audiofile.write(
                sounds / f"{number}.wav", generate.noise(seconds * 1000, -20, np.random.default_rng(number))
            )
        audiofile.write(sounds / "silent.wav", generate.silence(1000))
        audiofile.write(sounds / "short.wav", generate.tone(450, 50))
        (sounds / "broken.wav").write_text("no sound")
    command = tmp_path / "bin" / "apt-get"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec dpkg-deb --build {tmp_path}/"$3" .\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    return tmp_path / "fetched"


def test_recordings_are_what_packages_hold_of_sound(two_packages):
    recordings.fetch(two_packages)
    made = list(recordings.cases(np.random.default_rng(1), two_packages))
    assert [(one.group, len(one.samples) / 8000) for one in made] == [
        ("recorded people", 400),
        ("recorded people", 200),
        ("recorded music", 60),
    ]
    assert all(one.expect == "" and -25 < power_dbm0(one.samples) < -5 for one in made)


def test_what_has_been_fetched_is_not_fetched_again(two_packages, monkeypatch):
    recordings.fetch(two_packages)
    monkeypatch.setenv("PATH", "/nowhere")
    recordings.fetch(two_packages)
    (two_packages / "song").rename(two_packages / "gone")
    with pytest.raises(peers.MissingError, match="there is no apt-get"):
        recordings.fetch(two_packages)


def test_a_package_that_cannot_be_had_is_named(two_packages, monkeypatch):
    monkeypatch.setattr(recordings, "PACKAGES", {"recorded music": ("none",)})
    with pytest.raises(peers.MissingError, match="download none"):
        recordings.fetch(two_packages)
    assert list(two_packages.iterdir()) == []


# --- scorer


@pytest.mark.parametrize(
    ("keyed", "found", "right", "extra"),
    [("1234", "1234", 4, 0), ("1234", "124", 3, 0), ("1234", "11234", 4, 1), ("12", "21", 1, 1), ("", "5", 0, 1)],
)
def test_keys_are_counted_in_order(keyed, found, right, extra):
    cell = score.of_keys(case(keyed), found)
    assert (cell.right, cell.keyed, cell.extra) == (right, len(keyed), extra)
    assert cell.exact == (keyed == found)
    assert cell.seconds == 1.0


@pytest.mark.parametrize(
    ("expect", "found", "exact", "right", "extra"),
    [
        ("busy", [Heard("busy", 5000)], True, 1, 0),
        ("busy", [Heard("busy", 5000), Heard("busy", 7000)], True, 1, 0),
        ("busy", [], False, 0, 0),
        ("busy", [Heard("dial", 5000)], False, 0, 1),
        ("busy", [Heard("busy", 5000), Heard("dial", 6000)], False, 1, 1),
        ("busy", [Heard("busy", 3999)], False, 0, 1),  # before it began
        ("", [], True, 0, 0),
        ("", [Heard("busy", 5000)], False, 0, 1),
    ],
)
def test_a_tone_is_right_by_name_and_time(expect, found, exact, right, extra):
    cell = score.of_tones(case(expect, begins=4000), found)
    assert (cell.exact, cell.right, cell.extra) == (exact, right, extra)


def test_the_latest_declaration_counts():
    early = score.of_tones(case("busy"), [Heard("busy", 8000)])
    late = score.of_tones(case("busy"), [Heard("busy", 12000)])
    assert (early + late).latest == (late + early).latest == 1.5


def test_a_range_is_the_longest_run_of_accepted_values():
    def cell(right, extra=0):
        return Cell(cases=1, right=right, keyed=200, extra=extra)

    curve = {0.0: cell(200), 1.0: cell(198), 2.0: cell(199), 3.0: cell(200, 1), 4.0: cell(200), 5.0: cell(200, 2)}
    assert score.accepted(curve) == [2.0, 3.0, 4.0]
    assert score.accepted({0.0: cell(0)}) == []


def test_cells_add_up_by_group_and_value():
    batch = [case("12", value=1.0), case("34", value=1.0), case("56", value=2.0), case("7", group="other")]
    scores = score.add_up(batch, ["12", "3", "56", "77"], score.of_keys)
    assert scores["g"][1.0].right == 3
    assert score.whole(scores["g"]).keyed == 6
    assert scores["other"][0.0].extra == 1


# --- entrants


def test_ours_hears_clean_keys_and_cancels_what_was_sent():
    batch = cases(keys.clean, 5, SMALL)
    assert ours.keys(batch) == [one.expect for one in batch]
    sent = generate.to_int16(voices.prompts()[: 3 * 8000].astype(float))
    echo = alaw(generate.to_int16(hybrid(np.random.default_rng(1), sent.astype(float), 8.0)))
    left = ours.cancelled(echo, sent)
    assert power_dbm0(left[16000:24000]) < power_dbm0(echo[16000:24000]) - 15


def test_ours_hears_a_clean_tone():
    batch = [one for one in cases(tones.progress, 5, SMALL) if one.group == "tones, clean: busy"]
    cell = score.whole(score.add_up(batch, ours.tones(batch), score.of_tones)["tones, clean: busy"])
    assert cell.exact == cell.cases
    assert 0.7 < cell.latest < 1.5


def test_peers_hear_clean_keys_and_tones(tmp_path):
    batch = cases(keys.clean, 5, SMALL)[:2]
    spandsp = peers.Spandsp(tmp_path)
    assert peers.multimon_keys(batch) == spandsp.keys(batch) == [one.expect for one in batch]
    tone = generate.cadence([450.0], [(0.35, 0.35)], 4.0)
    assert {heard.name for heard in spandsp.tones([Case("g", 0.0, "busy", tone)])[0]} == {"busy"}
    assert spandsp.seconds(tone) > 0


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(peers.MissingError, match="gcc multimon-ng espeak-ng"):
        peers.require()


def test_a_library_that_is_missing_is_named(tmp_path, monkeypatch):
    source = tmp_path / "spandsp.c"
    source.write_text("#include <no_such_library.h>\n")
    monkeypatch.setattr(peers, "SOURCE", source)
    with pytest.raises(peers.MissingError, match="libspandsp-dev"):
        peers.Spandsp(tmp_path)


def test_each_contest_is_run_by_all_who_can():
    """On a second of silence, with receivers that take no time worth speaking of."""
    heard = []

    class Ours:
        def __init__(self, lines):
            self.lines = lines

        def feed(self, frame):
            heard.append((self.lines, frame.shape))
            sum(range(2000))

    def theirs(samples):
        heard.append(("theirs", len(samples)))
        return 0.5

    silence = {"silence": lambda rng, samples: np.zeros(samples, np.int16)}
    found = speed.contests(silence, Ours, {"spandsp": theirs}, {"multimon": theirs})
    assert list(found) == ["silence: file", *(f"silence: {lines}" for lines in speed.LINES)]
    assert set(found["silence: file"]) == {"ours", "spandsp", "multimon"}
    assert set(found["silence: 128"]) == {"ours", "spandsp"}
    assert found["silence: file"]["spandsp"] == 1200.0
    assert (1, (1, 4_800_000)) in heard
    assert (128, (128, 160)) in heard


# --- report


def twist(accepted_up_to):
    rows = {float(db): Cell(1, 1, 16 if db <= accepted_up_to else 0, 16, 0, 2.0) for db in range(-12, 13)}
    return {"twist": rows, "recorded music": {0.0: Cell(3, 2, 0, 0, 1, 9000.0)}}


def run(ours_up_to):
    found = {"ours": twist(ours_up_to), "spandsp": twist(3), "multimon": twist(4)}
    race = {
        "speech: file": {"ours": 2.0, "spandsp": 4.0, "multimon": 1.0},
        "speech: 16": {"ours": 1600.0, "spandsp": 1600.0},
        "speech: 128": {"ours": 5120.0, "spandsp": 1600.0},
        "tones, busy: 128": {"ours": 400.0, "spandsp": 1600.0},
    }
    return report.Run(4, 0.3, 30.0, found, {"ours": {}, "spandsp": {}}, race, {"keys": 10240.0}, "peer 1.0")


ROW = "| high group stronger, all accepted up to, dB twist |"


def test_the_report_holds_figures_against_target_and_peers():
    text = report.document(run(7))
    assert f"{ROW} **7** | 3 | 4 | 6 | +4 | +3 |" in text
    assert "| speech: file | 0.5 | 2 | 1 ✗ |" in text
    assert "| lines | 16 | 128 |\n|---|---:|---:|\n| speech | 0.2 | 0.5 |\n" in text  # ms a tick
    assert "keys 10.0 KiB" in text
    assert "Seed 4, on which nothing was tuned; scale 0.3" in text
    assert "| tones, busy: 128 | 0.25 | – | – |" in text  # no target
    assert "peer 1.0" in text
    assert "and 2.5 hours of recorded music." in text
    assert "| music, recorded, an hour | 0.4 | 0.4 | 0.4 | 0.05 ✗ | 0 | 0 |" in text


def test_the_report_names_what_is_missed():
    text = report.document(run(2))
    assert f"{ROW} 2 | 3 | 4 | 6 ✗ | -1 | -2 |" in text
    missed = text.split("## Targets missed")[1].split("##")[0]
    assert "- Level: high group stronger, all accepted up to: 2 against 6 dB twist" in missed
    assert "- Speed: speech: file: 0.5 times libspandsp" in missed
    assert "- Time: all accepted from a length of: no figure" in missed  # a group that is renamed leaves its row bare
    assert "high group stronger" not in report.document(run(7)).split("## Targets missed")[1]


def test_figures_of_ranges():
    def curve(*accepted):
        return {"g": {float(v): Cell(1, 0, 16 if v in accepted else 0, 16, 0, 1.0) for v in range(-3, 4)}}

    assert table.highest("g")(curve(-1, 0, 1, 2)) == 2
    assert table.lowest("g")(curve(-1, 0, 1, 2)) == -1
    assert table.either_way("g")(curve(-1, 0, 1, 2)) == 1
    assert table.from_the_first("g")(curve(-3, -2)) == -2
    assert table.from_the_first("g")(curve(-1, 0)) == 0
    assert table.none_up_to("g")(curve(2, 3)) == 1
    assert table.highest("g")({}) is None

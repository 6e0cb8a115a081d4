"""`hotline tones`: the signal tones of exchanges and PBXs on the command line: list, play, and learn new ones.

`learn` prints the entry of a tone plan on stdout and what it thinks of it on stderr, so that either can be redirected.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, get_args

import typer
from rich.progress import Progress
from rich.table import Table

from ...config import tones as plans
from ...config.settings import SettingsError
from ...dsp import generate
from ...dsp import learn as learning
from ...dsp.learn import Learned, NotLearned, Proof
from ...voice import audiofile
from . import errors, fail, output, save

app = typer.Typer(no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

PlanOption = Annotated[str, typer.Option("--plan", help="信号音方案：名称或文件；hotline tones list 列出名称。")]

MEANINGS = {
    "dial": "拨号音",
    "ringback": "回铃音",
    "busy": "忙音",
    "congestion": "拥塞音",
    "unobtainable": "空号音",
    "waiting": "呼入等待音",
    "howler": "催挂音",
    "notice": "通知音",
    "sit": "特种信息音",
    "fax": "传真音",
}
RELEASED = {"dial", "busy", "congestion", "unobtainable", "howler"}  # what follows when the far end has gone

REFUSALS = {
    "short": "录音只有 {value:.1f} 秒，太短：请把忙音录满 5 秒以上",
    "quiet": "几乎没有声音，最响处也低于 -45 dBm0",
    "no_tone": "没有纯净而稳定的信号音，像是说话、音乐或噪声",
    "no_cadence": "响和停没有规律，像是说话或音乐，不是信号音",
    "few_periods": "信号音太短：须有至少两个完整的响停周期，且不短于 1.5 秒，请录长一些",
    "keys": "是电话机的按键音，不是交换机的信号音",
    "unlike": "与第一个录音不是同一种信号音，未计入",
    "not_found": "量得的信号音用检测器复核时没有听出来：录音太杂，或响停太不规律",
}
DOUBTS = {
    "few_periods": f"完整的周期不到 {learning.WELL} 个",
    "uneven": "响停时长或频率不够稳定",
    "noisy": f"信号音比杂音高不到 {learning.CLEAN_DB:g} dB",
    "quiet": f"声音太轻，低于 {learning.LOUD_DBM0:g} dBm0",
    "elsewhere": "录音的其他地方也误认出这个信号音",
}
SURE = ("很有把握", "较有把握", "没有把握")
SURE_KEYS = ("high", "fair", "low")
NAME = re.compile(r"[A-Za-z0-9_-]+")


class Recording(NamedTuple):
    """A file, the channel of it that holds the tone, and the tone."""

    path: Path
    samples: audiofile.Samples
    learned: Learned


@app.command("list")
def list_(
    plan: Annotated[str, typer.Argument(metavar="[PLAN]", help="方案的名称或文件；不写时列出随程序提供的方案。")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON。")] = False,
) -> None:
    """列出随程序提供的信号音方案，或一个方案里的信号音。"""
    if not plan:
        _list_plans(as_json)
        return
    loaded = _plan(plan)
    table = Table("名称", "是什么", "频率（Hz）", "响、停（秒）", "听到即挂机", box=None, pad_edge=False)
    for name, tone in loaded.tones.items():
        if as_json:
            print(json.dumps({"name": name, **tone.model_dump(mode="json")}, ensure_ascii=False))
        table.add_row(name, tone.text, _frequencies(tone), _cadence(tone.cadence), "是" if tone.released else "")
    if not as_json:
        output.print(f"{loaded.country}（{loaded.source}）", markup=False)
        output.print(table)


@app.command()
def play(
    name: Annotated[str, typer.Argument(metavar="NAME", help="信号音的名称，如 busy。")],
    out: Annotated[Path, typer.Argument(metavar="OUT.wav", help="存到这个 WAV 文件。")],
    plan: PlanOption = "cn",
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=600, help="多少秒。")] = 10.0,
    level: Annotated[float, typer.Option("--level", min=-60, max=3.14, help="电平，dBm0，几个频率合计。")] = -10.0,
) -> None:
    """把方案里的一个信号音存成 WAV。"""
    known = _plan(plan).tones
    if name not in known:
        fail(f"{plan} 里没有信号音 {name}，有：{'、'.join(known)}")
    tone = known[name]
    save(out, generate.sequence(tone.sounds, tone.pattern, seconds, level))
    output.print(f"{out}：{tone.text}，{seconds:g} 秒，{level:g} dBm0", markup=False, soft_wrap=True)


@app.command()
def learn(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="同一种忙音的录音，任何格式。")],
    plan: PlanOption = "cn",
    meaning: Annotated[str, typer.Option("--meaning", help=f"是什么：{'、'.join(MEANINGS)}。")] = "busy",
    name: Annotated[str, typer.Option("--name", help="在方案里的名称；不写时为 own_busy 之类。")] = "",
    text: Annotated[str, typer.Option("--text", help="人们怎么叫它；不写时为“本局忙音”之类。")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="写进这个方案文件；文件不存在时先复制 --plan 的内容。")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="结果为一行 JSON。")] = False,
) -> None:
    """从录音学会本中心交换机的忙音：量出频率和响停，写成信号音方案里的一节，并说明有几分把握。"""
    if meaning not in get_args(plans.Meaning):
        fail(f"--meaning {meaning}：须是 {'、'.join(MEANINGS)} 之一")
    name, text = name or f"own_{meaning}", text or f"本局{MEANINGS[meaning]}"
    if not NAME.fullmatch(name):
        fail(f"--name {name}：只能用字母、数字、下划线和减号")
    base = str(out) if out and out.exists() else plan
    known = _plan(base)
    if out and name in known.tones:
        fail(f"{base} 里已有 {name}：请用 --name 另取名称，或先删去那一节")
    recordings, bad = _recordings(files)
    if not recordings:
        raise typer.Exit(1)
    learned = learning.combine([recording.learned for recording in recordings])
    draft = learning.entry(learned, meaning, text, released=meaning in RELEASED)  # type: ignore[arg-type]  # looked at above
    proofs, unproved = _proofs(draft, recordings)
    if not proofs:
        raise typer.Exit(1)
    doubts = learning.doubts(learned, proofs)
    section = _section(name, draft, learned, SURE[min(len(doubts), 2)])
    tone = plans.Tone.model_validate_json(json.dumps(tomllib.loads(section)["tones"][name]), strict=True)
    alike = learning.collisions(tone, known)
    if out:
        _write(out, base, section)
    if as_json:
        print(json.dumps(_record(name, tone, learned, proofs, doubts, alike, recordings), ensure_ascii=False))
    else:
        if not out:
            print(section, end="")
        _explain(learned, proofs, doubts, [known.tones[other] for other in alike], tone)
    if out:
        errors.print(f'已写进 {out}：在设置里写 tones = "{out}" 即可使用', markup=False, soft_wrap=True)
    if bad or unproved:
        raise typer.Exit(1)


def _plan(name: str) -> plans.TonePlan:
    try:
        return plans.load(name)
    except SettingsError as error:
        fail(str(error))


def _list_plans(as_json: bool) -> None:
    table = Table("方案", "国家或地区", box=None, pad_edge=False)
    table.add_column("信号音", overflow="fold")
    for name in plans.shipped():
        plan = _plan(name)
        if as_json:
            print(json.dumps({"plan": name, "country": plan.country, "tones": list(plan.tones)}, ensure_ascii=False))
        table.add_row(name, plan.country, "、".join(tone.text for tone in plan.tones.values()))
    if not as_json:
        output.print(table)


def _complain(path: Path, sentence: str) -> None:
    errors.print(f"✗ {path}：{sentence}", style="red", markup=False, soft_wrap=True)


def _recordings(files: Sequence[Path]) -> tuple[list[Recording], int]:
    """The files a tone was learned from, all the same tone, and how many were not; each of these said why."""
    found: list[Recording] = []
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        for path in bar.track(files, description="听录音"):
            try:
                recording = _learned(path)
                learning.combine([one.learned for one in (*found[:1], recording)])
                found.append(recording)
            except audiofile.AudioError as error:
                errors.print(f"✗ {error}", style="red", markup=False, soft_wrap=True)
            except NotLearned as refused:
                _complain(path, REFUSALS[refused.why].format(value=refused.value))
    return found, len(files) - len(found)


def _learned(path: Path) -> Recording:
    """The channel that holds a tone longest. Raises AudioError, or NotLearned as the first channel does."""
    found: list[Recording] = []
    refusals: list[NotLearned] = []
    for channel in audiofile.read_channels(path):
        try:
            found.append(Recording(path, channel, learning.learn(channel)))
        except NotLearned as refused:
            refusals.append(refused)
    if not found:
        raise refusals[0]
    return max(found, key=lambda recording: recording.learned.end - recording.learned.start)


def _proofs(tone: plans.Tone, recordings: Sequence[Recording]) -> tuple[list[Proof], int]:
    """What the detector makes of each recording, and how many it fails on."""
    proofs: list[Proof] = []
    for path, samples, learned in recordings:
        try:
            proofs.append(learning.prove(tone, learned, samples))
        except NotLearned as refused:
            _complain(path, REFUSALS[refused.why])
    return proofs, len(recordings) - len(proofs)


def _section(name: str, tone: plans.Tone, learned: Learned, sure: str) -> str:
    """The entry as it stands in a plan's file; what is the model's default is not written."""
    measured = f"{learned.files} 个录音、{learned.periods:g} 个周期，{learned.level_dbm0:g} dBm0，{sure}"
    lines = [f"# 从录音学得：{measured}", f"[tones.{name}]"]
    for key, value in tone.model_dump(mode="json", exclude_defaults=True).items():
        lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _write(out: Path, base: str, section: str) -> None:
    """Add the section to the plan; the file is replaced only by one that has been read back."""
    source = plans.SHIPPED / f"{base}.toml" if base in plans.shipped() else Path(base)
    draft = out.with_name(f".{out.name}.new")
    try:
        draft.write_text(f"{source.read_text(encoding='utf-8').rstrip()}\n\n{section}", encoding="utf-8")
        plans.load(draft)
        os.replace(draft, out)
    except OSError as error:
        fail(f"{out}：写不进（{error.strerror}）")
    except SettingsError as error:
        fail(str(error))
    finally:
        draft.unlink(missing_ok=True)


def _record(
    name: str,
    tone: plans.Tone,
    learned: Learned,
    proofs: Sequence[Proof],
    doubts: Sequence[str],
    alike: Sequence[str],
    recordings: Sequence[Recording],
) -> dict[str, object]:
    return {
        "name": name,
        "files": [str(recording.path) for recording in recordings],
        "frequencies": learned.frequencies,
        "cadence": learned.cadence,
        "spread_s": learned.spread_s,
        "spread_hz": learned.spread_hz,
        "level_dbm0": learned.level_dbm0,
        "purity_db": learned.purity_db,
        "periods": learned.periods,
        "declared_after_s": [round(proof.declared - proof.start, 3) for proof in proofs],
        "sure": SURE_KEYS[min(len(doubts), 2)],
        "doubts": doubts,
        "collides_with": alike,
        "entry": tone.model_dump(mode="json"),
    }


def _explain(
    learned: Learned,
    proofs: Sequence[Proof],
    doubts: Sequence[str],
    alike: Sequence[plans.Tone],
    tone: plans.Tone,
) -> None:
    """For people: what was measured, how sure that is and why, and what it might be taken for."""
    durations = zip(learned.cadence, learned.spread_s, strict=True)
    rhythm = "、".join(f"{duration:.3f}±{spread:.3f}" for duration, spread in durations)
    hertz = " + ".join(f"{frequency:.1f}" for frequency in learned.frequencies)
    lines = [
        f"频率 {hertz} Hz，各次相差不超过 {learned.spread_hz:g} Hz",
        f"响、停 {rhythm} 秒，共 {learned.periods:g} 个周期" if rhythm else "连续音，没有停顿",
        f"电平 {learned.level_dbm0:g} dBm0，比杂音高 {learned.purity_db:g} dB",
        f"检测器复核：{max(proof.declared - proof.start for proof in proofs):.2f} 秒内判定",
        f"{SURE[min(len(doubts), 2)]}" + ("：" + "；".join(DOUBTS[doubt] for doubt in doubts) if doubts else ""),
    ]
    for line in lines:
        errors.print(f"  {line}", markup=False, soft_wrap=True)
    for other in alike:
        if other.meaning == tone.meaning and other.released == tone.released:
            sentence = f"方案里的“{other.text}”已能听出它，不必另加"
        else:
            sentence = f"与方案里的“{other.text}”分不开，会互相认错：请核对录的是不是{MEANINGS[tone.meaning]}"
        errors.print(f"! {sentence}", style="yellow", markup=False, soft_wrap=True)


def _frequencies(tone: plans.Tone) -> str:
    if tone.sequence:
        return "、".join(f"{frequency:g}" for frequency in tone.sequence)
    return " + ".join(f"{frequency:g}" for frequency in tone.frequencies)


def _cadence(cadence: Sequence[float]) -> str:
    return " / ".join(f"{duration:g}" for duration in cadence) or "连续"

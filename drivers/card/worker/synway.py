"""Synway cards (三汇 SHT) by SynCTI: events are polled, audio goes both ways in blocks of memory.

The block functions call back from a thread of the library. The callback does no more than put what it is told into a
queue and return; everything else happens in the worker's own thread. Buffers and the callback's own object live as
long as the process: whenever the library comes back to one, it is there.

Blocks carry their *round* through the library: those of an earlier one were stopped since, and belong to no call.
"""

from __future__ import annotations

from collections import deque
from ctypes import Array, byref, c_char, create_string_buffer, string_at
from pathlib import Path
from typing import Any

from . import shp_a3 as sdk
from .library import StartError, holders
from .wire import OTHER, RECORDER, STATION, TRUNK, Kind, pack, pack_text

BLOCK = 192  # bytes, 24 ms: the smallest blocks a program in the field is known to play and record at once
BLOCKS = 4  # in the library's hands in each direction; with three it is said to run without gaps
BEFOREHAND = 2  # blocks that must wait before playing begins
MOST = 8 * BLOCK  # bytes that may wait to be played; the service's clock and the card's are not the same
FLASH_MS = 500  # as in drivers/line.py

TYPES = {sdk.ANALOG_TRUNK: TRUNK, sdk.USER: STATION, sdk.RECORDING: RECORDER}

# SsmGetPendingReason, analog trunks.
PENDING = {
    0: "没有拨号音",
    1: "听到忙音",
    2: "回铃音后无声",
    3: "无人接听",
    4: "对方已挂机",
    5: "线路无声",
}

# No cord is in: 5 V and less on hook, where an exchange feeds 48 V, as programs in the field have it. Off hook a fed
# loop has a few volts at the card, so only none at all is taken for a pulled cord.
ON_HOOK_LEAST, OFF_HOOK_LEAST = 6, 1
LOOKS = 3  # seconds in a row: ringing and dialling pulses also disturb the voltage


class Channel:
    """One analog trunk: its buffers, and what it is doing."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.round = 0  # of off hook
        self.off_hook = False
        self.rung_by: bytes | None = None  # the caller's number, once it has been told
        self.to_play = bytearray()
        self.record = [create_string_buffer(BLOCK) for _ in range(BLOCKS)]
        self.play = [create_string_buffer(BLOCK) for _ in range(BLOCKS)]
        self.free = list(range(BLOCKS))  # of `play`
        self.unused: list[int] = []  # of `record`, because the library gave them back before they were full
        self.low = 0  # looks in a row at which there was no voltage
        self.faulty: bool | None = None  # not looked at yet


class Synway:
    """All channels of all cards SynCTI knows."""

    def __init__(self, folder: Path, watch_voltage: bool = True) -> None:
        self._folder = folder
        self._watches = watch_voltage
        self._channels: list[Channel] = []
        self._done: deque[tuple[bool, int, int, bytes | None]] = deque()  # recorded?, channel, token, what
        self._refused: list[bytes] = []  # messages about what the card would not do
        self._recorded = sdk.BLOCK_DONE(self._on_recorded)
        self._played = sdk.BLOCK_DONE(self._on_played)

    # Start and end.

    def start(self) -> bytes:
        """Take hold of the cards; the channels' types. Raises StartError."""
        self._sdk = sdk.bind(self._folder)
        config, index = sdk.ini(self._folder, "ShConfig.ini"), sdk.ini(self._folder, "ShIndex.ini")
        if self._sdk.SsmStartCti(config, index) == sdk.ERROR:
            raise StartError(self._why_not())
        count = self._sdk.SsmGetMaxCh()
        if count <= 0:
            raise StartError("三汇驱动启动了，却没有一路可用：请检查卡是否插好，ShConfig.ini 里 TotalAppCh 是否写对")
        how = sdk.EventSetInfo(mode=sdk.POLLING)
        if self._sdk.SsmSetEvent(sdk.ALL_EVENTS, sdk.ALL_CHANNELS, 1, byref(how)) == sdk.ERROR:
            raise StartError(f"三汇驱动不肯排队交出事件（{sdk.last_error(self._sdk)}）：请更新驱动程序")
        self._channels = [Channel(number) for number in range(count)]
        return bytes(TYPES.get(self._sdk.SsmGetChType(number), OTHER) for number in range(count))

    def stop(self) -> None:
        """Put every channel on hook and let the cards go."""
        for channel in self._channels:
            if channel.off_hook:
                self.on_hook(channel.number)
        if self._channels:
            self._sdk.SsmCloseCti()

    def _why_not(self) -> str:
        said = sdk.last_error(self._sdk)
        others = holders(self._sdk)
        if others:
            return f"三汇语音卡正被别的程序占用：{others}。请先退出它（{said}）"
        return (
            f"三汇驱动启动失败（{said}）。请检查：卡是否插好；"
            f"{self._folder / 'ShConfig.ini'} 里的 BoardModel、BoardSerialNumber 是否与卡一致；是否还有别的程序占着卡"
        )

    # What the service asks for.

    def off_hook(self, number: int) -> None:
        """Answer or seize; audio flows from now on."""
        channel = self._channels[number]
        if channel.off_hook:
            return
        channel.off_hook, channel.round = True, channel.round + 1
        channel.low = 0
        channel.unused.clear()
        if self._sdk.SsmPickup(number) == sdk.ERROR:
            self._refuse(channel, "不能摘机")
        self._sdk.SsmSetRecMixer(number, 0, 0)  # our own voice is not to be recorded
        for quiet in (
            self._sdk.SsmSetDtmfStopPlay,
            self._sdk.SsmSetHangupStopPlayFlag,
            self._sdk.SsmSetHangupStopRecFlag,
        ):
            quiet(number, 0)  # when to stop is our decision
        for slot in range(BLOCKS):
            self._give_for_recording(channel, slot)

    def on_hook(self, number: int) -> None:
        """Hang up; whatever was still to be played is forgotten."""
        channel = self._channels[number]
        channel.rung_by = None
        if not channel.off_hook:
            return
        channel.off_hook, channel.low = False, 0
        channel.round += 1
        channel.to_play.clear()
        channel.free = list(range(BLOCKS))
        for stop in (self._sdk.SsmStopTxDtmf, self._sdk.SsmStopPlayMemBlock, self._sdk.SsmStopRecordMemBlock):
            stop(number)
        self._sdk.SsmHangup(number)
        self._sdk.SsmClearCallerId(number)

    def play(self, number: int, audio: bytes) -> None:
        """Send this; of what cannot be sent in time the oldest goes."""
        channel = self._channels[number]
        if channel.off_hook:
            channel.to_play += audio
            del channel.to_play[: max(0, len(channel.to_play) - MOST)]
            self._give_for_playing(channel)

    def dial(self, number: int, digits: bytes) -> None:
        """Send these digits; DIALLED follows."""
        if self._sdk.SsmTxDtmf(number, digits) == sdk.ERROR:
            self._refuse(self._channels[number], "不能拨号")

    def flash(self, number: int, begins: bool) -> None:
        """Break the loop for a moment; the card counts the time itself."""
        if begins:
            self._sdk.SsmTxFlash(number, FLASH_MS)

    def forget(self, number: int) -> None:
        """The caller gave up."""
        self._channels[number].rung_by = None
        self._sdk.SsmClearCallerId(number)

    def look(self, number: int) -> bytes:
        """Once a second: whether the cord is in and the channel usable. A fault is told again and again, for a line may
        be opened later; that there is none is told once."""
        channel = self._channels[number]
        unused, channel.unused = channel.unused, []
        for slot in unused if channel.off_hook else ():
            self._give_for_recording(channel, slot)
        fault = self._fault(channel)
        if fault is not None:
            channel.faulty = True
            return pack_text(Kind.FAULT, number, fault)
        undecided = channel.faulty is None and channel.low
        if undecided or channel.faulty is False:
            return b""
        channel.faulty = False
        return pack(Kind.MENDED, number)

    # What the cards bring.

    def pump(self) -> bytes:
        """Everything that has happened since the last time, as messages. Does not wait."""
        out, self._refused = self._refused, []
        out += [self._event(event) for event in iter(self._next_event, None)]
        while self._done:
            out.append(self._block(*self._done.popleft()))
        return b"".join(out)

    def _next_event(self) -> Any:
        event = sdk.MessageInfo()
        return event if self._sdk.SsmWaitForEvent(0, byref(event)) == 0 else None

    def _event(self, event: Any) -> bytes:
        if not 0 <= event.channel < len(self._channels):
            return b""
        channel = self._channels[event.channel]
        number = channel.number
        if event.code == sdk.RING_COUNT and event.parameter:
            return self._caller(channel) + pack(Kind.RING, number)
        if event.code == sdk.CALLER_ID:
            return self._caller(channel)
        if event.code == sdk.SENT_DTMF:
            return pack(Kind.DIALLED, number)
        if event.code == sdk.POLARITY and channel.off_hook:
            return pack(Kind.REVERSED, number)
        if event.code == sdk.CHANNEL_STATE and self._sdk.SsmGetChState(number) == sdk.PENDING:
            return self._ended(channel)
        return b""

    def _ended(self, channel: Channel) -> bytes:
        """The card has seen a call end; until it is hung up, the channel takes no other."""
        if not channel.off_hook:
            self._sdk.SsmHangup(channel.number)
            return b""
        reason = self._sdk.SsmGetPendingReason(channel.number)
        said = PENDING.get(reason, f"通话中断（{reason}）")
        return pack_text(Kind.FAR_HANGUP, channel.number, f"语音卡报告：{said}")

    def _caller(self, channel: Channel) -> bytes:
        """The caller's number, once a call; nothing while the card has none. It comes between the first two bursts."""
        text = create_string_buffer(256)
        if channel.rung_by is not None or self._sdk.SsmGetCallerId(channel.number, text) == sdk.ERROR or not text.value:
            return b""
        channel.rung_by = text.value
        return pack(Kind.CALLER_ID, channel.number, text.value[:64])

    def _fault(self, channel: Channel) -> str | None:
        if self._sdk.SsmGetChState(channel.number) in (sdk.OFF_LINE, sdk.UNAVAILABLE):
            return f"语音卡第 {channel.number} 路不可用：请检查卡和这一路的模块"
        volts = self._sdk.SsmGetLineVoltage(channel.number) if self._watches else sdk.ERROR
        dead = volts != sdk.ERROR and abs(volts) < (OFF_HOOK_LEAST if channel.off_hook else ON_HOOK_LEAST)
        channel.low = channel.low + 1 if dead else 0
        if channel.low >= LOOKS or (dead and channel.faulty):
            return f"语音卡第 {channel.number} 路没有线路电压（{volts} V）：请检查电话线是否插好"
        return None

    # Blocks. A token is the round and the slot, in one number that goes through the library.

    def _block(self, recorded: bool, number: int, token: int, audio: bytes | None) -> bytes:
        channel = self._channels[number]
        turn, slot = divmod(token, BLOCKS)
        if turn != channel.round or not channel.off_hook:
            return b""
        if not recorded:
            channel.free.append(slot)
            self._give_for_playing(channel)
            return b""
        if audio is None:  # stopped by the card, not by us: tried again at the next look, lest we run in a circle
            channel.unused.append(slot)
            return b""
        self._give_for_recording(channel, slot)
        return pack(Kind.AUDIO, number, audio)

    def _give_for_recording(self, channel: Channel, slot: int) -> None:
        buffer: Array[c_char] = channel.record[slot]
        token = channel.round * BLOCKS + slot
        if self._sdk.SsmRecordMemBlock(channel.number, sdk.ALAW, buffer, BLOCK, self._recorded, token) == sdk.ERROR:
            self._refuse(channel, "不能录音")

    def _give_for_playing(self, channel: Channel) -> None:
        if len(channel.free) == BLOCKS and len(channel.to_play) < BEFOREHAND * BLOCK:
            return
        while channel.free and len(channel.to_play) >= BLOCK:
            slot = channel.free.pop(0)
            channel.play[slot].raw = bytes(channel.to_play[:BLOCK])
            del channel.to_play[:BLOCK]
            token = channel.round * BLOCKS + slot
            block = channel.play[slot]
            if self._sdk.SsmPlayMemBlock(channel.number, sdk.ALAW, block, BLOCK, self._played, token) == sdk.ERROR:
                self._refuse(channel, "不能放音")

    def _refuse(self, channel: Channel, what: str) -> None:
        channel.faulty = True
        said = f"语音卡第 {channel.number} 路{what}（{sdk.last_error(self._sdk)}）"
        self._refused.append(pack_text(Kind.FAULT, channel.number, said))

    def _on_recorded(self, number: int, reason: int, buffer: Any, stop: int, token: int | None) -> int:
        audio = string_at(buffer, BLOCK) if reason == sdk.RECORDED_WHOLE else None
        self._done.append((True, number, token or 0, audio))
        return 1

    def _on_played(self, number: int, reason: int, buffer: Any, stop: int, token: int | None) -> int:
        self._done.append((False, number, token or 0, None))
        return 1

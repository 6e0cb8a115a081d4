"""Donjin's old analog cards (东进 D080A, D160A, D161A) by TC08A32: everything is polled, nothing calls back.

Recording comes in blocks of 64 ms. Playing goes from a buffer of the library that is played round and round; we write
ahead of where it is being played. The library does not tell where that is. Both directions run on the card's one
clock and are started together, so as many bytes have been played as were recorded - to within the block that is
being recorded, which is why what is played lies 128 ms ahead. What has been played is overwritten with silence, so
that a service that is late is not heard as the sound of a second ago.
"""

from __future__ import annotations

from ctypes import create_string_buffer
from pathlib import Path

from . import tc08a32 as sdk
from .library import StartError, holders
from .wire import OTHER, RECORDER, STATION, TRUNK, Kind, pack

BLOCK = 512  # bytes, 64 ms: the smallest VR_SetRefreshSize takes
LOOP = 8192  # bytes a channel, a second: EnableCard wants a multiple of 1024; the vendor's sample has this
AHEAD = 2 * BLOCK  # where writing begins, from where the last whole block was recorded
NEAREST = BLOCK + 160  # closer than that it may be played already: a block that is not known of yet, and 20 ms
FARTHEST = 5 * BLOCK  # more than that is not kept waiting: the service's clock and the card's are not the same
SILENCE = b"\xd5"  # A-law's smallest positive value

TYPES = {sdk.USER: STATION, sdk.OUTSIDE: TRUNK, sdk.RECORDING: RECORDER}

LOADING = {
    -2: f"东进语音卡的设置文件 {sdk.INI} 读不了：请把它放在 {sdk.NAME} 旁边，或重新运行东进的配置程序",
    -3: f"东进语音卡的设置文件 {sdk.INI} 与机器里的卡不一致：请重新运行东进的配置程序",
}
ENABLING = {
    -1: "东进语音卡的驱动程序没有装载成功：请重新安装驱动程序",
    -2: "东进语音卡要不到放音、录音用的内存：请关掉别的程序或重新启动电脑",
}
RECORDING_TOO = {
    -5: "这种东进卡不能在内存中录音（只有 D161A 一类可以）：请换一块卡",
}


class Channel:
    """One outside line, and what it is doing."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.off_hook = False
        self.ringing = False  # the ringing current was there when we last looked
        self.called = False  # it has rung, and nobody has answered or given up
        self.told = False  # the caller's number
        self.played = 0  # bytes since the loop was started, of whole blocks
        self.written = 0
        self.digits = b""  # yet to be sent
        self.sending = False
        self.polarity: int | None = None  # once it is known for this call
        self.looks = 0  # since off hook


class Donjin:
    """All channels of all cards the library knows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._channels: list[Channel] = []
        self._buffer = create_string_buffer(LOOP)

    # Start and end.

    def start(self) -> bytes:
        """Take hold of the cards; the channels' types. Raises StartError."""
        self._sdk = sdk.bind(self._folder)
        loaded = self._sdk.LoadDRV()
        if loaded:
            raise StartError(LOADING.get(loaded) or self._why_not(loaded))
        count = self._sdk.CheckValidCh()
        try:
            self._enable(count)
        except StartError:
            self._sdk.FreeDRV()
            raise
        self._channels = [Channel(number) for number in range(count)]
        for number in range(count):
            self._sdk.ResetCallerIDBuffer(number)
            self._sdk.InitDtmfBuf(number)
        return bytes(TYPES.get(self._sdk.CheckChTypeNew(number), OTHER) for number in range(count))

    def stop(self) -> None:
        """Put every channel on hook and let the cards go."""
        for channel in self._channels:
            if channel.off_hook:
                self.on_hook(channel.number)
        if self._channels:
            self._sdk.DisableCard()
            self._sdk.FreeDRV()

    def _enable(self, count: int) -> None:
        if not count:
            raise StartError("东进驱动启动了，却没有一路可用：请检查卡是否插好")
        for outcome, sentences in (
            (self._sdk.EnableCard(count, LOOP), ENABLING),
            (self._sdk.VR_SetRefreshSize(BLOCK), RECORDING_TOO),
        ):
            if outcome:
                raise StartError(sentences.get(outcome, f"东进语音卡启动失败（返回 {outcome}）：请重新安装驱动程序"))

    def _why_not(self, loaded: int) -> str:
        others = holders(self._sdk)
        if others:
            return f"东进语音卡正被别的程序占用：{others}。请先退出它"
        return f"东进语音卡的设备驱动打不开（返回 {loaded}）：请检查卡、驱动程序是否装好，是否还有别的程序占着卡"

    # What the service asks for.

    def off_hook(self, number: int) -> None:
        """Answer or seize; audio flows from now on."""
        channel = self._channels[number]
        if channel.off_hook:
            return
        channel.off_hook, channel.called, channel.looks, channel.polarity = True, False, 0, None
        self._sdk.OffHook(number)
        self._sdk.InitDtmfBuf(number)
        self._sdk.VR_StartRecord(number)
        self._start_playing(channel)

    def on_hook(self, number: int) -> None:
        """Hang up; whatever was still to be sent is forgotten."""
        channel = self._channels[number]
        self.forget(number)
        if not channel.off_hook:
            return
        channel.off_hook, channel.sending, channel.digits = False, False, b""
        self._sdk.StopPlay(number)
        self._sdk.VR_StopRecord(number)
        self._sdk.HangUp(number)
        self._sdk.InitDtmfBuf(number)  # keys of the call that is over

    def play(self, number: int, audio: bytes) -> None:
        """Write this where it will be played next."""
        channel = self._channels[number]
        if not channel.off_hook or channel.sending:
            return
        ahead = channel.written - channel.played
        if ahead > FARTHEST:
            return
        if ahead < NEAREST:
            channel.written = channel.played + AHEAD
        self._write(channel, channel.written, audio)
        channel.written += len(audio)

    def dial(self, number: int, digits: bytes) -> None:
        """Send these digits; DIALLED follows. They are played, so nothing else is meanwhile."""
        channel = self._channels[number]
        if channel.off_hook:
            channel.digits += digits
            if not channel.sending:
                self._sdk.StopPlay(number)
                self._send_digits(channel)

    def flash(self, number: int, begins: bool) -> None:
        """The library knows no flash: the loop is opened, and closed when the service says that the time is over."""
        if self._channels[number].off_hook:
            (self._sdk.HangUp if begins else self._sdk.OffHook)(number)

    def forget(self, number: int) -> None:
        """The caller gave up."""
        channel = self._channels[number]
        channel.called = channel.told = False
        self._sdk.ResetCallerIDBuffer(number)

    def look(self, number: int) -> bytes:
        """Once a second. The polarity to compare with is that of a second after the hook was lifted, as the manual
        has it. These cards cannot tell whether a cord is in."""
        channel = self._channels[number]
        if channel.off_hook:
            channel.looks += 1
            if channel.looks == 2:
                channel.polarity = self._sdk.CheckPolarity(number)
        return b""

    # What the cards bring.

    def pump(self) -> bytes:
        """Everything that has happened since the last time, as messages. Does not wait."""
        self._sdk.PUSH_PLAY()
        self._sdk.FeedSigFunc()
        return b"".join(self._talk(channel) if channel.off_hook else self._wait(channel) for channel in self._channels)

    def _wait(self, channel: Channel) -> bytes:
        """On hook: keys, ringing, and the caller's number. An exchange that sends the number as keys does so before
        the first ring; what they mean is the service's matter. One a look is enough, keys come more slowly."""
        code = self._sdk.GetDtmfCode(channel.number)
        out = pack(Kind.KEYED, channel.number, sdk.KEYS[code : code + 1]) if 0 <= code < len(sdk.KEYS) else b""
        ringing = bool(self._sdk.RingDetect(channel.number))
        if ringing and not channel.ringing:
            if not channel.called:
                self._sdk.ResetCallerIDBuffer(channel.number)
            channel.called = True
            out += pack(Kind.RING, channel.number)
        channel.ringing = ringing
        if channel.called and not channel.told:
            out = self._caller(channel) + out  # before the burst that will be answered
        return out

    def _caller(self, channel: Channel) -> bytes:
        """A number whose checksum is wrong may be anybody's: better none."""
        received = self._sdk.GetCallerIDStr(channel.number, self._buffer)
        channel.told = received in (sdk.CALLER_ID_GOOD, sdk.CALLER_ID_BAD)
        if not channel.told:
            return b""
        text = self._buffer.value if received == sdk.CALLER_ID_GOOD else b""
        return pack(Kind.CALLER_ID, channel.number, text[sdk.CALLER_ID_DATE :][:64])

    def _talk(self, channel: Channel) -> bytes:
        """Off hook: audio, digits that are out, polarity."""
        out = []
        number = channel.number
        while (length := self._sdk.VR_GetRecordData(number, self._buffer)) > 0:
            out.append(pack(Kind.AUDIO, number, self._buffer.raw[:length]))
            if not channel.sending:
                self._write(channel, channel.played - length, SILENCE * length)  # the block before: that one is over
                channel.played += length
        if channel.sending and self._sdk.CheckSendEnd(number):
            out.append(self._digits_out(channel))
        polarity = self._sdk.CheckPolarity(number)
        if channel.polarity is not None and channel.polarity != polarity:
            channel.polarity = polarity
            out.append(pack(Kind.REVERSED, number))
        return b"".join(out)

    # Playing.

    def _start_playing(self, channel: Channel) -> None:
        channel.played, channel.written = 0, AHEAD
        self._write(channel, 0, SILENCE * LOOP)
        self._sdk.SYS_StartLoopPlay(channel.number, LOOP, 0)

    def _write(self, channel: Channel, position: int, audio: bytes) -> None:
        """Into the loop, round its end where need be."""
        at = position % LOOP
        first = audio[: LOOP - at]
        self._sdk.SYS_MoveBufToSys(channel.number, first, len(first), at)
        if len(first) < len(audio):
            self._sdk.SYS_MoveBufToSys(channel.number, audio[len(first) :], len(audio) - len(first), 0)

    def _send_digits(self, channel: Channel) -> None:
        digits, channel.digits = channel.digits[: sdk.MOST_DIGITS], channel.digits[sdk.MOST_DIGITS :]
        channel.sending = True
        self._sdk.SendDtmfBuf(channel.number, digits)

    def _digits_out(self, channel: Channel) -> bytes:
        if channel.digits:
            self._send_digits(channel)
            return b""
        channel.sending = False
        self._sdk.StopPlay(channel.number)
        self._start_playing(channel)
        return pack(Kind.DIALLED, channel.number)

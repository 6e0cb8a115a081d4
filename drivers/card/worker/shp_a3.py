"""Synway's SynCTI library as C has it: prototypes, layouts, codes. Nothing of this is known outside this folder.

Source: the vendor's header shpa3api.h, in an old version (Chinese comments, events to 0x32) and a newer one (English
comments). They agree on what is used here. DWORD is 32 bits everywhere, as the newer one has it; the older made it
`unsigned long`, which on 64-bit Linux has 64. Functions return -1 for an error, and SsmGetLastErrCode tells which.
"""

from __future__ import annotations

import sys
from ctypes import POINTER, Structure, c_char_p, c_int, c_ubyte, c_uint32, c_ushort, c_void_p, create_string_buffer
from pathlib import Path
from typing import Any

from .library import CALLBACK, StartError, function, load

NAME = "SHP_A3.dll" if sys.platform == "win32" else "libshpa3api.so"
ERROR = -1

# SsmGetChType: 0 analog trunk, 2 station, 3 recorder of high impedance; all others are digital.
ANALOG_TRUNK, USER, RECORDING = 0, 2, 3

ALAW = 6  # the codec number of the cards' own format: 8 bits, 8000 Hz

# SsmGetChState, analog trunks. PENDING: the card has seen the call end; the application is to hang up.
IDLE, PICKED_UP, RINGING, TALKING, PENDING, OFF_LINE, UNAVAILABLE = 0, 1, 2, 3, 7, 8, 11

# Events; which channel, and a parameter.
SENT_DTMF, CHANNEL_STATE, RING_COUNT, POLARITY, CALLER_ID = 0x0D, 0x18, 0x1E, 0x21, 0x45

ALL_EVENTS, ALL_CHANNELS = 0xFFFF, -1
POLLING = 1  # EVENT_POLLING: events wait in a queue until we ask; no thread of the library calls us for them

RECORDED_WHOLE, PLAYED_WHOLE = 4, 1  # end reasons of the block functions; all others mean that somebody stopped it

# typedef BOOL (WINAPI *PLAYMEMBLOCKHANDLER)(int ch, int nEndReason, PUCHAR pucBuf, DWORD dwStopOffset, PVOID pV);
# typedef BOOL (WINAPI *RECORDMEMBLOCKHANDLER)(the same); both are called from a thread of the library.
BLOCK_DONE = CALLBACK(c_int, c_int, c_int, POINTER(c_ubyte), c_uint32, c_void_p)


class MessageInfo(Structure):
    """typedef struct { WORD wEventCode; int nReference; DWORD dwParam; } MESSAGE_INFO;"""

    _fields_ = (("code", c_ushort), ("channel", c_int), ("parameter", c_uint32))


class EventSetInfo(Structure):
    """typedef struct { DWORD dwWorkMode; LPVOID lpHandlerParam; DWORD dwOutCondition, dwOutParamVal, dwUser; }
    EVENT_SET_INFO;"""

    _fields_ = (
        ("mode", c_uint32),
        ("handler", c_void_p),
        ("condition", c_uint32),
        ("value", c_uint32),
        ("user", c_uint32),
    )


# int NAME(int ch, ...); the rest of the arguments follow.
CHANNEL_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    # int SsmGetChType(int ch);
    "SsmGetChType": (),
    # int SsmGetChState(int ch);
    "SsmGetChState": (),
    # int SsmGetPendingReason(int ch);
    "SsmGetPendingReason": (),
    # int SsmGetLineVoltage(int ch); volts
    "SsmGetLineVoltage": (),
    # int SsmPickup(int ch);
    "SsmPickup": (),
    # int SsmHangup(int ch);
    "SsmHangup": (),
    # int SsmGetCallerId(int ch, LPSTR szCallerId);
    "SsmGetCallerId": (c_char_p,),
    # int SsmClearCallerId(int ch);
    "SsmClearCallerId": (),
    # int SsmTxDtmf(int ch, LPSTR pszDtmf);
    "SsmTxDtmf": (c_char_p,),
    # int SsmStopTxDtmf(int ch);
    "SsmStopTxDtmf": (),
    # int SsmTxFlash(int ch, WORD time); milliseconds
    "SsmTxFlash": (c_ushort,),
    # int SsmSetRecMixer(int ch, BOOL bEnRecMixer, int nMixerVolume); what is played is mixed into what is recorded
    "SsmSetRecMixer": (c_int, c_int),
    # int SsmSetDtmfStopPlay(int ch, BOOL bDspf);
    "SsmSetDtmfStopPlay": (c_int,),
    # int SsmSetHangupStopPlayFlag(int ch, BOOL bHangupStopRecFlag);
    "SsmSetHangupStopPlayFlag": (c_int,),
    # int SsmSetHangupStopRecFlag(int ch, BOOL bHangupStopRecFlag);
    "SsmSetHangupStopRecFlag": (c_int,),
    # int SsmPlayMemBlock(int ch, int nFormat, LPBYTE pBuf, DWORD dwBufSize, PLAYMEMBLOCKHANDLER done, PVOID pV);
    "SsmPlayMemBlock": (c_int, c_void_p, c_uint32, BLOCK_DONE, c_void_p),
    # int SsmStopPlayMemBlock(int ch);
    "SsmStopPlayMemBlock": (),
    # int SsmRecordMemBlock(int ch, int nFormat, LPBYTE pBuf, DWORD dwBufSize, RECORDMEMBLOCKHANDLER done, PVOID pV);
    "SsmRecordMemBlock": (c_int, c_void_p, c_uint32, BLOCK_DONE, c_void_p),
    # int SsmStopRecordMemBlock(int ch);
    "SsmStopRecordMemBlock": (),
}

OTHER_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    # int SsmStartCti(LPSTR lpSsmCfgFileName, LPSTR lpIndexCfgFileName);
    "SsmStartCti": (c_char_p, c_char_p),
    # int SsmCloseCti();
    "SsmCloseCti": (),
    # int SsmGetLastErrCode();
    "SsmGetLastErrCode": (),
    # void SsmGetLastErrMsg(LPSTR szErrMsgBuf);
    "SsmGetLastErrMsg": (c_char_p,),
    # int SsmGetMaxCh(void);
    "SsmGetMaxCh": (),
    # int SsmSetEvent(WORD wEvent, int nReference, BOOL bEnable, PEVENT_SET_INFO pEventSet);
    "SsmSetEvent": (c_ushort, c_int, c_int, POINTER(EventSetInfo)),
    # int SsmWaitForEvent(DWORD dwTimeOut, PMESSAGE_INFO pEvent); milliseconds; 0 when there was one
    "SsmWaitForEvent": (c_uint32, POINTER(MessageInfo)),
}


def bind(folder: Path) -> Any:
    """The library with its prototypes. Raises StartError."""
    library = load(NAME, folder)
    for name, arguments in OTHER_FUNCTIONS.items():
        function(library, name).argtypes = arguments
    for name, arguments in CHANNEL_FUNCTIONS.items():
        function(library, name).argtypes = (c_int, *arguments)
    for name in (*OTHER_FUNCTIONS, *CHANNEL_FUNCTIONS):
        getattr(library, name).restype = None if name == "SsmGetLastErrMsg" else c_int
    return library


def last_error(library: Any) -> str:
    """What the library says about its last failure: code and its own words."""
    words = create_string_buffer(512)  # the longest known has fewer than 300 bytes
    library.SsmGetLastErrMsg(words)
    try:
        text = words.value.decode("utf-8")
    except UnicodeDecodeError:
        text = words.value.decode("gbk", "replace")  # as a Chinese Windows has it
    return f"错误码 {library.SsmGetLastErrCode()}：{text.strip() or '没有说明'}"


def ini(folder: Path, name: str) -> bytes:
    """The path of one of the two files SsmStartCti wants, as the library takes it. Raises StartError."""
    path = folder / name
    if not path.is_file():
        raise StartError(
            f"没有 {path}：请用三汇的配置工具 ShCtiConfig 生成 ShConfig.ini 和 ShIndex.ini，在 folder 写出文件夹"
        )
    return str(path).encode("mbcs" if sys.platform == "win32" else "utf-8")

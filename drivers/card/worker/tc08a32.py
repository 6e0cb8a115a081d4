"""Donjin's old library as C has it: prototypes and codes. Nothing of this is known outside this folder.

Source: the vendor's header Tc08a32.h, and its manual as quoted in the comments of programs that use the library. It is
of 32 bits, for Windows, and not made for threads: every call is made from the worker's one thread. `long` has 32 bits
there. NewSig.dll, its companion for tones, is not needed: tones are heard by our own ear.
"""

from __future__ import annotations

import sys
from ctypes import c_char_p, c_int32, c_short, c_uint32, c_ushort, c_void_p
from pathlib import Path
from typing import Any

from .library import function, load

NAME = "TC08A32.DLL" if sys.platform == "win32" else "libtc08a32.so"  # there is none for Linux but that of our tests
INI = "TC08A-V.INI"

# CheckChTypeNew
USER, OUTSIDE, EMPTY, RECORDING = 0, 1, 2, 3

# GetCallerIDStr: 0 to 2 it is being received, 3 received, 4 received with a wrong checksum
CALLER_ID_GOOD, CALLER_ID_BAD = 3, 4
CALLER_ID_DATE = 8  # characters before the number: MMDDhhmm

# GetDtmfCode gives a place in this; the order is that of DTMF receiver chips, D has no bit set.
KEYS = b"D1234567890*#ABC"

MOST_DIGITS = 32  # SendDtmfBuf at once; the manual has 32 in one place, 64 in another

# name: (what it gives back, arguments)
FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    # long LoadDRV(void); 0; -1 no driver, -2 the ini cannot be read, -3 the ini does not fit the cards
    "LoadDRV": (c_int32, ()),
    # void FreeDRV(void);
    "FreeDRV": (None, ()),
    # WORD CheckValidCh(void); channels
    "CheckValidCh": (c_ushort, ()),
    # WORD CheckChTypeNew(WORD wChnlNo);
    "CheckChTypeNew": (c_ushort, (c_ushort,)),
    # long EnableCard(WORD wUsedCh, WORD wFileBufLen); 0; -1 no driver, -2 no memory
    "EnableCard": (c_int32, (c_ushort, c_ushort)),
    # void DisableCard(void);
    "DisableCard": (None, ()),
    # void PUSH_PLAY(void); keeps playing going
    "PUSH_PLAY": (None, ()),
    # void FeedSigFunc(void); keeps tones and timers going
    "FeedSigFunc": (None, ()),
    # BOOL RingDetect(WORD wChnlNo); whether it is being rung
    "RingDetect": (c_int32, (c_ushort,)),
    # void OffHook(WORD wChnlNo);
    "OffHook": (None, (c_ushort,)),
    # void HangUp(WORD wChnlNo);
    "HangUp": (None, (c_ushort,)),
    # BOOL CheckPolarity(WORD wChnlNo);
    "CheckPolarity": (c_int32, (c_ushort,)),
    # void ResetCallerIDBuffer(WORD wChnlNo);
    "ResetCallerIDBuffer": (None, (c_ushort,)),
    # WORD GetCallerIDStr(WORD wChnlNo, LPSTR IDStr); 128 bytes are safe
    "GetCallerIDStr": (c_ushort, (c_ushort, c_char_p)),
    # void InitDtmfBuf(WORD wChnlNo);
    "InitDtmfBuf": (None, (c_ushort,)),
    # short GetDtmfCode(WORD wChnlNo); the next key not yet asked for, -1 none
    "GetDtmfCode": (c_short, (c_ushort,)),
    # void SendDtmfBuf(WORD wChnlNo, LPSTR DialNum);
    "SendDtmfBuf": (None, (c_ushort, c_char_p)),
    # BOOL CheckSendEnd(WORD wChnlNo);
    "CheckSendEnd": (c_int32, (c_ushort,)),
    # void StopPlay(WORD wChnlNo); playing from memory, in a loop too, and digits
    "StopPlay": (None, (c_ushort,)),
    # void SYS_StartLoopPlay(WORD wChnlNo, DWORD dwPlayLen, DWORD dwStartPos);
    "SYS_StartLoopPlay": (None, (c_ushort, c_uint32, c_uint32)),
    # void SYS_MoveBufToSys(WORD wChnlNo, char *p, DWORD dwMoveLen, DWORD dwSysStartPos);
    "SYS_MoveBufToSys": (None, (c_ushort, c_char_p, c_uint32, c_uint32)),
    # int VR_SetRefreshSize(WORD wSize); 0; -1 before EnableCard, -2 no multiple of 512, -3 too large, -4 no divisor of
    # the buffer, -5 a card that cannot record into memory
    "VR_SetRefreshSize": (c_int32, (c_ushort,)),
    # void VR_StartRecord(WORD wChnlNo);
    "VR_StartRecord": (None, (c_ushort,)),
    # void VR_StopRecord(WORD wChnlNo);
    "VR_StopRecord": (None, (c_ushort,)),
    # int VR_GetRecordData(WORD wChnlNo, char *pBuffer); bytes, none until a block is ready
    "VR_GetRecordData": (c_int32, (c_ushort, c_void_p)),
}


def bind(folder: Path) -> Any:
    """The library with its prototypes. Raises StartError."""
    library = load(NAME, folder)
    for name, (result, arguments) in FUNCTIONS.items():
        function(library, name).restype = result
        getattr(library, name).argtypes = arguments
    return library

"""What the kernel's <dahdi/user.h> lays down: numbers of requests, places in structures, codes of events.

Above port.py none of these is seen. tests/dahdi/abi.c prints the same names from the header itself, and a test
compares; the header is that of Debian's dahdi-dkms 2.11.1, and its numbers are alike on all 64-bit x86 and ARM.
"""

from __future__ import annotations

CODE = 0xDA  # every DAHDI request carries this letter (user.h, DAHDI_CODE)
INT = 4  # bytes


def request(direction: int, number: int, size: int) -> int:
    """An ioctl number as <asm-generic/ioctl.h> makes it; direction: 1 to the kernel, 2 from it, 3 both."""
    return direction << 30 | size << 16 | CODE << 8 | number


# struct dahdi_params: bytes, and where the members stand that we read or write.
PARAMS_SIZE = 136
PARAMS_SIGTYPE = 12
PARAMS_RXHOOKSIG = 36
PARAMS_CURLAW = 40
PARAMS_FLASHTIME = 100
PARAMS_ALARMS = 132

BUFFERINFO_SIZE = 24  # struct dahdi_bufferinfo: policies out and in, number, size, and two the kernel does not fill in
GAINS_SIZE = 516  # struct dahdi_gains: channel, 256 bytes inwards, 256 bytes outwards
DIAL_SIZE = 260  # struct dahdi_dialoperation: operation, 256 bytes of digits
DIGITS_SIZE = 256

FLUSH = request(1, 3, INT)
GET_PARAMS = request(3, 5, PARAMS_SIZE)
SET_PARAMS = request(1, 5, PARAMS_SIZE)
HOOK = request(1, 7, INT)
GETEVENT = request(2, 8, INT)
SETGAINS = request(1, 16, GAINS_SIZE)
SET_BUFINFO = request(1, 27, BUFFERINFO_SIZE)
DIAL = request(1, 31, DIAL_SIZE)
ECHOCANCEL = request(1, 33, INT)
SPECIFY = request(1, 38, INT)
SETLAW = request(1, 39, INT)
SETLINEAR = request(1, 40, INT)
ECHOTRAIN = request(1, 50, INT)

# Arguments of HOOK.
ONHOOK, OFFHOOK, FLASHHOOK, RING = 0, 1, 3, 5

# Arguments of FLUSH, SET_BUFINFO, DIAL and SETLAW.
FLUSH_READ, FLUSH_ALL = 1, 7
POLICY_IMMEDIATE = 0
DIAL_OP_APPEND, DIAL_OP_CANCEL = 1, 3
LAW_DEFAULT, LAW_MULAW, LAW_ALAW = 0, 1, 2

# Signalling of a channel. Named after what stands at the other end: an exchange line (an FXO port) has FXS signalling.
SIG_FXSLS, SIG_FXSGS, SIG_FXSKS = 0x2001, 0x2002, 0x2004
SIG_FXOLS, SIG_FXOGS, SIG_FXOKS = 0x1008, 0x1010, 0x1020

RXSIG_ONHOOK = 0  # what a channel receives; from <dahdi/kernel.h>

# Events.
EVENT_NONE = 0
EVENT_ONHOOK = 1
EVENT_RINGOFFHOOK = 2
EVENT_ALARM = 4
EVENT_NOALARM = 5
EVENT_DIALCOMPLETE = 9
EVENT_POLARITY = 17
EVENT_RINGBEGIN = 18
EVENT_REMOVED = 20

ELAST = 500  # errno of a read or write while an event waits

"""The modems there are, in software: what they call themselves, and where they differ.

`>` is what the host sends, `<` what the modem says; DLE reports are written <DLE>x.

Conexant CX93001, full duplex                      USRobotics USR5637, half duplex

    > AT+FCLASS=8                                      > AT+FCLASS=8
    < OK                                               < OK
    > AT+VSM=131,8000,0,0                              > AT+VSM=128,8000
    < OK                                               < OK
    > AT+VLS=1                                         > AT+VLS=5
    < OK                                               < OK <DLE>H
    > AT+VTR                                           > AT+VTR
    < CONNECT <DLE>u samples                           < ERROR
    > samples                                          > AT+VTX
    < <DLE>/ <DLE>1 <DLE>1 <DLE>~ samples              < CONNECT
    > <DLE>^                                           > samples
    < samples <DLE>ETX OK                              < <DLE>1
    > AT+VLS=0                                         > <DLE>CAN <DLE>ETX
    < OK                                               < OK
    > ATH                                              > AT+VRX
    < OK                                               < CONNECT samples
    > AT+FCLASS=0                                      > <DLE>!
    < OK                                               < <DLE>ETX OK
"""

from __future__ import annotations

from typing import ClassVar

from .simulated import SimModem


class Conexant(SimModem):
    """A CX93001 dongle with firmware V0.2013. +VTR=? would be ERROR though +VTR works; keys are framed, and reported
    again while they are held; what is played comes back 14 dB down."""

    identity: ClassVar = {"ATI0": "56000", "ATI3": "CX93001-EIS_V0.2013-V92", "AT+FMI?": "CONEXANT"}
    codecs: ClassVar = {
        0: ('0,"SIGNED PCM",8,0,8000,0,0', "signed"),
        1: ('1,"UNSIGNED PCM",8,0,8000,0,0', "unsigned"),
        129: ('129,"IMA ADPCM",4,0,8000,0,0', ""),
        130: ('130,"UNSIGNED PCM",8,0,8000,0,0', "unsigned"),
        131: ('131,"Mu-Law",8,0,8000,0,0', "mu-law"),
        132: ('132,"A-Law",8,0,8000,0,0', "a-law"),
        133: ('133,"14 bit PCM",14,0,8000,0,0', ""),
    }
    codec_arguments = 4
    duplex = True
    duplex_ends = b"^"
    frames_keys = True
    reports_busy = False  # it should, and sometimes does not
    echo = 0.2


class ConexantHalf(Conexant):
    """The same with a firmware that has no +VTR."""

    duplex = False
    reports_busy = True


class Usr5637(SimModem):
    """The line's sound reaches a recording only with +VLS=5; it says "handset lifted" of its own lifting; a key is one
    report; +VTS takes pairs of frequencies, and ignores digits in silence."""

    identity: ClassVar = {"ATI0": "5601", "ATI3": "U.S. Robotics 56K FAX USB V1.2.23", "AT+FMI?": "U.S. Robotics"}
    codecs: ClassVar = {
        128: ('128,"8-BIT LINEAR",(7200,8000,11025)', "unsigned"),
        129: ('129,"16-BIT LINEAR",(7200,8000,11025)', ""),
        130: ('130,"8-BIT ALAW",(8000)', "a-law"),
        131: ('131,"8-BIT ULAW",(8000)', "mu-law"),
        132: ('132,"IMA ADPCM",(8000)', ""),
    }
    records_on = (5,)
    lift_report = b"H"
    curly_tones = False


class GenericV253(SimModem):
    """Numbers as V.253 has them, answers to nothing but the standard."""

    identity: ClassVar = {"ATI0": "288", "ATI3": "V.253 voice modem"}
    codecs: ClassVar = {
        0: ('0,"SIGNED PCM",16,0,(8000),(127-129),(0-255)', ""),
        5: ('5,"A-Law Companded PCM",8,0,(8000),(127-129),(0-255)', "a-law"),
    }


FIRMWARE: dict[str, type[SimModem]] = {
    "conexant": Conexant,
    "conexant-half": ConexantHalf,
    "usr5637": Usr5637,
    "generic": GenericV253,
}

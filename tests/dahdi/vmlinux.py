"""vmlinuz FROM, vmlinux TO: unpacked here once, so that the machine in software need not do it at every start."""

import lzma
import sys
from pathlib import Path

packed = Path(sys.argv[1]).read_bytes()
start = packed.find(b"\xfd7zXZ\x00")
if start < 0:
    sys.exit(f"{sys.argv[1]} has no xz payload: not the kernel of Debian 12")
Path(sys.argv[2]).write_bytes(lzma.LZMADecompressor().decompress(packed[start:]))

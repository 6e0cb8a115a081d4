#!/bin/bash
# usage: run.sh FOLDER OUT COMMAND [ARGUMENT...]
#
# Runs a command as root in the virtual machine that prepare.sh has put into FOLDER. It sees this machine's files
# read-only at the same paths, and OUT as $OUT, where it may write; its exit status becomes ours. Files named in OUT/files,
# a path a line, are carried along, which makes them fast.
#
# Time is virtual: a nanosecond an instruction, and idle time is skipped. So it is the same on any host, however busy,
# and needs no /dev/kvm. The machine must have one processor, or the two times part.
set -euo pipefail
folder=$1 out=$2
shift 2
printf '%q ' "$@" > "$out/command"
rm -f "$out/status"
if [ -f "$out/files" ]; then tar -C / -c -f "$out/files.tar" --dereference --verbatim-files-from -T "$out/files"; fi
timeout "${LIMIT:-1500}" qemu-system-x86_64 -M q35 -accel tcg,thread=single -icount shift=0,sleep=off -rtc clock=vm -cpu max \
    -smp 1 -m 1024 -nodefaults -nographic -no-reboot -net none -serial stdio \
    -kernel "$folder/vmlinux" -initrd "$folder/initrd.img" \
    -append "console=ttyS0 panic=-1 quiet mitigations=off tsc=reliable random.trust_cpu=on" \
    -fsdev local,id=r,path=/,security_model=none,readonly=on,multidevs=remap \
    -device virtio-9p-pci,fsdev=r,mount_tag=host \
    -fsdev "local,id=o,path=${out//,/,,},security_model=none" -device virtio-9p-pci,fsdev=o,mount_tag=out < /dev/null
[ -f "$out/status" ] || { echo "The virtual machine ended before its command did." >&2; exit 124; }
exit "$(cat "$out/status")"

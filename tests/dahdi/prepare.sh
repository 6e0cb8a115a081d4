#!/bin/bash
# usage: prepare.sh FOLDER
#
# Fills FOLDER with a telephone exchange in software: Debian's kernel, its unmodified DAHDI source built into modules
# for that kernel, dahdi_cfg, and DAHDI's header. Packages are downloaded (about 90 MB, once) and unpacked, none is
# installed; 70 MB are kept. Needs no root. A second run finds everything in place, unless the recipe has changed.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
recipe=$(cat "$here/prepare.sh" "$here/init" "$here/vmlinux.py" "$here/system.conf" | sha256sum | cut -c1-64)
mkdir -p "$1"
folder=$(readlink -f "$1")
exec 9> "$folder/lock"
flock 9
if [ "$(cat "$folder/recipe" 2>/dev/null)" = "$recipe" ]; then exit 0; fi
rm -f "$folder/recipe"

fail() { echo "$*" >&2; exit 1; }
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || fail "The DAHDI machine is made from packages of Debian 12 on amd64; this is another system."
for command in gcc-12 make cpio gzip qemu-system-x86_64; do
    command -v $command > /dev/null || fail "$command is missing: make system-test installs what the DAHDI machine needs."
done

# Paths with spaces or colons are no place for building a kernel module, and a checkout may lie anywhere.
work=$(mktemp -d /tmp/dahdi-vm.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/packages" "$work/lists" "$work/cache" "$work/tree"
cd "$work/packages"

own=()  # options of apt for package lists of our own
depends() { apt-cache "${own[@]}" depends "$1" | sed -n 's/^ *Depends: \([a-z0-9].*\)$/\1/p'; }
download() {
    version=$(depends linux-image-amd64 | sed -n 's/^linux-image-//p' | head -1)
    [ -n "$version" ] && apt-get "${own[@]}" -q -o APT::Sandbox::User= download "linux-image-$version" \
        "linux-headers-$version" $(depends "linux-headers-$version") dahdi-dkms dahdi libtonezone2.0 busybox-static
}
if ! download > "$work/log" 2>&1; then  # the lists may be old or missing, and only root can renew the system's
    own=(-o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=)
    { apt-get "${own[@]}" -q update && download; } >> "$work/log" 2>&1 || { tail -20 "$work/log" >&2
        fail "Debian's packages for the DAHDI machine cannot be downloaded (above): it needs the network once."; }
fi
for package in *.deb; do
    case $package in
        linux-image-*) dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work/tree" --wildcards './boot/vmlinuz*' \
            './lib/modules/*/kernel/drivers/virtio' './lib/modules/*/kernel/fs/9p' './lib/modules/*/kernel/fs/netfs' \
            './lib/modules/*/kernel/fs/fscache' './lib/modules/*/kernel/fs/overlayfs' './lib/modules/*/kernel/net/9p' \
            './lib/modules/*/kernel/lib' ;;
        *) dpkg -x "$package" "$work/tree" ;;
    esac
done

# The modules that need no hardware, against headers that are unpacked and not installed.
headers=$work/tree/usr/src/linux-headers-$version
echo "include ${headers%-amd64}-common/Makefile" > "$headers/Makefile"
source=$(echo "$work"/tree/usr/src/dahdi-*)
sources=$source/drivers/dahdi
cat > "$sources/Kbuild" << 'EOF'
obj-m := dahdi.o dahdi_dynamic.o dahdi_dynamic_loc.o dahdi_echocan_mg2.o
dahdi-objs := dahdi-base.o dahdi-sysfs.o dahdi-sysfs-chan.o dahdi-version.o
CFLAGS_MODULE += -I$(DAHDI_INCLUDE) -I$(src) -DHAVE_WAIT_FOR_COMPLETION_TIMEOUT=1
EOF
make -C "$headers" M="$sources" DAHDI_INCLUDE="$source/include" -j"$(nproc)" modules > "$work/log" 2>&1 || {
    tail -30 "$work/log" >&2; fail "The DAHDI modules cannot be built (above)."; }

# An initial file system: busybox, and the modules in the order in which they are loaded: what files need, and DAHDI.
initrd=$work/initrd
mkdir -p "$initrd"/{bin,modules,dahdi,proc,sys,dev,host,out,carried,whole}
cp "$work/tree/bin/busybox" "$initrd/bin/busybox"
install -m 755 "$here/init" "$initrd/init"
add() {  # to folder, module, options
    strip --strip-debug -o "$initrd/$1/$(basename "$2")" "$2"
    echo "$(basename "$2")${3:+ $3}" >> "$initrd/$1/order"
}
for module in drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_legacy_dev \
        drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci fs/netfs/netfs fs/fscache/fscache \
        net/9p/9pnet net/9p/9pnet_virtio fs/9p/9p fs/overlayfs/overlay lib/crc-ccitt; do
    path=$work/tree/lib/modules/$version/kernel/$module.ko
    if [ -f "$path" ]; then add modules "$path"; fi  # else this kernel has it built in
done
add dahdi "$sources/dahdi.ko" auto_assign_spans=1  # Debian's default waits for a command that gives spans their channels
for module in dahdi_echocan_mg2 dahdi_dynamic dahdi_dynamic_loc; do add dahdi "$sources/$module.ko"; done

cp "$work/tree/usr/sbin/dahdi_cfg" "$work/tree/usr/lib/x86_64-linux-gnu/libtonezone.so.2.0" "$here/system.conf" "$initrd/dahdi/"

cd "$initrd"
find . | cpio --quiet -o -H newc | gzip -6 > "$folder/initrd.img"
python3 "$here/vmlinux.py" "$work/tree/boot/vmlinuz-$version" "$folder/vmlinux"
rm -rf "$folder/include"
cp -r "$source/include" "$folder/include"
echo "$recipe" > "$folder/recipe"

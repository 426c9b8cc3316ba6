#!/bin/sh
# Build the guest's initramfs as an ordinary user: busybox from Debian, our
# static programs, our init.
#
#   guest/build.sh [BUILD]      BUILD/guest/initramfs.cpio.gz (BUILD: as configured)
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(sed -n 's/^BUILD=//p' "$top/config.mak" 2>/dev/null || true)
out=${1:-${build:-$top/build}}/guest
CC=${CC:-gcc}
CFLAGS="-std=gnu11 -O2 -g0 -Wall -Wextra -Werror -I$top/include -I$top/guest/prog"

die() {
	echo "guest/build.sh: $1" >&2
	exit 1
}

busybox=$(command -v busybox || true)
[ -n "$busybox" ] || die "busybox is missing: apt install busybox-static"
if ldd "$busybox" >/dev/null 2>&1; then
	die "$busybox is not static: apt install busybox-static"
fi
command -v "$CC" >/dev/null || die "$CC is missing: apt install gcc libc6-dev"

mkdir -p "$out"
log=$out/build.log
: >"$log"
compile() { # NAME SOURCE...: one static program
	name=$1
	shift
	# shellcheck disable=SC2086
	"$CC" $CFLAGS -static -o "$out/$name" "$@" -lpthread >>"$log" 2>&1 || {
		tail -20 "$log" >&2
		die "$name does not compile, log: $log"
	}
}

cd "$top/guest/prog"
compile host host.c
compile frames frames.c
compile bench-io bench-io.c
compile iommufd iommufd.c
compile perf-count perf-count.c
compile adi adi.c adi-*.c
applets=$("$out/adi" --list)

{
	for dir in bin sbin etc dev proc sys tmp run run/boot root mnt lib tests; do
		echo "dir /$dir 0755"
	done
	echo "nod /dev/console 0600 c 5 1"
	echo "nod /dev/null 0666 c 1 3"
	echo "file /init $top/guest/init 0755"
	echo "file /bin/busybox $busybox 0755"
	"$busybox" --list | sed 's,.*,slink /bin/& busybox,' | grep -v 'slink /bin/busybox '
	echo "file /bin/wait_gone $top/guest/wait_gone 0755"
	echo "file /bin/lspci $top/guest/lspci 0755"
	echo "file /bin/host $out/host 0755"
	echo "file /bin/frames $out/frames 0755"
	echo "file /bin/iommufd $out/iommufd 0755"
	echo "file /bin/perf-count $out/perf-count 0755"
	echo "file /bin/adi $out/adi 0755"
	for applet in $applets; do
		echo "slink /bin/$applet adi"
	done
} >"$out/initramfs.list"
/usr/bin/python3 "$top/guest/cpio.py" "$out/initramfs.cpio.gz.new" "$out/initramfs.list"
mv "$out/initramfs.cpio.gz.new" "$out/initramfs.cpio.gz"
echo "$out/initramfs.cpio.gz"

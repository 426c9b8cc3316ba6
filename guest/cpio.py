"""Write initramfs archives (cpio "newc") as an ordinary user, device nodes included.

Run as a program:  cpio.py OUT.cpio.gz LIST
where LIST has one entry a line, as the kernel's gen_init_cpio takes them:

    dir NAME MODE | file NAME SOURCE MODE | slink NAME TARGET | nod NAME MODE b|c MAJOR MINOR

SPDX-License-Identifier: GPL-2.0-or-later
"""
import gzip
import stat
import sys


class Archive:
    def __init__(self):
        self._parts = []
        self._inode = 0
        self._dirs = set()

    def _add(self, name, mode, data=b"", device=(0, 0)):
        self._inode += 1
        path = name.lstrip("/").encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        header = b"070701" + b"".join(b"%08X" % f for f in fields)
        for part in (header + path, data):
            self._parts.append(part + b"\0" * (-len(part) % 4))

    def dir(self, name, mode=0o755):
        if name not in self._dirs:
            self._dirs.add(name)
            self._add(name, stat.S_IFDIR | mode)

    def parents(self, name):
        """The directories above @name, as far as they are not there yet."""
        steps = name.strip("/").split("/")[:-1]
        for n in range(len(steps)):
            self.dir("/" + "/".join(steps[:n + 1]))

    def file(self, name, data, mode=0o644):
        self._add(name, stat.S_IFREG | mode, data)

    def slink(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def nod(self, name, mode, kind, major, minor):
        kind_bit = stat.S_IFCHR if kind == "c" else stat.S_IFBLK
        self._add(name, kind_bit | mode, device=(major, minor))

    def bytes(self):
        end = Archive()
        end._add("TRAILER!!!", 0)
        data = b"".join(self._parts + end._parts)
        return data + b"\0" * (-len(data) % 512)


def add_line(archive, line):
    words = line.split()
    kind, name = words[0], words[1]
    if kind == "dir":
        archive.dir(name, int(words[2], 8))
    elif kind == "file":
        with open(words[2], "rb") as source:
            archive.file(name, source.read(), int(words[3], 8))
    elif kind == "slink":
        archive.slink(name, words[2])
    elif kind == "nod":
        archive.nod(name, int(words[2], 8), words[3], int(words[4]), int(words[5]))
    else:
        raise ValueError("unknown entry: " + line)


def main(out, listing):
    archive = Archive()
    with open(listing, encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                add_line(archive, line)
    with open(out, "wb") as f:
        f.write(gzip.compress(archive.bytes(), compresslevel=6, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])

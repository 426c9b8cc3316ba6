"""Which kernel to boot: from what a user typed to a bootable file and its modules.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import lzma
import os
import re
import struct
import subprocess
import sys


class Mistake(Exception):
    """The user can correct this: the text says what is wrong and what to do."""


TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def build_folder():
    """Where ./configure was told to build."""
    if os.environ.get("VTD_SM_BUILD"):
        return os.environ["VTD_SM_BUILD"]
    try:
        with open(os.path.join(TOP, "config.mak"), encoding="utf-8") as config:
            for line in config:
                if line.startswith("BUILD=") and line.strip() != "BUILD=":
                    return line.strip()[len("BUILD="):]
    except FileNotFoundError:
        pass
    return os.path.join(TOP, "build")


BUILD = build_folder()

DEBIAN_KERNELS = ("5.10", "6.1", "6.12", "7.2")

# What a distribution's kernel needs loaded to use the platform's devices.
MODULES = """virtio_pci virtio_blk virtio_net virtio_console virtio_rng nvme e1000e
9pnet_virtio 9p af_packet failover vfio vfio_iommu_type1 vfio_pci mdev edu""".split()


class Kernel:
    def __init__(self, image, module_dir=None, vmlinux=None):
        self.image = image
        self.module_dir = module_dir
        self.vmlinux = vmlinux


def kernel_find(name):
    """@name: 6.12, debian, debian-6.1, a kernel's file, or a tree in which one was built."""
    if name == "debian":
        return debian_kernel("6.12")
    if name.startswith("debian-"):
        return debian_kernel(name[len("debian-"):])
    if re.fullmatch(r"\d+\.\d+", name) and not os.path.exists(name):
        return built_kernel(name)
    if not os.path.exists(name):
        raise Mistake(f"--kernel {name}: no such file, and not a version (6.12), 'debian', or a kernel tree")
    if os.path.isdir(name):
        return tree_kernel(name)
    image_check(name)
    return Kernel(name)


def last_line(command):
    """Run @command; all lines but its last are for the user.  None if it failed."""
    last = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout:
            if last is not None:
                print(last, file=sys.stderr, flush=True)
            last = line.rstrip("\n")
    return last if process.returncode == 0 else None


def built_kernel(version):
    image = last_line(["make", "-s", "--no-print-directory", "-C", TOP, "kernel", f"KERNEL={version}"])
    if not image:
        raise Mistake(f"`make kernel KERNEL={version}` failed; the lines above say why")
    image_check(image)
    vmlinux = os.path.join(os.path.dirname(image), "vmlinux")
    return Kernel(image, vmlinux=vmlinux if os.path.exists(vmlinux) else None)


def tree_kernel(tree):
    image = os.path.join(tree, "arch/x86/boot/bzImage")
    if not os.path.exists(image):
        raise Mistake(f"--kernel {tree}: no kernel was built in this folder (no arch/x86/boot/bzImage); "
                      f"build one: make -C {tree} bzImage")
    image_check(image)
    vmlinux = os.path.join(tree, "vmlinux")
    return Kernel(image, vmlinux=vmlinux if os.path.exists(vmlinux) else None)


def image_check(path):
    """QEMU takes a bzImage or an ELF file with a PVH entry."""
    try:
        with open(path, "rb") as image:
            head = image.read(0x1000)
            is_pvh = elf_has_pvh_note(image, head)
    except OSError as e:
        raise Mistake(f"--kernel {path}: {e.strerror}") from e
    except struct.error:
        is_pvh = False
    is_bzimage = head[0x1fe:0x200] == b"\x55\xaa" and head[0x202:0x206] == b"HdrS"
    if not (is_bzimage or is_pvh):
        raise Mistake(f"--kernel {path}: not an x86 kernel (neither a bzImage nor a vmlinux with CONFIG_PVH); "
                      "in a kernel tree the file is arch/x86/boot/bzImage")


def elf_has_pvh_note(image, head):
    """The note of Xen's that names the entry point."""
    if head[:5] != b"\x7fELF\x02" or head[18:20] != b"\x3e\0":
        return False
    phoff, = struct.unpack_from("<Q", head, 0x20)
    phentsize, phnum = struct.unpack_from("<HH", head, 0x36)
    for n in range(phnum):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", head, phoff + n * phentsize)
        if kind == 4:
            image.seek(offset)
            if struct.pack("<I", 18) + b"Xen\0" in image.read(min(size, 1 << 16)):
                return True
    return False


def debian_kernel(version):
    """An unmodified kernel of Debian's, got once and kept in the cache."""
    if version not in DEBIAN_KERNELS:
        raise Mistake(f"--kernel debian-{version}: must be one of {', '.join('debian-' + v for v in DEBIAN_KERNELS)}")
    root = last_line([os.path.join(TOP, "scripts/fetch"), f"linux-image-{version}-amd64"])
    if not root:
        raise Mistake("the Debian kernel could not be got; the lines above say why")
    for modules in ("usr/lib/modules", "lib/modules"):
        for release in sorted(os.listdir(os.path.join(root, modules)) if os.path.isdir(os.path.join(root, modules)) else []):
            folder = os.path.join(root, modules, release)
            for image in (os.path.join(root, "boot", "vmlinuz-" + release), os.path.join(folder, "vmlinuz")):
                if os.path.exists(image):
                    return Kernel(image, folder)
    raise Mistake(f"{root}: the package holds no kernel with its modules")


# ---- Modules: what to load, in which order ------------------------------------


def module_name(filename):
    return re.sub(r"\.ko(\.xz)?$", "", os.path.basename(filename)).replace("-", "_")


def modules_index(folder):
    index = {}
    for where, _, files in os.walk(folder):
        for name in files:
            if re.search(r"\.ko(\.xz)?$", name):
                index[module_name(name)] = os.path.join(where, name)
    return index


def module_read(path):
    with open(path, "rb") as f:
        data = f.read()
    return lzma.decompress(data) if path.endswith(".xz") else data


def section_read(elf, wanted):
    """The bytes of the section called @wanted of a 64-bit little-endian ELF file."""
    shoff, = struct.unpack_from("<Q", elf, 0x28)
    shentsize, shnum, shstrndx = struct.unpack_from("<HHH", elf, 0x3a)
    headers = [struct.unpack_from("<IIQQQQ", elf, shoff + n * shentsize) for n in range(shnum)]
    names = headers[shstrndx][4]
    for name, _, _, _, offset, size in headers:
        end = elf.index(b"\0", names + name)
        if elf[names + name:end] == wanted:
            return elf[offset:offset + size]
    return b""


def module_depends(data):
    for item in section_read(data, b".modinfo").split(b"\0"):
        for key in (b"depends=", b"softdep=pre: "):
            if item.startswith(key):
                yield from (n.replace("-", "_") for n in re.split(r"[ ,]", item[len(key):].decode()) if n)


def modules_ordered(folder, wanted):
    """(file name, content) of @wanted and all they need, each after what it needs."""
    index = modules_index(folder)
    done = {}

    def visit(name):
        if name in done or name not in index:
            return
        done[name] = None
        data = module_read(index[name])
        for other in module_depends(data):
            visit(other)
        del done[name]
        done[name] = (name + ".ko", data)

    for name in wanted:
        visit(name.replace("-", "_"))
    return list(done.values())

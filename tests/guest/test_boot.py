"""./boot: what a user types and what comes back.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import subprocess
import tempfile

from harness import Group
from kernels import TOP

cli = Group("boot", None, needs_guest=False)
GROUPS = [cli]


def boot(case, *args, timeout=120):
    command = [os.path.join(TOP, "boot"), "--kernel", case.options.kernel, "--timeout", "100", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL)


def refuses(case, words, *args):
    result = boot(case, *args)
    case.check(result.returncode in (2, 125), f"status {result.returncode}")
    case.check(not result.stdout, result.stdout)
    for word in words:
        case.check(word in result.stderr, f"'{word}' is not in: {result.stderr}")
    case.check("Traceback" not in result.stderr, result.stderr)


@cli.test
def exit_status(case):
    """a command's exit status is boot's, its output is on stdout alone, and nothing of the kernel's"""
    result = boot(case, "--", "echo out; echo err >&2; exit 42")
    case.equal(result.returncode, 42, "status")
    case.equal(result.stdout, "out\n", "stdout")
    case.equal(result.stderr, "err\n", "stderr")


@cli.test
def signal_status(case):
    """a command that a signal ends gives 128 + its number"""
    case.equal(boot(case, "--", "kill -9 $$").returncode, 137, "status")


@cli.test
def binary_output(case):
    """a megabyte of output arrives byte for byte"""
    command = [os.path.join(TOP, "boot"), "--kernel", case.options.kernel, "--", "seq 1 150000"]
    out = subprocess.run(command, capture_output=True, timeout=120, check=False).stdout
    case.check(out == "".join(f"{n}\n" for n in range(1, 150001)).encode(), f"{len(out)} bytes")


@cli.test
def arguments_kept(case):
    """several words are a program and its arguments, unchanged"""
    case.equal(boot(case, "--", "printf", "[%s]", "a b", "$HOME", "'").stdout, "[a b][$HOME][']", "stdout")


@cli.test
def timeout_ends(case):
    """a hung guest is ended by --timeout and shown with the end of its log"""
    result = boot(case, "--timeout", "15", "--", "sleep 1000")
    case.equal(result.returncode, 124, "status")
    case.check("15 s are over" in result.stderr and "Run /init" in result.stderr, result.stderr)


@cli.test
def panic_shown(case):
    """a panic ends the guest, and its log is shown"""
    result = boot(case, "--", "echo c >/proc/sysrq-trigger")
    case.equal(result.returncode, 125, "status")
    case.check("Kernel panic" in result.stderr, result.stderr)


@cli.test
def append_wins(case):
    """--append comes last on the kernel's command line"""
    line = boot(case, "--append", "iommu.strict=0 hello", "--", "cat /proc/cmdline").stdout
    case.check("intel_iommu=on,sm_on iommu.strict=1" in line and line.endswith("iommu.strict=0 hello\n"), line)


@cli.test
def disk_seen(case):
    """--disk is a virtio disk behind the IOMMU"""
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(b"hello disk" + bytes(1 << 20))
        disk.flush()
        result = boot(case, "--disk", disk.name, "--", "head -c 10 /dev/vda")
        case.equal(result.stdout, "hello disk", "stdout")


@cli.test
def folder_shared(case):
    """--share is a folder of the host at /mnt/host"""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "question"), "w", encoding="utf-8") as f:
            f.write("42\n")
        result = boot(case, "--share", folder, "--", "cp /mnt/host/question /mnt/host/answer")
        case.equal(result.returncode, 0, result.stderr)
        with open(os.path.join(folder, "answer"), encoding="utf-8") as f:
            case.equal(f.read(), "42\n")


@cli.test
def wrong_kernel(case):
    """a file that is no kernel is refused, with what to give instead"""
    refuses(case, ["not an x86 kernel", "bzImage"], "--kernel", "/bin/sh", "--", "true")


@cli.test
def elf_program(case):
    """a text file is refused as a kernel"""
    refuses(case, ["not an x86 kernel"], "--kernel", os.path.join(TOP, "COPYING"), "--", "true")


@cli.test
def missing_kernel(case):
    """a kernel that is not there is refused, with what can be given"""
    refuses(case, ["no such file", "6.12", "debian"], "--kernel", "/nonexistent", "--", "true")


@cli.test
def unbuilt_tree(case):
    """a folder without a built kernel is refused, with how to build one"""
    refuses(case, ["bzImage", "make -C"], "--kernel", "/tmp", "--", "true")


@cli.test
def adis_zero(case):
    """--adis 0 is refused, with the range"""
    refuses(case, ["1 to 1023"], "--adis", "0", "--", "true")


@cli.test
def adis_too_many(case):
    """--adis 1024 is refused, with the range"""
    refuses(case, ["1 to 1023"], "--adis", "1024", "--", "true")


@cli.test
def iommu_unknown(case):
    """an unknown --iommu is refused, with those there are"""
    refuses(case, ["sm-off", "upstream", "none"], "--iommu", "amd", "--", "true")


@cli.test
def command_missing(case):
    """nothing after -- is refused"""
    refuses(case, ["nothing after --"], "--")


@cli.test
def qemu_refusal(case):
    """what QEMU itself refuses is passed on in its words"""
    refuses(case, ["no-such-device"], "--qemu-arg=-device", "--qemu-arg=no-such-device", "--", "true")


@cli.test
def not_built(case):
    """without a built simulator it says what to run"""
    command = [os.path.join(TOP, "boot"), "--kernel", case.options.kernel, "--", "true"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                            env={**os.environ, "VTD_SM_QEMU": "/nonexistent"})
    case.equal(result.returncode, 125, "status")
    case.check("make qemu" in result.stderr, result.stderr)


@cli.test
def help_has_examples(case):
    """--help has examples"""
    result = boot(case, "--help")
    case.check(result.returncode == 0 and "examples:" in result.stdout, result.stdout)

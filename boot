#!/usr/bin/python3
"""Boot a kernel on the simulated platform: a shell, or a command and its exit status.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import argparse
import os
import shlex
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "guest"))

import kernels  # noqa: E402
import vm  # noqa: E402

EPILOG = """
examples:
  ./boot                                        a shell in the patched 6.12 kernel, 16 ADIs
  ./boot -- adi-copy                            run one command, exit with its status
  ./boot -- 'dmesg | grep -i dmar'              the command goes to the guest's shell
  ./boot --append iommu.strict=0 -- dmesg       later words of the command line win
  ./boot --kernel ~/linux -- uname -r           the kernel built in that tree
  ./boot --unit profile=spr -- dmesg            a unit as Sapphire Rapids has it
  ./boot --kernel debian-6.1 --iommu sm-off     Debian's own kernel, legacy mode
  ./boot --disk disk.img --share . -- ls /mnt/host
  ./boot --gdb                                  waits for gdb; the next step is printed
  ./boot --qemu-arg=-device --qemu-arg=edu -- lspci
  ./boot --verbose -- true                      the kernel's log on standard error

Output of CMD goes to standard output and standard error as it does in the guest;
its standard input is empty. The exit status is CMD's, or that of the shell:
  124  the time of --timeout is over
  125  the guest could not be started, or ended before CMD did
Programs in the guest that drive ADIs: adi-copy, adi-wild, adi-unmap, adi-hold,
adi-many, adi-churn, adi-twin, adi-sva, adi-bench; adi-sh and adi-ask to drive one by hand.
"""


def parse(argv):
    argv, command = (argv[:argv.index("--")], argv[argv.index("--") + 1:]) if "--" in argv else (argv, None)
    parser = argparse.ArgumentParser(
        prog="./boot", usage="./boot [options] [-- CMD]", description=__doc__.splitlines()[0], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    add = parser.add_argument
    add("--kernel", default="6.12", metavar="WHICH",
        help="6.12 (patched, built by `make kernel`), debian (Debian's own 6.12), debian-5.10, -6.1 or -7.2, "
             "a bzImage or vmlinux, or a kernel tree")
    add("--append", default="", metavar="WORDS", help="more words for the kernel's command line")
    add("--adis", type=int, default=16, metavar="N", help="ADIs of the device, 1 to 1023 (16)")
    add("--adi", default="", metavar="PROPS", help="other properties of the device: ats=on,pri=on")
    add("--no-adi", action="store_true", help="a machine without the ADI device")
    add("--behind-port", action="store_true", help="put the device behind a root port")
    add("--iommu", default="sm", choices=list(vm.IOMMUS),
        help="intel-iommu-sm in scalable mode (sm) or legacy mode (sm-off), QEMU's own intel-iommu, or none")
    add("--unit", default="", metavar="PROPS",
        help="properties of intel-iommu-sm: profile=spr, fs=off,ats=on and the like (QEMU's -device intel-iommu-sm,help)")
    add("--initrd", metavar="FILE", help="this initramfs instead of ours; its console is the terminal")
    add("--modules", metavar="DIR", help="a kernel's modules (lib/modules/VERSION): those for the devices are loaded")
    add("--disk", action="append", default=[], metavar="FILE", help="a raw image as virtio disk; may be repeated")
    add("--share", metavar="DIR", help="a folder of the host, seen at /mnt/host")
    add("--memory", default="1G", metavar="SIZE", help="(1G)")
    add("--cpus", type=int, default=2, metavar="N", help="(2)")
    add("--gdb", action="store_true", help="wait for gdb on port 1234 before the first instruction")
    add("--kvm", action="store_true", help="use /dev/kvm instead of emulation")
    add("--timeout", type=float, metavar="S", help="end the guest after S seconds")
    add("--log", metavar="FILE", help="keep the kernel's log here")
    add("--verbose", action="store_true", help="the kernel's log on standard error")
    add("--qemu-arg", action="append", default=[], metavar="ARG", help="one more argument for QEMU; may be repeated")
    add("--show", action="store_true", help="print QEMU's command line, do not run it")
    args = parser.parse_args(argv)
    if command == []:
        parser.error("nothing after --: give a command, or leave -- out for a shell")
    if args.initrd and command:
        parser.error("--initrd with a command: only our own initramfs knows how to run it; leave one of them out")
    if args.timeout is not None and args.timeout <= 0:
        parser.error(f"--timeout {args.timeout}: must be more than 0 seconds")
    if args.cpus < 1:
        parser.error(f"--cpus {args.cpus}: must be at least 1")
    return args, command


def machine_of(args, command):
    """What is wrong with the other options is said before a kernel is built for minutes."""
    if args.modules and not os.path.isdir(args.modules):
        raise kernels.Mistake(f"--modules {args.modules}: no such folder")
    machine = vm.Machine(
        kernel=None, initrd=args.initrd, append=args.append, iommu=args.iommu, unit=args.unit,
        adis=None if args.no_adi else args.adis,
        adi=args.adi,
        adi_behind_port=args.behind_port, memory=args.memory, cpus=args.cpus, kvm=args.kvm, gdb=args.gdb,
        disks=args.disk, share=args.share, qemu_args=args.qemu_arg)
    machine.check()
    machine.kernel = kernels.kernel_find(args.kernel)
    if args.modules:
        machine.kernel.module_dir = args.modules
    if command:
        # One word is a line for the shell; several are a program and its arguments.
        line = command[0] if len(command) == 1 else shlex.join(command)
        machine.files["/run/boot/cmd"] = (f"#!/bin/sh\n{line}\n".encode(), 0o755)
    else:
        size = shutil.get_terminal_size()
        term = shlex.quote(os.environ.get("TERM", "vt100"))
        machine.files["/run/boot/tty"] = (f"ROWS={size.lines} COLS={size.columns} TERM={term}\n".encode(), 0o644)
    return machine


def log_follow(guest, stopped):
    """Copy the kernel's log to standard error while it grows."""
    seen = 0
    while True:
        last = stopped.is_set()
        text = guest.log()
        if len(text) > seen:
            sys.stderr.write(text[seen:])
            sys.stderr.flush()
            seen = len(text)
        if last:
            return
        time.sleep(0.1)


def output(kind, data):
    stream = sys.stdout if kind == "O" else sys.stderr
    try:
        stream.buffer.write(data)
        stream.flush()
    except BrokenPipeError:
        os._exit(141)


def gdb_hint(kernel):
    symbols = kernel.vmlinux or "vmlinux"
    print(f"waiting for gdb: gdb {symbols} -ex 'target remote :1234' -ex continue", file=sys.stderr)


def guest_run(guest, args, command):
    """The exit status of the command or shell."""
    stopped = threading.Event()
    follower = threading.Thread(target=log_follow, args=(guest, stopped))
    if args.gdb:
        gdb_hint(guest.machine.kernel)
    if args.verbose:
        follower.start()
    try:
        return guest.wait(args.timeout, output if command else None)
    except vm.GuestFailure as failure:
        if not command and guest.process.poll() == 0:
            return 0
        timed_out = guest.process.poll() is None
        what = f"{args.timeout:g} s are over" if timed_out else str(failure)
        print(f"./boot: {what}", file=sys.stderr)
        if not args.verbose and guest.log():
            print("The end of the kernel's log:\n" + guest.log_tail(), file=sys.stderr)
        return 124 if timed_out else 125
    finally:
        stopped.set()
        if args.verbose:
            follower.join()


def main(argv):
    args, command = parse(argv)
    try:
        machine = machine_of(args, command)
        if args.show:
            initrd = args.initrd or vm.initramfs_find()
            print(shlex.join(machine.qemu_command(initrd) + ["-serial", "mon:stdio"]))
            return 0
        with vm.Guest(machine, "cmd" if command else "tty", args.log) as guest:
            return guest_run(guest, args, command)
    except (kernels.Mistake, OSError) as mistake:
        print(f"./boot: {mistake}", file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

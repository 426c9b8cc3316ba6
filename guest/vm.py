"""A guest on the simulated platform: QEMU's command line, and a running guest to talk to.

A `Machine` says what to boot on what; `Guest(machine)` starts it.  Three lines
connect host and guest, none of which needs more than a UART and an I/O port:

    ttyS0       the kernel's log, into a file
    ttyS1       a terminal, or the commands for the guest's agent
    port 0xe9   output, error output and exit statuses, as frames (guest/prog/host.c)

and one connects to QEMU: QMP, for what the simulator itself has seen.

    with Guest(Machine(kernel)) as guest:
        result = guest.sh("ls /dev/vfio")
        print(result.status, result.out, guest.qmp("query-status"))

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import queue
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field

import cpio
import kernels
from kernels import BUILD, TOP, Mistake

FIRMWARE = ["/usr/share/seabios", "/usr/share/qemu", "/usr/lib/ipxe/qemu"]
ADI_MAX = 1023
DEATHS = ("Kernel panic", "BUG:", "Oops:", "WARNING:")

# --iommu: the device on QEMU's command line, and what the kernel is told.
IOMMUS = {
    "sm": (["-device", "intel-iommu-sm,id=iommu0"], "intel_iommu=on,sm_on iommu.strict=1"),
    "sm-off": (["-device", "intel-iommu-sm,id=iommu0"], "intel_iommu=on,sm_off iommu.strict=1"),
    "upstream": (["-device", "intel-iommu"], "intel_iommu=on iommu.strict=1"),
    "none": ([], ""),
}


class GuestFailure(Exception):
    """The guest hung, died, or never got so far; the text says which."""


@dataclass
class Machine:
    kernel: kernels.Kernel
    initrd: str = None              # another initramfs instead of ours
    append: str = ""
    iommu: str = "sm"
    unit: str = ""                  # properties of intel-iommu-sm
    adis: int = 16                  # None: no ADI device
    adi_behind_port: bool = False
    adi: str = ""                   # its other properties
    memory: str = "1G"
    cpus: int = 2
    kvm: bool = False
    gdb: bool = False
    disks: list = field(default_factory=list)
    share: str = None
    files: dict = field(default_factory=dict)   # guest path -> (bytes, mode)
    qemu_args: list = field(default_factory=list)

    def check(self):
        if self.iommu not in IOMMUS:
            raise Mistake(f"--iommu {self.iommu}: must be one of {', '.join(IOMMUS)}")
        if self.unit and not self.iommu.startswith("sm"):
            raise Mistake(f"--unit {self.unit}: these are properties of intel-iommu-sm, not of --iommu {self.iommu}")
        if self.adis is not None and not 1 <= self.adis <= ADI_MAX:
            raise Mistake(f"--adis {self.adis}: must be 1 to {ADI_MAX}")
        for path in self.disks + ([self.initrd] if self.initrd else []):
            if not os.path.isfile(path):
                raise Mistake(f"{path}: no such file")
        if self.share and not os.path.isdir(self.share):
            raise Mistake(f"--share {self.share}: no such folder")
        if self.kvm and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise Mistake("--kvm: /dev/kvm is not there or not ours to use; leave --kvm out to emulate")

    def command_line(self):
        """The kernel's: later words win, so the user's come last."""
        # On a busy host the kernel would measure the TSC wrongly, and find that the timer does not work.
        words = ["console=ttyS0,115200", "panic=-1", "oops=panic", "no_timer_check", "tsc=unstable", "printk.time=1",
                 IOMMUS[self.iommu][1]]
        if self.gdb:
            words.append("nokaslr")
        return " ".join(w for w in words + [self.append] if w)

    def iommu_args(self):
        args = list(IOMMUS[self.iommu][0])
        if self.unit:
            args[-1] += "," + self.unit
        return args

    def adi_args(self):
        if self.adis is None:
            return []
        device = f"adi,adis={self.adis},id=adi0"
        if self.adi:
            device += "," + self.adi
        if not self.adi_behind_port:
            return ["-device", device + ",addr=5"]
        return ["-device", "pcie-root-port,id=port0,addr=6,chassis=1,slot=1",
                "-device", device + ",bus=port0"]

    def qemu_command(self, initrd):
        command = [qemu_find(), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
        for folder in FIRMWARE:
            if os.path.isdir(folder):
                command += ["-L", folder]
        if self.kvm:
            command += ["-accel", "kvm", "-cpu", "host", "-M", "q35,kernel-irqchip=split"]
        else:
            command += ["-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35"]
        command += ["-m", self.memory, "-smp", str(self.cpus)]
        command += self.iommu_args() + self.adi_args()
        for n, path in enumerate(self.disks):
            command += ["-drive", f"file={path.replace(',', ',,')},format=raw,if=none,id=disk{n},file.locking=off",
                        "-device", f"virtio-blk-pci,drive=disk{n},iommu_platform=on,disable-legacy=on"]
        if self.share:
            command += ["-fsdev", f"local,id=share,path={self.share.replace(',', ',,')},security_model=none",
                        "-device", "virtio-9p-pci,fsdev=share,mount_tag=host,iommu_platform=on,disable-legacy=on"]
        if self.gdb:
            command += ["-gdb", "tcp:127.0.0.1:1234", "-S"]
        return command + ["-kernel", self.kernel.image, "-initrd", initrd,
                          "-append", self.command_line()] + self.qemu_args


def qemu_find():
    path = os.environ.get("VTD_SM_QEMU", os.path.join(BUILD, "qemu-system-x86_64"))
    if not os.access(path, os.X_OK):
        raise Mistake(f"{path} is missing: run `./configure && make qemu` first")
    if not any(os.path.exists(os.path.join(f, "bios-256k.bin")) for f in FIRMWARE):
        raise Mistake("the firmware bios-256k.bin is missing: apt install seabios qemu-system-data")
    return path


def initramfs_find():
    path = os.path.join(BUILD, "guest/initramfs.cpio.gz")
    if not os.path.exists(path):
        raise Mistake(f"{path} is missing: run `make guest` first")
    return path


def overlay(files, kernel):
    """The archive that is unpacked over ours: what this one boot is about."""
    archive = cpio.Archive()
    if kernel.module_dir:
        names = []
        for name, data in kernels.modules_ordered(kernel.module_dir, kernels.MODULES):
            names.append(f"/lib/modules/{name}\n")
            archive.parents("/lib/modules/x")
            archive.file("/lib/modules/" + name, data)
        files = {"/run/boot/modules": ("".join(names).encode(), 0o644), **files}
    for name, (data, mode) in files.items():
        archive.parents(name)
        archive.file(name, data, mode)
    return archive.bytes()


@dataclass
class Result:
    status: int
    out: str
    err: str


class Guest:
    def __init__(self, machine, mode="agent", log=None):
        """@mode: agent (use sh()), cmd (use wait(), machine.files has the command) or tty."""
        machine.check()
        self.machine = machine
        self.mode = mode
        self.folder = tempfile.mkdtemp(prefix="vtd-sm-")
        self.log_path = log or os.path.join(self.folder, "kernel.log")
        self.errors_path = os.path.join(self.folder, "qemu.err")
        self.process = None
        self._frames = queue.Queue()
        self._qmp = None
        self.started = time.monotonic()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # ---- starting and stopping

    def _initrd_make(self):
        if self.machine.initrd:
            return self.machine.initrd
        files = dict(self.machine.files)
        if self.mode == "agent":
            files["/run/boot/agent"] = (b"", 0o644)
        path = os.path.join(self.folder, "initrd")
        with open(path, "wb") as out, open(initramfs_find(), "rb") as ours:
            shutil.copyfileobj(ours, out)
            out.write(b"\0" * (-out.tell() % 4))
            out.write(overlay(files, self.machine.kernel))
        return path

    def _console_args(self):
        if self.mode != "tty":
            return []
        return ["-chardev", "stdio,id=tty,mux=on,signal=off", "-mon", "chardev=tty,mode=readline"]

    def start(self):
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self):
        command = self.machine.qemu_command(self._initrd_make())
        lines = {"ctl": socket.socketpair(), "qmp": socket.socketpair()}
        if self.mode != "tty":
            lines["tty"] = socket.socketpair()
        for name, (_, theirs) in lines.items():
            command += ["-chardev", f"socket,id={name},fd={theirs.fileno()}"]
        command += self._console_args()
        # A foreign initramfs knows only the first serial port.
        log, tty = ("log", "tty") if not self.machine.initrd else ("tty", "log")
        command += ["-chardev", f"file,id=log,path={self.log_path}",
                    "-serial", f"chardev:{log}", "-serial", f"chardev:{tty}",
                    "-device", "isa-debugcon,iobase=0xe9,chardev=ctl",
                    "-mon", "chardev=qmp,mode=control"]
        self.started = time.monotonic()
        with open(self.errors_path, "wb") as errors:
            self.process = subprocess.Popen(
                command, stderr=errors,
                stdin=None if self.mode == "tty" else subprocess.DEVNULL,
                stdout=None if self.mode == "tty" else subprocess.DEVNULL,
                pass_fds=[theirs.fileno() for _, theirs in lines.values()])
        for _, theirs in lines.values():
            theirs.close()
        self._lines = {name: ours for name, (ours, _) in lines.items()}
        threading.Thread(target=self._frames_read, daemon=True).start()

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- frames

    def _frames_read(self):
        stream = self._lines["ctl"].makefile("rb")
        while len(head := stream.read(5)) == 5:
            kind, length = struct.unpack("<cI", head)
            self._frames.put((kind.decode("latin1"), stream.read(length)))
        self._frames.put(("end", b""))

    def _frame_next(self, deadline):
        try:
            frame = self._frames.get(timeout=max(0, deadline - time.monotonic()) if deadline else None)
        except queue.Empty:
            raise GuestFailure("the guest did not answer in time") from None
        if frame[0] == "end":
            self._frames.put(frame)
            raise GuestFailure(self._death())
        return frame

    def _death(self):
        try:
            status = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return "QEMU closed its end of the line"
        with open(self.errors_path, encoding="utf-8", errors="replace") as errors:
            said = errors.read().strip()
        if said:
            return f"QEMU ended with status {status}: {said}"
        return f"the guest ended without an exit status (QEMU's: {status})"

    # ---- talking to it

    def wait(self, timeout=None, on_frame=None):
        """For mode cmd: until the command has ended; its exit status."""
        deadline = time.monotonic() + timeout if timeout else None
        while True:
            kind, data = self._frame_next(deadline)
            if kind == "X":
                return int(data)
            if on_frame and kind in "OE":
                on_frame(kind, data)

    def ready(self, timeout=60):
        """For mode agent: until the guest takes commands."""
        deadline = time.monotonic() + timeout
        while self._frame_next(deadline)[0] != "R":
            pass
        return self

    def sh(self, command, timeout=60):
        """Run @command in the guest's shell; one line, no newline in it."""
        deadline = time.monotonic() + timeout
        self._lines["tty"].sendall(command.replace("\n", " ; ").encode() + b"\n")
        text = {"O": [], "E": []}
        while True:
            kind, data = self._frame_next(deadline)
            if kind == "X":
                out, err = (b"".join(text[k]).decode(errors="replace") for k in "OE")
                return Result(int(data), out, err)
            if kind in text:
                text[kind].append(data)

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read().replace("\r", "")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=25):
        """Its last lines, and before them what the kernel died of if that is further up."""
        text = self.log().splitlines()
        cause = [line for line in text[:-lines] if any(word in line for word in DEATHS)]
        return "\n".join(cause[:5] + text[-lines:])

    # ---- talking to QEMU

    def _qmp_receive(self):
        while True:
            message = json.loads(self._qmp.readline() or '{"error": {"desc": "QMP closed"}}')
            if "event" not in message:
                return message

    def qmp(self, command, **arguments):
        if not self._qmp:
            self._lines["qmp"].settimeout(20)
            self._qmp = self._lines["qmp"].makefile("rw", encoding="utf-8")
            self._qmp_receive()
            self.qmp("qmp_capabilities")
        self._qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qmp.flush()
        answer = self._qmp_receive()
        if "error" in answer:
            raise GuestFailure(f"QMP {command}: {answer['error']['desc']}")
        return answer["return"]

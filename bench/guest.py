#!/usr/bin/python3
"""What the whole of it costs in a guest: without an IOMMU, with upstream's, and with ours.

    bench/guest.py [--quick] [ROW]...       rows whose name contains a word

Boots the 6.12 kernel in each configuration, one after the other, and runs all
rows there; then all of that again.  So a repetition's values of one place were
taken within about a minute, and whatever disturbs the machine for longer
disturbs all of them.  What is timed happens inside of the guest, by its clock;
only the boot is timed from outside.

One line a measurement, fields separated by tabs: row, what the parameter
counts, parameter, configuration, unit, and a value for each repetition.  What
does not work is said on standard error, with the reason.

Copyright (c) The vtd-sm developers
SPDX-License-Identifier: GPL-2.0-or-later
"""
import argparse
import os
import signal
import sys
import time
from dataclasses import dataclass

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(TOP, "guest"))

import kernels  # noqa: E402
import views  # noqa: E402
import vm  # noqa: E402

BOOT_TIMEOUT = 60
ROW_TIMEOUT = 60
REPETITIONS = 3
ENOUGH = 210            # seconds, after which no repetition begins: a busy host takes two for one
QUICK = 3               # so many times fewer operations


class Wrong(Exception):
    """The guest runs, but what was measured in it is not what the row says."""


# ---- Configurations ------------------------------------------------------------------------

@dataclass(frozen=True)
class Configuration:
    name: str
    iommu: str                  # of vm.IOMMUS
    words: str = ""             # of the kernel's command line
    domain: str = ""            # the type of every device's domain, as sysfs has it
    scalable: bool = False      # which of its modes the IOMMU is in
    qemu_args: tuple = ()


# How the kernel uses an IOMMU for its own drivers.
MODES = (("strict", "iommu.strict=1", "DMA"), ("lazy", "iommu.strict=0", "DMA-FQ"), ("passthrough", "iommu=pt", "identity"))


def modes(name, iommu, words="", scalable=True, qemu_args=()):
    return [Configuration(f"{name}, {mode}", iommu, f"{words} {of_mode}", domain, scalable, qemu_args)
            for mode, of_mode, domain in MODES]


OURS = modes("ours", "sm")
CONFIGURATIONS = [
    Configuration("no IOMMU", "none"),
    *modes("upstream legacy", "upstream", scalable=False),
    *modes("upstream scalable", "upstream", "intel_iommu=on,sm_on", qemu_args=("-global", "intel-iommu.x-scalable-mode=on")),
    *OURS,
]


# ---- Machines ------------------------------------------------------------------------------

DISK_BYTES = 1 << 30
BEHIND_IOMMU = ",iommu_platform=on,disable-legacy=on"


def disk(name, device):
    """One whose host does nothing but write zeroes into what is read."""
    return ["-blockdev", f"driver=null-co,node-name={name},size={DISK_BYTES},read-zeroes=on",
            "-device", f"{device},drive={name}"]


def network_card(name):
    """What one card sends, the other gets."""
    return ["-netdev", f"hubport,hubid=0,id={name}", "-device", f"virtio-net-pci,netdev={name},romfile=" + BEHIND_IOMMU]


def program(name):
    path = os.path.join(kernels.BUILD, "guest", name)
    if not os.path.exists(path):
        raise kernels.Mistake(f"{path} is missing: run `make guest` first")
    with open(path, "rb") as binary:
        return binary.read(), 0o755


def io_machine(kernel, configuration):
    devices = (disk("disk0", "virtio-blk-pci" + BEHIND_IOMMU) + disk("disk1", "nvme,serial=1") +
               network_card("net0") + network_card("net1"))
    return vm.Machine(kernel, iommu=configuration.iommu, append=configuration.words, adis=None,
                      files={"/bin/bench-io": program("bench-io")}, qemu_args=list(configuration.qemu_args) + devices)


def adi_machine(kernel, configuration):
    return vm.Machine(kernel, iommu=configuration.iommu, append=configuration.words, adis=max(ADIS),
                      qemu_args=list(configuration.qemu_args))


# ---- Rows ----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Row:
    name: str
    by: str                     # what the parameter counts
    parameters: tuple
    command: str                # in the guest; prints the value
    count: int = 0              # operations of a part
    unit: str = "us"


CPUS = vm.Machine.cpus
AT_ONCE = (1, 8)
ADIS = (1, 16, 256)
BOOT = Row("kernel boot", "CPUs", (CPUS,), "", unit="ms")
IO_ROWS = [
    BOOT,
    Row("virtio-blk, random read 4 KiB", "at once", AT_ONCE, "bench-io /dev/vda read {parameter} {count}", 900),
    Row("virtio-blk, random write 4 KiB", "at once", AT_ONCE, "bench-io /dev/vda write {parameter} {count}", 900),
    Row("nvme, random read 4 KiB", "at once", AT_ONCE, "bench-io /dev/nvme0n1 read {parameter} {count}", 900),
    Row("nvme, random write 4 KiB", "at once", AT_ONCE, "bench-io /dev/nvme0n1 write {parameter} {count}", 900),
    Row("virtio-net, frame of 1400 bytes", "at once", AT_ONCE, "frames eth0 eth1 {count} {parameter}", 600),
]
ADI_ROWS = [
    Row("ADI copy 4 KiB, in turn", "ADIs", ADIS, "adi-bench turn {parameter} {count}", 2048),
    Row("ADI copy 4 KiB, together", "ADIs", ADIS, "adi-bench together {parameter} {count}", 4096),
    Row("ADI map, copy 4 KiB, unmap", "ADIs", ADIS, "adi-bench map {parameter} {count}", 2048),
]


@dataclass(frozen=True)
class Place:
    """Where a value belongs."""
    row: Row
    parameter: int
    configuration: Configuration


@dataclass(frozen=True)
class Boot:
    """A guest, and what is measured while it runs."""
    configuration: Configuration
    machine: object             # a function: kernel, configuration -> vm.Machine
    places: tuple


def boots_for(rows, machine, configurations, wanted):
    """@wanted: words, of which one is in a row's name."""
    rows = [row for row in rows if not wanted or any(word in row.name for word in wanted)]
    return [Boot(c, machine, tuple(Place(row, parameter, c) for row in rows for parameter in row.parameters))
            for c in configurations if rows]


# ---- One boot ------------------------------------------------------------------------------

def check_iommu(guest, configuration):
    """A kernel that did not take its words would be measured under a wrong name."""
    types = set(guest.sh("cat /sys/kernel/iommu_groups/*/type 2>/dev/null").out.split())
    wanted = {configuration.domain} - {""}
    if types != wanted:
        raise Wrong(f"domains are of type {' '.join(sorted(types)) or 'none'}, not {' '.join(wanted) or 'none'}")
    if bool(views.pasid_entries(guest)) != configuration.scalable:
        raise Wrong("scalable mode is off" if configuration.scalable else "scalable mode is on")


def check_faults(guest):
    faults = views.faults(guest.log())
    if faults:
        raise Wrong(faults[0].line)


def run(guest, place, fewer):
    """The value that the row's program prints, or why there is none."""
    row = place.row
    result = guest.sh(row.command.format(parameter=place.parameter, count=row.count // fewer), ROW_TIMEOUT)
    if result.status == 0:
        if result.err:
            print(f"{row.name}, {place.configuration.name}: {result.err.strip()}", file=sys.stderr)
        return float(result.out)
    said = (result.err or result.out).strip().splitlines()
    return f"status {result.status}: {said[-1] if said else 'said nothing'}"


def measure_guest(guest, boot, fewer, found):
    guest.ready(BOOT_TIMEOUT)
    booted = 1000 * (time.monotonic() - guest.started)
    check_iommu(guest, boot.configuration)
    for place in boot.places:
        found[place] = booted if place.row is BOOT else run(guest, place, fewer)
    check_faults(guest)


def died_of(guest):
    """What the kernel says of its end, if that is how it ended."""
    return next((line for line in guest.log().splitlines() if any(word in line for word in vm.DEATHS)), None)


def measure(kernel, boot, fewer):
    """For each place of a boot its value, or why there is none."""
    found = {}
    with vm.Guest(boot.machine(kernel, boot.configuration)) as guest:
        try:
            measure_guest(guest, boot, fewer, found)
        except vm.GuestFailure as failure:
            why = died_of(guest) or str(failure)
            return {place: found.get(place, why) for place in boot.places}
        except Wrong as wrong:
            return dict.fromkeys(boot.places, str(wrong))
    return found


# ---- All of them ---------------------------------------------------------------------------

def measure_all(kernel, boots, repetitions, fewer):
    """{place: a value for each repetition}; a configuration in which nothing works is not booted again."""
    values = {place: [] for boot in boots for place in boot.places}
    start = time.monotonic()
    for repetition in range(repetitions):
        if time.monotonic() - start > ENOUGH:
            print(f"{repetition} repetitions must do: they took {time.monotonic() - start:.0f} s", file=sys.stderr)
            break
        for boot in boots:
            if all(isinstance(v, str) for place in boot.places for v in values[place] or [0]):
                continue
            print(f"{repetition + 1} of {repetitions}: {boot.configuration.name} ...", file=sys.stderr, flush=True)
            for place, value in measure(kernel, boot, fewer).items():
                values[place].append(value)
    return values


def show(place, values):
    """As bench-qemu does."""
    row = place.row
    reasons = [v for v in values if isinstance(v, str)]
    if reasons:
        print(f"{row.name}, {place.parameter} {row.by}, {place.configuration.name}: did not work: {reasons[0]}",
              file=sys.stderr)
        return
    print(row.name, row.by, place.parameter, place.configuration.name, row.unit, *(f"{v:.2f}" for v in values), sep="\t")


def show_all(values):
    """Configurations of one place below each other."""
    order = {row: n for n, row in enumerate(IO_ROWS + ADI_ROWS)}
    for place in sorted(values, key=lambda p: (order[p.row], p.parameter)):
        show(place, values[place])


def main():
    parser = argparse.ArgumentParser(prog="bench/guest.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer operations, one repetition")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a word of a row's name")
    options = parser.parse_args()
    # A guest does not outlive us: its `with` ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    boots = (boots_for(IO_ROWS, io_machine, CONFIGURATIONS, options.rows) +
             boots_for(ADI_ROWS, adi_machine, OURS, options.rows))
    try:
        kernel = kernels.kernel_find("6.12") if boots else None
        show_all(measure_all(kernel, boots, *((1, QUICK) if options.quick else (REPETITIONS, 1))))
    except kernels.Mistake as mistake:
        sys.exit(f"bench/guest.py: {mistake}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

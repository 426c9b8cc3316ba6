"""The platform under ordinary drivers and other IOMMUs: disks, network cards, fallbacks.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import tempfile

import kernels
import views
import vm
from harness import Group, Skipped

DISK_BYTES = 8 << 20
# Two network cards on one network: what one sends, the other gets.
NETWORK = ["-netdev", "hubport,hubid=0,id=n0", "-netdev", "hubport,hubid=0,id=n1",
           "-device", "e1000e,netdev=n0,romfile=", "-device",
           "virtio-net-pci,netdev=n1,romfile=,iommu_platform=on,disable-legacy=on"]


# Another root bus with a unit of its own; with bus= from here on, so that nothing lands there by itself.
SECOND_ROOT = ["-device", "pxb-pcie,id=px,bus=pcie.0,bus_nr=64", "-device", "intel-iommu-sm,id=iommu1,primary-bus=px",
               "-device", "pcie-root-port,id=px0,bus=px,chassis=64,slot=64"]


def disk_make():
    """A sparse disk, unlinked when the process ends."""
    disk = tempfile.NamedTemporaryFile(prefix="vtd-sm-", suffix=".img")  # pylint: disable=consider-using-with
    disk.truncate(DISK_BYTES)
    return disk


def io_machine(kernel, second_root=False, **differences):
    def make(options):
        stock = bool(kernel) and kernel.startswith("debian")
        if stock and options.no_debian:
            raise Skipped("--no-debian")
        try:
            found = kernels.kernel_find(kernel or options.kernel)
        except kernels.Mistake as mistake:
            if stock:
                raise Skipped(f"Debian's kernel: {mistake}") from mistake
            raise
        disks = [disk_make(), disk_make()]
        machine = vm.Machine(
            kernel=found, disks=[disks[0].name], cpus=2,
            qemu_args=["-device", "virtio-rng-pci,iommu_platform=on,disable-legacy=on"] + NETWORK +
                      (SECOND_ROOT if second_root else []) +
                      ["-drive", f"file={disks[1].name},if=none,id=nvme0,format=raw",
                       "-device", "nvme,drive=nvme0,serial=1" + (",bus=px0" if second_root else "")], **differences)
        machine.keep = disks
        return machine
    return make


def disk_io(case, device):
    """Write what nobody could guess, drop the cache, read it back."""
    size = DISK_BYTES >> 20
    result = case.sh(f"dd if=/dev/urandom of=/tmp/data bs=1M count={size} 2>/dev/null && "
                     f"dd if=/tmp/data of={device} bs=64k 2>/dev/null && sync && echo 3 >/proc/sys/vm/drop_caches && "
                     f"cmp /tmp/data {device}", 90)
    case.equal(result.status, 0, f"{device}: {result.out} {result.err}")


def nic_of(case, driver):
    names = case.sh("for n in /sys/class/net/* ; do echo ${n##*/} $(readlink $n/device/driver "
                    "|| readlink $n/device/../driver) ; done").out
    for line in names.splitlines():
        if line.split("/")[-1] == driver:
            return line.split()[0]
    case.check(False, f"no interface of {driver}: {names}")
    return None


def dmar_on(case):
    return "DMAR: Intel(R) Virtualization Technology for Directed I/O" in case.guest.log()


def io_tests(group, iommu_used, translated):
    @group.test
    def virtio_blk(case):
        """virtio-blk writes and reads back 8 MiB"""
        disk_io(case, "/dev/vda")

    @group.test
    def nvme(case):
        """nvme writes and reads back 8 MiB"""
        disk_io(case, "/dev/nvme0n1")

    @group.test
    def e1000e(case):
        """e1000e and virtio-net send each other frames, unchanged"""
        intel, virtio = nic_of(case, "e1000e"), nic_of(case, "virtio_net")
        for one, other in ((intel, virtio), (virtio, intel)):
            result = case.sh(f"ip link set {one} up ; ip link set {other} up ; frames {one} {other} 50", 60)
            case.equal(result.status, 0, result.out + result.err)

    @group.test
    def no_fault(case):
        """no DMAR fault since the guest booted"""
        case.equal(dmar_on(case), iommu_used, "the IOMMU in use")
        case.equal([f.line for f in views.faults(case.guest.log())], [], "faults")

    if translated:
        @group.test
        def groups(case):
            """every device has an IOMMU group"""
            found = case.sh("for d in $(ls /sys/bus/pci/devices) ; do ls -d /sys/bus/pci/devices/$d/iommu_group ; done")
            case.check(found.status == 0 and len(found.out.split()) >= 6, found.out + found.err)


GROUPS = []


def group(name, kernel=None, iommu_used=True, translated=True, **differences):
    made = Group(name, io_machine(kernel, **differences))
    io_tests(made, iommu_used, iommu_used and translated)
    GROUPS.append(made)
    return made


strict = group("io strict")
two_units = group("two units", second_root=True)
group("io lazy", append="iommu.strict=0")
group("io pt", append="iommu=pt")
sm_off = group("sm_off", iommu="sm-off")
upstream = group("upstream", iommu="upstream")
none = group("no IOMMU", iommu="none", iommu_used=False)
group("spr", unit="profile=spr")
group("first stage", unit="profile=first-stage")
group("second stage", unit="profile=second-stage")
group("57 bits", unit="profile=full57")
group("caching mode", unit="caching-mode=on")
group("Debian 5.10", "debian-5.10")
group("Debian 6.1", "debian-6.1")
group("Debian 6.1 sm_off", "debian-6.1", iommu="sm-off")
debian_7 = group("Debian 7.2", "debian-7.2")
group("Debian 7.2 spr", "debian-7.2", unit="profile=spr")
debian_strict = group("Debian strict", "debian", append="iommu.strict=1")
group("Debian lazy", "debian", append="iommu.strict=0")
group("Debian sm_off", "debian", iommu="sm-off")
group("Debian pt", "debian", append="iommu=pt")
for stock in ("debian-5.10", "debian-6.1", "debian", "debian-7.2"):
    name = stock.replace("-", " ").capitalize()
    # Linux 5.10 leaves DMA alone on a unit without second-stage widths, and remaps its interrupts.
    group(f"{name} first stage", stock, unit="profile=first-stage", translated=stock != "debian-5.10")
    group(f"{name} second stage", stock, unit="profile=second-stage")
    group(f"{name} caching mode", stock, unit="caching-mode=on")


# ---- Performance counters ---------------------------------------------------------------

PMU = "/sys/bus/event_source/devices/dmar0"
UNTRANSLATED, TRANSLATION = 1, 2        # address types, as bits
PAGES_4K, PAGES_LARGE = 1, 6            # page table levels, as bits


def counts(case, events, command):
    """What happened while it ran: a number for each event."""
    result = case.sh(f"perf-count dmar0 {' '.join(events)} -- sh -c '{command}' 2>&1", 90)
    case.equal(result.status, 0, result.out + result.err)
    words = dict(line.split() for line in result.out.splitlines() if line.count(" ") == 1)
    return [int(words[event]) for event in events]


def counters(where):
    @where.test
    def pmu(case):
        """the unit's counters are a PMU of the kernel, with an interrupt and the events that the unit counts"""
        names = case.sh(f"ls {PMU}/events").out.split()
        for name in ("iommu_requests", "iommu_mrds", "iotlb_lookup", "iotlb_hit", "ctxt_cache_lookup", "pasid_cache_hit",
                     "ss_nonleaf_hit", "int_cache_lookup"):
            case.check(name in names, f"{name} is not among {names}")
        for name in ("iommu_clocks", "pw_occupancy", "ats_blocked", "iommu_mem_blocked", "hpt_leaf_hit"):
            case.check(name not in names, f"{name} is among {names}")
        case.check("dmar0-perf" in case.sh("cat /proc/interrupts").out, "no interrupt")

    @where.test
    def counting(case):
        """lookups in the IOTLB are counted over I/O, hits are some of them, each of a page of some size"""
        lookups, hits, small, large = counts(case, [
            "iotlb_lookup", "iotlb_hit", f"iotlb_hit,filter_page_table_en=1,filter_page_table={PAGES_4K}",
            f"iotlb_hit,filter_page_table_en=1,filter_page_table={PAGES_LARGE}"],
            "dd if=/dev/vda of=/dev/null bs=64k")
        case.check(lookups > hits > 0, f"{lookups} lookups, {hits} hits")
        case.check(lookups >= DISK_BYTES >> 16, f"{lookups} lookups for {DISK_BYTES >> 16} requests of the disk")
        case.equal(small + large, hits, "hits by size")

    @where.test
    def types(case):
        """requests are counted by their address type"""
        every, untranslated, translation = counts(case, [
            "iommu_requests", f"iommu_requests,filter_ats_en=1,filter_ats={UNTRANSLATED}",
            f"iommu_requests,filter_ats_en=1,filter_ats={TRANSLATION}"], "dd if=/dev/vda of=/dev/null bs=64k")
        case.check(every > 0, "no requests")
        case.equal(untranslated + translation, every, "requests by type")
        case.equal(translation, 0, "translation requests, of devices that have no ATS")


for _group in (strict, debian_strict, debian_7):
    counters(_group)


# ---- A second unit: nvme is behind it, everything else behind the first ----------------


@two_units.test
def both_found(case):
    """the kernel uses both units, the second for its root bus, the first for the rest"""
    log = case.guest.log()
    for line in ("DMAR: dmar0: reg_base_addr fed94000", "DMAR: dmar1: reg_base_addr fed90000"):
        case.check(line in log, f"no '{line}'")
    nvme, = case.sh("ls /sys/bus/pci/drivers/nvme | grep :").out.split()
    for device, unit in ((nvme, "dmar0"), ("0000:00:1f.2", "dmar1"), (case.bdf(), "dmar1")):
        found = case.sh(f"ls /sys/class/iommu/{unit}/devices").out.split()
        case.check(device in found, f"{device} is not {unit}'s: {found}")


@two_units.test
def each_its_own(case):
    """each unit has translated for its own devices, and for no others"""
    buses = {}
    for unit in ("iommu0", "iommu1"):
        rows = views.pasid_stats(case.guest, unit)
        buses[unit] = {int(row.source_id.split(":")[0], 16) for row in rows if row.translations}
    case.check(buses["iommu1"] and min(buses["iommu1"]) >= 0x40, buses)
    case.check(buses["iommu0"] and max(buses["iommu0"]) < 0x40, buses)


@two_units.test
def both_remap(case):
    """interrupts of both units' devices are remapped"""
    case.check("DMAR-IR: Enabled IRQ remapping" in case.guest.log(), "no interrupt remapping")


# ---- The ADI device where there are no auxiliary domains ------------------------------


def fallbacks(where):
    @where.test
    def only_host(case):
        """without auxiliary domains adi-aux is not offered, adi-host is"""
        types = case.sh(f"ls /sys/bus/pci/devices/{case.bdf()}/mdev_supported_types").out.split()
        case.equal(types, ["adi-host"], "types")

    @where.test
    def driver_says(case):
        """the driver says that there are no auxiliary domains, and why"""
        case.check("no auxiliary domains (" in case.guest.log(), "it does not")

    @where.test
    def function(case):
        """the function's own queue works"""
        case.selftest()

    @where.test
    def host(case):
        """the mdevs that the parent driver isolates work, and are isolated"""
        for command in ("adi-copy adi-host 4", "adi-wild adi-host", "adi-unmap adi-host"):
            result = case.sh(command, 60)
            case.equal(result.status, 0, f"{command}: {result.err}")

    @where.test
    def aux_refused(case):
        """a program that wants an IOMMU-aware mdev gets a clear error"""
        result = case.sh("adi-copy adi-aux")
        case.check(result.status == 1 and "create a mediated device" in result.err, result.err)


for _group in (sm_off, upstream, none):
    fallbacks(_group)

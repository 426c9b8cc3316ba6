"""Auxiliary domains and mediated devices: what the kernel's series promises, sentence by sentence.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import views
from harness import Group
from machines import machine

aux = Group("aux", machine())
port = Group("root-port", machine(adi_behind_port=True, adis=4))
lazy = Group("lazy", machine(append="iommu.strict=0"))
passthrough = Group("iommu=pt", machine(append="iommu=pt"))
# Devices for the kernel's own tests: two that can have auxiliary domains, one that cannot.
api = Group("iommu", machine(qemu_args=["-device", "adi,adis=4,addr=7", "-device", "edu,addr=8"]))
most = Group("1023 ADIs", machine(adis=1023))
one = Group("1 ADI", machine(adis=1))
# The remapping unit's properties.
VARIANTS = [Group(prop, machine(qemu_args=["-global", f"intel-iommu-sm.{prop}"]))
            for prop in ("aw-bits=39", "aw-bits=57", "caching-mode=on", "eim=on", "pasid-bits=8")]
GROUPS = [api, aux, port, lazy, passthrough, most, one] + VARIANTS

DATA = 0x2000000
RING = 0x1000000


def line_of(case, uuid):
    return next((a for a in views.adi_lines(case.guest, case.bdf()) if a.uuid == uuid), None)


def pasid_of(case, uuid):
    line = line_of(case, uuid)
    case.check(line and line.pasid.isdigit(), f"no PASID: {line}")
    return int(line.pasid)


def has_entry(case, pasid):
    return any(e.pasid == pasid for e in views.pasid_entries(case.guest, case.bdf()))


# ---- The interface in the kernel: its own tests, on devices that no driver has ---------


@api.test
def kernel_tests(case):
    """the kernel's tests of auxiliary domains run to their end"""
    devices = "0000:00:05.0 0000:00:07.0"
    case.sh(f"for d in {devices} ; do echo $d >/sys/bus/pci/drivers/adi/unbind ; done")
    folder = "/sys/kernel/debug/iommu_auxd_test"
    result = case.sh(f"echo {devices} >{folder}/run && cat {folder}/results", 120)
    case.relay(result.out + result.err)


@api.test
def driver_again(case):
    """after them the device's driver has its auxiliary domains as before"""
    case.sh("for d in 05 07 ; do echo 0000:00:$d.0 >/sys/bus/pci/drivers/adi/bind ; done 2>/dev/null")
    case.copies(case.user())
    case.selftest()


def at_work(case, user):
    """Its ADI copies without end."""
    user.must(f"load m {DATA + 0x10000:#x} {DATA:#x} 0x10000")
    first = int(line_of(case, user.uuid).done)
    case.check(any(int(line_of(case, user.uuid).done) > first for _ in range(20)), "no load")


# ---- The programs, each of which checks itself ------------------------------------


def program(case, command, timeout=60):
    result = case.sh(command, timeout)
    case.check(result.status == 0, f"{command}: status {result.status}: {result.out} {result.err}")
    return result.out


@aux.test
def both_types(case):
    """the device offers an IOMMU-aware and another mdev type"""
    types = case.sh(f"ls /sys/bus/pci/devices/{case.bdf()}/mdev_supported_types").out.split()
    case.equal(sorted(types), ["adi-aux", "adi-host"], "types")


@aux.test
def copies(case):
    """a program moves data with its ADI, every byte right, by interrupts"""
    program(case, "adi-copy adi-aux 16")


@aux.test
def host_copies(case):
    """a program moves data through the type that its parent driver isolates"""
    program(case, "adi-copy adi-host 16")


@aux.test
def wild(case):
    """an access outside of the mapping fails, and the queue works again once cleared"""
    case.expect_faults()
    program(case, "adi-wild adi-aux")


@aux.test
def wild_host(case):
    """the parent driver refuses what its own type of mdev has not mapped; no fault of the IOMMU"""
    program(case, "adi-wild adi-host")


@aux.test
def twins(case):
    """both types answer the same random descriptors, good and bad, with the same registers, records and memory"""
    case.expect_faults()
    program(case, "adi-twin 100", 120)


@aux.test
def unmap(case):
    """memory that was unmapped cannot be reached any more"""
    case.expect_faults()
    program(case, "adi-unmap adi-aux")


@aux.test
def unmap_host(case):
    """memory that was unmapped cannot be reached through the parent driver, either"""
    program(case, "adi-unmap adi-host")


# ---- Normal mode and auxiliary mode --------------------------------------------------


@aux.test
def normal_mode(case):
    """the device works in normal mode alone, by source-id"""
    case.selftest()


@aux.test
def both_modes(case):
    """normal mode and auxiliary mode work at once"""
    users = [case.user(f"u{n}", seed=n) for n in range(3)]
    case.sh(f"cat /sys/kernel/debug/adi/{case.bdf()}/selftest >/tmp/selftest & true")
    for user in users:
        case.copies(user)
    case.selftest()
    for user in users:
        case.copies(user)


@aux.test
def own_domains(case):
    """each container is an auxiliary domain of its own, with its own PASID, domain-id and page table"""
    users = [case.user(f"u{n}", seed=n) for n in range(4)]
    for user in users:
        case.copies(user)
    pasids = [pasid_of(case, user.uuid) for user in users]
    entries = [e for e in views.pasid_entries(case.guest, case.bdf()) if e.pasid in pasids]
    for what in ("pasid", "domain", "root"):
        case.equal(len({getattr(e, what) for e in entries}), 4, what)


@aux.test
def same_iova(case):
    """two programs use one iova for different memory and do not see each other's"""
    one, two = case.user("one", seed=1), case.user("two", seed=2)
    before = two.must(f"sum s {DATA:#x} 0x20000").crc
    case.check(one.must(f"fill m {DATA:#x} 0x20000 0x1122334455667788", "done"))
    case.equal(two.must(f"sum s {DATA:#x} 0x20000").crc, before, "the other's memory")
    case.check(one.must(f"sum s {DATA:#x} 0x20000").crc != before)


@aux.test
def own_pasid_faults(case):
    """a fault is reported with the PASID of the one who made it; the others and the function go on"""
    case.expect_faults()
    one, two = case.user("one"), case.user("two")
    pasid = pasid_of(case, one.uuid)
    one.must(f"copy m 0x9000000 {DATA:#x} 64", "failed")
    case.sh("sleep 0.2")
    found = views.faults(case.log())
    case.equal([(f.pasid, f.addr) for f in found], [(pasid, 0x9000000)], "faults")
    case.copies(two)
    case.selftest()


@aux.test
def simulator_agrees(case):
    """the simulator walked the entry that the kernel wrote, and counted its translations"""
    user = case.user()
    case.copies(user)
    pasid = pasid_of(case, user.uuid)
    entry = next(e for e in views.pasid_entries(case.guest, case.bdf()) if e.pasid == pasid)
    seen = views.seen_of(case.guest, views.source_id(case.bdf()), pasid)
    case.check(seen is not None and seen.translations > 0 and seen.with_pasid, seen)
    case.equal((seen.domain, seen.root), (entry.domain, entry.root), "domain, root")


@aux.test
def unmap_invalidates(case):
    """an unmap invalidates what the simulator has cached for that PASID"""
    user = case.user()
    case.copies(user)
    pasid, sid = pasid_of(case, user.uuid), views.source_id(case.bdf())
    before = views.seen_of(case.guest, sid, pasid).invalidations
    user.must(f"unmap s {DATA:#x} 0x20000")
    case.check(views.seen_of(case.guest, sid, pasid).invalidations > before, "none")


# ---- Attaching and detaching ----------------------------------------------------------


@aux.test
def leaves_nothing(case):
    """when a program closes its device and container, the PASID entry is gone"""
    user = case.user()
    case.copies(user)
    pasid = pasid_of(case, user.uuid)
    case.check(has_entry(case, pasid), "no entry while open")
    user.must("close m")
    user.must("leave m")
    case.check(not has_entry(case, pasid), "the entry is still there")


@aux.test
def unmapped_under_load(case):
    """a page unmapped while an ADI copies from it: the next access faults, and stops that ADI alone"""
    case.expect_faults()
    user, other = case.user("user"), case.user("other")
    pasid = pasid_of(case, user.uuid)
    at_work(case, user)
    at_work(case, other)
    user.must(f"unmap s {DATA:#x} 0x20000")
    answer = user.must("wait m", "failed")
    case.check(DATA <= int(answer.addr, 16) < DATA + 0x20000, answer)
    case.sh("sleep 0.2")
    case.equal({f.pasid for f in views.faults(case.log())}, {pasid}, "PASIDs in faults")
    other.must("unload m")
    case.copies(other)


@aux.test
def killed(case):
    """a program killed in mid-transfer leaves no PASID entry, no owner and no fault"""
    user = case.user()
    pasid = pasid_of(case, user.uuid)
    at_work(case, user)
    user.kill()
    case.check(not has_entry(case, pasid), "the entry is still there")
    line = line_of(case, user.uuid)
    case.check(line is None or line.owner == "-", line)


@aux.test
def clean_for_next(case):
    """the next owner of an ADI finds its registers zero and its queue idle"""
    case.expect_faults()
    user = case.user()
    user.must(f"copy m 0x9000000 {DATA:#x} 64", "failed")
    user.kill()
    heir = case.owner("heir")
    heir.must(f"adopt m {user.uuid}")
    for command in ("space s", "join m s", "open m"):
        heir.must(command)
    for offset in (0, 4, 8, 12, 16, 20, 28, 32, 36):
        case.equal(int(heir.must(f"reg m {offset}").value, 16), 0, f"register {offset}")
    case.equal(heir.must("state m").state, "idle", "state")


def two_in_one_container(case):
    owner = case.owner()
    owner.must("space s")
    for m in ("a", "b"):
        owner.must(f"mdev {m} adi-aux")
        owner.must(f"join {m} s")
    owner.must(f"map s {DATA:#x} 0x20000 5")
    owner.must(f"open a {RING:#x}")
    owner.must(f"open b {RING + 0x100000:#x}")
    return owner


@aux.test
def two_mdevs(case):
    """two mdevs of one parent in one container share its domain and memory"""
    owner = two_in_one_container(case)
    case.copies(owner, "a")
    owner.must(f"poke s {DATA:#x} 0x10000 9")
    case.copies(owner, "b")
    pasids = {a.pasid for a in views.adi_lines(case.guest, case.bdf())}
    case.equal(len(pasids), 1, "PASIDs")


def leaving(case, first, second):
    owner = two_in_one_container(case)
    pasid = int(views.adi_lines(case.guest, case.bdf())[0].pasid)
    owner.must(f"close {first}")
    owner.must(f"leave {first}")
    case.check(has_entry(case, pasid), "the entry went with the first")
    case.copies(owner, second)
    owner.must(f"close {second}")
    owner.must(f"leave {second}")
    case.check(not has_entry(case, pasid), "the entry stayed")


@aux.test
def first_leaves_first(case):
    """two mdevs in one container: the first leaves, the second works on; the entry goes with the last"""
    leaving(case, "a", "b")


@aux.test
def last_leaves_first(case):
    """two mdevs in one container: the second leaves, the first works on; the entry goes with the last"""
    leaving(case, "b", "a")


@aux.test
def mixed_container(case):
    """an IOMMU-aware mdev and one that its driver isolates share a container, and its memory"""
    owner = case.owner()
    owner.must("space s")
    for m, kind in (("a", "adi-aux"), ("h", "adi-host")):
        owner.must(f"mdev {m} {kind}")
        owner.must(f"join {m} s")
    owner.must(f"map s {DATA:#x} 0x20000 5")
    owner.must(f"open a {RING:#x}")
    owner.must(f"open h {RING + 0x100000:#x}")
    case.copies(owner, "a")
    owner.must(f"poke s {DATA:#x} 0x10000 9")
    case.copies(owner, "h")


@aux.test
def mixed_host_first(case):
    """the same with the other mdev first: memory mapped before reaches the IOMMU-aware one"""
    owner = case.owner()
    owner.must("space s")
    owner.must("mdev h adi-host")
    owner.must("join h s")
    owner.must(f"map s {DATA:#x} 0x20000 5")
    owner.must("mdev a adi-aux")
    owner.must("join a s")
    owner.must(f"open a {RING:#x}")
    owner.must(f"open h {RING + 0x100000:#x}")
    case.copies(owner, "a")
    case.copies(owner, "h")


@aux.test
def mixed_aux_leaves(case):
    """in a mixed container the IOMMU-aware one leaves, the other works on"""
    owner = case.owner()
    owner.must("space s")
    for m, kind in (("a", "adi-aux"), ("h", "adi-host")):
        owner.must(f"mdev {m} {kind}")
        owner.must(f"join {m} s")
    owner.must(f"map s {DATA:#x} 0x20000 5")
    owner.must(f"open a {RING:#x}")
    owner.must(f"open h {RING + 0x100000:#x}")
    pasid = next(int(a.pasid) for a in views.adi_lines(case.guest, case.bdf()) if a.type == "aux")
    owner.must("close a")
    owner.must("leave a")
    case.check(not has_entry(case, pasid), "the entry stayed")
    case.copies(owner, "h")


@aux.test
def host_has_no_pasid(case):
    """an mdev that its driver isolates has no PASID and no auxiliary domain"""
    user = case.user(kind="adi-host")
    case.copies(user)
    line = line_of(case, user.uuid)
    case.equal((line.pasid, line.domain), ("-", "parent"), "pasid, domain")


@aux.test
def open_without_space(case):
    """a device cannot be had before its group is in a container"""
    owner = case.owner()
    owner.must("mdev m adi-aux")
    case.equal(owner.ask("open m").word, "error")


@aux.test
def leave_while_open(case):
    """a group whose device is open cannot leave its container"""
    user = case.user()
    case.equal(user.ask("leave m").errno, "EBUSY", "leave")
    case.copies(user)


@aux.test
def second_container(case):
    """an mdev cannot be in two containers at once"""
    user = case.user()
    user.must("space t")
    case.equal(user.ask("join m t").word, "error")
    case.copies(user)


@aux.test
def exhausted(case):
    """when all ADIs are taken, one more is refused; given back, it can be had"""
    owner = case.owner()
    for n in range(16):
        owner.must(f"mdev m{n} adi-aux")
    case.check(owner.ask("mdev more adi-aux").word == "error", "a 17th")
    case.equal(case.sh(f"cat /sys/bus/pci/devices/{case.bdf()}/mdev_supported_types/adi-aux/available_instances").out.strip(),
               "0", "available")
    owner.must("remove m3")
    owner.must("mdev more adi-aux")


@aux.test
def reset_device(case):
    """VFIO's device reset clears the queue, and it works again"""
    user = case.user()
    user.must(f"flood m {DATA + 0x10000:#x} {DATA:#x} 0x10000 250")
    user.must("reset m")
    case.copies(user)


# ---- Removal, unbinding, FLR -------------------------------------------------------------


@aux.test
def removed_while_held(case):
    """an mdev removed while its user holds it: the user is asked for it, and works until it lets go"""
    user = case.user()
    case.sh(f"echo 1 >/sys/bus/mdev/devices/{user.uuid}/remove 2>/dev/null & sleep 0.5")
    case.copies(user)
    case.check(int(user.must("asked m").asked) > 0, "was not asked")
    user.kill()
    result = case.sh(f"for n in 1 2 3 4 5 6 7 8 9 10 ; do [ -e /sys/bus/mdev/devices/{user.uuid} ] || exit 0 ; sleep 0.2 ; done ; exit 1")
    case.equal(result.status, 0, "the mdev is still there")


@aux.test
def unbound_while_used(case):
    """the parent driver unbound while ADIs are in use: it waits for the users, then lets go, and can be bound again"""
    users = [case.user("one"), case.user("two")]
    bdf = case.bdf()
    case.sh(f"echo {bdf} >/sys/bus/pci/drivers/adi/unbind & sleep 0.5")
    for user in users:
        case.check(int(user.must("asked m").asked) > 0, "was not asked")
        case.copies(user)
        user.kill()
    result = case.sh(f"for n in $(seq 25) ; do [ -e /sys/bus/pci/drivers/adi/{bdf} ] || exit 0 ; sleep 0.2 ; done ; exit 1")
    case.equal(result.status, 0, "still bound")
    case.equal(case.sh("ls /sys/bus/mdev/devices").out, "", "mdevs")
    case.equal(case.sh(f"echo {bdf} >/sys/bus/pci/drivers/adi/bind").status, 0, "bind")
    case.selftest()
    case.copies(case.user("three"))


@aux.test
def unbind_idle(case):
    """the parent driver unbinds and binds ten times over: enabled and disabled each time"""
    bdf = case.bdf()
    for _ in range(10):
        result = case.sh(f"cd /sys/bus/pci/drivers/adi && echo {bdf} >unbind && echo {bdf} >bind")
        case.equal(result.status, 0, result.err)
    case.copies(case.user())
    case.selftest()


@aux.test
def flr_under_load(case):
    """a function-level reset under load: neighbours' queues come back clean, all work again, no fault"""
    users = [case.user(f"u{n}") for n in range(3)]
    for user in users:
        at_work(case, user)
    case.equal(case.sh(f"echo 1 >/sys/bus/pci/devices/{case.bdf()}/reset").status, 0, "reset")
    for user in users:
        user.must("unload m")
        case.equal(user.must("state m").state, "idle", "state")
        user.must("restart m")
        case.copies(user)
    case.selftest()


@aux.test
def flr_host(case):
    """a function-level reset loses nothing of the mdevs that the parent driver isolates"""
    user = case.user(kind="adi-host")
    user.must(f"flood m {DATA + 0x10000:#x} {DATA:#x} 0x10000 50")
    case.equal(case.sh(f"echo 1 >/sys/bus/pci/devices/{case.bdf()}/reset").status, 0, "reset")
    user.must("wait m", "done")
    case.copies(user)


@aux.test
def many_rounds(case):
    """thirty owners one after another on the same ADI; nothing is left over"""
    before = len(views.pasid_entries(case.guest, case.bdf()))
    program(case, "for n in $(seq 30) ; do adi-copy adi-aux 1 >/dev/null || exit 1 ; done", 120)
    case.equal(len(views.pasid_entries(case.guest, case.bdf())), before, "PASID entries")
    case.equal(case.sh(f"cat /sys/kernel/debug/adi/{case.bdf()}/broken").out.strip(), "0", "broken")


# ---- The same elsewhere -----------------------------------------------------------------


def basics(group):
    @group.test
    def isolation(case):
        """two programs own an ADI each, isolated, while the function works"""
        one, two = case.user("one", seed=1), case.user("two", seed=2)
        before = two.must(f"sum s {DATA:#x} 0x10000").crc
        case.copies(one)
        case.copies(two)
        case.equal(two.must(f"sum s {DATA:#x} 0x10000").crc, before, "the other's memory")
        case.selftest()

    @group.test
    def faults(case):
        """a wild access faults with its own PASID, an access to unmapped memory, too"""
        case.expect_faults()
        user = case.user()
        pasid = pasid_of(case, user.uuid)
        user.must(f"copy m 0x9000000 {DATA:#x} 64", "failed")
        user.must("restart m")
        case.copies(user)
        user.must(f"unmap s {DATA:#x} 0x20000")
        user.must(f"crc m {DATA:#x} 64", "failed")
        case.sh("sleep 0.2")
        case.equal([(f.pasid, f.addr) for f in views.faults(case.log())],
                   [(pasid, 0x9000000), (pasid, DATA)], "faults")

    @group.test
    def host(case):
        """the type that the parent driver isolates works"""
        program(case, "adi-copy adi-host 8")
        program(case, "adi-wild adi-host")


for _group in [port, lazy, passthrough] + VARIANTS:
    basics(_group)


def offered(case):
    return int(case.sh(f"cat /sys/bus/pci/devices/{case.bdf()}/mdev_supported_types/adi-aux/available_instances").out)


@most.test
def all_offered(case):
    """the largest device offers 1023 ADIs, and they work"""
    case.equal(offered(case), 1023, "available")
    program(case, "adi-many 10 2")
    case.selftest()


@one.test
def single(case):
    """the smallest device has one ADI, for one owner after the other"""
    case.equal(offered(case), 1, "available")
    user = case.user()
    case.copies(user)
    case.check(case.owner("other").ask("mdev m adi-aux").word == "error", "two owners")
    case.equal(offered(case), 0, "available")
    user.kill()
    heir = case.owner("heir")
    heir.must(f"adopt m {user.uuid}")
    for command in ("space s", "join m s", f"map s {DATA:#x} 0x20000 1", f"open m {RING:#x}"):
        heir.must(command)
    case.copies(heir)


@passthrough.test
def normal_is_identity(case):
    """the function's own domain is pass-through, the programs' are not"""
    users = [case.user(f"u{n}") for n in range(2)]
    for user in users:
        case.copies(user)
    kinds = {e.pasid: e.pgtt for e in views.pasid_entries(case.guest, case.bdf())}
    for user in users:
        case.check(kinds.pop(pasid_of(case, user.uuid)) != 4, "an ADI in pass-through")
    case.equal(set(kinds.values()), {4}, "the function's type")

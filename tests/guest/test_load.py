"""Many at once, and all the time: ADIs under load.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import views
from harness import Group
from machines import machine

many = Group("load", machine(adis=80, memory="2G"))
GROUPS = [many]

DATA = 0x2000000


def program(case, command, timeout=120):
    result = case.sh(command, timeout)
    case.check(result.status == 0, f"{command}: status {result.status}: {result.out} {result.err}")
    return result.out


@many.test
def sixty_four(case):
    """64 ADIs, each in its own process and domain, at once"""
    said = program(case, "adi-many 64 3")
    case.check(said.startswith("64 of 64 processes owned an ADI at once, 0 failed"), said)


@many.test
def nothing_left(case):
    """after 64 owners no PASID entry and no mdev is left"""
    program(case, "adi-many 64 1")
    case.equal(case.sh("ls /sys/bus/mdev/devices").out, "", "mdevs")
    case.equal(len(views.pasid_entries(case.guest, case.bdf())), 1, "PASID entries (the function's own is one)")


@many.test
def sixty_four_pasids(case):
    """processes that own ADIs at once have a PASID each"""
    case.sh("adi-many 40 40 >/tmp/many.out & sleep 4")
    pasids = [a.pasid for a in views.adi_lines(case.guest, case.bdf()) if a.pasid != "-"]
    case.check(len(pasids) == len(set(pasids)), "one PASID twice")
    case.sh("for n in $(seq 300) ; do grep -q 40 /tmp/many.out && exit 0 ; sleep 0.2 ; done ; exit 1", 90)
    case.check("0 failed" in case.sh("cat /tmp/many.out").out, case.sh("cat /tmp/many.out").out)


@many.test
def map_under_load(case):
    """memory is mapped and unmapped while ADIs work: no stale translation, no lost byte"""
    case.expect_faults()
    program(case, "adi-churn 60")


@many.test
def function_under_load(case):
    """the function's own queue is not disturbed by busy ADIs"""
    case.sh("adi-many 8 200 >/tmp/many.out & true")
    for _ in range(5):
        case.selftest()
    program(case, "for n in $(seq 300) ; do grep -q owned /tmp/many.out && exit 0 ; sleep 0.2 ; done ; exit 1")
    case.check("0 failed" in case.sh("cat /tmp/many.out").out, case.sh("cat /tmp/many.out").out)


@many.test
def killed_under_load(case):
    """eight busy programs are killed one by one; the others never notice"""
    users = [case.user(f"u{n}", seed=n) for n in range(8)]
    while users:
        for user in users:
            user.must(f"load m {DATA + 0x10000:#x} {DATA:#x} 0x10000")
        users.pop(0).kill()
        for user in users:
            user.must("unload m")
            case.copies(user)


@many.test
def flr_again_and_again(case):
    """five function-level resets while eight ADIs work, and all come back"""
    users = [case.user(f"u{n}", seed=n) for n in range(8)]
    for _ in range(5):
        for user in users:
            user.must(f"load m {DATA + 0x10000:#x} {DATA:#x} 0x10000")
        case.equal(case.sh(f"echo 1 >/sys/bus/pci/devices/{case.bdf()}/reset").status, 0, "reset")
        for user in users:
            user.must("unload m")
            user.must("restart m")
            case.copies(user)
    case.selftest()

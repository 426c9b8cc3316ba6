"""Shared address spaces: an ADI works with a process's page table, through ATS and page requests.

The program in the guest claims what the process and its ADI see of each other; the tests here
add what the simulator has seen of it, and that what it walked is where the kernel has the pages.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import re

import views
from harness import Group
from machines import machine
from test_walks import traced

PAGE = re.compile(r"^page 0x([0-9a-f]+) 0x([0-9a-f]+)$", re.MULTILINE)
FIRST_STAGE, PASID_NOT_PRESENT = 1, 0x59
PAGES = 32
ALLOWED = "iommu_sva.allow_x86=1"
GROUPS = []


def shared(name, unit, append, **differences):
    made = Group(name, machine(unit=unit, adi="ats=on,pri=on", append=append, **differences))
    GROUPS.append(made)
    return made


def ats_stats(case):
    return json.loads(case.guest.qmp("qom-get", path="/machine/peripheral/adi0", property="ats-stats"))


def invalidations(case):
    return json.loads(case.guest.qmp("qom-get", path="/machine/peripheral/iommu0", property="invalidation-stats"))


def grown(case, stats, work):
    """How much each number of @stats grew while @work ran."""
    before = stats(case)
    work()
    return {name: value - before.get(name, 0) for name, value in stats(case).items()}


def program(case, arguments=""):
    result = case.sh(f"adi-sva {arguments}", 120)
    case.equal(result.status, 0, f"{result.out} {result.err}")
    return result.out


def claimed(case, arguments=""):
    """Take over the program's claims, however it ended."""
    result = case.sh(f"adi-sva {arguments}", 120)
    case.relay(result.out)
    case.equal(result.status, 0, result.err)


def held(case, command):
    """The output of @command in a shell that has an ADI in its address space meanwhile."""
    # A shell that ended with its last command would become it, and lose its address space.
    result = case.sh(f"sh -c 'exec 3<>/dev/adi-sva/{case.bdf()} ; {command} ; exit $?'")
    case.equal(result.status, 0, result.err)
    return result.out


def shared_lines(case, text):
    return [views.AdiLine(*line.split()[:10]) for line in text.splitlines() if line.split()[1:2] == ["sva"]]


def shared_tests(group, levels):
    @group.test
    def claims(case):
        """the program ends well, its pages are asked for and granted, and none but those refused before are refused"""
        pages = grown(case, ats_stats, lambda: claimed(case))
        case.check(pages["page-requests"] >= 64 and pages["success"] > pages["invalid-request"] >= 4, pages)
        case.equal((pages["response-failure"], pages["unexpected"], ats_stats(case)["outstanding"]), (0, 0, 0), pages)

    @group.test
    def flushed(case):
        """as the process's mappings change, the unit is told to invalidate its translations and the device's"""
        told = grown(case, invalidations, lambda: program(case))
        case.check(min(told[name] for name in ("p_iotlb_inv", "p_dev_tlb_inv", "page_grp_resp")) > 0, told)

    @group.test
    def entry(case):
        """a process that owns an ADI has a PASID, whose entry is first-stage, with the processor's levels"""
        shown = held(case, f"cat /sys/kernel/debug/adi/{case.bdf()}/adis {views.IOMMU_DEBUGFS}")
        line, = shared_lines(case, shown)
        case.check(int(line.pasid) > 0 and line.state == "idle" and line.domain == "sva", line)
        found, = [e for e in views.pasid_entries_shown(shown, case.bdf()) if e.pasid == int(line.pasid)]
        case.equal((found.pgtt, found.first_stage_levels), (FIRST_STAGE, levels), found)
        case.equal([], shared_lines(case, case.sh(f"cat /sys/kernel/debug/adi/{case.bdf()}/adis").out), "afterwards")

    @group.test
    def walked(case):
        """where the unit led the ADI's requests is where the process's pages are, by its pagemap"""
        said = []
        seen = traced(case, lambda: said.append(program(case, f"pages {PAGES}")))
        frames = {int(page, 16): int(frame, 16) for page, frame in PAGE.findall(said[0])}
        case.equal(len(frames), 2 * PAGES, "pages told")
        led = {(iova, addr) for _, iova, addr in seen if iova in frames}
        case.equal(led, set(frames.items()), "pages")
        pasid, = {pasid for pasid, iova, _ in seen if iova in frames}
        row = views.seen_of(case.guest, views.source_id(case.bdf()), pasid)
        case.check(row.with_pasid and row.pgtt == FIRST_STAGE and row.translations >= 2 * PAGES, row)

    @group.test
    def reset(case):
        """over a reset of the function an owner keeps its PASID, and others' ADIs work after it"""
        adis = f"cat /sys/kernel/debug/adi/{case.bdf()}/adis"
        reset = f"echo 1 >/sys/bus/pci/devices/{case.bdf()}/reset"
        before, after = shared_lines(case, held(case, f"{adis} ; {reset} ; {adis}"))
        case.equal((after.pasid, after.state), (before.pasid, "idle"), "after the reset")
        program(case)

    @group.test
    def bound_again(case):
        """the driver can be unbound and bound, and offers address spaces again"""
        bdf = case.bdf()
        result = case.sh(f"cd /sys/bus/pci/drivers/adi && echo {bdf} >unbind && [ ! -e /dev/adi-sva/{bdf} ] && "
                         f"echo {bdf} >bind")
        case.equal(result.status, 0, result.err)
        program(case)

    @group.test
    def beside(case):
        """auxiliary domains and the function's own queue work beside it"""
        owner = case.user()
        held(case, "adi-sva pages 4")
        case.copies(owner)
        case.selftest()

    # The last: in caching mode the unit keeps a PASID entry that was not present, and Linux, when
    # the PASID is used again, does not name the domain with which it is kept (0).
    @group.test
    def killed(case):
        """a process killed amid its ADI's work ends; what its ADI still asks for finds its PASID not present"""
        case.expect_faults()
        claimed(case, "killed")
        case.check({f.reason for f in views.faults(case.log())} <= {PASID_NOT_PRESENT}, case.log())


shared_tests(shared("sva", "ats=on", f"no5lvl {ALLOWED}"), levels=4)
shared_tests(shared("sva 57 bits", "profile=full57,ats=on", ALLOWED), levels=5)

shared_tests(shared("sva behind a port", "ats=on", f"no5lvl {ALLOWED}", adi_behind_port=True), levels=4)
shared_tests(shared("sva caching mode", "ats=on,caching-mode=on", f"no5lvl {ALLOWED}"), levels=4)

refused = shared("sva refused", "ats=on", "no5lvl")


@refused.test
def not_allowed(case):
    """a kernel that is not told to bind processes on x86 refuses, and the ADI is free again"""
    result = case.sh("adi-sva")
    case.check(result.status == 1 and "not supported" in result.err, result.err)
    case.equal([], shared_lines(case, case.sh(f"cat /sys/kernel/debug/adi/{case.bdf()}/adis").out), "owners")
    result = case.sh("adi-copy")
    case.equal(result.status, 0, result.err)

"""What the remapping unit walked is what the kernel shows of its own tables.

The simulator's trace says where each request was led; the kernel's debugfs dumps the page
table of each device and PASID.  Both are looked at while the mappings last.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import re

import views
from harness import Group
from machines import machine

TRACE = re.compile(r"sm_translated sid 0x([0-9a-f]+) pasid 0x([0-9a-f]+) 0x([0-9a-f]+) -> 0x([0-9a-f]+) size")
ADDRESS = 0x000ffffffffff000
GROUPS = []


def traced(case, work):
    """(pasid, iova page, memory page) of every request of the function while @work runs."""
    guest = case.guest
    guest.qmp("trace-event-set-state", name="sm_translated", enable=True)
    try:
        work()
    finally:
        guest.qmp("trace-event-set-state", name="sm_translated", enable=False)
    bus, device, function = (int(n, 16) for n in re.split("[:.]", case.bdf())[1:])
    sid = bus << 8 | device << 3 | function
    with open(guest.errors_path, encoding="utf-8", errors="replace") as text:
        found = [[int(n, 16) for n in match.groups()] for match in TRACE.finditer(text.read())]
    return {(pasid, iova >> 12, addr >> 12) for who, pasid, iova, addr in found if who == sid}


def dumped(case, pasid):
    """iova page -> memory page, of all that the kernel's table of @pasid maps; large pages in full."""
    folder = f"/sys/kernel/debug/iommu/intel/{case.bdf()}" + (f"/{pasid:x}" if pasid else "")
    pages = {}
    for line in case.sh(f"cat {folder}/domain_translation_struct").out.splitlines():
        words = [int(w, 16) for w in re.findall(r"0x[0-9a-f]+", line)]
        if line.startswith("0x") and 4 <= len(words) <= 6:
            entries = words[1:]
            depth = max(i for i, entry in enumerate(entries) if entry)
            for n in range(512 ** (4 - depth)):
                pages[words[0] + n] = ((entries[depth] & ADDRESS) >> 12) + n
    return pages


def compare(case, seen, pasid):
    """How many of the pages that were walked are still mapped; each must lead where the kernel says."""
    pages = dumped(case, pasid)
    walked = [(iova, addr) for p, iova, addr in seen if p == pasid and iova in pages]
    for iova, addr in walked:
        case.equal(addr, pages[iova], f"PASID {pasid:#x}, page {iova:#x}")
    return len(walked)


def walk_tests(group, host_type, aux_type):
    @group.test
    def function(case):
        """the function's DMA goes where the kernel's table says"""
        seen = traced(case, case.selftest)
        case.check(compare(case, seen, 0) > 0, f"nothing to compare: {len(seen)} requests seen")
        case.check(views.seen_of(case.guest, views.source_id(case.bdf()), 0).pgtt == host_type, "type of the entry")

    @group.test
    def auxiliary(case):
        """each owner's DMA goes where the kernel's table of its PASID says"""
        owners = [case.user(), case.user()]
        pasids = [int(line.pasid, 0) for line in views.adi_lines(case.guest, case.bdf()) if line.owner != "-"]
        case.check(len(set(pasids)) == 2, f"PASIDs: {pasids}")
        seen = traced(case, lambda: [case.copies(owner) for owner in owners])
        for pasid in pasids:
            case.check(compare(case, seen, pasid) >= 32, f"PASID {pasid}: too little to compare")
            case.check(views.seen_of(case.guest, views.source_id(case.bdf()), pasid).pgtt == aux_type, "type of the entry")


def group(name, host_type, aux_type, **differences):
    made = Group(name, machine(**differences))
    walk_tests(made, host_type, aux_type)
    GROUPS.append(made)


FIRST_STAGE, SECOND_STAGE = 1, 2

group("walks", FIRST_STAGE, SECOND_STAGE)
group("walks first stage", FIRST_STAGE, FIRST_STAGE, unit="profile=first-stage")
group("walks second stage", SECOND_STAGE, SECOND_STAGE, unit="profile=second-stage")
group("walks 57 bits", FIRST_STAGE, SECOND_STAGE, unit="profile=full57")

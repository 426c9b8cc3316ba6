"""The kernel's own tests of auxiliary domains: the module that the series brings, one claim a test.

The module runs all of its cases at once; they are run when the first result is asked for.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import glob
import os
import re

from harness import Group
from machines import machine

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
FOLDER = "/sys/kernel/debug/iommu_auxd_test"
SECOND = "0000:00:07.0"

series = Group("series", machine(qemu_args=["-device", "adi,adis=4,id=adi1,addr=7"]))
GROUPS = [series]


def claims():
    """The cases' names, from the patch that adds them."""
    for patch in glob.glob(os.path.join(TOP, "kernel-patches/linux-6.12/*test-module*.patch")):
        with open(patch, encoding="utf-8") as text:
            return re.findall(r'^\+\t\{ "([^"]+)"', text.read(), re.MULTILINE)
    return []


def unbind(case, bdf):
    case.sh(f"echo {bdf} >/sys/bus/pci/drivers/adi/unbind")


def run_module(case):
    """Every case's verdict, and what was printed before it."""
    first = case.bdf()
    unbind(case, first)
    unbind(case, SECOND)
    ran = case.sh(f"echo {first} {SECOND} >{FOLDER}/run", 120)
    case.check(ran.status == 0, f"run: {ran.err}")
    verdicts, notes = {}, []
    for line in case.sh(f"cat {FOLDER}/results").out.splitlines():
        match = re.match(r"(ok|not ok) \d+ (.*?)( # SKIP (.*))?$", line)
        if match:
            verdicts[match[2]] = (match[1], match[4], notes)
            notes = []
        elif line.startswith("#"):
            notes.append(line)
    return verdicts


RAN = {}


def claim_test(claim):
    def test(case):
        if RAN.get("guest") is not case.guest:
            RAN.update(guest=case.guest, verdicts=run_module(case))
        case.check(claim in RAN["verdicts"], "no result")
        verdict, skipped, notes = RAN["verdicts"][claim]
        if skipped:
            case.skip(skipped)
        case.check(verdict == "ok", "; ".join(notes) or "failed without a note")
    test.__doc__ = claim
    return test


@series.test
def bound(case):
    """the module leaves a device alone that has a driver"""
    ran = case.sh(f"echo {case.bdf()} >{FOLDER}/run")
    case.check(ran.status != 0 and "busy" in ran.err, ran.err)


@series.test
def nonsense(case):
    """the module refuses what is no device's address"""
    for text in ("0000:00:1e.7", "adi", "0", "''"):
        ran = case.sh(f"echo {text} >{FOLDER}/run")
        case.check(ran.status != 0, f"{text}: accepted")


for name in claims():
    series.test(claim_test(name))

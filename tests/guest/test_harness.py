"""Tests can fail: the runner's own verdicts, on guests that misbehave on purpose.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import harness
from harness import Group
from machines import machine

own = Group("runner", None, needs_guest=False)
GROUPS = [own]

victim = Group("victim", machine(adis=None))


@victim.test
def wrong(case):
    """a check that does not hold"""
    case.check(False, "as it should")


@victim.test
def warns(case):
    """a warning in the kernel's log"""
    case.sh("echo 'WARNING: from a test of the tests' >/dev/kmsg")


@victim.test
def fault(case):
    """a DMAR fault in the kernel's log"""
    case.sh("echo 'DMAR: [DMA Read PASID 0x7] Request device [00:05.0] fault addr 0x1000 "
            "[fault reason 0x59] SM: none' >/dev/kmsg")


@victim.test
def hangs(case):
    """a command that does not end"""
    case.sh("echo before the hang >/dev/kmsg ; sleep 1000", timeout=5)


@victim.test
def goes_on(case):
    """the next test has a fresh guest"""
    case.equal(case.sh("dmesg | grep -c 'before the hang'").out.split()[-1], "0")


@victim.test
def dies(case):
    """a guest that panics"""
    case.sh("echo c >/proc/sysrq-trigger", timeout=20)


@victim.test
def skips(case):
    """a test that cannot run here"""
    case.skip("no reason")


def outcomes_of_victim(case):
    class Options:
        kernel = case.options.kernel
        boot_timeout = case.options.boot_timeout

        @staticmethod
        def wants(_):
            return True
    return {o.name.split(": ")[1]: o for o in harness.GroupRun(victim, Options).run()}


@own.test
def verdicts(case):
    """failed checks, kernel warnings, faults, hung and dead guests are reported, with the log's tail"""
    outcomes = outcomes_of_victim(case)
    for name, word in (("a check that does not hold", "as it should"),
                       ("a warning in the kernel's log", "from a test of the tests"),
                       ("a DMAR fault in the kernel's log", "PASID 0x7"),
                       ("a command that does not end", "before the hang"),
                       ("a guest that panics", "Kernel panic")):
        outcome = outcomes[name]
        case.equal(outcome.kind, "not ok", name)
        case.check(word in outcome.details, f"{name}: {outcome.details}")
    case.equal(outcomes["the next test has a fresh guest"].kind, "ok", outcomes["the next test has a fresh guest"].details)
    case.equal(outcomes["a test that cannot run here"].kind, "skip", "skip")


@own.test
def no_boot(case):
    """a guest that does not come up is a failed test, not a hung runner"""
    class Options:
        kernel = case.options.kernel
        boot_timeout = 20

        @staticmethod
        def wants(_):
            return True
    dead = Group("dead", machine(adis=None, append="rdinit=/nonexistent init=/nonexistent"), [wrong])
    outcomes = harness.GroupRun(dead, Options).run()
    case.equal([o.kind for o in outcomes], ["not ok", "not ok"], "the boot, and the test that was not run")
    case.check("Kernel panic" in outcomes[0].details, outcomes[0].details)

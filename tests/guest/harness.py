"""How guest tests run: groups of tests, one boot a group, results as TAP.

A test is a function with a `Case`; its docstring is the claim that it tests.
It fails by `case.check()`, by an exception, by a hung or dead guest, or when
the kernel's log has a warning or a DMAR fault that the test did not announce
with `case.expect_faults()`.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import re
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import kernels
import views
import vm

SPLAT = re.compile(r"BUG:|WARNING:|Oops|general protection|detected (expedited )?stall|possible recursive locking|"
                   r"blocked for more than|refcount_t|Call Trace|list_(add|del) corruption")
TAP_RESULT = re.compile(r"\s*(ok|not ok) \d+ ?-? ?(.*?)(?: # SKIP ?(.*))?$")
FAULT_REPORT = re.compile(r"^\[ *(\d+\.\d+)\] DMAR: DRHD: handling fault", re.MULTILINE)
RESTARTS = 3


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


@dataclass
class Group:
    name: str
    machine: object             # a function: the kernel's name -> vm.Machine
    tests: list = field(default_factory=list)
    needs_guest: bool = True

    def test(self, function):
        self.tests.append(function)
        return function


@dataclass
class Outcome:
    name: str
    kind: str                   # ok, not ok, skip
    details: str = ""


class Case:
    """What a test works with: the guest, and owners that end with the test."""

    def __init__(self, guest, group, options):
        self.guest = guest
        self.group = group
        self.options = options
        self._owners = []
        self.relayed = []           # outcomes of tests that ran inside the guest
        self._faults_expected = False
        self._mark = len(guest.log()) if guest else 0

    # ---- verbs

    def sh(self, command, timeout=60):
        return self.guest.sh(command, timeout)

    def owner(self, name=None):
        owner = views.Owner(self.guest, name or f"owner{len(self._owners)}")
        self._owners.append(owner)
        return owner

    def user(self, name=None, kind="adi-aux", iova=0x2000000, size=0x20000, seed=1):
        """An owner with an ADI `m` in a space `s`, memory mapped, queue started."""
        owner = self.owner(name)
        owner.uuid = owner.must(f"mdev m {kind}").uuid
        owner.must("space s")
        owner.must("join m s")
        owner.must(f"map s {iova:#x} {size:#x} {seed}")
        owner.must("open m 0x1000000")
        return owner

    def copies(self, owner, mdev="m", iova=0x2000000, length=0x10000):
        """Copy the first half of its memory to the second; the bytes must be there."""
        answer = owner.ask(f"copy {mdev} {iova + length:#x} {iova:#x} {length:#x}")
        self.check(answer.word == "done", f"{owner.name}: {answer}")
        same = owner.must(f"sum s {iova:#x} {length:#x}").crc == owner.must(f"sum s {iova + length:#x} {length:#x}").crc
        self.check(same, f"{owner.name}: the copy differs")

    def bdf(self):
        return views.adi_bdf(self.guest)

    def selftest(self):
        said = self.sh(f"cat /sys/kernel/debug/adi/{self.bdf()}/selftest").out.strip()
        self.check(said.startswith("selftest: PASS"), said or "no selftest")

    def log(self):
        return self.guest.log()[self._mark:]

    # ---- verdicts

    def relay(self, ktap):
        """Take over the results of a test program in the guest, which speaks (K)TAP."""
        details = []
        for line in ktap.splitlines():
            match = TAP_RESULT.match(line)
            if match:
                verdict, name, directive = match.groups()
                kind = "skip" if directive else verdict
                text = directive if directive else "\n".join(details)
                self.relayed.append(Outcome(f"{self.group.name}: {name.strip()}", kind, text))
                details = []
            else:
                details.append(line)
        self.check(self.relayed, f"no results: {ktap}")

    def check(self, holds, otherwise="check failed"):
        if not holds:
            raise Failed(str(otherwise))

    def equal(self, got, wanted, what=""):
        self.check(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")

    def skip(self, why):
        raise Skipped(why)

    def expect_faults(self):
        """Also waits until the kernel will report one: of more than three in five seconds it says nothing."""
        self._faults_expected = True
        reports = FAULT_REPORT.findall(self.guest.log())
        if reports:
            silence = float(reports[-1]) + 5.5 - float(self.sh("cut -d ' ' -f 1 /proc/uptime").out)
            if silence > 0:
                self.sh(f"sleep {silence:.1f}")

    # ---- the end

    def clean_up(self):
        if not self._owners:
            return
        pids = " ".join(str(o.pid) for o in self._owners)
        self.guest.sh(f"kill -9 {pids} 2>/dev/null ; for p in {pids} ; do wait_gone $p ; done")
        self.guest.sh("for m in /sys/bus/mdev/devices/*/remove ; do [ -e $m ] && echo 1 >$m ; done 2>/dev/null")

    def check_log(self):
        bad = [line for line in self.log().splitlines() if SPLAT.search(line)]
        self.check(not bad, "the kernel's log: " + "; ".join(bad[:3]))
        if not self._faults_expected:
            found = views.faults(self.log())
            self.check(not found, "DMAR fault: " + "; ".join(f.line for f in found[:3]))


def claim_of(test):
    return " ".join((test.__doc__ or test.__name__).split()).rstrip(".")


def indent(text):
    return "\n".join("# " + line for line in text.splitlines())


class GroupRun:
    """One group's tests, with as many boots as it takes to bring them to an end."""

    def __init__(self, group, options):
        self.group = group
        self.options = options
        self.guest = None
        self.boots = 0

    def boot(self):
        """A guest that hangs while it boots gets a second chance, and that is said: a host may be too busy."""
        try:
            self.boot_once()
        except vm.GuestFailure as failure:
            if self.guest.process.poll() is not None:
                raise
            print(indent(f"{self.group.name}: booted again: {failure}\n{self.log_tail()}"), flush=True)
            self.guest.stop()
            self.boot_once()

    def boot_once(self):
        self.boots += 1
        machine = self.group.machine(self.options)
        self.guest = vm.Guest(machine).start()
        self.guest.ready(self.options.boot_timeout)

    def stop(self):
        if self.guest:
            self.guest.stop()
        self.guest = None

    def run_one(self, test):
        """(outcomes, whether the guest can be used further)"""
        name = f"{self.group.name}: {claim_of(test)}"
        case = Case(self.guest, self.group, self.options)
        try:
            try:
                test(case)
            finally:
                case.clean_up()
            if self.guest:
                case.check_log()
            return case.relayed + [Outcome(name, "ok")], True
        except Skipped as why:
            return [Outcome(name, "skip", str(why))], True
        except Failed as failure:
            return case.relayed + [Outcome(name, "not ok", f"{failure}\n{self.log_tail()}")], True
        except vm.GuestFailure as failure:
            return [Outcome(name, "not ok", f"{failure}\n{self.log_tail()}")], False
        except Exception:  # pylint: disable=broad-except
            return [Outcome(name, "not ok", traceback.format_exc() + self.log_tail())], False

    def log_tail(self):
        if not self.guest:
            return ""
        return "end of the guest's log:\n" + self.guest.log_tail(30)

    def run(self):
        outcomes, done = [], 0
        tests = [t for t in self.group.tests if self.options.wants(f"{self.group.name}: {claim_of(t)}")]
        try:
            for test in tests:
                if self.group.needs_guest and not self.guest:
                    self.boot()
                found, usable = self.run_one(test)
                outcomes += found
                done += 1
                if not usable:
                    self.stop()
                    if self.boots > RESTARTS:
                        break
        except (vm.GuestFailure, kernels.Mistake, OSError) as failure:
            outcomes.append(Outcome(f"{self.group.name}: the guest boots", "not ok", f"{failure}\n{self.log_tail()}"))
        except Skipped as why:
            outcomes += [Outcome(f"{self.group.name}: {claim_of(t)}", "skip", str(why)) for t in tests[done:]]
            done = len(tests)
        finally:
            self.stop()
        for test in tests[done:]:
            outcomes.append(Outcome(f"{self.group.name}: {claim_of(test)}", "not ok", "not run: its guest was lost"))
        return outcomes


def outcome_print(number, outcome):
    verdict = "not ok" if outcome.kind == "not ok" else "ok"
    directive = f" # SKIP {outcome.details}" if outcome.kind == "skip" else ""
    print(f"{verdict} {number} - {outcome.name.replace('#', '')}{directive}", flush=True)
    if outcome.kind == "not ok":
        print(indent(outcome.details), flush=True)


def run_groups(groups, options):
    """Print TAP as groups end; the outcomes."""
    print("TAP version 13", flush=True)
    outcomes = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for result in [pool.submit(GroupRun(g, options).run) for g in groups]:
            for outcome in result.result():
                outcomes.append(outcome)
                outcome_print(len(outcomes), outcome)
    print(f"1..{len(outcomes)}", flush=True)
    return outcomes

"""The three sides from which the demo and the tests look at one thing.

    programs    Owner: an adi-sh in the guest's background, asked through its pipe
    kernel      what the guest's kernel says in debugfs and in its log
    simulator   what the remapping unit counted for each (source-id, PASID)

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import re
from dataclasses import dataclass

from vm import GuestFailure

IOMMU_DEBUGFS = "/sys/kernel/debug/iommu/intel/dmar_translation_struct"



# ---- Programs ----------------------------------------------------------------


class Answer:
    """One line of adi-sh: a word, and key=value pairs or a message."""

    def __init__(self, line):
        self.line = line.strip()
        self.word = self.line.split(" ")[0] if self.line else ""
        self.values = dict(re.findall(r"(\S+?)=(\S+)", self.line))

    def __getattr__(self, key):
        try:
            return self.values[key.replace("_", "-")]
        except KeyError:
            raise AttributeError(key) from None

    def __str__(self):
        return self.line

    @property
    def errno(self):
        return self.line.split()[1] if self.word == "error" else None


class Owner:
    """A process in the guest that owns what its commands made."""

    def __init__(self, guest, name):
        self.guest = guest
        self.name = name
        self.pipe = f"/tmp/{name}"
        result = guest.sh(f"rm -f {self.pipe}.in {self.pipe}.out ; adi-sh --serve {self.pipe} >/tmp/{name}.log 2>&1 & echo $!")
        self.pid = int(result.out)

    def ask(self, command, timeout=30):
        result = self.guest.sh(f"adi-ask {self.pipe} {command}", timeout)
        return Answer(result.out or "error EPIPE " + result.err)

    def must(self, command, word="ok", timeout=30):
        answer = self.ask(command, timeout)
        if answer.word != word:
            raise GuestFailure(f"{self.name}: `{command}` answered: {answer}")
        return answer

    def end(self):
        """Let it exit; files close, as at a program's ordinary end."""
        self.guest.sh(f"adi-ask {self.pipe} exit 2>/dev/null ; wait_gone {self.pid}")

    def kill(self):
        self.guest.sh(f"kill -9 {self.pid} ; wait_gone {self.pid}")


# ---- The guest's kernel ----------------------------------------------------------


@dataclass
class PasidEntry:
    device: str             # 00:05.0
    pasid: int
    words: tuple            # three of the entry's, lowest first

    @property
    def pgtt(self):
        return self.words[0] >> 6 & 7

    @property
    def first_stage_levels(self):
        return 4 + (self.words[2] >> 2 & 3)

    @property
    def domain(self):
        return self.words[1] & 0xffff

    @property
    def root(self):
        first_stage = self.pgtt == 1
        return self.words[2 if first_stage else 0] & 0x000ffffffffff000


def pasid_entries(guest, bdf=None):
    """What the kernel's debugfs shows of its PASID tables, of one device if @bdf."""
    return pasid_entries_shown(guest.sh(f"cat {IOMMU_DEBUGFS}").out, bdf)


def pasid_entries_shown(text, bdf=None):
    found = []
    for line in text.splitlines():
        columns = line.split()
        if len(columns) != 5 or not re.fullmatch(r"[0-9a-f:]+\.[0-7]", columns[0]):
            continue
        if columns[3] == "-1" or (bdf and not bdf.endswith(columns[0])):
            continue
        words = tuple(int(w, 16) for w in reversed(re.findall(r"0x[0-9a-f]+", columns[4])))
        found.append(PasidEntry(columns[0], int(columns[3]), words))
    return found


@dataclass
class AdiLine:
    adi: str
    type: str
    uuid: str
    owner: str
    pasid: str
    domain: str
    state: str
    done: str
    bytes: str
    error: str


def adi_bdf(guest):
    result = guest.sh("ls /sys/bus/pci/drivers/adi 2>/dev/null | grep '^0'")
    if not result.out:
        raise GuestFailure("the kernel's adi driver has no device")
    return result.out.split()[0]


def adi_lines(guest, bdf):
    lines = guest.sh(f"cat /sys/kernel/debug/adi/{bdf}/adis").out.splitlines()
    return [AdiLine(*line.split()[:10]) for line in lines[1:] if len(line.split()) >= 10]


FAULT = re.compile(r"DMAR: \[(.*?) (NO_PASID|PASID 0x[0-9a-f]+)\] Request device \[([^]]*)\] "
                   r"fault addr 0x([0-9a-f]+) \[fault reason 0x([0-9a-f]+)\](.*)")


@dataclass
class Fault:
    access: str
    pasid: int              # None: without
    device: str
    addr: int
    reason: int
    line: str


def faults(log):
    found = []
    for match in FAULT.finditer(log):
        access, pasid, device, addr, reason, _ = match.groups()
        found.append(Fault(access, None if pasid == "NO_PASID" else int(pasid.split()[1], 16),
                           device, int(addr, 16), int(reason, 16), match.group(0)))
    return found


# ---- The simulator -----------------------------------------------------------------


@dataclass
class Seen:
    source_id: str
    pasid: int
    with_pasid: bool
    domain: int
    pgtt: int
    root: int
    entry_fetches: int
    translations: int
    walks: int
    faults: int
    invalidations: int


def pasid_stats(guest, unit="iommu0"):
    """What a remapping unit has seen, by (source-id, PASID)."""
    text = guest.qmp("qom-get", path=f"/machine/peripheral/{unit}", property="pasid-stats")
    return [Seen(**{k: row[k] for k in Seen.__dataclass_fields__}) for row in json.loads(text)]


def seen_of(guest, source_id, pasid):
    for row in pasid_stats(guest):
        if row.source_id == source_id and row.pasid == pasid:
            return row
    return None


def source_id(bdf):
    """As the simulator writes it: without the segment."""
    return bdf.split(":", 1)[1]

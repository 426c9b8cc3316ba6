"""iommufd: dirty tracking of the second stage, and a user's tables nested on it.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import views
from harness import Group
from machines import machine

BDF = "0000:00:08.0"
SOURCE = "00:08.0"
NESTED = 3

user = Group("iommufd", machine(qemu_args=["-device", "edu,dma_mask=0xffffffffffffffff,addr=8"]))
GROUPS = [user]


def bind(case):
    """vfio-pci takes the function, once."""
    case.sh(f"[ -d /sys/bus/pci/devices/{BDF}/vfio-dev ] || "
            f"{{ echo vfio-pci >/sys/bus/pci/devices/{BDF}/driver_override ; echo {BDF} >/sys/bus/pci/drivers_probe ; }}")


def run(case, what):
    bind(case)
    result = case.sh(f"iommufd {what} {BDF}", 120)
    case.relay(result.out)
    case.equal(result.status, 0, f"{result.out} {result.err}")


@user.test
def dirty(case):
    """the dirty tracking program ends well"""
    run(case, "dirty")


@user.test
def nested(case):
    """the nested translation program ends well, and the unit saw entries of that type"""
    case.expect_faults()
    run(case, "nested")
    types = {row.pgtt for row in views.pasid_stats(case.guest) if row.source_id == SOURCE}
    case.check(NESTED in types, f"types of the function's entries: {types}")

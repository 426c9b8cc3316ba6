/*
 * intel-iommu-sm: which unit serves whom.
 *
 * A machine may have several units.  The first is the machine's x86 IOMMU and
 * the IOAPIC's; it serves the main root bus and whatever no other unit serves.
 * Each other serves the bus that its property primary-bus names, and all below
 * it: a further root (pxb-pcie), or what is behind a root port, the port
 * included [VT-d 8.3.1 Device Scope Structure].
 *
 * A unit is found as QEMU finds any IOMMU: by the nearest bus on the way up
 * that has been given one (pci_setup_iommu()).  The port that leads to another
 * unit's bus is the exception, and sm_unit_of_device() knows it.
 *
 * Units are created before the machine runs, and stay.  All here holds the BQL.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "hw/i386/pc.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "system/system.h"

#include "intel_iommu_sm_internal.h"

/* As many as have room for their registers below the interrupts. */
#define SM_MAX_UNITS ((SM_INTERRUPT_BASE - SM_MMIO_BASE) / DMAR_MMIO_SIZE)

static PCMachineState *sm_machine(void)
{
    return PC_MACHINE(qdev_get_machine());
}

static SmIommu *sm_first_unit(void)
{
    return INTEL_IOMMU_SM(sm_machine()->iommu);
}

const GPtrArray *sm_units(void)
{
    return sm_first_unit()->units;
}

bool sm_serves_rest(const SmIommu *s)
{
    return s->number == 0;
}

/* ---- Whose ---------------------------------------------------------------- */

static SmIommu *sm_unit_of_bus(PCIBus *bus)
{
    while (!bus->iommu_ops) {
        bus = pci_get_bus(bus->parent_dev);
    }
    return INTEL_IOMMU_SM(bus->iommu_opaque);
}

SmIommu *sm_unit_of_device(PCIDevice *dev)
{
    return sm_unit_of_bus(IS_PCI_BRIDGE(dev) ?
                          pci_bridge_get_sec_bus(PCI_BRIDGE(dev)) :
                          pci_get_bus(dev));
}

typedef struct SmBusSearch {
    uint8_t number;
    PCIBus *found;
} SmBusSearch;

/* Roots come last: ports without a number yet do not hide bus 0. */
static void sm_match_bus(PCIBus *bus, void *opaque)
{
    SmBusSearch *search = opaque;

    if (pci_bus_num(bus) == search->number) {
        search->found = bus;
    }
}

SmIommu *sm_unit_of_source(uint16_t source_id)
{
    SmBusSearch search = { .number = PCI_BUS_NUM(source_id) };
    PCIDevice *dev;

    pci_for_each_bus(sm_machine()->pcibus, sm_match_bus, &search);
    if (!search.found) {
        return sm_first_unit();
    }
    dev = search.found->devices[source_id & 0xff];
    return dev ? sm_unit_of_device(dev) : sm_unit_of_bus(search.found);
}

/* The function with this ID, if it is behind @s. */
PCIDevice *sm_device_of_source(const SmIommu *s, uint16_t source_id)
{
    PCIDevice *dev = pci_find_device(sm_machine()->pcibus,
                                     PCI_BUS_NUM(source_id), source_id & 0xff);

    return dev && sm_unit_of_device(dev) == s ? dev : NULL;
}

/* ---- A unit gets its place ------------------------------------------------ */

static bool sm_is_root_port(PCIDevice *dev)
{
    return pci_is_express(dev) && pci_bus_is_root(pci_get_bus(dev)) &&
           pcie_cap_get_type(dev) == PCI_EXP_TYPE_ROOT_PORT;
}

static void sm_count_device(PCIBus *bus, PCIDevice *dev, void *count)
{
    ++*(unsigned *)count;
}

/* A device that was there before would keep the unit that it found then. */
static bool sm_bus_is_empty(PCIBus *bus)
{
    unsigned count = 0;

    pci_for_each_device_under_bus(bus, sm_count_device, &count);
    return !count;
}

static bool sm_check_first_bus(PCIBus *bus, Error **errp)
{
    if (bus != sm_machine()->pcibus) {
        error_setg(errp, "the first " TYPE_INTEL_IOMMU_SM " serves the main "
                   "root bus: primary-bus is for those after it");
        return false;
    }
    if (!pci_bus_is_express(bus)) {
        error_setg(errp, TYPE_INTEL_IOMMU_SM " needs a PCI Express root bus: "
                   "use -M q35");
        return false;
    }
    if (pci_bus_bypass_iommu(bus)) {
        error_setg(errp, TYPE_INTEL_IOMMU_SM " serves the whole root bus: it "
                   "cannot be used with default-bus-bypass-iommu=on");
        return false;
    }
    return true;
}

static bool sm_check_other_bus(PCIBus *bus, Error **errp)
{
    const char *name = bus->qbus.name;

    if (bus->iommu_ops) {
        error_setg(errp, "bus %s has an " TYPE_INTEL_IOMMU_SM " already: "
                   "give another bus as primary-bus", name);
    } else if (!pci_bus_is_express(bus) ||
               (!pci_bus_is_root(bus) && !sm_is_root_port(bus->parent_dev))) {
        error_setg(errp, "primary-bus=%s is neither a PCI Express root "
                   "(pxb-pcie) nor behind a root port", name);
    } else if (!sm_bus_is_empty(bus)) {
        error_setg(errp, "bus %s has devices already: give its "
                   TYPE_INTEL_IOMMU_SM " before them", name);
    } else if (sm_units()->len == SM_MAX_UNITS) {
        error_setg(errp, "there are %u units already", sm_units()->len);
    } else {
        return true;
    }
    return false;
}

/* The DMAR table has no words for a bus that bypasses the unit of the rest. */
static void sm_check_all_roots(Notifier *notifier, void *data)
{
    PCIBus *bus;

    QLIST_FOREACH(bus, &sm_machine()->pcibus->child, sibling) {
        if (pci_bus_is_root(bus) && pci_bus_bypass_iommu(bus)) {
            error_report(TYPE_INTEL_IOMMU_SM " serves every root bus: it "
                         "cannot be used with bypass_iommu=on of %s",
                         bus->qbus.name);
            exit(EXIT_FAILURE);
        }
    }
}

static void sm_become_first(SmIommu *s)
{
    s->units = g_ptr_array_new();
    s->machine_done.notify = sm_check_all_roots;
    qemu_add_machine_init_done_notifier(&s->machine_done);
}

bool sm_scope_init(SmIommu *s, Error **errp)
{
    bool first = sm_first_unit() == s;

    if (!s->bus) {
        s->bus = sm_machine()->pcibus;
    }
    if (!(first ? sm_check_first_bus(s->bus, errp)
                : sm_check_other_bus(s->bus, errp))) {
        return false;
    }
    if (first) {
        sm_become_first(s);
    }
    s->number = sm_units()->len;
    g_ptr_array_add(sm_first_unit()->units, s);
    return true;
}

/*
 * A q35 machine as a qtest finds it: no firmware has run.
 *
 * The verbs here do what firmware would: they make configuration space
 * visible in memory, place BARs and open bridge windows.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_Q35_H
#define TESTS_QTEST_Q35_H

#include <glib/gstdio.h>

#include "libqtest.h"
#include "hw/pci/pci_regs.h"

#define Q35_RAM_MIB     256
#define Q35_RAM_SIZE    (Q35_RAM_MIB * 1024ull * 1024)
#define Q35_ECAM        0xb0000000ull
#define Q35_MMIO        0xc0000000ull   /* BARs: from here ... */
#define Q35_MMIO_END    0xe0000000ull   /* ... to here */
#define Q35_ROM_SIZE    (64 * 1024u)
#define Q35_ROM         (0x100000000ull - Q35_ROM_SIZE)

/* A function on a bus. */
typedef struct Q35Function {
    QTestState *qts;
    uint16_t sid;           /* bus 15:8, device 7:3, function 2:0 */
} Q35Function;

#define Q35_SID(bus, dev, fn) ((bus) << 8 | (dev) << 3 | (fn))

/*
 * No instruction is executed, so any file will do for the machine's firmware,
 * and none needs to be installed: it begins with @len bytes at @bytes, and goes
 * on with zeroes.  The caller unlinks and frees the name.
 */
static inline char *q35_firmware(const void *bytes, size_t len)
{
    g_autofree char *rom = g_malloc0(Q35_ROM_SIZE);
    char *name = NULL;
    int fd = g_file_open_tmp("q35-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    memcpy(rom, bytes, len);
    g_assert_cmpint(write(fd, rom, Q35_ROM_SIZE), ==, Q35_ROM_SIZE);
    close(fd);
    return name;
}

/* Host bridge, PCIEXBAR: 256 MiB of configuration space. */
static inline void q35_config_open(QTestState *qts)
{
    qtest_outl(qts, 0xcf8, 0x80000060);
    qtest_outl(qts, 0xcfc, Q35_ECAM | 1);
}

static inline char *q35_blank_firmware(void)
{
    return q35_firmware("", 0);
}

static inline QTestState *q35_start_of(unsigned mib, const char *args,
                                       const void *rom, size_t len)
{
    g_autofree char *name = q35_firmware(rom, len);
    QTestState *qts;

    qts = qtest_initf("-machine q35 -nodefaults -m %u -bios %s %s",
                      mib, name, args);
    g_unlink(name);
    q35_config_open(qts);
    return qts;
}

/* Start the machine with more @args; what its ROM begins with is at Q35_ROM. */
static inline QTestState *q35_start_rom(const char *args, const void *rom,
                                        size_t len)
{
    return q35_start_of(Q35_RAM_MIB, args, rom, len);
}

static inline QTestState *q35_start_with_ram(unsigned mib, const char *args)
{
    return q35_start_of(mib, args, "", 0);
}

static inline QTestState *q35_start(const char *args)
{
    return q35_start_with_ram(Q35_RAM_MIB, args);
}

static inline uint64_t q35_config_addr(const Q35Function *f, unsigned offset)
{
    return Q35_ECAM + ((uint64_t)f->sid << 12) + offset;
}

static inline uint8_t q35_config_readb(const Q35Function *f, unsigned offset)
{
    return qtest_readb(f->qts, q35_config_addr(f, offset));
}

static inline uint16_t q35_config_readw(const Q35Function *f, unsigned offset)
{
    return qtest_readw(f->qts, q35_config_addr(f, offset));
}

static inline uint32_t q35_config_readl(const Q35Function *f, unsigned offset)
{
    return qtest_readl(f->qts, q35_config_addr(f, offset));
}

static inline void q35_config_writeb(const Q35Function *f, unsigned offset,
                                     uint8_t value)
{
    qtest_writeb(f->qts, q35_config_addr(f, offset), value);
}

static inline void q35_config_writew(const Q35Function *f, unsigned offset,
                                     uint16_t value)
{
    qtest_writew(f->qts, q35_config_addr(f, offset), value);
}

static inline void q35_config_writel(const Q35Function *f, unsigned offset,
                                     uint32_t value)
{
    qtest_writel(f->qts, q35_config_addr(f, offset), value);
}

/* Offset of a capability, 0 if the function has none of that kind. */
static inline unsigned q35_capability(const Q35Function *f, uint8_t id)
{
    unsigned pos = q35_config_readb(f, PCI_CAPABILITY_LIST);

    while (pos && q35_config_readb(f, pos) != id) {
        pos = q35_config_readb(f, pos + 1);
    }
    return pos;
}

static inline unsigned q35_extended_capability(const Q35Function *f,
                                               uint16_t id)
{
    unsigned pos = PCI_CFG_SPACE_SIZE;

    while (pos && (q35_config_readl(f, pos) & 0xffff) != id) {
        pos = q35_config_readl(f, pos) >> 20;
    }
    return pos;
}

/* Size of a memory BAR; the BAR is left unplaced. */
static inline uint64_t q35_bar_size(const Q35Function *f, unsigned bar)
{
    unsigned reg = PCI_BASE_ADDRESS_0 + 4 * bar;
    uint64_t mask;

    q35_config_writel(f, reg, 0xffffffff);
    mask = 0xffffffff00000000ull | (q35_config_readl(f, reg) & ~0xfu);
    return ~mask + 1;
}

/* Place a BAR at the next address that suits it; @next moves on. */
static inline uint64_t q35_bar_place(const Q35Function *f, unsigned bar,
                                     uint64_t *next)
{
    uint64_t size = q35_bar_size(f, bar);
    uint64_t addr = (*next + size - 1) / size * size;
    unsigned reg = PCI_BASE_ADDRESS_0 + 4 * bar;

    g_assert_cmpuint(addr + size, <=, Q35_MMIO_END);
    q35_config_writel(f, reg, addr);
    if (q35_config_readl(f, reg) & PCI_BASE_ADDRESS_MEM_TYPE_64) {
        q35_config_writel(f, reg + 4, 0);
    }
    *next = addr + size;
    return addr;
}

static inline void q35_command_set(const Q35Function *f, uint16_t bits)
{
    q35_config_writew(f, PCI_COMMAND, q35_config_readw(f, PCI_COMMAND) | bits);
}

static inline void q35_command_clear(const Q35Function *f, uint16_t bits)
{
    q35_config_writew(f, PCI_COMMAND, q35_config_readw(f, PCI_COMMAND) & ~bits);
}

/* A root port: @bus behind it, the whole window through it. */
static inline void q35_bridge_open(const Q35Function *port, uint8_t bus)
{
    q35_config_writeb(port, PCI_PRIMARY_BUS, 0);
    q35_config_writeb(port, PCI_SECONDARY_BUS, bus);
    q35_config_writeb(port, PCI_SUBORDINATE_BUS, bus);
    q35_config_writew(port, PCI_MEMORY_BASE, Q35_MMIO >> 16);
    q35_config_writew(port, PCI_MEMORY_LIMIT, (Q35_MMIO_END - 1) >> 16);
    q35_command_set(port, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* ---- Slots --------------------------------------------------------------- */

/* Hot-plug by the ports' own registers, not by ACPI. */
#define Q35_NATIVE_HOTPLUG \
    "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "

#define Q35_SLOT_OFF    (PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF)
#define Q35_SLOT_ON     PCI_EXP_SLTCTL_PWR_IND_ON

/* What is written there may take a device away, or give it power. */
static inline uint64_t q35_slot_control_addr(const Q35Function *port)
{
    return q35_config_addr(port, q35_capability(port, PCI_CAP_ID_EXP) +
                                 PCI_EXP_SLTCTL);
}

static inline void q35_slot_set(const Q35Function *port, uint16_t control)
{
    qtest_writew(port->qts, q35_slot_control_addr(port), control);
}

#endif /* TESTS_QTEST_Q35_H */

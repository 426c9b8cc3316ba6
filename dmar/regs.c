/*
 * The register file [VT-d 11.4].
 *
 * A register is a row: where it is, which bits software may write, which it
 * clears by writing one, and what happens then.  Reading, halves of 64-bit
 * registers and clearing are the same for all [VT-d 11.2 Software Access to
 * Registers].  A 64-bit access that does not meet a 64-bit register is two
 * 32-bit accesses, low half first.
 *
 * Fault recording registers are not rows of the table: there are as many as
 * the configuration says, all alike, and all that software can do is to clear
 * F.  Memory type, protected memory, page request, performance monitoring and
 * enhanced command registers are absent: they read zero and ignore writes.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "unit.h"

struct DmarRegister {
    const char *name;
    uint16_t offset;
    uint8_t width;              /* bytes */
    uint64_t reset;
    uint64_t writable;
    uint64_t write_1_clears;
    void (*effect)(Dmar *dmar, uint64_t written);
    uint64_t needs;             /* ECAP bits without which it is absent */
};

static void fault_status_effect(Dmar *dmar, uint64_t written)
{
    bool was_stopped = written & (FSTS_IQE | FSTS_ITE);

    dmar_fault_status_written(dmar);
    if (was_stopped) {
        dmar_queue_run(dmar);
    }
}

static void fault_control_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_fault_control_written(dmar);
}

static void completion_status_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    if (!(dmar_get32(dmar, ICS_REG) & ICS_IWC)) {
        dmar_set32(dmar, IECTL_REG,
                   dmar_get32(dmar, IECTL_REG) & ~(uint32_t)EVENT_CTL_IP);
    }
}

static void completion_control_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_event_settle(dmar, IECTL_REG);
}

/* EIME is reserved without EIM [VT-d 11.4.10]. */
static void interrupt_table_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    if (!dmar_has(dmar, ECAP_EIM)) {
        dmar_set64(dmar, IRTA_REG, dmar_get64(dmar, IRTA_REG) & ~IRTA_EIME);
    }
}

static void queue_tail_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_queue_run(dmar);
}

#define ALL32 UINT64_C(0xffffffff)

static const DmarRegister rows[] = {
    { "VER", VER_REG, 4 },
    { "CAP", CAP_REG, 8, .reset = 0 },
    { "ECAP", ECAP_REG, 8, .reset = 0 },
    { "GCMD", GCMD_REG, 4, .effect = dmar_command },
    { "GSTS", GSTS_REG, 4, .reset = 0 },
    { "RTADDR", RTADDR_REG, 8, .writable = RTADDR_RTA | RTADDR_TTM },
    { "CCMD", CCMD_REG, 8,
      .writable = CCMD_ICC | CCMD_CIRG | CCMD_FM | CCMD_SID | CCMD_DID,
      .effect = dmar_context_command },
    { "FSTS", FSTS_REG, 4,
      .write_1_clears = FSTS_PFO | FSTS_IQE | FSTS_ICE | FSTS_ITE,
      .effect = fault_status_effect },
    { "FECTL", FECTL_REG, 4, .reset = EVENT_CTL_IM, .writable = EVENT_CTL_IM,
      .effect = fault_control_effect },
    { "FEDATA", FEDATA_REG, 4, .writable = EVENT_DATA },
    { "FEADDR", FEADDR_REG, 4, .writable = EVENT_ADDR },
    { "FEUADDR", FEUADDR_REG, 4, .writable = ALL32 },
    { "IQH", IQH_REG, 8, .reset = 0 },
    { "IQT", IQT_REG, 8, .writable = IQ_POINTER, .effect = queue_tail_effect },
    { "IQA", IQA_REG, 8, .writable = IQA_IQA | IQA_DW | IQA_QS },
    { "ICS", ICS_REG, 4, .write_1_clears = ICS_IWC,
      .effect = completion_status_effect },
    { "IECTL", IECTL_REG, 4, .reset = EVENT_CTL_IM, .writable = EVENT_CTL_IM,
      .effect = completion_control_effect },
    { "IEDATA", IEDATA_REG, 4, .writable = EVENT_DATA },
    { "IEADDR", IEADDR_REG, 4, .writable = EVENT_ADDR },
    { "IEUADDR", IEUADDR_REG, 4, .writable = ALL32 },
    { "IQERCD", IQERCD_REG, 8, .reset = 0 },
    { "IRTA", IRTA_REG, 8, .writable = IRTA_IRTA | IRTA_EIME | IRTA_S,
      .effect = interrupt_table_effect, .needs = ECAP_IR },
    { "IVA", IVA_REG, 8, .writable = IVA_ADDR | IVA_IH | IVA_AM },
    { "IOTLB", IOTLB_REG, 8,
      .writable = IOTLB_IVT | IOTLB_IIRG | IOTLB_DR | IOTLB_DW | IOTLB_DID,
      .effect = dmar_iotlb_command },
};

uint32_t dmar_get32(const Dmar *dmar, uint64_t offset)
{
    uint32_t value;

    memcpy(&value, dmar->registers + offset, sizeof(value));
    return value;
}

uint64_t dmar_get64(const Dmar *dmar, uint64_t offset)
{
    return dmar_get32(dmar, offset) |
           (uint64_t)dmar_get32(dmar, offset + 4) << 32;
}

void dmar_set32(Dmar *dmar, uint64_t offset, uint32_t value)
{
    memcpy(dmar->registers + offset, &value, sizeof(value));
}

void dmar_set64(Dmar *dmar, uint64_t offset, uint64_t value)
{
    dmar_set32(dmar, offset, value);
    dmar_set32(dmar, offset + 4, value >> 32);
}

static bool present(const Dmar *dmar, const DmarRegister *row)
{
    return (dmar->ecap & row->needs) == row->needs;
}

void dmar_registers_init(Dmar *dmar)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const DmarRegister *row = &rows[i];

        for (unsigned at = 0; present(dmar, row) && at < row->width; at += 4) {
            dmar->register_at[(row->offset + at) / 4] = row;
        }
    }
}

void dmar_registers_reset(Dmar *dmar)
{
    memset(dmar->registers, 0, sizeof(dmar->registers));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (present(dmar, &rows[i])) {
            dmar_set32(dmar, rows[i].offset, rows[i].reset);
        }
    }
    dmar_set32(dmar, VER_REG,
               field_make(dmar_caps_version(&dmar->config), VER_MAX));
    dmar_set64(dmar, CAP_REG, dmar->cap);
    dmar_set64(dmar, ECAP_REG, dmar->ecap);
}

/* ---- Reading and writing ------------------------------------------------- */

/* The bits of @row that a write of @size bytes at @offset touches. */
static uint64_t touched(const DmarRegister *row, uint64_t offset, unsigned size)
{
    return low_bits(8 * size) << (8 * (offset - row->offset));
}

static void write_row(Dmar *dmar, const DmarRegister *row, uint64_t written,
                      uint64_t mask)
{
    uint64_t old = row->width == 8 ? dmar_get64(dmar, row->offset)
                                   : dmar_get32(dmar, row->offset);
    uint64_t writable = row->writable & mask;
    uint64_t value = (old & ~writable) | (written & writable);

    value &= ~(written & row->write_1_clears & mask);
    if (row->width == 8) {
        dmar_set64(dmar, row->offset, value);
    } else {
        dmar_set32(dmar, row->offset, value);
    }
    if (row->effect) {
        row->effect(dmar, written & mask);
    }
}

/* The dword of fault record n that holds F [VT-d 11.4.7.6]. */
static bool is_fault_flag(const Dmar *dmar, uint64_t offset)
{
    return offset >= FRCD_REG(0) &&
           offset < FRCD_REG(dmar->config.fault_records) && offset % 16 == 12;
}

static void write_fault_flag(Dmar *dmar, uint64_t offset, uint32_t written)
{
    uint32_t flag = FRCD1_F >> 32;

    dmar_set32(dmar, offset, dmar_get32(dmar, offset) & ~(written & flag));
    dmar_fault_status_written(dmar);
}

static void write_unit(Dmar *dmar, uint64_t offset, unsigned size,
                       uint64_t value)
{
    const DmarRegister *row = dmar->register_at[offset / 4];

    dmar_report(dmar, DMAR_EVENT_REGISTER_WRITE, 0, DMAR_NO_PASID, offset,
                value, size);
    if (row) {
        uint64_t mask = touched(row, offset, size);

        write_row(dmar, row, value << (8 * (offset - row->offset)), mask);
    } else if (is_fault_flag(dmar, offset)) {
        write_fault_flag(dmar, offset, value);
    }
}

static bool access_valid(uint64_t offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0 &&
           offset <= DMAR_MMIO_SIZE - size;
}

static bool is_whole_register(const Dmar *dmar, uint64_t offset)
{
    const DmarRegister *row = dmar->register_at[offset / 4];

    return row && row->width == 8 && row->offset == offset;
}

uint64_t dmar_reg_read(Dmar *dmar, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    if (!access_valid(offset, size)) {
        return 0;
    }
    g_mutex_lock(&dmar->lock);
    value = size == 8 ? dmar_get64(dmar, offset) : dmar_get32(dmar, offset);
    g_mutex_unlock(&dmar->lock);
    return value;
}

void dmar_reg_write(Dmar *dmar, uint64_t offset, unsigned size, uint64_t value)
{
    if (!access_valid(offset, size)) {
        return;
    }
    g_mutex_lock(&dmar->lock);
    if (size == 4 || is_whole_register(dmar, offset)) {
        write_unit(dmar, offset, size, size == 4 ? (uint32_t)value : value);
    } else {
        write_unit(dmar, offset, 4, (uint32_t)value);
        write_unit(dmar, offset + 4, 4, value >> 32);
    }
    g_mutex_unlock(&dmar->lock);
}

const char *dmar_register_name(uint64_t offset)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (offset >= rows[i].offset &&
            offset < rows[i].offset + rows[i].width) {
            return rows[i].name;
        }
    }
    return offset >= FRCD_REG(0) && offset < FRCD_REG(DMAR_MAX_FAULT_RECORDS)
           ? "FRCD" : NULL;
}

/*
 * The register file [VT-d 11.4].
 *
 * A register is a row: where it is, which bits software may write, which it
 * clears by writing one, and what happens then.  Reading, halves of 64-bit
 * registers and clearing are the same for all [VT-d 11.2 Software Access to
 * Registers].  A 64-bit access that does not meet a 64-bit register is two
 * 32-bit accesses, low half first.
 *
 * A row may stand for several registers, one for each fault record, which are
 * all alike and equally far apart.
 *
 * Memory type, protected memory, page request, performance monitoring and
 * enhanced command registers are absent: they read zero and ignore writes.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "unit.h"

/* How many there are of a register. */
typedef enum Number { ONE, EACH_FAULT_RECORD } Number;

struct DmarRegister {
    const char *name;
    uint16_t offset;            /* of the first */
    uint8_t width;              /* bytes */
    uint64_t reset;
    uint64_t writable;
    uint64_t write_1_clears;
    void (*effect)(Dmar *dmar, uint64_t written);
    uint64_t needs;             /* ECAP bits without which it is absent */
    Number number;
    uint16_t stride;            /* from one to the next */
};

static void fault_status_effect(Dmar *dmar, uint64_t written)
{
    bool was_stopped = written & (FSTS_IQE | FSTS_ITE);

    dmar_fault_status_written(dmar);
    if (was_stopped) {
        dmar_queue_run(dmar);
    }
}

static void fault_record_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_fault_status_written(dmar);
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
    { "FRCD", FRCD_REG(0), 8, .number = EACH_FAULT_RECORD,
      .stride = FRCD_SIZE },
    { "FRCD", FRCD_REG(0) + 8, 8, .write_1_clears = FRCD1_F,
      .effect = fault_record_effect, .number = EACH_FAULT_RECORD,
      .stride = FRCD_SIZE },
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

static unsigned number_of(const DmarConfig *config, const DmarRegister *row)
{
    return row->number == EACH_FAULT_RECORD ? config->fault_records : 1;
}

/* Where the register begins that @offset is in. */
static uint64_t start_of(const DmarRegister *row, uint64_t offset)
{
    return row->stride ? offset - (offset - row->offset) % row->stride
                       : row->offset;
}

static void place(Dmar *dmar, const DmarRegister *row, uint64_t start)
{
    for (unsigned at = 0; at < row->width; at += 4) {
        dmar->register_at[(start + at) / 4] = row;
    }
}

void dmar_registers_init(Dmar *dmar)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const DmarRegister *row = &rows[i];

        for (unsigned n = 0; present(dmar, row) &&
             n < number_of(&dmar->config, row); n++) {
            place(dmar, row, row->offset + n * row->stride);
        }
    }
}

static void set_value(Dmar *dmar, const DmarRegister *row, uint64_t start,
                      uint64_t value)
{
    if (row->width == 8) {
        dmar_set64(dmar, start, value);
    } else {
        dmar_set32(dmar, start, value);
    }
}

void dmar_registers_reset(Dmar *dmar)
{
    memset(dmar->registers, 0, sizeof(dmar->registers));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (present(dmar, &rows[i])) {
            set_value(dmar, &rows[i], rows[i].offset, rows[i].reset);
        }
    }
    dmar_set32(dmar, VER_REG,
               field_make(dmar_caps_version(&dmar->config), VER_MAX));
    dmar_set64(dmar, CAP_REG, dmar->cap);
    dmar_set64(dmar, ECAP_REG, dmar->ecap);
}

/* ---- Reading and writing ------------------------------------------------- */

static uint64_t value_of(const Dmar *dmar, const DmarRegister *row,
                         uint64_t start)
{
    return row->width == 8 ? dmar_get64(dmar, start) : dmar_get32(dmar, start);
}

/* Write the bits of @mask. */
static void write_row(Dmar *dmar, const DmarRegister *row, uint64_t start,
                      uint64_t written, uint64_t mask)
{
    uint64_t old = value_of(dmar, row, start);
    uint64_t writable = row->writable & mask;
    uint64_t value = (old & ~writable) | (written & writable);

    value &= ~(written & row->write_1_clears & mask);
    set_value(dmar, row, start, value);
    if (row->effect) {
        row->effect(dmar, written & mask);
    }
}

static void write_unit(Dmar *dmar, uint64_t offset, unsigned size,
                       uint64_t value)
{
    const DmarRegister *row = dmar->register_at[offset / 4];

    dmar_report(dmar, DMAR_EVENT_REGISTER_WRITE, 0, DMAR_NO_PASID, offset,
                value, size);
    if (row) {
        uint64_t start = start_of(row, offset);
        unsigned shift = 8 * (offset - start);

        write_row(dmar, row, start, value << shift,
                  low_bits(8 * size) << shift);
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

    return row && row->width == 8 && start_of(row, offset) == offset;
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

static bool covers(const DmarRegister *row, uint64_t offset)
{
    static const DmarConfig most = { .fault_records = DMAR_MAX_FAULT_RECORDS };
    uint64_t start = offset >= row->offset ? start_of(row, offset) : row->offset;
    uint64_t last = row->offset + (number_of(&most, row) - 1) * row->stride;

    return offset >= start && offset < start + row->width && start <= last;
}

const char *dmar_register_name(uint64_t offset)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (covers(&rows[i], offset)) {
            return rows[i].name;
        }
    }
    return NULL;
}

/*
 * The register file [VT-d 11.4].
 *
 * A register is a row: where it is, which bits software may write, which it
 * clears by writing one, and what happens then.  Reading, halves of 64-bit
 * registers and clearing are the same for all [VT-d 11.2 Software Access to
 * Registers].  A 64-bit access that does not meet a 64-bit register is two
 * 32-bit accesses, low half first.
 *
 * A row may stand for several registers, one for each fault record or each
 * performance counter, which are all alike and equally far apart.
 *
 * Memory type registers are absent: they read zero and ignore writes.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "unit.h"

/* How many there are of a register. */
typedef enum Number {
    ONE,
    EACH_FAULT_RECORD,
    EACH_COUNTER,
    EACH_EVENT_GROUP,
    EACH_64_COMMANDS,
} Number;

struct DmarRegister {
    const char *name;
    uint16_t offset;            /* of the first */
    uint8_t width;              /* bytes */
    uint64_t reset;
    uint64_t writable;
    uint64_t write_1_clears;
    void (*effect)(Dmar *dmar, uint64_t written);
    uint64_t effect_of;         /* bits whose writing has it; 0: any */
    uint64_t needs;             /* ECAP bits without which it is absent */
    uint64_t needs_cap;         /* CAP bits likewise */
    Number number;
    uint16_t stride;            /* from one to the next */
    bool locked;                /* while its counter is enabled */
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

static void protection_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_protection_written(dmar);
}

static void completion_status_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    if (!(dmar_get32(dmar, ICS_REG) & ICS_IWC)) {
        dmar_event_withdraw(dmar, IECTL_REG);
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

static void perf_status_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_perf_interrupt_status_written(dmar);
}

static void perf_control_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_event_settle(dmar, PERFINTRCTL_REG);
}

static void queue_tail_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_queue_run(dmar);
}

static void page_status_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_page_status_written(dmar);
}

static void page_control_effect(Dmar *dmar, uint64_t written)
{
    (void)written;
    dmar_event_settle(dmar, PECTL_REG);
}

#define ALL32 UINT64_C(0xffffffff)
#define MMIO_PAGE 4096u
#define ALL64 UINT64_MAX

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
    { "PMEN", PMEN_REG, 4, .writable = PMEN_EPM, .effect = protection_effect,
      .needs_cap = CAP_PLMR },
    { "PLMBASE", PLMBASE_REG, 4, .writable = PLM_ADDR, .needs_cap = CAP_PLMR },
    { "PLMLIMIT", PLMLIMIT_REG, 4, .writable = PLM_ADDR, .needs_cap = CAP_PLMR },
    { "PHMBASE", PHMBASE_REG, 8, .writable = PHM_ADDR, .needs_cap = CAP_PHMR },
    { "PHMLIMIT", PHMLIMIT_REG, 8, .writable = PHM_ADDR, .needs_cap = CAP_PHMR },
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
    { "PQH", PQH_REG, 8, .writable = PQ_POINTER, .needs = ECAP_PRS },
    { "PQT", PQT_REG, 8, .writable = PQ_POINTER, .needs = ECAP_PRS },
    { "PQA", PQA_REG, 8, .writable = PQA_PQA | PQA_PQS, .needs = ECAP_PRS },
    { "PRS", PRS_REG, 4, .write_1_clears = PRS_PPR | PRS_PRO,
      .effect = page_status_effect, .needs = ECAP_PRS },
    { "PECTL", PECTL_REG, 4, .reset = EVENT_CTL_IM, .writable = EVENT_CTL_IM,
      .effect = page_control_effect, .needs = ECAP_PRS },
    { "PEDATA", PEDATA_REG, 4, .writable = EVENT_DATA, .needs = ECAP_PRS },
    { "PEADDR", PEADDR_REG, 4, .writable = EVENT_ADDR, .needs = ECAP_PRS },
    { "PEUADDR", PEUADDR_REG, 4, .writable = ALL32, .needs = ECAP_PRS },
    { "IVA", IVA_REG, 8, .writable = IVA_ADDR | IVA_IH | IVA_AM },
    { "IOTLB", IOTLB_REG, 8,
      .writable = IOTLB_IVT | IOTLB_IIRG | IOTLB_DR | IOTLB_DW | IOTLB_DID,
      .effect = dmar_iotlb_command },
    { "FRCD", FRCD_REG(0), 8, .number = EACH_FAULT_RECORD,
      .stride = FRCD_SIZE },
    { "FRCD", FRCD_REG(0) + 8, 8, .write_1_clears = FRCD1_F,
      .effect = fault_record_effect, .number = EACH_FAULT_RECORD,
      .stride = FRCD_SIZE },
    { "PERFCAP", PERFCAP_REG, 8, .reset = 0, .needs = ECAP_PMS },
    { "PERFCFGOFF", PERFCFGOFF_REG, 4, .reset = PERFCNTRCFG_REG(0),
      .needs = ECAP_PMS },
    { "PERFFRZOFF", PERFFRZOFF_REG, 4, .reset = PERFFRZSTS_REG,
      .needs = ECAP_PMS },
    { "PERFOVFOFF", PERFOVFOFF_REG, 4, .reset = PERFOVFSTS_REG,
      .needs = ECAP_PMS },
    { "PERFCNTROFF", PERFCNTROFF_REG, 4, .reset = PERFCNTR_REG(0),
      .needs = ECAP_PMS },
    { "PERFINTRSTS", PERFINTRSTS_REG, 4, .write_1_clears = PERFINTRSTS_PIS,
      .effect = perf_status_effect, .needs = ECAP_PMS },
    { "PERFINTRCTL", PERFINTRCTL_REG, 4, .reset = EVENT_CTL_IM,
      .writable = EVENT_CTL_IM, .effect = perf_control_effect,
      .needs = ECAP_PMS },
    { "PERFINTRDATA", PERFINTRDATA_REG, 4, .writable = EVENT_DATA,
      .needs = ECAP_PMS },
    { "PERFINTRADDR", PERFINTRADDR_REG, 4, .writable = EVENT_ADDR,
      .needs = ECAP_PMS },
    { "PERFINTRUADDR", PERFINTRUADDR_REG, 4, .writable = ALL32,
      .needs = ECAP_PMS },
    { "PERFEVNTCAP", PERFEVNTCAP_REG(0), 8, .needs = ECAP_PMS,
      .number = EACH_EVENT_GROUP, .stride = 8 },
    { "PERFFRZSTS", PERFFRZSTS_REG, 8, .reset = 0, .needs = ECAP_PMS },
    { "PERFOVFSTS", PERFOVFSTS_REG, 8, .write_1_clears = ALL64,
      .needs = ECAP_PMS },
    { "PERFCNTRCFG", PERFCNTRCFG_REG(0), 8,
      .writable = PERFCNTRCFG_IO | PERFCNTRCFG_GFO | PERFCNTRCFG_EGI |
                  PERFCNTRCFG_ES,
      .number = EACH_COUNTER, .stride = PERFCNTRCFG_STRIDE, .locked = true },
    { "PERFCNTR_ATFLTR", PERFCNTR_ATFLTR_REG(0), 4,
      .writable = PERFCNTR_FLTR_EN | PERFCNTR_ATFLTR_AT,
      .number = EACH_COUNTER, .stride = PERFCNTRCFG_STRIDE, .locked = true },
    { "PERFCNTR_PTLFLTR", PERFCNTR_PTLFLTR_REG(0), 4,
      .writable = PERFCNTR_FLTR_EN | PERFCNTR_PTLFLTR_PTL,
      .number = EACH_COUNTER, .stride = PERFCNTRCFG_STRIDE, .locked = true },
    { "PERFCNTR", PERFCNTR_REG(0), 8, .writable = PERFCNTR_CNTR,
      .number = EACH_COUNTER, .stride = PERFCNTR_STRIDE },
    { "ECMD", ECMD_REG, 8, .writable = ECMD_OA | ECMD_CMD,
      .effect = dmar_enhanced_command, .effect_of = ECMD_CMD,
      .needs_cap = CAP_ECMDS },
    { "ECEO", ECEO_REG, 8, .writable = ALL64, .needs_cap = CAP_ECMDS },
    { "ECRSP", ECRSP_REG, 8, .reset = 0, .needs_cap = CAP_ECMDS },
    { "ECCAP", ECCAP_REG(0), 8, .needs_cap = CAP_ECMDS,
      .number = EACH_64_COMMANDS, .stride = 8 },
};

static bool present(const Dmar *dmar, const DmarRegister *row)
{
    return (dmar->ecap & row->needs) == row->needs &&
           (dmar->cap & row->needs_cap) == row->needs_cap;
}

static unsigned number_of(const DmarConfig *config, const DmarRegister *row)
{
    switch (row->number) {
    case EACH_FAULT_RECORD:
        return config->fault_records;
    case EACH_COUNTER:
        return config->perf_counters;
    case EACH_EVENT_GROUP:
        return PERF_GROUPS;
    case EACH_64_COMMANDS:
        return 4;
    default:
        return 1;
    }
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
    dmar_enhanced_command_reset(dmar);
    dmar_perf_reset(dmar);
}

/* ---- Reading and writing ------------------------------------------------- */

static uint64_t value_of(const Dmar *dmar, const DmarRegister *row,
                         uint64_t start)
{
    return row->width == 8 ? dmar_get64(dmar, start) : dmar_get32(dmar, start);
}

static uint64_t writable_now(const Dmar *dmar, const DmarRegister *row,
                             uint64_t start)
{
    unsigned n = row->stride ? (start - row->offset) / row->stride : 0;

    return row->locked && dmar_perf_enabled(dmar, n) ? 0 : row->writable;
}

/* Write the bits of @mask. */
static void write_row(Dmar *dmar, const DmarRegister *row, uint64_t start,
                      uint64_t written, uint64_t mask)
{
    uint64_t old = value_of(dmar, row, start);
    uint64_t writable = writable_now(dmar, row, start) & mask;
    uint64_t value = (old & ~writable) | (written & writable);

    value &= ~(written & row->write_1_clears & mask);
    set_value(dmar, row, start, value);
    if (row->effect && (!row->effect_of || (mask & row->effect_of))) {
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

unsigned dmar_mmio_size(const DmarConfig *config)
{
    return config->perf_counters ? DMAR_MMIO_SIZE : MMIO_PAGE;
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
    static const DmarConfig most = {
        .fault_records = DMAR_MAX_FAULT_RECORDS,
        .perf_counters = DMAR_MAX_PERF_COUNTERS,
    };
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

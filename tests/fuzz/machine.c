/*
 * The machine of the fuzz targets: host callbacks, operations, and what is
 * judged after each.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/* A queue of the largest size, every descriptor with a few accesses. */
#define ACCESSES_AN_OPERATION   (1u << 20)

Machine m;

/* ---- Input --------------------------------------------------------------------- */

bool is_empty(const Input *in)
{
    return in->at == in->end;
}

uint8_t take8(Input *in)
{
    return is_empty(in) ? 0 : *in->at++;
}

uint16_t take16(Input *in)
{
    uint16_t low = take8(in);
    return low | take8(in) << 8;
}

/* The first byte says how the rest is shaped: values near a power of two, few
 * bits, and pointers are what interests a unit. */
uint64_t take64(Input *in)
{
    uint8_t shape = take8(in);
    uint64_t value = 0;

    switch (shape & 7) {
    case 0: return 0;
    case 1: return take8(in);
    case 2: return 1ull << (take8(in) & 63);
    case 3: return (1ull << (take8(in) & 63)) - 1;
    case 4: return ~0ull << (take8(in) & 63);
    case 5: return (uint64_t)(take8(in) % FUZZ_PAGES) * FUZZ_PAGE | take8(in);
    case 6: return (uint64_t)(take8(in) % FUZZ_PAGES) * FUZZ_PAGE | take16(in);
    }
    for (int i = 0; i < 8; i++) {
        value |= (uint64_t)take8(in) << 8 * i;
    }
    return value;
}

/* ---- What the engine sees ---------------------------------------------------- */

static bool access_answered(uint64_t addr, size_t len)
{
    g_assert(++m.accesses < ACCESSES_AN_OPERATION);
    return m.accesses != m.fail_access && len <= FUZZ_RAM &&
        addr <= FUZZ_RAM - len;
}

static bool host_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    bool answered = access_answered(addr, len);
    if (answered) {
        memcpy(buf, m.ram + addr, len);
    }
    return answered;
}

static bool host_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
    bool answered = access_answered(addr, len);
    if (answered) {
        memcpy(m.ram + addr, buf, len);
    }
    return answered;
}

static bool host_compare_exchange(void *opaque, uint64_t addr,
                                  uint64_t *expected, uint64_t desired)
{
    g_assert(addr % 8 == 0);
    if (!access_answered(addr, 8)) {
        return false;
    }
    uint64_t found = peek(addr);
    if (found == *expected) {
        poke(addr, desired);
    }
    *expected = found;
    return true;
}

static void host_send_msi(void *opaque, uint64_t addr, uint32_t data)
{
}

static void host_interrupts_dropped(void *opaque, uint16_t first, uint16_t last)
{
    g_assert(first <= last);
}

/* Odd functions take their time, until any_answer(). */
static bool host_device_tlb(void *opaque, unsigned itag,
                            const DmarDeviceTlbInvalidation *what)
{
    g_assert(itag < DMAR_ITAGS);
    g_assert((what->size & (what->size - 1)) == 0);
    g_assert(what->size == 0 || what->addr % what->size == 0);
    return !(what->source_id & 1);
}

static void host_event(void *opaque, const DmarEvent *event)
{
    g_assert(dmar_event_name(event->kind) != NULL);
}

static const DmarHost host = {
    .read = host_read,
    .write = host_write,
    .compare_exchange = host_compare_exchange,
    .send_msi = host_send_msi,
    .interrupts_dropped = host_interrupts_dropped,
    .device_tlb = host_device_tlb,
    .event = host_event,
};

/* ---- Life ------------------------------------------------------------------------- */

#define EVERYTHING  .scalable = true, .first_stage = true, \
    .first_stage_5level = true, .first_stage_1g = true, \
    .extended_accessed = true, .supervisor = true, .second_stage_dirty = true, \
    .nested = true, .pass_through = true, .rid_privilege = true, \
    .snoop_control = true, .abort_dma = true, .device_tlb = true, \
    .no_write_flag = true, .device_tlb_throttle = true, .page_requests = true, \
    .protected_memory = true, .perf_counters = 3, \
    .interrupt_remapping = true, .x2apic = true, .posted_interrupts = true

#define LITTLE      .scalable = true, .pass_through = true, \
    .interrupt_remapping = true

static const DmarConfig configs[] = {
    { .aw_bits = 57, .host_width = 52, .pasid_bits = 20, .domain_bits = 16,
      .fault_records = 8, EVERYTHING },
    { .aw_bits = 48, .host_width = 46, .pasid_bits = 20, .domain_bits = 8,
      .fault_records = 1, EVERYTHING, .caching_mode = true,
      .root_invalidates = true, .interrupt_root_invalidates = true },
    { .aw_bits = 57, .host_width = 46, .pasid_bits = 14, .domain_bits = 16,
      .fault_records = 8, LITTLE, .device_tlb = true, .snoop_control = true },
    { .aw_bits = 39, .host_width = 39, .pasid_bits = 20, .domain_bits = 16,
      .fault_records = 2, LITTLE },
    { .aw_bits = 48, .host_width = 39, .domain_bits = 16, .fault_records = 1,
      .interrupt_remapping = true, .x2apic = true },
};

#define FLAG(name)  offsetof(DmarConfig, name)

/* What an input may switch over. */
static const size_t flags[] = {
    FLAG(first_stage_5level), FLAG(first_stage_1g), FLAG(extended_accessed),
    FLAG(supervisor), FLAG(no_second_stage), FLAG(no_large_pages),
    FLAG(second_stage_dirty), FLAG(nested), FLAG(pass_through),
    FLAG(no_rid_pasid), FLAG(incoherent_walk), FLAG(snoop_control),
    FLAG(caching_mode), FLAG(abort_dma), FLAG(root_invalidates),
    FLAG(no_write_flag), FLAG(device_tlb_throttle), FLAG(page_requests),
    FLAG(x2apic), FLAG(posted_interrupts),
};

static void configure(Input *in)
{
    uint8_t what = take8(in);
    unsigned flag = what >> 3;

    m.config = configs[(what & 7) % G_N_ELEMENTS(configs)];
    if (flag < G_N_ELEMENTS(flags)) {
        bool *at = (bool *)((char *)&m.config + flags[flag]);
        *at = !*at;
    }
}

bool start(Input *in)
{
    memset(&m, 0, sizeof(m));
    configure(in);
    m.dmar = dmar_new(&m.config, &host, &m, NULL);
    return m.dmar != NULL;
}

void stop(void)
{
    dmar_free(m.dmar);
    m.dmar = NULL;
}

/* ---- Software's side ------------------------------------------------------------ */

uint64_t peek(uint64_t addr)
{
    uint64_t value = 0;
    if (addr <= FUZZ_RAM - 8) {
        memcpy(&value, m.ram + addr, 8);
    }
    return GUINT64_FROM_LE(value);
}

void poke(uint64_t addr, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    if (addr <= FUZZ_RAM - 8) {
        memcpy(m.ram + addr, &value, 8);
    }
}

static void begin_operation(void)
{
    m.accesses = 0;
}

/* The head stays inside of the largest queue, whatever IQA says. */
static void judge_registers(void)
{
    g_assert(dmar_reg_read(m.dmar, IQH_REG, 8) < 1u << 19);
    g_assert(field_get(dmar_reg_read(m.dmar, FSTS_REG, 4), FSTS_FRI) <
             m.config.fault_records);
}

void write_register(uint64_t offset, unsigned size, uint64_t value)
{
    begin_operation();
    dmar_reg_write(m.dmar, offset, size, value);
    dmar_reg_read(m.dmar, offset, size);
    judge_registers();
}

void command(uint32_t bits, bool on)
{
    uint32_t state = dmar_reg_read(m.dmar, GSTS_REG, 4) &
        (GCMD_TE | GCMD_QIE | GCMD_IRE | GCMD_CFI);
    write_register(GCMD_REG, 4, on ? state | bits : state & ~bits);
}

void submit(const uint64_t words[4])
{
    uint64_t iqa = dmar_reg_read(m.dmar, IQA_REG, 8);
    uint64_t tail = dmar_reg_read(m.dmar, IQT_REG, 8);
    unsigned width = iqa & IQA_DW ? 32 : 16;

    for (unsigned i = 0; i < width / 8; i++) {
        poke((iqa & IQA_IQA) + tail + 8 * i, words[i]);
    }
    uint64_t size = (uint64_t)FUZZ_PAGE << field_get(iqa, IQA_QS);
    write_register(IQT_REG, 8, (tail + width) % size);
}

/* ---- Operations -------------------------------------------------------------------- */

static const uint16_t registers[] = {
    GCMD_REG, RTADDR_REG, CCMD_REG, FSTS_REG, FECTL_REG, FEDATA_REG,
    FEADDR_REG, FEUADDR_REG, IQT_REG, IQA_REG, IQH_REG, ICS_REG, IECTL_REG,
    IEDATA_REG, IEADDR_REG, IQERCD_REG, IRTA_REG, IVA_REG, IOTLB_REG,
    FRCD_REG(0) + 8, FRCD_REG(0) + 12, 0xc0, 0xc8, 0xd0, 0xdc, 0xe0,
};

void any_register_write(Input *in)
{
    uint8_t which = take8(in);
    uint64_t offset = which < 4 * G_N_ELEMENTS(registers)
        ? registers[which / 4] : (uint64_t)take16(in) % (DMAR_MMIO_SIZE + 64);
    write_register(offset + (which & 1 ? 4 : 0), which & 2 ? 8 : 4, take64(in));
}

void any_poke(Input *in)
{
    uint64_t addr = (uint64_t)(take8(in) % FUZZ_PAGES) * FUZZ_PAGE +
        take16(in) % (FUZZ_PAGE / 8) * 8;
    uint64_t value = take64(in);
    uint8_t how = take8(in);
    poke(addr, how & 1 ? value : value ^ peek(addr));
}

static void judge_success(const DmarRequest *request, const DmarTranslation *t)
{
    g_assert(t->size && (t->size & (t->size - 1)) == 0);
    g_assert(((t->addr ^ request->addr) & (t->size - 1)) == 0);
    if (request->type == DMAR_TRANSLATION_REQUEST ||
        !(dmar_reg_read(m.dmar, GSTS_REG, 4) & GCMD_TE)) {
        return;
    }
    g_assert(t->reason == 0);
    g_assert(t->addr >> m.config.host_width == 0);
    g_assert(request->access != DMAR_READ || t->read);
    g_assert(request->access != DMAR_WRITE || t->write);
}

void any_request(Input *in)
{
    uint8_t how = take8(in), who = take8(in);
    DmarRequest request = {
        .source_id = who & 0x80 ? take16(in) : who & 0x0f,
        .pasid = who & 0x10 ? DMAR_NO_PASID : who & 0x20 ? take16(in) : who & 3,
        .addr = take64(in),
        .access = how % (DMAR_PROBE + 1),
        .type = (how >> 3) % 3,
        .no_write = how & 0x20, .privileged = how & 0x40, .execute = how & 0x80,
    };
    DmarTranslation t = { 0 };

    begin_operation();
    dmar_translate(m.dmar, &request, &t);
    g_assert(t.completion <= DMAR_COMPLETER_ABORT);
    if (t.completion == DMAR_SUCCESS) {
        judge_success(&request, &t);
    }
    judge_registers();
}

void any_interrupt(Input *in)
{
    uint8_t how = take8(in);
    DmarInterruptRequest request = {
        .source_id = how & 1 ? take16(in) : 0,
        .addr = 0xfee00000 | (how & 2 ? 0x10 : 0) | take16(in),
        .data = take64(in),
        .size = how & 4 ? take8(in) : 4,
        .is_write = !(how & 8),
        .source_unknown = how & 16,
    };
    DmarInterrupt out = { 0 };

    begin_operation();
    DmarInterruptVerdict verdict = dmar_remap_interrupt(m.dmar, &request, &out);
    g_assert((verdict == DMAR_INTERRUPT_BLOCKED) == (out.reason != 0));
    judge_registers();
}

void any_answer(Input *in)
{
    uint8_t how = take8(in);

    begin_operation();
    if (how & 1) {
        dmar_device_tlb_timed_out(m.dmar, how >> 1);
    } else {
        dmar_device_tlb_completed(m.dmar, take16(in), take64(in), how >> 5);
    }
    judge_registers();
}

void any_page_request(Input *in)
{
    uint16_t how = take16(in);
    DmarPageRequest request = {
        .source_id = how & 1 ? take16(in) : 0,
        .pasid = how & 2 ? take64(in) & 0xfffff : DMAR_NO_PASID,
        .addr = take64(in),
        .read = how & 4, .write = how & 8, .execute = how & 16,
        .privileged = how & 32, .last = how & 64, .group = how >> 7,
    };
    DmarPageResponse response = { 0 };

    begin_operation();
    dmar_page_request(m.dmar, &request, &response);
    judge_registers();
}

void any_descriptor(Input *in)
{
    uint8_t type = take8(in);
    uint64_t words[4] = {
        take64(in) << 16 | (take8(in) & 0xf0) | (type & 15), 0, 0, 0,
    };

    words[1] = type & 16 ? take64(in) & ~0xf80ull : 0;
    words[2] = type & 32 ? take64(in) : 0;
    words[3] = type & 64 ? take64(in) : 0;
    submit(words);
}

static void visit(const DmarPasidStats *row, void *data)
{
}

void any_life_event(Input *in)
{
    g_autofree DmarState *state = g_new(DmarState, 1);

    switch (take8(in) % 4) {
    case 0:
        dmar_reset(m.dmar);
        break;
    case 1:
        dmar_save(m.dmar, state);
        g_assert(dmar_load(m.dmar, state, NULL));
        break;
    case 2:
        dmar_foreach_pasid(m.dmar, visit, NULL);
        break;
    case 3:
        m.fail_access = take8(in) % 32;
        break;
    }
    judge_registers();
}

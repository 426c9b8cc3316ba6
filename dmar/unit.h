/*
 * What the engine's modules share: the unit itself, and the plain values that
 * travel between resolve, walk, cache and fault.  Not for users of the engine.
 *
 * The lock: public functions take dmar->lock on entry; everything declared
 * here runs with it held.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_UNIT_H
#define DMAR_UNIT_H

#include <string.h>

#include "dmar.h"
#include "spec/descriptors.h"
#include "spec/faults.h"
#include "spec/interrupts.h"
#include "spec/page_requests.h"
#include "spec/paging.h"
#include "spec/perfmon.h"
#include "spec/registers.h"
#include "spec/tables.h"

/* A paging structure: where, and how many levels there are from it on. */
typedef struct DmarRoot {
    uint64_t addr;
    uint8_t levels;
} DmarRoot;

enum { DMAR_MOST_LEVELS = 5 };

typedef enum DmarStageId { DMAR_FIRST_STAGE, DMAR_SECOND_STAGE } DmarStageId;

/*
 * How a (source-id, PASID) is translated: what context.c and pasid.c make of
 * root, context and PASID entries, and all that the walker sees.
 */
typedef struct DmarBinding {
    uint16_t source_id;
    uint8_t fault;              /* cached only: why there is no binding */
    uint32_t pasid;             /* tag of cached translations */
    uint16_t domain;
    uint8_t pgtt;
    DmarRoot root[2];           /* by stage; guest-physical the first, nested */
    bool legacy;                /* fault reasons of legacy mode apply */
    bool no_snoop_forced;       /* PGSNP */
    bool walk_snooped;          /* PWSNP: bits of entries can be set */
    bool second_stage_dirty;    /* SSADE */
    bool extended_accessed;     /* EAFE */
    bool write_protect;         /* WPE */
    bool supervisor;            /* SRE */
    bool rid_privileged;        /* RID_PRIV: of requests without PASID */
    bool fpd;                   /* some FPD was set on the way here */
} DmarBinding;

/* The tables that the address of a request goes to first. */
static inline const DmarRoot *dmar_outer_root(const DmarBinding *binding)
{
    bool first = binding->pgtt == PGTT_FIRST_STAGE ||
                 binding->pgtt == PGTT_NESTED;

    return &binding->root[first ? DMAR_FIRST_STAGE : DMAR_SECOND_STAGE];
}

/* A cached context entry: of one mode or the other. */
typedef struct DmarContext {
    uint16_t source_id;
    uint8_t fault;              /* cached only: why there is no context */
    bool legacy;
    bool fpd;
    bool device_tlb;            /* translation and translated requests pass */
    /* legacy mode */
    DmarBinding binding;
    /* scalable mode */
    bool page_requests;
    bool pasid_enabled;
    bool rid_privileged;
    uint8_t pdts;
    uint32_t rid_pasid;
    uint64_t directory;
} DmarContext;

/* What every entry of a walk so far grants.  A stage that has no part in a
 * translation grants all that is its to grant. */
enum {
    RIGHT_READ = 1,             /* second stage */
    RIGHT_WRITE = 2,
    RIGHT_USER = 4,             /* first stage: U/S, R/W */
    RIGHT_WRITABLE = 8,
    RIGHTS_SECOND = RIGHT_READ | RIGHT_WRITE,
    RIGHTS_FIRST = RIGHT_USER | RIGHT_WRITABLE,
    RIGHTS_ALL = RIGHTS_FIRST | RIGHTS_SECOND,
};

/* What a page walk found. */
typedef struct DmarMapping {
    uint64_t output;            /* of the page's first byte */
    uint8_t shift;              /* log2 of the page's size */
    uint8_t rights;
    bool dirty;                 /* a write has no dirty bit to set */
    bool snoop;                 /* SNP */
} DmarMapping;

/* An entry of the IOTLB: all that an answer depends on. */
typedef struct DmarEntry {
    DmarBinding binding;
    DmarMapping mapping;
    uint8_t fault;              /* of the walk; then there is no mapping */
} DmarEntry;

/* An entry of a paging-structure cache: a table, and the rights to it. */
typedef struct DmarTable {
    uint64_t addr;
    uint8_t rights;
} DmarTable;

/* Pages that an invalidation means. */
typedef struct DmarRange {
    uint64_t first, last;       /* inclusive */
    bool leaves_only;           /* IH: tables stay */
} DmarRange;

typedef struct DmarRegister DmarRegister;
typedef struct DmarCaches DmarCaches;
typedef struct DmarIotlb DmarIotlb;
typedef struct DmarStats DmarStats;
typedef struct DmarKeeper DmarKeeper;

/* Of the answer to an untranslated request: what may be given again until
 * something is invalidated, and for which PASID it was. */
typedef struct DmarKept {
    bool valid;
    bool dirty;                 /* a write has nothing to set any more */
    uint16_t domain;
    uint32_t pasid;
} DmarKept;

/* Handles go by what is dropped of a domain, or of another that has as many
 * more. */
enum { DMAR_DOMAIN_EPOCHS = 32 };

struct Dmar {
    GMutex lock;
    DmarConfig config;
    DmarHost host;
    void *opaque;

    uint64_t cap;
    uint64_t ecap;
    uint8_t registers[DMAR_MMIO_SIZE];
    const DmarRegister *register_at[DMAR_MMIO_SIZE / 4];
    uint64_t root_latched;      /* RTADDR as of the last SRTP */
    uint64_t irta_latched;      /* IRTA as of the last SIRTP */
    uint32_t next_fault_record;
    uint64_t perf_active;       /* counters that count now: perf.c */
    /* Bits of a paging entry that are reserved, by stage, level, and whether
     * it is a leaf. */
    uint64_t reserved[2][DMAR_MOST_LEVELS + 1][2];
    DmarInFlight in_flight;

    DmarCaches *caches;
    DmarIotlb *iotlb;
    DmarStats *stats;
    DmarKeeper *keepers;        /* by source-id */
    uint32_t keeper_epoch;      /* since they were told to forget everything */
    GSList *handles;
    uint64_t handle_slots;      /* of all of them */
    uint64_t handle_epochs;     /* so far */

    /* Read by whoever asks through a handle: away from what is written. */
    char beside_epoch[64];
    uint64_t handle_epoch;      /* in which slots are valid; 0: in none */
    uint64_t domain_epochs[DMAR_DOMAIN_EPOCHS];
    char behind_epoch[64];
};

/* caps.c */
bool dmar_caps_compose(const DmarConfig *config, uint64_t *cap, uint64_t *ecap,
                       GError **error);
unsigned dmar_caps_input_bits(const Dmar *dmar, unsigned table_bits);
unsigned dmar_caps_version(const DmarConfig *config);
bool dmar_caps_aw_supported(const Dmar *dmar, unsigned aw);

static inline bool dmar_has(const Dmar *dmar, uint64_t ecap_bit)
{
    return dmar->ecap & ecap_bit;
}

/* Bits of a pointer that this unit's host address width leaves reserved. */
static inline uint64_t dmar_beyond_host(const Dmar *dmar)
{
    return ~low_bits(dmar->config.host_width);
}

/* The register file, without effects. */
static inline uint32_t dmar_get32(const Dmar *dmar, uint64_t offset)
{
    uint32_t value;

    memcpy(&value, dmar->registers + offset, sizeof(value));
    return value;
}

static inline uint64_t dmar_get64(const Dmar *dmar, uint64_t offset)
{
    return dmar_get32(dmar, offset) |
           (uint64_t)dmar_get32(dmar, offset + 4) << 32;
}

static inline void dmar_set32(Dmar *dmar, uint64_t offset, uint32_t value)
{
    g_assert(offset <= DMAR_MMIO_SIZE - sizeof(value));
    memcpy(dmar->registers + offset, &value, sizeof(value));
}

static inline void dmar_set64(Dmar *dmar, uint64_t offset, uint64_t value)
{
    dmar_set32(dmar, offset, value);
    dmar_set32(dmar, offset + 4, value >> 32);
}

/* regs.c */
void dmar_registers_init(Dmar *dmar);
void dmar_registers_reset(Dmar *dmar);

static inline bool dmar_status(const Dmar *dmar, uint64_t gsts_bit)
{
    return dmar_get32(dmar, GSTS_REG) & gsts_bit;
}

static inline unsigned dmar_mode(const Dmar *dmar)
{
    return field_get(dmar->root_latched, RTADDR_TTM);
}

/* command.c: effects of the global command register. */
void dmar_command(Dmar *dmar, uint64_t written);

/* host.c: what is asked of the host and told to it. */
bool dmar_read_words(Dmar *dmar, uint64_t addr, uint64_t *words, unsigned count);
void dmar_tell_remapping(Dmar *dmar);
void dmar_tell_event(Dmar *dmar, const DmarEvent *event);

static inline void dmar_report(Dmar *dmar, DmarEventKind kind,
                               uint16_t source_id, uint32_t pasid,
                               uint64_t addr, uint64_t value, uint64_t detail)
{
    if (G_UNLIKELY(*dmar->host.watched) && dmar->host.event) {
        dmar_tell_event(dmar, &(DmarEvent) {
            .kind = kind, .source_id = source_id, .pasid = pasid,
            .addr = addr, .value = value, .detail = detail,
        });
    }
}

/* event.c: interrupt messages of the unit itself. */
void dmar_event_raise(Dmar *dmar, uint64_t control_register);
void dmar_event_settle(Dmar *dmar, uint64_t control_register);
void dmar_event_withdraw(Dmar *dmar, uint64_t control_register);

/* fault.c */
bool dmar_fault_qualified(uint8_t reason);
DmarCompletion dmar_fault_answer(uint8_t reason, DmarAddressType type);
bool dmar_fault_recorded(uint8_t reason, DmarAddressType type);
void dmar_fault_record(Dmar *dmar, const DmarRequest *request, uint8_t reason);
void dmar_fault_record_interrupt(Dmar *dmar, uint16_t source_id,
                                 unsigned index, uint8_t reason);
void dmar_fault_status_set(Dmar *dmar, uint32_t bit);
void dmar_fault_status_written(Dmar *dmar);
void dmar_fault_control_written(Dmar *dmar);

/* protected.c */
bool dmar_protection_on(const Dmar *dmar);
void dmar_protect(const Dmar *dmar, const DmarRequest *request,
                  DmarTranslation *out);
void dmar_protection_written(Dmar *dmar);

/* page_request.c */
void dmar_page_status_written(Dmar *dmar);
void dmar_page_respond(Dmar *dmar, const DmarPageResponse *response);

/* resolve.c: @binding and @fpd are what was found out, with a fault as well. */
uint8_t dmar_resolve(Dmar *dmar, const DmarRequest *request,
                     DmarBinding *binding, bool *fpd);
uint8_t dmar_resolve_mode(const Dmar *dmar, const DmarRequest *request);
bool dmar_resolve_privilege(const DmarRequest *request,
                            const DmarBinding *binding);
uint8_t dmar_resolve_attributes(const DmarRequest *request,
                                const DmarBinding *binding);

/* walk.c, nested.c */
typedef struct DmarWalk {
    Dmar *dmar;
    const DmarBinding *binding;
    bool privileged;            /* whose rights count in the first stage */
    bool writes;                /* if it may, it writes: dirty bits are due */
    bool must_read;             /* it is refused if it may not */
    bool must_write;
    bool marks;                 /* false: no bit of an entry is set */
} DmarWalk;

void dmar_walk_init(Dmar *dmar);
uint8_t dmar_walk(DmarWalk *walk, uint64_t addr, DmarMapping *out);
bool dmar_may_read(const DmarMapping *mapping, bool privileged);
bool dmar_may_write(const DmarBinding *binding, const DmarMapping *mapping,
                    bool privileged);

/* interrupt.c, posting.c */
static inline bool dmar_in_x2apic_mode(const Dmar *dmar)
{
    return dmar->irta_latched & IRTA_EIME;
}

bool dmar_posting_reserved(const Dmar *dmar, const InterruptEntry *entry);
uint8_t dmar_posting_post(Dmar *dmar, const InterruptEntry *entry,
                          DmarInterruptVerdict *verdict, DmarInterrupt *out);

/* cache.c */
DmarCaches *dmar_caches_new(void);
void dmar_caches_free(DmarCaches *caches);
void dmar_cache_drop_all(DmarCaches *caches);

const DmarContext *dmar_cache_find_context(DmarCaches *caches, uint16_t source_id);
void dmar_cache_add_context(DmarCaches *caches, const DmarContext *context);
void dmar_cache_drop_contexts(DmarCaches *caches);
void dmar_cache_drop_domain_contexts(DmarCaches *caches, uint16_t domain);
void dmar_cache_drop_device_context(DmarCaches *caches, uint16_t domain,
                                    uint16_t source_id, uint16_t ignored_bits);

const DmarBinding *dmar_cache_find_binding(DmarCaches *caches,
                                           uint16_t source_id, uint32_t pasid);
void dmar_cache_add_binding(DmarCaches *caches, const DmarBinding *binding);
void dmar_cache_drop_bindings(DmarCaches *caches);
void dmar_cache_drop_domain_bindings(DmarCaches *caches, uint16_t domain);
void dmar_cache_drop_pasid_bindings(DmarCaches *caches, uint16_t domain,
                                    uint32_t pasid);

const InterruptEntry *dmar_cache_find_interrupt(DmarCaches *caches,
                                                uint16_t index);
void dmar_cache_add_interrupt(DmarCaches *caches, uint16_t index,
                              const InterruptEntry *entry);
void dmar_cache_drop_interrupts(DmarCaches *caches, uint16_t first,
                                uint16_t last);

/* iotlb.c */
DmarIotlb *dmar_iotlb_new(void);
void dmar_iotlb_free(DmarIotlb *iotlb);
const DmarEntry *dmar_iotlb_find(const DmarIotlb *iotlb,
                                 const DmarRequest *request);
void dmar_iotlb_add(DmarIotlb *iotlb, const DmarRequest *request,
                    const DmarEntry *entry);
const DmarTable *dmar_iotlb_find_table(const DmarIotlb *iotlb,
                                       const DmarBinding *binding,
                                       DmarStageId stage, uint64_t addr,
                                       unsigned levels, unsigned *level);
void dmar_iotlb_add_table(DmarIotlb *iotlb, const DmarBinding *binding,
                          DmarStageId stage, uint64_t addr, unsigned level,
                          const DmarTable *table);
void dmar_iotlb_drop_all(DmarIotlb *iotlb);
void dmar_iotlb_drop_domain(DmarIotlb *iotlb, uint16_t domain);
void dmar_iotlb_drop_range(DmarIotlb *iotlb, uint16_t domain,
                           const DmarRange *range);
void dmar_iotlb_drop_pasid(DmarIotlb *iotlb, uint16_t domain, uint32_t pasid);
void dmar_iotlb_drop_pasid_range(DmarIotlb *iotlb, uint16_t domain,
                                 uint32_t pasid, const DmarRange *range);

/* invalidate.c */
void dmar_invalidate_everything(Dmar *dmar);
void dmar_invalidate_contexts(Dmar *dmar, unsigned granularity, uint16_t domain,
                              uint16_t source_id, unsigned function_mask);
void dmar_invalidate_bindings(Dmar *dmar, unsigned granularity, uint16_t domain,
                              uint32_t pasid);
void dmar_invalidate_mappings(Dmar *dmar, unsigned granularity, uint16_t domain,
                              const DmarRange *range);
void dmar_invalidate_pasid(Dmar *dmar, unsigned granularity, uint16_t domain,
                           uint32_t pasid, const DmarRange *range);
DmarRange dmar_invalidate_range(uint64_t addr, unsigned order, bool leaves_only);
void dmar_invalidate_interrupts(Dmar *dmar, uint16_t first, uint16_t last);
bool dmar_invalidate_order_valid(const Dmar *dmar, unsigned order);
uint16_t dmar_domain_of(const Dmar *dmar, uint64_t field);

/* keeper.c: those who keep translations. */
void dmar_keepers_init(Dmar *dmar);
void dmar_keepers_free(Dmar *dmar);
void dmar_keeper_answered(Dmar *dmar, uint16_t source_id,
                          const DmarBinding *binding);
void dmar_keepers_forget(Dmar *dmar, const DmarForgotten *what);
void dmar_keepers_forget_all(Dmar *dmar);

/* translate.c */
void dmar_translate_locked(Dmar *dmar, const DmarRequest *request,
                           DmarTranslation *out, DmarKept *kept);

/* handle.c */
void dmar_handles_void(Dmar *dmar);
void dmar_handles_void_domain(Dmar *dmar, uint16_t domain);
void dmar_handles_count(const Dmar *dmar);
void dmar_handles_forget_counts(Dmar *dmar);

/* What the low @bits of an address say of the others. */
static inline uint64_t dmar_canonical(uint64_t addr, unsigned bits)
{
    uint64_t sign = BIT_AT(bits - 1);

    return ((addr & low_bits(bits)) ^ sign) - sign;
}

/* command_invalidate.c: the register-based interface */
void dmar_context_command(Dmar *dmar, uint64_t written);
void dmar_iotlb_command(Dmar *dmar, uint64_t written);

/* descriptor.c: one function a descriptor; the answer is an IQEI. */
unsigned dmar_descriptor_execute(Dmar *dmar, const InvDescriptor *descriptor,
                                 bool wide);
unsigned dmar_descriptor_type(const InvDescriptor *descriptor);
bool dmar_descriptor_deferred(const Dmar *dmar, const InvDescriptor *descriptor);
void dmar_descriptor_complete_wait(Dmar *dmar, const uint64_t word[2]);

/* in_flight.c: device-TLB invalidations that take their time. */
enum { DMAR_MOST_ANSWERS = 8 };
bool dmar_in_flight_full(const Dmar *dmar);
bool dmar_in_flight_waits_full(const Dmar *dmar);
bool dmar_in_flight_fenced(const Dmar *dmar);
void dmar_in_flight_send(Dmar *dmar, const DmarDeviceTlbInvalidation *what);
bool dmar_in_flight_passes(Dmar *dmar, const InvDescriptor *wait);
void dmar_in_flight_abort_waits(Dmar *dmar);
bool dmar_in_flight_valid(const DmarInFlight *state);

/* perf.c */
void dmar_perf_reset(Dmar *dmar);
void dmar_perf_settle(Dmar *dmar);
bool dmar_perf_enabled(const Dmar *dmar, unsigned n);
bool dmar_perf_enable(Dmar *dmar, uint64_t n);
bool dmar_perf_disable(Dmar *dmar, uint64_t n);
void dmar_perf_freeze(Dmar *dmar);
void dmar_perf_unfreeze(Dmar *dmar);
void dmar_perf_reset_configuration(Dmar *dmar);
void dmar_perf_reset_values(Dmar *dmar);
void dmar_perf_interrupt_status_written(Dmar *dmar);
void dmar_perf_count_active(Dmar *dmar, PerfEvent event, unsigned kind);

/* It happened, to a request of address type @kind, or with an entry of level
 * @kind + 1; 0 where neither matters. */
static inline void dmar_perf_count(Dmar *dmar, PerfEvent event, unsigned kind)
{
    if (G_UNLIKELY(dmar->perf_active)) {
        dmar_perf_count_active(dmar, event, kind);
    }
}

/* enhanced_command.c */
void dmar_enhanced_command_reset(Dmar *dmar);
void dmar_enhanced_command(Dmar *dmar, uint64_t written);

/* queue.c */
void dmar_queue_enable(Dmar *dmar);
void dmar_queue_disable(Dmar *dmar);
void dmar_queue_run(Dmar *dmar);

/* stats.c */
DmarStats *dmar_stats_new(void);
void dmar_stats_free(DmarStats *stats);
void dmar_stats_reset(DmarStats *stats);
void dmar_stats_entry(DmarStats *stats, const DmarBinding *binding, bool with_pasid);
typedef enum DmarOutcome { DMAR_HIT, DMAR_WALKED, DMAR_REFUSED } DmarOutcome;
void dmar_stats_request(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                        bool with_pasid, DmarOutcome outcome);
void dmar_stats_hits(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                     bool with_pasid, uint64_t hits);
void dmar_stats_pending(DmarStats *stats, uint16_t source_id, uint32_t pasid,
                        bool with_pasid, uint64_t hits);
void dmar_stats_invalidation(DmarStats *stats, uint16_t domain, uint32_t pasid);
void dmar_stats_descriptor(DmarStats *stats, unsigned type);
void dmar_stats_fault(DmarStats *stats);

#endif /* DMAR_UNIT_H */

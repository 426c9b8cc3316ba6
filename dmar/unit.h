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

#include "dmar.h"
#include "spec/descriptors.h"
#include "spec/faults.h"
#include "spec/interrupts.h"
#include "spec/paging.h"
#include "spec/registers.h"
#include "spec/tables.h"

/*
 * How a (source-id, PASID) is translated: what resolve.c makes of root,
 * context and PASID entries, and all that the walker sees.
 */
typedef struct DmarBinding {
    uint16_t source_id;
    uint32_t pasid;             /* tag of cached translations */
    uint16_t domain;
    uint8_t pgtt;
    uint8_t levels;             /* of the second-stage table: 3, 4, 5 */
    uint64_t root;              /* of the second-stage table */
    bool legacy;                /* fault reasons of legacy mode apply */
    bool no_snoop_forced;
    bool fpd;                   /* some FPD was set on the way here */
} DmarBinding;

/* A cached context entry: of one mode or the other. */
typedef struct DmarContext {
    uint16_t source_id;
    bool legacy;
    bool fpd;
    bool device_tlb;            /* translation and translated requests pass */
    /* legacy mode */
    DmarBinding binding;
    /* scalable mode */
    bool pasid_enabled;
    bool rid_privileged;
    uint8_t pdts;
    uint32_t rid_pasid;
    uint64_t directory;
} DmarContext;

/* What a page walk or the translation cache found. */
typedef struct DmarMapping {
    uint64_t output;            /* of the page's first byte */
    uint8_t shift;              /* log2 of the page's size */
    bool read, write;
    bool snoop;
} DmarMapping;

typedef struct DmarRegister DmarRegister;
typedef struct DmarCaches DmarCaches;
typedef struct DmarStats DmarStats;

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

    DmarCaches *caches;
    DmarStats *stats;
};

/* caps.c */
bool dmar_caps_compose(const DmarConfig *config, uint64_t *cap, uint64_t *ecap,
                       GError **error);
unsigned dmar_caps_input_bits(const Dmar *dmar, unsigned table_bits);
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

/* regs.c: the register file, without effects. */
uint32_t dmar_get32(const Dmar *dmar, uint64_t offset);
uint64_t dmar_get64(const Dmar *dmar, uint64_t offset);
void dmar_set32(Dmar *dmar, uint64_t offset, uint32_t value);
void dmar_set64(Dmar *dmar, uint64_t offset, uint64_t value);
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
void dmar_report(Dmar *dmar, DmarEventKind kind, uint16_t source_id,
                 uint32_t pasid, uint64_t addr, uint64_t value, uint64_t detail);

/* event.c: interrupt messages of the unit itself. */
void dmar_event_raise(Dmar *dmar, uint64_t control_register);
void dmar_event_settle(Dmar *dmar, uint64_t control_register);

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

/* resolve.c */
uint8_t dmar_resolve(Dmar *dmar, const DmarRequest *request,
                     DmarBinding *binding, bool *fpd);

/* walk.c */
uint8_t dmar_walk(Dmar *dmar, const DmarBinding *binding, uint64_t addr,
                  DmarMapping *out);

/* cache.c */
DmarCaches *dmar_caches_new(void);
void dmar_caches_free(DmarCaches *caches);
void dmar_cache_drop_all(DmarCaches *caches);

const DmarContext *dmar_cache_find_context(DmarCaches *caches, uint16_t source_id);
void dmar_cache_add_context(DmarCaches *caches, const DmarContext *context);
void dmar_cache_drop_contexts(DmarCaches *caches);
void dmar_cache_drop_domain_contexts(DmarCaches *caches, uint16_t domain);
void dmar_cache_drop_device_context(DmarCaches *caches, uint16_t source_id,
                                    uint16_t ignored_bits);

const DmarBinding *dmar_cache_find_binding(DmarCaches *caches,
                                           uint16_t source_id, uint32_t pasid);
void dmar_cache_add_binding(DmarCaches *caches, const DmarBinding *binding);
void dmar_cache_drop_bindings(DmarCaches *caches);
void dmar_cache_drop_domain_bindings(DmarCaches *caches, uint16_t domain);
void dmar_cache_drop_pasid_bindings(DmarCaches *caches, uint16_t domain,
                                    uint32_t pasid);

bool dmar_cache_find_mapping(DmarCaches *caches, const DmarBinding *binding,
                             uint64_t addr, DmarMapping *out);
void dmar_cache_add_mapping(DmarCaches *caches, const DmarBinding *binding,
                            uint64_t addr, const DmarMapping *mapping);
void dmar_cache_drop_mappings(DmarCaches *caches);
void dmar_cache_drop_domain_mappings(DmarCaches *caches, uint16_t domain);
void dmar_cache_drop_pages(DmarCaches *caches, uint16_t domain, uint64_t addr,
                           unsigned order);
void dmar_cache_drop_pasid_mappings(DmarCaches *caches, uint16_t domain,
                                    uint32_t pasid);

const InterruptEntry *dmar_cache_find_interrupt(DmarCaches *caches,
                                                uint16_t index);
void dmar_cache_add_interrupt(DmarCaches *caches, uint16_t index,
                              const InterruptEntry *entry);
void dmar_cache_drop_interrupts(DmarCaches *caches, uint16_t first,
                                uint16_t last);

/* invalidate.c */
void dmar_invalidate_everything(Dmar *dmar);
void dmar_invalidate_contexts(Dmar *dmar, unsigned granularity, uint16_t domain,
                              uint16_t source_id, unsigned function_mask);
void dmar_invalidate_mappings(Dmar *dmar, unsigned granularity, uint16_t domain,
                              uint64_t addr, unsigned order);
void dmar_invalidate_interrupts(Dmar *dmar, uint16_t first, uint16_t last);
bool dmar_invalidate_order_valid(const Dmar *dmar, unsigned order);
uint16_t dmar_domain_of(const Dmar *dmar, uint64_t field);

/* command_invalidate.c: the register-based interface */
void dmar_context_command(Dmar *dmar, uint64_t written);
void dmar_iotlb_command(Dmar *dmar, uint64_t written);

/* descriptor.c: one function a descriptor; the answer is an IQEI. */
unsigned dmar_descriptor_execute(Dmar *dmar, const InvDescriptor *descriptor,
                                 bool wide);
unsigned dmar_descriptor_type(const InvDescriptor *descriptor);

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
void dmar_stats_invalidation(DmarStats *stats, uint16_t domain, uint32_t pasid);
void dmar_stats_descriptor(DmarStats *stats, unsigned type);
void dmar_stats_fault(DmarStats *stats);

#endif /* DMAR_UNIT_H */

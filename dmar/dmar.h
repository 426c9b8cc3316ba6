/*
 * dmar: a DMA-remapping unit as the Intel VT-d architecture defines it.
 *
 * This is the engine's one public header.  The engine is a library that needs
 * glib and a host (host.h): the same code runs in QEMU, in unit tests and in
 * fuzzers.  Section numbers are those of the revision named
 * in spec/README.md.
 *
 * Threads: every function may be called from any thread; the engine locks.
 * Errors: what software of the simulated machine does wrong becomes an
 * architectural answer (a fault, a status bit, a completion status).  What the
 * caller does wrong at creation becomes a GError.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMAR_H
#define DMAR_H

#include <glib.h>

#include "host.h"

#define DMAR_NO_PASID       UINT32_MAX
#define DMAR_MMIO_SIZE      16384u  /* of the largest unit */
#define DMAR_MAX_FAULT_RECORDS 64
#define DMAR_MAX_PERF_COUNTERS 8

typedef struct Dmar Dmar;

/* ---- Creation ------------------------------------------------------------ */

/*
 * What the hardware can do; caps.c turns it into CAP and ECAP [VT-d 11.4.2,
 * 11.4.3], whose names for the bits stand beside.  dmar_new() refuses what no
 * hardware may have.
 */
typedef struct DmarConfig {
    uint8_t aw_bits;            /* widest second-stage input: 39, 48 or 57 */
    uint8_t min_aw_bits;        /* narrowest, of these; 0: 39 */
    uint8_t max_address_mask;   /* MAMV, 18 .. 52; 0: 18 */
    uint8_t host_width;         /* HAW: bits of a physical address, 36 .. 52 */
    uint8_t pasid_bits;         /* 0: no PASID support, else 7 .. 20 */
    uint8_t domain_bits;        /* width of a domain-id: 4, 6 .. 16, even */
    uint16_t fault_records;     /* 1 .. DMAR_MAX_FAULT_RECORDS */
    uint8_t perf_counters;      /* 0: no PMS and ECMDS, else 1 ..
                                   DMAR_MAX_PERF_COUNTERS */
    uint8_t version;            /* major, 1 .. 8; 0: 5 */
    bool no_drain;              /* not DRD, DWD */
    bool scalable;              /* SMTS: scalable mode */
    bool first_stage;           /* FSTS: PASID entries of first-stage type */
    bool first_stage_5level;    /* FS5LP */
    bool first_stage_1g;        /* FS1GP */
    bool extended_accessed;     /* EAFS */
    bool supervisor;            /* SRS: requests with privilege */
    bool no_second_stage;       /* not SSTS, though scalable */
    bool no_large_pages;        /* SSLPS 0: second-stage pages of 4 KiB only */
    bool second_stage_dirty;    /* SSADS: accessed and dirty bits there */
    bool nested;                /* NEST */
    bool pass_through;          /* PT */
    bool rid_privilege;         /* RPRIVS */
    bool no_rid_pasid;          /* not RPS: requests without PASID use 0 */
    bool incoherent_walk;       /* not SMPWCS: nobody snoops page walks */
    bool snoop_control;         /* SC */
    bool caching_mode;          /* CM */
    bool abort_dma;             /* ADMS: translation table mode 11b */
    bool protected_memory;      /* PLMR, PHMR */
    bool root_invalidates;      /* ESRTPS: SRTP empties the caches */
    bool device_tlb;            /* DT: ATS translation requests */
    bool no_write_flag;         /* NWFS: NW of a translation request counts */
    bool device_tlb_throttle;   /* DIT: PFSID of an invalidation counts */
    bool page_requests;         /* PRS, PDS */
    bool stop_markers;          /* SMS: one that cannot be queued is dropped */
    bool interrupt_remapping;   /* IR */
    bool x2apic;                /* EIM */
    bool posted_interrupts;     /* PI */
    bool interrupt_root_invalidates;    /* ESIRTPS: likewise for SIRTP */
} DmarConfig;

/* A scalable-mode unit with second-stage translation and 20-bit PASIDs. */
extern const DmarConfig dmar_config_default;

/*
 * The yes-or-no part of a configuration by name: "fs", "nest", "pt"...  A
 * feature comes after those that it cannot be without.
 */
unsigned dmar_feature_count(void);
const char *dmar_feature_name(unsigned i);
const char *dmar_feature_about(unsigned i);     /* a few words */
bool dmar_feature_get(const DmarConfig *config, const char *name);
void dmar_feature_set(DmarConfig *config, const char *name, bool on);
/* Whether @config has what the feature cannot be without. */
bool dmar_feature_possible(const DmarConfig *config, const char *name);

/* Configurations with a name; NULL if there is none of it. */
const DmarConfig *dmar_profile(const char *name);
unsigned dmar_profile_count(void);
const char *dmar_profile_name(unsigned i);
const char *dmar_profile_about(unsigned i);

GQuark dmar_error_quark(void);
#define DMAR_ERROR dmar_error_quark()

typedef enum DmarError {
    DMAR_ERROR_CONFIG,          /* no hardware may be configured like this */
    DMAR_ERROR_STATE,           /* dmar_load(): state of another configuration */
} DmarError;

/*
 * Create a unit.  @host is copied; @opaque is handed to its callbacks.  NULL
 * and @error set if the configuration is one that no hardware may have.
 */
Dmar *dmar_new(const DmarConfig *config, const DmarHost *host, void *opaque,
               GError **error);
void dmar_free(Dmar *dmar);

/* Power-on reset: registers to their reset values, caches empty. */
void dmar_reset(Dmar *dmar);

/* ---- Registers ----------------------------------------------------------- */

/* Bytes that the registers take, a power of two, and their alignment: a page
 * unless there are counters. */
unsigned dmar_mmio_size(const DmarConfig *config);

/*
 * Access the registers [VT-d 11.2].  @size is 4 or 8 and @offset a
 * multiple of it; anything else, and offsets where there is no register, read
 * zero and ignore writes.
 */
uint64_t dmar_reg_read(Dmar *dmar, uint64_t offset, unsigned size);
void dmar_reg_write(Dmar *dmar, uint64_t offset, unsigned size, uint64_t value);

/* ---- DMA ----------------------------------------------------------------- */

typedef enum DmarAccess {
    DMAR_READ,
    DMAR_WRITE,
    DMAR_READ_ZERO_LENGTH,
    DMAR_ATOMIC,
    DMAR_PROBE,         /* asks for the rights, records nothing: not a DMA */
} DmarAccess;

/* The AT field of a request [VT-d 4.1]; a page request is a message. */
typedef enum DmarAddressType {
    DMAR_UNTRANSLATED = 0,
    DMAR_TRANSLATION_REQUEST = 1,
    DMAR_TRANSLATED = 2,
    DMAR_PAGE_REQUEST = 3,
} DmarAddressType;

typedef struct DmarRequest {
    uint16_t source_id;         /* bus 15:8, device 7:3, function 2:0 */
    uint32_t pasid;             /* DMAR_NO_PASID: request without PASID */
    uint64_t addr;
    DmarAccess access;          /* ignored for a translation request */
    DmarAddressType type;
    bool no_write;              /* translation request with NW set */
    bool privileged;            /* PR: meaningful with PASID only */
    bool execute;               /* ER: meaningful with PASID only */
} DmarRequest;

/* How the request is completed on the bus. */
typedef enum DmarCompletion {
    DMAR_SUCCESS,
    DMAR_UNSUPPORTED_REQUEST,
    DMAR_COMPLETER_ABORT,
} DmarCompletion;

/*
 * The answer.  On DMAR_SUCCESS @addr is where the input address leads and the
 * answer holds for the naturally aligned @size bytes around it.  A translation
 * request may succeed with neither @read nor @write: nothing is mapped there,
 * and the device may ask for the page.  @reason is the fault reason, 0 if
 * none, also when the fault was not recorded [VT-d 7.1.3].
 *
 * Who keeps the answer to a read and writes by it, because @write says that he
 * may, leaves dirty bits clear: only a request that writes sets them.
 */
typedef struct DmarTranslation {
    DmarCompletion completion;
    uint8_t reason;
    bool read, write;
    bool untranslated_only;     /* U: translation answer must not be cached */
    bool privileged;            /* PRIV: read and write are a supervisor's */
    bool global;                /* G: for every PASID; never [VT-d 4.1.2] */
    bool no_snoop_forced;       /* N: snoop behaviour is forced */
    uint64_t addr;
    uint64_t size;
} DmarTranslation;

void dmar_translate(Dmar *dmar, const DmarRequest *request,
                    DmarTranslation *out);

/*
 * A requester's own view of the unit, for untranslated requests with a PASID or
 * without: what it was answered is answered again without the engine's lock, as
 * long as the IOTLB might.  Any number of threads may use it, and do not slow
 * each other down.  Answers out of it are counted (dmar_foreach_pasid()) but no
 * events.
 *
 * @source_id may change, with the number of a bus.
 */
typedef struct DmarHandle DmarHandle;

DmarHandle *dmar_handle_new(Dmar *dmar);
void dmar_handle_free(DmarHandle *handle);  /* before its unit */
void dmar_handle_translate(DmarHandle *handle, uint16_t source_id,
                           uint32_t pasid, uint64_t addr, DmarAccess access,
                           DmarTranslation *out);

/*
 * The short question of who moves data: where @addr leads, if that was answered
 * before.  Nothing is asked or recorded if not: then @bytes is 0, and
 * dmar_handle_translate() has the answer.
 */
typedef struct DmarPlace {
    uint64_t addr;
    uint64_t bytes;             /* from @addr on, for which it holds */
} DmarPlace;

DmarPlace dmar_handle_place(DmarHandle *handle, uint16_t source_id,
                            uint32_t pasid, uint64_t addr, DmarAccess access);

/* ---- Device TLBs --------------------------------------------------------- */

#define DMAR_ITAGS 32

/*
 * A device's answer to invalidations that the host did not complete at once
 * [VT-d 4.3]: the ITags it is about, a bit each, and how many such messages
 * there are in all (0: 8).  An ITag that is not in use for @source_id is an
 * error that software is told of.
 */
void dmar_device_tlb_completed(Dmar *dmar, uint16_t source_id, uint32_t itags,
                               unsigned count);

/* The host has waited long enough.  Nothing happens if @itag is not in use, so
 * that a timer need not be stopped; it is started anew with each request. */
void dmar_device_tlb_timed_out(Dmar *dmar, unsigned itag);

/*
 * Whether what was dropped concerns translations that @source_id was given for
 * requests without PASID, and of which addresses; told of all, it has none from
 * then on.  For the callback translations_dropped() alone: the
 * one function that may be called with the engine's lock held.
 */
bool dmar_forgotten_by(Dmar *dmar, const DmarForgotten *what, uint16_t source_id,
                       uint64_t *first, uint64_t *last);

/* ---- Page requests -------------------------------------------------------- */

/* A page request message of a device [VT-d 7.4]. */
typedef struct DmarPageRequest {
    uint16_t source_id;
    uint32_t pasid;             /* DMAR_NO_PASID: request without PASID */
    uint64_t addr;              /* of the page */
    bool read, write;           /* wanted; neither: a stop marker */
    bool execute, privileged;   /* meaningful with PASID only */
    uint16_t group;             /* 9 bits */
    bool last;                  /* of its group: a response is expected */
} DmarPageRequest;

/*
 * True: answered at once, by @out, because software cannot get to see it.
 * Otherwise the response, if one is due, comes from software some time through
 * DmarHost.page_response().
 */
bool dmar_page_request(Dmar *dmar, const DmarPageRequest *request,
                       DmarPageResponse *out);

/* ---- Interrupts ---------------------------------------------------------- */

/*
 * An access to the interrupt address range FEE0_0000h .. FEEF_FFFFh without
 * PASID [VT-d 3.15, 5.1].  An interrupt is a write of four bytes; any other is
 * refused while the unit remaps anything (@size 0 is a zero-length read, and
 * harmless).
 */
typedef struct DmarInterruptRequest {
    uint16_t source_id;
    uint64_t addr;
    uint32_t data;
    unsigned size;
    bool is_write;
    bool source_unknown;        /* source_id is a guess: do not verify it */
} DmarInterruptRequest;

typedef enum DmarInterruptVerdict {
    DMAR_INTERRUPT_AS_IS,       /* deliver the message unchanged */
    DMAR_INTERRUPT_REMAPPED,    /* deliver what DmarInterrupt says */
    DMAR_INTERRUPT_BLOCKED,     /* do not deliver; reason says why */
    DMAR_INTERRUPT_NOTIFY,      /* posted: deliver DmarInterrupt to tell so */
    DMAR_INTERRUPT_POSTED,      /* posted: nothing to deliver */
} DmarInterruptVerdict;

typedef struct DmarInterrupt {
    uint8_t reason;
    uint8_t vector;
    uint8_t delivery_mode;      /* as in an MSI's data 10:8 */
    bool logical;               /* destination mode */
    bool redirection_hint;
    bool level;                 /* trigger mode */
    uint32_t destination;       /* APIC ID; 8 bits in xAPIC mode */
} DmarInterrupt;

/*
 * Decide what becomes of @request.  An interrupt that is posted [VT-d 5.2] has
 * been recorded in memory when this returns.
 */
DmarInterruptVerdict dmar_remap_interrupt(Dmar *dmar,
                                          const DmarInterruptRequest *request,
                                          DmarInterrupt *out);

/* ---- What it saw --------------------------------------------------------- */

/*
 * One row for each (source-id, PASID) that the unit has met since reset.
 * Requests without PASID are counted under the RID_PASID that stood for them,
 * with @with_pasid false; in legacy mode, and of translated requests, which ask
 * no PASID entry, @pasid is DMAR_NO_PASID.
 */
typedef struct DmarPasidStats {
    uint16_t source_id;
    uint32_t pasid;
    bool with_pasid;
    uint16_t domain;            /* of the last entry fetched */
    uint8_t pgtt;               /* its type: 1 first-stage, 2 second-stage,
                                   3 nested, 4 pass-through */
    uint64_t root;              /* its page-table root; nested, the first's */
    uint64_t entry_fetches;     /* PASID-table (legacy: context) entries read */
    uint64_t translations;      /* requests answered with success */
    uint64_t walks;             /* of these, page walks: the rest were cached */
    uint64_t faults;            /* requests refused */
    uint64_t invalidations;     /* commands that named it or its domain */
} DmarPasidStats;

typedef void DmarPasidVisitor(const DmarPasidStats *row, void *data);

/* Rows come in the order of source-id and PASID. */
void dmar_foreach_pasid(Dmar *dmar, DmarPasidVisitor *visit, void *data);

/* Descriptors executed since reset, by type; [0] counts faults recorded. */
#define DMAR_DESCRIPTOR_TYPES 16
void dmar_descriptor_counts(Dmar *dmar, uint64_t counts[DMAR_DESCRIPTOR_TYPES]);

/* ---- Names --------------------------------------------------------------- */

const char *dmar_event_name(DmarEventKind kind);
const char *dmar_fault_name(uint8_t reason);        /* "?" if unknown */
const char *dmar_register_name(uint64_t offset);    /* NULL if none there */
const char *dmar_descriptor_name(unsigned type);

/* ---- Migration ----------------------------------------------------------- */

/* Device-TLB invalidations that were not answered yet, by ITag, and wait
 * descriptors that wait for them. */
typedef struct DmarInFlightRequest {
    uint16_t source_id;
    uint8_t answers;            /* so far */
    uint32_t group;             /* the same from one wait to the next */
} DmarInFlightRequest;

typedef struct DmarInFlightWait {
    uint64_t word[2];
    uint32_t group;             /* that it waits for */
} DmarInFlightWait;

#define DMAR_MOST_WAITS 32

typedef struct DmarInFlight {
    uint32_t itags;             /* a bit for each in use */
    DmarInFlightRequest request[DMAR_ITAGS];
    uint32_t waits;
    DmarInFlightWait wait[DMAR_MOST_WAITS];
    uint32_t group;             /* of requests from now on */
} DmarInFlight;

/*
 * The whole state but the caches: hardware may drop a cached entry at any
 * time, so an incoming unit starts with none.  Plain data, host endian.
 */
typedef struct DmarState {
    uint8_t host_width;         /* which no register tells */
    uint8_t registers[DMAR_MMIO_SIZE];
    uint64_t root_latched;      /* RTADDR as of the last SRTP */
    uint64_t irta_latched;      /* IRTA as of the last SIRTP */
    uint32_t next_fault_record;
    DmarInFlight in_flight;     /* its host starts timers of all ITags anew */
} DmarState;

void dmar_save(Dmar *dmar, DmarState *state);
bool dmar_load(Dmar *dmar, const DmarState *state, GError **error);

#endif /* DMAR_H */

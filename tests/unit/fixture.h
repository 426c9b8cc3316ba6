/*
 * A machine for unit tests: the engine, an array as its RAM, and the verbs of
 * software that programs it.
 *
 * A test is a claim.  It says what was given (given_context(), map(), ...),
 * does something, and claims what happens (write_reaches(), write_faults(),
 * ...).  Whatever a test leaves behind that it did not claim (a fault record,
 * a status bit, an interrupt message) fails it when it ends.
 *
 * Registers and fault reasons go by the names of dmar/spec.  Tables and
 * descriptors are encoded here by arithmetic of our own, so that a wrong mask
 * in the engine's formats cannot agree with itself.  UNIT_TRACE=1 in the
 * environment prints the engine's steps as they happen; a claim that fails
 * prints the last of them.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <check.h>
#include <glib.h>

#include "dmar.h"
#include "spec/faults.h"
#include "spec/registers.h"
#include "spec/tables.h"

#define PAGE        0x1000ull
#define MIB         0x100000ull
#define LARGE       (2 * MIB)
#define HUGE        (1024 * MIB)

#define RAM_BASE    (16 * MIB)
#define RAM_SIZE    (8 * MIB)
#define NOWHERE     (512 * MIB)     /* an address where nothing answers */

#define NO_PASID    DMAR_NO_PASID

/* ---- Registers ----------------------------------------------------------------- */

uint64_t reg(uint64_t offset);              /* 64 bits */
uint32_t reg32(uint64_t offset);
void set_reg(uint64_t offset, uint64_t value);
void set_reg32(uint64_t offset, uint32_t value);

/* Give a command through GCMD as software does, and see GSTS follow. */
void command(uint32_t bit);
void command_off(uint32_t bit);

uint64_t fault_record_at(unsigned n);       /* offset of FRCD[n] */
uint64_t iotlb_reg(void);                   /* offset of IOTLB; IVA is 8 less */

/* ---- The machine ----------------------------------------------------------- */

typedef struct Message {
    uint64_t addr;
    uint32_t data;
} Message;

/* A word of RAM that the engine wrote, and what was there. */
typedef struct Change {
    uint64_t addr, old;
} Change;

/* The unit under test and what it did; read it, change it through verbs. */
typedef struct Machine {
    DmarConfig config;
    Dmar *dmar;
    bool by_handle;                 /* requests that can go through handles do */
    uint8_t *ram;
    uint64_t next_page;
    uint64_t root;                  /* root table */
    uint64_t queue;                 /* invalidation queue's base */
    unsigned queue_entries;
    unsigned descriptor_size;       /* 16 or 32 */
    uint64_t remap_table;           /* interrupt remapping table */
    unsigned accesses;              /* of memory, since the last reset to 0 */
    unsigned fail_access;           /* this one fails (0: none) */
    void (*was_read)(uint64_t addr);    /* called when the unit has read there */
    uint64_t rom, rom_end;          /* nobody writes here */
    /* The next so many compare-exchanges find that somebody was faster: */
    unsigned lose_exchanges;
    uint64_t intruding_bits;        /* ... who flipped these bits, */
    uint64_t (*intruder)(uint64_t addr, uint64_t found);    /* or did this */
    unsigned exchanges;             /* that took place */
    unsigned changes;               /* since the last reset to 0 */
    Change change[64];
    unsigned first_message, messages;
    Message message[64];
    unsigned device_tlbs;
    DmarDeviceTlbInvalidation device_tlb[64];
    unsigned device_tlb_itag[64];
    bool device_tlb_silent;         /* devices do not answer at once */
    unsigned forgotten_tellings;
    DmarForgotten forgotten;        /* the last of them, and whether it */
    uint16_t keeper;                /* ... concerns this requester */
    bool keeper_concerned;
    uint64_t keeper_first, keeper_last;
    unsigned page_responses;
    DmarPageResponse page_response[16];
    unsigned dropped_ranges;
    uint16_t dropped_first, dropped_last;
    unsigned remapping_changes;
    bool dma_on, interrupts_on;
    unsigned events[DMAR_EVENT_KINDS];
    DmarEvent last_event[DMAR_EVENT_KINDS];
} Machine;

extern Machine m;

/* Check's checked fixture: begin() makes an empty machine, end() judges it. */
void begin(void);
void end(void);

extern const DmarConfig widest;     /* everything the engine can do, 57 bits */
extern const DmarConfig plain;      /* 57 bits, and a second stage only */

/* Take interrupt remapping from @config, and what needs it. */
void without_interrupt_remapping(DmarConfig *config);

typedef struct Variant {
    const char *name;
    DmarConfig config;
} Variant;

extern const Variant variants[];    /* scalable units of different abilities */
extern const unsigned variant_count;

void power_off(void);
void power_on(const DmarConfig *config);    /* a unit out of reset */
void given_scalable(const DmarConfig *config);  /* ... in scalable mode, on */
void given_legacy(const DmarConfig *config);    /* ... in legacy mode, on */
void given_queue(unsigned descriptor_size);     /* a queue, enabled */
void set_root(uint64_t root, unsigned ttm);     /* RTADDR and SRTP */

uint64_t new_pages(unsigned n);     /* zeroed, contiguous */
uint64_t new_page(void);
uint64_t peek(uint64_t addr);
void poke(uint64_t addr, uint64_t value);
void flip(uint64_t addr, unsigned bit);     /* bit 64 is in the next word */
void poke32(uint64_t addr, uint32_t value);
uint32_t peek32(uint64_t addr);
void fail_access(unsigned n);       /* the n-th from now fails; 0: none does */

/* ---- Tables ----------------------------------------------------------------- */

#define PDTS_DEFAULT    2           /* one page: PASIDs below 2^15 */
#define RID_PASID       0x40        /* stands for requests without PASID */

#define R   1u
#define W   2u
#define RW  3u

/* Bits of a first-stage entry. */
#define PRESENT     1u
#define WRITABLE    2u
#define USER        4u
#define USER_RW     (USER | WRITABLE)

/* An address space: second-stage, first-stage, or first-stage nested. */
typedef struct Space {
    uint64_t root;                  /* in memory, whatever the guest calls it */
    unsigned levels;
    uint16_t domain;
    bool first_stage;
    const struct Space *second;     /* nested in this one */
} Space;

/* What the guest calls an address in memory: tables of a nested space. */
#define GUEST_TABLES    (6 * HUGE)

Space given_space(uint16_t domain, unsigned levels);
Space given_first_stage(uint16_t domain, unsigned levels);
/* A first stage in @second, which maps its tables 4 KiB by 4 KiB. */
Space given_nested(const Space *second, unsigned levels);
void map(const Space *space, uint64_t iova, uint64_t pa, uint64_t size,
         unsigned rights);
/* Present, and @bits besides; what leads there allows everything. */
void map_fs(const Space *space, uint64_t iova, uint64_t pa, uint64_t size,
            uint64_t bits);
void unmap(const Space *space, uint64_t iova);
/* Address of the entry for @iova in the table of @level (1: leaf of 4 KiB). */
uint64_t paging_entry_at(const Space *space, uint64_t iova, unsigned level);
/* What maps the entry at @entry of a nested space in the second stage: one of
 * its leaves of 4 KiB, which @level is 1 for, or what leads there. */
uint64_t second_entry_at(const Space *space, uint64_t entry, unsigned level);
unsigned level_of(uint64_t size);
unsigned aw_code(unsigned levels);

uint64_t root_entry_at(uint16_t sid);
uint64_t context_entry_at(uint16_t sid);            /* scalable */
uint64_t legacy_context_at(uint16_t sid);
uint64_t directory_entry_at(uint16_t sid, uint32_t pasid);
uint64_t pasid_entry_at(uint16_t sid, uint32_t pasid);

/* A scalable-mode context entry with PASIDs and RID_PASID. */
void given_context(uint16_t sid);
void given_context_of_size(uint16_t sid, unsigned pdts, uint32_t rid_pasid);
/* By the kind of @space; walks of a first stage are snooped if they can be. */
void given_pasid(uint16_t sid, uint32_t pasid, const Space *space);
/* Exactly these of the fields of one bit. */
enum { WITH_SSADE = 1, WITH_PWSNP = 2, WITH_PGSNP = 4, WITH_SRE = 8,
       WITH_WPE = 16, WITH_EAFE = 32 };
void given_options(uint16_t sid, uint32_t pasid, unsigned options);
void given_pass_through(uint16_t sid, uint32_t pasid, uint16_t domain);
void given_no_pasid(uint16_t sid, uint32_t pasid);  /* clears P */
void given_legacy_context(uint16_t sid, unsigned tt, const Space *space);

/* Requests without PASID of @sid walk @space. */
void given_rid(uint16_t sid, const Space *space);

/* ---- Requests and claims ---------------------------------------------------- */

DmarTranslation ask(DmarRequest request);
DmarTranslation dma(DmarAccess access, uint16_t sid, uint32_t pasid,
                    uint64_t addr);
/* A translation request (ATS). */
DmarTranslation ats(uint16_t sid, uint32_t pasid, uint64_t addr);

typedef struct Fault {
    bool recorded;
    uint8_t reason;
    uint16_t sid;
    bool with_pasid;
    uint32_t pasid;
    unsigned type;          /* 0 write, 1 page request, 2 read, 3 atomic */
    unsigned at;
    bool privileged, execute;
    uint64_t addr;          /* bits 63:12; an interrupt's index in 63:48 */
} Fault;

/* Read and clear the first pending record; not recorded if there is none. */
Fault take_fault(void);

/* Of any request; what is recorded is compared with what was asked. */
void request_reaches(DmarRequest request, uint64_t pa);
void request_faults(DmarRequest request, uint8_t reason);
void request_refused_silently(DmarRequest request, uint8_t reason);
/* A translation request: success, but nothing granted, for this reason. */
void request_granted_nothing(DmarRequest request, uint8_t reason);
/* A translation request: refused so, and recorded. */
void request_fails(DmarRequest request, DmarCompletion completion,
                   uint8_t reason);

void claim_made_at(const char *file, int line);
#define CLAIM(verb, ...) \
    (claim_made_at(__FILE__, __LINE__), (verb)(__VA_ARGS__))

void read_reaches(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa);
void write_reaches(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa);
void both_reach(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa);
/* Refused as unsupported request, and recorded as it should be. */
void read_faults(uint16_t sid, uint32_t pasid, uint64_t addr, uint8_t reason);
void write_faults(uint16_t sid, uint32_t pasid, uint64_t addr, uint8_t reason);
/* Refused, the reason known, but nothing recorded. */
void write_refused_silently(uint16_t sid, uint32_t pasid, uint64_t addr,
                            uint8_t reason);
/* Translation requests. */
void ats_grants(uint16_t sid, uint32_t pasid, uint64_t addr, uint64_t pa,
                unsigned rights);
void ats_grants_nothing(uint16_t sid, uint32_t pasid, uint64_t addr);
void ats_fails(uint16_t sid, uint32_t pasid, uint64_t addr,
               DmarCompletion completion, uint8_t reason);

void fault_left(uint8_t reason, uint16_t sid);  /* a record is there; take it */
void no_fault_left(void);
void message_sent(uint64_t addr, uint32_t data);
void no_message_left(void);

#define request_reaches(...)        CLAIM(request_reaches, __VA_ARGS__)
#define request_faults(...)         CLAIM(request_faults, __VA_ARGS__)
#define request_refused_silently(...) \
    CLAIM(request_refused_silently, __VA_ARGS__)
#define request_granted_nothing(...) CLAIM(request_granted_nothing, __VA_ARGS__)
#define request_fails(...)          CLAIM(request_fails, __VA_ARGS__)
#define read_reaches(...)           CLAIM(read_reaches, __VA_ARGS__)
#define write_reaches(...)          CLAIM(write_reaches, __VA_ARGS__)
#define both_reach(...)             CLAIM(both_reach, __VA_ARGS__)
#define read_faults(...)            CLAIM(read_faults, __VA_ARGS__)
#define write_faults(...)           CLAIM(write_faults, __VA_ARGS__)
#define write_refused_silently(...) CLAIM(write_refused_silently, __VA_ARGS__)
#define ats_grants(...)             CLAIM(ats_grants, __VA_ARGS__)
#define ats_grants_nothing(...)     CLAIM(ats_grants_nothing, __VA_ARGS__)
#define ats_fails(...)              CLAIM(ats_fails, __VA_ARGS__)
#define fault_left(...)             CLAIM(fault_left, __VA_ARGS__)
#define no_fault_left()             (claim_made_at(__FILE__, __LINE__), \
                                     (no_fault_left)())
#define message_sent(...)           CLAIM(message_sent, __VA_ARGS__)
#define no_message_left()           (claim_made_at(__FILE__, __LINE__), \
                                     (no_message_left)())

/* ---- The invalidation queue --------------------------------------------------- */

typedef struct Descriptor {
    uint64_t word[4];
} Descriptor;

typedef enum Hint { NON_LEAVES_TOO = 0, ONLY_LEAVES = 1 } Hint;

Descriptor context_global(void);
Descriptor context_domain(uint16_t domain);
Descriptor context_device(uint16_t domain, uint16_t sid, unsigned fm);
Descriptor iotlb_global(void);
Descriptor iotlb_domain(uint16_t domain);
Descriptor iotlb_page(uint16_t domain, uint64_t addr, unsigned am, Hint hint);
Descriptor device_tlb(uint16_t sid, uint64_t addr, bool sized);
Descriptor interrupt_global(void);
Descriptor interrupt_index(uint16_t index, unsigned mask);
Descriptor wait_status(uint64_t addr, uint32_t data);
Descriptor wait_interrupt(void);
Descriptor wait_fence(void);
Descriptor p_iotlb_pasid(uint16_t domain, uint32_t pasid);
Descriptor p_iotlb_page(uint16_t domain, uint32_t pasid, uint64_t addr,
                        unsigned am, Hint hint);
Descriptor pasid_cache_global(void);
Descriptor pasid_cache_domain(uint16_t domain);
Descriptor pasid_cache_pasid(uint16_t domain, uint32_t pasid);
Descriptor p_device_tlb(uint16_t sid, uint32_t pasid, uint64_t addr,
                        bool sized);

Descriptor page_response(uint16_t sid, uint32_t pasid, unsigned group,
                         unsigned code);
Descriptor wait_drain(uint64_t addr, uint32_t data);    /* page requests, too */

void submit(Descriptor d);          /* put it in the queue, ring the tail */
void execute(Descriptor d);         /* ... and claim that it was executed */
void write_descriptor(unsigned index, Descriptor d);    /* no doorbell */
void executed(void);                /* claim: queue empty, no error */
void queue_stops_with(unsigned iqei);   /* claim; the error is cleared */
void forget_everything(void);       /* every cache, globally */

#define execute(...)            CLAIM(execute, __VA_ARGS__)
#define queue_stops_with(...)   CLAIM(queue_stops_with, __VA_ARGS__)
#define executed()              (claim_made_at(__FILE__, __LINE__), (executed)())

/* ---- Running ------------------------------------------------------------------- */

/*
 * Run @suite and return main()'s value.  With --tap on the command line the
 * result is TAP on standard output.  Check's own environment variables apply:
 * CK_RUN_CASE, CK_VERBOSITY, CK_FORK and others.
 */
int run_suite(Suite *suite, int argc, char **argv);

/* A test case of @suite with the fixture. */
TCase *tests_of(Suite *suite, const char *name);

/* For long runs (scripts/soak): a number from the environment, and what was
 * compared with a model, which is printed with UNIT_TALLY=1 there. */
unsigned from_environment(const char *name, unsigned otherwise);
void tally(unsigned requests, unsigned histories);

#endif /* TESTS_UNIT_FIXTURE_H */

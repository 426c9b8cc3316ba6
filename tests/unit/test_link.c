/*
 * The engine needs glib and a host, and nothing else.
 *
 * This program is linked with the engine's library and glib alone: no fixture,
 * no Check, no QEMU.  Its host answers every read with zeroes, takes every
 * write, and leaves out each callback that may be left out.  It speaks TAP.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "dmar.h"
#include "spec/faults.h"
#include "spec/registers.h"

static bool stub_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    memset(buf, 0, len);
    return true;
}

static bool stub_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
    return true;
}

static bool stub_compare_exchange(void *opaque, uint64_t addr,
                                  uint64_t *expected, uint64_t desired)
{
    return true;
}

static void stub_send_msi(void *opaque, uint64_t addr, uint32_t data)
{
    ++*(unsigned *)opaque;
}

static const DmarHost stubs = {
    .read = stub_read, .write = stub_write,
    .compare_exchange = stub_compare_exchange, .send_msi = stub_send_msi,
};

static Dmar *dmar;
static unsigned messages, number, failures;

static void claim(bool holds, const char *what)
{
    printf("%sok %u - link:%s\n", holds ? "" : "not ", ++number, what);
    failures += !holds;
}

static void write_reg(uint64_t offset, uint64_t value)
{
    dmar_reg_write(dmar, offset, 8, value);
}

static void the_unit_is_created(void)
{
    dmar = dmar_new(&dmar_config_default, &stubs, &messages, NULL);
    claim(dmar != NULL, "a unit is created with four callbacks");
}

static void a_request_faults_and_a_message_is_sent(void)
{
    DmarRequest request = { .source_id = 8, .pasid = DMAR_NO_PASID };
    DmarTranslation out;
    dmar_reg_write(dmar, FECTL_REG, 4, 0);
    write_reg(RTADDR_REG, TTM_SCALABLE << 10);
    dmar_reg_write(dmar, GCMD_REG, 4, GCMD_SRTP);
    dmar_reg_write(dmar, GCMD_REG, 4, GCMD_TE);
    dmar_translate(dmar, &request, &out);
    claim(out.reason == FAULT_ROOT_NOT_PRESENT && messages == 1,
          "an empty root table faults, and a message is sent");
}

static void the_queue_runs(void)
{
    write_reg(IQA_REG, IQA_DW);
    dmar_reg_write(dmar, GCMD_REG, 4, GCMD_TE | GCMD_QIE);
    write_reg(IQT_REG, 0x20);
    uint32_t status = dmar_reg_read(dmar, FSTS_REG, 4);
    claim(status & FSTS_IQE, "a descriptor of zeroes stops the queue");
}

static void remapping_an_interrupt(void)
{
    DmarInterruptRequest request = { .addr = 0xfee00010, .size = 4,
                                     .is_write = true };
    DmarInterrupt out;
    dmar_reg_write(dmar, GCMD_REG, 4, GCMD_SIRTP);
    dmar_reg_write(dmar, GCMD_REG, 4, GCMD_IRE);
    claim(dmar_remap_interrupt(dmar, &request, &out) == DMAR_INTERRUPT_BLOCKED,
          "an empty table of interrupts blocks");
}

static void saving_loading_and_resetting(void)
{
    static DmarState state;
    dmar_save(dmar, &state);
    claim(dmar_load(dmar, &state, NULL), "a state is saved and loaded");
    dmar_reset(dmar);
    claim(dmar_reg_read(dmar, GSTS_REG, 4) == 0, "the unit is reset");
}

int main(void)
{
    the_unit_is_created();
    a_request_faults_and_a_message_is_sent();
    the_queue_runs();
    remapping_an_interrupt();
    saving_loading_and_resetting();
    dmar_free(dmar);
    dmar_free(NULL);
    printf("1..%u\n", number);
    return failures != 0;
}

/*
 * The model's invalidations: what has to go, row by row of the tables of
 * 6.5.2.3 and 6.5.2.4.
 *
 * Of a large page that an invalidation covers in part, the rest may stay: the
 * page may have been held in pieces [6.5.3.2].
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "model.h"

#include <assert.h>

typedef bool Goes(const ModelHeld *h, const ModelInvalidation *i);

static void forget(ModelCaches *c, ModelCache cache, Goes *goes,
                   const ModelInvalidation *i)
{
    unsigned kept = 0;
    for (unsigned n = 0; n < c->count; n++) {
        if (c->held[n].cache != cache || !goes(&c->held[n], i)) {
            c->held[kept++] = c->held[n];
        }
    }
    c->count = kept;
}

static bool of_domain(const ModelHeld *h, const ModelInvalidation *i)
{
    return i->scope == MODEL_GLOBAL || h->domain == i->domain;
}

static bool of_pasid(const ModelHeld *h, const ModelInvalidation *i)
{
    return h->domain == i->domain && h->pasid == i->pasid;
}

static bool overlaps(const ModelHeld *h, const ModelInvalidation *i)
{
    return h->input <= i->last && h->input + (h->span - 1) >= i->first;
}

static bool in_domain_and_range(const ModelHeld *h, const ModelInvalidation *i)
{
    return of_domain(h, i) && overlaps(h, i);
}

static bool in_pasid_and_range(const ModelHeld *h, const ModelInvalidation *i)
{
    return of_pasid(h, i) && overlaps(h, i);
}

/* ---- Context and PASID-cache [6.5.2.1, 6.5.2.2] ----------------------------------- */

static bool of_device(const ModelHeld *h, const ModelInvalidation *i)
{
    return !((h->source ^ i->source) & ~i->ignored);
}

static bool of_device_and_domain(const ModelHeld *h, const ModelInvalidation *i)
{
    return of_device(h, i) && h->domain == i->domain;
}

static bool everything(const ModelHeld *h, const ModelInvalidation *i)
{
    (void)h;
    (void)i;
    return true;
}

void model_forget_contexts(ModelCaches *c, bool legacy, const ModelInvalidation *i)
{
    if (i->scope == MODEL_DEVICE) {
        forget(c, MODEL_CONTEXT, legacy ? of_device_and_domain : of_device, i);
    } else {
        forget(c, MODEL_CONTEXT, legacy ? of_domain : everything, i);
    }
}

void model_forget_pasids(ModelCaches *c, const ModelInvalidation *i)
{
    forget(c, MODEL_PASID, i->scope == MODEL_PASID_OF_DOMAIN ? of_pasid : of_domain,
           i);
}

/* ---- IOTLB and paging-structure caches [6.5.2.3, 6.5.2.4] ---------------------------- */

static bool has_first_stage(const ModelHeld *h)
{
    return h->type == 1 || h->type == 3;
}

static bool first_stage_of_domain(const ModelHeld *h, const ModelInvalidation *i)
{
    return has_first_stage(h) && of_domain(h, i);
}

static bool inside(const ModelHeld *h, const ModelInvalidation *i)
{
    return h->input >= i->first && h->input + (h->span - 1) <= i->last;
}

/* Cut the range out of the pages that are meant: of one that sticks out, the
 * pieces outside stay. */
static void cut_out(ModelCaches *c, Goes *meant, const ModelInvalidation *i)
{
    unsigned count = c->count;
    for (unsigned n = 0; n < count; n++) {
        ModelHeld h = c->held[n];
        if (h.cache != MODEL_PAGE || !meant(&h, i) || !overlaps(&h, i) ||
            inside(&h, i)) {
            continue;
        }
        uint64_t end = h.input + h.span;
        if (h.input < i->first) {
            ModelHeld before = h;
            before.span = i->first - h.input;
            model_hold(c, &before);
        }
        if (i->last < end - 1) {
            ModelHeld after = h;
            after.input = i->last + 1;
            after.span = end - after.input;
            after.output += after.input - h.input;
            model_hold(c, &after);
        }
    }
}

static bool second_stage_in_range(const ModelHeld *h, const ModelInvalidation *i)
{
    return !has_first_stage(h) && in_domain_and_range(h, i);
}

static bool second_stage_of_domain(const ModelHeld *h, const ModelInvalidation *i)
{
    return !has_first_stage(h) && of_domain(h, i);
}

static bool first_stage_in_range(const ModelHeld *h, const ModelInvalidation *i)
{
    return has_first_stage(h) && in_pasid_and_range(h, i);
}

static bool first_stage_of_pasid(const ModelHeld *h, const ModelInvalidation *i)
{
    return has_first_stage(h) && of_pasid(h, i);
}

void model_forget_pages(ModelCaches *c, const ModelInvalidation *i)
{
    if (i->scope != MODEL_PAGES) {
        forget(c, MODEL_PAGE, of_domain, i);
        forget(c, MODEL_FIRST, of_domain, i);
        forget(c, MODEL_SECOND, of_domain, i);
        return;
    }
    cut_out(c, second_stage_of_domain, i);
    forget(c, MODEL_PAGE, second_stage_in_range, i);
    forget(c, MODEL_PAGE, first_stage_of_domain, i);
    forget(c, MODEL_FIRST, of_domain, i);
    if (!i->leaves_only) {
        forget(c, MODEL_SECOND, in_domain_and_range, i);
    }
}

/* What a page request makes the unit forget before it is queued [6.5.3.1]. */
void model_forget_requested_page(ModelCaches *c, unsigned type, unsigned domain,
                                 unsigned pasid, uint64_t addr)
{
    ModelInvalidation i = { .scope = MODEL_PAGES, .domain = domain, .pasid = pasid,
                            .first = addr & ~0xfffull, .last = addr | 0xfff };
    if (type == 1) {
        model_forget_pages_of_pasid(c, &i);
        return;
    }
    i.scope = type == 3 ? MODEL_DOMAIN : MODEL_PAGES;
    model_forget_pages(c, &i);
}

void model_forget_pages_of_pasid(ModelCaches *c, const ModelInvalidation *i)
{
    if (i->scope != MODEL_PAGES) {
        forget(c, MODEL_PAGE, of_pasid, i);
        forget(c, MODEL_FIRST, of_pasid, i);
        return;
    }
    cut_out(c, first_stage_of_pasid, i);
    forget(c, MODEL_PAGE, first_stage_in_range, i);
    if (!i->leaves_only) {
        forget(c, MODEL_FIRST, in_pasid_and_range, i);
    }
}

/*
 * What an adi has done, for people and scripts outside of the machine.
 *
 * The property `adi-stats` is JSON: an array with an object for each queue that
 * is enabled or has a past since its last reset.  `ats-stats` is an object with
 * what the function kept and asked for.  Reading them changes nothing.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "adi.h"

static const char *adi_state_name(uint32_t state)
{
    static const char *const names[] = {
        [ADI_STATE_DISABLED] = "disabled",
        [ADI_STATE_IDLE] = "idle",
        [ADI_STATE_BUSY] = "busy",
        [ADI_STATE_ERROR] = "error",
        [ADI_STATE_DRAINED] = "drained",
    };

    return names[state & ADI_STATE_MASK];
}

static bool adi_stats_interesting(const AdiQueue *q)
{
    return q->enabled || q->completed || q->first_error;
}

static QDict *adi_stats_row(const AdiQueue *q)
{
    QDict *row = qdict_new();

    if (q->index == ADI_INDEX_FUNCTION) {
        qdict_put_str(row, "queue", "function");
    } else {
        qdict_put_int(row, "queue", q->index);
    }
    if (q->pasid_enabled) {
        qdict_put_int(row, "pasid", q->pasid);
    }
    qdict_put_str(row, "state", adi_state_name(adi_queue_state(q)));
    qdict_put_int(row, "head", q->head);
    qdict_put_int(row, "tail", q->tail);
    qdict_put_int(row, "descriptors", q->completed);
    qdict_put_int(row, "bytes", q->bytes);
    qdict_put_int(row, "first-error", q->first_error & ADI_ERROR_CODE);
    qdict_put_int(row, "error", q->error & ADI_ERROR_CODE);
    return row;
}

static char *adi_get_stats(Object *obj, Error **errp)
{
    AdiState *s = ADI(obj);
    g_autoptr(QList) rows = qlist_new();
    uint32_t i;

    for (i = 0; i < s->nr_queues; i++) {
        if (adi_stats_interesting(&s->queues[i])) {
            qlist_append(rows, adi_stats_row(&s->queues[i]));
        }
    }
    return g_string_free(qobject_to_json(QOBJECT(rows)), false);
}

static char *adi_get_ats_stats(Object *obj, Error **errp)
{
    AdiState *s = ADI(obj);
    const AdiPages *p = &s->pages_asked;
    g_autoptr(QDict) object = qdict_new();

    qdict_put_int(object, "entries", s->atc.used);
    qdict_put_int(object, "lookups", s->atc.lookups);
    qdict_put_int(object, "hits", s->atc.hits);
    qdict_put_int(object, "translation-requests", s->atc.requests);
    qdict_put_int(object, "invalidations", s->atc.invalidations);
    qdict_put_int(object, "page-requests", p->requests);
    qdict_put_int(object, "outstanding", p->outstanding);
    qdict_put_int(object, "success", p->successes);
    qdict_put_int(object, "invalid-request", p->invalids);
    qdict_put_int(object, "response-failure", p->failures);
    qdict_put_int(object, "unexpected", p->unexpected);
    return g_string_free(qobject_to_json(QOBJECT(object)), false);
}

void adi_stats_class_init(ObjectClass *class)
{
    object_class_property_add_str(class, "ats-stats", adi_get_ats_stats, NULL);
    object_class_property_set_description(class, "ats-stats",
        "JSON: translations kept and pages asked for, since reset");
    object_class_property_add_str(class, "adi-stats", adi_get_stats, NULL);
    object_class_property_set_description(class, "adi-stats",
        "JSON: state, descriptors and bytes of each queue since its reset");
}

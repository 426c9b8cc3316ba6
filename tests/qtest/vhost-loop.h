/*
 * A vhost-user back end of a network card, in a thread of the test: it sends
 * every frame back.
 *
 *     VhostLoop loop;
 *
 *     vhost_loop_start(&loop);
 *     -chardev socket,id=vu,path=... loop.path ...
 *     -netdev vhost-user,id=net,chardev=vu
 *     ...
 *     vhost_loop_stop(&loop);                     QEMU has ended
 *
 * It has the guest's memory, and reaches rings and buffers in it by nothing but
 * the device's addresses.  It knows the translations that it was told of (an
 * update), asks for one that it lacks (a miss) and waits for it, and drops what
 * it is told to (an invalidation).  A frame is read out of the buffers of the
 * one queue, marked, and written into those of the other.  If a buffer cannot
 * be reached, the buffer goes back empty and the frame nowhere.
 *
 * What it was told, and what it was refused, is kept in order for the test to
 * look at.  The rest belongs to the thread.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_VHOST_LOOP_H
#define TESTS_QTEST_VHOST_LOOP_H

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <glib/gstdio.h>
#include "qemu/atomic.h"
#include "qemu/bswap.h"

#define VHOST_PATIENCE      (10 * G_USEC_PER_SEC)
#define VHOST_FRAME_MAX     (64 * 1024)     /* its header included */
#define VHOST_NET_HEADER    12
#define VHOST_MARK          0x5a            /* the first byte comes back so */

/* ---- The protocol -------------------------------------------------------- */

enum {
    VHOST_GET_FEATURES = 1,
    VHOST_SET_MEM_TABLE = 5,
    VHOST_SET_VRING_NUM = 8,
    VHOST_SET_VRING_ADDR = 9,
    VHOST_SET_VRING_BASE = 10,
    VHOST_GET_VRING_BASE = 11,
    VHOST_SET_VRING_KICK = 12,
    VHOST_SET_VRING_CALL = 13,
    VHOST_GET_PROTOCOL_FEATURES = 15,
    VHOST_SET_VRING_ENABLE = 18,
    VHOST_SET_BACKEND_REQ_FD = 21,
    VHOST_IOTLB = 22,

    VHOST_BACKEND_IOTLB = 1,            /* on the channel of the back end */

    VHOST_VERSION = 1,
    VHOST_IS_REPLY = 1 << 2,
    VHOST_NEED_REPLY = 1 << 3,
};

#define VHOST_FEATURES      (1ull << 30 | 3ull << 32)   /* ours; VIRTIO 1, IOMMU */
#define VHOST_OWN_FEATURES  (1ull << 3 | 1ull << 5)     /* reply, own channel */
#define VHOST_REGIONS       8
#define VHOST_NO_FD         (1u << 8)

typedef struct VhostHeader {
    uint32_t request, flags, size;
} VhostHeader;

/* VHOST_REFUSED is of our own: a miss was in vain. */
typedef enum VhostIotlbType {
    VHOST_MISS = 1, VHOST_UPDATE = 2, VHOST_INVALIDATE = 3, VHOST_REFUSED = 9,
} VhostIotlbType;

enum { VHOST_READ = 1, VHOST_WRITE = 2 };

typedef struct VhostIotlb {
    uint64_t iova, size, uaddr;
    uint8_t perm, type;
} VhostIotlb;

typedef struct VhostRegion {
    uint64_t gpa, size, uaddr, offset;
} VhostRegion;

typedef union VhostPayload {
    uint64_t value;
    struct { uint32_t index, value; } ring;
    struct { uint32_t index, flags; uint64_t desc, used, avail; } where;
    struct { uint32_t count, none; VhostRegion region[VHOST_REGIONS]; } memory;
    VhostIotlb iotlb;
    uint8_t room[1024];
} VhostPayload;

typedef struct VhostMessage {
    VhostHeader header;
    VhostPayload payload;
    int fds[VHOST_REGIONS];             /* -1: none, or taken */
} VhostMessage;

/* ---- The back end -------------------------------------------------------- */

typedef struct VhostRing {
    uint64_t desc, avail, used;
    uint32_t size;
    uint16_t taken, returned;
    bool enabled;
    int kick, call;
} VhostRing;

typedef struct VhostMemory {
    VhostRegion is;
    uint8_t *mapped;
} VhostMemory;

typedef struct VhostLoop {
    char *dir, *path;
    GAsyncQueue *said;                  /* of VhostIotlb */
    GAsyncQueue *settled;
    int settle;                         /* an eventfd */

    GThread *thread;
    int listener, main, channel;
    VhostMemory memory[VHOST_REGIONS];
    unsigned regions;
    GArray *iotlb;                      /* of VhostIotlb */
    VhostRing ring[2];                  /* [0]: to the guest, [1]: from it */
    uint8_t frame[VHOST_FRAME_MAX];
} VhostLoop;

/* ---- Messages ------------------------------------------------------------ */

static inline void vhost_take_fds(VhostMessage *m, struct msghdr *msg)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);

    memset(m->fds, -1, sizeof(m->fds));
    if (c && c->cmsg_type == SCM_RIGHTS) {
        memcpy(m->fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    }
}

/* False at the end. */
static inline bool vhost_receive(int fd, VhostMessage *m)
{
    char control[CMSG_SPACE(sizeof(m->fds))];
    struct iovec iov = { &m->header, sizeof(m->header) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof(control),
    };

    if (recvmsg(fd, &msg, MSG_WAITALL) != sizeof(m->header)) {
        return false;
    }
    vhost_take_fds(m, &msg);
    g_assert_cmpuint(m->header.size, <=, sizeof(m->payload));
    return !m->header.size ||
           recv(fd, &m->payload, m->header.size, MSG_WAITALL) ==
           m->header.size;
}

static inline void vhost_send(int fd, uint32_t request, uint32_t flags,
                              const void *buf, uint32_t size)
{
    VhostHeader header = { request, VHOST_VERSION | flags, size };

    /* QEMU may have ended. */
    if (send(fd, &header, sizeof(header), MSG_NOSIGNAL) == sizeof(header)) {
        send(fd, buf, size, MSG_NOSIGNAL);
    }
}

/* The message keeps no longer what the receiver has. */
static inline int vhost_keep_fd(VhostMessage *m, unsigned i)
{
    int fd = m->fds[i];

    m->fds[i] = -1;
    return fd;
}

static inline void vhost_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* ---- Translations -------------------------------------------------------- */

static inline void vhost_say(VhostLoop *v, const VhostIotlb *what)
{
    g_async_queue_push(v->said, g_memdup2(what, sizeof(*what)));
}

static inline bool vhost_overlap(const VhostIotlb *a, const VhostIotlb *b)
{
    return a->iova - b->iova < b->size || b->iova - a->iova < a->size;
}

static inline void vhost_forget(VhostLoop *v, const VhostIotlb *what)
{
    for (unsigned i = v->iotlb->len; i-- > 0; ) {
        if (vhost_overlap(&g_array_index(v->iotlb, VhostIotlb, i), what)) {
            g_array_remove_index_fast(v->iotlb, i);
        }
    }
}

static inline uint64_t vhost_on_iotlb(VhostLoop *v, VhostMessage *m)
{
    const VhostIotlb *what = &m->payload.iotlb;

    vhost_forget(v, what);
    if (what->type == VHOST_UPDATE) {
        g_array_append_val(v->iotlb, *what);
    }
    vhost_say(v, what);
    return 0;
}

static inline const VhostIotlb *vhost_known(VhostLoop *v, uint64_t iova,
                                            uint8_t perm)
{
    for (unsigned i = 0; i < v->iotlb->len; i++) {
        VhostIotlb *t = &g_array_index(v->iotlb, VhostIotlb, i);

        if (iova - t->iova < t->size && (t->perm & perm) == perm) {
            return t;
        }
    }
    return NULL;
}

/* QEMU's address in ours. */
static inline uint8_t *vhost_mapped(VhostLoop *v, uint64_t uaddr, size_t *len)
{
    for (unsigned i = 0; i < v->regions; i++) {
        const VhostRegion *is = &v->memory[i].is;
        uint64_t inside = uaddr - is->uaddr;

        if (inside < is->size) {
            *len = MIN(*len, is->size - inside);
            return v->memory[i].mapped + is->offset + inside;
        }
    }
    g_error("address 0x%" PRIx64 " is not in the memory table", uaddr);
}

static inline bool vhost_listen(VhostLoop *v);

/* False if there is no translation.  The answer comes after the update, which
 * QEMU has us acknowledge, and before what may already take that away again. */
static inline bool vhost_ask(VhostLoop *v, uint64_t iova, uint8_t perm)
{
    VhostIotlb what = { .iova = iova, .perm = perm, .type = VHOST_MISS };
    struct pollfd fds[] = { { v->main, POLLIN }, { v->channel, POLLIN } };
    VhostMessage reply;

    vhost_send(v->channel, VHOST_BACKEND_IOTLB, VHOST_NEED_REPLY, &what,
               sizeof(what));
    while (poll(fds, ARRAY_SIZE(fds), -1) && !fds[1].revents) {
        if (!vhost_listen(v)) {
            return false;
        }
    }
    return vhost_receive(v->channel, &reply) && !reply.payload.value;
}

/* Up to @len bytes at @iova, or NULL. */
static inline uint8_t *vhost_reach(VhostLoop *v, uint64_t iova, size_t *len,
                                   uint8_t perm)
{
    const VhostIotlb *t = vhost_known(v, iova, perm);

    if (!t && vhost_ask(v, iova, perm)) {
        t = vhost_known(v, iova, perm);
    }
    if (!t) {
        vhost_say(v, &(VhostIotlb) { .iova = iova, .perm = perm,
                                     .type = VHOST_REFUSED });
        return NULL;
    }
    *len = MIN(*len, t->size - (iova - t->iova));
    return vhost_mapped(v, t->uaddr + (iova - t->iova), len);
}

static inline bool vhost_read(VhostLoop *v, uint64_t iova, void *buf,
                              size_t len)
{
    uint8_t *to = buf, *from;

    for (size_t n = len; len; len -= n, iova += n, to += n, n = len) {
        from = vhost_reach(v, iova, &n, VHOST_READ);
        if (!from) {
            return false;
        }
        memcpy(to, from, n);
    }
    return true;
}

static inline bool vhost_write(VhostLoop *v, uint64_t iova, const void *buf,
                               size_t len)
{
    const uint8_t *from = buf;
    uint8_t *to;

    for (size_t n = len; len; len -= n, iova += n, from += n, n = len) {
        to = vhost_reach(v, iova, &n, VHOST_WRITE);
        if (!to) {
            return false;
        }
        memcpy(to, from, n);
    }
    return true;
}

/* ---- Rings --------------------------------------------------------------- */

typedef struct VhostDesc {
    uint64_t iova;
    uint32_t len;
    uint16_t flags, next;
} VhostDesc;

enum { VHOST_DESC_NEXT = 1, VHOST_CHAIN_MAX = 32 };

/* Buffers that belong together. */
typedef struct VhostChain {
    uint16_t head;
    unsigned n;
    VhostDesc desc[VHOST_CHAIN_MAX];
} VhostChain;

/* From @index on. */
static inline bool vhost_chain_read(VhostLoop *v, const VhostRing *r,
                                    uint16_t index, VhostChain *c)
{
    VhostDesc *d;

    do {
        g_assert_cmpuint(c->n, <, VHOST_CHAIN_MAX);
        d = &c->desc[c->n++];
        if (!vhost_read(v, r->desc + index * sizeof(*d), d, sizeof(*d))) {
            return false;
        }
        index = d->next;
    } while (d->flags & VHOST_DESC_NEXT);
    return true;
}

/* False if there is none, or the ring cannot be reached. */
static inline bool vhost_ring_take(VhostLoop *v, VhostRing *r, VhostChain *c)
{
    uint16_t end;

    c->n = 0;
    if (!vhost_read(v, r->avail + 2, &end, 2) || end == r->taken) {
        return false;
    }
    smp_rmb();
    if (!vhost_read(v, r->avail + 4 + r->taken % r->size * 2, &c->head, 2) ||
        !vhost_chain_read(v, r, c->head, c)) {
        return false;
    }
    r->taken++;
    return true;
}

static inline void vhost_ring_return(VhostLoop *v, VhostRing *r,
                                     const VhostChain *c, uint32_t len)
{
    uint32_t element[] = { c->head, len };
    uint64_t one = 1;

    vhost_write(v, r->used + 4 + r->returned % r->size * 8, element,
                sizeof(element));
    r->returned++;
    smp_wmb();
    vhost_write(v, r->used + 2, &r->returned, 2);
    if (r->call >= 0) {
        g_assert_cmpint(write(r->call, &one, sizeof(one)), ==, sizeof(one));
    }
}

/* ---- Frames -------------------------------------------------------------- */

/* 0 if some of it cannot be reached. */
static inline size_t vhost_frame_read(VhostLoop *v, const VhostChain *c)
{
    size_t len = 0;

    for (unsigned i = 0; i < c->n; i++) {
        g_assert_cmpuint(len + c->desc[i].len, <=, VHOST_FRAME_MAX);
        if (!vhost_read(v, c->desc[i].iova, v->frame + len, c->desc[i].len)) {
            return 0;
        }
        len += c->desc[i].len;
    }
    return len;
}

static inline size_t vhost_frame_write(VhostLoop *v, const VhostChain *c,
                                       size_t len)
{
    size_t done = 0;

    for (unsigned i = 0; done < len && i < c->n; i++) {
        size_t piece = MIN(len - done, c->desc[i].len);

        if (!vhost_write(v, c->desc[i].iova, v->frame + done, piece)) {
            return 0;
        }
        done += piece;
    }
    return done;
}

/* num_buffers of the header is 1: frames go into one chain each. */
static inline void vhost_frame_mark(VhostLoop *v)
{
    stw_le_p(v->frame + 10, 1);
    v->frame[VHOST_NET_HEADER] ^= VHOST_MARK;
}

static inline void vhost_frame_deliver(VhostLoop *v, size_t len)
{
    VhostChain in;

    if (vhost_ring_take(v, &v->ring[0], &in)) {
        vhost_frame_mark(v);
        vhost_ring_return(v, &v->ring[0], &in, vhost_frame_write(v, &in, len));
    }
}

/* QEMU enables rings before it says where they are; the kick comes last. */
static inline bool vhost_ring_runs(const VhostRing *r)
{
    return r->enabled && r->kick >= 0;
}

static inline void vhost_frames(VhostLoop *v)
{
    VhostChain out;

    while (vhost_ring_runs(&v->ring[0]) && vhost_ring_runs(&v->ring[1]) &&
           vhost_ring_take(v, &v->ring[1], &out)) {
        size_t len = vhost_frame_read(v, &out);

        vhost_ring_return(v, &v->ring[1], &out, 0);
        if (len) {
            vhost_frame_deliver(v, len);
        }
    }
}

/* ---- What QEMU asks for -------------------------------------------------- */

static inline uint64_t vhost_on_features(VhostLoop *v, VhostMessage *m)
{
    return VHOST_FEATURES;
}

static inline uint64_t vhost_on_own_features(VhostLoop *v, VhostMessage *m)
{
    return VHOST_OWN_FEATURES;
}

static inline uint64_t vhost_on_channel(VhostLoop *v, VhostMessage *m)
{
    vhost_close(&v->channel);
    v->channel = vhost_keep_fd(m, 0);
    return 0;
}

static inline void vhost_unmap_memory(VhostLoop *v)
{
    while (v->regions) {
        VhostMemory *memory = &v->memory[--v->regions];

        munmap(memory->mapped, memory->is.offset + memory->is.size);
    }
}

static inline uint64_t vhost_on_memory(VhostLoop *v, VhostMessage *m)
{
    vhost_unmap_memory(v);
    g_assert_cmpuint(m->payload.memory.count, <=, VHOST_REGIONS);
    while (v->regions < m->payload.memory.count) {
        VhostMemory *memory = &v->memory[v->regions];

        memory->is = m->payload.memory.region[v->regions];
        memory->mapped = mmap(NULL, memory->is.offset + memory->is.size,
                              PROT_READ | PROT_WRITE, MAP_SHARED,
                              m->fds[v->regions], 0);
        g_assert_true(memory->mapped != MAP_FAILED);
        v->regions++;
    }
    return 0;
}

static inline VhostRing *vhost_ring(VhostLoop *v, uint32_t index)
{
    g_assert_cmpuint(index, <, ARRAY_SIZE(v->ring));
    return &v->ring[index];
}

static inline uint64_t vhost_on_size(VhostLoop *v, VhostMessage *m)
{
    vhost_ring(v, m->payload.ring.index)->size = m->payload.ring.value;
    return 0;
}

static inline uint64_t vhost_on_where(VhostLoop *v, VhostMessage *m)
{
    VhostRing *r = vhost_ring(v, m->payload.where.index);

    r->desc = m->payload.where.desc;
    r->avail = m->payload.where.avail;
    r->used = m->payload.where.used;
    return 0;
}

static inline uint64_t vhost_on_base(VhostLoop *v, VhostMessage *m)
{
    VhostRing *r = vhost_ring(v, m->payload.ring.index);

    r->taken = r->returned = m->payload.ring.value;
    return 0;
}

/* Which stops it. */
static inline uint64_t vhost_on_get_base(VhostLoop *v, VhostMessage *m)
{
    VhostRing *r = vhost_ring(v, m->payload.ring.index);

    vhost_close(&r->kick);
    r->enabled = false;
    return m->payload.ring.index | (uint64_t)r->taken << 32;
}

static inline uint64_t vhost_on_enable(VhostLoop *v, VhostMessage *m)
{
    vhost_ring(v, m->payload.ring.index)->enabled = m->payload.ring.value;
    return 0;
}

static inline uint64_t vhost_on_kick(VhostLoop *v, VhostMessage *m)
{
    VhostRing *r = vhost_ring(v, m->payload.value & 0xff);

    vhost_close(&r->kick);
    r->kick = vhost_keep_fd(m, 0);
    return 0;
}

static inline uint64_t vhost_on_call(VhostLoop *v, VhostMessage *m)
{
    VhostRing *r = vhost_ring(v, m->payload.value & 0xff);

    vhost_close(&r->call);
    r->call = vhost_keep_fd(m, 0);
    return 0;
}

/* What is not here needs no more than an acknowledgement. */
static const struct {
    uint64_t (*act)(VhostLoop *v, VhostMessage *m);
    bool answered;
} vhost_requests[] = {
    [VHOST_GET_FEATURES] = { vhost_on_features, true },
    [VHOST_SET_MEM_TABLE] = { vhost_on_memory },
    [VHOST_SET_VRING_NUM] = { vhost_on_size },
    [VHOST_SET_VRING_ADDR] = { vhost_on_where },
    [VHOST_SET_VRING_BASE] = { vhost_on_base },
    [VHOST_GET_VRING_BASE] = { vhost_on_get_base, true },
    [VHOST_SET_VRING_KICK] = { vhost_on_kick },
    [VHOST_SET_VRING_CALL] = { vhost_on_call },
    [VHOST_GET_PROTOCOL_FEATURES] = { vhost_on_own_features, true },
    [VHOST_SET_VRING_ENABLE] = { vhost_on_enable },
    [VHOST_SET_BACKEND_REQ_FD] = { vhost_on_channel },
    [VHOST_IOTLB] = { vhost_on_iotlb },
};

static inline void vhost_answer(VhostLoop *v, VhostMessage *m)
{
    uint32_t request = m->header.request;
    bool known = request < ARRAY_SIZE(vhost_requests) &&
                 vhost_requests[request].act;
    uint64_t answer = known ? vhost_requests[request].act(v, m) : 0;

    if (m->header.flags & VHOST_NEED_REPLY ||
        (known && vhost_requests[request].answered)) {
        vhost_send(v->main, request, VHOST_IS_REPLY, &answer, sizeof(answer));
    }
}

/* One message; false at the end. */
static inline bool vhost_listen(VhostLoop *v)
{
    VhostMessage m;

    if (!vhost_receive(v->main, &m)) {
        return false;
    }
    vhost_answer(v, &m);
    for (unsigned i = 0; i < ARRAY_SIZE(m.fds); i++) {
        vhost_close(&m.fds[i]);
    }
    return true;
}

/* ---- The thread ---------------------------------------------------------- */

static inline bool vhost_event(const struct pollfd *fd)
{
    uint64_t count;

    return fd->revents && read(fd->fd, &count, sizeof(count)) == sizeof(count);
}

/* Messages before kicks, and kicks before vhost_loop_settle(). */
static inline bool vhost_step(VhostLoop *v)
{
    struct pollfd fds[] = {
        { v->main, POLLIN }, { v->ring[0].kick, POLLIN },
        { v->ring[1].kick, POLLIN }, { v->settle, POLLIN },
    };
    bool kicked;

    poll(fds, ARRAY_SIZE(fds), -1);
    if (fds[0].revents) {
        return vhost_listen(v);
    }
    kicked = vhost_event(&fds[1]);
    kicked |= vhost_event(&fds[2]);
    if (kicked) {
        vhost_frames(v);
    } else if (vhost_event(&fds[3])) {
        g_async_queue_push(v->settled, v);
    }
    return true;
}

static inline void *vhost_run(void *opaque)
{
    VhostLoop *v = opaque;

    v->main = accept(v->listener, NULL, NULL);
    while (vhost_step(v)) {
    }
    return NULL;
}

/* ---- For the test -------------------------------------------------------- */

static inline void vhost_loop_start(VhostLoop *v)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    memset(v, 0, sizeof(*v));
    v->channel = -1;
    for (unsigned i = 0; i < ARRAY_SIZE(v->ring); i++) {
        v->ring[i].kick = v->ring[i].call = -1;
    }
    v->said = g_async_queue_new_full(g_free);
    v->settled = g_async_queue_new();
    v->settle = eventfd(0, 0);
    v->iotlb = g_array_new(false, false, sizeof(VhostIotlb));
    v->dir = g_dir_make_tmp("sm-vhost-XXXXXX", NULL);
    v->path = g_strdup_printf("%s/socket", v->dir);
    g_strlcpy(addr.sun_path, v->path, sizeof(addr.sun_path));
    v->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(bind(v->listener, (void *)&addr, sizeof(addr)), ==, 0);
    g_assert_cmpint(listen(v->listener, 1), ==, 0);
    v->thread = g_thread_new("vhost-loop", vhost_run, v);
}

static inline void vhost_loop_close_fds(VhostLoop *v)
{
    vhost_close(&v->main);
    vhost_close(&v->channel);
    vhost_close(&v->listener);
    vhost_close(&v->settle);
    for (unsigned i = 0; i < ARRAY_SIZE(v->ring); i++) {
        vhost_close(&v->ring[i].kick);
        vhost_close(&v->ring[i].call);
    }
}

/* QEMU is connected: nobody looks for it any more. */
static inline void vhost_loop_hide(VhostLoop *v)
{
    g_unlink(v->path);
    g_rmdir(v->dir);
}

/* QEMU has ended. */
static inline void vhost_loop_stop(VhostLoop *v)
{
    g_thread_join(v->thread);
    vhost_unmap_memory(v);
    vhost_loop_close_fds(v);
    vhost_loop_hide(v);
    g_free(v->path);
    g_free(v->dir);
    g_array_unref(v->iotlb);
    g_async_queue_unref(v->said);
    g_async_queue_unref(v->settled);
}

/* Until it has done all that it was kicked for. */
static inline void vhost_loop_settle(VhostLoop *v)
{
    uint64_t one = 1;

    g_assert_cmpint(write(v->settle, &one, sizeof(one)), ==, sizeof(one));
    g_assert_nonnull(g_async_queue_timeout_pop(v->settled, VHOST_PATIENCE));
}

/* The next that it was told, which is this. */
static inline VhostIotlb vhost_loop_said(VhostLoop *v, VhostIotlbType type)
{
    g_autofree VhostIotlb *said = g_async_queue_timeout_pop(v->said,
                                                            VHOST_PATIENCE);

    g_assert_nonnull(said);
    g_assert_cmpuint(said->type, ==, type);
    return *said;
}

static inline void vhost_loop_assert_said_nothing(VhostLoop *v)
{
    g_assert_null(g_async_queue_try_pop(v->said));
}

/* What it was told up to now is of no interest. */
static inline void vhost_loop_skip(VhostLoop *v)
{
    void *said;

    vhost_loop_settle(v);
    while ((said = g_async_queue_try_pop(v->said))) {
        g_free(said);
    }
}

#endif /* TESTS_QTEST_VHOST_LOOP_H */

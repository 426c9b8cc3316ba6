/*
 * A vhost back end behind intel-iommu-sm: it keeps translations of its own, is
 * told of what the guest invalidates, and asks again.
 *
 * The back end is this test: it speaks as much of the vhost-user protocol as
 * the start of a device takes.  Its device is an entropy source with one queue,
 * at 00:03.0 or with ATS at 01:00.0, whose rings the guest has at SM_BED_IOVA.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include <sys/un.h>
#include "qemu/bswap.h"
#include "sm-bed.h"

#define RNG_SID         Q35_SID(0, 3, 0)
#define PORT_SID        Q35_SID(0, 4, 0)
#define ATS_RNG_SID     Q35_SID(1, 0, 0)
#define DOMAIN          SM_BED_DOMAIN
#define USED_RING       (SM_BED_IOVA + 2 * SM_PAGE)
#define PATIENCE        (10 * G_USEC_PER_SEC)

/* ---- The protocol -------------------------------------------------------- */

enum {
    GET_FEATURES = 1,
    GET_VRING_BASE = 11,
    GET_PROTOCOL_FEATURES = 15,
    SET_BACKEND_REQ_FD = 21,
    IOTLB = 22,

    BACKEND_IOTLB = 1,                  /* on the channel of the back end */

    VERSION = 1,
    IS_REPLY = 1 << 2,
    NEED_REPLY = 1 << 3,
};

#define FEATURES            (1ull << 30 | 3ull << 32)   /* ours; VIRTIO 1, IOMMU */
#define PROTOCOL_FEATURES   (1ull << 3 | 1ull << 5)     /* reply, own channel */

typedef struct Header {
    uint32_t request, flags, size;
} Header;

typedef enum IotlbType { MISS = 1, UPDATE = 2, INVALIDATE = 3 } IotlbType;

typedef struct Iotlb {
    uint64_t iova, size, uaddr;
    uint8_t perm, type;
} Iotlb;

/* ---- The back end -------------------------------------------------------- */

typedef struct Backend {
    char *dir, *path;
    int listener, channel;
    GThread *thread;
    GAsyncQueue *said;                  /* of Iotlb: what the device was told */
} Backend;

/* False at the end. */
static bool receive(int fd, void *buf, size_t len, int *passed)
{
    char control[CMSG_SPACE(16 * sizeof(int))];
    struct iovec iov = { buf, len };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof(control),
    };
    struct cmsghdr *c;

    if (len && recvmsg(fd, &msg, MSG_WAITALL) != (ssize_t)len) {
        return false;
    }
    *passed = -1;
    c = len ? CMSG_FIRSTHDR(&msg) : NULL;
    if (c && c->cmsg_type == SCM_RIGHTS) {
        *passed = *(int *)CMSG_DATA(c);
    }
    return true;
}

static void send_all(int fd, uint32_t request, uint32_t flags, const void *buf,
                     uint32_t size)
{
    Header header = { request, VERSION | flags, size };

    g_assert_cmpint(write(fd, &header, sizeof(header)), ==, sizeof(header));
    g_assert_cmpint(write(fd, buf, size), ==, size);
}

static void answer(Backend *b, int fd, const Header *header, const void *payload)
{
    uint64_t value = 0;

    switch (header->request) {
    case GET_FEATURES:
        value = FEATURES;
        break;
    case GET_PROTOCOL_FEATURES:
        value = PROTOCOL_FEATURES;
        break;
    case IOTLB:
        g_async_queue_push(b->said, g_memdup2(payload, sizeof(Iotlb)));
        break;
    }
    if (header->flags & NEED_REPLY || header->request == GET_FEATURES ||
        header->request == GET_PROTOCOL_FEATURES ||
        header->request == GET_VRING_BASE) {
        send_all(fd, header->request, IS_REPLY, &value, sizeof(value));
    }
}

static void *backend_run(void *opaque)
{
    Backend *b = opaque;
    int fd = accept(b->listener, NULL, NULL);
    uint8_t payload[4096];
    Header header;
    int passed, none;

    while (receive(fd, &header, sizeof(header), &passed) &&
           header.size <= sizeof(payload) &&
           receive(fd, payload, header.size, &none)) {
        if (header.request == SET_BACKEND_REQ_FD) {
            b->channel = passed;
        }
        answer(b, fd, &header, payload);
    }
    close(fd);
    return NULL;
}

static void backend_start(Backend *b)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    b->channel = -1;
    b->said = g_async_queue_new_full(g_free);
    b->dir = g_dir_make_tmp("sm-vhost-XXXXXX", NULL);
    b->path = g_strdup_printf("%s/socket", b->dir);
    g_strlcpy(addr.sun_path, b->path, sizeof(addr.sun_path));
    b->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(bind(b->listener, (void *)&addr, sizeof(addr)), ==, 0);
    g_assert_cmpint(listen(b->listener, 1), ==, 0);
    b->thread = g_thread_new("backend", backend_run, b);
}

/* QEMU has ended. */
static void backend_stop(Backend *b)
{
    g_thread_join(b->thread);
    close(b->listener);
    g_unlink(b->path);
    g_rmdir(b->dir);
    g_free(b->path);
    g_free(b->dir);
    g_async_queue_unref(b->said);
}

static Iotlb next_said(Backend *b, IotlbType type)
{
    g_autofree Iotlb *said = g_async_queue_timeout_pop(b->said, PATIENCE);

    g_assert_nonnull(said);
    g_assert_cmpuint(said->type, ==, type);
    return *said;
}

static void assert_said_nothing(Backend *b)
{
    g_assert_null(g_async_queue_try_pop(b->said));
}

/* The back end has no translation for @iova, and asks. */
static void miss(Backend *b, uint64_t iova)
{
    Iotlb what = { .iova = iova, .perm = 1, .type = MISS };

    send_all(b->channel, BACKEND_IOTLB, 0, &what, sizeof(what));
}

/* ---- The driver of the device -------------------------------------------- */

/* Offsets in the common configuration. */
enum {
    DRIVER_FEATURE_SELECT = 8,
    DRIVER_FEATURE = 12,
    DEVICE_STATUS = 20,
    QUEUE_SELECT = 22,
    QUEUE_SIZE = 24,
    QUEUE_ENABLE = 28,
    QUEUE_DESC = 32,
    QUEUE_DRIVER = 40,
    QUEUE_DEVICE = 48,

    ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8,
};

/* Where the common configuration is. */
static uint64_t common_of(const Q35Function *f, uint64_t *next_bar)
{
    unsigned pos = q35_config_readb(f, PCI_CAPABILITY_LIST);
    uint64_t bar;

    while (q35_config_readb(f, pos) != PCI_CAP_ID_VNDR ||
           q35_config_readb(f, pos + 3) != 1) {
        pos = q35_config_readb(f, pos + 1);
        g_assert_cmpuint(pos, !=, 0);
    }
    bar = q35_bar_place(f, q35_config_readb(f, pos + 4), next_bar);
    q35_command_set(f, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return bar + q35_config_readl(f, pos + 8);
}

static void driver_start(const Q35Function *f, uint64_t *next_bar)
{
    QTestState *qts = f->qts;
    uint64_t common = common_of(f, next_bar);

    qtest_writeb(qts, common + DEVICE_STATUS, ACKNOWLEDGE | DRIVER);
    qtest_writel(qts, common + DRIVER_FEATURE_SELECT, 1);
    qtest_writel(qts, common + DRIVER_FEATURE, FEATURES >> 32);
    qtest_writeb(qts, common + DEVICE_STATUS,
                 ACKNOWLEDGE | DRIVER | FEATURES_OK);
    qtest_writew(qts, common + QUEUE_SELECT, 0);
    qtest_writew(qts, common + QUEUE_SIZE, 4);
    qtest_writeq(qts, common + QUEUE_DESC, SM_BED_IOVA);
    qtest_writeq(qts, common + QUEUE_DRIVER, SM_BED_IOVA + SM_PAGE);
    qtest_writeq(qts, common + QUEUE_DEVICE, USED_RING);
    qtest_writew(qts, common + QUEUE_ENABLE, 1);
    qtest_writeb(qts, common + DEVICE_STATUS,
                 ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

/* ---- The bed ------------------------------------------------------------- */

typedef struct VhostBed {
    SmBed bed;
    Backend backend;
    SmMap map;
} VhostBed;

static char *vhost_args(const Backend *b, const char *more, const char *props)
{
    return g_strdup_printf(
        "-object memory-backend-file,id=ram,size=%dM,mem-path=%s,share=on "
        "-machine memory-backend=ram -chardev socket,id=vu,path=%s %s "
        "-device vhost-user-rng-pci,chardev=vu,iommu_platform=on,%s",
        Q35_RAM_MIB, b->dir, b->path, more, props);
}

static void vhost_tables(VhostBed *v, uint16_t sid)
{
    v->map = sm_map_new(&v->bed.sm, 4);
    sm_map(&v->bed.sm, &v->map, SM_BED_IOVA, sm_bed_page(0), 3, SM_RW);
    sm_context_set(&v->bed.sm, sid, SM_BED_RID_PASID);
    sm_pasid_set(&v->bed.sm, sid, SM_BED_RID_PASID,
                 &(SmPasid) { SM_SECOND_STAGE, DOMAIN, v->map });
    sm_start(&v->bed.sm);
}

/* The device runs, and its back end knows where the used ring is. */
static uint64_t vhost_start(VhostBed *v, const Q35Function *rng)
{
    Iotlb used;

    driver_start(rng, &v->bed.next_bar);
    used = next_said(&v->backend, UPDATE);
    g_assert_cmphex(used.iova, ==, USED_RING);
    g_assert_cmphex(used.size, ==, SM_PAGE);
    g_assert_cmphex(used.perm, ==, 3);
    return used.uaddr;
}

static uint64_t vhost_open(VhostBed *v)
{
    g_autofree char *args = NULL;

    backend_start(&v->backend);
    args = vhost_args(&v->backend, "", "addr=3.0");
    sm_bed_open(&v->bed, "", args);
    vhost_tables(v, RNG_SID);
    return vhost_start(v, &(Q35Function) { v->bed.qts, RNG_SID });
}

static void ats_enable(const Q35Function *f)
{
    unsigned pos = q35_extended_capability(f, PCI_EXT_CAP_ID_ATS);

    g_assert_cmpuint(pos, !=, 0);
    q35_config_writew(f, pos + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
}

static void vhost_open_with_ats(VhostBed *v)
{
    g_autofree char *args = NULL;
    Q35Function port, rng;

    backend_start(&v->backend);
    args = vhost_args(&v->backend, "-device pcie-root-port,id=rp,addr=4.0",
                      "bus=rp,ats=on");
    sm_bed_open(&v->bed, "device-iotlb=on", args);
    port = (Q35Function) { v->bed.qts, PORT_SID };
    rng = (Q35Function) { v->bed.qts, ATS_RNG_SID };
    q35_bridge_open(&port, 1);
    vhost_tables(v, ATS_RNG_SID);
    ats_enable(&rng);
    vhost_start(v, &rng);
}

static void vhost_close(VhostBed *v)
{
    sm_bed_close(&v->bed);
    backend_stop(&v->backend);
}

/* ---- Tests --------------------------------------------------------------- */

static void test_page(void)
{
    VhostBed v;
    Iotlb gone;

    vhost_open(&v);
    sm_invalidate_pages(&v.bed.sm, DOMAIN, USED_RING, 0);
    gone = next_said(&v.backend, INVALIDATE);
    g_assert_cmphex(gone.iova, ==, USED_RING);
    g_assert_cmphex(gone.size, ==, SM_PAGE);
    assert_said_nothing(&v.backend);
    vhost_close(&v);
}

static void test_other_domain(void)
{
    VhostBed v;

    vhost_open(&v);
    sm_invalidate_domain(&v.bed.sm, DOMAIN + 1);
    sm_invalidate_pages(&v.bed.sm, DOMAIN + 1, USED_RING, 0);
    assert_said_nothing(&v.backend);
    vhost_close(&v);
}

/* All addresses but those of interrupts, piece by piece. */
static void assert_all_gone(VhostBed *v)
{
    uint64_t left = -MiB;               /* of 2^64 */
    bool used_ring = false;

    while (left) {
        Iotlb gone = next_said(&v->backend, INVALIDATE);

        g_assert_cmphex(gone.size, <=, left);
        left -= gone.size;
        used_ring |= USED_RING - gone.iova < gone.size;
    }
    g_assert_true(used_ring);
    assert_said_nothing(&v->backend);
}

static void test_domain(void)
{
    VhostBed v;

    vhost_open(&v);
    sm_invalidate_domain(&v.bed.sm, DOMAIN);
    assert_all_gone(&v);
    vhost_close(&v);
}

static void test_pasid_entry(void)
{
    VhostBed v;

    vhost_open(&v);
    sm_invalidate_pasid(&v.bed.sm, DOMAIN, SM_BED_RID_PASID);
    assert_all_gone(&v);
    vhost_close(&v);
}

static void test_asks_again(void)
{
    VhostBed v;
    uint64_t before = vhost_open(&v);
    Iotlb now;

    sm_map(&v.bed.sm, &v.map, USED_RING, sm_bed_page(7), 1, SM_RW);
    sm_invalidate_pages(&v.bed.sm, DOMAIN, USED_RING, 0);
    next_said(&v.backend, INVALIDATE);
    miss(&v.backend, USED_RING);
    now = next_said(&v.backend, UPDATE);
    g_assert_cmphex(now.iova, ==, USED_RING);
    g_assert_cmphex(now.uaddr - before, ==, 5 * SM_PAGE);
    vhost_close(&v);
}

/* Software has to name it, as any that has a translation cache. */
static void test_ats(void)
{
    VhostBed v;
    Iotlb gone;

    vhost_open_with_ats(&v);
    sm_invalidate_domain(&v.bed.sm, DOMAIN);
    assert_said_nothing(&v.backend);
    sm_invalidate(&v.bed.sm, (uint64_t)ATS_RNG_SID << 32 | 3, USED_RING);
    gone = next_said(&v.backend, INVALIDATE);
    g_assert_cmphex(gone.iova, ==, USED_RING);
    g_assert_cmphex(gone.size, ==, SM_PAGE);
    assert_said_nothing(&v.backend);
    vhost_close(&v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/vhost/a-page-is-forgotten", test_page);
    qtest_add_func("/sm/vhost/another-domain-is-not", test_other_domain);
    qtest_add_func("/sm/vhost/a-domain-is-forgotten", test_domain);
    qtest_add_func("/sm/vhost/a-pasid-entry-is-forgotten", test_pasid_entry);
    qtest_add_func("/sm/vhost/a-back-end-asks-again", test_asks_again);
    qtest_add_func("/sm/vhost/with-ats-a-device-tlb-is-invalidated", test_ats);
    return g_test_run();
}

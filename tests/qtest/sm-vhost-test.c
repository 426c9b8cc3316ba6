/*
 * A network card with a vhost back end behind intel-iommu-sm: frames go to
 * another process and come back, through translations that it keeps.
 *
 * The back end is a thread of this test (vhost-loop.h), and the driver is its
 * other half (virtio-net-drive.h): rings and buffers are mapped at WINDOW, and
 * lie in memory in another order.  The card is at 00:03.0, or with ATS at
 * 01:00.0.
 *
 * Copyright (c) The vtd-sm developers
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "vhost-loop.h"
#include "virtio-net-drive.h"
#include "sm-bed.h"

#define CARD_SID        Q35_SID(0, 3, 0)
#define PORT_SID        Q35_SID(0, 4, 0)
#define ATS_CARD_SID    Q35_SID(1, 0, 0)
#define DOMAIN          SM_BED_DOMAIN
#define RID_PASID       SM_BED_RID_PASID

#define WINDOW          0x7f4212340000ull
#define OUT_PAGE        8               /* of the window: buffers to send, ... */
#define IN_PAGE         36              /* ... and to receive */
#define SPARE           64              /* data pages from here on are free */
#define GIB             (1024 * MiB)
#define BLANK           0xee

/* Fault reasons. */
enum { FS_NOT_PRESENT = 0x71, SS_NOT_PRESENT = 0x79, WRITE_DENIED = 0x85 };

/* ---- The bed ------------------------------------------------------------- */

typedef struct VhostBed {
    SmBed bed;
    VhostLoop loop;
    VirtioNetMemory memory;
    VirtioNet net;
    SmMap map;
    SmFirst first;              /* in its stead, if it has levels */
    Q35Function card;
    bool ats;
    unsigned frames;                    /* so that no two are the same */
} VhostBed;

static uint64_t window_page(const VhostBed *v, unsigned n)
{
    return v->memory.iova + n * SM_PAGE;
}

static void machine_start(VhostBed *v, const char *unit, const char *ports,
                          const char *card)
{
    g_autofree char *args = NULL;

    vhost_loop_start(&v->loop);
    args = g_strdup_printf(
        "-object memory-backend-file,id=ram,size=%dM,mem-path=%s,share=on "
        "-machine memory-backend=ram -chardev socket,id=vu,path=%s "
        "-netdev vhost-user,id=net,chardev=vu %s "
        "-device virtio-net-pci,netdev=net,iommu_platform=on,"
        "disable-legacy=on,romfile=,%s",
        Q35_RAM_MIB, v->loop.dir, v->loop.path, ports, card);
    sm_bed_open(&v->bed, unit, args);
}

static void ats_enable(const Q35Function *f)
{
    unsigned pos = q35_extended_capability(f, PCI_EXT_CAP_ID_ATS);

    g_assert_cmpuint(pos, !=, 0);
    q35_config_writew(f, pos + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
}

static void machine_with_ats(VhostBed *v, const char *unit)
{
    Q35Function port;

    machine_start(v, unit, "-device pcie-root-port,id=rp,addr=4.0",
                  "bus=rp,ats=on");
    port = (Q35Function) { v->bed.qts, PORT_SID };
    v->card = (Q35Function) { v->bed.qts, ATS_CARD_SID };
    v->ats = true;
    q35_bridge_open(&port, 1);
}

static void machine_without_ats(VhostBed *v)
{
    machine_start(v, "", "", "addr=3.0");
    v->card = (Q35Function) { v->bed.qts, CARD_SID };
}

/* The window's pages, in an order of their own. */
static void window_scatter(VhostBed *v)
{
    v->memory.iova = WINDOW;
    for (unsigned i = 0; i < VIRTIO_NET_PAGES; i++) {
        v->memory.at[i] = sm_bed_page((i * 29 + 7) % VIRTIO_NET_PAGES);
    }
}

/* All of it at @iova, as it lies in memory. */
static void window_straight(VhostBed *v, uint64_t iova)
{
    v->memory.iova = iova;
    for (unsigned i = 0; i < VIRTIO_NET_PAGES; i++) {
        v->memory.at[i] = sm_bed_page(i);
    }
}

/* One page; nothing with no rights. */
static void page_enter(VhostBed *v, uint64_t iova, uint64_t addr, SmRights rights)
{
    uint64_t flags = rights ? SM_FS_PRESENT | SM_FS_USER : 0;

    if (v->first.levels) {
        flags |= rights & SM_W ? SM_FS_WRITABLE : 0;
        sm_first_map(&v->bed.sm, &v->first, iova, addr, 1, flags);
    } else {
        sm_map(&v->bed.sm, &v->map, iova, addr, 1, rights);
    }
}

static void window_map(VhostBed *v)
{
    for (unsigned i = 0; i < VIRTIO_NET_PAGES; i++) {
        page_enter(v, window_page(v, i), v->memory.at[i], SM_RW);
    }
}

static void tables_use(VhostBed *v, SmPgtt pgtt)
{
    Sm *sm = &v->bed.sm;

    sm_context_set(sm, v->card.sid, RID_PASID);
    sm_pasid_set(sm, v->card.sid, RID_PASID,
                 &(SmPasid) { pgtt, DOMAIN, v->map, v->first });
}

static void card_start(VhostBed *v)
{
    virtio_net_open(&v->net, &v->card, &v->bed.next_bar, &v->memory);
}

static void second_stage_start(VhostBed *v)
{
    window_scatter(v);
    v->map = sm_map_new(&v->bed.sm, 4);
    window_map(v);
    tables_use(v, SM_SECOND_STAGE);
    sm_start(&v->bed.sm);
    card_start(v);
}

static void vhost_open(VhostBed *v)
{
    *v = (VhostBed) { };
    machine_without_ats(v);
    second_stage_start(v);
}

static void vhost_open_with_ats(VhostBed *v)
{
    *v = (VhostBed) { };
    machine_with_ats(v, "device-iotlb=on");
    ats_enable(&v->card);
    second_stage_start(v);
}

static void vhost_close_bed(VhostBed *v)
{
    sm_bed_close(&v->bed);
    vhost_loop_stop(&v->loop);
}

/* What software does once a page of the window is mapped in another way. */
static void page_invalidate(VhostBed *v, uint64_t page)
{
    sm_invalidate_pages(&v->bed.sm, DOMAIN, page, 0);
    if (v->ats) {
        sm_invalidate(&v->bed.sm, (uint64_t)v->card.sid << 32 | 3, page);
    }
}

static void page_unmap(VhostBed *v, unsigned n)
{
    sm_unmap(&v->bed.sm, &v->map, window_page(v, n), 1);
    page_invalidate(v, window_page(v, n));
}

/* Nothing was there. */
static void page_map(VhostBed *v, unsigned n, uint64_t addr, SmRights rights)
{
    v->memory.at[n] = addr;
    page_enter(v, window_page(v, n), addr, rights);
}

/* ---- Frames -------------------------------------------------------------- */

#define PIECES_MAX  16
#define STRIDE      0x1357              /* from one piece to the next */

typedef struct Buffer {
    unsigned n;
    VirtioNetPiece piece[PIECES_MAX];
} Buffer;

/* @len bytes from @iova on; in @n pieces, with gaps between them. */
static Buffer buffer(uint64_t iova, uint32_t len, unsigned n)
{
    Buffer b = { .n = n };

    for (unsigned i = 0; i < n; i++) {
        uint32_t end = (uint64_t)len * (i + 1) / n;

        b.piece[i] = (VirtioNetPiece) { iova + i * STRIDE,
                                        end - (uint64_t)len * i / n };
    }
    return b;
}

static uint32_t buffer_len(const Buffer *b)
{
    uint32_t len = 0;

    for (unsigned i = 0; i < b->n; i++) {
        len += b->piece[i].len;
    }
    return len;
}

static void buffer_put(VhostBed *v, const Buffer *b, const uint8_t *from)
{
    for (unsigned i = 0; i < b->n; from += b->piece[i++].len) {
        virtio_net_put(&v->net, b->piece[i].iova, from, b->piece[i].len);
    }
}

static void buffer_get(VhostBed *v, const Buffer *b, uint8_t *to)
{
    for (unsigned i = 0; i < b->n; to += b->piece[i++].len) {
        virtio_net_get(&v->net, b->piece[i].iova, to, b->piece[i].len);
    }
}

/* A header of zeroes, and bytes of which each depends on its place. */
static void frame_make(VhostBed *v, uint8_t *frame, uint32_t len)
{
    unsigned number = v->frames++;

    memset(frame, 0, VHOST_NET_HEADER);
    for (uint32_t i = VHOST_NET_HEADER; i < len; i++) {
        frame[i] = i * 31 + (i >> 8) + number * 17;
    }
}

/* As the back end sends it back. */
static void frame_mark(uint8_t *frame)
{
    frame[10] = 1;
    frame[VHOST_NET_HEADER] ^= VHOST_MARK;
}

/* A frame on its way: what was sent, and from where to where. */
typedef struct Frame {
    Buffer out, in;
    uint16_t out_head, in_head;
    uint8_t bytes[VHOST_FRAME_MAX];
} Frame;

/* The buffer to send comes back in any case. */
static void frame_send(VhostBed *v, Frame *f)
{
    uint8_t blank[VHOST_FRAME_MAX];

    memset(blank, BLANK, sizeof(blank));
    buffer_put(v, &f->in, blank);
    frame_make(v, f->bytes, buffer_len(&f->out));
    buffer_put(v, &f->out, f->bytes);
    f->in_head = virtio_net_post(&v->net, VIRTIO_NET_RX, f->in.piece, f->in.n);
    f->out_head = virtio_net_post(&v->net, VIRTIO_NET_TX, f->out.piece,
                                  f->out.n);
    virtio_net_take(&v->net, VIRTIO_NET_TX, f->out_head);
}

/* It is there, marked, and what follows it in the buffer is untouched. */
static void frame_assert_back(VhostBed *v, Frame *f)
{
    uint32_t len = buffer_len(&f->out), room = buffer_len(&f->in);
    uint8_t back[VHOST_FRAME_MAX];

    g_assert_cmpuint(virtio_net_take(&v->net, VIRTIO_NET_RX, f->in_head), ==,
                     len);
    buffer_get(v, &f->in, back);
    frame_mark(f->bytes);
    g_assert_cmpmem(back, len, f->bytes, len);
    for (uint32_t i = len; i < room; i++) {
        g_assert_cmphex(back[i], ==, BLANK);
    }
}

static void assert_loops(VhostBed *v, Buffer out, Buffer in)
{
    Frame f = { .out = out, .in = in };

    frame_send(v, &f);
    frame_assert_back(v, &f);
}

/* The plain way: from the page OUT_PAGE to the page IN_PAGE. */
static Buffer plain_out(VhostBed *v)
{
    return buffer(window_page(v, OUT_PAGE), 1514 + VHOST_NET_HEADER, 1);
}

static Buffer plain_in(VhostBed *v)
{
    return buffer(window_page(v, IN_PAGE), 2048, 1);
}

static void assert_plain_loops(VhostBed *v)
{
    assert_loops(v, plain_out(v), plain_in(v));
}

/* ---- What the back end was told ------------------------------------------ */

static void assert_told_page(VhostBed *v, unsigned n)
{
    VhostIotlb gone = vhost_loop_said(&v->loop, VHOST_INVALIDATE);

    g_assert_cmphex(gone.iova, ==, window_page(v, n));
    g_assert_cmphex(gone.size, ==, SM_PAGE);
    vhost_loop_assert_said_nothing(&v->loop);
}

/* All addresses but those of interrupts, piece by piece. */
static void assert_told_all(VhostBed *v)
{
    uint64_t left = -MiB;               /* of 2^64 */
    bool window = false;

    while (left) {
        VhostIotlb gone = vhost_loop_said(&v->loop, VHOST_INVALIDATE);

        g_assert_cmphex(gone.size, <=, left);
        left -= gone.size;
        window |= v->memory.iova - gone.iova < gone.size;
    }
    g_assert_true(window);
    vhost_loop_assert_said_nothing(&v->loop);
}

static void assert_refused(VhostBed *v, unsigned n, uint8_t perm)
{
    VhostIotlb what = vhost_loop_said(&v->loop, VHOST_REFUSED);

    g_assert_cmphex(what.iova, ==, window_page(v, n));
    g_assert_cmphex(what.perm, ==, perm);
    vhost_loop_assert_said_nothing(&v->loop);
}

static void assert_fault(VhostBed *v, uint8_t reason, unsigned n, bool is_read)
{
    SmFault fault;

    g_assert_true(sm_fault_take(&v->bed.sm, &fault));
    g_assert_cmphex(fault.reason, ==, reason);
    g_assert_cmphex(fault.sid, ==, v->card.sid);
    g_assert_cmphex(fault.page, ==, window_page(v, n));
    g_assert_cmpint(fault.is_read, ==, is_read);
    g_assert_false(fault.with_pasid);
}

/* ---- Tests: frames ------------------------------------------------------- */

/* Lengths without the header; offsets in a page; pieces. */
static const struct {
    uint32_t len;
    unsigned out_offset, in_offset, out_pieces, in_pieces;
} shapes[] = {
    { 14, 0, 0, 1, 1 },
    { 60, 4095, 4095, 1, 1 },
    { 64, 1, 4091, 2, 3 },
    { 1514, 3000, 0, 1, 1 },
    { 1514, 3, 3333, 3, 1 },
    { 4096 - VHOST_NET_HEADER, 0, 0, 1, 1 },
    { 4096, 0, 1, 1, 2 },
    { 9014, 123, 4001, 2, 3 },
    { 30000, 4090, 4090, 8, 16 },
    { 60000, 7, 4094, 15, 16 },
    { 60000, 1, 1, 1, 1 },
};

static void assert_shapes_loop(VhostBed *v)
{
    for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
        uint32_t len = shapes[i].len + VHOST_NET_HEADER;

        assert_loops(v,
                     buffer(window_page(v, OUT_PAGE) + shapes[i].out_offset,
                            len, shapes[i].out_pieces),
                     buffer(window_page(v, IN_PAGE) + shapes[i].in_offset,
                            len + 100, shapes[i].in_pieces));
    }
}

static void test_shapes(void)
{
    VhostBed v;

    vhost_open(&v);
    assert_shapes_loop(&v);
    vhost_close_bed(&v);
}

static void test_shapes_with_ats(void)
{
    VhostBed v;

    vhost_open_with_ats(&v);
    assert_shapes_loop(&v);
    vhost_close_bed(&v);
}

/* Rings go around several times; once known, nothing is asked for again. */
static void test_many(void)
{
    VhostBed v;

    vhost_open(&v);
    assert_plain_loops(&v);
    vhost_loop_skip(&v.loop);
    for (unsigned i = 0; i < 500; i++) {
        assert_plain_loops(&v);
    }
    vhost_loop_assert_said_nothing(&v.loop);
    vhost_close_bed(&v);
}

static void test_interrupt(void)
{
    VhostBed v;

    vhost_open(&v);
    assert_plain_loops(&v);
    virtio_net_await_interrupt(&v.net);
    vhost_close_bed(&v);
}

/*
 * As software does that trusts no device: both buffers are mapped for one frame
 * each, somewhere new, and afterwards unmapped and invalidated.
 */
static void assert_strict_traffic(VhostBed *v, unsigned count)
{
    page_unmap(v, OUT_PAGE);
    page_unmap(v, IN_PAGE);
    for (unsigned i = 0; i < count; i++) {
        page_map(v, OUT_PAGE, sm_bed_page(SPARE + 2 * i), SM_R);
        page_map(v, IN_PAGE, sm_bed_page(SPARE + 2 * i + 1), SM_W);
        assert_plain_loops(v);
        page_unmap(v, OUT_PAGE);
        page_unmap(v, IN_PAGE);
    }
}

static void test_strict(void)
{
    VhostBed v;

    vhost_open(&v);
    assert_strict_traffic(&v, 100);
    vhost_close_bed(&v);
}

static void test_strict_with_ats(void)
{
    VhostBed v;

    vhost_open_with_ats(&v);
    assert_strict_traffic(&v, 100);
    vhost_close_bed(&v);
}

enum { BURST = 24 };

static Buffer burst_in(VhostBed *v, unsigned i)
{
    return buffer(window_page(v, IN_PAGE + i), 2048, 1);
}

/* The same frame that often, with one kick. */
static void burst_send(VhostBed *v, uint8_t *frame, uint16_t *in)
{
    Buffer out = plain_out(v);

    frame_make(v, frame, buffer_len(&out));
    buffer_put(v, &out, frame);
    for (unsigned i = 0; i < BURST; i++) {
        Buffer to = burst_in(v, i);

        in[i] = virtio_net_add(&v->net, VIRTIO_NET_RX, to.piece, 1);
        virtio_net_add(&v->net, VIRTIO_NET_TX, out.piece, 1);
    }
    virtio_net_kick(&v->net, VIRTIO_NET_TX);
}

static void burst_assert_back(VhostBed *v, uint8_t *frame, const uint16_t *in)
{
    Buffer out = plain_out(v);
    uint32_t len = buffer_len(&out);
    uint8_t back[2048];

    frame_mark(frame);
    for (unsigned i = 0; i < BURST; i++) {
        Buffer to = burst_in(v, i);

        g_assert_cmpuint(virtio_net_take(&v->net, VIRTIO_NET_RX, in[i]), ==,
                         len);
        buffer_get(v, &to, back);
        g_assert_cmpmem(back, len, frame, len);
    }
    v->net.queue[VIRTIO_NET_TX].taken += BURST;
}

/* Invalidations find the back end at work, and in the middle of asking. */
static void test_invalidated_meanwhile(void)
{
    uint8_t frame[2048];
    uint16_t in[BURST];
    VhostBed v;

    vhost_open(&v);
    for (unsigned round = 0; round < 20; round++) {
        burst_send(&v, frame, in);
        for (unsigned i = 0; i < BURST; i++) {
            page_invalidate(&v, window_page(&v, IN_PAGE + i));
            sm_invalidate_domain(&v.bed.sm, DOMAIN);
        }
        burst_assert_back(&v, frame, in);
    }
    vhost_close_bed(&v);
}

/* ---- Tests: kinds of tables ---------------------------------------------- */

static void test_first_stage(void)
{
    VhostBed v = { };

    machine_without_ats(&v);
    window_scatter(&v);
    v.first = sm_first_new(&v.bed.sm, 4);
    window_map(&v);
    tables_use(&v, SM_FIRST_STAGE);
    sm_start(&v.bed.sm);
    card_start(&v);
    assert_shapes_loop(&v);
    vhost_loop_skip(&v.loop);

    page_map(&v, OUT_PAGE, sm_bed_page(SPARE), SM_R);
    sm_invalidate_pasid_page(&v.bed.sm, DOMAIN, RID_PASID,
                             window_page(&v, OUT_PAGE));
    assert_told_page(&v, OUT_PAGE);
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

/* A page that begins where the window does not. */
static void large_page(unsigned level, uint64_t iova, uint64_t addr)
{
    VhostBed v = { };

    machine_without_ats(&v);
    window_straight(&v, iova + (SM_BED_DATA - addr));
    v.map = sm_map_new(&v.bed.sm, 4);
    sm_map_large(&v.bed.sm, &v.map, iova, addr, level, SM_RW);
    tables_use(&v, SM_SECOND_STAGE);
    sm_start(&v.bed.sm);
    card_start(&v);
    assert_shapes_loop(&v);
    vhost_close_bed(&v);
}

static void test_2m(void)
{
    large_page(2, 0x7f4200000000, SM_BED_DATA);
}

/* Memory has a hole below the window. */
static void test_1g(void)
{
    large_page(3, 512 * GIB, 0);
}

static void test_pass_through(void)
{
    VhostBed v = { };

    machine_without_ats(&v);
    window_straight(&v, SM_BED_DATA);
    tables_use(&v, SM_PASS_THROUGH);
    sm_start(&v.bed.sm);
    card_start(&v);
    assert_shapes_loop(&v);
    vhost_close_bed(&v);
}

/* ---- Tests: what is forgotten -------------------------------------------- */

static void assert_out_page_moves(VhostBed *v)
{
    Frame f = { .out = plain_out(v), .in = plain_in(v) };

    assert_plain_loops(v);
    vhost_loop_skip(&v->loop);

    page_unmap(v, OUT_PAGE);
    assert_told_page(v, OUT_PAGE);
    frame_send(v, &f);
    vhost_loop_settle(&v->loop);
    assert_refused(v, OUT_PAGE, VHOST_READ);
    g_assert_false(virtio_net_is_done(&v->net, VIRTIO_NET_RX));
    assert_fault(v, SS_NOT_PRESENT, OUT_PAGE, true);
    sm_assert_no_fault(&v->bed.sm);

    /* Elsewhere; the buffer to receive is still with the device. */
    page_map(v, OUT_PAGE, sm_bed_page(SPARE), SM_R);
    buffer_put(v, &f.out, f.bytes);
    virtio_net_take(&v->net, VIRTIO_NET_TX,
                    virtio_net_post(&v->net, VIRTIO_NET_TX, f.out.piece, 1));
    frame_assert_back(v, &f);
}

static void test_out_page(void)
{
    VhostBed v;

    vhost_open(&v);
    assert_out_page_moves(&v);
    vhost_close_bed(&v);
}

static void test_out_page_with_ats(void)
{
    VhostBed v;

    vhost_open_with_ats(&v);
    assert_out_page_moves(&v);
    vhost_close_bed(&v);
}

/* A frame comes for a buffer that may not be written: it stays blank. */
static void assert_in_page_blank(VhostBed *v, uint8_t reason)
{
    Frame f = { .out = plain_out(v), .in = plain_in(v) };
    uint8_t in[2048];

    vhost_loop_skip(&v->loop);
    frame_send(v, &f);
    g_assert_cmpuint(virtio_net_take(&v->net, VIRTIO_NET_RX, f.in_head), ==, 0);
    assert_refused(v, IN_PAGE, VHOST_WRITE);
    assert_fault(v, reason, IN_PAGE, false);
    buffer_get(v, &f.in, in);
    for (unsigned i = 0; i < sizeof(in); i++) {
        g_assert_cmphex(in[i], ==, BLANK);
    }
}

static void test_in_page(void)
{
    VhostBed v;

    vhost_open(&v);
    assert_plain_loops(&v);
    page_unmap(&v, IN_PAGE);
    assert_in_page_blank(&v, SS_NOT_PRESENT);
    page_map(&v, IN_PAGE, sm_bed_page(SPARE), SM_R);
    assert_in_page_blank(&v, WRITE_DENIED);
    page_map(&v, IN_PAGE, sm_bed_page(SPARE), SM_W);
    page_invalidate(&v, window_page(&v, IN_PAGE));
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

/* The other pages of the frame are not touched by it. */
static void test_page_in_the_middle(void)
{
    VhostBed v;
    Frame f;

    vhost_open(&v);
    f.out = buffer(window_page(&v, OUT_PAGE), 4 * SM_PAGE, 1);
    f.in = buffer(window_page(&v, IN_PAGE), 4 * SM_PAGE, 1);
    assert_loops(&v, f.out, f.in);
    vhost_loop_skip(&v.loop);
    page_unmap(&v, OUT_PAGE + 2);
    assert_told_page(&v, OUT_PAGE + 2);
    frame_send(&v, &f);
    vhost_loop_settle(&v.loop);
    assert_refused(&v, OUT_PAGE + 2, VHOST_READ);
    g_assert_false(virtio_net_is_done(&v.net, VIRTIO_NET_RX));
    assert_fault(&v, SS_NOT_PRESENT, OUT_PAGE + 2, true);
    vhost_close_bed(&v);
}

static void test_other_domain(void)
{
    VhostBed v;

    vhost_open(&v);
    assert_plain_loops(&v);
    vhost_loop_skip(&v.loop);
    sm_invalidate_domain(&v.bed.sm, DOMAIN + 1);
    sm_invalidate_pages(&v.bed.sm, DOMAIN + 1, window_page(&v, OUT_PAGE), 0);
    assert_plain_loops(&v);
    vhost_loop_assert_said_nothing(&v.loop);
    vhost_close_bed(&v);
}

/* Both buffers move, in entries that were present: all depends on being told. */
static void buffers_move(VhostBed *v)
{
    assert_plain_loops(v);
    vhost_loop_skip(&v->loop);
    page_map(v, OUT_PAGE, sm_bed_page(SPARE), SM_R);
    page_map(v, IN_PAGE, sm_bed_page(SPARE + 1), SM_W);
}

static void test_domain(void)
{
    VhostBed v;

    vhost_open(&v);
    buffers_move(&v);
    sm_invalidate_domain(&v.bed.sm, DOMAIN);
    assert_told_all(&v);
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

static void test_everything(void)
{
    VhostBed v;

    vhost_open(&v);
    buffers_move(&v);
    sm_invalidate_iotlb(&v.bed.sm);
    assert_told_all(&v);
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

/* The entry names other tables, in which both buffers lie elsewhere. */
static void tables_change(VhostBed *v)
{
    assert_plain_loops(v);
    vhost_loop_skip(&v->loop);
    v->map = sm_map_new(&v->bed.sm, 4);
    window_map(v);
    page_map(v, OUT_PAGE, sm_bed_page(SPARE), SM_R);
    page_map(v, IN_PAGE, sm_bed_page(SPARE + 1), SM_W);
    sm_pasid_set(&v->bed.sm, v->card.sid, RID_PASID,
                 &(SmPasid) { SM_SECOND_STAGE, DOMAIN + 1, v->map });
    sm_invalidate_pasid(&v->bed.sm, DOMAIN, RID_PASID);
    assert_told_all(v);
}

static void test_pasid_entry(void)
{
    VhostBed v;

    vhost_open(&v);
    tables_change(&v);
    sm_invalidate_domain(&v.bed.sm, DOMAIN);
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

/* Between the two invalidations the IOTLB still answers as before. */
static void test_pasid_entry_meanwhile(void)
{
    VhostBed v;
    Frame f;

    vhost_open(&v);
    tables_change(&v);
    f = (Frame) { .out = plain_out(&v), .in = plain_in(&v) };
    frame_send(&v, &f);
    virtio_net_take(&v.net, VIRTIO_NET_RX, f.in_head);
    sm_invalidate_domain(&v.bed.sm, DOMAIN);
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

/* Software has to name it, as any that has a translation cache. */
static void test_device_tlb(void)
{
    VhostBed v;

    vhost_open_with_ats(&v);
    buffers_move(&v);
    sm_invalidate_domain(&v.bed.sm, DOMAIN);
    vhost_loop_assert_said_nothing(&v.loop);
    sm_invalidate(&v.bed.sm, (uint64_t)ATS_CARD_SID << 32 | 3,
                  window_page(&v, OUT_PAGE));
    assert_told_page(&v, OUT_PAGE);
    sm_invalidate(&v.bed.sm, (uint64_t)ATS_CARD_SID << 32 | 3,
                  window_page(&v, IN_PAGE));
    assert_told_page(&v, IN_PAGE);
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

/* Of another function, and of a PASID: the card's own are without. */
static void test_other_device_tlb(void)
{
    VhostBed v;

    vhost_open_with_ats(&v);
    assert_plain_loops(&v);
    vhost_loop_skip(&v.loop);
    sm_invalidate(&v.bed.sm, (uint64_t)(ATS_CARD_SID + 1) << 32 | 3,
                  window_page(&v, OUT_PAGE));
    sm_invalidate(&v.bed.sm, (uint64_t)ATS_CARD_SID << 16 |
                  (uint64_t)RID_PASID << 32 | 8, window_page(&v, OUT_PAGE));
    assert_plain_loops(&v);
    vhost_loop_assert_said_nothing(&v.loop);
    vhost_close_bed(&v);
}

/* ---- Tests: translation begins and ends ---------------------------------- */

/* The window is where it lies in memory, for as long as nothing is translated. */
static void untranslated_start(VhostBed *v)
{
    window_straight(v, SM_BED_DATA);
    v->map = sm_map_new(&v->bed.sm, 4);
    window_map(v);
    tables_use(v, SM_SECOND_STAGE);
}

static void assert_turned_on(VhostBed *v)
{
    card_start(v);
    buffers_move(v);
    sm_start(&v->bed.sm);
    assert_plain_loops(v);
}

static void test_turned_on(void)
{
    VhostBed v = { };

    machine_without_ats(&v);
    untranslated_start(&v);
    assert_turned_on(&v);
    vhost_close_bed(&v);
}

static void test_turned_on_with_ats(void)
{
    VhostBed v = { };

    machine_with_ats(&v, "device-iotlb=on");
    ats_enable(&v.card);
    untranslated_start(&v);
    assert_turned_on(&v);
    vhost_close_bed(&v);
}

static void test_turned_off(void)
{
    VhostBed v = { };

    machine_without_ats(&v);
    untranslated_start(&v);
    page_map(&v, OUT_PAGE, sm_bed_page(SPARE), SM_R);
    page_map(&v, IN_PAGE, sm_bed_page(SPARE + 1), SM_W);
    sm_start(&v.bed.sm);
    card_start(&v);
    assert_plain_loops(&v);
    sm_command_off(&v.bed.sm, SM_GCMD_TE);
    window_straight(&v, SM_BED_DATA);
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

/* The machine begins anew, and the card with it; nothing is translated. */
static void test_reset(void)
{
    VhostBed v;

    vhost_open(&v);
    assert_plain_loops(&v);
    qtest_system_reset(v.bed.qts);
    q35_config_open(v.bed.qts);
    v.bed.next_bar = Q35_MMIO;
    window_straight(&v, SM_BED_DATA);
    for (unsigned i = 0; i < VIRTIO_NET_BUFFERS; i++) {
        qtest_memset(v.bed.qts, v.memory.at[i], 0, SM_PAGE);
    }
    card_start(&v);
    assert_plain_loops(&v);
    vhost_close_bed(&v);
}

/* ---- Tests: refusals ----------------------------------------------------- */

/* Who keeps translations as a device TLB would never be told: QEMU ends. */
static void ats_without_unit(void)
{
    VhostBed v = { };

    machine_with_ats(&v, "device-iotlb=off");
    vhost_loop_hide(&v.loop);
    ats_enable(&v.card);
    second_stage_start(&v);
}

static void test_ats_without_unit(void)
{
    if (g_test_subprocess()) {
        ats_without_unit();
        return;
    }
    g_test_trap_subprocess(NULL, VHOST_PATIENCE, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*the device needs intel-iommu-sm with "
                              "device-iotlb=on*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/sm/vhost/frames-of-any-shape", test_shapes);
    qtest_add_func("/sm/vhost/frames-of-any-shape-with-ats",
                   test_shapes_with_ats);
    qtest_add_func("/sm/vhost/many-frames", test_many);
    qtest_add_func("/sm/vhost/interrupt", test_interrupt);
    qtest_add_func("/sm/vhost/a-mapping-for-each-frame", test_strict);
    qtest_add_func("/sm/vhost/a-mapping-for-each-frame-with-ats",
                   test_strict_with_ats);
    qtest_add_func("/sm/vhost/invalidated-meanwhile",
                   test_invalidated_meanwhile);
    qtest_add_func("/sm/vhost/first-stage", test_first_stage);
    qtest_add_func("/sm/vhost/page-of-2m", test_2m);
    qtest_add_func("/sm/vhost/page-of-1g", test_1g);
    qtest_add_func("/sm/vhost/pass-through", test_pass_through);
    qtest_add_func("/sm/vhost/a-page-is-forgotten", test_out_page);
    qtest_add_func("/sm/vhost/a-page-is-forgotten-with-ats",
                   test_out_page_with_ats);
    qtest_add_func("/sm/vhost/a-page-to-write-is-forgotten", test_in_page);
    qtest_add_func("/sm/vhost/a-page-in-the-middle-is-forgotten",
                   test_page_in_the_middle);
    qtest_add_func("/sm/vhost/another-domain-is-not", test_other_domain);
    qtest_add_func("/sm/vhost/a-domain-is-forgotten", test_domain);
    qtest_add_func("/sm/vhost/everything-is-forgotten", test_everything);
    qtest_add_func("/sm/vhost/a-pasid-entry-is-forgotten", test_pasid_entry);
    qtest_add_func("/sm/vhost/a-pasid-entry-and-what-it-left",
                   test_pasid_entry_meanwhile);
    qtest_add_func("/sm/vhost/with-ats-a-device-tlb-is-invalidated",
                   test_device_tlb);
    qtest_add_func("/sm/vhost/with-ats-another-device-tlb-is-not",
                   test_other_device_tlb);
    qtest_add_func("/sm/vhost/translation-turned-on", test_turned_on);
    qtest_add_func("/sm/vhost/translation-turned-on-with-ats",
                   test_turned_on_with_ats);
    qtest_add_func("/sm/vhost/translation-turned-off", test_turned_off);
    qtest_add_func("/sm/vhost/reset", test_reset);
    qtest_add_func("/sm/vhost/ats-needs-device-tlbs-of-the-unit",
                   test_ats_without_unit);
    return g_test_run();
}

/* Weights that take turns on the GPU.
 *
 * Each matrix was packed there as any other is, so it lies in pinned host memory bit for bit as the
 * GPU multiplies by it. Two berths of the size of the largest part are its place on the GPU, in
 * turn; a stream of its own fills them. Two events keep order:
 *
 *     came[b]  berth b is filled: the work with the part waits for it
 *     left     all work queued so far, that with the part before among it, and the coming of the
 *              weights to the host: the copy into its berth waits for it
 *
 *     the copies     | part 1 |        | part 2 |        | part 3 |
 *     the work                | part 1 ......... | part 2 ........ | part 3 …
 */
#include "tensor/cuda/cuda.h"

#include <stdlib.h>

#define BERTHS 2
#define GRAIN 256 /* of an address in a berth, as of any allocation */

struct cuda_shelf {
    struct shelf s; /* first */
    cudaStream_t stream;
    cudaEvent_t came[BERTHS], left;
    struct cuda_weight **first; /* of each part, a list */
    size_t *bytes;              /* of each part, in a berth */
    void *berth[BERTHS];
    size_t room;    /* of a berth */
    int in[BERTHS]; /* the part there, or −1 */
};

static size_t grained(size_t bytes)
{
    return (bytes + GRAIN - 1) / GRAIN * GRAIN;
}

static struct cuda_shelf *shelf_of(struct shelf *s)
{
    return (struct cuda_shelf *)s;
}

struct shelf *shelf_open(struct device *d, int parts)
{
    struct cuda *c = cuda_of(d);
    int least = 0, most = 0;
    struct cuda_shelf *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->s.dev = d;
    s->s.parts = parts;
    s->in[0] = s->in[1] = -1;
    s->first = calloc((size_t)parts, sizeof *s->first);
    s->bytes = calloc((size_t)parts, sizeof *s->bytes);
    cudaError_t e = cudaDeviceGetStreamPriorityRange(&least, &most);
    if (!e)
        e = cudaStreamCreateWithPriority(&s->stream, cudaStreamNonBlocking, least);
    cudaEvent_t *events[] = {&s->came[0], &s->came[1], &s->left};
    for (int i = 0; i < 3 && !e; i++)
        e = cudaEventCreateWithFlags(events[i], cudaEventDisableTiming);
    if (s->first && s->bytes && cuda_ok(c, e, "a stream for copies", parts, 1, 1))
        return &s->s;
    shelf_close(&s->s);
    return NULL;
}

static void give_berths(struct cuda_shelf *s)
{
    for (int b = 0; b < BERTHS; b++) {
        if (s->berth[b])
            device_release(s->s.dev, s->berth[b]);
        s->berth[b] = NULL;
        s->in[b] = -1;
    }
    s->room = 0;
}

void shelf_close(struct shelf *shelf)
{
    struct cuda_shelf *s = shelf_of(shelf);
    if (s->stream)
        cudaStreamSynchronize(s->stream);
    give_berths(s);
    cudaEvent_t events[] = {s->came[0], s->came[1], s->left};
    for (int i = 0; i < 3; i++)
        if (events[i])
            cudaEventDestroy(events[i]);
    if (s->stream)
        cudaStreamDestroy(s->stream);
    free(s->first);
    free(s->bytes);
    free(s);
}

bool shelf_park(struct cuda_weight *w, cudaStream_t stream)
{
    struct cuda_shelf *s = shelf_of(w->shelf);
    int part = w->part;
    struct cuda *c = cuda_of(s->s.dev);
    void *host = NULL;
    if (!cuda_ok(c, cudaMallocHost(&host, w->bytes), "pinned host memory for a weight", w->w.out,
                 w->w.in, 1))
        return false;
    if (!cuda_ok(c, cudaMemcpyAsync(host, w->data, w->bytes, cudaMemcpyDeviceToHost, stream),
                 "cudaMemcpyAsync of a weight to the host", w->w.out, w->w.in, 1)) {
        cudaFreeHost(host);
        return false;
    }
    w->parked = host;
    memory_give(c, w->data, stream);
    w->data = NULL;
    w->next = s->first[part];
    s->first[part] = w;
    s->bytes[part] += grained(w->bytes);
    s->s.bytes += w->bytes;
    for (int b = 0; b < BERTHS; b++)
        s->in[b] = s->in[b] == part ? -1 : s->in[b];
    return true;
}

void shelf_forget(struct cuda_weight *w)
{
    struct cuda_shelf *s = shelf_of(w->shelf);
    struct cuda *c = cuda_of(s->s.dev);
    cuda_ok(c, cudaStreamSynchronize(s->stream), "cudaStreamSynchronize", 1, 1, 1);
    cuda_ok(c, cudaStreamSynchronize(c->stream), "the work before this", 1, 1, 1);
    for (struct cuda_weight **at = &s->first[w->part]; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    s->bytes[w->part] -= grained(w->bytes);
    s->s.bytes -= w->bytes;
    for (int b = 0; b < BERTHS; b++)
        s->in[b] = s->in[b] == w->part ? -1 : s->in[b];
    w->data = NULL; /* a place in a berth, if any */
}

/* Berths are made when all parts are known, and again when one has grown. */
static bool berths(struct cuda_shelf *s)
{
    size_t most = 0;
    for (int i = 0; i < s->s.parts; i++)
        most = s->bytes[i] > most ? s->bytes[i] : most;
    if (most <= s->room)
        return true;
    struct cuda *c = cuda_of(s->s.dev);
    if (!cuda_ok(c, cudaStreamSynchronize(s->stream), "cudaStreamSynchronize", 1, 1, 1))
        return false;
    give_berths(s);
    for (int b = 0; b < BERTHS; b++)
        if (!(s->berth[b] = device_alloc(s->s.dev, most)))
            return false;
    s->room = most;
    return true;
}

static void fill(struct cuda_shelf *s, int part, int b)
{
    struct cuda *c = cuda_of(s->s.dev);
    char *to = s->berth[b];
    s->in[b] = -1;
    if (!cuda_ok(c, cudaEventRecord(s->left, c->stream), "cudaEventRecord", part, 1, 1) ||
        !cuda_ok(c, cudaStreamWaitEvent(s->stream, s->left, 0), "cudaStreamWaitEvent", part, 1, 1))
        return;
    for (struct cuda_weight *w = s->first[part]; w; w = w->next) {
        if (!cuda_ok(c, cudaMemcpyAsync(to, w->parked, w->bytes, cudaMemcpyHostToDevice, s->stream),
                     "cudaMemcpyAsync of a parked weight", w->w.out, w->w.in, 1))
            return;
        w->data = to;
        to += grained(w->bytes);
    }
    if (cuda_ok(c, cudaEventRecord(s->came[b], s->stream), "cudaEventRecord", part, 1, 1))
        s->in[b] = part;
}

static int berth_of(const struct cuda_shelf *s, int part)
{
    return s->in[0] == part ? 0 : s->in[1] == part ? 1 : -1;
}

void shelf_bring(struct shelf *shelf, int part, int next)
{
    struct cuda_shelf *s = shelf_of(shelf);
    struct cuda *c = cuda_of(s->s.dev);
    if (!berths(s))
        return;
    int b = berth_of(s, part);
    if (b < 0)
        fill(s, part, b = 0);
    if (device_failed(&c->dev) || !cuda_ok(c, cudaStreamWaitEvent(c->stream, s->came[b], 0),
                                           "cudaStreamWaitEvent", part, 1, 1))
        return;
    if (next >= 0 && berth_of(s, next) < 0)
        fill(s, next, 1 - b);
}

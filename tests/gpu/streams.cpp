/* Streams and events of the emulation.
 *
 * Work is done when it is queued, in the host's order, but a stream has a clock of what it knows to
 * be done on each stream: by the events it waited for, and by what the host had waited for when it
 * queued. Copies, fills, products, allocations and frees say which bytes they read and write; what
 * meets bytes of another stream's work that it does not know of is told, since on a GPU the two
 * would come in any order. Of kernels built with access checks that is every load and store, in
 * pieces of 256 bytes.
 *
 * Copies between host and device are late on purpose: what comes from the device is in host memory
 * only once the host has waited for it, and what goes there must be the same until then.
 *
 * A recording (a graph) keeps what its stream is given and does it when it is played, under the
 * same checks. What CUDA refuses meanwhile is refused: the call gives its error, and the recording
 * comes to nothing. What CUDA would take and nothing here should do is told: memory lent or freed
 * on the stream, copies between host and device, other streams drawn in. So is a recording that,
 * when it is played, touches memory that was lent since it was made.
 *
 * EMU_FORGET=A:B forgets every wait of the A-th stream for events of the B-th; streams count from 1
 * in the order of their making. */
#include "gpu/emu.h"

#include <algorithm>
#include <functional>
#include <map>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <vector>

enum { STREAMS = 16 }; /* the first is CUDA's own, NULL */

struct clock {
    uint64_t at[STREAMS];
};

struct use {
    uint64_t read, wrote; /* when last */
    const char *what;
};

typedef std::map<std::pair<uintptr_t, uintptr_t>, struct use> uses; /* from, to → */

struct recording {
    std::vector<std::function<cudaError_t()>> work;
    unsigned long last; /* allocation, when it was made */
};
static struct {
    int stream; /* 0: nothing is recorded */
    bool broken;
    struct recording made;
} tape;
static const struct recording *playing;

static struct clock knows[STREAMS], host;
static bool alive[STREAMS] = {true};
static uses used[STREAMS];

struct late {
    int stream;
    uint64_t when;
    char *to; /* of the host; or NULL: `from` must not change */
    const char *from;
    std::vector<char> bytes;
};
static std::vector<struct late> lates;
static std::map<uintptr_t, uintptr_t> pinned; /* from → to */

static void join(struct clock *a, const struct clock *b)
{
    for (int i = 0; i < STREAMS; i++)
        a->at[i] = a->at[i] > b->at[i] ? a->at[i] : b->at[i];
}

static int number_of(cudaStream_t s)
{
    int n = (int)(uintptr_t)s;
    if (n < 0 || n >= STREAMS || !alive[n]) {
        emu_found("work on a stream that is not there");
        return 0;
    }
    return n;
}

/* The next moment of a stream. */
static int step(cudaStream_t s)
{
    int n = number_of(s);
    join(&knows[n], &host);
    knows[n].at[n]++;
    return n;
}

static void touch(int n, const void *p, size_t bytes, bool write, const char *what)
{
    unsigned long at = emu_allocation(p, bytes);
    if (!at || (playing && at > playing->last))
        emu_found("%s %s %zu bytes that are %s", what, write ? "writes" : "reads", bytes,
                  at ? "lent to others since it was recorded" : "in no allocation");
    uintptr_t from = (uintptr_t)p, to = from + bytes;
    for (int t = 0; t < STREAMS; t++)
        for (auto i = used[t].begin(); t != n && i != used[t].end();) {
            const struct use &u = i->second;
            uint64_t when = write && u.read > u.wrote ? u.read : u.wrote;
            if (u.read <= host.at[t] && u.wrote <= host.at[t]) {
                i = used[t].erase(i);
                continue;
            }
            if (i->first.first < to && from < i->first.second && when > knows[n].at[t])
                emu_found("%s, on stream %d, %s %zu bytes that stream %d may be using (%s)", what,
                          n, write ? "writes" : "reads", bytes, t, u.what);
            i++;
        }
    struct use &mine = used[n][{from, to}];
    (write ? mine.wrote : mine.read) = knows[n].at[n];
    mine.what = what;
}

void emu_uses(cudaStream_t s, const void *p, size_t bytes, bool write, const char *what)
{
    if (!emu_on_device(p))
        emu_found("%s is given host memory", what);
    touch(step(s), p, bytes, write, what);
}

uint64_t emu_moment(cudaStream_t s)
{
    int n = number_of(s);
    return knows[n].at[n];
}

bool emu_waited(cudaStream_t s, uint64_t moment)
{
    return moment <= host.at[number_of(s)];
}

/* ---- recordings ---- */

bool emu_captures(cudaStream_t s)
{
    return tape.stream && (int)(uintptr_t)s == tape.stream;
}

void emu_keep(std::function<cudaError_t()> work)
{
    tape.made.work.push_back(work);
}

static cudaError_t refused(cudaError_t e)
{
    tape.broken = true;
    return emu_error(e);
}

/* Calls that may wait for the whole device. */
#define UNRECORDED                                                                                 \
    if (tape.stream)                                                                               \
    return refused(cudaErrorStreamCaptureUnsupported)

/* ---- kernels ---- */

enum { GRAIN = 8 }; /* allocations are 256 bytes apart */
static int launch_stream;
static std::vector<uintptr_t> saw; /* grains, with 1 for a write */
static uintptr_t saw_lately[64];

void emu_stream_enter(cudaStream_t s)
{
    launch_stream = step(s);
    saw.clear();
    memset(saw_lately, 0, sizeof saw_lately);
}

void emu_stream_saw(const void *p, size_t size, bool write)
{
    uintptr_t first = (uintptr_t)p >> GRAIN, last = ((uintptr_t)p + size - 1) >> GRAIN;
    for (uintptr_t g = first; g <= last; g++) {
        uintptr_t key = g << 1 | write, *lately = &saw_lately[key % 64];
        if (*lately == key)
            continue;
        *lately = key;
        saw.push_back(key);
    }
}

void emu_stream_leave(const char *kernel)
{
    for (int write = 0; write < 2; write++) {
        std::vector<uintptr_t> grains;
        for (uintptr_t key : saw)
            if ((int)(key & 1) == write)
                grains.push_back(key >> 1);
        std::sort(grains.begin(), grains.end());
        for (size_t i = 0, j; i < grains.size(); i = j) {
            for (j = i + 1; j < grains.size() && grains[j] <= grains[j - 1] + 1;)
                j++;
            touch(launch_stream, (void *)(grains[i] << GRAIN),
                  (size_t)(grains[j - 1] + 1 - grains[i]) << GRAIN, write, kernel);
        }
    }
    saw.clear();
}

/* ---- waiting ---- */

/* What has come to its end by now. */
static void end_late(const struct clock *by)
{
    for (size_t i = 0; i < lates.size();) {
        struct late &l = lates[i];
        if (l.when > by->at[l.stream]) {
            i++;
            continue;
        }
        if (l.to)
            memcpy(l.to, l.bytes.data(), l.bytes.size());
        else if (memcmp(l.from, l.bytes.data(), l.bytes.size()))
            emu_found("host memory was changed while a copy of %zu bytes out of it was on its way",
                      l.bytes.size());
        lates.erase(lates.begin() + (long)i);
    }
}

static void host_knows(const struct clock *c)
{
    join(&host, c);
    end_late(&host);
}

/* First in each call: of a lost device it does nothing. */
#define ALIVE                                                                                      \
    if (emu_lost())                                                                                \
    return emu_lost()

struct event {
    struct clock at;
    int stream;    /* −1: never recorded */
    bool captured; /* a place in a recording: nobody outside can wait for it */
    bool timed;    /* it keeps a time */
};

cudaError_t emu_timed(cudaEvent_t e)
{
    const struct event *v = (const struct event *)e;
    if (!v->timed || v->stream < 0 || v->captured)
        return cudaErrorInvalidResourceHandle;
    return v->at.at[v->stream] > host.at[v->stream] ? cudaErrorNotReady : cudaSuccess;
}

extern "C" {

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *s, unsigned, int)
{
    ALIVE;
    for (int i = 1; i < STREAMS; i++)
        if (!alive[i]) {
            alive[i] = true;
            *s = (cudaStream_t)(uintptr_t)i;
            return cudaSuccess;
        }
    return emu_error(cudaErrorMemoryAllocation);
}

cudaError_t cudaStreamGetPriority(cudaStream_t, int *priority)
{
    ALIVE;
    *priority = 0;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t s)
{
    ALIVE;
    if (emu_captures(s))
        return refused(cudaErrorStreamCaptureUnsupported);
    host_knows(&knows[number_of(s)]);
    return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t s)
{
    ALIVE;
    if (emu_captures(s))
        return refused(cudaErrorStreamCaptureUnsupported);
    number_of(s);
    return emu_error(cudaErrorNotReady); /* it may always be so */
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
    ALIVE;
    int n = number_of(s);
    if (knows[n].at[n] > host.at[n])
        emu_found("a stream is destroyed that may be working");
    used[n].clear();
    alive[n] = false;
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags)
{
    ALIVE;
    *e = (cudaEvent_t) new event{{}, -1, false, !(flags & cudaEventDisableTiming)};
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *e)
{
    return cudaEventCreateWithFlags(e, 0);
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
    ALIVE;
    delete (struct event *)e;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s)
{
    ALIVE;
    if (emu_captures(s)) {
        ((struct event *)e)->captured = true;
        return cudaSuccess;
    }
    int n = step(s);
    *(struct event *)e = {knows[n], n, false, ((struct event *)e)->timed};
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
    ALIVE;
    if (((struct event *)e)->captured)
        return refused(cudaErrorCapturedEvent);
    if (((struct event *)e)->stream >= 0)
        host_knows(&((struct event *)e)->at);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned)
{
    ALIVE;
    static const char *wish = getenv("EMU_FORGET");
    const struct event *v = (const struct event *)e;
    if (emu_captures(s))
        return v->captured ? cudaSuccess : refused(cudaErrorStreamCaptureIsolation);
    if (v->captured)
        emu_found("another stream is drawn into a recording");
    int n = step(s), waits = 0, on = 0;
    if (wish && sscanf(wish, "%d:%d", &waits, &on) == 2 && waits == n && on == v->stream)
        return cudaSuccess;
    if (v->stream >= 0)
        join(&knows[n], &v->at);
    return cudaSuccess;
}

/* Has the host waited for all that was queued? */
extern "C" bool emu_idle(void);
bool emu_idle(void)
{
    for (int i = 0; i < STREAMS; i++)
        if (alive[i] && knows[i].at[i] > host.at[i])
            return false;
    return true;
}

/* ---- memory ---- */

static std::vector<std::pair<std::pair<uintptr_t, uintptr_t>, struct clock>> freed;
static std::map<void *, size_t> pool, apart; /* from the pool, and not */
static size_t pool_used, pool_has, apart_used;

static bool room(size_t pool_wants, size_t apart_wants)
{
    size_t has = pool_used + pool_wants > pool_has ? pool_used + pool_wants : pool_has;
    return has + apart_used + apart_wants <= emu_memory();
}

bool emu_loads(const void *kernel)
{
    static std::map<const void *, size_t> loaded;
    const char *each = getenv("EMU_CODE");
    size_t bytes = each ? (size_t)atol(each) << 20 : 0;
    if (!bytes || loaded.count(kernel))
        return true;
    if (!room(0, bytes))
        return false;
    apart_used += loaded[kernel] = bytes;
    return true;
}

cudaError_t cudaMalloc(void **p, size_t bytes)
{
    ALIVE;
    UNRECORDED;
    *p = room(0, bytes) ? emu_take(bytes) : NULL;
    if (!*p)
        return emu_error(cudaErrorMemoryAllocation);
    apart[*p] = bytes;
    apart_used += bytes;
    return cudaSuccess;
}

cudaError_t cudaFree(void *p)
{
    ALIVE;
    UNRECORDED;
    apart_used -= apart[p];
    apart.erase(p);
    return emu_error(emu_give(p) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMemGetInfo(size_t *spare, size_t *all)
{
    ALIVE;
    *all = emu_memory();
    *spare = *all - pool_has - apart_used;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t *p, int)
{
    ALIVE;
    *p = (cudaMemPool_t)(uintptr_t)1;
    return cudaSuccess;
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t least)
{
    ALIVE;
    pool_has = pool_used > least ? pool_used : least < pool_has ? least : pool_has;
    return cudaSuccess;
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr what, void *value)
{
    ALIVE;
    if (what != cudaMemPoolAttrReservedMemCurrent)
        return emu_error(cudaErrorInvalidValue);
    *(uint64_t *)value = pool_has;
    return cudaSuccess;
}

/* What another stream gave back is lent after that stream's work, as the pool sees to it. */
cudaError_t cudaMallocFromPoolAsync(void **p, size_t bytes, cudaMemPool_t, cudaStream_t s)
{
    ALIVE;
    if (emu_captures(s))
        emu_found("a recording takes %zu bytes of its own", bytes);
    *p = room(bytes, 0) ? emu_take(bytes) : NULL;
    if (!*p)
        return emu_error(cudaErrorMemoryAllocation);
    pool_used += bytes;
    pool_has = pool_used > pool_has ? pool_used : pool_has;
    int n = step(s);
    uintptr_t from = (uintptr_t)*p, to = from + bytes;
    for (size_t i = 0; i < freed.size();)
        if (freed[i].first.first < to && from < freed[i].first.second) {
            join(&knows[n], &freed[i].second);
            freed.erase(freed.begin() + (long)i);
        } else {
            i++;
        }
    pool[*p] = bytes;
    touch(n, *p, bytes, true, "an allocation");
    return cudaSuccess;
}

cudaError_t cudaFreeAsync(void *p, cudaStream_t s)
{
    ALIVE;
    if (emu_captures(s))
        emu_found("a recording frees memory");
    int n = step(s);
    size_t bytes = pool[p];
    touch(n, p, bytes, true, "a free");
    pool.erase(p);
    pool_used -= bytes;
    for (int t = 0; t < STREAMS; t++) /* that was all about these bytes */
        for (auto i = used[t].begin(); i != used[t].end();)
            i = i->first.first >= (uintptr_t)p && i->first.second <= (uintptr_t)p + bytes
                    ? used[t].erase(i)
                    : std::next(i);
    freed.push_back({{(uintptr_t)p, (uintptr_t)p + bytes}, knows[n]});
    return emu_error(emu_give(p) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
    ALIVE;
    UNRECORDED;
    *p = emu_fails_pinned() ? NULL : malloc(bytes);
    if (*p)
        pinned[(uintptr_t)*p] = (uintptr_t)*p + bytes;
    return emu_error(*p ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void *p)
{
    ALIVE;
    UNRECORDED;
    for (const auto &l : lates)
        if ((l.to ? l.to : l.from) >= (char *)p &&
            (l.to ? l.to : l.from) < (char *)pinned[(uintptr_t)p])
            emu_found("pinned memory is freed while a copy is on its way");
    pinned.erase((uintptr_t)p);
    free(p);
    return cudaSuccess;
}

static bool is_pinned(const void *p, size_t bytes)
{
    auto i = pinned.upper_bound((uintptr_t)p);
    return i != pinned.begin() && (uintptr_t)p + bytes <= std::prev(i)->second;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t s)
{
    ALIVE;
    const char *a = (const char *)to, *b = (const char *)from;
    if (emu_on_device(to) == (kind == cudaMemcpyDeviceToHost) ||
        emu_on_device(from) == (kind == cudaMemcpyHostToDevice))
        emu_found("a copy whose ends are not where it says");
    if (emu_captures(s)) {
        if (kind != cudaMemcpyDeviceToDevice)
            emu_found("a copy between host and device is recorded");
        emu_keep([=] { return cudaMemcpyAsync(to, from, bytes, kind, s); });
        return cudaSuccess;
    }
    int n = step(s);
    if (a < b + bytes && b < a + bytes)
        emu_found("a copy onto itself");
    if (n && kind != cudaMemcpyDeviceToDevice &&
        !is_pinned(kind == cudaMemcpyHostToDevice ? from : to, bytes))
        emu_found("a copy of %zu bytes that the host waits for: its memory is not pinned", bytes);
    end_late(&knows[n]); /* what a copy before has brought to the host may go on from there */
    touch(n, from, bytes, false, "a copy");
    touch(n, to, bytes, true, "a copy");
    if (n && kind == cudaMemcpyDeviceToHost) {
        lates.push_back({n, knows[n].at[n], (char *)to, NULL, std::vector<char>(b, b + bytes)});
        memset(to, 0xff, bytes);
        return cudaSuccess;
    }
    memmove(to, from, bytes);
    if (n && kind == cudaMemcpyHostToDevice)
        lates.push_back({n, knows[n].at[n], NULL, b, std::vector<char>(b, b + bytes)});
    emu_wrote(to, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *p, int v, size_t bytes, cudaStream_t s)
{
    ALIVE;
    if (!emu_on_device(p))
        emu_found("a fill is given host memory");
    if (emu_captures(s)) {
        emu_keep([=] { return cudaMemsetAsync(p, v, bytes, s); });
        return cudaSuccess;
    }
    touch(step(s), p, bytes, true, "a fill");
    memset(p, v, bytes);
    emu_wrote(p, bytes);
    return cudaSuccess;
}
/* ---- recordings ---- */

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode)
{
    ALIVE;
    if (!number_of(s) || tape.stream || mode != cudaStreamCaptureModeThreadLocal)
        return emu_error(cudaErrorStreamCaptureUnsupported);
    if (emu_fails_at("begin"))
        return emu_error(cudaErrorNotSupported);
    tape = {(int)(uintptr_t)s, false, {}};
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *out)
{
    ALIVE;
    *out = NULL;
    if (!emu_captures(s))
        return emu_error(cudaErrorIllegalState);
    tape.stream = 0;
    if (emu_fails_at("end"))
        return emu_error(cudaErrorStreamCaptureUnjoined);
    if (tape.broken)
        return emu_error(cudaErrorStreamCaptureInvalidated);
    *out = (cudaGraph_t) new recording(tape.made);
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long flags)
{
    ALIVE;
    void *now = emu_take(1);
    *out = NULL;
    if (flags || !now || emu_fails_at("instantiate"))
        return emu_error(cudaErrorMemoryAllocation);
    struct recording *r = new recording(*(struct recording *)graph);
    r->last = emu_allocation(now, 1);
    emu_give(now);
    *out = (cudaGraphExec_t)r;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    ALIVE;
    delete (struct recording *)graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph)
{
    ALIVE;
    delete (struct recording *)graph;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t s)
{
    ALIVE;
    number_of(s);
    if (emu_captures(s) || emu_fails_at("play"))
        return emu_error(cudaErrorLaunchFailure);
    if (emu_fails_at("upload"))
        return emu_error(cudaErrorMemoryAllocation);
    cudaError_t e = cudaSuccess;
    playing = (const struct recording *)graph;
    for (const auto &work : playing->work)
        if (!e)
            e = work();
    playing = NULL;
    return e;
}
}

/* The emulation: findings, memory with a shadow, fibers, the scheduler, and the calls of the CUDA
 * runtime that tensor/cuda makes; those about streams are in streams.cpp.
 *
 * Time is counted in intervals: a launch, a block and each barrier begin a new one. Two accesses of
 * one place, one of them a write, are a race when they lie in the same launch but in other blocks,
 * or in the same interval and in other threads. A shadow cell stands for two bytes. */
#include "gpu/emu.h"

#include <map>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

enum { THREADS = 1024, STACK = 64 << 10, GUARD = 256, TOLD = 8 };
enum { SHARED_STATIC = 48 << 10, SHARED_MOST = 227 << 10 };
static const size_t SHARED_AREA = (size_t)1 << 20, ARENA = (size_t)4 << 30;

/* ---- findings ---- */

static int findings;
static bool checks, quiet;
static const char *kernel_now = "";

bool emu_checks(void)
{
    return checks;
}

int emu_forgive(void)
{
    int n = findings;
    findings = 0;
    return n;
}

void emu_quiet(bool q)
{
    quiet = q;
}

/* "file:line" of a program address (the program is linked with -no-pie). */
static void place_of(uintptr_t pc, char *out, size_t n)
{
    char command[128], line[160];
    snprintf(out, n, "?");
    if (!pc || quiet || findings >= TOLD)
        return;
    snprintf(command, sizeof command, "addr2line -s -i -e /proc/%d/exe %#lx", (int)getpid(),
             (unsigned long)pc - 1);
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, " \n")] = 0;
        snprintf(out, n, "%s", line);
        if (!strstr(line, "emu.h") && !strstr(line, "cuda_bf16"))
            break;
    }
    if (f)
        pclose(f);
}

#define found emu_found
void emu_found(const char *format, ...)
{
    va_list ap;
    if (findings++ >= TOLD || quiet)
        return;
    fprintf(stderr, "emu: %s, block (%u, %u): ", kernel_now, blockIdx.x, blockIdx.y);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* A program whose kernels did wrong does not end well, whatever its own tests say. */
static struct verdict {
    ~verdict()
    {
        if (!findings)
            return;
        fflush(NULL);
        fprintf(stderr, "emu: %d findings\n", findings);
        _exit(1);
    }
} verdict;

/* ---- chance ---- */

static int order_now;
static uint32_t chance = 1;

static uint32_t roll(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 17;
    return chance ^= chance << 5;
}

void emu_order(int order, unsigned seed)
{
    order_now = order;
    chance = seed * 2654435761u | 1;
}

float emu_off(float x, float ulps)
{
    static const bool exact = getenv("EMU_EXACT") != NULL;
    int e;
    if (exact || x == 0 || !isfinite(x) || !isfinite(ulps))
        return x;
    frexpf(x, &e);
    return x + ldexpf(ulps * (float)((int)(roll() & 0xffff) - 32768) / 32768, e - 24);
}

/* ---- memory ---- */

enum { UNALLOCATED, UNWRITTEN, BY_HOST, FIRST };
enum { MANY = 0xffff };
struct cell {
    uint32_t wrote, read; /* intervals; `wrote` may be one of the four above */
    uint32_t wrote_at, read_at;
    uint16_t writer, reader;
};

static unsigned char *arena;
static struct cell *shadow;                    /* one for two bytes */
static std::map<size_t, size_t> used, spare;   /* offset → bytes */
static std::map<size_t, unsigned long> number; /* offset → of the allocation there */
static unsigned long allocations;
static uint32_t now = FIRST, now_launch, now_block;
static size_t shared_used;
static struct {
    const char *file;
    int line;
    size_t at;
} shared_known[32];
static int shared_n;
static unsigned char *shared_dynamic;

static void begin_memory(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    arena = (unsigned char *)mmap(NULL, ARENA, PROT_READ | PROT_WRITE, flags, -1, 0);
    shadow =
        (struct cell *)mmap(NULL, ARENA / 2 * sizeof *shadow, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (arena == MAP_FAILED || shadow == MAP_FAILED) {
        perror("emu: mmap");
        exit(2);
    }
    spare[SHARED_AREA] = ARENA - SHARED_AREA;
}

static void mark(size_t at, size_t bytes, uint32_t how)
{
    if (checks)
        for (size_t i = at / 2; i < (at + bytes + 1) / 2; i++)
            shadow[i] = (struct cell){how, 0, 0, 0, 0, 0};
}

static bool unordered(uint32_t when, int who)
{
    if (when < now_launch)
        return false;
    return when < now_block || (when == now && who != emu_now->number);
}

static void clash(const char *what, uint32_t before, uintptr_t pc)
{
    char a[200], b[200];
    place_of(pc, a, sizeof a);
    place_of(before, b, sizeof b);
    found("race: thread %d at %s %s at %s", emu_now->number, a, what, b);
}

static void touch(const void *p, size_t size, bool write, bool aligned, uintptr_t pc)
{
    size_t at = (size_t)((const unsigned char *)p - arena);
    char text[200];
    if (!emu_now || at >= ARENA)
        return; /* the host's code, or a thread's own stack */
    if (aligned && (uintptr_t)p % size) {
        place_of(pc, text, sizeof text);
        found("misaligned: %zu bytes, thread %d at %s", size, emu_now->number, text);
    }
    if (at >= SHARED_AREA)
        emu_stream_saw(p, size, write);
    for (size_t i = at / 2; i < (at + size + 1) / 2; i++) {
        struct cell *c = &shadow[i];
        if (c->wrote == UNALLOCATED || (c->wrote == UNWRITTEN && !write)) {
            place_of(pc, text, sizeof text);
            found("%s: thread %d %s %s memory at %s", c->wrote ? "never written" : "out of bounds",
                  emu_now->number, write ? "writes" : "reads",
                  at < SHARED_AREA ? "shared" : "global", text);
            return;
        }
        if (c->wrote >= FIRST && unordered(c->wrote, c->writer)) {
            clash(write ? "writes what another wrote" : "reads what another wrote", c->wrote_at,
                  pc);
            return;
        }
        if (write && c->read >= FIRST && unordered(c->read, c->reader)) {
            clash("writes what another reads", c->read_at, pc);
            return;
        }
        if (write) {
            c->wrote = now;
            c->wrote_at = (uint32_t)pc;
            c->writer = (uint16_t)emu_now->number;
        } else {
            bool shared = c->read == now && c->reader != emu_now->number;
            c->reader = (uint16_t)(shared ? (int)MANY : emu_now->number);
            c->read = now;
            c->read_at = (uint32_t)pc;
        }
    }
}

#define PC ((uintptr_t)__builtin_return_address(0))
#define HOOKS(n)                                                                                   \
    void __tsan_read##n(void *p)                                                                   \
    {                                                                                              \
        touch(p, n, false, true, PC);                                                              \
    }                                                                                              \
    void __tsan_write##n(void *p)                                                                  \
    {                                                                                              \
        touch(p, n, true, true, PC);                                                               \
    }                                                                                              \
    void __tsan_unaligned_read##n(void *p)                                                         \
    {                                                                                              \
        touch(p, n, false, false, PC);                                                             \
    }                                                                                              \
    void __tsan_unaligned_write##n(void *p)                                                        \
    {                                                                                              \
        touch(p, n, true, false, PC);                                                              \
    }
extern "C" {
HOOKS(1) HOOKS(2) HOOKS(4) HOOKS(8) HOOKS(16) void __tsan_read_range(void *p, long n)
{
    touch(p, (size_t)n, false, false, PC);
}
void __tsan_write_range(void *p, long n)
{
    touch(p, (size_t)n, true, false, PC);
}
void __tsan_func_entry(void *)
{
}
void __tsan_func_exit(void)
{
}
void __tsan_init(void)
{
    checks = true;
}
}

static void *shared_more(size_t bytes)
{
    size_t at = (shared_used + GUARD + 127) & ~(size_t)127;
    if (at + bytes > SHARED_AREA) {
        found("more shared memory than there is");
        exit(2);
    }
    shared_used = at + bytes;
    memset(arena + at, 0xff, bytes); /* NaN, −1 */
    mark(at, bytes, UNWRITTEN);
    return arena + at;
}

void *emu_shared(const char *file, int line, size_t bytes)
{
    for (int i = 0; i < shared_n; i++)
        if (shared_known[i].line == line && !strcmp(shared_known[i].file, file))
            return arena + shared_known[i].at;
    if (shared_n == 32 || shared_used + bytes > SHARED_STATIC + SHARED_MOST)
        found("too much static shared memory");
    void *p = shared_more(bytes);
    shared_known[shared_n++] = {file, line, (size_t)((unsigned char *)p - arena)};
    return p;
}

void *emu_shared_dynamic(void)
{
    if (!shared_dynamic)
        found("dynamic shared memory is used, but the launch has none");
    return shared_dynamic;
}

static void shared_end(void)
{
    mark(0, shared_used + GUARD, UNALLOCATED);
    shared_used = 0;
    shared_n = 0;
    shared_dynamic = NULL;
}

/* ---- fibers ---- */

enum { RUNS, AT_SHUFFLE, AT_BARRIER, DONE };
struct emu_thread *emu_now;
uint3 blockIdx;
dim3 blockDim, gridDim;
static struct emu_thread thread[THREADS];
static emu_body *body_now;
static void *body_arg;

#if defined(__x86_64__)
static void *main_sp;
extern "C" void emu_switch(void **save, void *to);
__asm__(".text\n.globl emu_switch\nemu_switch:\n"
        "push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, (%rdi); mov %rsi, %rsp\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp; ret\n");
static void leave(void)
{
    emu_switch(&emu_now->sp, main_sp);
}
static void enter(struct emu_thread *t)
{
    emu_switch(&main_sp, t->sp);
}
static void prepare(struct emu_thread *t, void (*f)(void))
{
    void **sp = (void **)((char *)t->stack + STACK) - 2;
    *sp = (void *)f;
    t->sp = memset(sp - 6, 0, 6 * sizeof(void *));
}
#else
static ucontext_t main_context, context[THREADS];
static void leave(void)
{
    swapcontext(&context[emu_now - thread], &main_context);
}
static void enter(struct emu_thread *t)
{
    swapcontext(&main_context, &context[t - thread]);
}
static void prepare(struct emu_thread *t, void (*f)(void))
{
    ucontext_t *u = &context[t - thread];
    getcontext(u);
    u->uc_stack.ss_sp = t->stack;
    u->uc_stack.ss_size = STACK;
    makecontext(u, f, 0);
}
#endif

static void live(void)
{
    body_now(body_arg);
    emu_now->state = DONE;
    leave();
}

static void wait_at(int state, int kind, const char *file, int line)
{
    emu_now->state = state;
    emu_now->kind = kind;
    emu_now->file = file;
    emu_now->line = line;
    leave();
}

void emu_barrier(const char *file, int line)
{
    wait_at(AT_BARRIER, EMU_BARRIER, file, line);
}

unsigned long long emu_shuffle(int kind, unsigned mask, unsigned long long value, int arg,
                               const char *file, int line)
{
    struct emu_thread *t = emu_now;
    t->mask = mask;
    t->value = value;
    t->arg = arg;
    wait_at(AT_SHUFFLE, kind, file, line);
    return t->result;
}

/* ---- the scheduler of one block ---- */

static void in_order(int *list, int n)
{
    for (int i = 0; i < n; i++)
        list[i] = order_now == EMU_REVERSE ? n - 1 - i : i;
    for (int i = n - 1; i > 0 && order_now == EMU_RANDOM; i--) {
        int j = (int)(roll() % (unsigned)(i + 1)), t = list[i];
        list[i] = list[j];
        list[j] = t;
    }
}

/* Lets a warp go on whose lanes have all come to one shuffle. */
static bool shuffled(struct emu_thread *w, int n)
{
    const struct emu_thread *a = NULL;
    for (int i = 0; i < n; i++)
        if (w[i].state == AT_SHUFFLE && !a)
            a = &w[i];
    if (!a)
        return false;
    for (int i = 0; i < n; i++) {
        bool in = a->mask >> i & 1, here = w[i].state == AT_SHUFFLE && w[i].line == a->line &&
                                           w[i].kind == a->kind && w[i].mask == a->mask;
        if (in != here)
            return false;
    }
    for (int i = 0; i < n; i++) {
        if (!(a->mask >> i & 1))
            continue;
        int from = (a->kind == EMU_XOR ? i ^ w[i].arg : w[i].arg) & 31;
        if (from >= n || !(a->mask >> from & 1)) {
            found("shuffle: thread %d asks a lane that is not there, %s:%d", w[i].number, w[i].file,
                  w[i].line);
            from = i;
        }
        w[i].result = w[from].value;
    }
    for (int i = 0; i < n; i++)
        if (w[i].state == AT_SHUFFLE)
            w[i].state = RUNS;
    return true;
}

static bool run_block(int n)
{
    int warps = (n + 31) / 32, warp[THREADS / 32], lane[32];
    for (int i = 0; i < n; i++) {
        struct emu_thread *t = &thread[i];
        t->number = i;
        t->index.x = (unsigned)i % blockDim.x;
        t->index.y = (unsigned)i / blockDim.x % blockDim.y;
        t->index.z = (unsigned)i / (blockDim.x * blockDim.y);
        t->state = RUNS;
        prepare(t, live);
    }
    for (;;) {
        int count[4] = {0};
        const struct emu_thread *waits[4] = {0};
        bool apart = false;
        in_order(warp, warps);
        for (int i = 0; i < warps; i++) {
            struct emu_thread *w = &thread[warp[i] * 32];
            int lanes = n - warp[i] * 32 < 32 ? n - warp[i] * 32 : 32;
            in_order(lane, lanes);
            do {
                for (int j = 0; j < lanes; j++)
                    if (w[lane[j]].state == RUNS) {
                        emu_now = &w[lane[j]];
                        enter(emu_now);
                    }
                emu_now = NULL;
            } while (shuffled(w, lanes));
        }
        for (int i = 0; i < n; i++) {
            const struct emu_thread *t = &thread[i];
            count[t->state]++;
            if (!waits[t->state])
                waits[t->state] = t;
            else if (t->state == AT_BARRIER && t->line != waits[AT_BARRIER]->line)
                apart = true;
        }
        if (count[DONE] == n)
            return true;
        if (count[AT_SHUFFLE]) {
            found("%d threads wait at a shuffle for lanes that do not come, %s:%d",
                  count[AT_SHUFFLE], waits[AT_SHUFFLE]->file, waits[AT_SHUFFLE]->line);
            return false;
        }
        if (apart || count[DONE])
            found("a barrier that not all threads reach, %s:%d", waits[AT_BARRIER]->file,
                  waits[AT_BARRIER]->line);
        for (int i = 0; i < n; i++)
            if (thread[i].state == AT_BARRIER)
                thread[i].state = RUNS;
        now++;
    }
}

/* ---- launches ---- */

static cudaError_t last_error;
static std::map<const void *, size_t> shared_limit;

/* EMU_ORDER=reverse or random: another order than the first to the last. */
static void begin(void)
{
    const char *order = getenv("EMU_ORDER");
    if (order && !thread[0].stack)
        emu_order(!strcmp(order, "reverse")  ? EMU_REVERSE
                  : !strcmp(order, "random") ? EMU_RANDOM
                                             : EMU_FORWARD,
                  7);
    if (!arena)
        begin_memory();
    for (int i = 0; i < THREADS && !thread[i].stack; i++) {
        char *m = (char *)mmap(NULL, STACK + 4096, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (m == MAP_FAILED || mprotect(m, 4096, PROT_NONE)) {
            perror("emu: stack");
            exit(2);
        }
        thread[i].stack = m + 4096;
    }
}

void emu_run(const char *name, const void *kernel, dim3 grid, dim3 block, size_t shared,
             cudaStream_t stream, emu_body *body, void *arg)
{
    size_t threads = (size_t)block.x * block.y * block.z, blocks = (size_t)grid.x * grid.y * grid.z;
    if (emu_fails()) {
        emu_error(cudaErrorLaunchFailure);
        return;
    }
    if (!emu_loads(kernel)) {
        last_error = cudaErrorMemoryAllocation;
        return;
    }
    size_t limit = shared_limit.count(kernel) ? shared_limit[kernel] : (size_t)SHARED_STATIC;
    begin();
    kernel_now = name;
    emu_stream_enter(stream);
    if (!threads || threads > THREADS || !blocks || grid.x > 0x7fffffff || grid.y > 65535 ||
        grid.z > 65535 || shared > limit) {
        found("a launch of %zu blocks, %zu threads, %zu bytes of shared memory", blocks, threads,
              shared);
        emu_error(cudaErrorInvalidConfiguration);
        return;
    }
    bool ok = true;
    gridDim = grid;
    blockDim = block;
    body_now = body;
    body_arg = arg;
    now_launch = ++now;
    int *list = (int *)malloc(blocks * sizeof *list);
    in_order(list, (int)blocks);
    for (size_t i = 0; i < blocks && ok; i++) {
        blockIdx.x = (unsigned)list[i] % grid.x;
        blockIdx.y = (unsigned)list[i] / grid.x % grid.y;
        blockIdx.z = (unsigned)list[i] / (grid.x * grid.y);
        now_block = ++now;
        if (shared)
            shared_dynamic = (unsigned char *)shared_more(shared);
        ok = run_block((int)threads);
        shared_end();
    }
    if (!ok)
        emu_error(cudaErrorLaunchFailure);
    emu_stream_leave(name);
    free(list);
}

/* ---- the CUDA runtime ---- */

/* A kernel that went wrong is seen by the next call, and by each one after it. */
static cudaError_t sticky;

/* Whoever launches asks for the last error, so one that nobody fetched is taken for the launch's.
 */
cudaError_t emu_error(cudaError_t e)
{
    last_error = e ? e : last_error;
    return e;
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t e = last_error;
    last_error = cudaSuccess;
    return sticky ? sticky : e;
}

const char *cudaGetErrorString(cudaError_t e)
{
    return e ? "an emulated error" : "no error";
}

const char *cudaGetErrorName(cudaError_t e)
{
    return e == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
           : e == cudaErrorIllegalAddress ? "cudaErrorIllegalAddress"
                                          : "cudaError";
}

/* EMU_FAIL=alloc:N, launch:N or pinned:N: that one fails; of an allocation the second try too. Of
 * graphs begin:N, end:N, instantiate:N, upload:N (no memory to play it) and play:N. sticky:N: after
 * that launch all calls fail. */
static bool fails(const char *what)
{
    static std::string wish;
    static long left;
    const char *now = getenv("EMU_FAIL");
    if (wish != (now ? now : "")) { /* a test may wish anew */
        wish = now ? now : "";
        left = wish.find(':') < wish.size() ? atol(wish.c_str() + wish.find(':') + 1) : 0;
    }
    if (wish.compare(0, strlen(what), what))
        return false;
    long at = left--;
    return at == 1 || (at == 0 && !strcmp(what, "alloc"));
}

bool emu_fails(void)
{
    if (!sticky && fails("sticky"))
        sticky = cudaErrorIllegalAddress;
    return sticky || fails("launch");
}

cudaError_t emu_lost(void)
{
    return sticky;
}

int emu_sm(void)
{
    const char *s = getenv("EMU_SM");
    return s ? atoi(s) : 90;
}

bool emu_fails_pinned(void)
{
    return fails("pinned");
}

bool emu_fails_at(const char *what)
{
    return fails(what);
}

static size_t take(size_t bytes)
{
    size_t want = (bytes + GUARD + 255) & ~(size_t)255;
    if (!arena)
        begin_memory();
    for (auto i = spare.begin(); i != spare.end(); i++) {
        size_t at = i->first, have = i->second;
        if (have < want)
            continue;
        spare.erase(i);
        if (have > want)
            spare[at + want] = have - want;
        used[at] = want;
        number[at] = ++allocations;
        mark(at, bytes, UNWRITTEN);
        memset(arena + at, 0xff, want);
        return at;
    }
    return 0;
}

size_t emu_memory(void)
{
    const char *wish = getenv("EMU_MEMORY");
    return wish ? (size_t)atol(wish) << 20 : ARENA;
}

void *emu_take(size_t bytes)
{
    size_t at = fails("alloc") ? 0 : take(bytes);
    return at ? arena + at : NULL;
}

unsigned long emu_allocation(const void *p, size_t bytes)
{
    size_t at = (size_t)((const unsigned char *)p - arena);
    if (!arena || at >= ARENA)
        return 1;
    auto i = used.upper_bound(at);
    if (i == used.begin() || at + bytes > std::prev(i)->first + std::prev(i)->second)
        return 0;
    return number[std::prev(i)->first];
}

bool emu_on_device(const void *p)
{
    return arena && (size_t)((const unsigned char *)p - arena) < ARENA;
}

bool emu_give(void *p)
{
    size_t at = (size_t)((unsigned char *)p - arena);
    if (!used.count(at)) {
        found("memory is freed that is not in use");
        return false;
    }
    size_t bytes = used[at];
    used.erase(at);
    mark(at, bytes, UNALLOCATED);
    auto next = spare.lower_bound(at);
    if (next != spare.end() && at + bytes == next->first) {
        bytes += next->second;
        next = spare.erase(next);
    }
    if (next != spare.begin() && std::prev(next)->first + std::prev(next)->second == at)
        std::prev(next)->second += bytes;
    else
        spare[at] = bytes;
    return true;
}

void emu_wrote(const void *p, size_t bytes)
{
    size_t at = (size_t)((const unsigned char *)p - arena);
    if (at >= ARENA || !checks)
        return;
    if (shadow[at / 2].wrote == UNALLOCATED || shadow[(at + bytes - 1) / 2].wrote == UNALLOCATED)
        found("a copy or fill of %zu bytes is out of bounds", bytes);
    else
        mark(at, bytes, BY_HOST);
}

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute, int bytes)
{
    if (bytes > SHARED_MOST)
        return emu_error(cudaErrorInvalidValue);
    shared_limit[kernel] = (size_t)bytes;
    return cudaSuccess;
}

/* Of 11.0 there is none. */
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *a, const void *)
{
    memset(a, 0, sizeof *a);
    return emu_error(emu_sm() == 110 ? cudaErrorNoKernelImageForDevice : cudaSuccess);
}

cudaError_t cudaGetDeviceCount(int *n)
{
    *n = 1;
    return cudaSuccess;
}

#undef cudaGetDeviceProperties
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int)
{
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "emulated on the CPU");
    p->major = emu_sm() / 10;
    p->minor = emu_sm() % 10;
    p->totalGlobalMem = emu_memory();
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *v)
{
    *v = 0;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *most)
{
    *least = *most = 0;
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to)
{
    if (cudaError_t e = emu_timed(from) ? emu_timed(from) : emu_timed(to))
        return emu_error(e);
    *ms = (float)(roll() % 100) / 10; /* any candidate may win */
    return cudaSuccess;
}

#define CALM(name, ...)                                                                            \
    cudaError_t name(__VA_ARGS__)                                                                  \
    {                                                                                              \
        return sticky;                                                                             \
    }
CALM(cudaSetDevice, int)
CALM(cudaGetDevice, int *)
CALM(cudaMemPoolSetAttribute, cudaMemPool_t, cudaMemPoolAttr, void *)

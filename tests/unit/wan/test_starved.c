/* Every piece of memory that the runtime asks the system for is refused once, in the midst of
 * opening a model and drawing a clip of it. Then either that is what the caller is told, or it cost
 * something that a clip can do without, and the frames are those of always; and what the handle
 * still holds makes the next clip as if nothing had been. When it goes nothing is left behind. */
#include "unit/wan/home.h"

#include <errno.h>
#include <stdatomic.h>

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define STARVES 1
#endif

/* Calls from the runtime, which is linked into this program; those from within libraries, which may
 * not expect to fail, are always served. */
static atomic_int asked, refuse_at; /* 0: nothing is refused */
static long place;                  /* of the last that was refused, as addr2line takes it */

/* What the runtime has, by address, while it is asked to have nothing at the end. */
#define PIECES ((size_t)1 << 16)
#define NEAR 32 /* places that one may lie in; gaps come of what was let go */
static _Atomic(void *) held[PIECES];
static atomic_int holding;

#ifdef STARVES

extern char __executable_start, etext;
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static bool ours(const void *caller)
{
    const char *at = caller;
    return at >= &__executable_start && at < &etext && atomic_load(&refuse_at);
}

static bool refused(const void *caller)
{
    if (!ours(caller) || atomic_fetch_add(&asked, 1) + 1 != atomic_load(&refuse_at))
        return false;
    errno = ENOMEM;
    place = (const char *)caller - &__executable_start;
    return true;
}

static size_t slot(const void *p)
{
    return (uintptr_t)p / 16 * 2654435761u % PIECES;
}

/* What finds no place is counted all the same, and is then left behind. */
static void *hold(void *p, const void *caller)
{
    if (!p || !ours(caller))
        return p;
    atomic_fetch_add(&holding, 1);
    for (size_t i = slot(p), n = 0; n < NEAR; i = (i + 1) % PIECES, n++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong(&held[i], &none, p))
            break;
    }
    return p;
}

static void let_go(void *p)
{
    if (!p || !atomic_load(&holding))
        return;
    for (size_t i = slot(p), n = 0; n < NEAR; i = (i + 1) % PIECES, n++) {
        void *want = p;
        if (atomic_compare_exchange_strong(&held[i], &want, NULL)) {
            atomic_fetch_sub(&holding, 1);
            return;
        }
    }
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t n)
{
    return refused(CALLER) ? NULL : hold(__libc_malloc(n), CALLER);
}

void *calloc(size_t n, size_t each)
{
    return refused(CALLER) ? NULL : hold(__libc_calloc(n, each), CALLER);
}

void *realloc(void *p, size_t n)
{
    if (refused(CALLER))
        return NULL;
    let_go(p);
    return hold(__libc_realloc(p, n), CALLER);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    void *p = refused(CALLER) ? NULL : hold(__libc_memalign(align, n), CALLER);
    if (p)
        *out = p;
    return p ? 0 : ENOMEM;
}

void free(void *p)
{
    let_go(p);
    __libc_free(p);
}

#endif

/* One of so many: 1 takes minutes (STARVE_ALL). Primes, that go round what comes in a rhythm. */
#define OPENING 211 /* where most are names of tensors */
#define DRAWING 17

static char images[128];
static int opens; /* pieces that opening takes */
static const char *(*turn)(void *, int frame);

#define NOTHING 0x7fffffff /* none is refused, but all are counted */

/* A handle of its own draws the job with the `at`th piece refused, and then with none. */
static enum err starved(const char *folder, const struct wan_job *job, int at, uint64_t want)
{
    const struct wan_setup setup = {.model = folder, .device = "cpu", .dtype = "f32", .threads = 1};
    struct wan_made made = {0};
    enum err e, opened;
    fault = (struct fault){0};
    wan = NULL;
    asked = 0;
    refuse_at = at;
    opened = e = wan_open(&setup, &wan, &fault);
    opens = at == NOTHING ? asked : opens;
    if (!e)
        e = seen_make(job, &made, (struct seen){.turn = turn});
    refuse_at = 0;
    if (e && (e != ERR_NOMEM || fault.code != e || !fault_text(&fault)[0]))
        fail_msg("piece %d (%#lx): error %d, \"%s\"", at, place, e, fault_text(&fault));
    if (!e && want && seen.hash != want)
        fail_msg("piece %d (%#lx): other frames and no word of it", at, place);
    if (!opened) {
        if (made.checkpoint[0])
            unlink(made.checkpoint);
        if (seen_make(job, NULL, (struct seen){.turn = turn}))
            fail_msg("piece %d (%#lx), the next clip: %s", at, place, fault_text(&fault));
        if (want && seen.hash != want)
            fail_msg("piece %d (%#lx): the next clip is another one", at, place);
        if (made.checkpoint[0])
            unlink(made.checkpoint);
    }
    wan_free(wan);
    int left = atomic_exchange(&holding, 0);
    if (left)
        fail_msg("piece %d (%#lx): %d pieces are left behind", at, place, left);
    return e;
}

static void hungry(const char *folder, const struct wan_job *job)
{
    const bool each = getenv("STARVE_ALL") != NULL;
    int all, told = 0, spared = 0;
#ifndef STARVES
    skip();
#endif
    assert_int_equal(starved(folder, job, NOTHING, 0), ERR_OK);
    all = asked;
    uint64_t want = seen.hash;
    for (int at = 1; at <= all; at += each ? 1 : at < opens ? OPENING : DRAWING) {
        bool silent = !starved(folder, job, at, want);
        told += !silent;
        spared += silent;
    }
    print_message("%d pieces, %d to open: %d told, %d done without\n", all, opens, told, spared);
    assert_true(told > 20);
}

static struct wan_job job_of(const char *sampler)
{
    return (struct wan_job){.prompt = "a fox",
                            .width = 16,
                            .height = 16,
                            .frames = 1,
                            .steps = 1,
                            .guidance = 1,
                            .sampler = sampler,
                            .seed = 7};
}

static void text_to_video(void **state)
{
    struct wan_job job = job_of("euler");
    (void)state;
    job.guidance = 5;
    job.frames = 5;
    job.checkpoint_dir = keep;
    hungry(model, &job);
}

static void a_picture(void **state)
{
    static const uint8_t rgb[2 * 3 * 3] = {200, 10, 90};
    const struct wan_picture picture = {rgb, 2, 3};
    struct wan_job job = job_of("unipc");
    (void)state;
    job.image = &picture;
    hungry(images, &job);
}

static const char *on_turn(void *user, int frame)
{
    (void)user;
    (void)frame;
    return "snow";
}

static void a_causal_clip(void **state)
{
    struct wan_job job = job_of("self-forcing");
    (void)state;
    job.frames = 21;
    job.checkpoint_dir = keep;
    turn = on_turn;
    hungry(model, &job);
    turn = NULL;
}

static void in_tiles_with_a_lora(void **state)
{
    const char *src = getenv("srcdir");
    struct wan_job job = job_of("euler");
    char path[1024];
    (void)state;
    snprintf(path, sizeof path, "%s/tests/wan/open/lora/kohya.safetensors", src ? src : "..");
    job.lora[0] = (struct wan_lora){path, 1};
    job.lora_n = 1;
    job.tile = 64;
    hungry(model, &job);
}

static int set_up(void **state)
{
    (void)state;
    if (!home_make())
        return 1;
    snprintf(images, sizeof images, "%s/i2v", dir);
    tiny_t2v(model);
    tiny_i2v(images);
    return 0;
}

static int tear_down(void **state)
{
    wan = NULL; /* each had its own */
    return home_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_to_video),
        cmocka_unit_test(a_picture),
        cmocka_unit_test(a_causal_clip),
        cmocka_unit_test(in_tiles_with_a_lora),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Random orders of events through the desk: whatever operators, viewers, engine, stage, disk and
 * crashes do in whatever order, no clip gets into air/ and none is aired unless it passed both
 * gates, none is aired twice, and no accepted prompt is lost.
 *
 * The judge keeps its own book from the answers alone: who was approved (or came through an open
 * gate 1), and whose clip the operator cleared. ORDERS in the environment says how many prompts are
 * led through their lives (check: 100,000 in all); SEED repeats a run. */
#include "unit/desk/desk_bench.h"

#include <dirent.h>

#define SUBMITTED (-1) /* its submission is on its way */
#define LIVES 8        /* prompts that live side by side */

struct judge {
    int64_t id;
    bool approved, cleared, aired;
    int approving, clearing; /* asked for, not answered */
};

static struct bench b;
static struct judge book[LIVES];
static uint64_t rng;

static unsigned roll(unsigned n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (unsigned)((rng >> 24) % n);
}

static struct judge *find(int64_t id)
{
    for (int i = 0; i < LIVES; i++)
        if (book[i].id == id)
            return &book[i];
    return NULL;
}

/* Who was aired since the last look must have passed both gates, and never before. */
static void judge_airs(void)
{
    static int seen;
    if (b.airs < seen)
        seen = 0;
    for (; seen < b.airs; seen++) {
        struct judge *j = find(b.on_air_ids[seen]);
        assert_non_null(j);
        if (!j->approved || !j->cleared)
            fail_msg("#%lld was aired; approved %d, cleared %d", (long long)j->id, j->approved,
                     j->cleared);
        if (j->aired)
            fail_msg("#%lld was aired twice", (long long)j->id);
    }
    b.airs = seen = 0;
}

static void judge_air_folder(void)
{
    DIR *d = opendir(b.paths.air);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        struct judge *j = find(strtoll(e->d_name, NULL, 10));
        const struct prompt *p = show_find(&b.show, strtoll(e->d_name, NULL, 10));
        if (!j)
            continue; /* of a life that is over: it was judged then */
        if (!j->approved || !j->cleared)
            fail_msg("%s lies in air/; approved %d, cleared %d, state %s", e->d_name, j->approved,
                     j->cleared, p ? prompt_state_name(p->state) : "?");
    }
    closedir(d);
}

static void on_approve(void *user, enum err e, int64_t id, const char *text)
{
    struct judge *j = find(id);
    (void)user;
    (void)text;
    if (j)
        j->approving--;
    if (!e && j)
        j->approved = true;
}

static void on_clear(void *user, enum err e, int64_t id, const char *text)
{
    struct judge *j = find(id);
    (void)user;
    (void)text;
    if (j)
        j->clearing--;
    if (!e && j)
        j->cleared = true;
}

static void on_submit(void *user, enum err e, int64_t id, const char *text)
{
    struct judge *j = user;
    (void)text;
    *j = (struct judge){.id = e ? 0 : id};
}

static void one_event(void)
{
    struct judge *j = &book[roll(LIVES)];
    struct answer none = {0};
    switch (roll(24)) {
    case 0:
    case 1:
        j->approving++;
        desk_decide(b.desk, DESK_APPROVE, j->id, "operator", "", (struct answer){on_approve, NULL});
        break;
    case 2:
        desk_decide(b.desk, DESK_REJECT, j->id, "operator", "no", none);
        break;
    case 3:
    case 4:
    case 5:
        j->clearing++;
        desk_decide(b.desk, DESK_AIR, j->id, "operator", "", (struct answer){on_clear, NULL});
        break;
    case 6:
        desk_decide(b.desk, DESK_CANCEL, j->id, "viewer", "", none);
        break;
    case 7:
        desk_decide(b.desk, DESK_REROLL, j->id, "operator", "", none);
        break;
    case 8:
        desk_undo(b.desk, "operator", none);
        break;
    case 9:
    case 10:
    case 11:
        if (b.drawing)
            bench_drawn(&b, roll(8) != 0);
        break;
    case 12:
        if (b.drawing) {
            int64_t id = b.drawing;
            b.drawing = 0;
            if (roll(2))
                desk_worker_died(b.desk, id, "signal 9");
            else
                desk_draw_failed(b.desk, id, "no");
        }
        break;
    case 13:
    case 14:
        if (b.airing && !b.cut) {
            b.cut = true;
            desk_on_air(b.desk, b.airing);
        }
        break;
    case 15:
    case 16:
        if (b.airing) {
            int64_t id = b.airing;
            struct judge *a = find(id);
            judge_airs(); /* of this airing, before it counts as one */
            b.airing = 0;
            if (a && b.cut)
                a->aired = true;
            desk_off_air(b.desk, id, b.cut, "");
        }
        break;
    case 17:
        if (!roll(40))
            desk_panic(b.desk, "operator");
        break;
    case 18:
        desk_resume(b.desk, "operator", none);
        break;
    case 19:
        b.stage_up = roll(4) != 0;
        b.engine_up = roll(8) != 0;
        desk_drive(b.desk);
        break;
    case 20:
        if (!roll(300)) {
            judge_airs();
            for (int i = 0; i < LIVES; i++) {
                /* it may have been seen before the crash; what was decided but not answered may
                 * have been committed */
                book[i].aired |= b.airing && book[i].id == b.airing;
                book[i].approved |= book[i].approving > 0;
                book[i].cleared |= book[i].clearing > 0;
                book[i].approving = book[i].clearing = 0;
                if (book[i].id == SUBMITTED) /* it may be in the show, and stays held */
                    book[i].id = 0;
            }
            bench_crash(&b);
        }
        break;
    case 21:
        shimvfs_full = !roll(12);
        break;
    case 22:
        if (!roll(60)) {
            struct chat_withdrawal w = {.platform = "irc"};
            snprintf(w.uid, sizeof w.uid, "viewer%d", (int)(j - book));
            desk_withdraw(b.desk, &w);
        }
        break;
    default:
        desk_committed(b.desk);
    }
}

static bool over(int64_t id)
{
    const struct prompt *p = show_find(&b.show, id);
    return id != SUBMITTED && (!p || prompt_ended(p->state));
}

static void random_orders_never_air_an_ungated_clip(void **state)
{
    const char *n = getenv("ORDERS"), *seed = getenv("SEED");
    long orders = n ? atol(n) : 100000, lives = 0;
    int64_t steps = 0;
    (void)state;
    rng = seed ? strtoull(seed, NULL, 10) : 0x5eed5eed5eed5eedu;
    print_message("SEED=%llu ORDERS=%ld\n", (unsigned long long)rng, orders);
    shimvfs_register();
    bench_start(&b, "shim");
    log_close();
    log_set_level((enum log_level) - 1);
    for (; lives < orders; steps++) {
        int slot = (int)(steps % LIVES);
        if (over(book[slot].id) && !shimvfs_full) {
            char who[16];
            judge_airs();
            store_drain(b.store);
            desk_committed(b.desk);
            if (!over(book[slot].id)) /* an undo brought it back */
                continue;
            judge_air_folder();
            snprintf(who, sizeof who, "viewer%d", slot);
            struct submission s = {
                .who = bench_viewer(who), .source = -1, .msgid = "", .text = "x", .style = ""};
            book[slot].id = SUBMITTED;
            desk_submit(b.desk, &s, (struct answer){on_submit, &book[slot]});
            lives++;
        }
        one_event();
        if (!roll(3)) {
            store_drain(b.store);
            desk_committed(b.desk);
            judge_airs();
        }
    }
    shimvfs_full = false;
    desk_resume(b.desk, "operator", (struct answer){0});
    bench_settle(&b);
    judge_airs();
    judge_air_folder();
    assert_true(b.show.last_id > orders / 2); /* most submissions were accepted */
    print_message("%ld lives, %lld events, last id %lld\n", lives, (long long)steps,
                  (long long)b.show.last_id);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_orders_never_air_an_ungated_clip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

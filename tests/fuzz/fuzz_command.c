/* Lines of the `:` prompt, of `ctl` and of chat, through the command table; show and desk behind it
 * are real, the store lies on a RAM disk. */
#include "base/text.h"
#include "command/viewer.h"

#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int answers;

static void on_answer(void *user, enum err e, int64_t id, const char *text)
{
    (void)user;
    (void)e;
    (void)id;
    if (!text_valid(text, strlen(text)))
        abort();
    answers++;
}

static void nothing(void *user)
{
    (void)user;
}
static void draw(void *user, const struct prompt *p, const struct style *s)
{
    (void)user;
    (void)p;
    (void)s;
}
static void with_id(void *user, int64_t id)
{
    (void)user;
    (void)id;
}
static bool no(void *user)
{
    (void)user;
    return false;
}
static void air(void *user, const struct prompt *p)
{
    (void)user;
    (void)p;
}
static bool never(void *user, int64_t id)
{
    (void)user;
    (void)id;
    return false;
}
static void work(void *user, void (*fn)(void *), void (*done)(void *), void *arg)
{
    (void)user;
    fn(arg);
    done(arg);
}

static const struct desk_ops ops = {draw,    with_id, no,      no,   air,    never,
                                    with_id, nothing, nothing, work, nothing};

static char db[] = "/dev/shm/sakuga-fuzz-XXXXXX";

static void remove_db(void)
{
    char log[sizeof db + 4];
    unlink(db);
    snprintf(log, sizeof log, "%s-wal", db);
    unlink(log);
    snprintf(log, sizeof log, "%s-shm", db);
    unlink(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct show show;
    static struct paths paths;
    static struct store *store;
    static struct desk *desk;
    static struct commands *cs;
    static const struct viewer who = {
        .platform = "irc", .uid = "a", .name = "a", .role = ROLE_OPERATOR};
    struct origin o = {FROM_CTL, who, -1, ""};
    struct answer a = {on_answer, NULL};
    struct fault f = {0};
    if (!cs) {
        show_init(&show);
        show.set.cooldown_s = show.set.per_viewer = 0;
        strcpy(paths.vault, "/nonexistent");
        strcpy(paths.air, "/nonexistent");
        int fd = mkstemp(db);
        if (fd < 0)
            abort();
        close(fd);
        atexit(remove_db);
        store = store_open(db, NULL, nothing, NULL, &f);
        if (!store)
            abort();
        desk = desk_new(&show, store, &paths, &ops, NULL);
        cs = commands_new(desk, &show);
    }
    struct buf clean = BUF_INIT(65536);
    text_clean(&clean, (const char *)data, n);
    if (!strstr(buf_str(&clean), "quit")) {
        char name[32];
        const char *rest;
        struct chat_line line = {
            .who = who, .channel = "", .msgid = "", .text = buf_str(&clean), .source = -1};
        answers = 0;
        command_run(cs, &o, buf_str(&clean), a);
        store_drain(store);
        desk_committed(desk);
        if (answers != 1)
            abort(); /* exactly one answer */
        if (viewer_split(line.text, name, sizeof name, &rest))
            viewer_run(cs, &line, name, rest, a);
        store_drain(store);
        desk_committed(desk);
    }
    buf_free(&clean);
    return 0;
}

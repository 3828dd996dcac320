/* How many plain chat lines a second go through the parts that every line passes, on one core:
 *   parse: splitter, parser, viewer, text_clean();
 *   chat:  the same through the shield and its library, as a connection does it.
 * And does memory stay flat over a million lines? Prints figures; judges nothing. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "chat/ircline.h"
#include "chat/ircwho.h"
#include "chat/shield.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES 1000000
#define BATCH 500 /* lines that one read brings */

struct count {
    struct buf clean;
    uint64_t lines, bytes;
};

static void take(struct count *c, const struct ircline *l)
{
    struct viewer who;
    if (strcmp(l->command, "PRIVMSG") || !ircwho_viewer(l, NULL, &who))
        return;
    const char *text = ircline_param(l, 1);
    buf_reset(&c->clean);
    if (text_clean(&c->clean, text, strlen(text))) {
        c->lines++;
        c->bytes += c->clean.len;
    }
}

static bool on_split(void *user, char *line, size_t n)
{
    struct ircline l;
    if (ircline_parse(line, n, &l))
        take(user, &l);
    return true;
}

static void on_line(void *user, const struct ircline *l)
{
    take(user, l);
}

static void on_send(void *user, const char *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    (void)n;
}

static long resident_kb(void)
{
    long pages = 0, skip;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &skip, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void one_line(struct buf *b, int i, bool tags)
{
    static const char *const texts[] = {
        "hello chat",   "that was so good",        "!anime a fox in the rain", "lol",
        "雨の駅が好き", "petition for more foxes", "how long is the queue?"};
    if (tags)
        buf_addf(b,
                 "@badge-info=;badges=subscriber/6;color=#1E90FF;display-name=Viewer%d;emotes=;"
                 "first-msg=0;flags=;id=00000000-0000-4000-8000-%012d;mod=0;room-id=71092938;"
                 "subscriber=1;tmi-sent-ts=1520371600123;turbo=0;user-id=%d;user-type= ",
                 i % 900, i, i % 900);
    buf_addf(b, ":viewer%d!viewer%d@viewer%d.tmi.twitch.tv PRIVMSG #kanna :%s %d\r\n", i % 900,
             i % 900, i % 900, texts[i % (int)(sizeof texts / sizeof *texts)], i);
}

static void report(const char *name, const struct count *c, int64_t us, long kb)
{
    printf("%-24s %9.0f lines/s  (%llu of %d lines, %+ld KiB resident)\n", name,
           LINES / ((double)us / 1e6), (unsigned long long)c->lines, LINES, resident_kb() - kb);
}

static void run(const char *name, bool tags, bool shielded)
{
    static const struct shield_ops ops = {on_line, on_send};
    struct count c = {.clean = BUF_INIT(65536)};
    struct ircsplit split = {0};
    struct buf batch = BUF_INIT(0);
    struct shield *sh = NULL;
    int64_t us = 0;
    long kb = 0;
    if (shielded) {
        struct shield_login login = {.nick = "bench", .user = "bench", .real = "bench"};
        sh = shield_new(&login, &ops, &c, NULL);
        if (!sh)
            exit(1);
    }
    for (int i = 0; i < LINES; i += BATCH) {
        buf_reset(&batch);
        for (int j = 0; j < BATCH; j++)
            one_line(&batch, i + j, tags);
        int64_t began = clock_mono_us();
        if (sh)
            shield_feed(sh, batch.data, batch.len);
        else
            ircsplit_feed(&split, batch.data, batch.len, on_split, &c);
        us += clock_mono_us() - began;
        if (i == LINES / 100) /* warm */
            kb = resident_kb();
    }
    report(name, &c, us, kb);
    shield_free(sh);
    ircsplit_free(&split);
    buf_free(&batch);
    buf_free(&c.clean);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    run("parse, plain", false, false);
    run("parse, Twitch tags", true, false);
    run("chat, plain", false, true);
    run("chat, Twitch tags", true, true);
    return 0;
}

#include "command/viewer.h"

#include "base/clock.h"
#include "base/text.h"
#include "show/queue.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool viewer_split(const char *line, char *name, size_t size, const char **rest)
{
    size_t n = 0;
    if (line[0] != '!' || line[1] == ' ' || !line[1])
        return false;
    for (line++; line[n] && line[n] != ' '; n++)
        if (n + 1 < size)
            name[n] = (char)tolower((unsigned char)line[n]);
    if (n + 1 > size)
        return false;
    name[n] = '\0';
    *rest = line + n + (line[n] == ' ');
    return true;
}

void viewer_prompt(const char *rest, struct buf *out)
{
    static const char *const pairs[][2] = {{"\"", "\""}, {"“", "”"}, {"「", "」"}};
    size_t n = strlen(rest);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t a = strlen(pairs[i][0]), b = strlen(pairs[i][1]);
        if (n >= a + b && !memcmp(rest, pairs[i][0], a) && !memcmp(rest + n - b, pairs[i][1], b)) {
            text_clean(out, rest + a, n - a - b);
            return;
        }
    }
    text_clean(out, rest, n);
}

static void add_eta(struct buf *out, const struct eta_range *eta)
{
    int64_t low = (eta->low_ms + 999) / 1000, high = (eta->high_ms + 999) / 1000;
    if (high < 120)
        buf_addf(out, ", on air in %lld-%lld s", (long long)low, (long long)high);
    else
        buf_addf(out, ", on air in %lld-%lld min", (long long)(low / 60),
                 (long long)((high + 59) / 60));
}

void viewer_queue(const struct show *s, int64_t mono_ms, struct buf *out)
{
    struct eta_range eta;
    const struct prompt *now = show_first(s, PROMPT_GENERATING), *next = queue_next(s, mono_ms);
    buf_addf(out, "%d waiting", s->count[PROMPT_APPROVED] + s->count[PROMPT_HELD]);
    if (now)
        buf_addf(out, ", drawing #%lld", (long long)now->id);
    if (next)
        buf_addf(out, ", next #%lld", (long long)next->id);
    if (queue_eta_new(s, &eta))
        add_eta(out, &eta);
    if (!s->open)
        buf_adds(out, "; submissions are closed");
}

void viewer_mine(const struct show *s, const struct viewer *who, int64_t mono_ms, struct buf *out)
{
    size_t begin = out->len;
    for (int st = PROMPT_HELD; st <= PROMPT_AIRING; st++)
        for (const struct prompt *p = show_first(s, (enum prompt_state)st); p;
             p = show_next(s, p)) {
            struct eta_range eta;
            int place = queue_position(s, p, mono_ms);
            if (!viewer_same(&p->viewer, who))
                continue;
            buf_addf(out, "%s#%lld is %s", out->len > begin ? "; " : "", (long long)p->id,
                     prompt_state_words(p->state));
            if (place)
                buf_addf(out, ", place %d", place);
            if (queue_eta_at(s, p, place, &eta))
                add_eta(out, &eta);
        }
    if (out->len == begin)
        buf_adds(out, "you have no prompt in the show");
}

static void usage(struct answer a, const char *text)
{
    if (a.fn)
        a.fn(a.user, ERR_USAGE, 0, text);
}

static void say(struct answer a, struct buf *b)
{
    if (a.fn)
        a.fn(a.user, ERR_OK, 0, buf_str(b));
}

bool viewer_run(struct commands *cs, const struct chat_line *line, const char *name,
                const char *rest, struct answer a)
{
    struct show *s = command_show(cs);
    struct buf b = BUF_INIT(65536);
    bool mine = true;
    if (!strcmp(name, "anime")) {
        struct submission sub = {.who = line->who,
                                 .source = line->source,
                                 .msgid = line->msgid,
                                 .style = "",
                                 .hold = true,
                                 .rule = "scripts do not answer"};
        viewer_prompt(rest, &b);
        sub.text = buf_str(&b);
        desk_submit(command_desk(cs), &sub, a);
    } else if (!strcmp(name, "queue")) {
        viewer_queue(s, clock_mono_ms(), &b);
        say(a, &b);
    } else if (!strcmp(name, "mine")) {
        viewer_mine(s, &line->who, clock_mono_ms(), &b);
        say(a, &b);
    } else if (!strcmp(name, "cancel")) {
        char *end;
        int64_t id = strtoll(*rest == '#' ? rest + 1 : rest, &end, 10);
        if (*end || id < 0)
            usage(a, "say which: !cancel 12, or !cancel for your newest");
        else
            desk_cancel_own(command_desk(cs), &line->who, id, a);
    } else {
        mine = false;
    }
    buf_free(&b);
    return mine;
}

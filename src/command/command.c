#include "command/command.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 128
#define WORDS_MAX 300

struct commands {
    struct desk *desk;
    struct show *show;
    struct command rows[ROWS_MAX];
    int count;
    void *user; /* of the row that runs */
};

struct commands *commands_new(struct desk *desk, struct show *show)
{
    struct commands *cs = calloc(1, sizeof *cs);
    int n;
    const struct command *rows = command_builtin(&n);
    if (!cs)
        return NULL;
    cs->desk = desk;
    cs->show = show;
    command_add(cs, rows, n);
    return cs;
}

void commands_free(struct commands *cs)
{
    free(cs);
}

enum err command_add(struct commands *cs, const struct command *rows, int n)
{
    for (int i = 0; i < n; i++) {
        int at = 0;
        while (at < cs->count && strcmp(cs->rows[at].name, rows[i].name))
            at++;
        if (at == ROWS_MAX)
            return ERR_LIMIT;
        cs->rows[at] = rows[i];
        if (at == cs->count)
            cs->count++;
    }
    return ERR_OK;
}

const struct command *command_find(const struct commands *cs, const char *name)
{
    for (int i = 0; i < cs->count; i++)
        if (!strcmp(cs->rows[i].name, name))
            return &cs->rows[i];
    return NULL;
}

const struct command *command_at(const struct commands *cs, int i)
{
    return i >= 0 && i < cs->count ? &cs->rows[i] : NULL;
}

const char *command_nearest(const struct commands *cs, const char *name)
{
    const char *best = NULL;
    size_t most = 1; /* two letters in common at the front, at least */
    for (int i = 0; i < cs->count; i++) {
        size_t n = 0;
        while (name[n] && name[n] == cs->rows[i].name[n])
            n++;
        if (n > most) {
            most = n;
            best = cs->rows[i].name;
        }
    }
    return best;
}

struct desk *command_desk(struct commands *cs)
{
    return cs->desk;
}

struct show *command_show(struct commands *cs)
{
    return cs->show;
}

void *command_user(struct commands *cs)
{
    return cs->user;
}

const char *command_who(const struct origin *o, char out[160])
{
    switch (o->from) {
    case FROM_KEY:
    case FROM_CTL:
        return "operator";
    case FROM_SIGNAL:
        return "signal";
    case FROM_SCRIPT:
        snprintf(out, 160, "script:%s", o->who.name);
        return out;
    case FROM_CHAT:
        break;
    }
    snprintf(out, 160, "%s:%s", o->who.platform, o->who.uid);
    return out;
}

static void say(struct answer a, enum err e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct answer a, enum err e, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_whole_text(text);
    if (a.fn)
        a.fn(a.user, e, 0, text);
}

/* ---- arguments ---- */

static bool parse_id(const char *w, int64_t *id)
{
    char *end;
    if (*w == '#')
        w++;
    if (*w < '0' || *w > '9')
        return false;
    errno = 0;
    *id = strtoll(w, &end, 10);
    return !*end && !errno && *id > 0;
}

/* Joins the words from `i` on into `rest`. */
static const char *join(struct buf *rest, int argc, const char *const *argv, int i)
{
    buf_reset(rest);
    for (; i < argc; i++) {
        if (rest->len)
            buf_addc(rest, ' ');
        buf_adds(rest, argv[i]);
    }
    return buf_str(rest);
}

/* Fills `c` from the words after the name, as the pattern asks. False: they do not fit. */
static bool fill(const char *pattern, int argc, const char *const *argv, struct command_call *c,
                 struct buf *rest)
{
    int i = 1;
    c->word = c->text = "";
    for (const char *p = pattern; *p;) {
        char part[24];
        size_t n = strcspn(p, " ");
        bool reason = !strncmp(p, "[--reason TEXT]", 15);
        if (reason)
            n = 15;
        snprintf(part, sizeof part, "%.*s", (int)n, p);
        p += n + (p[n] == ' ');
        bool optional = part[0] == '[';
        if (!strcmp(part, "ID…")) {
            while (i < argc && c->id_count < COMMAND_IDS_MAX &&
                   parse_id(argv[i], &c->ids[c->id_count])) {
                c->id_count++;
                i++;
            }
            int64_t more;
            if (!c->id_count || (i < argc && parse_id(argv[i], &more)))
                return false; /* none, or more than there is room for: not a reason */
        } else if (reason) {
            if (i < argc && !strcmp(argv[i], "--reason") && ++i >= argc)
                return false;
            c->text = join(rest, argc, argv, i);
            if (!strncmp(c->text, "--reason=", 9))
                c->text += 9;
            i = argc;
        } else if (i >= argc) {
            if (!optional)
                return false;
        } else if (strstr(part, "ID")) {
            if (!parse_id(argv[i], &c->ids[0])) {
                if (!optional)
                    return false;
                continue;
            }
            c->id_count = 1;
            i++;
        } else if (strstr(part, "TEXT")) {
            c->text = join(rest, argc, argv, i);
            i = argc;
        } else { /* WORD */
            c->word = argv[i++];
        }
    }
    return i == argc;
}

void command_run_words(struct commands *cs, const struct origin *o, int argc,
                       const char *const *argv, struct answer a)
{
    struct command_call call = {0};
    struct buf rest = BUF_INIT(65536), clean = BUF_INIT(65536 * 3);
    const struct command *row = argc > 0 ? command_find(cs, argv[0]) : NULL;
    if (!row || !(row->from & o->from)) {
        const char *name = argc > 0 ? argv[0] : "", *near = command_nearest(cs, name);
        say(a, ERR_USAGE, "there is no command %s here%s%s%s", name, near ? "; did you mean " : "",
            near ? near : "", near ? "?" : "; see `help`");
    } else if (o->who.role < row->least) {
        say(a, ERR_DENIED, "%s is for %ss", row->name, role_name(row->least));
    } else if (!fill(row->args, argc, argv, &call, &rest)) {
        say(a, ERR_USAGE, "usage: %s%s%s", row->name, row->args[0] ? " " : "", row->args);
    } else {
        void *before = cs->user;
        text_clean(&clean, call.text, strlen(call.text)); /* it ends on screens and in chat */
        call.text = buf_str(&clean);
        cs->user = row->user;
        row->fn(cs, o, &call, a);
        cs->user = before;
    }
    buf_free(&rest);
    buf_free(&clean);
}

void command_run(struct commands *cs, const struct origin *o, const char *line, struct answer a)
{
    const char *argv[WORDS_MAX];
    int argc = 0;
    struct buf copy = BUF_INIT(65536);
    if (!buf_adds(&copy, line)) {
        say(a, ERR_LIMIT, "the line is too long");
        buf_free(&copy);
        return;
    }
    for (char *at = copy.data; argc < WORDS_MAX;) {
        at += strspn(at, " ");
        if (!*at)
            break;
        argv[argc++] = at;
        if (argc == WORDS_MAX) /* the last one keeps the rest of the line */
            break;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    command_run_words(cs, o, argc, argv, a);
    buf_free(&copy);
}

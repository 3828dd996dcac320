/* From keys to commands. Each decision is a line for the command table, the same that `ctl` and the
 * `:` prompt send; what is asked here is only what the line still lacks. */
#include "tui/view.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- running ---- */

/* What the answer belongs to: kept until it comes. */
struct sent {
    struct tui *t;
    bool undoable;
};

static void answered(void *user, enum err e, int64_t id, const char *text)
{
    struct sent *s = user;
    char words[600];
    int first = (int)strcspn(text, "\n"), more = 0;
    (void)id;
    for (const char *p = text + first; *p; p++)
        more += *p == '\n' && p[1];
    int n = text[0] ? snprintf(words, sizeof words - 60, "%.*s", first, text)
                    : snprintf(words, sizeof words - 60, "%s", err_text(e));
    if (n > (int)sizeof words - 61)
        n = (int)sizeof words - 61;
    if (more)
        n += snprintf(words + n, 30, " (and %d more)", more);
    if (!e && s->undoable)
        snprintf(words + n, 30, "  (z takes it back)");
    tui_say(s->t, e ? LOG_ERROR : LOG_INFO, words, s->t->now);
    free(s);
}

static bool undoable(const char *line)
{
    static const char *const verbs[] = {"approve", "reject", "air", "cancel",
                                        "reroll",  "edit",   "up",  "down"};
    size_t n = strcspn(line, " ");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strlen(verbs[i]) == n && !strncmp(verbs[i], line, n))
            return true;
    return false;
}

void act_run(struct tui *t, const char *line)
{
    struct sent *s = malloc(sizeof *s);
    if (!s) {
        tui_say(t, LOG_ERROR, "out of memory", t->now);
        return;
    }
    *s = (struct sent){t, undoable(line)};
    t->ops->run(t->user, line, (struct answer){answered, s});
}

/* ---- asking ---- */

static void ask(struct tui *t, enum asking what, const char *pending, const char *text)
{
    t->asking = what;
    t->asked_ms = t->now.mono_ms;
    t->complete_at = -1;
    str_copy(t->pending, sizeof t->pending, pending);
    line_set(&t->line, text);
}

static void ask_yes(struct tui *t, const char *pending, const char *question)
{
    snprintf(t->question, sizeof t->question, "%s y/N", question);
    ask(t, ASK_YES, pending, "");
}

static void ask_reason(struct tui *t, const char *pending, const char *whom)
{
    snprintf(t->question, sizeof t->question, "Reject %s why?", whom);
    ask(t, ASK_REASON, pending, "");
}

/* ---- commands with a key ---- */

static bool moved_under_hand(struct tui *t)
{
    if (t->now.mono_ms - t->forced_ms >= FORCED_MS)
        return false;
    tui_say(t, LOG_WARN, "the list moved under the key; it was ignored", t->now);
    return true;
}

static void on_subject(struct tui *t, const struct command *row, const struct prompt *p)
{
    char line[160], whom[48];
    const char *name = row->name;
    if (t->focus == PANE_REVIEW && !strcmp(name, "approve"))
        name = "air";
    snprintf(line, sizeof line, "%s %lld", name, (long long)p->id);
    snprintf(whom, sizeof whom, "#%lld,", (long long)p->id);
    if (!strcmp(name, "reject")) {
        ask_reason(t, line, whom);
    } else if (!strcmp(name, "edit")) {
        snprintf(t->question, sizeof t->question, "Edit #%lld", (long long)p->id);
        ask(t, ASK_EDIT, line, p->text);
    } else if (!strcmp(name, "why")) {
        act_view(t, VIEW_INSPECT);
    } else {
        t->acted_id = p->id;
        act_run(t, line);
    }
}

void act_command(struct tui *t, const struct command *row)
{
    const struct show *s = t->show;
    const struct prompt *p = tui_subject(t);
    char line[80];
    if (t->overlay == OVERLAY_HELP && strstr(row->args, "ID")) {
        tui_say(t, LOG_WARN, "the help hides what this is about: Esc closes it", t->now);
    } else if (!strcmp(row->name, "quit")) {
        ask_yes(t, "quit",
                s->count[PROMPT_AIRING] ? "A clip is ON AIR. End the show?" : "End the show?");
    } else if (!strcmp(row->name, "pause") && s->panic) { /* no single key leaves a panic */
        tui_say(t, LOG_WARN, "panic: only `:resume` leaves it", t->now);
    } else if (!strcmp(row->name, "pause")) {
        act_run(t, s->paused ? "resume" : "pause");
    } else if (!strcmp(row->name, "cancel")) { /* the one that is drawn, wherever the focus is */
        p = show_first(s, PROMPT_GENERATING);
        if (!p) {
            tui_say(t, LOG_WARN, "nothing is being drawn (x refuses what is selected)", t->now);
            return;
        }
        snprintf(line, sizeof line, "cancel %lld", (long long)p->id);
        act_run(t, line);
    } else if (!strstr(row->args, "ID")) {
        act_run(t, row->name);
    } else if (!p) {
        tui_say(t, LOG_WARN, "nothing is selected here", t->now);
    } else if (!moved_under_hand(t)) {
        on_subject(t, row, p);
    }
}

static void on_tagged(struct tui *t, bool approve)
{
    struct list *l = t->focus <= PANE_REVIEW ? &t->list[t->focus] : NULL;
    const char *verb = !approve ? "reject" : t->focus == PANE_REVIEW ? "air" : "approve";
    char pending[sizeof t->pending], question[80];
    int n = snprintf(pending, sizeof pending, "%s", verb);
    if (!l || !l->tags) {
        tui_say(t, LOG_WARN, "nothing is tagged here (Space tags)", t->now);
        return;
    }
    for (int i = 0; i < l->count; i++) /* in the order of the list */
        if (list_tagged(l, l->item[i]->id) && n < (int)sizeof pending - 24)
            n += snprintf(pending + n, sizeof pending - (size_t)n, " %lld",
                          (long long)l->item[i]->id);
    if (approve) {
        snprintf(question, sizeof question, "%s %d tagged?",
                 t->focus == PANE_REVIEW ? "Air" : "Approve", l->tags);
        ask_yes(t, pending, question);
    } else {
        snprintf(question, sizeof question, "%d tagged,", l->tags);
        ask_reason(t, pending, question);
    }
}

/* ---- the console's own keys ---- */

static void move(struct tui *t, int by)
{
    if (t->overlay != OVERLAY_NONE) {
        t->scroll = t->scroll + by > 0 ? t->scroll + by : 0;
    } else if (t->focus <= PANE_REVIEW) {
        list_move(&t->list[t->focus], by);
    } else if (t->focus == PANE_LOG) {
        int64_t to = (int64_t)t->log_back - by;
        t->log_back = to < 0 ? 0 : to > RING_LINES ? RING_LINES : (int)to;
    }
}

static int page(const struct tui *t)
{
    int rows = t->focus <= PANE_REVIEW ? t->list[t->focus].rows - 1 : 5;
    return t->overlay != OVERLAY_NONE ? 10 : rows > 1 ? rows : 1;
}

static void back(struct tui *t)
{
    if (t->overlay != OVERLAY_NONE)
        t->overlay = OVERLAY_NONE;
    else if (t->filter[0])
        t->filter[0] = '\0';
    else if (t->focus <= PANE_REVIEW && t->list[t->focus].tags)
        t->list[t->focus].tags = 0;
    else if (t->log_back)
        t->log_back = 0;
    else if (t->focus != PANE_HELD)
        tui_focus(t, PANE_HELD);
    else
        tui_say(t, LOG_DEBUG, "Q ends the show", t->now);
}

static void tag(struct tui *t)
{
    struct list *l = t->focus <= PANE_REVIEW ? &t->list[t->focus] : NULL;
    const struct prompt *p = l ? list_selected(l) : NULL;
    if (!p)
        return;
    list_tag(l, p->id);
    list_move(l, 1);
}

static void inspect(struct tui *t)
{
    const struct prompt *p = tui_subject(t);
    if (!p) {
        tui_say(t, LOG_WARN, "nothing is selected here", t->now);
        return;
    }
    t->inspected = p->id;
    t->scroll = 0;
    t->overlay = OVERLAY_INSPECT;
}

void act_view(struct tui *t, enum view_key key)
{
    switch (key) {
    case VIEW_UP:
        move(t, -1);
        break;
    case VIEW_DOWN:
        move(t, 1);
        break;
    case VIEW_PAGE_UP:
        move(t, -page(t));
        break;
    case VIEW_PAGE_DOWN:
        move(t, page(t));
        break;
    case VIEW_FIRST:
        move(t, -1000000);
        break;
    case VIEW_LAST:
        move(t, 1000000);
        break;
    case VIEW_NEXT_PANE:
        tui_focus(t, (enum pane)((t->focus + 1) % PANES));
        break;
    case VIEW_PREV_PANE:
        tui_focus(t, (enum pane)((t->focus + PANES - 1) % PANES));
        break;
    case VIEW_PANE_1:
    case VIEW_PANE_2:
    case VIEW_PANE_3:
    case VIEW_PANE_4:
    case VIEW_PANE_5:
        tui_focus(t, (enum pane)(key - VIEW_PANE_1));
        break;
    case VIEW_TAG:
        tag(t);
        break;
    case VIEW_UNTAG:
        if (t->focus <= PANE_REVIEW)
            t->list[t->focus].tags = 0;
        break;
    case VIEW_APPROVE_TAGGED:
        on_tagged(t, true);
        break;
    case VIEW_REJECT_TAGGED:
        on_tagged(t, false);
        break;
    case VIEW_INSPECT:
        inspect(t);
        break;
    case VIEW_FILTER:
        ask(t, ASK_FILTER, "", t->filter);
        break;
    case VIEW_COMMAND:
        ask(t, ASK_COMMAND, "", "");
        break;
    case VIEW_HELP:
        t->overlay = t->overlay == OVERLAY_HELP ? OVERLAY_NONE : OVERLAY_HELP;
        t->scroll = 0;
        break;
    case VIEW_BACK:
        back(t);
        break;
    case VIEW_REPAINT:
        t->ops->repaint(t->user);
        break;
    case VIEW_SUSPEND:
        t->ops->suspend(t->user);
        break;
    case VIEW_INTERRUPT:
        act_command(t, command_find(t->commands, "quit"));
        break;
    case VIEW_PANIC_HALF:
    case VIEW_KEY_COUNT:
        break;
    }
}

/* ---- the input line ---- */

static void finish(struct tui *t)
{
    t->asking = ASK_NOTHING;
}

/* The id of what is selected, for a command that wants one and was typed without. */
static void complete(struct tui *t)
{
    const struct command *row;
    char first[64] = "";
    int seen = 0, hits = 0;
    if (strchr(t->line.text, ' ')) {
        const struct prompt *p = tui_subject(t);
        size_t n = strlen(t->line.text);
        char id[24];
        if (p && t->line.text[n - 1] == ' ') {
            snprintf(id, sizeof id, "%lld ", (long long)p->id);
            line_insert(&t->line, id, strlen(id) - 1);
            line_key(&t->line, " ");
        }
        return;
    }
    if (t->complete_at < 0)
        snprintf(t->complete_of, sizeof t->complete_of, "%.60s", t->line.text);
    size_t n = strlen(t->complete_of);
    for (int i = 0; (row = command_at(t->commands, i)); i++) {
        if (!(row->from & FROM_KEY) || strncmp(row->name, t->complete_of, n))
            continue;
        hits++;
        if (seen++ == t->complete_at + 1)
            snprintf(first, sizeof first, "%s", row->name);
        else if (!first[0] && seen == 1)
            snprintf(first, sizeof first, "%s", row->name);
    }
    if (!hits)
        return;
    t->complete_at = (t->complete_at + 1) % hits;
    if (hits == 1)
        strcat(first, " ");
    line_set(&t->line, first);
}

static void run_typed(struct tui *t)
{
    const char *s = t->line.text;
    while (*s == ' ' || *s == ':')
        s++;
    line_remember(&t->history, s);
    if (!strcmp(s, "q"))
        s = "quit";
    if (!strcmp(s, "help"))
        act_view(t, VIEW_HELP);
    else if (*s)
        act_run(t, s);
}

static void enter(struct tui *t)
{
    char line[sizeof t->pending + LINE_BYTES + 16];
    enum asking was = t->asking;
    finish(t);
    switch (was) {
    case ASK_COMMAND:
        run_typed(t);
        return;
    case ASK_FILTER:
        str_copy(t->filter, sizeof t->filter, t->line.text);
        return;
    case ASK_EDIT:
        snprintf(line, sizeof line, "%s %s", t->pending, t->line.text);
        break;
    case ASK_REASON:
        snprintf(line, sizeof line, "%s%s%s", t->pending, t->line.text[0] ? " --reason " : "",
                 t->line.text);
        break;
    default: /* Enter is No */
        tui_say(t, LOG_DEBUG, "not done", t->now);
        return;
    }
    t->acted_id = t->focus <= PANE_REVIEW ? t->list[t->focus].id : 0;
    act_run(t, line);
}

static bool special(struct tui *t, const char *key)
{
    const char *text;
    if (t->asking == ASK_YES) {
        if (strcmp(key, "y") && strcmp(key, "Y")) {
            finish(t);
            tui_say(t, LOG_DEBUG, "not done", t->now);
            return true;
        }
        finish(t);
        t->acted_id = t->focus <= PANE_REVIEW ? t->list[t->focus].id : 0;
        act_run(t, t->pending);
        return true;
    }
    if (t->asking == ASK_REASON && !t->line.text[0] && key[0] && !key[1] &&
        (text = keys_reason(key[0] - '0'))) {
        line_set(&t->line, text);
        enter(t);
        return true;
    }
    if (t->asking == ASK_COMMAND) {
        if (!strcmp(key, "Tab")) {
            complete(t);
            return true;
        }
        t->complete_at = -1;
        if (!strcmp(key, "Backspace") && !t->line.text[0]) {
            finish(t);
            return true;
        }
        bool up = !strcmp(key, "Up");
        if (up || !strcmp(key, "Down")) {
            if ((text = line_recall(&t->history, up ? -1 : 1)))
                line_set(&t->line, text);
            return true;
        }
    }
    return false;
}

void act_input(struct tui *t, const char *key)
{
    if (special(t, key))
        return;
    if (!strcmp(key, "Enter")) {
        enter(t);
    } else if (!strcmp(key, "Esc") || !strcmp(key, "C-c") || !strcmp(key, "C-g")) {
        if (t->asking == ASK_FILTER)
            t->filter[0] = '\0';
        finish(t);
    } else if (line_key(&t->line, key) && t->asking == ASK_FILTER) {
        str_copy(t->filter, sizeof t->filter, t->line.text); /* it filters while typed */
    }
}

#include "script/ticket.h"

#include "command/viewer.h"

#include <stdlib.h>
#include <string.h>

static void link_last(struct script *s, struct ticket *t)
{
    t->prev = s->last;
    t->next = NULL;
    *(s->last ? &s->last->next : &s->first) = t;
    s->last = t;
}

static void unlink_one(struct script *s, struct ticket *t)
{
    *(t->prev ? &t->prev->next : &s->first) = t->next;
    *(t->next ? &t->next->prev : &s->last) = t->prev;
}

struct ticket *ticket_new(struct script *s, const struct chat_line *line, struct answer a,
                          int64_t deadline)
{
    struct ticket *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->text = strdup(line->text);
    t->channel = strdup(line->channel);
    t->msgid = strdup(line->msgid);
    if (!t->text || !t->channel || !t->msgid) {
        free(t->text);
        free(t->channel);
        free(t->msgid);
        free(t);
        return NULL;
    }
    t->id = ++s->next_ticket;
    t->line = *line;
    t->line.text = t->text;
    t->line.channel = t->channel;
    t->line.msgid = t->msgid;
    t->answer = a;
    t->deadline = deadline;
    t->said = BUF_INIT(2000);
    t->chain = s->bucket[t->id % TICKET_BUCKETS];
    s->bucket[t->id % TICKET_BUCKETS] = t;
    s->tickets++;
    link_last(s, t);
    return t;
}

struct ticket *ticket_find(struct script *s, uint64_t id)
{
    struct ticket *t = s->bucket[id % TICKET_BUCKETS];
    while (t && t->id != id)
        t = t->chain;
    return t;
}

void ticket_extend(struct script *s, struct ticket *t, int64_t deadline)
{
    unlink_one(s, t);
    t->deadline = deadline;
    link_last(s, t);
}

void ticket_reply(struct ticket *t, const char *text)
{
    if (t->said.len && text[0])
        buf_addc(&t->said, ' ');
    buf_adds(&t->said, text);
}

static void take_out(struct script *s, struct ticket *t)
{
    struct ticket **at = &s->bucket[t->id % TICKET_BUCKETS];
    while (*at != t)
        at = &(*at)->chain;
    *at = t->chain;
    unlink_one(s, t);
    s->tickets--;
}

static void destroy(struct ticket *t)
{
    buf_free(&t->said);
    free(t->text);
    free(t->channel);
    free(t->msgid);
    free(t);
}

void ticket_finish(struct script *s, struct ticket *t, enum err e, const char *otherwise)
{
    take_out(s, t);
    if (t->answer.fn)
        t->answer.fn(t->answer.user, e, t->prompt, t->said.len ? buf_str(&t->said) : otherwise);
    destroy(t);
}

void ticket_fall_back(struct script *s, struct ticket *t)
{
    take_out(s, t);
    s->figures.fallback++;
    script_line(NULL, s->commands, &t->line, t->answer);
    destroy(t);
}

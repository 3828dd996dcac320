#include "script/snapshot.h"

#include "base/buf.h"
#include "show/queue.h"

#include <stdlib.h>
#include <string.h>

static void copy(struct snapshot *to, const struct show *s, const struct prompt *p, int position,
                 char **text)
{
    struct snapshot_prompt *q = &to->prompt[to->prompts++];
    size_t n = strlen(p->text) + 1;
    *q = (struct snapshot_prompt){.id = p->id,
                                  .state = p->state,
                                  .viewer = p->viewer,
                                  .text = memcpy(*text, p->text, n),
                                  .votes = p->votes,
                                  .priority = p->priority,
                                  .position = position};
    str_copy(q->style, sizeof q->style, p->style);
    q->eta_known = queue_eta_at(s, p, position > 0 ? position : 1, &q->eta);
    *text += n;
}

struct snapshot *snapshot_new(const struct show *s, int64_t mono_ms)
{
    static const enum prompt_state others[] = {PROMPT_GENERATING, PROMPT_REVIEW, PROMPT_CLEARED,
                                               PROMPT_AIRING};
    const struct prompt *order[SNAPSHOT_PROMPTS_MAX];
    int waiting = queue_order(s, mono_ms, true, order, SNAPSHOT_PROMPTS_MAX), n;
    size_t bytes = 0;
    n = waiting = waiting < SNAPSHOT_PROMPTS_MAX ? waiting : SNAPSHOT_PROMPTS_MAX;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (const struct prompt *p = show_first(s, others[i]); p && n < SNAPSHOT_PROMPTS_MAX;
             p = show_next(s, p))
            order[n++] = p;
    for (int i = 0; i < n; i++)
        bytes += strlen(order[i]->text) + 1;
    struct snapshot *to = malloc(sizeof *to + (size_t)n * sizeof *to->prompt + bytes);
    if (!to)
        return NULL;
    *to = (struct snapshot){.version = s->version,
                            .open = s->open,
                            .paused = s->paused,
                            .panic = s->panic,
                            .accepted = s->accepted,
                            .aired = s->aired,
                            .refused = s->refused,
                            .progress = s->engine.progress};
    atomic_init(&to->refs, 1);
    memcpy(to->count, s->count, sizeof to->count);
    if (s->engine.state == ENGINE_DRAWING)
        to->drawing = s->engine.job;
    to->eta_known = queue_eta_new(s, &to->eta);
    char *text = (char *)&to->prompt[n];
    for (int i = 0; i < n; i++)
        copy(to, s, order[i], i < waiting ? i + 1 : 0, &text);
    return to;
}

void snapshot_unref(struct snapshot *s)
{
    if (s && atomic_fetch_sub(&s->refs, 1) == 1)
        free(s);
}

const struct snapshot_prompt *snapshot_find(const struct snapshot *s, int64_t id)
{
    for (int i = 0; s && i < s->prompts; i++)
        if (s->prompt[i].id == id)
            return &s->prompt[i];
    return NULL;
}

/* What the show tells its viewers by itself: that a prompt is being drawn, on air, or was refused.
 */
#include "app/house.h"

#include <stdio.h>
#include <string.h>

static void tell(struct house *h, const struct prompt *p, enum chat_kind kind, const char *text)
{
    if (p->source >= 0 && h->chat && p->source < chat_count(h->chat))
        chat_reply(h->chat, p->source, &p->viewer, kind, text, NULL);
}

static void on_event(void *user, const struct event *e)
{
    struct house *h = user;
    char text[400];
    const struct prompt *p = e->prompt;
    if (e->kind != EVENT_PROMPT)
        return;
    if (e->to == PROMPT_GENERATING) {
        snprintf(text, sizeof text, "#%lld is being drawn now", (long long)p->id);
        tell(h, p, CHAT_NEXT, text);
    } else if (e->to == PROMPT_AIRING) {
        snprintf(text, sizeof text, "#%lld is on air!", (long long)p->id);
        tell(h, p, CHAT_ON_AIR, text);
    } else if (e->to == PROMPT_REJECTED && strcmp(e->by, "platform")) {
        snprintf(text, sizeof text, "#%lld was not taken%s%s", (long long)p->id,
                 p->reason[0] ? ": " : "", p->reason);
        tell(h, p, CHAT_REFUSED, text);
    } else if (e->to == PROMPT_FAILED || e->to == PROMPT_QUARANTINED) {
        snprintf(text, sizeof text, "#%lld could not be drawn, sorry", (long long)p->id);
        tell(h, p, CHAT_REFUSED, text);
    }
}

void voice_start(struct house *h)
{
    h->voice = event_subscribe(&h->show.events, "voice", on_event, h);
}

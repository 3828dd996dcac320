#include "ctl/state.h"

#include "base/clock.h"
#include "base/json.h"
#include "show/queue.h"

#include <stdlib.h>
#include <string.h>

#define ENDED_LISTED 200

static void add_int_or_null(cJSON *o, const char *key, bool known, int64_t v)
{
    if (known)
        cJSON_AddNumberToObject(o, key, (double)v);
    else
        cJSON_AddNullToObject(o, key);
}

static void add_str_or_null(cJSON *o, const char *key, const char *v)
{
    if (v[0])
        cJSON_AddStringToObject(o, key, v);
    else
        cJSON_AddNullToObject(o, key);
}

cJSON *state_prompt(const struct show *s, const struct paths *paths, const struct prompt *p,
                    int position)
{
    cJSON *o = cJSON_CreateObject();
    struct eta_range eta;
    char clip[PATH_LEN] = "", created[25];
    bool known = queue_eta_at(s, p, position > 0 ? position : 1, &eta);
    if (p->clip[0] && p->sha256[0]) /* its name is known before there is a file */
        path_join(clip, sizeof clip, paths->vault, p->clip);
    clock_iso(p->created_utc, created);
    cJSON_AddNumberToObject(o, "id", (double)p->id);
    cJSON_AddStringToObject(o, "state", prompt_state_name(p->state));
    cJSON_AddStringToObject(o, "viewer", p->viewer.name);
    cJSON_AddStringToObject(o, "text", p->text);
    cJSON_AddStringToObject(o, "style", p->style);
    add_int_or_null(o, "position", position > 0, position);
    add_int_or_null(o, "eta_s", known, known ? (eta.low_ms + 999) / 1000 : 0);
    add_int_or_null(o, "eta_max_s", known, known ? (eta.high_ms + 999) / 1000 : 0);
    add_str_or_null(o, "clip", clip);
    cJSON_AddStringToObject(o, "platform", p->viewer.platform);
    cJSON_AddNumberToObject(o, "votes", p->votes);
    cJSON_AddNumberToObject(o, "priority", p->priority);
    cJSON_AddBoolToObject(o, "edited", p->edited);
    cJSON_AddBoolToObject(o, "favourite", p->favourite);
    add_str_or_null(o, "reason", p->reason);
    add_str_or_null(o, "check", p->check);
    cJSON_AddStringToObject(o, "created", created);
    return o;
}

static cJSON *obs_json(const struct obs_status *obs)
{
    if (!obs->configured)
        return cJSON_CreateNull();
    cJSON *o = cJSON_CreateObject();
    cJSON_AddBoolToObject(o, "connected", obs->connected);
    add_str_or_null(o, "scene", obs->scene);
    add_int_or_null(o, "latency_ms", obs->latency_ms >= 0, obs->latency_ms);
    cJSON_AddStringToObject(o, "stage", stage_scene_name(obs->stage));
    add_str_or_null(o, "why", obs->why);
    add_str_or_null(o, "monitor", obs->monitor);
    cJSON_AddBoolToObject(o, "streaming", obs->streaming);
    cJSON_AddNumberToObject(o, "skipped_frames", (double)obs->skipped_frames);
    return o;
}

static cJSON *chat_json(const struct chat_status *c, int64_t mono_ms)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "kind", c->kind);
    cJSON_AddStringToObject(o, "where", c->where);
    cJSON_AddBoolToObject(o, "connected", c->connected);
    add_int_or_null(o, "deaf_s", c->heard_ms > 0, (mono_ms - c->heard_ms) / 1000);
    add_str_or_null(o, "why", c->why);
    return o;
}

static cJSON *engine_json(const struct engine_status *e)
{
    cJSON *o = cJSON_CreateObject();
    bool drawing = e->state == ENGINE_DRAWING;
    cJSON_AddStringToObject(o, "kind", e->kind);
    cJSON_AddStringToObject(o, "state", engine_state_name(e->state));
    add_int_or_null(o, "job", drawing, e->job);
    add_str_or_null(o, "stage", drawing ? e->stage : "");
    cJSON_AddNumberToObject(o, "progress", drawing ? e->progress : 0);
    add_int_or_null(o, "eta_ms", drawing && e->eta_ms >= 0, e->eta_ms);
    cJSON_AddStringToObject(o, "device", e->device.name);
    cJSON_AddNumberToObject(o, "throttle", e->throttle);
    add_str_or_null(o, "why", e->why);
    return o;
}

static int newest_first(const void *a, const void *b)
{
    const struct prompt *x = *(const struct prompt *const *)a,
                        *y = *(const struct prompt *const *)b;
    return (x->id < y->id) - (x->id > y->id);
}

static int by_id(const void *a, const void *b)
{
    return -newest_first(a, b);
}

/* The prompts to list into a new array; NULL without memory. */
static const struct prompt **listed(const struct show *s, int *count)
{
    int live = 0, ended = 0, total = 0;
    for (int i = 0; i < PROMPT_STATES; i++)
        total += s->count[i];
    const struct prompt **all = calloc((size_t)total + 1, sizeof *all);
    if (!all)
        return NULL;
    for (int i = 0; i < PROMPT_STATES; i++)
        if (!prompt_ended((enum prompt_state)i))
            for (const struct prompt *p = show_first(s, (enum prompt_state)i); p;
                 p = show_next(s, p))
                all[live++] = p;
    for (int i = 0; i < PROMPT_STATES; i++)
        if (prompt_ended((enum prompt_state)i))
            for (const struct prompt *p = show_first(s, (enum prompt_state)i); p;
                 p = show_next(s, p))
                all[live + ended++] = p;
    qsort(all + live, (size_t)ended, sizeof *all, newest_first);
    *count = live + (ended < ENDED_LISTED ? ended : ENDED_LISTED);
    qsort(all, (size_t)*count, sizeof *all, by_id);
    return all;
}

struct place {
    int64_t id;
    int position;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

cJSON *state_json(const struct show *s, const struct paths *paths, int64_t mono_ms)
{
    cJSON *o = cJSON_CreateObject(), *prompts = cJSON_AddArrayToObject(o, "prompts");
    int n = 0, waiting = s->count[PROMPT_APPROVED] + s->count[PROMPT_HELD];
    const struct prompt **all = listed(s, &n), **order = calloc((size_t)waiting + 1, sizeof *order);
    if (all && order) {
        int filled = queue_order(s, mono_ms, true, order, waiting);
        /* positions by id: sort pairs once instead of searching for each */
        struct place *place = calloc((size_t)filled + 1, sizeof *place);
        for (int i = 0; place && i < filled; i++)
            place[i] = (struct place){order[i] ? order[i]->id : 0, i + 1};
        if (place)
            qsort(place, (size_t)filled, sizeof *place, by_place);
        for (int i = 0, at = 0; place && i < n; i++) {
            while (at < filled && place[at].id < all[i]->id)
                at++;
            int position = at < filled && place[at].id == all[i]->id ? place[at].position : 0;
            cJSON_AddItemToArray(prompts, state_prompt(s, paths, all[i], position));
        }
        free(place);
    }
    free(all);
    free(order);
    cJSON_AddItemToObject(o, "obs", obs_json(&s->obs));
    cJSON *chat = cJSON_AddArrayToObject(o, "chat");
    for (int i = 0; i < s->chat_count; i++)
        cJSON_AddItemToArray(chat, chat_json(&s->chat[i], mono_ms));
    cJSON_AddItemToObject(o, "engine", engine_json(&s->engine));
    cJSON_AddBoolToObject(o, "paused", s->paused);
    add_str_or_null(o, "pause_why", s->paused ? s->pause_why : "");
    cJSON_AddBoolToObject(o, "panic", s->panic);
    cJSON_AddBoolToObject(o, "open", s->open);
    cJSON_AddBoolToObject(o, "store_failed", s->store_failed);
    cJSON_AddBoolToObject(o, "disk_low", s->disk_low);
    cJSON_AddBoolToObject(o, "script_late", s->script_late);
    add_str_or_null(o, "script_why", s->script_why);
    return o;
}

bool state_event(const struct show *s, const struct event *e, int64_t utc_ms, struct buf *out)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "t", (double)utc_ms);
    cJSON_AddStringToObject(o, "event", event_name(e->kind));
    switch (e->kind) {
    case EVENT_PROMPT:
    case EVENT_EDITED:
        cJSON_AddNumberToObject(o, "id", (double)e->prompt->id);
        cJSON_AddStringToObject(o, "from", prompt_state_name(e->from));
        cJSON_AddStringToObject(o, "to", prompt_state_name(e->to));
        cJSON_AddStringToObject(o, "by", e->by);
        add_str_or_null(o, "reason", e->prompt->reason);
        break;
    case EVENT_OBS:
        cJSON_AddBoolToObject(o, "connected", s->obs.connected);
        add_str_or_null(o, "scene", s->obs.scene);
        cJSON_AddStringToObject(o, "stage", stage_scene_name(s->obs.stage));
        break;
    case EVENT_CHAT:
        cJSON_AddNumberToObject(o, "source", e->index);
        cJSON_AddBoolToObject(o, "connected",
                              e->index < s->chat_count && s->chat[e->index].connected);
        break;
    case EVENT_ENGINE:
        cJSON_AddStringToObject(o, "state", engine_state_name(s->engine.state));
        add_int_or_null(o, "job", s->engine.state == ENGINE_DRAWING, s->engine.job);
        add_str_or_null(o, "stage", s->engine.state == ENGINE_DRAWING ? s->engine.stage : "");
        cJSON_AddNumberToObject(o, "progress", s->engine.progress);
        break;
    case EVENT_PAUSED:
        cJSON_AddBoolToObject(o, "paused", s->paused);
        add_str_or_null(o, "why", s->paused ? s->pause_why : "");
        break;
    case EVENT_PANIC:
        cJSON_AddBoolToObject(o, "panic", s->panic);
        break;
    case EVENT_OPEN:
        cJSON_AddBoolToObject(o, "open", s->open);
        break;
    case EVENT_STORE:
        cJSON_AddBoolToObject(o, "failed", s->store_failed);
        break;
    case EVENT_DISK:
        cJSON_AddBoolToObject(o, "low", s->disk_low);
        break;
    case EVENT_PICTURE:
    case EVENT_STYLES:
    case EVENT_SCRIPT:
        cJSON_Delete(o);
        return false;
    }
    bool ok = json_print(out, o, false);
    cJSON_Delete(o);
    return ok;
}

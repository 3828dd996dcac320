/* The lamps: what is true right now, from OBS, chat and the engine themselves, with its age. When
 * the screen is too narrow the least important go first; a lamp that warns is never among them. */
#include "tui/view.h"

#include "base/text.h"
#include "show/queue.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LAMPS 20
#define ENGINE_STALE_MS 5000
#define URGENT 100

struct lamp {
    char text[96];
    enum look_role role;
    int weight; /* the lightest goes first */
};

struct lamps {
    struct lamp lamp[LAMPS];
    int count;
};

static void add(struct lamps *l, enum look_role role, int weight, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void add(struct lamps *l, enum look_role role, int weight, const char *fmt, ...)
{
    va_list ap;
    if (l->count == LAMPS)
        return;
    struct lamp *to = &l->lamp[l->count++];
    to->role = role;
    to->weight = weight;
    va_start(ap, fmt);
    vsnprintf(to->text, sizeof to->text, fmt, ap);
    va_end(ap);
}

/* ---- the first line ---- */

static void stage_lamp(struct tui *t, struct lamps *l)
{
    const struct show *s = t->show;
    const struct obs_status *o = &s->obs;
    bool airing = s->count[PROMPT_AIRING] > 0;
    const char *scene = o->connected ? o->scene : "";
    char name[16];
    str_copy(name, sizeof name, stage_scene_name(o->stage));
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    if (!strncmp(scene, "sakuga ", 7))
        scene += 7;
    if (s->panic)
        add(l, LOOK_PANIC, URGENT + 9, " %s PANIC ", frame_glyph(t, GLYPH_NO));
    else if (airing)
        add(l, LOOK_ON_AIR, URGENT + 8, " %s ON AIR ", frame_glyph(t, GLYPH_DOT));
    else
        add(l, LOOK_STANDBY, 90, " %s %s ", frame_glyph(t, GLYPH_RING), name);
    if (scene[0])
        add(l, LOOK_TEXT, 60, "%s", scene);
    if (o->monitor[0])
        add(l, LOOK_BAD, URGENT, "program %s", o->monitor);
}

static void obs_lamp(struct tui *t, struct lamps *l)
{
    const struct obs_status *o = &t->show->obs;
    char age[16];
    if (!o->configured) {
        add(l, LOOK_DIM, 20, "obs none");
    } else if (!o->connected) {
        add(l, LOOK_BAD, URGENT + 5, "%s OBS %s", frame_glyph(t, GLYPH_NO),
            o->gave_up ? "refused us" : "down");
    } else if (t->now.mono_ms - o->heard_ms > 10000) {
        frame_age(age, t->now.mono_ms - o->heard_ms);
        add(l, LOOK_BAD, URGENT, "obs stale %s", age);
    } else {
        add(l, LOOK_GOOD, 50, "obs %s %d ms", frame_glyph(t, GLYPH_OK), o->latency_ms);
        if (o->skipped_frames > 0)
            add(l, LOOK_WARN, 55, "%lld dropped", (long long)o->skipped_frames);
        if (o->streaming)
            add(l, LOOK_BAD, 56, "live");
        else if (o->recording)
            add(l, LOOK_BAD, 54, "rec");
    }
}

/* Lines of the last minute, scaled up while there is less than a minute to look at. */
static int lines_a_minute(const struct tui *t, int source)
{
    if (t->rate_count < 2)
        return -1;
    int newest = (t->rate_at + RATE_SAMPLES - 1) % RATE_SAMPLES;
    int oldest = (t->rate_at + RATE_SAMPLES - t->rate_count) % RATE_SAMPLES;
    int64_t ms = t->rate[source][newest].mono_ms - t->rate[source][oldest].mono_ms;
    uint64_t n = t->rate[source][newest].lines - t->rate[source][oldest].lines;
    return ms < 1000 ? -1 : (int)((int64_t)n * 60000 / ms);
}

static void chat_lamp(struct tui *t, struct lamps *l, int i)
{
    const struct chat_status *c = &t->show->chat[i];
    const char *name = frame_platform(c->kind);
    int rate = lines_a_minute(t, i);
    char age[16];
    if (!c->connected) {
        frame_age(age, t->now.mono_ms - c->heard_ms);
        add(l, LOOK_BAD, URGENT + 4, "%s CHAT DEAF %s", frame_glyph(t, GLYPH_NO),
            c->heard_ms ? age : "");
    } else if (rate < 0) {
        add(l, LOOK_GOOD, 48, "%s %s", name, frame_glyph(t, GLYPH_OK));
    } else {
        add(l, LOOK_GOOD, 48, "%s %s %d/min", name, frame_glyph(t, GLYPH_OK), rate);
    }
}

static void device_lamp(struct tui *t, struct lamps *l)
{
    const struct device_status *d = &t->show->engine.device;
    char text[80];
    int n = 0;
    if (!d->name[0] && d->memory <= 0)
        return;
    bool gpu = d->watts >= 0 && d->memory_total > 0;
    n += snprintf(text, sizeof text, "%s %d%%", gpu ? "gpu" : "cpu", (int)(d->util * 100 + 0.5));
    if (d->memory > 0 && gpu)
        n += snprintf(text + n, sizeof text - (size_t)n, " %.1f/%.0fG", (double)d->memory / 1e9,
                      (double)d->memory_total / 1e9);
    else if (d->memory > 0)
        n += snprintf(text + n, sizeof text - (size_t)n, " %.0fM", (double)d->memory / 1e6);
    if (d->watts >= 0)
        snprintf(text + n, sizeof text - (size_t)n, " %.0fW", d->watts);
    add(l, LOOK_TEXT, 30, "%s", text);
}

static void engine_lamp(struct tui *t, struct lamps *l)
{
    const struct engine_status *e = &t->show->engine;
    int64_t silent = t->now.mono_ms - e->heard_ms;
    char age[16];
    frame_age(age, silent);
    if (e->state == ENGINE_DOWN)
        add(l, LOOK_BAD, URGENT + 3, "%s engine down", frame_glyph(t, GLYPH_NO));
    else if (e->state == ENGINE_STARTING)
        add(l, LOOK_WARN, 58, "engine starts");
    else if (silent > ENGINE_STALE_MS)
        add(l, LOOK_BAD, URGENT + 2, "engine stale %s", age);
    else if (e->state == ENGINE_DRAWING)
        add(l, LOOK_ID, 58, "%s #%lld %d%%", frame_glyph(t, GLYPH_PLAY), (long long)e->job,
            (int)(e->progress * 100 + 0.5));
    else
        add(l, LOOK_GOOD, 40, "%s %s", e->kind, frame_glyph(t, GLYPH_OK));
    if (e->throttle > 0)
        add(l, LOOK_WARN, 57, "gives way %d%%", (int)(e->throttle * 100 + 0.5));
    device_lamp(t, l);
}

static void house_lamps(struct tui *t, struct lamps *l)
{
    const struct show *s = t->show;
    if (s->store_failed)
        add(l, LOOK_BAD, URGENT + 6, "%s STORE FAILED", frame_glyph(t, GLYPH_NO));
    else
        add(l, LOOK_GOOD, 10, "store %s", frame_glyph(t, GLYPH_OK));
    if (s->disk_low)
        add(l, LOOK_BAD, URGENT + 3, "%s DISK FULL %.1fG", frame_glyph(t, GLYPH_NO),
            (double)s->disk_free / 1e9);
    else if (s->disk_free >= 0)
        add(l, LOOK_TEXT, 25, "disk %.0fG", (double)s->disk_free / 1e9);
    if (s->script_late)
        add(l, LOOK_BAD, URGENT + 1, "%s scripts late", frame_glyph(t, GLYPH_NO));
    else if (s->script_why[0]) /* one failed, or there are none; the log has the words */
        add(l, LOOK_WARN, 53, "%s scripts", frame_glyph(t, GLYPH_NO));
    else
        add(l, LOOK_GOOD, 9, "scripts %s", frame_glyph(t, GLYPH_OK));
    if (s->paused && !s->panic)
        add(l, LOOK_WARN, URGENT + 1, "PAUSED%s%s", s->pause_why[0] ? ": " : "", s->pause_why);
}

/* ---- the second line ---- */

static void count(struct tui *t, struct lamps *l, int weight, const char *word, int n,
                  enum look_role role)
{
    (void)t;
    add(l, n ? role : LOOK_DIM, weight, "%s %d", word, n);
}

static void figures(struct tui *t, struct lamps *l)
{
    const struct show *s = t->show;
    struct eta_range eta;
    char range[32];
    if (s->open)
        add(l, LOOK_GOOD, 80, "SUBMISSIONS OPEN");
    else
        add(l, LOOK_WARN, 99, "SUBMISSIONS CLOSED");
    if (s->set.prompt_gate == GATE_AUTO || s->set.clip_gate == GATE_AUTO)
        add(l, LOOK_WARN, 98, "AUTO %s%s%s", s->set.prompt_gate == GATE_AUTO ? "prompts" : "",
            s->set.prompt_gate == s->set.clip_gate ? " and " : "",
            s->set.clip_gate == GATE_AUTO ? "clips" : "");
    count(t, l, 70, "held", s->count[PROMPT_HELD], LOOK_NUMBER);
    count(t, l, 69, "ready", s->count[PROMPT_APPROVED], LOOK_NUMBER);
    count(t, l, 71, "review", s->count[PROMPT_REVIEW], LOOK_WARN);
    if (s->count[PROMPT_CLEARED])
        count(t, l, 66, "cleared", s->count[PROMPT_CLEARED], LOOK_GOOD);
    count(t, l, 50, "aired", (int)s->aired, LOOK_NUMBER);
    count(t, l, 40, "rejected", s->count[PROMPT_REJECTED], LOOK_NUMBER);
    if (s->count[PROMPT_FAILED] + s->count[PROMPT_QUARANTINED])
        count(t, l, 68, "failed", s->count[PROMPT_FAILED] + s->count[PROMPT_QUARANTINED], LOOK_BAD);
    if (queue_eta_new(s, &eta)) {
        frame_range(range, &eta);
        add(l, LOOK_TEXT, 45, "a new one airs in %s", range);
    } else {
        add(l, LOOK_DIM, 45, "ETA unknown yet");
    }
}

/* ---- both ---- */

static int width(const struct lamps *l)
{
    int sum = 0;
    for (int i = 0; i < l->count; i++)
        sum += text_cells(l->lamp[i].text) + 2;
    return sum;
}

static void shed(struct lamps *l, int room)
{
    while (l->count > 1 && width(l) > room) {
        int lightest = 0;
        for (int i = 1; i < l->count; i++)
            if (l->lamp[i].weight < l->lamp[lightest].weight)
                lightest = i;
        memmove(&l->lamp[lightest], &l->lamp[lightest + 1],
                sizeof *l->lamp * (size_t)(l->count - lightest - 1));
        l->count--;
    }
}

static void draw(struct tui *t, struct grid *g, int x, int y, int end, struct lamps *l)
{
    shed(l, end - x);
    for (int i = 0; i < l->count && x < end; i++) {
        struct ink ink = *frame_ink(t, l->lamp[i].role);
        x += grid_text(g, x, y, end - x, ink, l->lamp[i].text) + 2;
    }
}

void view_lamps(struct tui *t, struct grid *g, struct rect r)
{
    struct lamps top = {0}, second = {0};
    char clock[16];
    struct tm tm;
    time_t utc = (time_t)(t->now.utc_ms / 1000);
    int x = r.x + 1, end = r.x + r.w;
    localtime_r(&utc, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    if (r.w >= 48) {
        x += grid_textf(g, x, r.y, 10, *frame_ink(t, LOOK_BRAND), "%s sakuga",
                        frame_glyph(t, GLYPH_PETAL)) +
             2;
        end -= 9;
        grid_text(g, end, r.y, 8, *frame_ink(t, LOOK_TITLE), clock);
    }
    stage_lamp(t, &top);
    obs_lamp(t, &top);
    for (int i = 0; i < t->show->chat_count && i < CHAT_SOURCES_MAX; i++)
        chat_lamp(t, &top, i);
    engine_lamp(t, &top);
    house_lamps(t, &top);
    draw(t, g, x, r.y, end, &top);
    if (r.h > 1) {
        figures(t, &second);
        draw(t, g, r.x + 1, r.y + 1, r.x + r.w, &second);
    }
}

/* The driver for a real OBS.
 *
 * A clip comes on in three steps (measured on OBS 29, every frame of recordings looked at): text
 * and file are set on the hidden slot; two frames and 200 ms pass, since OBS opens the file on its
 * next frame and decodes the first picture; then one realtime batch cuts and sends RESTART. A cut
 * inside the same scene enables one card and disables the other in the same batch. Earlier, or with
 * the last picture kept at the end (clear_on_media_end false), black or an older picture was seen.
 *
 * Panic. OBS works on several requests at a time. What a resume asks for, the sound and the cut,
 * waits until every panic that was sent is answered: else the panic might come out last.
 *
 * Studio mode. The program then shows a copy of a scene, made at the cut, so every change of cards
 * is followed by a cut, also within one scene. And while a transition runs OBS takes a cut for done
 * and drops it: a panic is sent again when a transition ends shortly after it. */
#include "obs/screen_inside.h"

#include "base/clock.h"
#include "obs/caption.h"
#include "obs/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT_CELLS 66 /* what the lower third holds */
#define PROMPT_LINES 2
#define OPEN_FRAMES 2
#define ASKED_MS 3000 /* a change of scene that takes longer counts as somebody else's */
#define TOLD_MS 1000
#define PANIC_AGAIN_MS 5000

#define RESTART "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_RESTART"
#define PAUSE "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PAUSE"
#define STOP "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_STOP"

/* A request on its way, with what its end needs. */
struct call {
    struct obs_screen *s;
    screen_fn *fn;
    screen_play_fn *play;
    uint64_t tag;
    enum stage_scene to; /* of a cut */
    int slot;
    int needed; /* results at the front of the batch that must have succeeded */
    int64_t took_us;
};

static struct call *call_new(struct obs_screen *s, screen_fn *fn, uint64_t tag)
{
    struct call *c = calloc(1, sizeof *c);
    if (c)
        *c = (struct call){.s = s, .fn = fn, .tag = tag, .needed = 1};
    return c;
}

static void call_end(struct call *c, enum err err, const char *why)
{
    struct call was = *c;
    free(c);
    if (was.fn && !was.s->freed)
        was.fn(was.s->base.user, was.tag, err, why, was.took_us);
}

/* The first failure among the results of a batch; `needed` ones at the front count. */
static enum err batch_failure(const struct reply *r, int needed, char words[320])
{
    const cJSON *e;
    int i = 0;
    str_copy(words, 320, r->text);
    if (r->err)
        return r->err;
    cJSON_ArrayForEach(e, r->data)
    {
        struct wire w;
        if (i++ >= needed)
            break;
        if (!wire_result(&w, e))
            return ERR_SYNTAX;
        if (!w.ok) {
            snprintf(words, 320, "OBS refused %s with status %d%s%.200s", w.type, w.code,
                     *w.comment ? ": " : "", w.comment);
            return w.code == WIRE_NO_RESOURCE ? ERR_NOTFOUND : ERR_STATE;
        }
    }
    return i >= needed ? ERR_OK : ERR_SYNTAX;
}

/* OBS answered the cut: what it tells of it comes soon, or it was overtaken by another's. */
static void asked_answered(struct obs_screen *s, const char *scene)
{
    int64_t until = clock_mono_ms() + TOLD_MS;
    for (int i = 0; i < ASKED_MAX; i++)
        if (!strcmp(s->asked[i].scene, scene) && s->asked[i].until_ms > until)
            s->asked[i].until_ms = until;
}

static void on_batch(void *user, const struct reply *r)
{
    struct call *c = user;
    char words[320];
    asked_answered(c->s, design_scene(c->to));
    enum err err = batch_failure(r, c->needed, words);
    c->took_us = r->took_us;
    if (!err) /* the event that says so may come later than the answer */
        str_copy(c->s->status.scene, sizeof c->s->status.scene, design_scene(c->to));
    call_end(c, err, words);
}

/* ---- pieces of batches ---- */

static void add_settings(cJSON *b, const char *input, cJSON *settings)
{
    cJSON *d = session_pair("inputName", input);
    cJSON_AddItemToObject(d, "inputSettings", settings);
    session_batch_add(b, "SetInputSettings", d);
}

void screen_obs_text(cJSON *b, const char *input, const char *text)
{
    add_settings(b, input, session_pair("text", *text ? text : " "));
}

static void add_action(cJSON *b, const char *input, const char *action)
{
    cJSON *d = session_pair("inputName", input);
    cJSON_AddStringToObject(d, "mediaAction", action);
    session_batch_add(b, "TriggerMediaInputAction", d);
}

static void add_mute(cJSON *b, const char *input, bool muted)
{
    cJSON *d = session_pair("inputName", input);
    cJSON_AddBoolToObject(d, "inputMuted", muted);
    session_batch_add(b, "SetInputMute", d);
}

static void add_card(const struct obs_screen *s, cJSON *b, enum stage_scene in, int slot, bool on)
{
    cJSON *d = session_pair("sceneName", design_scene(in));
    cJSON_AddNumberToObject(d, "sceneItemId", (double)s->truth.cards[in == STAGE_GALLERY][slot]);
    cJSON_AddBoolToObject(d, "sceneItemEnabled", on);
    session_batch_add(b, "SetSceneItemEnabled", d);
}

/* Enables the card of `slot` and disables the other; -1 disables both. */
static void add_cards(struct obs_screen *s, cJSON *b, enum stage_scene in, int slot)
{
    s->prepared[in == STAGE_GALLERY] = slot;
    if (slot >= 0)
        add_card(s, b, in, slot, true);
    if (slot != 0)
        add_card(s, b, in, 0, false);
    if (slot != 1)
        add_card(s, b, in, 1, false);
}

static void add_cut(struct obs_screen *s, cJSON *b, enum stage_scene to)
{
    int64_t now = clock_mono_ms();
    struct asked *slot = &s->asked[0];
    for (int i = 0; i < ASKED_MAX; i++)
        if (s->asked[i].until_ms < slot->until_ms)
            slot = &s->asked[i];
    str_copy(slot->scene, sizeof slot->scene, design_scene(to));
    slot->until_ms = now + ASKED_MS;
    session_batch_add(b, "SetCurrentProgramScene", session_pair("sceneName", design_scene(to)));
}

static bool shows(const struct obs_screen *s, enum stage_scene scene)
{
    return !strcmp(s->status.scene, design_scene(scene));
}

/* ---- what the stage asks for ---- */

static void on_opened(void *user, const struct reply *r)
{
    struct call *c = user;
    c->took_us += r->took_us;
    call_end(c, r->err, r->text);
}

/* OBS opens the file when it draws its next frame; a starved one draws late. */
static void on_loaded(void *user, const struct reply *r)
{
    struct call *c = user;
    char words[320];
    enum err err = batch_failure(r, c->needed, words);
    c->took_us = r->took_us;
    if (err) {
        call_end(c, err, words);
        return;
    }
    cJSON *b = session_batch_new(), *d = cJSON_CreateObject();
    cJSON_AddNumberToObject(d, "sleepFrames", OPEN_FRAMES);
    session_batch_add(b, "Sleep", d);
    session_batch(c->s->session, b, WIRE_FRAME, REQUEST_MS, on_opened, c);
}

static void load(struct screen *base, enum stage_scene in, int slot, const struct screen_clip *clip,
                 screen_fn *fn, uint64_t tag)
{
    struct obs_screen *s = (struct obs_screen *)base;
    struct call *c = call_new(s, fn, tag);
    if (!c)
        return;
    cJSON *b = session_batch_new(), *file = session_pair("local_file", clip->path);
    cJSON_AddBoolToObject(file, "looping", clip->loop);
    add_settings(b, design_clip(slot), file);
    screen_obs_text(b, design_viewer(slot), clip->viewer);
    struct buf prompt = BUF_INIT(8192);
    caption_wrap(&prompt, clip->prompt, PROMPT_CELLS, PROMPT_LINES);
    screen_obs_text(b, design_prompt(slot), buf_str(&prompt));
    buf_free(&prompt);
    screen_obs_text(b, design_style(slot), clip->style);
    if (!shows(s, in))
        add_cards(s, b, in, slot);
    session_batch(s->session, b, WIRE_REALTIME, REQUEST_MS, on_loaded, c);
}

static void send_cut(struct obs_screen *s, struct call *c)
{
    cJSON *b = session_batch_new();
    enum stage_scene to = c->to;
    int slot = c->slot;
    bool cards = to == STAGE_RESULT || to == STAGE_GALLERY;
    bool same = shows(s, to);
    if (cards && (slot < 0 || s->prepared[to == STAGE_GALLERY] != slot))
        add_cards(s, b, to, slot);
    if (!same || !cards || s->studio)
        add_cut(s, b, to);
    if (cards && slot >= 0)
        add_action(b, design_clip(slot), RESTART);
    c->needed = cJSON_GetArraySize(b);
    session_batch(s->session, b, WIRE_REALTIME, REQUEST_MS, on_batch, c);
}

static void cut(struct screen *base, enum stage_scene to, int slot, screen_fn *fn, uint64_t tag)
{
    struct obs_screen *s = (struct obs_screen *)base;
    struct call *c = call_new(s, fn, tag);
    if (!c)
        return;
    c->to = to;
    c->slot = slot;
    if (s->panics == 0) {
        send_cut(s, c);
        return;
    }
    if (s->held) /* of a step that the stage has forgotten */
        call_end(s->held, ERR_STATE, "another cut came");
    s->held = c;
}

void screen_obs_unmute(struct obs_screen *s)
{
    cJSON *b = session_batch_new();
    add_mute(b, design_clip(0), false);
    add_mute(b, design_clip(1), false);
    add_mute(b, DESIGN_CHIME, false);
    session_batch(s->session, b, WIRE_REALTIME, REQUEST_MS, NULL, NULL);
}

static void on_panic(void *user, const struct reply *r)
{
    struct call *c = user;
    struct obs_screen *s = c->s;
    on_batch(c, r);
    if (--s->panics > 0 || s->freed)
        return;
    struct call *held = s->held;
    s->held = NULL;
    if (!s->panicked && s->up)
        screen_obs_unmute(s); /* the resume came before the answer */
    if (held && s->panicked)
        call_end(held, ERR_STATE, "panic");
    else if (held)
        send_cut(s, held);
}

void screen_obs_panic(struct obs_screen *s, screen_fn *fn, uint64_t tag)
{
    struct call *c = call_new(s, fn, tag);
    if (!c)
        return;
    c->to = STAGE_STANDBY;
    cJSON *b = session_batch_new();
    add_cut(s, b, STAGE_STANDBY);
    const char *const loud[] = {design_clip(0), design_clip(1), DESIGN_CHIME};
    for (int i = 0; i < 3; i++)
        add_mute(b, loud[i], true);
    for (int i = 0; i < 3; i++)
        add_action(b, loud[i], STOP);
    s->panics++;
    session_batch(s->session, b, WIRE_REALTIME, REQUEST_MS, on_panic, c);
}

static void panic(struct screen *base, screen_fn *fn, uint64_t tag)
{
    struct obs_screen *s = (struct obs_screen *)base;
    s->panicked = true;
    s->panic_again_ms = clock_mono_ms() + PANIC_AGAIN_MS;
    screen_obs_panic(s, fn, tag);
}

static void resume(struct screen *base)
{
    struct obs_screen *s = (struct obs_screen *)base;
    s->panicked = false;
    s->panic_again_ms = 0;
    if (s->up && s->panics == 0)
        screen_obs_unmute(s);
}

/* Where the program is counts first: a player also ends when somebody cuts away from it, and this
 * may be known before the event that tells of the cut. */
static void on_play(void *user, const struct reply *r)
{
    struct call *c = user;
    struct wire media, program;
    bool know = !r->err && wire_result(&media, cJSON_GetArrayItem(r->data, 0)) &&
                wire_result(&program, cJSON_GetArrayItem(r->data, 1));
    if (know && c->s->up) {
        const char *scene = json_str(program.data, "currentProgramSceneName", "");
        if (*scene && strcmp(scene, c->s->status.scene))
            news_program(c->s, scene, false);
        const char *state = json_str(media.data, "mediaState", ""); /* "" : no such player */
        enum screen_play play = SCREEN_OVER;
        if (!strcmp(state, "OBS_MEDIA_STATE_PLAYING"))
            play = SCREEN_PLAYING;
        else if (!strcmp(state, "OBS_MEDIA_STATE_OPENING") ||
                 !strcmp(state, "OBS_MEDIA_STATE_BUFFERING"))
            play = SCREEN_OPENING;
        else if (!strcmp(state, "OBS_MEDIA_STATE_PAUSED"))
            play = SCREEN_PAUSED;
        c->play(c->s->base.user, c->tag, play, json_int(media.data, "mediaCursor", -1));
    }
    free(c);
}

static void play(struct screen *base, int slot, screen_play_fn *fn, uint64_t tag)
{
    struct obs_screen *s = (struct obs_screen *)base;
    struct call *c = call_new(s, NULL, tag);
    if (!c)
        return;
    c->play = fn;
    cJSON *b = session_batch_new();
    session_batch_add(b, "GetMediaInputStatus", session_pair("inputName", design_clip(slot)));
    session_batch_add(b, "GetCurrentProgramScene", NULL);
    session_batch(s->session, b, WIRE_REALTIME, REQUEST_MS, on_play, c);
}

static void pause(struct screen *base, int slot)
{
    struct obs_screen *s = (struct obs_screen *)base;
    cJSON *d = session_pair("inputName", design_clip(slot));
    cJSON_AddStringToObject(d, "mediaAction", PAUSE);
    session_request(s->session, "TriggerMediaInputAction", d, REQUEST_MS, NULL, NULL);
}

static void text(struct screen *base, const char *progress, const char *queue)
{
    struct obs_screen *s = (struct obs_screen *)base;
    if (!s->up)
        return;
    cJSON *b = session_batch_new();
    screen_obs_text(b, DESIGN_PROGRESS, progress);
    screen_obs_text(b, DESIGN_QUEUE, queue);
    session_batch(s->session, b, WIRE_REALTIME, REQUEST_MS, NULL, NULL);
}

void screen_obs_chime(struct obs_screen *s, const char *path)
{
    cJSON *d = session_pair("inputName", DESIGN_CHIME), *set = session_pair("local_file", path);
    cJSON_AddItemToObject(d, "inputSettings", set);
    session_request(s->session, "SetInputSettings", d, REQUEST_MS, NULL, NULL);
}

static void chime(struct screen *base)
{
    struct obs_screen *s = (struct obs_screen *)base;
    if (s->up && *s->chime && !s->panicked)
        screen_obs_chime(s, s->chime);
}

static void on_picture(void *user, const struct reply *r)
{
    struct obs_screen *s = user;
    static uint8_t rgb[160 * 90 * 3]; /* loop thread only, used up within this call */
    int w, h;
    s->looking = false;
    if (r->err)
        return;
    const char *data = json_str(r->data, "imageData", "");
    if (monitor_ppm(data, rgb, sizeof rgb, &w, &h))
        s->base.ops->on_picture(s->base.user, w, h, rgb);
}

static void look(struct screen *base)
{
    struct obs_screen *s = (struct obs_screen *)base;
    if (s->looking || !s->up || !*s->status.scene || !session_pictures(s->session, "ppm"))
        return;
    s->looking = true;
    int w = 160, h = s->truth.width > 0 ? 160 * s->truth.height / s->truth.width : 90;
    if (h > 90) {
        w = 90 * s->truth.width / s->truth.height;
        h = 90;
    }
    cJSON *d = session_pair("sourceName", s->status.scene);
    cJSON_AddStringToObject(d, "imageFormat", "ppm");
    cJSON_AddNumberToObject(d, "imageWidth", w < 8 ? 8 : w);
    cJSON_AddNumberToObject(d, "imageHeight", h < 8 ? 8 : h);
    session_request(s->session, "GetSourceScreenshot", d, REQUEST_MS, on_picture, s);
}

static void retry(struct screen *base, const char *password)
{
    struct obs_screen *s = (struct obs_screen *)base;
    s->status.gave_up = false;
    session_retry(s->session, password);
}

static void status(const struct screen *base, struct obs_status *out)
{
    const struct obs_screen *s = (const struct obs_screen *)base;
    *out = s->status;
    out->heard_ms = session_heard_ms(s->session);
}

static void free_screen(struct screen *base)
{
    struct obs_screen *s = (struct obs_screen *)base;
    s->freed = true;
    setup_cancel(s->setup);
    session_free(s->session);
    free(s->held);
    timer_free(s->check);
    free(s);
}

struct screen *screen_obs_new(struct loop *l, const struct screen_settings *set,
                              const struct screen_ops *ops, void *user, struct fault *f)
{
    static const struct screen_kind kind = {load, cut,   panic, resume, play,   pause,
                                            text, chime, look,  retry,  status, free_screen};
    struct obs_screen *s = calloc(1, sizeof *s);
    if (!s) {
        fault_set(f, ERR_NOMEM, "no memory for the stage");
        return NULL;
    }
    s->base = (struct screen){&kind, ops, user};
    str_copy(s->label, sizeof s->label, set->label ? set->label : "");
    str_copy(s->chime, sizeof s->chime, set->chime ? set->chime : "");
    s->status = (struct obs_status){.configured = true, .latency_ms = -1};
    str_copy(s->status.why, sizeof s->status.why, "not connected yet");
    s->check = timer_new(l, "obs check", news_check, s);
    s->session = session_new(l, set->url, set->password, &news_ops, s, f);
    if (!s->session || !s->check) {
        free_screen(&s->base);
        return NULL;
    }
    return &s->base;
}

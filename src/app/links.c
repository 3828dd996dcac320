/* The desk's arms: what it decides reaches the engine and the stage here, and their news reach it.
 */
#include "app/house.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIP_FPS 16

/* ---- desk to engine ---- */

/* The prompt where the style's template says {prompt}. The prompt itself is never searched. */
static void fill_template(char *out, size_t size, const struct style *style, const char *prompt)
{
    static const char mark[] = "{prompt}";
    const char *at = strstr(style->template_, mark);
    if (at)
        snprintf(out, size, "%.*s%s%s", (int)(at - style->template_), style->template_, prompt,
                 at + sizeof mark - 1);
    else
        snprintf(out, size, "%s", prompt);
    err_whole_text(out);
}

/* What only a model takes; the animatic sets the prompt itself. */
static void fill_sampling(const struct house *h, struct engine_job *job, const struct prompt *p,
                          const struct style *style)
{
    const struct config *c = &h->config;
    fill_template(job->prompt, sizeof job->prompt, style, p->text);
    job->steps = style->steps ? style->steps : c->engine_steps;
    job->guidance = c->engine_guidance;
    job->shift = c->engine_shift;
    job->teacache = c->engine_teacache;
    job->tiny = !strcmp(c->engine_decoder, "tiny");
    job->tile = c->engine_tile;
    str_copy(job->sampler, sizeof job->sampler, c->engine_sampler);
    if (style->lora[0] && style->lora_weight != 0) {
        struct job_lora *l = &job->lora[job->lora_n++];
        str_copy(l->name, sizeof l->name, style->lora);
        l->weight = style->lora_weight;
    }
}

static void draw(void *user, const struct prompt *p, const struct style *style)
{
    struct house *h = user;
    struct fault f = {0};
    struct engine_job *job = calloc(1, sizeof *job);
    if (!job) {
        desk_draw_failed(h->desk, p->id, "out of memory");
        return;
    }
    job->id = p->id;
    job->attempt = p->draws;
    str_copy(job->prompt, sizeof job->prompt, p->text);
    str_copy(job->viewer, sizeof job->viewer, p->viewer.name);
    if (strcmp(style->name, "default"))
        str_copy(job->style, sizeof job->style, style->name);
    str_copy(job->negative, sizeof job->negative, style->negative);
    str_copy(job->label, sizeof job->label, h->config.show.label);
    for (int i = 0; i < style->colours && i < 8; i++)
        job->palette[job->palette_n++] = style->palette[i];
    job->seed = p->seed;
    job->width = style->width ? style->width : h->config.engine_width;
    job->height = style->height ? style->height : h->config.engine_height;
    job->frames = h->config.engine_frames;
    job->fps = CLIP_FPS;
    job->steps = style->steps;
    if (!strcmp(h->config.engine_kind, "wan"))
        fill_sampling(h, job, p, style);
    if (path_join(job->path, sizeof job->path, h->paths.vault, p->clip))
        fault_set(&f, ERR_LIMIT, "the path of the vault is too long");
    else
        engine_submit(h->engine, job, &f);
    free(job);
    if (f.code)
        desk_draw_failed(h->desk, p->id, fault_text(&f));
}

static void stop_drawing(void *user, int64_t id)
{
    struct house *h = user;
    engine_cancel(h->engine, id);
}

static bool engine_free_now(void *user)
{
    struct house *h = user;
    return h->engine && engine_status(h->engine)->state == ENGINE_IDLE && !h->quitting;
}

/* ---- engine to desk ---- */

static void on_state(void *user, const struct engine_status *s)
{
    struct house *h = user;
    bool moved = h->show.engine.state != s->state;
    h->show.engine = *s;
    show_changed(&h->show, EVENT_ENGINE, 0, clock_mono_ms());
    if (moved)
        desk_drive(h->desk);
}

static void on_progress(void *user, int64_t id, const char *stage, double fraction, double overall,
                        int64_t eta_ms)
{
    struct house *h = user;
    struct engine_status *e = &h->show.engine;
    char text[160];
    (void)fraction;
    e->job = id;
    e->progress = overall;
    e->eta_ms = eta_ms;
    str_copy(e->stage, sizeof e->stage, stage);
    show_changed(&h->show, EVENT_ENGINE, 0, clock_mono_ms());
    size_t n = (size_t)snprintf(text, sizeof text, "#%lld  ", (long long)id);
    for (int i = 0; i < 16; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, i < overall * 16 ? "█" : "░");
    snprintf(text + n, sizeof text - n, "  %d %%", (int)(overall * 100));
    stage_set_generating(h->stage, true, text);
}

static void on_picture(void *user, const struct picture_head *head, const uint8_t *rgb)
{
    struct house *h = user;
    struct picture *to = head->kind == PICTURE_PREVIEW ? &h->show.preview : &h->show.review;
    if (head->kind == PICTURE_REVIEW && head->id != h->reviewing)
        return; /* of the clip before */
    picture_set(to, head->w, head->h, rgb, head->id);
    show_changed(&h->show, EVENT_PICTURE, 0, clock_mono_ms());
}

static void on_done(void *user, int64_t id, const struct engine_clip *clip)
{
    struct house *h = user;
    char words[256] = "";
    struct desk_clip d = {.sha256 = clip->sha256,
                          .duration_ms = clip->duration_ms,
                          .drawn_ms = clock_mono_ms() - h->drawing_total_ms,
                          .check_failed = !clip->passed,
                          .check = words};
    size_t n = 0;
    for (int i = 0; i < clip->verdicts_n && n < sizeof words; i++)
        if (!clip->verdicts[i].ok)
            n += (size_t)snprintf(words + n, sizeof words - n, "%s%s: %s", n ? "; " : "",
                                  clip->verdicts[i].name, clip->verdicts[i].words);
    if (d.check_failed && !words[0])
        strcpy(words, "nobody checked the clip");
    words[sizeof words - 1] = '\0';
    stage_set_generating(h->stage, false, "");
    stage_chime(h->stage);
    desk_drawn(h->desk, id, &d);
}

static void on_failed(void *user, int64_t id, const struct fault *f)
{
    struct house *h = user;
    stage_set_generating(h->stage, false, "");
    desk_draw_failed(h->desk, id, fault_text(f));
}

static void on_cancelled(void *user, int64_t id)
{
    struct house *h = user;
    stage_set_generating(h->stage, false, "");
    desk_draw_cancelled(h->desk, id);
}

static void on_died(void *user, int64_t id, const char *words)
{
    struct house *h = user;
    stage_set_generating(h->stage, false, "");
    desk_worker_died(h->desk, id, words);
}

static void on_ack(void *user, int64_t id)
{
    struct house *h = user;
    h->drawing_total_ms = clock_mono_ms();
    h->show.engine = *engine_status(h->engine);
    picture_clear(&h->show.preview);
    show_changed(&h->show, EVENT_ENGINE, 0, clock_mono_ms());
    log_debug("engine", "#%lld acknowledged", (long long)id);
}

static void on_trouble(void *user, int64_t id, const char *path, const struct fault *f)
{
    struct house *h = user;
    (void)path;
    log_warn("engine", "the clip of #%lld cannot be played: %s", (long long)id, fault_text(f));
    if (id == h->reviewing)
        picture_clear(&h->show.review);
}

static const struct engine_ops engine_ops = {.on_state = on_state,
                                             .on_ack = on_ack,
                                             .on_progress = on_progress,
                                             .on_picture = on_picture,
                                             .on_done = on_done,
                                             .on_failed = on_failed,
                                             .on_cancelled = on_cancelled,
                                             .on_died = on_died,
                                             .on_trouble = on_trouble};

void links_review(struct house *h, int64_t id, int w, int h_px)
{
    char path[PATH_LEN];
    const struct prompt *p = id ? show_find(&h->show, id) : NULL;
    if (id == h->reviewing && w == h->review_w && h_px == h->review_h)
        return;
    h->reviewing = p ? id : 0;
    h->review_w = w;
    h->review_h = h_px;
    picture_clear(&h->show.review);
    if (!p) {
        engine_stop_play(h->engine);
        return;
    }
    desk_clip_path(h->desk, p, path);
    engine_play(h->engine, path, id, w, h_px);
}

/* ---- desk to stage ---- */

static void fill_clip(struct house *h, const struct prompt *p, struct stage_clip *c)
{
    *c = (struct stage_clip){.id = p->id, .duration_ms = p->clip_ms};
    desk_air_path(h->desk, p, c->path);
    str_copy(c->viewer, sizeof c->viewer, p->viewer.name);
    str_copy(c->prompt, sizeof c->prompt, p->text);
    if (strcmp(p->style, "default"))
        str_copy(c->style, sizeof c->style, p->style);
}

/* A clip that the operator cleared may take the program back from a scene of his own. */
static bool by_operator(const struct house *h)
{
    return h->show.set.clip_gate == GATE_OPERATOR;
}

static bool stage_free_now(void *user)
{
    struct house *h = user;
    return h->stage && stage_ready(h->stage, by_operator(h)) && !h->quitting;
}

static void air(void *user, const struct prompt *p)
{
    struct house *h = user;
    struct stage_clip c;
    struct fault f = {0};
    fill_clip(h, p, &c);
    enum err e = stage_air(h->stage, &c, by_operator(h), &f);
    if (e) {
        log_warn("stage", "#%lld is not aired: %s", (long long)p->id, fault_text(&f));
        desk_off_air(h->desk, p->id, false, fault_text(&f));
    }
}

static bool withdraw(void *user, int64_t id)
{
    struct house *h = user;
    return stage_withdraw(h->stage, id);
}

static void cut_short(void *user, int64_t id)
{
    struct house *h = user;
    stage_cut_short(h->stage, id);
}

static void panicked(void *user, enum err e, const char *why, int64_t took_us)
{
    (void)user;
    if (e)
        log_error("stage", "panic: OBS did not answer: %s", why);
    else
        log_info("stage", "panic: OBS answered after %lld ms", (long long)(took_us / 1000));
}

static void panic(void *user)
{
    struct house *h = user;
    if (h->stage)
        stage_panic(h->stage, panicked, h);
}

static void resume(void *user)
{
    struct house *h = user;
    stage_resume(h->stage);
}

/* ---- stage to desk ---- */

static void on_air(void *user, int64_t id)
{
    struct house *h = user;
    desk_on_air(h->desk, id);
}

static void on_ended(void *user, int64_t id, enum stage_end how, const char *words)
{
    struct house *h = user;
    char why[200];
    snprintf(why, sizeof why, "%s%s%s", how == STAGE_END_PLAYED ? "" : stage_end_name(how),
             words[0] && how != STAGE_END_PLAYED ? ": " : "", how == STAGE_END_PLAYED ? "" : words);
    desk_off_air(h->desk, id, how != STAGE_END_REFUSED, why);
}

static bool gallery_next(void *user, struct stage_clip *out)
{
    struct house *h = user;
    const struct prompt *p =
        show_gallery_after(&h->show, h->gallery_at ? h->gallery_at : INT64_MAX);
    if (!p)
        return false;
    h->gallery_at = p->id;
    fill_clip(h, p, out);
    return true;
}

/* What OBS skips while we draw is our doing. */
static void give_way(struct house *h)
{
    const struct obs_status *o = &h->show.obs;
    if (h->engine)
        engine_throttle(h->engine, governor_hear(&h->governor, clock_mono_ms(),
                                                 o->connected ? o->skipped_frames : -1,
                                                 engine_status(h->engine)->state == ENGINE_DRAWING,
                                                 h->config.engine_give_way));
}

static void on_status(void *user)
{
    struct house *h = user;
    bool was = h->show.obs.connected;
    stage_status(h->stage, &h->show.obs);
    str_printable(h->show.obs.scene); /* a stranger may have named it */
    show_changed(&h->show, EVENT_OBS, 0, clock_mono_ms());
    give_way(h);
    if (h->desk && h->show.obs.connected != was)
        desk_drive(h->desk);
}

static void on_program(void *user, int w, int h_px, const uint8_t *rgb)
{
    struct house *h = user;
    picture_set(&h->show.program, w, h_px, rgb, 0);
    show_changed(&h->show, EVENT_PICTURE, 0, clock_mono_ms());
}

static const struct stage_ops stage_ops = {.on_air = on_air,
                                           .on_ended = on_ended,
                                           .gallery_next = gallery_next,
                                           .on_status = on_status,
                                           .on_picture = on_program};

/* ---- the rest ---- */

static void work(void *user, void (*fn)(void *), void (*done)(void *), void *arg)
{
    struct house *h = user;
    if (!loop_work(h->loop, fn, done, arg)) {
        fn(arg);
        done(arg);
    }
}

static void quit(void *user)
{
    house_quit(user);
}

const struct desk_ops links_desk_ops = {.draw = draw,
                                        .stop_drawing = stop_drawing,
                                        .engine_free = engine_free_now,
                                        .stage_free = stage_free_now,
                                        .air = air,
                                        .withdraw = withdraw,
                                        .cut_short = cut_short,
                                        .panic = panic,
                                        .resume = resume,
                                        .work = work,
                                        .quit = quit};

/* The stage's texts and its gallery follow the show. */
static void on_event(void *user, const struct event *e)
{
    struct house *h = user;
    char text[120];
    if (!h->stage || e->kind != EVENT_PROMPT)
        return;
    snprintf(text, sizeof text, "%d waiting",
             h->show.count[PROMPT_APPROVED] + h->show.count[PROMPT_HELD]);
    stage_set_queue_text(h->stage, text);
    if (e->to == PROMPT_AIRED)
        stage_gallery_changed(h->stage);
}

static void on_edited(void *user, const struct event *e)
{
    struct house *h = user;
    on_event(user, e);
    if (h->stage && e->kind == EVENT_EDITED && e->prompt->hidden && e->to == PROMPT_AIRED) {
        stage_gallery_withdraw(h->stage, e->prompt->id);
        stage_gallery_changed(h->stage);
    }
}

/* `obs reconnect`: after a wrong password or a kick. The secrets are read again. */
static void obs_command(struct commands *cs, const struct origin *o, const struct command_call *c,
                        struct answer a)
{
    struct house *h = command_user(cs);
    struct fault f = {0};
    (void)o;
    if (strcmp(c->word, "reconnect")) {
        a.fn(a.user, ERR_USAGE, 0, "usage: obs reconnect");
        return;
    }
    h->config.secret_count = 0;
    if (config_load_secrets(&h->config, &h->paths, &f)) {
        a.fn(a.user, f.code, 0, fault_text(&f));
        return;
    }
    stage_retry(h->stage, config_secret(&h->config, "obs.password"));
    a.fn(a.user, ERR_OK, 0, "connecting to OBS");
}

static enum err start_stage(struct house *h, struct fault *f)
{
    struct stage_map maps[CONFIG_MAPS_MAX];
    char chime[PATH_LEN];
    const struct config *c = &h->config;
    for (int i = 0; i < c->map_count; i++)
        maps[i] = (struct stage_map){c->maps[i].from, c->maps[i].to};
    path_join(chime, sizeof chime, h->paths.assets, "chime.wav");
    struct stage_settings set = {.url = c->obs_url[0] ? c->obs_url : NULL,
                                 .password = config_secret(c, "obs.password"),
                                 .label = c->show.label,
                                 .air = h->paths.air,
                                 .chime = chime,
                                 .maps = maps,
                                 .map_count = c->map_count,
                                 .result_dwell_ms = (int64_t)(c->result_dwell_s * 1000),
                                 .gallery_dwell_ms = (int64_t)(c->gallery_dwell_s * 1000)};
    h->stage = stage_new(h->loop, &set, &stage_ops, h, f);
    if (!h->stage)
        return f->code;
    if (h->show.panic)
        stage_panic(h->stage, NULL, NULL);
    stage_status(h->stage, &h->show.obs);
    return ERR_OK;
}

enum err links_start(struct house *h, struct fault *f)
{
    struct engine_config e = {.kind = h->config.engine_kind,
                              .worker = h->paths.worker,
                              .vault = h->paths.vault,
                              .model = h->config.engine_model,
                              .device = h->config.engine_device,
                              .dtype = h->config.engine_dtype,
                              .encoder = h->config.engine_encoder,
                              .threads = h->config.engine_threads};
    enum err err = start_stage(h, f);
    if (err)
        return err;
    h->engine = engine_new(h->loop, &e, &engine_ops, h, f);
    if (!h->engine)
        return f->code;
    const struct command rows[] = {{"obs", "WORD", "", ROLE_OPERATOR, FROM_KEY | FROM_CTL,
                                    "obs reconnect: connect to OBS again", obs_command, h}};
    command_add(h->commands, rows, 1);
    h->links = event_subscribe(&h->show.events, "links", on_edited, h);
    engine_start(h->engine);
    return ERR_OK;
}

void links_stop(struct house *h)
{
    event_unsubscribe(&h->show.events, h->links);
    engine_free(h->engine);
    h->engine = NULL;
    stage_free(h->stage);
    h->stage = NULL;
    stage_shutdown(h->loop);
}

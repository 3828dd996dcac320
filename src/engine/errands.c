/* Errands to the media worker: playback, stills, checks.
 *
 * They are kept until answered: when the worker dies, what it was at (the oldest errand sent, and
 * the clip it played) is given up as trouble, since it may be what killed it, and the rest are sent
 * again to the next one. */
#include "engine/engine_inside.h"

#include "base/log.h"

#include <string.h>

static void send_errand(struct engine *e, struct errand *a)
{
    struct order *o = &e->order;
    o->kind = a->kind;
    o->id = a->id;
    o->w = a->w;
    o->h = a->h;
    o->frames = a->frames;
    o->fps = a->fps;
    memcpy(o->path, a->path, sizeof o->path);
    a->sent = peer_send(e->media, o);
}

static void send_waiting(struct engine *e)
{
    if (e->play.kind == ORDER_PLAY && !e->play.sent)
        send_errand(e, &e->play);
    for (int i = 0; i < e->errands_n; i++)
        if (!e->errands[i].sent)
            send_errand(e, &e->errands[i]);
}

static void forget_errand(struct engine *e, int i)
{
    e->errands_n--;
    memmove(e->errands + i, e->errands + i + 1, (size_t)(e->errands_n - i) * sizeof *e->errands);
}

/* The oldest errand sent of that kind and id; -1 none. `path` NULL: any. */
static int find_errand(const struct engine *e, enum order_kind kind, int64_t id, const char *path)
{
    for (int i = 0; i < e->errands_n; i++) {
        const struct errand *a = &e->errands[i];
        if (a->sent && a->kind == kind && a->id == id && (!path || !strcmp(a->path, path)))
            return i;
    }
    return -1;
}

static void media_up(void *user, const struct report *hello)
{
    (void)hello;
    send_waiting(user);
}

static void media_checked(struct engine *e, const struct report *r)
{
    struct engine_clip clip;
    int i = find_errand(e, ORDER_CHECK, r->id, r->path);
    if (i < 0)
        return;
    forget_errand(e, i);
    engine_clip_of(r, &clip);
    TELL(e, on_checked, r->id, &clip);
}

static void media_trouble(struct engine *e, const struct report *r)
{
    struct fault f = {.code = r->code};
    str_copy(f.text, sizeof f.text, r->text);
    int i = find_errand(e, ORDER_CHECK, r->id, r->path);
    if (i < 0)
        i = find_errand(e, ORDER_PICTURE, r->id, r->path);
    if (e->play.kind == ORDER_PLAY && e->play.id == r->id && !strcmp(e->play.path, r->path))
        e->play.kind = ORDER_STOP;
    else if (i >= 0)
        forget_errand(e, i);
    else
        return;
    TELL(e, on_trouble, r->id, r->path, &f);
}

static void media_report(void *user, const struct report *r)
{
    struct engine *e = user;
    if (r->kind == REPORT_CHECKED)
        media_checked(e, r);
    else if (r->kind == REPORT_TROUBLE)
        media_trouble(e, r);
}

static void media_picture(void *user, const struct picture_head *h, const uint8_t *rgb)
{
    struct engine *e = user;
    if (h->kind == PICTURE_STILL) {
        int i = find_errand(e, ORDER_PICTURE, h->id, NULL);
        if (i < 0)
            return;
        forget_errand(e, i);
        peer_praise(e->media);
        TELL(e, on_picture, h, rgb);
    } else if (h->kind == PICTURE_REVIEW && e->play.kind == ORDER_PLAY && h->id == e->play.id) {
        peer_praise(e->media);
        TELL(e, on_picture, h, rgb);
    }
}

static void media_down(void *user, bool was_up, const char *words)
{
    struct engine *e = user;
    struct fault f;
    struct errand suspect[2];
    int n = 0;
    (void)was_up;
    log_error("engine", "media: %s", words);
    if (e->play.kind == ORDER_PLAY && e->play.sent) {
        suspect[n++] = e->play;
        e->play.kind = ORDER_STOP;
    }
    if (e->errands_n && e->errands[0].sent) {
        suspect[n++] = e->errands[0];
        forget_errand(e, 0);
    }
    for (int i = 0; i < e->errands_n; i++)
        e->errands[i].sent = false;
    fault_set(&f, ERR_CORRUPT, "%s while it read the file", words);
    const struct engine_ops *ops = e->ops;
    for (int i = 0; i < n && ops->on_trouble; i++)
        ops->on_trouble(e->user, suspect[i].id, suspect[i].path, &f);
}

void engine_play(struct engine *e, const char *path, int64_t id, int w, int h)
{
    e->play = (struct errand){.kind = ORDER_PLAY, .id = id, .w = w, .h = h};
    str_copy(e->play.path, sizeof e->play.path, path);
    send_waiting(e);
}

void engine_stop_play(struct engine *e)
{
    if (e->play.kind != ORDER_PLAY)
        return;
    e->play.kind = ORDER_STOP;
    send_errand(e, &e->play);
}

static enum err add_errand(struct engine *e, const struct errand *a, const char *path)
{
    if (e->errands_n == ENGINE_ERRANDS_MAX)
        return ERR_FULL;
    struct errand *to = &e->errands[e->errands_n++];
    *to = *a;
    str_copy(to->path, sizeof to->path, path);
    send_waiting(e);
    return ERR_OK;
}

enum err engine_picture(struct engine *e, const char *path, int64_t id, int w, int h)
{
    return add_errand(e, &(struct errand){.kind = ORDER_PICTURE, .id = id, .w = w, .h = h}, path);
}

enum err engine_check(struct engine *e, const char *path, int64_t id, int frames, int fps)
{
    return add_errand(
        e, &(struct errand){.kind = ORDER_CHECK, .id = id, .frames = frames, .fps = fps}, path);
}

const struct peer_ops engine_errand_ops = {media_up, media_report, media_picture, media_down};

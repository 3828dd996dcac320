/* obs/stage: what the audience sees. Scenes standby, generating, result and gallery by one declared
 * table (table.h), shown on a real OBS or on nobody (screen.h).
 *
 * Loop thread only. The caller owns the queue: it asks for one clip at a time with stage_air() and
 * hears of it through ops. Nothing here waits for a disk or for the network. Callbacks come from
 * the loop, never from inside a call, unless its comment says so.
 *
 * The airlock: only plain files directly inside the air folder go on, in result and in the gallery.
 * Clips are at most STAGE_CLIP_MS_MAX long. */
#ifndef SAKUGA_OBS_STAGE_H
#define SAKUGA_OBS_STAGE_H

#include "base/path.h"
#include "loop/loop.h"
#include "show/status.h"

#define STAGE_CLIP_MS_MAX 600000

struct stage;

struct stage_map {
    const char *from, *to; /* a folder here; the same folder as OBS sees it */
};

/* Borrowed for the length of stage_new(). */
struct stage_settings {
    const char *url;      /* NULL: shows to nobody, in real time */
    const char *password; /* may be NULL */
    const char *label;    /* the AI label on every clip */
    const char *air;      /* folder; must exist */
    const char *chime;    /* sound file as OBS sees it, or NULL */
    const struct stage_map *maps;
    int map_count;
    int64_t result_dwell_ms;  /* the last picture stays this long, at least 250 ms */
    int64_t gallery_dwell_ms; /* each clip of the gallery; 0 means 8 s */
};

struct stage_clip {
    int64_t id;
    char path[PATH_LEN];
    char viewer[128], prompt[1024], style[64]; /* clean UTF-8 */
    int64_t duration_ms;
};

/* How an airing ended. */
enum stage_end {
    STAGE_END_PLAYED,   /* to its end */
    STAGE_END_WATCHDOG, /* its time was over and no end had been heard of */
    STAGE_END_FAULT,    /* black, frozen or broken off: the stage fell to the gallery */
    STAGE_END_REFUSED, /* it was never in the program: OBS could not show it, or something (a panic,
                          a lost connection, the end of the show) came before the cut */
    STAGE_END_LOST,    /* the connection went; OBS may or may not have shown it */
    STAGE_END_PANIC,
    STAGE_END_OVERRIDE, /* somebody cut to another scene */
    STAGE_END_QUIT      /* stage_close() */
};
const char *stage_end_name(enum stage_end e);

struct stage_ops {
    void (*on_air)(void *user, int64_t id); /* it is in the program */
    /* Once for every stage_air() that returned ERR_OK, unless stage_withdraw() returned true. May
     * be called from inside stage_panic() and stage_close(). */
    void (*on_ended)(void *user, int64_t id, enum stage_end how, const char *words);
    /* Fills the next clip of the rotation; false: the gallery is empty. */
    bool (*gallery_next)(void *user, struct stage_clip *out);
    void (*on_status)(void *user);                                    /* stage_status() has news */
    void (*on_picture)(void *user, int w, int h, const uint8_t *rgb); /* of the program; borrowed */
};

struct stage *stage_new(struct loop *l, const struct stage_settings *set,
                        const struct stage_ops *ops, void *user, struct fault *f);
void stage_free(struct stage *s); /* NULL is fine */
/* Ends the websocket library's part of the loop; after stage_free(), before loop_free(). */
void stage_shutdown(struct loop *l);

/* Would stage_air() be taken now? */
bool stage_ready(const struct stage *s, bool by_operator);
/* Asks to air a cleared clip. Errors, at once and with nothing begun: ERR_DENIED or ERR_NOTFOUND
 * (the airlock), ERR_BUSY (one airs already), ERR_CLOSED (no OBS now), ERR_STATE (panic or
 * closing). While the operator holds a scene of his own in OBS, `by_operator` cuts back; otherwise
 * ERR_STATE. */
enum err stage_air(struct stage *s, const struct stage_clip *clip, bool by_operator,
                   struct fault *f);
/* Before the cut: stops it and returns true; on_ended will not come. */
bool stage_withdraw(struct stage *s, int64_t id);

/* The engine draws (or not); `text`: progress in words. Sent to OBS at most twice a second. */
void stage_set_generating(struct stage *s, bool on, const char *text);
void stage_set_queue_text(struct stage *s, const char *text);
/* Clips were added to or taken from the gallery. */
void stage_gallery_changed(struct stage *s);
/* A clip of the gallery was taken back: if it is seen now, the next one comes. */
void stage_gallery_withdraw(struct stage *s, int64_t id);
/* The same for the clip that is on air: it ends now (STAGE_END_FAULT), towards the gallery. */
void stage_cut_short(struct stage *s, int64_t id);
void stage_chime(struct stage *s);

/* Standby first, then mute, then stop, in one realtime batch. Waits for nothing and is remembered
 * until stage_resume(); without a connection it is the first act after the next one. `done` (may be
 * NULL): OBS answered, with the time it took, or why it could not. */
typedef void stage_done_fn(void *user, enum err err, const char *why, int64_t took_us);
void stage_panic(struct stage *s, stage_done_fn *done, void *user);
/* Leaves panic. Also unmutes what a panic of an earlier run may have muted. */
void stage_resume(struct stage *s);

/* Goes to the gallery and stays; `done` comes within a second, then stage_free(). */
void stage_close(struct stage *s, stage_done_fn *done, void *user);
/* After giving up (password, kicked): connects again. `password` NULL keeps the old one. */
void stage_retry(struct stage *s, const char *password);

void stage_status(const struct stage *s, struct obs_status *out);
bool stage_panicked(const struct stage *s);
/* The id on air or being put there; 0 none. */
int64_t stage_airing(const struct stage *s);

#endif

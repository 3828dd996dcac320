/* app/house: one running show: every room made, wired, and ended in order.
 *
 * Loop thread only. house_new() takes the folder's lock, opens the store, recovers, and starts
 * engine, stage, chat and scripts; the mode (console or headless) adds its view and runs the loop.
 * The wiring is in links.c (desk to engine and stage), intake.c (chat lines to commands) and
 * voice.c (news to chat). */
#ifndef SAKUGA_APP_HOUSE_H
#define SAKUGA_APP_HOUSE_H

#include "app/config.h"
#include "base/path.h"
#include "chat/chat.h"
#include "command/command.h"
#include "ctl/server.h"
#include "desk/desk.h"
#include "engine/engine.h"
#include "loop/loop.h"
#include "obs/stage.h"
#include "script/script.h"
#include "show/governor.h"
#include "show/show.h"
#include "store/store.h"

struct house {
    struct paths paths;
    struct config config;
    struct show show;
    struct loop *loop;
    struct store *store;
    struct wake *store_wake;
    struct desk *desk;
    struct commands *commands;
    struct ctl *ctl;
    struct engine *engine;
    struct governor governor; /* what the engine leaves to OBS */
    struct stage *stage;
    struct chat *chat;
    struct script *script;  /* NULL: no scripts (--safe) */
    struct timer *tick;     /* once a second */
    struct timer *patience; /* bounds the way out */
    struct subscriber *links, *voice;
    int lock;
    bool quitting;
    bool safe;                /* load no scripts */
    int64_t drawing_total_ms; /* since when the running job is drawn, mono */
    int64_t gallery_at;       /* where the gallery's rotation stands */
    int64_t reviewing;        /* prompt whose clip plays in the review pane; 0 none */
    int review_w, review_h;   /* pixels that the review pane asks for */
};

enum err house_new(struct house *h, const char *config, const char *data, bool safe,
                   struct fault *f);
/* Ends everything in order: stage to the gallery, engine, chat, store. Bounded: within 2 s. */
void house_free(struct house *h);
/* Begins the way out; the loop stops when the stage has gone to the gallery. */
void house_quit(struct house *h);

/* links.c */
extern const struct desk_ops links_desk_ops;
enum err links_start(struct house *h, struct fault *f);
void links_stop(struct house *h);
/* Plays the clip of a prompt in the review pane; 0 stops. */
void links_review(struct house *h, int64_t id, int w, int h_px);

/* scripts.c: the Lua scripts that the config names. `values` are theirs from here on. */
enum err scripts_start(struct house *h, struct values *values, struct fault *f);

/* intake.c: one line of chat, or as if from chat. The answer comes once: what was replied. */
enum err intake_start(struct house *h, struct fault *f);
void intake_line(struct house *h, const struct chat_line *line, struct answer a);
/* Source i of the config as chat/ wants it; its strings are the config's. */
struct chat_settings intake_source(const struct config *c, int i);

/* voice.c */
void voice_start(struct house *h);

#endif

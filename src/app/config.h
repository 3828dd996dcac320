/* app/config: show.lua and secrets.conf.
 *
 * show.lua is run in a bare Lua state (no io, no os, bounded time and memory) and must return a
 * table. A key it does not know, or a value of the wrong type, is an error that names the key, its
 * line where the file tells it, and the nearest known key. Every key has a default. Paths in it are
 * relative to it. secrets.conf holds `obs.password = …`, `irc.password = …`; it is refused unless
 * its mode is 0600. */
#ifndef SAKUGA_APP_CONFIG_H
#define SAKUGA_APP_CONFIG_H

#include "base/err.h"
#include "base/path.h"
#include "show/governor.h"
#include "show/show.h"

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_SCRIPTS_MAX 16
#define CONFIG_MAPS_MAX 8
#define CONFIG_SECRETS_MAX 32

struct config_chat {
    char kind[16], url[512], nick[64], ca[PATH_LEN], secret[64];
    int64_t seed;
    double rate; /* lines a minute of a simulated audience */
};

struct config {
    struct config_chat chat[CHAT_SOURCES_MAX];
    int chat_count;
    char obs_url[512];
    struct {
        char from[PATH_LEN], to[PATH_LEN];
    } maps[CONFIG_MAPS_MAX]; /* paths as an OBS on another machine sees them */
    int map_count;
    char engine_kind[16];
    /* engine "wan"; 0 and "": the model's or the style's own */
    char engine_model[PATH_LEN], engine_device[16], engine_dtype[16], engine_sampler[16];
    char engine_encoder[16];
    char engine_decoder[16];
    int engine_threads, engine_width, engine_height, engine_frames, engine_steps, engine_tile;
    double engine_guidance, engine_shift, engine_teacache, engine_give_way;
    struct settings show;
    double result_dwell_s, gallery_dwell_s;
    char scripts[CONFIG_SCRIPTS_MAX][256];
    int script_count;
    char theme[64];
    bool from_file; /* false: no config folder, the demo's settings */

    struct {
        char name[64], value[512];
    } secrets[CONFIG_SECRETS_MAX];
    int secret_count;
};

/* Key i of the table, for the manual: its path, its default as text ("" none), one line of help. */
bool config_key(int i, const char **path, const char **shown, const char **help);

/* What a show.lua that says nothing means. */
void config_defaults(struct config *c);
/* The demo: a simulated audience, the animatic engine, nobody watching. */
void config_demo(struct config *c);

/* Reads show.lua and secrets.conf of `paths->config`; without show.lua the demo's settings, unless
 * a folder was named that is not there (ERR_NOTFOUND). */
enum err config_load(struct config *c, const struct paths *paths, struct fault *f);
/* Reads secrets.conf alone, and registers what it holds with the log. No file: no secrets. */
enum err config_load_secrets(struct config *c, const struct paths *paths, struct fault *f);
/* The text of a show.lua; `name` stands in messages, `dir` is what its paths are relative to. */
enum err config_parse(struct config *c, const char *text, size_t n, const char *name,
                      const char *dir, struct fault *f);
/* The text of a secrets.conf. */
enum err config_parse_secrets(struct config *c, const char *text, const char *name,
                              struct fault *f);
/* "" when there is none. `name` is "obs.password" and the like. */
const char *config_secret(const struct config *c, const char *name);

#endif

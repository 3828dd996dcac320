#include "app/config.h"

#include "app/keyline.h"
#include "base/log.h"
#include "base/near.h"

#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_MAX ((size_t)1 << 20)
#define INSTRUCTIONS_MAX 10000000
#define MEMORY_MAX ((size_t)32 << 20)

/* ---- the keys ---- */

enum key_type { STR, FILE_PATH, NUM, INT, CHOICE, TABLE, LIST, STR_LIST, MAP };

static const struct key {
    const char *path; /* "[]" stands for every entry of a list */
    enum key_type type;
    size_t at, size; /* in struct config, or in struct config_chat below "chat[]" */
    double least, most;
    const char *choices; /* CHOICE: words in the order of the enum, or of a string when size > 0 */
    const char *shown;   /* the default, as show.lua would say it */
    const char *help;    /* one line for the manual */
} keys[] = {
#define AT(m) offsetof(struct config, m), sizeof((struct config *)0)->m
#define CHAT(m) offsetof(struct config_chat, m), sizeof((struct config_chat *)0)->m
    {"chat", LIST, 0, 0, 0, CHAT_SOURCES_MAX, NULL, "{}",
     "the chats, one table each; {}: only `sakuga ctl say`"},
    {"chat[].kind", CHOICE, CHAT(kind), 0, 0, "irc simulated", "\"irc\"",
     "an IRC server (Twitch too), or an audience from a seed"},
    {"chat[].url", STR, CHAT(url), 0, 0, NULL, "",
     "irc: \"ircs://host:6697/#channel\"; irc:// is without TLS"},
    {"chat[].nick", STR, CHAT(nick), 0, 0, NULL, "\"sakuga\"", "irc: the name to log in with"},
    {"chat[].ca", FILE_PATH, CHAT(ca), 0, 0, NULL, "",
     "irc: a PEM file to trust instead of the system's store"},
    {"chat[].secret", STR, CHAT(secret), 0, 0, NULL, "",
     "irc: NAME of NAME.password in secrets.conf"},
    {"chat[].seed", INT, CHAT(seed), 0, 9007199254740992.0, NULL, "1", "simulated: the audience"},
    {"chat[].rate", NUM, CHAT(rate), 0, 60000, NULL, "20", "simulated: lines a minute"},
    {"obs", TABLE, 0, 0, 0, 0, NULL, "{}",
     "the OBS that shows the clips; without it nobody watches"},
    {"obs.url", STR, AT(obs_url), 0, 0, NULL, "",
     "its WebSocket server: \"ws://127.0.0.1:4455\"; the password is obs.password in secrets.conf"},
    {"obs.paths", MAP, 0, 0, 0, CONFIG_MAPS_MAX, NULL, "{}",
     "folders as an OBS on another machine sees them: [\"/srv/show/air\"] = \"Z:/air\""},
    {"engine", TABLE, 0, 0, 0, 0, NULL, "{}", "what draws the clips"},
    {"engine.kind", CHOICE, AT(engine_kind), 0, 0, "animatic wan", "\"animatic\"",
     "animatic: a drawn title card, no model; wan: Wan 2.1"},
    {"engine.model", FILE_PATH, AT(engine_model), 0, 0, NULL, "",
     "wan: the model's folder, or the transformer's file in it; LoRAs lie in its loras/"},
    {"engine.device", CHOICE, AT(engine_device), 0, 0, "auto cpu cuda", "\"auto\"",
     "wan: what computes"},
    {"engine.dtype", CHOICE, AT(engine_dtype), 0, 0, "auto f32 bf16 fp8 fp8-linear fp8-weight",
     "\"auto\"",
     "wan: numbers that it computes in; auto: bf16 where the device is faster with it, else f32; "
     "fp8: a GPU's linear layers and, where it can, self-attention; fp8-linear: without that; "
     "fp8-weight: the weights only, in half the memory"},
    {"engine.encoder", CHOICE, AT(engine_encoder), 0, 0, "auto libx264 h264_nvenc", "\"auto\"",
     "what encodes a clip; auto: the GPU that drew it, where it has an encoder that opens, else "
     "the CPU"},
    {"engine.threads", INT, AT(engine_threads), 0, 1024, NULL, "0",
     "wan: on the CPU; 0: as many as there are cores"},
    {"engine.give_way", NUM, AT(engine_give_way), 0, GOVERNOR_MOST, NULL, "0.8",
     "most of its time that it leaves to OBS, when OBS skips frames while a clip is drawn; 0: "
     "none"},
    {"engine.width", INT, AT(engine_width), 64, 1920, NULL, "832",
     "wan: pixels, a multiple of 16, where the style says nothing"},
    {"engine.height", INT, AT(engine_height), 64, 1088, NULL, "480", "wan: the same"},
    {"engine.frames", INT, AT(engine_frames), 1, 1021, NULL, "81",
     "wan: 1, 5, 9 …; there are 16 a second"},
    {"engine.steps", INT, AT(engine_steps), 0, 200, NULL, "0",
     "wan: where the style says nothing; 0: the model's own"},
    {"engine.guidance", NUM, AT(engine_guidance), 0, 100, NULL, "0",
     "wan: how strictly the prompt is followed; 1: not at all, in half the time; 0: the model's "
     "own"},
    {"engine.shift", NUM, AT(engine_shift), 0, 1000, NULL, "0",
     "wan: steps spent on the large shapes; 0: the model's own"},
    {"engine.sampler", CHOICE, AT(engine_sampler), 0, 0,
     "unipc dpm++ euler lcm lightx2v self-forcing causvid", "\"unipc\"", "wan: how a step is made"},
    {"engine.teacache", NUM, AT(engine_teacache), 0, 1000, NULL, "0",
     "wan: leave out the work of steps that change less, about 0.05 for 1.3B and 0.2 for 14B: "
     "faster, and another clip; 0: never"},
    {"engine.decoder", CHOICE, AT(engine_decoder), 0, 0, "vae tiny", "\"vae\"",
     "wan: tiny: taew2_1.safetensors in the model's folder, a twentieth of the work, a little "
     "soft"},
    {"engine.tile", INT, AT(engine_tile), 0, 2048, NULL, "0",
     "wan: decode in tiles of so many pixels, 256 say, in less memory; 0: the whole picture"},
    {"gates", TABLE, 0, 0, 0, 0, NULL, "{}", "who decides: \"operator\" or \"auto\""},
    {"gates.prompt", CHOICE, offsetof(struct config, show.prompt_gate), 0, 0, 0, "operator auto",
     "\"operator\"", "gate 1, before the engine"},
    {"gates.clip", CHOICE, offsetof(struct config, show.clip_gate), 0, 0, 0, "operator auto",
     "\"operator\"", "gate 2, before the air; a clip that failed a check never passes by itself"},
    {"limits", TABLE, 0, 0, 0, 0, NULL, "{}", "0 means no limit"},
    {"limits.per_viewer", INT, AT(show.per_viewer), 0, 1000000, NULL, "1",
     "prompts of one viewer that have not ended"},
    {"limits.cooldown", INT, AT(show.cooldown_s), 0, 1000000, NULL, "60",
     "seconds between two accepted prompts of one viewer"},
    {"limits.queue", INT, AT(show.queue), 0, 10000000, NULL, "100",
     "prompts that wait, held and approved"},
    {"limits.length", INT, AT(show.length), 1, 2000, NULL, "300",
     "characters (grapheme clusters) of a prompt; a longer one is refused, never cut"},
    {"limits.eta", INT, AT(show.max_eta_s), 0, 1000000, NULL, "0",
     "seconds: no new prompts while the wait is longer"},
    {"limits.vault", INT, AT(show.vault_bytes), 0, 9007199254740992.0, NULL, "21474836480",
     "bytes of clips; beyond, the oldest un-aired ones go first, favourites never"},
    {"limits.disk", INT, AT(show.disk_reserve), 0, 9007199254740992.0, NULL, "2147483648",
     "bytes that must be free for a new job to start"},
    {"stage", TABLE, 0, 0, 0, 0, NULL, "{}", "what the audience sees"},
    {"stage.result_dwell", NUM, AT(result_dwell_s), 0, 3600, NULL, "0",
     "seconds that a clip's last picture stays"},
    {"stage.gallery_dwell", NUM, AT(gallery_dwell_s), 1, 3600, NULL, "8",
     "seconds of each clip in the gallery"},
    {"stage.label", STR, AT(show.label), 0, 0, NULL, "\"AI-generated\"", "the label on every clip"},
    {"scripts", STR_LIST, 0, 0, 0, CONFIG_SCRIPTS_MAX, NULL, "{ \"commands\", \"styles\" }",
     "Lua files or folders, searched in the config folder, then in the installed lua/"},
    {"theme", STR, AT(theme), 0, 0, NULL, "\"sakura\"",
     "colours of the console, a file of themes/"},
};
#define KEYS ((int)(sizeof keys / sizeof *keys))

bool config_key(int i, const char **path, const char **shown, const char **help)
{
    if (i < 0 || i >= KEYS)
        return false;
    *path = keys[i].path;
    *shown = keys[i].shown;
    *help = keys[i].help;
    return true;
}

void config_defaults(struct config *c)
{
    *c = (struct config){.result_dwell_s = 0, .gallery_dwell_s = 8};
    c->show = (struct settings){.per_viewer = 1,
                                .cooldown_s = 60,
                                .queue = 100,
                                .length = 300,
                                .vault_bytes = (int64_t)20 << 30,
                                .disk_reserve = (int64_t)2 << 30};
    strcpy(c->show.label, "AI-generated");
    strcpy(c->engine_kind, "animatic");
    strcpy(c->engine_device, "auto");
    strcpy(c->engine_dtype, "auto");
    strcpy(c->engine_encoder, "auto");
    strcpy(c->engine_sampler, "unipc");
    strcpy(c->engine_decoder, "vae");
    c->engine_give_way = 0.8;
    c->engine_width = 832;
    c->engine_height = 480;
    c->engine_frames = 81; /* the model's five seconds */
    strcpy(c->theme, "sakura");
    strcpy(c->scripts[0], "commands");
    strcpy(c->scripts[1], "styles");
    c->script_count = 2;
}

void config_demo(struct config *c)
{
    config_defaults(c);
    strcpy(c->chat[0].kind, "simulated");
    c->chat[0].seed = 7;
    c->chat[0].rate = 20;
    c->chat_count = 1;
    c->show.cooldown_s = 20;
}

/* ---- reading the table ---- */

struct reader {
    struct config *c;
    const char *text, *name, *dir;
    struct fault *f;
};

static enum err wrong(struct reader *r, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static enum err wrong(struct reader *r, const char *path, const char *fmt, ...)
{
    char why[300];
    int line = keyline_find(r->text, path);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    if (line)
        return fault_set(r->f, ERR_INVAL, "%s:%d: %s: %s", r->name, line, path, why);
    return fault_set(r->f, ERR_INVAL, "%s: %s: %s", r->name, path, why);
}

/* "chat[2].url" as the table of keys has it: "chat[].url". */
static void general(const char *path, char *out, size_t size)
{
    size_t n = 0;
    for (; *path && n + 1 < size; path++) {
        out[n++] = *path;
        if (*path == '[')
            path += strcspn(path, "]") - 1;
    }
    out[n] = '\0';
}

static const struct key *find_key(const char *path)
{
    char plain[256];
    general(path, plain, sizeof plain);
    for (int i = 0; i < KEYS; i++)
        if (!strcmp(keys[i].path, plain))
            return &keys[i];
    return NULL;
}

static enum err unknown(struct reader *r, const char *path)
{
    char plain[256], shown[256];
    const char *near = NULL;
    int least = 6;
    general(path, plain, sizeof plain);
    for (int i = 0; i < KEYS; i++) {
        int d = near_edits(plain, keys[i].path);
        if (d < least) {
            least = d;
            near = keys[i].path;
        }
    }
    snprintf(shown, sizeof shown, "%s", near ? near : "");
    return near ? wrong(r, path, "there is no such key; the nearest one is %s", shown)
                : wrong(r, path, "there is no such key");
}

static enum err read_table(struct reader *r, lua_State *L, const char *path, void *base);

static enum err read_string(struct reader *r, lua_State *L, const struct key *k, const char *path,
                            char *to)
{
    size_t n;
    const char *s = lua_tolstring(L, -1, &n);
    if (strlen(s) != n)
        return wrong(r, path, "it holds a NUL byte");
    if (k->type == FILE_PATH ? path_join(to, k->size, r->dir, s) != ERR_OK
                             : !str_copy(to, k->size, s))
        return wrong(r, path, "it is longer than %zu bytes", k->size - 1);
    return ERR_OK;
}

static enum err read_choice(struct reader *r, lua_State *L, const struct key *k, const char *path,
                            char *base)
{
    const char *s = lua_tostring(L, -1);
    int i = 0;
    for (const char *w = k->choices; *w; i++) {
        size_t n = strcspn(w, " ");
        if (strlen(s) == n && !strncmp(w, s, n)) {
            if (k->size)
                str_copy(base + k->at, k->size, s);
            else
                *(enum gate *)(void *)(base + k->at) = (enum gate)i;
            return ERR_OK;
        }
        w += n + (w[n] == ' ');
    }
    return wrong(r, path, "\"%.60s\" is not possible; one of: %s", s, k->choices);
}

static enum err read_number(struct reader *r, lua_State *L, const struct key *k, const char *path,
                            char *base)
{
    double v = lua_tonumber(L, -1);
    if (!(v >= k->least && v <= k->most))
        return wrong(r, path, "%g is out of range; %.0f to %.0f are possible", v, k->least,
                     k->most);
    if (k->type == NUM)
        *(double *)(void *)(base + k->at) = v;
    else if (v != floor(v))
        return wrong(r, path, "%g is not a whole number", v);
    else if (k->size == sizeof(int))
        *(int *)(void *)(base + k->at) = (int)v;
    else
        *(int64_t *)(void *)(base + k->at) = (int64_t)v;
    return ERR_OK;
}

static enum err read_list(struct reader *r, lua_State *L, const struct key *k, const char *path)
{
    enum err e = ERR_OK;
    int n = (int)lua_rawlen(L, -1), seen = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        seen++;
    if (seen != n)
        return wrong(r, path, "it must be a list { …, … }");
    if (n > (int)k->most)
        return wrong(r, path, "it has %d entries, %d are possible", n, (int)k->most);
    if (k->type == STR_LIST)
        r->c->script_count = n;
    else
        r->c->chat_count = n;
    for (int i = 1; i <= n && !e; i++) {
        char sub[300];
        snprintf(sub, sizeof sub, "%.200s[%d]", path, i);
        lua_rawgeti(L, -1, i);
        if (k->type == STR_LIST) {
            if (lua_type(L, -1) != LUA_TSTRING)
                e = wrong(r, sub, "a string is expected, not a %s", luaL_typename(L, -1));
            else if (!str_copy(r->c->scripts[i - 1], sizeof r->c->scripts[0], lua_tostring(L, -1)))
                e = wrong(r, sub, "it is too long");
        } else if (!lua_istable(L, -1)) {
            e = wrong(r, sub, "a table is expected, not a %s", luaL_typename(L, -1));
        } else {
            struct config_chat *chat = &r->c->chat[i - 1];
            *chat = (struct config_chat){.kind = "irc", .nick = "sakuga", .seed = 1, .rate = 20};
            e = read_table(r, L, sub, chat);
            if (!e && !strcmp(chat->kind, "irc") && !chat->url[0])
                e = wrong(r, sub, "an irc source needs url = \"ircs://host:6697/#channel\"");
        }
        lua_pop(L, 1);
    }
    return e;
}

static enum err read_map(struct reader *r, lua_State *L, const char *path)
{
    struct config *c = r->c;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            return wrong(r, path,
                         "it must map strings to strings: [\"/srv/show/air\"] = \"Z:/air\"");
        if (c->map_count == CONFIG_MAPS_MAX)
            return wrong(r, path, "at most %d folders are possible", CONFIG_MAPS_MAX);
        if (!str_copy(c->maps[c->map_count].from, PATH_LEN, lua_tostring(L, -2)) ||
            !str_copy(c->maps[c->map_count].to, PATH_LEN, lua_tostring(L, -1)))
            return wrong(r, path, "a path is too long");
        c->map_count++;
    }
    return ERR_OK;
}

static enum err read_value(struct reader *r, lua_State *L, const struct key *k, const char *path,
                           void *base)
{
    static const struct {
        int lua;
        const char *name;
    } want[] = {[STR] = {LUA_TSTRING, "string"},    [FILE_PATH] = {LUA_TSTRING, "string"},
                [NUM] = {LUA_TNUMBER, "number"},    [INT] = {LUA_TNUMBER, "number"},
                [CHOICE] = {LUA_TSTRING, "string"}, [TABLE] = {LUA_TTABLE, "table"},
                [LIST] = {LUA_TTABLE, "table"},     [STR_LIST] = {LUA_TTABLE, "table"},
                [MAP] = {LUA_TTABLE, "table"}};
    if (lua_type(L, -1) != want[k->type].lua)
        return wrong(r, path, "a %s is expected, not a %s", want[k->type].name,
                     luaL_typename(L, -1));
    switch (k->type) {
    case STR:
    case FILE_PATH:
        return read_string(r, L, k, path, (char *)base + k->at);
    case CHOICE:
        return read_choice(r, L, k, path, base);
    case NUM:
    case INT:
        return read_number(r, L, k, path, base);
    case TABLE:
        return read_table(r, L, path, base);
    case LIST:
    case STR_LIST:
        return read_list(r, L, k, path);
    case MAP:
        return read_map(r, L, path);
    }
    return ERR_OK;
}

static enum err read_table(struct reader *r, lua_State *L, const char *path, void *base)
{
    enum err e = ERR_OK;
    for (lua_pushnil(L); lua_next(L, -2) && !e; lua_pop(L, 1)) {
        char sub[300];
        if (lua_type(L, -2) != LUA_TSTRING) {
            e = wrong(r, path[0] ? path : "the table", "a key that is not a name");
            lua_pop(L, 2);
            break;
        }
        size_t n;
        const char *name = lua_tolstring(L, -2, &n);
        bool plain = strlen(name) == n && !strpbrk(name, ".[]");
        snprintf(sub, sizeof sub, "%s%s%.100s", path, path[0] ? "." : "", name);
        const struct key *k = plain ? find_key(sub) : NULL;
        e = k ? read_value(r, L, k, sub, base) : unknown(r, sub);
        if (e) {
            lua_pop(L, 2);
            break;
        }
    }
    return e;
}

/* ---- running the file ---- */

static void *bounded_alloc(void *user, void *p, size_t old, size_t want)
{
    size_t *used = user;
    if (!p)
        old = 0;
    if (want > old && *used + (want - old) > MEMORY_MAX)
        return NULL;
    if (!want) {
        *used -= old;
        free(p);
        return NULL;
    }
    void *q = realloc(p, want);
    if (q)
        *used = *used - old + want;
    return q;
}

static void too_long(lua_State *L, lua_Debug *d)
{
    (void)d;
    lua_sethook(L, too_long, LUA_MASKCOUNT, 1); /* again at once, should a pcall catch it */
    luaL_error(L, "it runs too long");
}

static int open_bare(lua_State *L)
{
    static const char *const gone[] = {"dofile", "loadfile",       "load", "require",
                                       "print",  "collectgarbage", NULL};
    luaL_requiref(L, "_G", luaopen_base, 1);
    luaL_requiref(L, "string", luaopen_string, 1);
    luaL_requiref(L, "table", luaopen_table, 1);
    luaL_requiref(L, "math", luaopen_math, 1);
    for (int i = 0; gone[i]; i++) {
        lua_pushnil(L);
        lua_setglobal(L, gone[i]);
    }
    lua_settop(L, 0);
    return 0;
}

/* What no key can tell alone. */
static enum err check_engine(struct reader *r)
{
    const struct config *c = r->c;
    if (!strcmp(c->engine_kind, "wan") && !c->engine_model[0])
        return wrong(r, "engine.kind",
                     "\"wan\" needs model = FOLDER; `sakuga model pull` fetches one");
    if (c->engine_width % 16 || c->engine_height % 16)
        return wrong(r, c->engine_width % 16 ? "engine.width" : "engine.height",
                     "%d x %d is not possible; use multiples of 16", c->engine_width,
                     c->engine_height);
    if (c->engine_frames % 4 != 1)
        return wrong(r, "engine.frames", "%d is not possible; use 1, 5, 9 …", c->engine_frames);
    if (c->engine_tile && (c->engine_tile < 64 || c->engine_tile % 32))
        return wrong(r, "engine.tile", "%d is not possible; use multiples of 32 from 64 on",
                     c->engine_tile);
    return ERR_OK;
}

enum err config_parse(struct config *c, const char *text, size_t n, const char *name,
                      const char *dir, struct fault *f)
{
    size_t used = 0;
    char chunk[PATH_LEN + 2];
    enum err e = ERR_OK;
    lua_State *L = lua_newstate(bounded_alloc, &used);
    if (!L)
        return fault_set(f, ERR_NOMEM, "%s: out of memory", name);
    snprintf(chunk, sizeof chunk, "@%s", name);
    lua_pushcfunction(L, open_bare);
    int rc = lua_pcall(L, 0, 0, 0);
    lua_sethook(L, too_long, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
    if (rc == LUA_OK)
        rc = luaL_loadbufferx(L, text, n, chunk, "t");
    if (rc == LUA_OK)
        rc = lua_pcall(L, 0, 1, 0);
    if (rc != LUA_OK) {
        const char *why = lua_tostring(L, -1);
        e = fault_set(f, ERR_SYNTAX, "%s", why ? why : "show.lua failed");
    } else if (!lua_istable(L, -1)) {
        e = fault_set(f, ERR_INVAL, "%s: it must return a table, not a %s", name,
                      luaL_typename(L, -1));
    } else {
        struct reader r = {c, text, name, dir, f};
        lua_sethook(L, NULL, 0, 0);
        e = read_table(&r, L, "", c);
        if (!e)
            e = check_engine(&r);
    }
    lua_close(L);
    return e;
}

enum err config_parse_secrets(struct config *c, const char *text, const char *name, struct fault *f)
{
    int line = 0;
    for (const char *at = text; *at; at += *at == '\n') {
        char row[700], *eq, *end;
        size_t n = strcspn(at, "\n");
        line++;
        snprintf(row, sizeof row, "%.*s", (int)(n < sizeof row ? n : sizeof row - 1), at);
        at += n;
        char *key = row + strspn(row, " \t");
        if (!*key || *key == '#' || *key == '\r')
            continue;
        eq = strchr(key, '=');
        if (!eq)
            return fault_set(f, ERR_SYNTAX, "%s:%d: a line must read NAME = VALUE", name, line);
        for (end = eq; end > key && isspace((unsigned char)end[-1]); end--)
            ;
        *end = '\0';
        char *value = eq + 1 + strspn(eq + 1, " \t");
        for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
            ;
        *end = '\0';
        if (c->secret_count == CONFIG_SECRETS_MAX)
            return fault_set(f, ERR_LIMIT, "%s:%d: more than %d secrets", name, line,
                             CONFIG_SECRETS_MAX);
        if (!str_copy(c->secrets[c->secret_count].name, sizeof c->secrets[0].name, key) ||
            !str_copy(c->secrets[c->secret_count].value, sizeof c->secrets[0].value, value))
            return fault_set(f, ERR_LIMIT, "%s:%d: the name or the value is too long", name, line);
        log_secret(c->secrets[c->secret_count++].value);
    }
    return ERR_OK;
}

const char *config_secret(const struct config *c, const char *name)
{
    for (int i = 0; i < c->secret_count; i++)
        if (!strcmp(c->secrets[i].name, name))
            return c->secrets[i].value;
    return "";
}

enum err config_load_secrets(struct config *c, const struct paths *paths, struct fault *f)
{
    char path[PATH_LEN];
    struct stat st;
    struct buf b = BUF_INIT(0);
    if (path_join(path, sizeof path, paths->config, "secrets.conf"))
        return fault_set(f, ERR_LIMIT, "the path of %s is too long", paths->config);
    if (stat(path, &st))
        return errno == ENOENT || errno == ENOTDIR
                   ? ERR_OK
                   : fault_set(f, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return fault_set(f, ERR_DENIED,
                         "%s belongs to another user, who can read it; make it yours", path);
    if (st.st_mode & 077)
        return fault_set(f, ERR_DENIED, "%s can be read by others (mode %03o); run: chmod 600 %s",
                         path, (unsigned)st.st_mode & 0777, path);
    enum err e = path_read(path, CONFIG_MAX / 2, &b, f);
    if (!e)
        e = config_parse_secrets(c, buf_str(&b), path, f);
    buf_free(&b);
    return e;
}

enum err config_load(struct config *c, const struct paths *paths, struct fault *f)
{
    char path[PATH_LEN];
    struct buf b = BUF_INIT(0);
    if (path_join(path, sizeof path, paths->config, "show.lua"))
        return fault_set(f, ERR_LIMIT, "the path of %s is too long", paths->config);
    if (access(path, F_OK) && (errno == ENOENT || errno == ENOTDIR)) {
        if (paths->config_named && access(paths->config, F_OK))
            return fault_set(f, ERR_NOTFOUND,
                             "there is no folder %s; give --config the folder of show.lua",
                             paths->config);
        config_demo(c);
        return config_load_secrets(c, paths, f);
    }
    config_defaults(c);
    c->from_file = true;
    enum err e = path_read(path, CONFIG_MAX, &b, f);
    if (!e)
        e = config_parse(c, buf_str(&b), b.len, path, paths->config, f);
    if (!e)
        e = config_load_secrets(c, paths, f);
    buf_free(&b);
    return e;
}

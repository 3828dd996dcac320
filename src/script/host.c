#include "script/host.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static const char host_key; /* its address is the host's place in the registry */
static const char prelude_key;

struct host *host_new(void)
{
    struct host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    box_init(&h->in);
    box_init(&h->out);
    h->next_call = 1;
    return h;
}

void host_free(struct host *h)
{
    box_destroy(&h->in);
    box_destroy(&h->out);
    values_free(h->values);
    free(h);
}

struct host *host_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &host_key);
    struct host *h = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return h;
}

static void post(struct host *h, struct letter *l)
{
    if (l)
        letter_post(&h->out, l);
}

void host_post(lua_State *L, struct host *h, struct letter *l)
{
    if (!l)
        luaL_error(L, "out of memory");
    post(h, l);
}

void host_log(const char *script, const char *text)
{
    struct buf line = BUF_INIT(1000);
    for (; *text; text++)
        if (*text == '\n')
            buf_adds(&line, " | ");
        else if (*text != '\t')
            buf_addc(&line, *text);
    log_error("script", "%s: %s", script, buf_str(&line));
    buf_free(&line);
}

const char *host_text(lua_State *L, int arg, size_t max)
{
    size_t n;
    const char *s = luaL_checklstring(L, arg, &n);
    struct buf b = BUF_INIT(n * 4 + 64);
    if (n > max * 4 || !text_clean(&b, s, n) || b.len > max) {
        buf_free(&b);
        luaL_error(L, "bad argument #%d (longer than %d bytes)", arg, (int)max);
    }
    lua_pushstring(L,
                   buf_str(&b)); /* at worst a leak of one line when Lua's memory is at its end */
    buf_free(&b);
    return lua_tostring(L, -1);
}

/* ---- the prelude ---- */

static int traceback(lua_State *L)
{
    const char *message = lua_tostring(L, 1);
    luaL_traceback(L, L, message ? message : "(an error without words)", 1);
    return 1;
}

/* Runs fn(arg) in the state so that nothing, not even the end of memory, passes beyond it. The
 * message is left on the stack when it is false. */
static bool protected(lua_State *L, lua_CFunction fn, void *arg)
{
    lua_settop(L, 0);
    lua_pushcfunction(L, traceback);
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, arg);
    return lua_pcall(L, 1, 0, 1) == LUA_OK;
}

static const char *message(lua_State *L)
{
    const char *m = lua_tostring(L, -1);
    return m ? m : "an error without words";
}

/* Pushes a function of the prelude. */
static void push_prelude(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &prelude_key);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

struct opening {
    struct host *h;
    const struct buf *text;
};

static int open_prelude(lua_State *L)
{
    struct opening *o = lua_touserdata(L, 1);
    lua_pushlightuserdata(L, o->h);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &host_key);
    lua_pushglobaltable(L);
    if (!sandbox_load(L, buf_str(o->text), o->text->len, "@prelude.lua", -1))
        return lua_error(L);
    lua_newtable(L);
    api_core(L);
    api_show(L);
    api_call(L);
    lua_call(L, 1, 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &prelude_key);
    return 0;
}

static void close_state(struct sandbox *sb)
{
    if (sb)
        sandbox_close(sb);
    free(sb);
}

static struct sandbox *open_state(struct host *h, struct fault *f)
{
    struct buf text = BUF_INIT(FILES_BYTES);
    struct sandbox *sb = calloc(1, sizeof *sb);
    struct opening o = {h, &text};
    if (!sb || path_read(h->prelude, FILES_BYTES, &text, f)) {
        free(sb);
        sb = NULL;
    } else if (!sandbox_open(sb, &h->stop)) {
        fault_set(f, ERR_NOMEM, "out of memory");
        free(sb);
        sb = NULL;
    } else if (!protected(sb->L, open_prelude, &o)) {
        fault_set(f, ERR_SYNTAX, "%s", message(sb->L));
        close_state(sb);
        sb = NULL;
    }
    buf_free(&text);
    return sb;
}

/* ---- loading ---- */

struct one_file {
    const struct file *file;
    struct buf *why;
    bool ok;
};

static int load_file(lua_State *L)
{
    struct one_file *f = lua_touserdata(L, 1);
    push_prelude(L, "load");
    lua_pushstring(L, f->file->path);
    lua_pushstring(L, f->file->name);
    lua_call(L, 2, 2);
    f->ok = lua_toboolean(L, -2);
    if (!f->ok)
        buf_adds(f->why, message(L));
    return 0;
}

/* Loads one file; its error in words is added to `why`, its styles go when it fails. */
static void load_one(struct host *h, lua_State *L, const struct file *file, struct buf *why)
{
    struct one_file one = {file, why, false};
    struct styles before = *h->loading;
    if (why->len)
        buf_adds(why, "\n");
    size_t had = why->len;
    if (!file->path[0]) {
        buf_addf(why, "there is no script %s in the config folder or the installed lua/",
                 file->name);
        host_log(file->name, buf_str(why) + had);
    } else if (!protected(L, load_file, &one)) {
        buf_addf(why, "%s: %s", file->name, message(L));
        host_log(file->name, message(L));
    }
    if (one.ok && had)
        why->data[--why->len] = '\0';
    if (!one.ok)
        *h->loading = before;
}

static void load_files(struct host *h, lua_State *L, struct buf *why)
{
    struct file *files = calloc(FILES_MAX, sizeof *files);
    const char *dirs[HOST_DIRS_MAX];
    int count = 0;
    if (!files) {
        buf_adds(why, "out of memory");
        return;
    }
    for (int i = 0; i < h->dir_count; i++)
        dirs[i] = h->dirs[i];
    for (int i = 0; i < h->name_count; i++)
        if (files_find(h->names[i], dirs, h->dir_count, files, &count))
            buf_addf(why, "%s: there are more than %d script files", h->names[i], FILES_MAX);
    for (int i = 0; i < count; i++)
        load_one(h, L, &files[i], why);
    free(files);
}

static int abandon(lua_State *L)
{
    push_prelude(L, "abandon");
    lua_call(L, 0, 0);
    return 0;
}

/* Loads all into a fresh state. At the start, what loads is used; at a reload nothing is used
 * unless everything loads. */
static void load(struct host *h)
{
    struct fault f = {0};
    struct buf why = BUF_INIT(4096);
    struct styles *styles = calloc(1, sizeof *styles);
    unsigned wants = atomic_exchange(&h->wants, 0);
    struct sandbox *fresh = styles ? open_state(h, &f) : NULL;
    h->loading = styles;
    if (fresh)
        load_files(h, fresh->L, &why);
    else
        buf_adds(&why, styles ? fault_text(&f) : "out of memory");
    if (!fresh)
        host_log("prelude", buf_str(&why));
    h->loading = NULL;
    bool use = fresh && (!why.len || !h->sb);
    if (use) {
        if (h->sb) /* what its handlers have begun ends here */
        protected(h->sb->L, abandon, NULL);
        close_state(h->sb);
        h->sb = fresh;
        h->styles = *styles;
    } else {
        close_state(fresh);
        atomic_store(&h->wants, wants);
    }
    struct letter *l = letter_new(LETTER_LOADED, buf_str(&why), "");
    if (l) {
        l->err = why.len ? ERR_SYNTAX : ERR_OK;
        l->hold = use;
        l->styles = use ? styles : NULL;
    }
    if (!l || !use)
        free(styles);
    post(h, l);
    buf_free(&why);
}

/* ---- letters ---- */

static int hand_line(lua_State *L)
{
    const struct letter *l = lua_touserdata(L, 1);
    push_prelude(L, "line");
    lua_pushinteger(L, (lua_Integer)l->ticket);
    lua_pushstring(L, l->text);
    lua_pushstring(L, l->who.name);
    lua_pushstring(L, role_name(l->who.role));
    lua_pushinteger(L, (lua_Integer)l->who.role);
    lua_pushstring(L, l->who.platform);
    lua_pushstring(L, l->who.uid);
    lua_call(L, 7, 0);
    return 0;
}

static void set(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static int hand_event(lua_State *L)
{
    const struct letter *l = lua_touserdata(L, 1);
    push_prelude(L, "event");
    lua_pushstring(L, event_name(l->event));
    lua_createtable(L, 0, 8);
    if (l->event == EVENT_PROMPT || l->event == EVENT_EDITED) {
        lua_pushinteger(L, (lua_Integer)l->id);
        lua_setfield(L, -2, "id");
        set(L, "from", prompt_state_name(l->from));
        set(L, "to", prompt_state_name(l->to));
        set(L, "viewer", l->who.name);
        set(L, "text", l->text);
        set(L, "by", l->more);
        set(L, "style", l->scope);
    }
    lua_call(L, 2, 0);
    return 0;
}

static int hand_result(lua_State *L)
{
    const struct letter *l = lua_touserdata(L, 1);
    push_prelude(L, "result");
    lua_pushinteger(L, (lua_Integer)l->call);
    lua_pushboolean(L, l->err == ERR_OK);
    lua_pushinteger(L, (lua_Integer)l->id);
    lua_pushstring(L, l->text);
    lua_pushstring(L, err_name(l->err));
    lua_call(L, 5, 0);
    return 0;
}

static void line_failed(struct host *h, const struct letter *l)
{
    struct letter *done = l->ticket ? letter_new(LETTER_DONE, "", "") : NULL;
    if (done) {
        done->ticket = l->ticket;
        done->err = ERR_STATE;
    }
    post(h, done);
}

static void deal(struct host *h, struct letter *l)
{
    lua_State *L = h->sb ? h->sb->L : NULL;
    bool ok = L != NULL;
    switch (l->kind) {
    case LETTER_LINE:
        if (!ok || !(ok = protected(L, hand_line, l)))
            line_failed(h, l);
        break;
    case LETTER_EVENT:
        ok = ok && protected(L, hand_event, l);
        break;
    case LETTER_RESULT:
        h->calls--;
        ok = ok && protected(L, hand_result, l);
        break;
    case LETTER_RELOAD:
        load(h);
        L = NULL;
        break;
    default:
        break;
    }
    if (L && !ok)
        host_log("prelude", message(L));
    atomic_store(&h->done, l->serial);
    letter_free(l);
}

/* ---- timers ---- */

static int hand_tick(lua_State *L)
{
    int64_t *next = lua_touserdata(L, 1);
    push_prelude(L, "tick");
    lua_pushinteger(L, (lua_Integer)clock_mono_ms());
    lua_call(L, 1, 1);
    *next = lua_isinteger(L, -1) ? (int64_t)lua_tointeger(L, -1) : -1;
    return 0;
}

/* Runs the timers that are due; milliseconds to the next one, -1 without any. */
static int64_t tick(struct host *h)
{
    int64_t next = -1, now;
    if (!h->sb || atomic_load(&h->stop))
        return -1;
    if (!protected(h->sb->L, hand_tick, &next))
        host_log("prelude", message(h->sb->L));
    now = clock_mono_ms();
    return next < 0 ? -1 : next > now ? next - now : 0;
}

void *host_run(void *user)
{
    struct host *h = user;
    load(h);
    while (!atomic_load(&h->stop)) {
        struct letter *l = letter_wait(&h->in, tick(h), &h->snapshot);
        for (struct letter *next; l; l = next) {
            next = l->next;
            if (atomic_load(&h->stop))
                letter_free(l);
            else
                deal(h, l);
        }
    }
    close_state(h->sb);
    h->sb = NULL;
    snapshot_unref(h->snapshot);
    pthread_mutex_lock(&h->in.lock);
    atomic_store(&h->ended, true);
    pthread_cond_signal(&h->in.cond);
    pthread_mutex_unlock(&h->in.lock);
    return NULL;
}

/* The life of a session:
 *
 *   waiting ─(pause over)─▶ connecting ─Hello▶ Identify ─Identified▶ GetVersion ─▶ up
 *      ▲                        │ silent for 5 s, refused, malformed, closed          │ probe
 * unanswered └────────────────────────┴───────────────────────────────────────────────┘ for 4 s,
 * closed gave up: 4009, 4011, a password asked and none given. Only session_retry() leaves it.
 *
 * A half-open connection (the peer's machine is gone, no FIN came) shows in the probe only, so a
 * probe without an answer ends the connection. While one is out no second is sent.
 *
 * NotReady (207) means that OBS changes its scene collection or has not finished to load. The
 * request is kept as the text that was sent and sent again after 0.7 s until its own time is over.
 * A batch is repeated as a whole: ours can be done twice. */
#include "obs/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "loop/ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_MS 5000
#define PROBE_TIMEOUT_MS 4000
#define GREETING_MS 5000
#define NOT_READY_MS 700
#define BACKOFF_MIN_MS 500
#define BACKOFF_MAX_MS 15000
#define PENDING_MAX 256

/* All but filters and vendors: general, config, scenes, inputs, transitions, outputs, scene items,
 * media inputs, UI. None of the high-volume ones. */
#define EVENTS (1u | 2u | 4u | 8u | 16u | 64u | 128u | 256u | 1024u)

enum phase { PHASE_WAITING, PHASE_CONNECTING, PHASE_ASKING, PHASE_UP, PHASE_GAVE_UP };

struct pending {
    struct pending *next;
    uint64_t id;
    char type[48];
    char *text; /* as sent, for NotReady */
    size_t n;
    int64_t sent_us, due_ms, again_ms; /* again_ms: 0, or when to send it once more */
    enum err unsent;                   /* why it could not be sent: it ends at the next turn */
    bool refused;                      /* with NotReady, so OBS does answer */
    session_reply_fn *fn;
    void *user;
};

struct session {
    struct loop *loop;
    struct ws *ws;
    const struct session_ops *ops;
    void *user;
    char url[512];
    char password[256];
    bool have_password;
    enum phase phase;
    struct timer *again;    /* the next attempt, or the deadline of the greeting */
    struct timer *probe;    /* repeats while up */
    struct timer *deadline; /* of the earliest pending request */
    struct pending *pending;
    int pending_count;
    uint64_t next_id;
    int pause_ms;
    bool leaving; /* OBS said that it exits */
    bool probing;
    int64_t heard_ms;
    cJSON *version; /* GetVersion's answer while up */
    int depth;      /* callbacks of ours that are running */
    bool dead;      /* freed inside one of them: the memory goes when the last returns */
};

static void fail(struct session *s, const char *why, bool give_up);

/* ---- requests ---- */

/* Ends a stretch that called out (`depth` was raised before it). */
static void leave(struct session *s)
{
    if (--s->depth == 0 && s->dead)
        free(s);
}

static void arm_deadline(struct session *s)
{
    if (s->dead)
        return;
    int64_t due = INT64_MAX;
    for (struct pending *p = s->pending; p; p = p->next) {
        due = p->due_ms < due ? p->due_ms : due;
        if (p->again_ms && p->again_ms < due)
            due = p->again_ms;
    }
    if (due == INT64_MAX)
        timer_stop(s->deadline);
    else
        timer_start(s->deadline, due - clock_mono_ms(), 0);
}

static void pending_free(struct pending *p)
{
    free(p->text);
    free(p);
}

/* Takes `p` out of the list, answers it, frees it. */
static void settle(struct session *s, struct pending *p, const struct reply *r)
{
    for (struct pending **at = &s->pending; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            s->pending_count--;
            break;
        }
    /* Without a connection everything ends so, and why has been told. */
    if (r->err && (!p->fn || r->err != ERR_STATE) && s->phase == PHASE_UP)
        log_warn("obs", "%s failed: %s", p->type, r->text);
    if (p->fn)
        p->fn(p->user, r);
    pending_free(p);
}

/* Ends every request; those that the callbacks add meanwhile stay. A callback may free the session,
 * which then ends the rest itself. */
static void settle_all(struct session *s, const char *why)
{
    uint64_t last = s->next_id;
    s->depth++;
    while (s->pending && s->pending->id <= last)
        settle(s, s->pending, &(struct reply){.err = ERR_CLOSED, .text = why});
    leave(s);
}

static void on_deadline(void *user)
{
    struct session *s = user;
    int64_t now = clock_mono_ms();
    uint64_t last = s->next_id; /* what the callbacks add waits for the next turn */
    s->depth++;
    for (struct pending *p = s->pending, *next; p && p->id <= last; p = next) {
        next = p->next;
        if (p->due_ms <= now) {
            struct reply r = {.err = ERR_TIMEOUT, .text = "OBS did not answer in time"};
            if (p->unsent)
                r = (struct reply){.err = p->unsent,
                                   .text = p->unsent == ERR_CLOSED
                                               ? "OBS is not connected"
                                               : "too many requests wait for OBS"};
            else if (p->refused)
                r = (struct reply){ERR_TIMEOUT, WIRE_NOT_READY,
                                   "OBS is not ready: it loads or changes its scene collection",
                                   NULL, 0};
            settle(s, p, &r);
            next = s->pending; /* the callback may have changed the list */
        } else if (p->again_ms && p->again_ms <= now) {
            p->again_ms = 0;
            if (s->ws)
                ws_send(s->ws, p->text, p->n);
        }
    }
    arm_deadline(s);
    leave(s);
}

/* Refuses from the loop, not from inside the caller: through the list, due now. */
static void enqueue(struct session *s, struct buf *text, uint64_t id, const char *type,
                    int timeout_ms, session_reply_fn *fn, void *user)
{
    struct pending *p = calloc(1, sizeof *p);
    bool sendable = s->ws && s->phase >= PHASE_ASKING && s->phase <= PHASE_UP;
    if (!p) {
        buf_free(text);
        return;
    }
    str_copy(p->type, sizeof p->type, type);
    p->id = id;
    p->fn = fn;
    p->user = user;
    p->n = text->len;
    p->text = buf_take(text);
    p->sent_us = clock_mono_us();
    p->due_ms = clock_mono_ms() + timeout_ms;
    if (!sendable)
        p->unsent = ERR_CLOSED;
    else if (!p->text || s->pending_count >= PENDING_MAX || !ws_send(s->ws, p->text, p->n))
        p->unsent = ERR_LIMIT;
    if (p->unsent)
        p->due_ms = 0;
    struct pending **at = &s->pending;
    while (*at)
        at = &(*at)->next;
    *at = p;
    s->pending_count++;
    arm_deadline(s);
}

void session_request(struct session *s, const char *type, cJSON *data, int timeout_ms,
                     session_reply_fn *fn, void *user)
{
    struct buf text = BUF_INIT(0);
    char id[24];
    uint64_t n = ++s->next_id;
    snprintf(id, sizeof id, "%llu", (unsigned long long)n);
    wire_request(&text, id, type, data);
    cJSON_Delete(data);
    enqueue(s, &text, n, type, timeout_ms, fn, user);
}

cJSON *session_batch_new(void)
{
    return cJSON_CreateArray();
}

void session_batch_add(cJSON *batch, const char *type, cJSON *data)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "requestType", type);
    if (data)
        cJSON_AddItemToObject(o, "requestData", data);
    cJSON_AddItemToArray(batch, o);
}

void session_batch(struct session *s, cJSON *batch, enum wire_mode mode, int timeout_ms,
                   session_reply_fn *fn, void *user)
{
    struct buf text = BUF_INIT(0);
    char id[24];
    uint64_t n = ++s->next_id;
    snprintf(id, sizeof id, "%llu", (unsigned long long)n);
    wire_batch(&text, id, mode, batch);
    cJSON_Delete(batch);
    enqueue(s, &text, n, "a batch", timeout_ms, fn, user);
}

cJSON *session_pair(const char *key, const char *value)
{
    cJSON *o = cJSON_CreateObject();
    if (value)
        cJSON_AddStringToObject(o, key, value);
    return o;
}

/* A batch is not ready when any of its requests was not. */
static bool not_ready(const struct wire *w)
{
    if (w->op == WIRE_RESPONSE)
        return w->code == WIRE_NOT_READY;
    const cJSON *e;
    cJSON_ArrayForEach(e, w->data)
    {
        struct wire r;
        if (wire_result(&r, e) && r.code == WIRE_NOT_READY)
            return true;
    }
    return false;
}

static void answered(struct session *s, const struct wire *w)
{
    uint64_t id = strtoull(w->id, NULL, 10);
    struct pending *p = s->pending;
    while (p && p->id != id)
        p = p->next;
    if (!p) {
        log_debug("obs", "an answer to nothing we asked (%.40s)", w->id);
        return;
    }
    if (not_ready(w)) {
        p->refused = true;
        p->again_ms = clock_mono_ms() + NOT_READY_MS;
        arm_deadline(s);
        return;
    }
    char words[320];
    snprintf(words, sizeof words, "OBS refused %s with status %d%s%.200s", p->type, w->code,
             *w->comment ? ": " : "", w->comment);
    str_printable(words);
    struct reply r = {.err = w->ok ? ERR_OK : ERR_STATE,
                      .code = w->code,
                      .text = w->ok ? "" : words,
                      .data = w->data,
                      .took_us = clock_mono_us() - p->sent_us};
    s->depth++;
    settle(s, p, &r);
    arm_deadline(s);
    leave(s);
}

/* ---- the connection ---- */

static void on_probed(void *user, const struct reply *r)
{
    struct session *s = user;
    s->probing = false;
    if (r->err == ERR_TIMEOUT && r->code != WIRE_NOT_READY)
        fail(s, "OBS does not answer any more", false);
    else if (!r->err)
        s->ops->on_probe(s->user, r->data, r->took_us);
}

static void on_probe_time(void *user)
{
    struct session *s = user;
    if (s->probing)
        return;
    s->probing = true;
    session_request(s, session_can(s, "GetStats") ? "GetStats" : "GetVersion", NULL,
                    PROBE_TIMEOUT_MS, on_probed, s);
}

static void on_version(void *user, const struct reply *r)
{
    struct session *s = user;
    if (r->err == ERR_CLOSED)
        return;
    if (r->err || !json_arr(r->data, "availableRequests")) {
        fail(s, "OBS does not tell its version", false);
        return;
    }
    cJSON_Delete(s->version);
    s->version = cJSON_Duplicate(r->data, true);
    s->phase = PHASE_UP;
    s->pause_ms = BACKOFF_MIN_MS;
    timer_stop(s->again);
    timer_start(s->probe, 50, PROBE_MS);
    log_info("obs", "connected: OBS %s, obs-websocket %s on %s",
             json_str(s->version, "obsVersion", "?"),
             json_str(s->version, "obsWebSocketVersion", "?"),
             json_str(s->version, "platformDescription", "?"));
    s->ops->on_up(s->user);
}

static void greet(struct session *s, const struct wire *hello)
{
    char auth[64];
    struct buf text = BUF_INIT(4096);
    if (hello->challenge && !s->have_password) {
        fail(
            s,
            "OBS asks for a password: put the line `obs.password = …` into secrets.conf (OBS shows "
            "it under Tools, WebSocket Server Settings), then `obs reconnect`",
            true);
        return;
    }
    if (hello->challenge && wire_auth(auth, s->password, hello->salt, hello->challenge)) {
        fail(s, "the password cannot be hashed", false);
        return;
    }
    wire_identify(&text, hello->challenge ? auth : NULL, EVENTS);
    if (!buf_str(&text)[0] || !ws_send(s->ws, buf_str(&text), text.len))
        fail(s, "the greeting cannot be sent", false);
    buf_free(&text);
}

static void event(struct session *s, const struct wire *w)
{
    if (!strcmp(w->type, "ExitStarted")) {
        s->leaving = true;
        log_info("obs", "OBS is closing");
    }
    if (s->phase == PHASE_UP)
        s->ops->on_event(s->user, w->type, w->data);
}

static void on_message(void *user, const char *text, size_t n)
{
    struct session *s = user;
    struct wire w;
    struct fault f;
    s->heard_ms = clock_mono_ms();
    /* No member of `s` is touched after a call below: each may free it. */
    if (wire_parse(&w, text, n, &f)) {
        fail(s, fault_text(&f), false);
        return;
    }
    switch (w.op) {
    case WIRE_HELLO:
        if (s->phase == PHASE_CONNECTING)
            greet(s, &w);
        break;
    case WIRE_IDENTIFIED:
        if (s->phase == PHASE_CONNECTING) {
            s->phase = PHASE_ASKING;
            session_request(s, "GetVersion", NULL, GREETING_MS, on_version, s);
        }
        break;
    case WIRE_EVENT:
        event(s, &w);
        break;
    case WIRE_RESPONSE:
    case WIRE_BATCH_RESPONSE:
        answered(s, &w);
        break;
    default:
        break;
    }
    wire_free(&w);
}

/* The end of this connection, for whatever reason; the next attempt is arranged. */
static void fail(struct session *s, const char *why, bool give_up)
{
    char words[512];
    str_copy(words, sizeof words, why); /* `why` may lie in what goes now */
    ws_free(s->ws);
    s->ws = NULL;
    s->probing = s->leaving = false;
    timer_stop(s->probe);
    cJSON_Delete(s->version);
    s->version = NULL;
    if (give_up) {
        s->phase = PHASE_GAVE_UP;
        timer_stop(s->again);
        log_error("obs", "%s", words);
    } else {
        /* Half of the pause is chance (the clock's last digits), so that many clients of a
         * restarted OBS spread out. */
        int pause = s->pause_ms / 2 + (int)(clock_mono_us() % (s->pause_ms / 2 + 1));
        pause = pause < BACKOFF_MIN_MS ? BACKOFF_MIN_MS : pause;
        s->phase = PHASE_WAITING;
        s->pause_ms = s->pause_ms * 2 < BACKOFF_MAX_MS ? s->pause_ms * 2 : BACKOFF_MAX_MS;
        timer_start(s->again, pause, 0);
        log_info("obs", "%s; next attempt in %d ms", words, pause);
    }
    s->depth++;
    settle_all(s, "the connection to OBS is gone");
    if (!s->dead)
        s->ops->on_down(s->user, words, give_up);
    leave(s);
}

static void on_open(void *user)
{
    struct session *s = user;
    timer_start(s->again, GREETING_MS, 0); /* OBS speaks first */
}

static void on_close(void *user, int code, const char *why)
{
    struct session *s = user;
    char words[512];
    s->ws = NULL; /* freed by its room after this call */
    if (code == 4009)
        fail(s,
             "OBS refused the password: put the right one into secrets.conf as `obs.password = …` "
             "(OBS shows it under Tools, WebSocket Server Settings), then `obs reconnect`",
             true);
    else if (code == 4011)
        fail(s,
             "somebody ended our session in OBS (Tools, WebSocket Server Settings); `obs "
             "reconnect` connects again",
             true);
    else {
        snprintf(words, sizeof words, "%s%.400s", s->leaving ? "OBS has closed: " : "", why);
        fail(s, words, false);
    }
}

static void on_again(void *user)
{
    static const struct ws_ops ops = {on_open, on_message, on_close};
    struct session *s = user;
    struct fault f;
    if (s->phase == PHASE_CONNECTING || s->phase == PHASE_ASKING) {
        fail(s, "OBS did not greet within 5 s", false);
        return;
    }
    s->phase = PHASE_CONNECTING;
    s->ws = ws_open(s->loop, s->url, "obswebsocket.json", &ops, s, &f);
    if (s->ws)
        timer_start(s->again, 2 * GREETING_MS, 0); /* connecting may take 5 s of its own */
    else
        fail(s, fault_text(&f), false);
}

void session_retry(struct session *s, const char *password)
{
    if (password) {
        str_copy(s->password, sizeof s->password, password);
        s->have_password = true;
    }
    if (s->phase == PHASE_UP)
        return;
    ws_free(s->ws);
    s->ws = NULL;
    s->phase = PHASE_WAITING;
    s->pause_ms = BACKOFF_MIN_MS;
    timer_start(s->again, 0, 0);
    settle_all(s, "the connection to OBS is made anew"); /* a question that was still open */
}

struct session *session_new(struct loop *l, const char *url, const char *password,
                            const struct session_ops *ops, void *user, struct fault *f)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s) {
        fault_set(f, ERR_NOMEM, "no memory for the OBS session");
        return NULL;
    }
    if ((strncmp(url, "ws://", 5) && strncmp(url, "wss://", 6)) ||
        !str_copy(s->url, sizeof s->url, url)) {
        fault_set(f, ERR_INVAL, "%.200s is no address of an OBS, such as ws://127.0.0.1:4455", url);
        free(s);
        return NULL;
    }
    s->loop = l;
    s->ops = ops;
    s->user = user;
    s->have_password = password && *password;
    if (s->have_password)
        str_copy(s->password, sizeof s->password, password);
    s->pause_ms = BACKOFF_MIN_MS;
    s->again = timer_new(l, "obs attempt", on_again, s);
    s->probe = timer_new(l, "obs probe", on_probe_time, s);
    s->deadline = timer_new(l, "obs deadline", on_deadline, s);
    if (!s->again || !s->probe || !s->deadline) {
        fault_set(f, ERR_NOMEM, "no memory for the OBS session");
        session_free(s);
        return NULL;
    }
    timer_start(s->again, 0, 0);
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    s->depth++;
    s->phase = PHASE_GAVE_UP;
    ws_free(s->ws);
    s->ws = NULL;
    while (s->pending)
        settle_all(s, "the session with OBS was ended");
    timer_free(s->again);
    timer_free(s->probe);
    timer_free(s->deadline);
    cJSON_Delete(s->version);
    s->dead = true;
    leave(s);
}

void session_shutdown(struct loop *l)
{
    ws_shutdown(l);
}

struct loop *session_loop(const struct session *s)
{
    return s->loop;
}

bool session_up(const struct session *s)
{
    return s->phase == PHASE_UP;
}

int64_t session_heard_ms(const struct session *s)
{
    return s->heard_ms;
}

static bool listed(const cJSON *list, const char *name)
{
    const cJSON *e;
    cJSON_ArrayForEach(e, list) if (cJSON_IsString(e) && !strcmp(e->valuestring, name)) return true;
    return false;
}

bool session_can(const struct session *s, const char *request)
{
    return listed(json_arr(s->version, "availableRequests"), request);
}

bool session_pictures(const struct session *s, const char *format)
{
    return listed(json_arr(s->version, "supportedImageFormats"), format);
}

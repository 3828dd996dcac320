#include "chat/irc.h"

#include "base/clock.h"
#include "base/log.h"
#include "chat/ircurl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One IRC connection and what keeps it up.
 *
 *     DOWN ──retry──▶ CONNECTING ──open──▶ LOGIN ──001──▶ JOINING ──366──▶ JOINED
 *      ▲                   │                 │               │               │
 *      └───────────────────┴─────────────────┴───────────────┴───────────────┘ irc_drop()
 *
 * irc_drop() is the one way down, whatever went wrong, and it always sets the retry timer. How long
 * the next attempt waits depends on how long it has been away: a tenth of that, from half a second
 * to 25 s, jittered. So a short outage is over at most 2 s after the server's return, and a long
 * one costs the server little. What another attempt cannot mend (a wrong password, a ban) waits
 * `refused_ms` instead and says what to do.
 *
 * A half-open connection shows no error at all, so silence is measured: after `ping_ms` without a
 * byte a PING goes out, after `deadline_ms` the connection is dead. The same watch bounds login and
 * join, and it is the watchdog over the library: the shield cannot stall, but if it ever did, PINGs
 * would stay unanswered and the server would end it. */

#define AWAY_MIN_MS 500
#define AWAY_MAX_MS 25000
#define STEADY_MS 5000 /* a connection that fell sooner does not end the outage */
#define JOIN_MS 15000  /* for the server's answer to JOIN */

void irc_go(struct irc *c, enum irc_state state)
{
    int64_t now = clock_mono_ms();
    if (c->state == IRC_JOINED && now - c->since_ms >= STEADY_MS)
        c->away_ms = now;
    c->state = state;
    c->since_ms = now;
}

int64_t irc_jitter(struct irc *c, int64_t n)
{
    c->random = c->random * 6364136223846793005u + 1442695040888963407u;
    return n > 0 ? (int64_t)(c->random >> 33) % n : 0;
}

void irc_drop(struct irc *c, const char *why, int64_t pause_ms)
{
    int64_t now = clock_mono_ms();
    bool was_joined = c->state == IRC_JOINED;
    net_free(c->net);
    shield_free(c->shield);
    c->net = NULL;
    c->shield = NULL;
    timer_stop(c->watch);
    timer_stop(c->rejoin);
    irc_go(c, IRC_DOWN);
    int64_t wait = (now - c->away_ms) / 10;
    wait = wait < AWAY_MIN_MS ? AWAY_MIN_MS : wait > AWAY_MAX_MS ? AWAY_MAX_MS : wait;
    wait = pause_ms ? pause_ms + irc_jitter(c, pause_ms / 4) : wait - irc_jitter(c, wait * 3 / 10);
    timer_start(c->retry, wait, 0);
    if (was_joined || strcmp(c->base.why, why))
        log_warn("chat", "%s: %s", c->base.where, why);
    source_changed(&c->base, why);
}

static void on_line(void *user, const struct ircline *l)
{
    struct irc *c = user;
    if (c->shield)
        ircevent_line(c, l);
}

static void on_send(void *user, const char *bytes, size_t n)
{
    struct irc *c = user;
    if (c->net)
        net_send(c->net, bytes, n);
}

/* --- the connection --- */

static void on_open(void *user)
{
    static const struct shield_ops ops = {.on_line = on_line, .on_send = on_send};
    struct irc *c = user;
    struct fault f = {0};
    struct shield_login login = {.password = c->password,
                                 .nick = c->nick,
                                 .user = c->nick,
                                 .real = "sakuga",
                                 .caps = ":twitch.tv/tags twitch.tv/commands"};
    irc_go(c, IRC_LOGIN);
    c->base.heard_ms = c->since_ms;
    c->pinged = c->names_asked = c->twitch = false;
    c->nick_tries = 0;
    str_copy(c->nick_now, sizeof c->nick_now, c->nick);
    ircwho_reset(&c->who);
    c->shield = shield_new(&login, &ops, c, &f);
    if (!c->shield) {
        irc_drop(c, fault_text(&f), 0);
        return;
    }
    int64_t tick = c->ping_ms / 8;
    tick = tick < 20 ? 20 : tick > 1000 ? 1000 : tick;
    timer_start(c->watch, tick, tick);
}

static void on_bytes(void *user, const void *p, size_t n)
{
    struct irc *c = user;
    c->base.heard_ms = clock_mono_ms();
    c->pinged = false;
    if (c->shield && !shield_feed(c->shield, p, n) && c->shield)
        irc_drop(c, "the IRC library gave up", 0);
}

static void on_close(void *user, const char *why)
{
    struct irc *c = user;
    c->net = NULL;
    irc_drop(c, why, 0);
}

static void on_retry(void *user)
{
    static const struct net_ops ops = {
        .on_open = on_open, .on_bytes = on_bytes, .on_close = on_close};
    struct irc *c = user;
    struct fault f = {0};
    irc_go(c, IRC_CONNECTING);
    c->net = net_open(c->loop, &c->to, &ops, c, &f);
    if (!c->net)
        irc_drop(c, fault_text(&f), 0);
}

static void on_rejoin(void *user)
{
    struct irc *c = user;
    if (c->shield && c->state == IRC_JOINING)
        ircevent_join(c);
}

static void on_watch(void *user)
{
    struct irc *c = user;
    char why[sizeof c->base.why];
    int64_t now = clock_mono_ms(), silence = now - c->base.heard_ms;
    if (silence >= c->deadline_ms) {
        snprintf(why, sizeof why, "not a byte for %lld ms: the connection is dead",
                 (long long)silence);
        irc_drop(c, why, 0);
    } else if (c->state == IRC_LOGIN && now - c->since_ms >= c->deadline_ms) {
        irc_drop(c, "the server did not answer the login", 0);
    } else if (c->state == IRC_JOINING && !timer_active(c->rejoin) &&
               now - c->since_ms >= JOIN_MS) {
        snprintf(why, sizeof why, "no answer to joining %s: does the channel exist?", c->channel);
        ircevent_outside(c, why);
    } else if (silence >= c->ping_ms && !c->pinged && c->state >= IRC_JOINING) {
        c->pinged = true;
        shield_send(c->shield, "PING :sakuga");
    }
}

/* --- as a source --- */

static bool read_only(const struct irc *c)
{
    return !strncmp(c->nick_now, "justinfan", 9); /* Twitch's account for reading only */
}

static bool irc_ready(const struct source *s)
{
    const struct irc *c = (const struct irc *)s;
    return c->state == IRC_JOINED && !read_only(c);
}

static bool irc_send(struct source *s, const char *line, const char *parent)
{
    struct irc *c = (struct irc *)s;
    bool id = *parent && c->twitch && !parent[strspn(parent, "0123456789abcdefABCDEF-")];
    return c->shield &&
           shield_send(c->shield, "%s%s%sPRIVMSG %s :%s", id ? "@reply-parent-msg-id=" : "",
                       id ? parent : "", id ? " " : "", c->channel, line);
}

static void irc_status(const struct source *s, struct chat_status *st)
{
    const struct irc *c = (const struct irc *)s;
    st->connected = c->state == IRC_JOINED && clock_mono_ms() - s->heard_ms < c->deadline_ms;
}

static void irc_limits(const struct source *s, struct outbox_limits *limits)
{
    *limits = ((const struct irc *)s)->limits;
}

static void irc_stop(struct source *s)
{
    struct irc *c = (struct irc *)s;
    if (c->shield)
        shield_send(c->shield, "QUIT :the show is over");
    net_free(c->net);
    shield_free(c->shield);
    timer_free(c->retry);
    timer_free(c->watch);
    timer_free(c->rejoin);
    if (c->password)
        explicit_bzero(c->password, strlen(c->password));
    free(c->password);
    free(c);
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static enum err configure(struct irc *c, const struct chat_settings *s, struct fault *f)
{
    struct ircurl url;
    const char *nick = s->nick && *s->nick ? s->nick : "sakuga";
    if (ircurl_parse(s->url ? s->url : "", &url, f))
        return f->code;
    if (!shield_nick_ok(nick))
        return fault_set(f, ERR_INVAL, "the chat's nick \"%s\" cannot be a nick of IRC", nick);
    if (s->password && *s->password) {
        if (!url.tls && !net_is_loopback(url.host))
            return fault_set(f, ERR_DENIED,
                             "the chat's password would cross the network unencrypted: write "
                             "ircs://%s/%s instead of irc://",
                             url.host, url.channel);
        if (strlen(s->password) > 500 || s->password[strcspn(s->password, "\r\n ")])
            return fault_set(f, ERR_INVAL, "the chat's password is too long or holds a blank");
        log_secret(s->password);
        c->password = strdup(s->password);
        if (!c->password)
            return fault_set(f, ERR_NOMEM, "cannot join the chat: out of memory");
    }
    if (s->ca && !str_copy(c->ca, sizeof c->ca, s->ca))
        return fault_set(f, ERR_LIMIT, "the path of the chat's `ca` is too long");
    str_copy(c->to.host, sizeof c->to.host, url.host);
    c->to.port = url.port;
    c->to.tls = url.tls;
    c->to.ca = *c->ca ? c->ca : NULL;
    str_copy(c->channel, sizeof c->channel, url.channel);
    str_copy(c->secret, sizeof c->secret, s->secret ? s->secret : "");
    if (strstr(url.host, "twitch.tv"))
        ircwho_lower(c->nick, sizeof c->nick, nick);
    else
        str_copy(c->nick, sizeof c->nick, nick);
    snprintf(c->base.where, sizeof c->base.where, "%s://%.60s:%d/%.50s", url.tls ? "ircs" : "irc",
             url.host, url.port, url.channel);
    c->ping_ms = or_default(s->ping_ms, 15000);
    c->deadline_ms = or_default(s->deadline_ms, 30000);
    c->refused_ms = or_default(s->refused_ms, 60000);
    /* A second more than Twitch's 30: the way there is not equally long for every line. 400 bytes
     * leave room in IRC's 512 for what the server puts in front. */
    c->limits = (struct outbox_limits){.burst = s->budget > 0 ? s->budget : 20,
                                       .window_ms = 31000,
                                       .gap_ms = or_default(s->gap_ms, 1000),
                                       .stale_ms = 60000,
                                       .queue = 64,
                                       .bytes = 400};
    return ERR_OK;
}

static struct source *irc_start(struct loop *l, const struct chat_settings *s, struct fault *f)
{
    struct fault local = {0};
    struct irc *c = calloc(1, sizeof *c);
    f = f ? f : &local;
    if (!c) {
        fault_set(f, ERR_NOMEM, "cannot join the chat: out of memory");
        return NULL;
    }
    c->loop = l;
    c->retry = timer_new(l, "irc retry", on_retry, c);
    c->watch = timer_new(l, "irc watch", on_watch, c);
    c->rejoin = timer_new(l, "irc rejoin", on_rejoin, c);
    if (!c->retry || !c->watch || !c->rejoin)
        fault_set(f, ERR_NOMEM, "cannot join the chat: out of memory");
    else if (!configure(c, s, f)) {
        c->away_ms = clock_mono_ms();
        c->random = (uint64_t)clock_mono_us() ^ (uint64_t)(uintptr_t)c;
        str_copy(c->base.why, sizeof c->base.why, "connecting");
        timer_start(c->retry, 0, 0);
        return &c->base;
    }
    irc_stop(&c->base);
    return NULL;
}

const struct chat_source_ops irc_ops = {.kind = "irc",
                                        .start = irc_start,
                                        .stop = irc_stop,
                                        .send = irc_send,
                                        .ready = irc_ready,
                                        .status = irc_status,
                                        .limits = irc_limits};

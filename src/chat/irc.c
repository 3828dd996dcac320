#include "chat/ircurl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "chat/ircwho.h"
#include "chat/shield.h"
#include "chat/source.h"
#include "loop/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One IRC connection and what keeps it up.
 *
 *     DOWN ──retry──▶ CONNECTING ──open──▶ LOGIN ──001──▶ JOINING ──366──▶ JOINED
 *      ▲                   │                 │               │               │
 *      └───────────────────┴─────────────────┴───────────────┴───────────────┘ drop()
 *
 * drop() is the one way down, whatever went wrong, and it always sets the retry timer. How long the
 * next attempt waits depends on how long it has been away: a tenth of that, from half a second to
 * 25 s, jittered. So a short outage is over at most 2 s after the server's return, and a long one
 * costs the server little. What another attempt cannot mend (a wrong password, a ban) waits
 * `refused_ms` instead and says what to do.
 *
 * A half-open connection shows no error at all, so silence is measured: after `ping_ms` without a
 * byte a PING goes out, after `deadline_ms` the connection is dead. The same watch bounds login and
 * join, and it is the watchdog over the library: the shield cannot stall, but if it ever did, PINGs
 * would stay unanswered and the server would end it. */

#define AWAY_MIN_MS 500
#define AWAY_MAX_MS 25000
#define STEADY_MS 5000 /* a connection that fell sooner does not end the outage */
#define JOIN_MS 15000
#define IDS 1024 /* message ids remembered against duplicates */

enum state { DOWN, CONNECTING, LOGIN, JOINING, JOINED };

struct irc {
    struct source base;
    struct loop *loop;
    /* settings */
    struct net_address to;
    char channel[64], nick[32], ca[PATH_LEN], secret[64];
    char *password;
    struct outbox_limits limits;
    int64_t ping_ms, deadline_ms, refused_ms;
    /* the connection */
    enum state state;
    struct net *net;
    struct shield *shield;
    struct timer *retry, *watch, *rejoin;
    char nick_now[64];
    int nick_tries;
    bool twitch; /* the server granted Twitch's tags */
    bool pinged;
    bool names_asked;
    int64_t since_ms; /* of the state */
    int64_t away_ms;  /* mono when the outage began */
    uint64_t random;
    struct ircwho who;
    uint64_t ids[IDS];
    unsigned id_at;
};

static void go(struct irc *c, enum state state)
{
    c->state = state;
    c->since_ms = clock_mono_ms();
}

/* Uniform in 0..999; only to spread attempts, so a small generator does. */
static int64_t per_mille(struct irc *c)
{
    c->random = c->random * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((c->random >> 33) % 1000);
}

static void retry_in(struct irc *c, int64_t ms)
{
    timer_start(c->retry, ms, 0);
}

/* Ends the connection for the reason `why`; the next attempt comes after `pause_ms`, 0: by how long
 * it has been away. */
static void drop(struct irc *c, const char *why, int64_t pause_ms)
{
    int64_t now = clock_mono_ms();
    bool was_joined = c->state == JOINED;
    if (was_joined && now - c->since_ms >= STEADY_MS)
        c->away_ms = now;
    net_free(c->net);
    shield_free(c->shield);
    c->net = NULL;
    c->shield = NULL;
    timer_stop(c->watch);
    timer_stop(c->rejoin);
    go(c, DOWN);
    int64_t wait = (now - c->away_ms) / 10;
    wait = wait < AWAY_MIN_MS ? AWAY_MIN_MS : wait > AWAY_MAX_MS ? AWAY_MAX_MS : wait;
    wait = pause_ms ? pause_ms + pause_ms * per_mille(c) / 4000
                    : wait * (700 + per_mille(c) * 3 / 10) / 1000;
    retry_in(c, wait);
    if (was_joined || strcmp(c->base.why, why))
        log_warn("chat", "%s: %s", c->base.where, why);
    source_changed(&c->base, why);
}

/* What another attempt cannot mend. */
static void refused(struct irc *c, const char *said)
{
    char why[sizeof c->base.why];
    const char *name = *c->secret ? c->secret : "irc";
    snprintf(why, sizeof why,
             c->password ? "login refused (%.60s): put a valid %.30s.password into secrets.conf"
                         : "login refused (%.60s): it needs %.30s.password in secrets.conf",
             said, name);
    drop(c, why, c->refused_ms);
}

/* --- messages --- */

static bool seen(struct irc *c, const char *id)
{
    uint64_t h = 14695981039346656037u;
    for (; *id; id++)
        h = (h ^ (unsigned char)*id) * 1099511628211u;
    for (int i = 0; i < IDS; i++)
        if (c->ids[i] == h)
            return true;
    c->ids[c->id_at++ % IDS] = h;
    return false;
}

static bool is_ours(const struct irc *c, const struct ircline *l, int param)
{
    return ircwho_same(ircline_param(l, param), c->channel);
}

static bool is_me(const struct irc *c, const char *nick)
{
    return ircwho_same(nick, c->nick_now);
}

static void on_privmsg(struct irc *c, const struct ircline *l)
{
    struct viewer who;
    char id[64], sent[32];
    const char *text = ircline_param(l, 1);
    size_t n = strlen(text);
    if (!is_ours(c, l, 0) || !ircwho_viewer(l, c->twitch ? NULL : &c->who, &who))
        return;
    ircline_tag(l, "id", c->twitch ? id : sent, c->twitch ? sizeof id : sizeof sent);
    if (!c->twitch)
        id[0] = '\0';
    if (*id && seen(c, id))
        return;
    int64_t utc = 0;
    if (c->twitch && ircline_tag(l, "tmi-sent-ts", sent, sizeof sent))
        utc = strtoll(sent, NULL, 10);
    if (!strncmp(text, "\1ACTION ", 8)) {
        text += 8;
        n -= 8;
        n -= n && text[n - 1] == '\1';
    }
    source_line(&c->base, &who, c->channel, id, text, n, utc > 0 ? utc : clock_utc_ms());
}

static void withdraw(struct irc *c, const char *uid, const char *msgid, int64_t ban_s)
{
    struct chat_withdrawal w = {.ban_s = ban_s};
    str_copy(w.platform, sizeof w.platform, c->twitch ? "twitch" : "irc");
    str_copy(w.uid, sizeof w.uid, uid);
    str_copy(w.msgid, sizeof w.msgid, msgid);
    source_withdraw(&c->base, &w);
}

static void on_clearchat(struct irc *c, const struct ircline *l)
{
    char uid[64], duration[24];
    if (!c->twitch || !is_ours(c, l, 0))
        return;
    if (l->params < 2) {
        withdraw(c, "", "", 0);
        return;
    }
    if (!ircline_tag(l, "target-user-id", uid, sizeof uid) || !*uid)
        ircwho_lower(uid, sizeof uid, l->param[1]);
    bool timed = ircline_tag(l, "ban-duration", duration, sizeof duration);
    if (*uid)
        withdraw(c, uid, "", timed ? strtoll(duration, NULL, 10) : -1);
}

static void on_clearmsg(struct irc *c, const struct ircline *l)
{
    char id[64];
    if (c->twitch && is_ours(c, l, 0) && ircline_tag(l, "target-msg-id", id, sizeof id) && *id)
        withdraw(c, "", id, 0);
}

/* --- login and join --- */

static void join(struct irc *c)
{
    go(c, JOINING);
    ircwho_reset(&c->who);
    shield_send(c->shield, "JOIN %s", c->channel);
}

static void joined(struct irc *c)
{
    if (c->state == JOINED)
        return;
    go(c, JOINED);
    timer_stop(c->rejoin);
    log_info("chat", "%s: joined as %s%s", c->base.where, c->nick_now,
             c->twitch ? ", with Twitch tags" : "");
    source_changed(&c->base, "");
}

/* Connected but not in the channel; asks again after a while. */
static void outside(struct irc *c, const char *why)
{
    go(c, JOINING);
    timer_start(c->rejoin, c->refused_ms + c->refused_ms * per_mille(c) / 4000, 0);
    log_warn("chat", "%s: %s", c->base.where, why);
    source_changed(&c->base, why);
}

static void on_rejoin(void *user)
{
    struct irc *c = user;
    if (c->shield && c->state == JOINING)
        join(c);
}

static void on_welcome(struct irc *c, const struct ircline *l)
{
    if (c->state != LOGIN)
        return;
    str_copy(c->nick_now, sizeof c->nick_now, ircline_param(l, 0));
    join(c);
}

static void on_cap(struct irc *c, const struct ircline *l)
{
    const char *verb = ircline_param(l, 1), *caps = ircline_param(l, l->params - 1);
    if (!strcmp(verb, "ACK") && strstr(caps, "twitch.tv/tags"))
        c->twitch = true;
    /* A server of IRCv3 waits with the login until it hears this; Twitch does not mind it. */
    if (c->state == LOGIN && (!strcmp(verb, "ACK") || !strcmp(verb, "NAK")))
        shield_send(c->shield, "CAP END");
}

static void on_nick_refused(struct irc *c, const struct ircline *l)
{
    (void)l;
    if (c->state != LOGIN)
        return;
    char nick[32];
    c->nick_tries++;
    if (c->nick_tries <= 2)
        snprintf(nick, sizeof nick, "%.28s%.*s", c->nick, c->nick_tries, "__");
    else
        snprintf(nick, sizeof nick, "%.20s_%03d", c->nick, (int)per_mille(c));
    if (c->nick_tries > 8) {
        drop(c, "every nick it tried is in use or refused: choose another `nick`", c->refused_ms);
        return;
    }
    log_warn("chat", "%s: the nick %s is taken, trying %s", c->base.where, c->nick, nick);
    shield_send(c->shield, "NICK %s", nick);
}

static void on_password_wrong(struct irc *c, const struct ircline *l)
{
    refused(c, ircline_param(l, l->params - 1));
}

static void on_join_refused(struct irc *c, const struct ircline *l)
{
    char why[sizeof c->base.why];
    if (!is_ours(c, l, 1))
        return;
    snprintf(why, sizeof why, "the server does not let us into %s: %.100s", c->channel,
             ircline_param(l, l->params - 1));
    outside(c, why);
}

static void on_join(struct irc *c, const struct ircline *l)
{
    char nick[64];
    ircline_nick(l, nick, sizeof nick);
    if (is_me(c, nick) && is_ours(c, l, 0))
        joined(c);
}

static void on_names(struct irc *c, const struct ircline *l)
{
    if (l->params > 3 && is_ours(c, l, 2))
        ircwho_names(&c->who, l->param[3]);
}

static void on_names_end(struct irc *c, const struct ircline *l)
{
    if (!is_ours(c, l, 1))
        return;
    ircwho_names_end(&c->who);
    c->names_asked = false;
    joined(c);
}

/* The server knows the grammar of its modes; we ask it who is an operator now. */
static void on_mode(struct irc *c, const struct ircline *l)
{
    if (!is_ours(c, l, 0) || c->twitch || c->names_asked)
        return;
    c->names_asked = shield_send(c->shield, "NAMES %s", c->channel);
}

static void on_nick(struct irc *c, const struct ircline *l)
{
    char nick[64];
    ircline_nick(l, nick, sizeof nick);
    ircwho_renamed(&c->who, nick, ircline_param(l, 0));
    if (is_me(c, nick))
        str_copy(c->nick_now, sizeof c->nick_now, ircline_param(l, 0));
}

static void on_leave(struct irc *c, const struct ircline *l)
{
    char nick[64];
    ircline_nick(l, nick, sizeof nick);
    bool quit = !strcmp(l->command, "QUIT");
    if (!quit && !is_ours(c, l, 0))
        return;
    ircwho_left(&c->who, nick);
    if (!quit && is_me(c, nick))
        outside(c, "it was taken out of the channel");
}

/* A moderator's kick is what a plain IRC channel has for a ban: the prompts go. */
static void on_kick(struct irc *c, const struct ircline *l)
{
    char uid[64], why[sizeof c->base.why];
    if (!is_ours(c, l, 0))
        return;
    ircwho_left(&c->who, l->param[1]);
    if (is_me(c, l->param[1])) {
        snprintf(why, sizeof why, "it was kicked out of %s (%.80s): ask its operators", c->channel,
                 ircline_param(l, 2));
        outside(c, why);
        return;
    }
    ircwho_lower(uid, sizeof uid, l->param[1]);
    withdraw(c, uid, "", 0);
}

/* --- what the server itself says --- */

static void on_reconnect(struct irc *c, const struct ircline *l)
{
    (void)l;
    c->away_ms = clock_mono_ms();
    drop(c, "the server asked for a reconnection", 0);
}

static void on_error(struct irc *c, const struct ircline *l)
{
    char why[sizeof c->base.why];
    snprintf(why, sizeof why, "the server ended it: %.120s", ircline_param(l, 0));
    /* Words of a ban; any other end (a restart, a lost PING) is tried again soon. */
    bool banned = strstr(why, "K-Line") || strstr(why, "k-line") || strstr(why, "anned");
    bool password = strstr(why, "assword");
    if (password && c->state == LOGIN)
        refused(c, ircline_param(l, 0));
    else
        drop(c, why, banned ? c->refused_ms : 0);
}

static void on_banned(struct irc *c, const struct ircline *l)
{
    char why[sizeof c->base.why];
    snprintf(why, sizeof why, "the server has banned this account or address: %.100s",
             ircline_param(l, l->params - 1));
    drop(c, why, c->refused_ms);
}

static void on_notice(struct irc *c, const struct ircline *l)
{
    static const char *const login[] = {"Login authentication failed", "Improperly formatted auth",
                                        "Login unsuccessful", "Error logging in", "Invalid NICK"};
    static const char *const out[] = {"msg_banned", "msg_channel_suspended", "tos_ban",
                                      "msg_room_not_found"};
    char id[64], why[sizeof c->base.why];
    const char *text = ircline_param(l, 1);
    bool person = strchr(l->prefix, '!') != NULL; /* a viewer's NOTICE is no news of the server */
    if (person)
        return;
    for (size_t i = 0; c->state == LOGIN && i < sizeof login / sizeof *login; i++)
        if (strstr(text, login[i])) {
            refused(c, text);
            return;
        }
    if (!ircline_tag(l, "msg-id", id, sizeof id) || !is_ours(c, l, 0))
        return;
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        if (!strcmp(id, out[i])) {
            snprintf(why, sizeof why, "%s: %.120s", c->channel, text);
            outside(c, why);
            return;
        }
    if (!strncmp(id, "msg_", 4))
        log_warn("chat", "%s: a reply was not sent (%s): %s", c->base.where, id, text);
}

static void on_not_sent(struct irc *c, const struct ircline *l)
{
    log_warn("chat", "%s: a reply was not sent: %s", c->base.where,
             ircline_param(l, l->params - 1));
}

/* Sorted by how often they come. */
static const struct {
    const char *command;
    void (*fn)(struct irc *c, const struct ircline *l);
} commands[] = {
    {"PRIVMSG", on_privmsg},
    {"JOIN", on_join},
    {"PART", on_leave},
    {"QUIT", on_leave},
    {"NICK", on_nick},
    {"MODE", on_mode},
    {"KICK", on_kick},
    {"CLEARCHAT", on_clearchat},
    {"CLEARMSG", on_clearmsg},
    {"NOTICE", on_notice},
    {"RECONNECT", on_reconnect},
    {"ERROR", on_error},
    {"CAP", on_cap},
    {"001", on_welcome},
    {"353", on_names},
    {"366", on_names_end},
    {"403", on_join_refused},   /* no such channel */
    {"404", on_not_sent},       /* cannot send to channel */
    {"405", on_join_refused},   /* too many channels */
    {"432", on_nick_refused},   /* erroneous */
    {"433", on_nick_refused},   /* in use */
    {"436", on_nick_refused},   /* collision */
    {"437", on_nick_refused},   /* not available for now */
    {"464", on_password_wrong}, /* wrong server password */
    {"465", on_banned},
    {"471", on_join_refused}, /* full */
    {"473", on_join_refused}, /* invite only */
    {"474", on_join_refused}, /* banned */
    {"475", on_join_refused}, /* needs a key */
    {"476", on_join_refused}, /* bad channel */
    {"477", on_join_refused}, /* needs a registered nick */
    {"489", on_join_refused}, /* needs TLS */
};

static void on_line(void *user, const struct ircline *l)
{
    struct irc *c = user;
    for (size_t i = 0; c->shield && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(l->command, commands[i].command)) {
            commands[i].fn(c, l);
            return;
        }
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
    go(c, LOGIN);
    c->base.heard_ms = c->since_ms;
    c->pinged = c->names_asked = c->twitch = false;
    c->nick_tries = 0;
    str_copy(c->nick_now, sizeof c->nick_now, c->nick);
    ircwho_reset(&c->who);
    c->shield = shield_new(&login, &ops, c, &f);
    if (!c->shield) {
        drop(c, fault_text(&f), 0);
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
        drop(c, "the IRC library gave up", 0);
}

static void on_close(void *user, const char *why)
{
    struct irc *c = user;
    c->net = NULL;
    drop(c, why, 0);
}

static void on_retry(void *user)
{
    static const struct net_ops ops = {
        .on_open = on_open, .on_bytes = on_bytes, .on_close = on_close};
    struct irc *c = user;
    struct fault f = {0};
    go(c, CONNECTING);
    c->net = net_open(c->loop, &c->to, &ops, c, &f);
    if (!c->net)
        drop(c, fault_text(&f), 0);
}

static void on_watch(void *user)
{
    struct irc *c = user;
    char why[sizeof c->base.why];
    int64_t now = clock_mono_ms(), silence = now - c->base.heard_ms;
    if (silence >= c->deadline_ms) {
        snprintf(why, sizeof why, "not a byte for %lld ms: the connection is dead",
                 (long long)silence);
        drop(c, why, 0);
    } else if (c->state == LOGIN && now - c->since_ms >= c->deadline_ms) {
        drop(c, "the server did not answer the login", 0);
    } else if (c->state == JOINING && !timer_active(c->rejoin) && now - c->since_ms >= JOIN_MS) {
        snprintf(why, sizeof why, "no answer to joining %s: does the channel exist?", c->channel);
        outside(c, why);
    } else if (silence >= c->ping_ms && !c->pinged && c->state >= JOINING) {
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
    return c->state == JOINED && !read_only(c);
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
    st->connected = c->state == JOINED && clock_mono_ms() - s->heard_ms < c->deadline_ms;
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
        retry_in(c, 0);
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

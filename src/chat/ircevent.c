#include "chat/irc.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- messages --- */

static bool seen(struct irc *c, const char *id)
{
    uint64_t h = hash_more(HASH_BEGIN, id, strlen(id));
    for (int i = 0; i < IRC_IDS; i++)
        if (c->ids[i] == h)
            return true;
    c->ids[c->id_at++ % IRC_IDS] = h;
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
    char id[64] = "", sent[32];
    const char *text = ircline_param(l, 1);
    size_t n = strlen(text);
    if (!is_ours(c, l, 0) || !ircwho_viewer(l, c->twitch ? NULL : &c->who, &who))
        return;
    if (c->twitch && ircline_tag(l, "id", id, sizeof id) && *id && seen(c, id))
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

/* What another attempt cannot mend. */
static void refused(struct irc *c, const char *said)
{
    char why[sizeof c->base.why];
    const char *name = *c->secret ? c->secret : "irc";
    snprintf(why, sizeof why,
             c->password ? "login refused (%.60s): put a valid %.30s.password into secrets.conf"
                         : "login refused (%.60s): it needs %.30s.password in secrets.conf",
             said, name);
    irc_drop(c, why, c->refused_ms);
}

void ircevent_join(struct irc *c)
{
    irc_go(c, IRC_JOINING);
    ircwho_reset(&c->who);
    shield_send(c->shield, "JOIN %s", c->channel);
}

static void joined(struct irc *c)
{
    if (c->state == IRC_JOINED)
        return;
    irc_go(c, IRC_JOINED);
    timer_stop(c->rejoin);
    log_info("chat", "%s: joined as %s%s", c->base.where, c->nick_now,
             c->twitch ? ", with Twitch tags" : "");
    source_changed(&c->base, "");
}

void ircevent_outside(struct irc *c, const char *why)
{
    irc_go(c, IRC_JOINING);
    timer_start(c->rejoin, c->refused_ms + irc_jitter(c, c->refused_ms / 4), 0);
    log_warn("chat", "%s: %s", c->base.where, why);
    source_changed(&c->base, why);
}

static void on_welcome(struct irc *c, const struct ircline *l)
{
    if (c->state != IRC_LOGIN)
        return;
    str_copy(c->nick_now, sizeof c->nick_now, ircline_param(l, 0));
    ircevent_join(c);
}

static void on_cap(struct irc *c, const struct ircline *l)
{
    const char *verb = ircline_param(l, 1), *caps = ircline_param(l, l->params - 1);
    if (!strcmp(verb, "ACK") && strstr(caps, "twitch.tv/tags"))
        c->twitch = true;
    /* A server of IRCv3 waits with the login until it hears this; Twitch does not mind it. */
    if (c->state == IRC_LOGIN && (!strcmp(verb, "ACK") || !strcmp(verb, "NAK")))
        shield_send(c->shield, "CAP END");
}

static void on_nick_refused(struct irc *c, const struct ircline *l)
{
    (void)l;
    if (c->state != IRC_LOGIN)
        return;
    char nick[32];
    c->nick_tries++;
    if (c->nick_tries <= 2)
        snprintf(nick, sizeof nick, "%.28s%.*s", c->nick, c->nick_tries, "__");
    else
        snprintf(nick, sizeof nick, "%.20s_%03d", c->nick, (int)irc_jitter(c, 1000));
    if (c->nick_tries > 8) {
        irc_drop(c, "every nick it tried is in use or refused: choose another `nick`",
                 c->refused_ms);
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
    ircevent_outside(c, why);
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
        ircevent_outside(c, "it was taken out of the channel");
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
        ircevent_outside(c, why);
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
    irc_drop(c, "the server asked for a reconnection", 0);
}

static void on_error(struct irc *c, const struct ircline *l)
{
    char why[sizeof c->base.why];
    snprintf(why, sizeof why, "the server ended it: %.120s", ircline_param(l, 0));
    /* Words of a ban; any other end (a restart, a lost PING) is tried again soon. */
    bool banned = strstr(why, "K-Line") || strstr(why, "k-line") || strstr(why, "anned");
    bool password = strstr(why, "assword");
    if (password && c->state == IRC_LOGIN)
        refused(c, ircline_param(l, 0));
    else
        irc_drop(c, why, banned ? c->refused_ms : 0);
}

static void on_banned(struct irc *c, const struct ircline *l)
{
    char why[sizeof c->base.why];
    snprintf(why, sizeof why, "the server has banned this account or address: %.100s",
             ircline_param(l, l->params - 1));
    irc_drop(c, why, c->refused_ms);
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
    for (size_t i = 0; c->state == IRC_LOGIN && i < sizeof login / sizeof *login; i++)
        if (strstr(text, login[i])) {
            refused(c, text);
            return;
        }
    if (!ircline_tag(l, "msg-id", id, sizeof id) || !is_ours(c, l, 0))
        return;
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        if (!strcmp(id, out[i])) {
            snprintf(why, sizeof why, "%s: %.120s", c->channel, text);
            ircevent_outside(c, why);
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

void ircevent_line(struct irc *c, const struct ircline *l)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(l->command, commands[i].command)) {
            commands[i].fn(c, l);
            return;
        }
}

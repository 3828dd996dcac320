/* chat/irc: the inside of the IRC source, shared by irc.c (the connection and its life) and
 * ircevent.c (what each message means). Everybody else knows `irc_ops` of chat/source.h.
 *
 * Loop thread only. */
#ifndef SAKUGA_CHAT_IRC_H
#define SAKUGA_CHAT_IRC_H

#include "base/path.h"
#include "chat/ircwho.h"
#include "chat/shield.h"
#include "chat/source.h"
#include "loop/net.h"

#define IRC_IDS 1024 /* message ids remembered against duplicates */

enum irc_state { IRC_DOWN, IRC_CONNECTING, IRC_LOGIN, IRC_JOINING, IRC_JOINED };

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
    enum irc_state state;
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
    uint64_t ids[IRC_IDS];
    unsigned id_at;
};

/* Enters a state; leaving the channel after a while begins an outage. */
void irc_go(struct irc *c, enum irc_state state);

/* Ends the connection for the reason `why`; the next attempt comes after `pause_ms`, 0: by how long
 * it has been away. Net and shield are gone after it, also when it is called from inside them. */
void irc_drop(struct irc *c, const char *why, int64_t pause_ms);

/* Uniform in 0..n-1; only to spread attempts, so a small generator does. */
int64_t irc_jitter(struct irc *c, int64_t n);

/* Does what a message of the server asks for. */
void ircevent_line(struct irc *c, const struct ircline *l);

/* Connected but not in the channel: tells `why` and tries to join again after a while. */
void ircevent_outside(struct irc *c, const char *why);
void ircevent_join(struct irc *c);

#endif

/* chat/chat: the chats of a show behind one interface: lines in, replies out.
 *
 * Loop thread only. Each source of the settings connects, reconnects and keeps its platform's
 * manners by itself; the owner hears cleaned lines, withdrawals and changes of status. Replies are
 * queued for each source, coalesced, and sent within its budget; a lost one is logged and never an
 * error. Nothing here blocks, and nothing that a server sends stops the show. */
#ifndef SAKUGA_CHAT_CHAT_H
#define SAKUGA_CHAT_CHAT_H

#include "chat/outbox.h"
#include "loop/loop.h"
#include "show/status.h"
#include "show/viewer.h"

/* One entry of `chat` in show.lua. Strings are borrowed for the call of chat_add(). 0 and NULL mean
 * the default everywhere. */
struct chat_settings {
    const char *kind;     /* "irc", "simulated" */
    const char *url;      /* irc: ircs://host[:port]/#channel, or irc:// without TLS */
    const char *nick;     /* irc: the account's login name */
    const char *ca;       /* irc: PEM file to trust instead of the system's */
    const char *password; /* irc: "oauth:…" on Twitch; never over irc:// but to loopback */
    const char *secret;   /* the NAME of NAME.password in secrets.conf, for advice */
    uint64_t seed;        /* simulated: the audience */
    double rate;          /* simulated: lines a minute, 20 */
    int budget;           /* irc: lines in 30 s: 20, the limit of an ordinary Twitch account */
    int64_t gap_ms;       /* irc: between two lines: 1000 */
    int64_t ping_ms;      /* irc: silence before it sends a PING of its own: 15,000 */
    int64_t deadline_ms;  /* irc: silence after which the connection is dead: 30,000 */
    int64_t refused_ms;   /* irc: pause after a refused login or a ban: 60,000 */
};

struct chat;
struct chat_ops {
    void (*on_line)(void *user, const struct chat_line *line);
    void (*on_withdrawal)(void *user, const struct chat_withdrawal *w);
    void (*on_status)(void *user, int source); /* something of chat_status() changed */
};

struct chat *chat_new(struct loop *l, const struct chat_ops *ops, void *user);
void chat_free(struct chat *c); /* may not be called from its own callbacks; NULL is fine */

/* Starts a source; its index, or -1 with `f`: what is wrong with the settings. */
int chat_add(struct chat *c, const struct chat_settings *s, struct fault *f);
int chat_count(const struct chat *c);
void chat_status(const struct chat *c, int source, struct chat_status *st);

/* Says `text` to a viewer, or to all when `to` is NULL. `parent`: id of the message that it
 * answers, or NULL. Queued; lost when the source is unknown or the queue is full of better. */
void chat_reply(struct chat *c, int source, const struct viewer *to, enum chat_kind kind,
                const char *text, const char *parent);

#endif

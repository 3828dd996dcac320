/* chat/shield: an IRC session of libircclient that no server can stall or crash.
 *
 * Loop thread only. The caller owns the transport: bytes from the server go into shield_feed(),
 * bytes for the server come out of on_send(). Every well-formed message comes out of on_line() with
 * its full text and tags. A shield serves one connection; make a new one for the next.
 * shield_free() may be called from inside its own callbacks. Why it exists: shield.c. */
#ifndef SAKUGA_CHAT_SHIELD_H
#define SAKUGA_CHAT_SHIELD_H

#include "base/err.h"
#include "chat/ircline.h"

struct shield;
struct shield_ops {
    void (*on_line)(void *user, const struct ircline *line);
    void (*on_send)(void *user, const char *bytes, size_t n);
};
struct shield_login {
    const char *password; /* NULL or "": none */
    const char *nick;
    const char *user, *real;
    const char *caps; /* capabilities to ask for before anything else, NULL for none */
};

/* Begins the session: CAP REQ, PASS, NICK and USER leave through on_send() before it returns. */
struct shield *shield_new(const struct shield_login *login, const struct shield_ops *ops,
                          void *user, struct fault *f);
void shield_free(struct shield *s); /* NULL is fine */

/* False when the library has given up (a bug, never the server's doing): end the connection. */
bool shield_feed(struct shield *s, const char *bytes, size_t n);

/* Sends one line through the library (no CR or LF in it, at most SHIELD_SEND_MAX bytes). */
bool shield_send(struct shield *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define SHIELD_SEND_MAX 1000

/* Lines dropped so far because they were too long or no message of IRC. */
uint64_t shield_dropped(const struct shield *s);

/* May `nick` be used as a nick: letters, digits and []\`_^{|}- , 1 to 30 of them, no digit first?
 */
bool shield_nick_ok(const char *nick);

#endif

/* chat/ircwho: who says an IRC line, with which rights.
 *
 * Pure. On Twitch the tags tell (user id, display name, badges). Elsewhere the nick is all there
 * is, and the channel's operators are its moderators: they are kept here as the server names them
 * (NAMES), follow a change of nick, and lose the right when they leave. */
#ifndef SAKUGA_CHAT_IRCWHO_H
#define SAKUGA_CHAT_IRCWHO_H

#include "chat/ircline.h"
#include "show/viewer.h"

#define IRCWHO_OPS_MAX 128
#define IRCWHO_NICK 64

struct ircwho {
    char ops[IRCWHO_OPS_MAX][IRCWHO_NICK]; /* lower case */
    int n;
    char coming[IRCWHO_OPS_MAX][IRCWHO_NICK]; /* of a NAMES that has not ended */
    int coming_n;
};

void ircwho_reset(struct ircwho *w);
/* The text of a 353 (names with their signs), and the 366 that ends it. */
void ircwho_names(struct ircwho *w, const char *names);
void ircwho_names_end(struct ircwho *w);
void ircwho_left(struct ircwho *w, const char *nick);
void ircwho_renamed(struct ircwho *w, const char *from, const char *to);
bool ircwho_is_op(const struct ircwho *w, const char *nick);

/* Fills `v` for the sender of a line; `w` NULL: by its Twitch tags. False when it is no person. */
bool ircwho_viewer(const struct ircline *l, const struct ircwho *w, struct viewer *v);

/* Copies with ASCII letters in lower case. Not rfc1459's folding of []\~: a server may tell such
 * nicks apart, and a viewer must not get an operator's rights by being similar. */
void ircwho_lower(char *out, size_t size, const char *in);
bool ircwho_same(const char *a, const char *b);

#endif

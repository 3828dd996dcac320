/* chat/audience: a crowd that does not exist, for the demo and for rehearsals.
 *
 * Pure: the same seed gives the same lines at the same distances, and what it hears back (replies
 * of the show) moves it in the same way. It asks for clips in hundreds of thousands of ways, votes
 * for prompts that it heard of, chats, floods now and then, and some of it are trolls: its lines
 * are as raw as those of a real chat, and have to be cleaned like them. */
#ifndef SAKUGA_CHAT_AUDIENCE_H
#define SAKUGA_CHAT_AUDIENCE_H

#include "show/viewer.h"

#include <stddef.h>

#define AUDIENCE_TEXT 2048

struct audience_line {
    int64_t after_ms; /* since the line before it */
    struct viewer who;
    char text[AUDIENCE_TEXT];
};

struct audience;
/* `rate`: lines a minute in the long run. NULL when out of memory. */
struct audience *audience_new(uint64_t seed, double rate);
void audience_free(struct audience *a);

void audience_next(struct audience *a, struct audience_line *out);

/* It reads what the show said: "#12" makes 12 a prompt that can be voted for, a clip on air makes
 * it cheer. */
void audience_hears(struct audience *a, const char *text);

int audience_viewers(void); /* how many there are */

#endif

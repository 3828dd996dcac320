/* wan/turns: the prompts of a causal clip that is on its way, in the order they were spoken: those
 * of the job's list that began, and those that the caller gave between two blocks. A checkpoint
 * holds them, and a recipe can: as a job's list they give the same clip. The texts are owned. */
#ifndef SAKUGA_WAN_TURNS_H
#define SAKUGA_WAN_TURNS_H

#include "base/buf.h"
#include "wan/wan.h"

struct turns {
    struct wan_turn turn[WAN_TURNS_MAX];
    int n;
};

/* From `frame` on, behind all that is there, it is `prompt`, which is copied. */
enum err turns_add(struct turns *t, int frame, const char *prompt, struct fault *f);
/* What the block that begins at `frame` is of; NULL: still the job's prompt. */
const char *turns_at(const struct turns *t, int frame);
void turns_free(struct turns *t); /* empty, and usable again */

/* "FRAME BYTES PROMPT\n" a turn: whatever stands in a prompt comes back. */
void turns_write(const struct turns *t, struct buf *out);
/* Of any bytes. CORRUPT, and then *t is as it was: frames that do not rise, or are none of a clip
 * of `frames`; a text that ends early. */
enum err turns_read(struct turns *t, const char *text, size_t n, int frames, struct fault *f);

#endif

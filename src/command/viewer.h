/* command/viewer: what viewers may ask for when no script answers: anime, queue, mine, cancel.
 *
 * The stock commands are Lua files; these stand in while the script thread is dead or late, so that
 * the show goes on. A prompt that comes this way has the default style and is held for the operator
 * whatever the gate says: gates fail closed. Loop thread only. */
#ifndef SAKUGA_COMMAND_VIEWER_H
#define SAKUGA_COMMAND_VIEWER_H

#include "command/command.h"

/* Splits "!name rest" into name (lower case, of size) and the rest; false when it is no command. */
bool viewer_split(const char *line, char *name, size_t size, const char **rest);

/* The prompt in what followed `!anime`: one pair of outer quotes is dropped. Appends to `out`. */
void viewer_prompt(const char *rest, struct buf *out);

/* Appends the answer to `!queue`. */
void viewer_queue(const struct show *s, int64_t mono_ms, struct buf *out);
/* Appends the answer to `!mine`. */
void viewer_mine(const struct show *s, const struct viewer *who, int64_t mono_ms, struct buf *out);

/* Runs one of the four. False when `name` is none of them; then nothing is answered. */
bool viewer_run(struct commands *cs, const struct chat_line *line, const char *name,
                const char *rest, struct answer a);

#endif

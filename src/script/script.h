/* script/script: the Lua scripts of the show, seen from the loop.
 *
 * Scripts run on a thread of their own (host.h) in a sandbox (sandbox.h). The loop never waits for
 * them: it hands lines and events over and gets wishes back, which it carries out and answers.
 *
 * A command that no script has answered after SCRIPT_LATE_MS is taken by the built-in commands
 * (command/viewer.h), held for the operator, exactly once: from then on whatever the late script
 * wishes for that line is refused. While the thread is late or dead every command goes there at
 * once; `show->script_late` and EVENT_SCRIPT say so. When it has caught up it answers again.
 *
 * Loop thread only. Every answer is given exactly once, at the latest by script_free(). */
#ifndef SAKUGA_SCRIPT_SCRIPT_H
#define SAKUGA_SCRIPT_SCRIPT_H

#include "base/path.h"
#include "command/command.h"
#include "loop/loop.h"
#include "script/values.h"

#define SCRIPT_LATE_MS 250
#define SCRIPT_START_MS 2000 /* patience while the scripts are being loaded */
#define SCRIPT_END_MS 200
#define SCRIPT_QUEUE 2048   /* plain lines and events that may wait; more are dropped and counted */
#define SCRIPT_TICKETS 4096 /* commands that may wait; more go to the built-in ones */

struct script_config {
    const char *prelude;      /* path of prelude.lua */
    const char *const *names; /* files or folders */
    int name_count;
    const char *const *dirs; /* where they are searched, in order */
    int dir_count;
};

struct script_figures {
    uint64_t commands; /* handed to scripts */
    uint64_t lines;    /* plain lines handed to scripts */
    uint64_t dropped;  /* plain lines and events that found no room */
    uint64_t fallback; /* commands that the built-in ones took */
    uint64_t calls;    /* wishes of scripts carried out */
};

struct script;
/* Starts the thread, which loads the files. `values` are what scripts kept (from the store) and
 * belong to the script from here on, also on failure. Adds the row `script` to the commands. NULL
 * with `f` filled. */
struct script *script_new(struct loop *l, struct commands *cs, const struct script_config *c,
                          struct values *values, struct fault *f);
/* Ends the thread: a script that runs is stopped at its next instruction. At most SCRIPT_END_MS;
 * a thread that does not end in that time is left behind. NULL is fine. */
void script_free(struct script *s);

/* Waits at most `ms` until the files are loaded, so that styles are known before work begins. */
void script_settle(struct script *s, int ms);
/* One line of chat, command or not. The answer's text is what scripts replied; a line that is no
 * command is answered at once. `s` may be NULL: the built-in commands answer. */
void script_line(struct script *s, struct commands *cs, const struct chat_line *line,
                 struct answer a);
/* Do scripts answer at the moment? */
bool script_alive(const struct script *s);
/* Loads all files into a fresh state, which takes the old one's place when none has an error. */
void script_reload(struct script *s, struct answer a);
struct script_figures script_figures(const struct script *s);

#endif

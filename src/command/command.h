/* command/command: one table of commands for keys, the `:` line, chat, scripts and `ctl`.
 *
 * A row names the command, its arguments, who may call it and from where, its key, its help and its
 * function; the help screen, the man page and the shell completions are made from the same rows.
 * Rights are a column, checked in one place. Rooms above add rows of their own through app/.
 * Loop thread only. The answer is given exactly once, possibly before the call returns. */
#ifndef SAKUGA_COMMAND_COMMAND_H
#define SAKUGA_COMMAND_COMMAND_H

#include "desk/desk.h"

#define COMMAND_IDS_MAX 256

/* Where a call comes from; also the bits of a row's `from`. */
enum command_from {
    FROM_KEY = 1,    /* a key or the `:` line of the console */
    FROM_CTL = 2,    /* `sakuga ctl`, cron, a Stream Deck */
    FROM_CHAT = 4,   /* `!name` from a viewer */
    FROM_SCRIPT = 8, /* a Lua script */
    FROM_SIGNAL = 16,
};

struct origin {
    enum command_from from;
    struct viewer who; /* role decides what it may; the operator for keys and ctl */
    int source;        /* chat source for replies, -1 none */
    const char *msgid;
};

/* The arguments as the row's pattern asked for them. Strings are borrowed for the call. */
struct command_call {
    int64_t ids[COMMAND_IDS_MAX];
    int id_count;
    const char *word; /* WORD */
    const char *text; /* TEXT, or what followed --reason; cleaned (base/text) */
};

struct commands;
typedef void command_fn(struct commands *cs, const struct origin *o, const struct command_call *c,
                        struct answer a);

struct command {
    const char *name;
    /* words of: ID  ID…  [ID]  WORD  [WORD]  TEXT  [TEXT]  [--reason TEXT] */
    const char *args;
    const char *key;  /* default key of the console, "" none */
    enum role least;  /* the least role that may call it */
    unsigned from;    /* FROM_… bits: where it may be called from */
    const char *help; /* one line */
    command_fn *fn;
    void *user; /* for rows that other rooms add: command_user() */
};

struct commands *commands_new(struct desk *desk, struct show *show);
void commands_free(struct commands *cs);
/* Adds rows; they are copied, their strings are static. A row of the same name is replaced. */
enum err command_add(struct commands *cs, const struct command *rows, int n);
const struct command *command_find(const struct commands *cs, const char *name);
/* Row i in the order of the table, NULL past the end. */
const struct command *command_at(const struct commands *cs, int i);
/* The nearest name to a misspelt one, NULL when none is near. */
const char *command_nearest(const struct commands *cs, const char *name);

/* Runs `name args…` given as one line. Answers ERR_USAGE, ERR_DENIED, or what the command says. */
void command_run(struct commands *cs, const struct origin *o, const char *line, struct answer a);
/* The same with the words split already (`ctl`). */
void command_run_words(struct commands *cs, const struct origin *o, int argc,
                       const char *const *argv, struct answer a);

/* Inside a command's function. */
struct desk *command_desk(struct commands *cs);
struct show *command_show(struct commands *cs);
void *command_user(struct commands *cs);
/* What goes into the audit: "operator", "script", or "platform:uid". */
const char *command_who(const struct origin *o, char out[160]);

/* The built-in rows, without the show running: for the man page and completions. */
const struct command *command_builtin(int *count);

#endif

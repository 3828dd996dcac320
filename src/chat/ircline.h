/* chat/ircline: bytes of an IRC server → lines → their parts.
 *
 * Pure. The peer may send anything: a line longer than IRCLINE_MAX is dropped and counted, never
 * waited for; NULs vanish. The parts of a parsed line are borrowed from the buffer that was parsed,
 * which the parser cuts up in place. */
#ifndef SAKUGA_CHAT_IRCLINE_H
#define SAKUGA_CHAT_IRCLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IRCLINE_MAX ((size_t)16 << 10) /* IRCv3 allows 8191 bytes of tags and 512 of text */
#define IRCLINE_PARAMS 15

struct ircline {
    const char *tags;    /* "k=v;k=v" as it came, "" without */
    const char *prefix;  /* "nick!user@host" or a server's name, "" without */
    const char *command; /* "PRIVMSG", "001": letters and digits, never empty */
    const char *param[IRCLINE_PARAMS];
    int params;
};

/* Cuts `line[n]` into `out`; line[n] must be writable (it becomes a NUL). False when it is not a
 * message of IRC: empty, no command, an odd one. */
bool ircline_parse(char *line, size_t n, struct ircline *out);

/* The parameter at `i`, "" when there is none (-1 too: the last one of a line without any). */
const char *ircline_param(const struct ircline *l, int i);

/* The nick of the prefix into out[size], "" for a server's line. */
void ircline_nick(const struct ircline *l, char *out, size_t size);

/* The unescaped value of a tag into out[size], cut at a UTF-8 boundary when it does not fit.
 * False when the tag is not there; `out` is "" then. */
bool ircline_tag(const struct ircline *l, const char *key, char *out, size_t size);

/* Collects bytes into lines. Zero-initialise it; end it with ircsplit_free(). */
struct ircsplit {
    char *line; /* IRCLINE_MAX + 1 bytes, made at the first use */
    size_t n;
    bool skipping;    /* the rest of a line that was too long */
    uint64_t dropped; /* lines that were too long */
};
/* `line[n]` has neither end of line nor NUL; line[n] is writable. False: no more lines, please. */
typedef bool ircsplit_fn(void *user, char *line, size_t n);
void ircsplit_feed(struct ircsplit *s, const char *bytes, size_t n, ircsplit_fn *fn, void *user);
void ircsplit_free(struct ircsplit *s);

#endif

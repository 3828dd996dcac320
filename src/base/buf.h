/* base/buf: a growable byte buffer with an upper bound.
 *
 * Always NUL-terminated behind `len`, so `data` can be used as a string. An addition that would
 * pass `max` or cannot be allocated adds nothing and sets `failed`; the caller checks once, at the
 * end. Owned by one thread at a time; the owner ends it with buf_free(). */
#ifndef SAKUGA_BASE_BUF_H
#define SAKUGA_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL until the first addition; use buf_str() when a string is needed */
    size_t len, cap;
    size_t max; /* bytes; 0 means 64 MiB */
    bool failed;
    bool starved; /* failed, and it was memory that was missing */
};

#define BUF_INIT(limit) ((struct buf){.max = (limit)})

bool buf_add(struct buf *b, const void *bytes, size_t n);
bool buf_adds(struct buf *b, const char *s);
bool buf_addc(struct buf *b, char c);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_addv(struct buf *b, const char *fmt, va_list ap);

/* Makes room for `n` more bytes and returns where they go, or NULL; buf_grown() counts them in. */
char *buf_room(struct buf *b, size_t n);
void buf_grown(struct buf *b, size_t n);

/* Drops the first `n` bytes (n <= len). */
void buf_drop(struct buf *b, size_t n);
void buf_reset(struct buf *b); /* empty, memory kept, `failed` cleared */
void buf_free(struct buf *b);  /* empty, memory given back; usable again */

/* The text, "" when nothing was added. Never NULL. */
const char *buf_str(const struct buf *b);

/* The text as a malloc'ed string that the caller frees; the buffer is empty after it. NULL when
 * the buffer failed. */
char *buf_take(struct buf *b);

/* Copies `src` into `dst[size]`, cut at a UTF-8 boundary, always terminated. Returns false when it
 * had to cut. */
bool str_copy(char *dst, size_t size, const char *src);

/* Makes `s` fit to be shown: each byte of malformed UTF-8 or of a control character becomes '?'. */
void str_printable(char *s);

#endif

/* base/err: every way a call can fail, and the text that tells the reader what to do about it.
 *
 * Errors are values. A function that can fail returns an `enum err` (0 is success) and, when the
 * caller may want words, fills a `struct fault` with one sentence: what failed, on what, what next.
 * One X-macro map gives the enum, the name that Lua and JSON see, and a general text.
 * A fault belongs to the caller, who may pass NULL. Any thread. */
#ifndef SAKUGA_BASE_ERR_H
#define SAKUGA_BASE_ERR_H

#define ERR_MAP(X)                                                                                 \
    X(OK, "ok", "done")                                                                            \
    X(NOMEM, "nomem", "out of memory")                                                             \
    X(IO, "io", "input or output failed")                                                          \
    X(SYNTAX, "syntax", "the input is malformed")                                                  \
    X(INVAL, "inval", "a value is not acceptable")                                                 \
    X(USAGE, "usage", "the command was not understood")                                            \
    X(NOTFOUND, "notfound", "there is no such thing")                                              \
    X(EXISTS, "exists", "it exists already")                                                       \
    X(BUSY, "busy", "something else is using it")                                                  \
    X(DENIED, "denied", "that is not allowed")                                                     \
    X(LIMIT, "limit", "a limit was reached")                                                       \
    X(STATE, "state", "that is not possible in the present state")                                 \
    X(CLOSED, "closed", "it is closed")                                                            \
    X(TIMEOUT, "timeout", "it took too long")                                                      \
    X(CANCELLED, "cancelled", "it was cancelled")                                                  \
    X(CORRUPT, "corrupt", "the data is damaged")                                                   \
    X(VERSION, "version", "the version does not fit")                                              \
    X(FULL, "full", "there is no room left")                                                       \
    X(AUTH, "auth", "authentication failed")                                                       \
    X(UNSUPPORTED, "unsupported", "this build or peer cannot do that")                             \
    X(LOST, "lost", "the device is lost to this process")

enum err {
#define ERR_ENUM(id, name, text) ERR_##id,
    ERR_MAP(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

/* One failure in words. `text` is a whole sentence without a final newline. */
struct fault {
    enum err code;
    char text[480];
};

/* The short stable name ("limit"), as Lua and JSON see it. Static. */
const char *err_name(enum err code);

/* The general text of a code. Static. */
const char *err_text(enum err code);

/* Drops a UTF-8 sequence that was cut off at the end of `text`: what formatting into a fixed buffer
 * leaves behind. */
void err_whole_text(char *text);

/* Fills `f` (may be NULL) and returns `code`; control characters but \n and \t, and malformed
 * UTF-8, become '?', whoever the words quote. A caller can write `return fault_set(f, ERR_IO,
 * "cannot open %s: %s", path, strerror(errno));` */
enum err fault_set(struct fault *f, enum err code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The text of a fault, or the general text of its code when it holds no words. */
const char *fault_text(const struct fault *f);

#endif

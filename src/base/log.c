#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SINKS_MAX 4
#define SECRETS_MAX 32
#define ROTATED_KEEP 4
#define SECRET_MAX 1024 /* bytes of the longest one that a cut line still hides */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int top_level = LOG_INFO;

/* under lock */
static struct {
    log_sink_fn *fn;
    void *user;
} sinks[SINKS_MAX];
static char *secrets[SECRETS_MAX];
static bool to_stderr;
static int file = -1;
static char *file_path;
static size_t file_size, file_limit;
static bool torn; /* the last line was written in part */

const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    return names[level];
}

void log_set_level(enum log_level level)
{
    top_level = (int)level;
}

static void redact_locked(char *text, size_t size)
{
    static const char mark[] = "[redacted]";
    for (int i = 0; i < SECRETS_MAX && secrets[i]; i++) {
        size_t n = strlen(secrets[i]);
        for (char *at = text; (at = strstr(at, secrets[i]));) {
            size_t tail = strlen(at + n), keep = sizeof mark - 1;
            size_t room = size - (size_t)(at - text) - 1;
            if (keep > room)
                keep = room;
            if (tail > room - keep)
                tail = room - keep;
            memmove(at + keep, at + n, tail);
            memcpy(at, mark, keep);
            at[keep + tail] = '\0';
            at += keep;
        }
    }
}

void log_redact(char *text, size_t size)
{
    pthread_mutex_lock(&lock);
    redact_locked(text, size);
    pthread_mutex_unlock(&lock);
}

static void json_string(struct buf *b, const char *s)
{
    buf_addc(b, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_addc(b, '\\');
        buf_addc(b, *s);
    }
    buf_addc(b, '"');
}

static void rotate_locked(void)
{
    char from[4200], to[4200];
    close(file);
    for (int i = ROTATED_KEEP; i > 0; i--) {
        if (i == 1)
            snprintf(from, sizeof from, "%s", file_path);
        else
            snprintf(from, sizeof from, "%s.%d", file_path, i - 1);
        snprintf(to, sizeof to, "%s.%d", file_path, i);
        rename(from, to);
    }
    file = open(file_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    file_size = 0;
    torn = false;
}

static void file_line_locked(const struct log_line *l, const char *iso)
{
    struct buf b = BUF_INIT(LOG_LINE_MAX * 4);
    if (torn) /* by a disk that was full; what is left of it is a line of its own */
        buf_addc(&b, '\n');
    buf_addf(&b, "{\"t\":\"%s\",\"level\":\"%s\",\"room\":\"%s\",\"text\":", iso,
             log_level_name(l->level), l->room);
    json_string(&b, l->text);
    buf_adds(&b, "}\n");
    if (!b.failed) {
        ssize_t n = write(file, b.data, b.len);
        if (n > 0)
            file_size += (size_t)n;
        if (n > 0)
            torn = (size_t)n < b.len;
        if (file_size > file_limit)
            rotate_locked();
    }
    buf_free(&b);
}

static void cut(char *text)
{
    size_t n = strlen(text);
    if (n < LOG_LINE_MAX)
        return;
    for (n = LOG_LINE_MAX - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--;
    text[n] = '\0';
}

void log_write(enum log_level level, const char *room, const char *fmt, ...)
{
    if ((int)level > top_level)
        return;
    char text[LOG_LINE_MAX + SECRET_MAX], iso[25];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    str_printable(text); /* logs may quote what a peer sent */
    struct log_line line = {clock_utc_ms(), level, room, text};
    clock_iso(line.utc_ms, iso);

    pthread_mutex_lock(&lock);
    redact_locked(text, sizeof text); /* before the cut, which may run through a secret */
    cut(text);
    if (file < 0 && file_path) /* it could not be opened anew when it was rotated */
        file = open(file_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0)
        file_line_locked(&line, iso);
    if (to_stderr)
        fprintf(stderr, "%.12s %-5s %s: %s\n", iso + 11, log_level_name(level), room, text);
    for (int i = 0; i < SINKS_MAX; i++)
        if (sinks[i].fn)
            sinks[i].fn(sinks[i].user, &line);
    pthread_mutex_unlock(&lock);
}

enum err log_add_sink(log_sink_fn *fn, void *user)
{
    enum err e = ERR_LIMIT;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < SINKS_MAX && e; i++)
        if (!sinks[i].fn) {
            sinks[i].fn = fn;
            sinks[i].user = user;
            e = ERR_OK;
        }
    pthread_mutex_unlock(&lock);
    return e;
}

void log_remove_sink(log_sink_fn *fn, void *user)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < SINKS_MAX; i++)
        if (sinks[i].fn == fn && sinks[i].user == user)
            sinks[i].fn = NULL;
    pthread_mutex_unlock(&lock);
}

void log_stderr(bool on)
{
    pthread_mutex_lock(&lock);
    to_stderr = on;
    pthread_mutex_unlock(&lock);
}

enum err log_open_file(const char *path, size_t rotate_bytes, struct fault *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, ERR_IO, "cannot write the log %s: %s", path, strerror(errno));
    struct stat st;
    char *copy = strdup(path);
    if (!copy || fstat(fd, &st)) {
        close(fd);
        free(copy);
        return fault_set(f, ERR_NOMEM, "cannot open the log %s: out of memory", path);
    }
    pthread_mutex_lock(&lock);
    if (file >= 0)
        close(file);
    free(file_path);
    file = fd;
    file_path = copy;
    file_size = (size_t)st.st_size;
    file_limit = rotate_bytes;
    pthread_mutex_unlock(&lock);
    return ERR_OK;
}

void log_secret(const char *secret)
{
    if (!secret || strlen(secret) < 4)
        return;
    pthread_mutex_lock(&lock);
    int at = 0;
    while (at < SECRETS_MAX && secrets[at] && strcmp(secrets[at], secret))
        at++;
    /* the longest first: one that begins another must not leave the rest of it in sight */
    if (at < SECRETS_MAX && !secrets[at] && (secrets[at] = strdup(secret)))
        for (; at > 0 && strlen(secrets[at]) > strlen(secrets[at - 1]); at--) {
            char *shorter = secrets[at - 1];
            secrets[at - 1] = secrets[at];
            secrets[at] = shorter;
        }
    pthread_mutex_unlock(&lock);
}

void log_close(void)
{
    pthread_mutex_lock(&lock);
    if (file >= 0)
        close(file);
    file = -1;
    free(file_path);
    file_path = NULL;
    for (int i = 0; i < SINKS_MAX; i++)
        sinks[i].fn = NULL;
    for (int i = 0; i < SECRETS_MAX; i++) {
        free(secrets[i]);
        secrets[i] = NULL;
    }
    to_stderr = false;
    pthread_mutex_unlock(&lock);
}

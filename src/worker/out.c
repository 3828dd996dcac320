#include "worker/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define PICTURES_FD 3

static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t picture_lock = PTHREAD_MUTEX_INITIALIZER;
static int reports_fd = -1;
static uint64_t serial; /* under picture_lock */

bool out_open(void)
{
    /* Without a console (a run by hand) descriptor 3 must not fall to the next file opened. */
    if (fcntl(PICTURES_FD, F_GETFD) < 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null < 0)
            return false;
        if (null != PICTURES_FD) {
            dup2(null, PICTURES_FD);
            close(null);
        }
    }
    reports_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    return reports_fd >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
}

/* Writes all of it, also to a descriptor that the other end made non-blocking. */
static bool write_all(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EAGAIN) {
            struct pollfd w = {.fd = fd, .events = POLLOUT};
            poll(&w, 1, 1000);
        } else if (put < 0 && errno != EINTR) {
            return false;
        } else if (put > 0) {
            at += put;
            n -= (size_t)put;
        }
    }
    return true;
}

void out_report(const struct report *r)
{
    struct buf b = BUF_INIT(PROTOCOL_LINE_MAX);
    if (protocol_print_report(&b, r) && buf_addc(&b, '\n')) {
        pthread_mutex_lock(&report_lock);
        write_all(reports_fd, b.data, b.len);
        pthread_mutex_unlock(&report_lock);
    }
    buf_free(&b);
}

void out_simple(enum report_kind kind, int64_t id)
{
    struct report r = {.kind = kind, .id = id};
    out_report(&r);
}

void out_failed(int64_t id, const struct fault *f)
{
    struct report r = {.kind = REPORT_FAILED, .id = id, .code = f->code};
    str_copy(r.text, sizeof r.text, fault_text(f));
    out_report(&r);
}

void out_trouble(int64_t id, const char *path, const struct fault *f)
{
    struct report r = {.kind = REPORT_TROUBLE, .id = id, .code = f->code};
    str_copy(r.text, sizeof r.text, fault_text(f));
    str_copy(r.path, sizeof r.path, path);
    out_report(&r);
}

void out_shut(void)
{
    pthread_mutex_lock(&picture_lock);
    pthread_mutex_lock(&report_lock);
}

bool out_picture(enum picture_kind kind, int64_t id, int w, int h, const uint8_t *rgb)
{
    uint8_t head[PICTURE_HEADER];
    struct picture_head info = {
        .kind = kind, .id = id, .w = w, .h = h, .bytes = (size_t)w * (size_t)h * 3};
    struct pollfd ready = {.fd = PICTURES_FD, .events = POLLOUT};
    pthread_mutex_lock(&picture_lock);
    /* A still is asked for once and waits for room; moving pictures are dropped. */
    int wait_ms = kind == PICTURE_STILL ? 1000 : 0;
    bool sent = poll(&ready, 1, wait_ms) == 1 && ready.revents & POLLOUT;
    if (sent) {
        info.serial = ++serial;
        protocol_put_head(head, &info);
        sent = write_all(PICTURES_FD, head, sizeof head) && write_all(PICTURES_FD, rgb, info.bytes);
    }
    pthread_mutex_unlock(&picture_lock);
    return sent;
}

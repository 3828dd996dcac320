#include "ctl/client.h"

#include "base/json.h"
#include "loop/sock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct wire {
    int fd;
    struct buf in;
    size_t used; /* bytes of `in` that the last line took */
};

static bool send_line(struct wire *w, int argc, char **argv, int64_t below)
{
    cJSON *o = cJSON_CreateObject(), *words = cJSON_AddArrayToObject(o, "argv");
    struct buf b = BUF_INIT(SOCK_LINE_MAX);
    for (int i = 0; i < argc; i++)
        cJSON_AddItemToArray(words, cJSON_CreateString(argv[i]));
    if (below)
        cJSON_AddNumberToObject(o, "below", (double)below);
    bool ok = json_print(&b, o, true);
    cJSON_Delete(o);
    for (size_t at = 0; ok && at < b.len;) {
        ssize_t n = send(w->fd, b.data + at, b.len - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        ok = n > 0;
        at += ok ? (size_t)n : 0;
    }
    buf_free(&b);
    return ok;
}

/* The next line, terminated, or NULL when the show has gone. */
static char *read_line(struct wire *w)
{
    buf_drop(&w->in, w->used);
    w->used = 0;
    for (size_t looked = 0;;) {
        char *nl =
            w->in.len > looked ? memchr(w->in.data + looked, '\n', w->in.len - looked) : NULL;
        if (nl) {
            *nl = '\0';
            w->used = (size_t)(nl - w->in.data) + 1;
            return w->in.data;
        }
        looked = w->in.len;
        char *to = buf_room(&w->in, 65536);
        ssize_t n = to ? read(w->fd, to, 65536) : -1;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return NULL;
        buf_grown(&w->in, (size_t)n);
    }
}

static int lost(void)
{
    fprintf(stderr, "sakuga: the show closed the connection\n");
    return 3;
}

static int print_watch(struct wire *w)
{
    for (char *line; (line = read_line(w));) {
        if (printf("%s\n", line) < 0 || fflush(stdout))
            return 0; /* the reader has gone */
    }
    return 0;
}

static int print_json(const cJSON *o)
{
    char *s = cJSON_Print(o);
    if (s)
        puts(s);
    cJSON_free(s);
    return s ? 0 : 1;
}

/* Fetches the rest page by page and puts it in front of what `state` listed. */
static int add_pages(struct wire *w, cJSON *state, int argc, char **argv)
{
    cJSON *prompts = cJSON_GetObjectItem(state, "prompts"), *p;
    int64_t below = INT64_C(1) << 53;
    cJSON *all = cJSON_CreateArray();
    cJSON_ArrayForEach(p, prompts)
    {
        const char *st = json_str(p, "state", "");
        bool live = strcmp(st, "aired") && strcmp(st, "rejected") && strcmp(st, "cancelled") &&
                    strcmp(st, "failed") && strcmp(st, "quarantined");
        if (live)
            cJSON_AddItemToArray(all, cJSON_Duplicate(p, 1));
    }
    for (int n = 1; n > 0;) {
        char *line = send_line(w, argc, argv, below) ? read_line(w) : NULL;
        cJSON *o = line ? json_parse(line, strlen(line), NULL) : NULL;
        cJSON *page = cJSON_GetObjectItem(o, "page");
        if (!page) {
            const char *why = json_str(o, "text", NULL);
            int code = why ? 1 : lost();
            if (why)
                fprintf(stderr, "sakuga: %s\n", why);
            cJSON_Delete(o);
            cJSON_Delete(all);
            return code;
        }
        n = cJSON_GetArraySize(page);
        while ((p = cJSON_DetachItemFromArray(page, 0))) {
            below = json_int(p, "id", 0);
            cJSON_AddItemToArray(all, p);
        }
        cJSON_Delete(o);
    }
    cJSON_ReplaceItemInObject(state, "prompts", all);
    return 0;
}

static int state(struct wire *w, int argc, char **argv)
{
    bool all = argc == 2 && !strcmp(argv[1], "--all");
    if (argc > 1 && !all) {
        fprintf(stderr, "usage: sakuga ctl state [--all]\n");
        return 2;
    }
    char *line = send_line(w, argc, argv, 0) ? read_line(w) : NULL;
    cJSON *o = line ? json_parse(line, strlen(line), NULL) : NULL;
    if (!o)
        return lost();
    int code = all ? add_pages(w, o, argc, argv) : 0;
    if (!code)
        code = print_json(o);
    cJSON_Delete(o);
    return code;
}

static int command(struct wire *w, int argc, char **argv)
{
    bool say = !strcmp(argv[0], "say"), json = say && argc > 1 && !strcmp(argv[1], "--json");
    if (json) { /* ours, not the command's */
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    if (say && argc < 3) {
        fprintf(stderr, "usage: sakuga ctl say [--json] VIEWER TEXT\n");
        return 2;
    }
    char *line = send_line(w, argc, argv, 0) ? read_line(w) : NULL;
    cJSON *o = line ? json_parse(line, strlen(line), NULL) : NULL;
    if (!o)
        return lost();
    const char *err = json_str(o, "err", "io"), *text = json_str(o, "text", "");
    /* a line that was said was taken, whatever became of it */
    int code = say || !strcmp(err, "ok") ? 0 : !strcmp(err, "usage") ? 2 : 1;
    if (json)
        puts(line);
    else if (text[0])
        fprintf(code ? stderr : stdout, "%s%s\n", code ? "sakuga: " : "", text);
    cJSON_Delete(o);
    return code;
}

int client_run(const char *path, int argc, char **argv)
{
    struct fault f = {0};
    struct wire w = {.fd = sock_connect(path, &f), .in = BUF_INIT((size_t)256 << 20)};
    int code;
    if (w.fd < 0) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return f.code == ERR_NOTFOUND ? 3 : 1;
    }
    bool watch = !strcmp(argv[0], "watch");
    if (watch)
        code = send_line(&w, argc, argv, 0) ? print_watch(&w) : lost();
    else if (!strcmp(argv[0], "state"))
        code = state(&w, argc, argv);
    else
        code = command(&w, argc, argv);
    if (!watch && !code && fflush(stdout)) { /* a full disk: what was asked for is not there */
        fprintf(stderr, "sakuga: the answer cannot be written: %s\n", strerror(errno));
        code = 1;
    }
    close(w.fd);
    buf_free(&w.in);
    return code;
}

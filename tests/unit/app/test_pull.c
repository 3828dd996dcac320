/* Pulling from a server of our own on loopback, which cuts, stalls, corrupts and lies. */
#include "unit.h"

#include "app/pull.h"
#include "base/path.h"
#include "loop/http.h"
#include "loop/net.h"
#include "media/digest.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 300000

static char content[SIZE], sum[65];

/* ---- the server: a process, so that it cannot share our mistakes ---- */

struct book { /* shared with the server */
    int requests;
    int64_t from[64]; /* of each request, -1 without a range */
    char path[64][200];
};
static struct book *book;
static int port;
static pid_t server;

static void put(int fd, const void *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t w = send(fd, (const char *)p + at, n - at, MSG_NOSIGNAL);
        if (w <= 0)
            return;
        at += (size_t)w;
    }
}

static void answer(int fd, int status, const char *headers, const void *body, size_t n)
{
    char head[600];
    int h = snprintf(head, sizeof head,
                     "HTTP/1.1 %d Words\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
                     status, n, headers);
    put(fd, head, (size_t)h);
    put(fd, body, n);
}

/* The first word of the path says how to behave. */
static void serve(int fd, int turn, const char *path, int64_t from)
{
    char headers[300] = "";
    static char bad[SIZE];
    size_t n = SIZE;
    if (strstr(path, "config.json")) {
        answer(fd, 200, "", "{}", 2);
        return;
    }
    if (strstr(path, "hostile.index.json")) {
        const char *map = "{\"weight_map\":{\"a\":\"../../outside.safetensors\"}}";
        answer(fd, 200, "", map, strlen(map));
        return;
    }
    if (strstr(path, ".index.json")) {
        const char *map = "{\"weight_map\":{\"a\":\"x-1-of-2.safetensors\","
                          "\"b\":\"x-2-of-2.safetensors\",\"c\":\"x-1-of-2.safetensors\"}}";
        answer(fd, 200, "", map, strlen(map));
        return;
    }
    if (!strncmp(path, "/none/", 6)) {
        answer(fd, 404, "", "no", 2);
        return;
    }
    if (!strncmp(path, "/hub/", 5) || !strncmp(path, "/lie/", 5)) { /* elsewhere lies the file */
        char wrong[65];
        snprintf(wrong, sizeof wrong, "%s", sum);
        wrong[0] = path[1] == 'l' ? (char)(wrong[0] == '0' ? '1' : '0') : wrong[0];
        snprintf(headers, sizeof headers,
                 "X-Linked-Etag: \"%s\"\r\nLocation: http://127.0.0.1:%d/whole%s\r\n", wrong, port,
                 strchr(path + 1, '/'));
        answer(fd, 302, headers, "moved", 5);
        return;
    }
    if (from >= SIZE) {
        snprintf(headers, sizeof headers, "Content-Range: bytes */%d\r\n", SIZE);
        answer(fd, 416, headers, "", 0);
        return;
    }
    bool ranges = strncmp(path, "/norange/", 9) != 0;
    if (from > 0 && ranges) {
        snprintf(headers, sizeof headers, "Content-Range: bytes %" PRId64 "-%d/%d\r\n", from,
                 SIZE - 1, SIZE);
        n = SIZE - (size_t)from;
    } else {
        from = 0;
    }
    memcpy(bad, content, SIZE);
    if (!strncmp(path, "/spoil/", 7) || (!strncmp(path, "/corrupt/", 9) && turn == 0))
        bad[SIZE / 2] ^= 1;
    int status = from ? 206 : 200;
    bool cuts = (!strncmp(path, "/cut/", 5) || !strncmp(path, "/norange/", 9)) && turn < 3;
    bool stalls = !strncmp(path, "/stall/", 7) && turn == 0;
    if (!cuts && !stalls && strncmp(path, "/dead/", 6)) {
        answer(fd, status, headers, bad + from, n);
        return;
    }
    char head[600];
    int h = snprintf(head, sizeof head, "HTTP/1.1 %d Words\r\nContent-Length: %zu\r\n%s\r\n",
                     status, n, headers);
    put(fd, head, (size_t)h);
    if (!strncmp(path, "/dead/", 6))
        return;
    put(fd, bad + from, n / 2);
    for (char c; stalls && read(fd, &c, 1) > 0;) /* until the client has had enough */
        ;
}

static void client(int fd, int *turns)
{
    char rq[4096], path[200] = "", *range;
    size_t n = 0;
    int64_t from = -1;
    while (n < sizeof rq - 1 && (n < 4 || memcmp(rq + n - 4, "\r\n\r\n", 4))) {
        ssize_t got = read(fd, rq + n, 1);
        if (got <= 0)
            return;
        n += (size_t)got;
    }
    rq[n] = '\0';
    if (sscanf(rq, "GET %199s HTTP/1.1\r\n", path) != 1)
        return;
    range = strstr(rq, "\r\nRange: bytes=");
    if (range && sscanf(range + 15, "%" SCNd64 "-\r", &from) != 1)
        return;
    int at = book->requests < 64 ? book->requests : 63;
    snprintf(book->path[at], sizeof book->path[at], "%s", path);
    book->from[at] = from;
    book->requests++;
    int turn = strstr(path, "weights") ? (*turns)++ : 0;
    if (!fork()) {
        serve(fd, turn, path, from);
        _exit(0);
    }
}

static void run_server(int listener)
{
    int turns = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (book->requests == 0)
            turns = 0; /* a new test */
        if (fd >= 0)
            client(fd, &turns);
        close(fd);
    }
}

/* ---- one pull ---- */

struct bench {
    char dir[64], said[4000];
    struct fault f;
    enum err e;
};

static const struct pull_file files[] = {
    {"config.json", 0, NULL}, {"sub/weights.bin", SIZE, sum}, {NULL, 0, NULL}};
static const struct pull_model model = {"test", "some/model", "", files};

static void note(void *user, const struct pull_progress *p)
{
    struct bench *b = user;
    size_t n = strlen(b->said);
    if (p->event)
        snprintf(b->said + n, sizeof b->said - n, "%s %s\n", p->file, p->event);
}

static void begin(struct bench *b)
{
    *b = (struct bench){.dir = "/tmp/sakuga-pull-XXXXXX"};
    assert_non_null(mkdtemp(b->dir));
    book->requests = 0;
}

static void pull(struct bench *b, const struct pull_model *m, const char *how)
{
    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d/%s", port, how);
    struct pull_settings set = {
        .base = base, .dir = b->dir, .stall_s = 1, .retry_ms = 5, .progress = note, .user = b};
    struct loop *l = loop_new(&b->f);
    assert_non_null(l);
    b->f = (struct fault){0};
    b->e = pull_model(l, m, &set, &b->f);
    net_shutdown(l);
    loop_free(l);
}

static void end(struct bench *b)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", b->dir);
    assert_int_equal(system(command), 0);
}

static bool there(const struct bench *b, const char *name, struct stat *st)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    return !stat(path, st);
}

/* What a pull of an earlier day left: so much of the part, where `bytes` is not NULL. Its path. */
static const char *left(const struct bench *b, const char *bytes, size_t n)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/sub", b->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/sub/weights.bin.part", b->dir);
    if (bytes)
        assert_int_equal(path_write(path, bytes, n, 0600, NULL), ERR_OK);
    return path;
}

static void assert_whole(const struct bench *b)
{
    struct stat st;
    char path[200];
    struct buf got = BUF_INIT(0);
    if (b->e)
        fail_msg("%s\n%s", fault_text(&b->f), b->said);
    snprintf(path, sizeof path, "%s/sub/weights.bin", b->dir);
    assert_int_equal(path_read(path, SIZE + 1, &got, NULL), ERR_OK);
    assert_int_equal(got.len, SIZE);
    assert_memory_equal(got.data, content, SIZE);
    assert_false(there(b, "sub/weights.bin.part", &st));
    assert_true(there(b, "config.json", &st));
    buf_free(&got);
}

static void what_is_whole_comes_once(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    pull(&b, &model, "whole");
    assert_whole(&b);
    assert_int_equal(book->requests, 2);
    pull(&b, &model, "whole"); /* and is not asked for again */
    assert_whole(&b);
    assert_int_equal(book->requests, 2);
    assert_non_null(strstr(b.said, "sub/weights.bin is here already"));
    assert_non_null(strstr(b.said, "sub/weights.bin is here, with the published"));
    assert_non_null(strstr(b.said, "config.json is here already; neither size nor SHA-256"));
    end(&b);
}

/* One byte of a whole file is another: its size says nothing. It is named and left as it is. */
static void what_is_here_is_compared(void **state)
{
    static const struct pull_file sized[] = {{"sub/weights.bin", SIZE, NULL}, {NULL, 0, NULL}};
    static const struct pull_model unknown = {"test", "some/model", "", sized};
    struct bench b;
    struct buf got = BUF_INIT(0);
    char path[200];
    begin(&b);
    pull(&b, &model, "whole");
    assert_whole(&b);
    snprintf(path, sizeof path, "%s/sub/weights.bin", b.dir);
    content[1000] ^= 1;
    assert_int_equal(path_write(path, content, SIZE, 0600, NULL), ERR_OK);
    content[1000] ^= 1;
    book->requests = 0;
    pull(&b, &model, "whole");
    assert_int_equal(b.e, ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&b.f), path));
    assert_non_null(strstr(fault_text(&b.f), sum));
    assert_int_equal(path_read(path, SIZE + 1, &got, NULL), ERR_OK);
    assert_int_equal(got.data[1000], (char)(content[1000] ^ 1));
    pull(&b, &unknown, "whole"); /* without a sum only the size can tell, and that is said */
    assert_int_equal(b.e, ERR_OK);
    assert_non_null(strstr(b.said, "only its size was compared"));
    assert_int_equal(book->requests, 0);
    buf_free(&got);
    end(&b);
}

static void a_cut_goes_on_where_it_stopped(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    pull(&b, &model, "cut");
    assert_whole(&b);
    assert_int_equal(book->requests, 5); /* config; half, half of the rest, again, the rest */
    assert_int_equal(book->from[1], -1);
    assert_int_equal(book->from[2], SIZE / 2);
    assert_int_equal(book->from[3], SIZE / 2 + SIZE / 4);
    assert_non_null(strstr(b.said, "trying again"));
    end(&b);
}

static void a_server_without_ranges_begins_anew(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    pull(&b, &model, "norange");
    assert_whole(&b);
    assert_int_equal(book->from[2], SIZE / 2);
    end(&b);
}

static void a_stall_is_left_behind(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    pull(&b, &model, "stall");
    assert_whole(&b);
    assert_non_null(strstr(b.said, "sends nothing any more"));
    assert_int_equal(book->from[2], SIZE / 2);
    end(&b);
}

static void what_came_damaged_comes_again(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    pull(&b, &model, "corrupt");
    assert_whole(&b);
    assert_int_equal(book->requests, 3);
    assert_int_equal(book->from[2], -1);
    assert_non_null(strstr(b.said, "came damaged"));
    end(&b);
}

static void what_comes_damaged_twice_is_refused(void **state)
{
    struct bench b;
    struct stat st;
    (void)state;
    begin(&b);
    pull(&b, &model, "spoil");
    assert_int_equal(b.e, ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&b.f), sum)); /* what was expected */
    assert_false(there(&b, "sub/weights.bin", &st));
    assert_int_equal(book->requests, 3);
    end(&b);
}

static void a_part_of_an_earlier_day_is_used(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    left(&b, content, 1000);
    pull(&b, &model, "whole");
    assert_whole(&b);
    assert_int_equal(book->from[1], 1000);
    end(&b);

    begin(&b); /* one with more bytes than the file has is no part of it */
    char *longer = calloc(1, SIZE + 10);
    left(&b, longer, SIZE + 10);
    free(longer);
    pull(&b, &model, "whole");
    assert_whole(&b);
    end(&b);

    begin(&b); /* a whole one needs no server */
    left(&b, content, SIZE);
    pull(&b, &model, "none");
    assert_whole(&b);
    end(&b);
}

/* Another pull of the same folder is told apart from a part that was left behind. */
static void one_at_a_time(void **state)
{
    struct bench b;
    struct stat st;
    (void)state;
    begin(&b);
    const char *part = left(&b, NULL, 0);
    int other = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(other >= 0 && write(other, content, 1000) == 1000);
    assert_int_equal(flock(other, LOCK_EX), 0);
    pull(&b, &model, "whole");
    assert_int_equal(b.e, ERR_BUSY);
    assert_non_null(strstr(fault_text(&b.f), part));
    assert_true(there(&b, "sub/weights.bin.part", &st) && st.st_size == 1000);
    close(other);
    pull(&b, &model, "whole");
    assert_whole(&b);
    end(&b);
}

/* What came whole and cannot be named is not called here. */
static void a_name_that_is_taken(void **state)
{
    struct bench b;
    char path[200];
    (void)state;
    begin(&b);
    snprintf(path, sizeof path, "%s/sub", b.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/sub/weights.bin", b.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    pull(&b, &model, "whole");
    assert_int_equal(b.e, ERR_IO);
    assert_non_null(strstr(fault_text(&b.f), path));
    assert_null(strstr(b.said, "weights.bin is here"));
    end(&b);
}

static void the_hub_names_the_sum(void **state)
{
    static const struct pull_file unknown[] = {
        {"config.json", 0, NULL}, {"sub/weights.bin", 0, NULL}, {NULL, 0, NULL}};
    static const struct pull_model m = {"test", "some/model", "", unknown};
    struct bench b;
    (void)state;
    begin(&b);
    pull(&b, &m, "hub");
    assert_whole(&b);
    end(&b);
    begin(&b);
    pull(&b, &m, "lie");
    assert_int_equal(b.e, ERR_CORRUPT);
    end(&b);
}

/* Of the published sum only the ends are known, of the server's every digit: both must be right. */
static void both_sums_are_compared(void **state)
{
    static char ends[65 + 4], lied[65 + 4];
    static const struct pull_file files_of[][2] = {
        {{"sub/weights.bin", SIZE, ends}, {NULL, 0, NULL}},
        {{"sub/weights.bin", SIZE, lied}, {NULL, 0, NULL}}};
    static const struct pull_model right = {"test", "some/model", "", files_of[0]},
                                   wrong = {"test", "some/model", "", files_of[1]};
    struct bench b;
    struct stat st;
    snprintf(ends, sizeof ends, "%.12s…%s", sum, sum + 60);
    snprintf(lied, sizeof lied, "…%s", sum + 60); /* what the lying server's sum fits too */
    begin(&b);
    pull(&b, &right, "hub");
    assert_int_equal(b.e, ERR_OK);
    end(&b);
    begin(&b); /* the published ends show the lie before a byte of the file came */
    pull(&b, &right, "lie");
    assert_int_equal(b.e, ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&b.f), "on the server"));
    assert_false(there(&b, "sub/weights.bin", &st));
    end(&b);
    begin(&b); /* the published ends are right, another digit of the server's is not */
    pull(&b, &wrong, "lie");
    assert_int_equal(b.e, ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&b.f), "came damaged"));
    assert_false(there(&b, "sub/weights.bin", &st));
    end(&b);
}

static void an_index_brings_its_shards(void **state)
{
    static const struct pull_file sharded[] = {{"x.safetensors.index.json", 0, NULL},
                                               {NULL, 0, NULL}};
    static const struct pull_file hostile[] = {{"hostile.index.json", 0, NULL}, {NULL, 0, NULL}};
    static const struct pull_model good = {"test", "some/model", "", sharded},
                                   bad = {"test", "some/model", "", hostile};
    struct bench b;
    struct stat st;
    (void)state;
    begin(&b);
    pull(&b, &good, "whole");
    if (b.e)
        fail_msg("%s", fault_text(&b.f));
    assert_true(there(&b, "x-1-of-2.safetensors", &st));
    assert_true(there(&b, "x-2-of-2.safetensors", &st));
    assert_int_equal(book->requests, 3);
    end(&b);
    begin(&b);
    pull(&b, &bad, "whole");
    assert_int_equal(b.e, ERR_CORRUPT);
    assert_int_equal(book->requests, 1);
    end(&b);
}

static void errors_say_what_and_stop(void **state)
{
    static const struct pull_file other[] = {{"sub/weights.bin", SIZE - 1, NULL}, {NULL, 0, NULL}};
    static const struct pull_file huge[] = {{"sub/weights.bin", INT64_C(1) << 60, NULL},
                                            {NULL, 0, NULL}};
    static const struct pull_model wrong_size = {"test", "some/model", "", other},
                                   too_big = {"test", "some/model", "", huge};
    struct bench b;
    (void)state;
    begin(&b);
    pull(&b, &model, "none");
    assert_int_equal(b.e, ERR_NOTFOUND);
    assert_non_null(strstr(fault_text(&b.f), "404"));
    assert_int_equal(book->requests, 2); /* no second try */
    end(&b);
    begin(&b);
    pull(&b, &model, "dead"); /* five attempts that bring nothing */
    assert_int_equal(b.e, ERR_IO);
    assert_int_equal(book->requests, 6);
    end(&b);
    begin(&b);
    pull(&b, &wrong_size, "whole");
    assert_int_equal(b.e, ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&b.f), "299999"));
    end(&b);
    begin(&b);
    pull(&b, &too_big, "whole");
    assert_int_equal(b.e, ERR_FULL);
    assert_int_equal(book->requests, 0);
    end(&b);
}

static void plain_http_is_for_this_machine(void **state)
{
    static const struct http_ops none;
    struct fault f = {0};
    struct loop *l = loop_new(&f);
    struct http_request rq = {.url = "http://example.org/x"};
    (void)state;
    assert_null(http_get(l, &rq, &none, NULL, &f));
    assert_int_equal(f.code, ERR_DENIED);
    rq.url = "file:///etc/passwd";
    assert_null(http_get(l, &rq, &none, NULL, &f));
    assert_int_equal(f.code, ERR_INVAL);
    net_shutdown(l);
    loop_free(l);
}

static int start(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    struct digest *d = digest_new();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (char)(i * 2654435761u >> 13);
    digest_add(d, content, SIZE);
    digest_hex(d, sum);
    digest_free(d);
    book = mmap(NULL, sizeof *book, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)&a, &n))
        return 1;
    port = ntohs(a.sin_port);
    server = fork();
    if (!server)
        run_server(fd);
    close(fd);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    kill(server, SIGKILL);
    return waitpid(server, NULL, 0) != server;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_whole_comes_once),
        cmocka_unit_test(what_is_here_is_compared),
        cmocka_unit_test(a_cut_goes_on_where_it_stopped),
        cmocka_unit_test(a_server_without_ranges_begins_anew),
        cmocka_unit_test(a_stall_is_left_behind),
        cmocka_unit_test(what_came_damaged_comes_again),
        cmocka_unit_test(what_comes_damaged_twice_is_refused),
        cmocka_unit_test(a_part_of_an_earlier_day_is_used),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(a_name_that_is_taken),
        cmocka_unit_test(the_hub_names_the_sum),
        cmocka_unit_test(both_sums_are_compared),
        cmocka_unit_test(an_index_brings_its_shards),
        cmocka_unit_test(errors_say_what_and_stop),
        cmocka_unit_test(plain_http_is_for_this_machine),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

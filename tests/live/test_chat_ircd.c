/* Chat against a real IRC server (ngircd), plain and over TLS. */
#include "chat.h"

struct server {
    char dir[64], port[16], tls[16], cert[128];
    pid_t pid;
};

static void run(const char *command, struct server *sv)
{
    char line[256];
    FILE *p = popen(command, "r");
    assert_non_null(p);
    while (fgets(line, sizeof line, p)) {
        line[strcspn(line, "\n")] = '\0';
        if (!strncmp(line, "PID=", 4))
            sv->pid = (pid_t)atoi(line + 4);
        else if (!strncmp(line, "PORT=", 5))
            str_copy(sv->port, sizeof sv->port, line + 5);
        else if (!strncmp(line, "TLS_PORT=", 9))
            str_copy(sv->tls, sizeof sv->tls, line + 9);
        else if (!strncmp(line, "CERT=", 5))
            str_copy(sv->cert, sizeof sv->cert, line + 5);
    }
    assert_int_equal(pclose(p), 0);
}

static void server_start(struct server *sv)
{
    char command[512];
    snprintf(command, sizeof command, "%s/tests/live/lib/ircd start %s %s %s", SRCDIR, sv->dir,
             sv->port, sv->tls);
    run(command, sv);
}

static void server_stop(struct server *sv)
{
    char command[512];
    snprintf(command, sizeof command, "%s/tests/live/lib/ircd stop %s", SRCDIR, sv->dir);
    run(command, sv);
}

static int setup(void **state)
{
    struct server *sv = calloc(1, sizeof *sv);
    strcpy(sv->dir, "/tmp/sakuga-ircd.XXXXXX");
    assert_non_null(mkdtemp(sv->dir));
    server_start(sv);
    *state = sv;
    return 0;
}

static int teardown(void **state)
{
    struct server *sv = *state;
    char command[128];
    server_stop(sv);
    snprintf(command, sizeof command, "rm -rf %s", sv->dir);
    free(sv);
    return system(command);
}

/* --- one of the audience --- */

static void say(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(int fd, const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line - 2, fmt, ap);
    va_end(ap);
    memcpy(line + n, "\r\n", 2);
    assert_int_equal(send(fd, line, (size_t)n + 2, MSG_NOSIGNAL), n + 2);
}

/* Reads until a line holds `word`. */
static void expect(int fd, const char *word)
{
    char got[8192];
    size_t n = 0;
    int64_t end = clock_mono_ms() + 5000;
    while (clock_mono_ms() < end && n + 1 < sizeof got) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 100) <= 0)
            continue;
        ssize_t r = recv(fd, got + n, sizeof got - 1 - n, 0);
        if (r <= 0)
            break;
        got[n += (size_t)r] = '\0';
        if (strstr(got, word))
            return;
    }
    print_error("no \"%s\" in: %s\n", word, got);
    fail();
}

static int viewer(const struct server *sv, const char *nick)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)atoi(sv->port)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    say(fd, "NICK %s\r\nUSER %s 0 * :%s", nick, nick, nick);
    expect(fd, " 001 ");
    say(fd, "JOIN #show");
    expect(fd, " 366 ");
    return fd;
}

static void join(struct show *s, const struct server *sv, bool tls, struct chat_settings set)
{
    char url[128];
    struct fault f = {0};
    snprintf(url, sizeof url, "%s://localhost:%s/#show", tls ? "ircs" : "irc",
             tls ? sv->tls : sv->port);
    set.kind = "irc";
    set.url = url;
    set.nick = set.nick ? set.nick : "sakuga";
    set.ca = tls ? sv->cert : NULL;
    if (chat_add(s->chat, &set, &f) < 0)
        fail_msg("%s", f.text);
}

static void lines_come_out(struct server *sv, bool tls)
{
    struct show s;
    show_begin(&s);
    int boss = viewer(sv, "Boss"); /* first in, so the channel's operator */
    join(&s, sv, tls, (struct chat_settings){0});
    WAIT(&s, 5000, show_state(&s).connected);
    int aki = viewer(sv, "Aki");
    say(aki, "PRIVMSG #show :!anime 雨の駅 \"a fox\"");
    WAIT(&s, 3000, s.lines == 1);
    assert_string_equal(show_last(&s)->text, "!anime 雨の駅 \"a fox\"");
    assert_string_equal(show_last(&s)->uid, "aki");
    assert_string_equal(show_last(&s)->name, "Aki");
    assert_int_equal(show_last(&s)->role, ROLE_VIEWER);
    say(boss, "PRIVMSG #show :\1ACTION waves\1");
    WAIT(&s, 3000, s.lines == 2);
    assert_string_equal(show_last(&s)->text, "waves");
    assert_int_equal(show_last(&s)->role, ROLE_MODERATOR);
    struct viewer to = {.platform = "irc", .uid = "aki", .name = "Aki"};
    chat_reply(s.chat, 0, &to, CHAT_ACCEPTED, "queued as #1", NULL);
    int64_t end = clock_mono_ms() + 3000;
    char got[2048] = "";
    while (!strstr(got, "queued") && clock_mono_ms() < end) {
        loop_step(s.loop, 20);
        ssize_t n = recv(aki, got, sizeof got - 1, MSG_DONTWAIT);
        got[n > 0 ? n : 0] = '\0';
    }
    assert_non_null(strstr(got, "PRIVMSG #show :@Aki queued as #1"));
    close(boss);
    close(aki);
    show_end(&s);
}

static void plain(void **state)
{
    lines_come_out(*state, false);
}

static void tls(void **state)
{
    lines_come_out(*state, true);
}

/* Rights follow the channel; a kick withdraws. */
static void operators(void **state)
{
    struct server *sv = *state;
    struct show s;
    show_begin(&s);
    int boss = viewer(sv, "boss");
    join(&s, sv, false, (struct chat_settings){0});
    WAIT(&s, 5000, show_state(&s).connected);
    int aki = viewer(sv, "aki");
    say(aki, "PRIVMSG #show :before");
    WAIT(&s, 3000, s.lines == 1);
    assert_int_equal(show_last(&s)->role, ROLE_VIEWER);
    say(boss, "MODE #show +o aki");
    expect(aki, "+o");
    WAIT(&s, 3000,
         (say(aki, "PRIVMSG #show :after"), loop_step(s.loop, 50),
          s.lines > 1 && show_last(&s)->role == ROLE_MODERATOR));
    say(aki, "NICK aki2");
    say(aki, "PRIVMSG #show :renamed");
    WAIT(&s, 3000, !strcmp(show_last(&s)->text, "renamed"));
    assert_string_equal(show_last(&s)->uid, "aki2");
    assert_int_equal(show_last(&s)->role, ROLE_MODERATOR);
    say(boss, "KICK #show aki2 :spam");
    WAIT(&s, 3000, s.withdrawals == 1);
    assert_string_equal(s.withdrawal[0].uid, "aki2");
    assert_string_equal(s.withdrawal[0].platform, "irc");
    close(aki);
    aki = viewer(sv, "aki2"); /* somebody else under that nick, for all we know */
    say(aki, "PRIVMSG #show :back");
    WAIT(&s, 3000, !strcmp(show_last(&s)->text, "back"));
    assert_int_equal(show_last(&s)->role, ROLE_VIEWER);
    close(aki);
    close(boss);
    show_end(&s);
}

static void nick_in_use(void **state)
{
    struct server *sv = *state;
    struct show s;
    int other = viewer(sv, "taken");
    show_begin(&s);
    join(&s, sv, false, (struct chat_settings){.nick = "taken"});
    WAIT(&s, 5000, show_state(&s).connected);
    struct viewer to = {.platform = "irc", .uid = "taken", .name = "taken"};
    chat_reply(s.chat, 0, &to, CHAT_ANSWER, "hello", NULL);
    for (int i = 0; i < 10; i++)
        loop_step(s.loop, 20);
    expect(other, ":taken_!");
    close(other);
    show_end(&s);
}

static void kicked_itself(void **state)
{
    struct server *sv = *state;
    struct show s;
    int boss = viewer(sv, "boss");
    show_begin(&s);
    join(&s, sv, false, (struct chat_settings){.refused_ms = 800});
    WAIT(&s, 5000, show_state(&s).connected);
    int64_t began = clock_mono_ms();
    say(boss, "KICK #show sakuga :go away");
    WAIT(&s, 3000, !show_state(&s).connected);
    assert_non_null(strstr(show_state(&s).why, "go away"));
    WAIT(&s, 3000, show_state(&s).connected);
    assert_true(clock_mono_ms() - began >= 800);
    assert_string_equal(show_state(&s).why, "");
    close(boss);
    show_end(&s);
}

static void back_after_a_restart(void **state)
{
    struct server *sv = *state;
    struct show s;
    show_begin(&s);
    join(&s, sv, true, (struct chat_settings){0});
    WAIT(&s, 5000, show_state(&s).connected);
    for (int i = 0; i < 2; i++) {
        server_stop(sv);
        WAIT(&s, 3000, !show_state(&s).connected);
        int64_t until = clock_mono_ms() + (i ? 4000 : 600);
        while (clock_mono_ms() < until)
            loop_step(s.loop, 50);
        server_start(sv);
        int64_t up = clock_mono_ms();
        WAIT(&s, 5000, show_state(&s).connected);
        assert_true(clock_mono_ms() - up < 2000);
    }
    show_end(&s);
}

/* The server stops without a word: only silence tells. */
static void half_open(void **state)
{
    struct server *sv = *state;
    struct show s;
    show_begin(&s);
    join(&s, sv, true, (struct chat_settings){.ping_ms = 300, .deadline_ms = 900});
    WAIT(&s, 5000, show_state(&s).connected);
    int64_t quiet = clock_mono_ms() + 2000; /* nobody speaks, but PINGs are answered */
    while (clock_mono_ms() < quiet) {
        loop_step(s.loop, 50);
        assert_true(show_state(&s).connected);
    }
    kill(sv->pid, SIGSTOP);
    int64_t stopped = clock_mono_ms();
    WAIT(&s, 3000, !show_state(&s).connected && strstr(show_state(&s).why, "dead"));
    assert_true(clock_mono_ms() - stopped < 2000);
    kill(sv->pid, SIGCONT);
    WAIT(&s, 5000, show_state(&s).connected);
    int aki = viewer(sv, "aki3");
    say(aki, "PRIVMSG #show :still here?");
    WAIT(&s, 3000, s.lines == 1);
    close(aki);
    show_end(&s);
}

/* A server with a password of its own: wrong, then right. */
static void server_password(void **state)
{
    (void)state;
    struct server sv = {.dir = "/tmp/sakuga-ircd.XXXXXX"};
    struct show s;
    char command[256];
    assert_non_null(mkdtemp(sv.dir));
    snprintf(command, sizeof command, "%s/tests/live/lib/ircd start %s '' '' hunter2", SRCDIR,
             sv.dir);
    run(command, &sv);
    show_begin(&s);
    join(&s, &sv, true, (struct chat_settings){.password = "wrong", .secret = "home"});
    WAIT(&s, 5000, strstr(show_state(&s).why, "home.password"));
    assert_false(show_state(&s).connected);
    show_end(&s);
    show_begin(&s);
    join(&s, &sv, true, (struct chat_settings){.password = "hunter2"});
    WAIT(&s, 5000, show_state(&s).connected);
    show_end(&s);
    server_stop(&sv);
    snprintf(command, sizeof command, "rm -rf %s", sv.dir);
    assert_int_equal(system(command), 0);
}

static void wrong_ca(void **state)
{
    struct server *sv = *state;
    struct show s;
    show_begin(&s);
    char url[64];
    snprintf(url, sizeof url, "ircs://localhost:%s/#show", sv->tls);
    assert_int_equal(chat_add(s.chat, &(struct chat_settings){.kind = "irc", .url = url}, NULL), 0);
    WAIT(&s, 5000, strstr(show_state(&s).why, "certificate"));
    assert_false(show_state(&s).connected);
    show_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(tls),
        cmocka_unit_test(operators),
        cmocka_unit_test(nick_in_use),
        cmocka_unit_test(kicked_itself),
        cmocka_unit_test(half_open),
        cmocka_unit_test(wrong_ca),
        cmocka_unit_test(server_password),
        cmocka_unit_test(back_after_a_restart),
    };
    if (getenv("SAKUGA_TEST_LOG")) {
        log_set_level(LOG_DEBUG);
        log_stderr(true);
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}

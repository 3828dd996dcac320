/* Chat against a strict stand-in for Twitch: tags, bans, floods, RECONNECT, refused logins. */
#include "chat.h"

#include <fcntl.h>
#include <spawn.h>

extern char **environ;

struct twitch {
    pid_t pid;
    int orders, told; /* its standard input and output */
    int port;
    char log[65536]; /* what it told, the newest at the end */
    size_t n;
};

static void twitch_read(struct twitch *t)
{
    char room[4096];
    for (ssize_t n; (n = read(t->told, room, sizeof room)) > 0;) {
        if (t->n + (size_t)n >= sizeof t->log) {
            memmove(t->log, t->log + sizeof t->log / 2, sizeof t->log / 2);
            t->n = t->n > sizeof t->log / 2 ? t->n - sizeof t->log / 2 : 0;
        }
        memcpy(t->log + t->n, room, (size_t)n);
        t->log[t->n += (size_t)n] = '\0';
    }
    char *bad = strstr(t->log, "VIOLATION");
    if (bad)
        fail_msg("%.200s", bad);
}

static bool twitch_told(struct twitch *t, const char *what)
{
    twitch_read(t);
    return strstr(t->log, what) != NULL;
}

static void twitch_forget(struct twitch *t)
{
    twitch_read(t);
    t->log[t->n = 0] = '\0';
}

static void order(struct twitch *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void order(struct twitch *t, const char *fmt, ...)
{
    static char line[40000];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    line[n++] = '\n';
    assert_int_equal(write(t->orders, line, (size_t)n), n);
}

static void twitch_start(struct twitch *t)
{
    int in[2], out[2];
    char port[16] = "0", path[] = BUILDDIR "/tests/tools/fake_twitch";
    snprintf(port, sizeof port, "%d", t->port);
    char *argv[] = {path, "sakuga", "tokentoken", port, NULL};
    posix_spawn_file_actions_t a;
    assert_int_equal(pipe2(in, O_CLOEXEC) + pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&a);
    posix_spawn_file_actions_adddup2(&a, in[0], 0);
    posix_spawn_file_actions_adddup2(&a, out[1], 1);
    assert_int_equal(posix_spawn(&t->pid, path, &a, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&a);
    close(in[0]);
    close(out[1]);
    t->orders = in[1];
    t->told = out[0];
    t->log[t->n = 0] = '\0';
    fcntl(t->told, F_SETFL, O_NONBLOCK);
    for (int64_t end = clock_mono_ms() + 3000; !strchr(t->log, '\n') && clock_mono_ms() < end;) {
        struct pollfd p = {.fd = t->told, .events = POLLIN};
        poll(&p, 1, 100);
        twitch_read(t);
    }
    assert_int_equal(sscanf(t->log, "PORT %d", &t->port), 1);
}

static void twitch_stop(struct twitch *t)
{
    close(t->orders);
    close(t->told);
    kill(t->pid, SIGTERM);
    waitpid(t->pid, NULL, 0);
}

static void begin(struct show *s, struct twitch *t, struct chat_settings set)
{
    char url[64];
    struct fault f = {0};
    *t = (struct twitch){0};
    twitch_start(t);
    show_begin(s);
    snprintf(url, sizeof url, "irc://127.0.0.1:%d/#kanna", t->port);
    set.kind = "irc";
    set.url = url;
    set.nick = "sakuga";
    set.secret = "irc";
    set.password = set.password ? set.password : "oauth:tokentoken";
    if (chat_add(s->chat, &set, &f) < 0)
        fail_msg("%s", f.text);
}

static void begin_joined(struct show *s, struct twitch *t, struct chat_settings set)
{
    begin(s, t, set);
    WAIT(s, 5000, show_state(s).connected && twitch_told(t, "JOINED #kanna"));
}

static void end(struct show *s, struct twitch *t)
{
    twitch_read(t);
    show_end(s);
    twitch_stop(t);
}

static void tags(void **state)
{
    (void)state;
    struct show s;
    struct twitch t;
    begin_joined(&s, &t, (struct chat_settings){0});
    order(&t, "raw @badge-info=subscriber/8;badges=moderator/1,subscriber/6;color=#1E90FF;"
              "display-name=カンナ\\sさん;emotes=;id=885196de-cb67-427a-baa8-82f9b0fcd05f;mod=1;"
              "room-id=71092938;subscriber=1;tmi-sent-ts=1520371600123;user-id=160364739 "
              ":kanna!kanna@kanna.tmi.twitch.tv PRIVMSG #kanna :!anime a fox");
    WAIT(&s, 3000, s.lines == 1);
    const struct heard *h = show_last(&s);
    assert_string_equal(h->uid, "160364739");
    assert_string_equal(h->name, "カンナ さん");
    assert_string_equal(h->text, "!anime a fox");
    assert_string_equal(h->msgid, "885196de-cb67-427a-baa8-82f9b0fcd05f");
    assert_int_equal(h->role, ROLE_MODERATOR);
    assert_int_equal(h->utc_ms, 1520371600123);
    /* the same message again is a duplicate; without a name the login stands */
    order(&t, "raw @id=885196de-cb67-427a-baa8-82f9b0fcd05f;user-id=160364739 "
              ":kanna!kanna@kanna.tmi.twitch.tv PRIVMSG #kanna :!anime a fox");
    order(&t, "raw @id=1;display-name=;user-id=8 :aki!aki@aki.tmi.twitch.tv PRIVMSG #kanna "
              ":\1ACTION bows\1");
    WAIT(&s, 3000, s.lines == 2);
    assert_string_equal(show_last(&s)->name, "aki");
    assert_string_equal(show_last(&s)->text, "bows");
    order(&t, "raw PING :tmi.twitch.tv");
    WAIT(&s, 3000, twitch_told(&t, "GOT PONG tmi.twitch.tv"));
    end(&s, &t);
}

/* What chatters and a broken server can send; the last line proves that it still listens. */
static void hard_lines(void **state)
{
    (void)state;
    struct show s;
    struct twitch t;
    static char big[20481], japanese[4096], tag[8192];
    begin_joined(&s, &t, (struct chat_settings){0});
    memset(big, 'x', sizeof big - 1);
    memset(tag, 'y', 8100);
    for (int i = 0; i < 327; i++)
        strcat(japanese, "駅");
    order(&t, "raw @id=10;user-id=8 :aki!aki@t PRIVMSG #kanna :%s", big);
    order(&t, "raw ");
    order(&t, "raw :tmi.twitch.tv");
    order(&t, "raw NICK x");
    order(&t, "raw @id=11;user-id=8 :aki!aki@t PRIVMSG #kanna :%s", japanese);
    WAIT(&s, 3000, s.lines == 1);
    assert_string_equal(show_last(&s)->text, japanese);
    order(&t, "raw @x=%s;id=12;user-id=9;display-name=Bo :bo!bo@t PRIVMSG #kanna :behind", tag);
    WAIT(&s, 3000, s.lines == 2);
    assert_string_equal(show_last(&s)->uid, "9");
    order(&t,
          "raw @id=13;user-id=8 :aki!aki@t PRIVMSG #kanna :a\xff\xfe\xc3(\xf0\x28 \x1b[2J\x07 b");
    WAIT(&s, 3000, s.lines == 3);
    assert_string_equal(show_last(&s)->text,
                        "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd( [2J b");
    order(&t, "raw @id=14;user-id=8 :aki!aki@t PRIVMSG #kanna :  \x01\x02 ");
    order(&t, "raw @id=15;user-id=8 :aki!aki@t PRIVMSG #other :elsewhere");
    order(&t, "raw @id=16;user-id=8 :aki!aki@t PRIVMSG #kanna :last");
    WAIT(&s, 3000, s.lines == 4);
    assert_string_equal(show_last(&s)->text, "last");
    end(&s, &t);
}

static void flood_with_a_ban(void **state)
{
    (void)state;
    struct show s;
    struct twitch t;
    begin_joined(&s, &t, (struct chat_settings){0});
    order(&t, "flood 5000 1");
    order(&t, "raw @ban-duration=600;room-id=1;target-user-id=1007;tmi-sent-ts=1 "
              ":tmi.twitch.tv CLEARCHAT #kanna :viewer7");
    order(&t, "raw @room-id=1;target-user-id=1008 :tmi.twitch.tv CLEARCHAT #kanna :viewer8");
    order(&t, "flood 5000 5001");
    order(&t, "raw @login=viewer9;room-id=;target-msg-id=00000000-0000-4000-8000-000000000010 "
              ":tmi.twitch.tv CLEARMSG #kanna :line 10");
    order(&t, "raw @room-id=1 :tmi.twitch.tv CLEARCHAT #kanna");
    WAIT(&s, 20000, s.lines == 10000 && s.withdrawals == 4);
    assert_string_equal(show_last(&s)->text, "line 10000");
    assert_string_equal(s.withdrawal[0].uid, "1007");
    assert_string_equal(s.withdrawal[0].platform, "twitch");
    assert_int_equal(s.withdrawal[0].ban_s, 600);
    assert_string_equal(s.withdrawal[1].uid, "1008");
    assert_int_equal(s.withdrawal[1].ban_s, -1);
    assert_string_equal(s.withdrawal[2].msgid, "00000000-0000-4000-8000-000000000010");
    assert_string_equal(s.withdrawal[2].uid, "");
    assert_int_equal(s.withdrawal[2].ban_s, 0);
    assert_string_equal(s.withdrawal[3].uid, "");
    assert_string_equal(s.withdrawal[3].msgid, "");
    assert_int_equal(show_state(&s).lines, 10000);
    end(&s, &t);
}

static void reconnect(void **state)
{
    (void)state;
    struct show s;
    struct twitch t;
    begin_joined(&s, &t, (struct chat_settings){0});
    twitch_forget(&t);
    int64_t began = clock_mono_ms();
    order(&t, "raw :tmi.twitch.tv RECONNECT");
    WAIT(&s, 2000, twitch_told(&t, "JOINED #kanna") && show_state(&s).connected);
    assert_true(clock_mono_ms() - began < 2000);
    twitch_forget(&t);
    order(&t, "close");
    WAIT(&s, 2000, twitch_told(&t, "JOINED #kanna") && show_state(&s).connected);
    order(&t, "flood 3 1");
    WAIT(&s, 2000, s.lines == 3);
    end(&s, &t);
}

static void login_failure(const char *password, const char *said)
{
    struct show s;
    struct twitch t;
    begin(&s, &t, (struct chat_settings){.password = password, .refused_ms = 1500});
    WAIT(&s, 3000, strstr(show_state(&s).why, said));
    assert_non_null(strstr(show_state(&s).why, "irc.password"));
    assert_non_null(strstr(show_state(&s).why, "secrets.conf"));
    assert_false(show_state(&s).connected);
    WAIT(&s, 1000, twitch_told(&t, "CLOSED"));
    twitch_forget(&t);
    int64_t began = clock_mono_ms();
    order(&t, "token %s", strchr(password, ':') ? strchr(password, ':') + 1 : "x");
    WAIT(&s, 4000, twitch_told(&t, "GOT NICK")); /* it does not hammer */
    assert_true(clock_mono_ms() - began > 1000);
    if (strchr(password, ':'))
        WAIT(&s, 2000, show_state(&s).connected);
    end(&s, &t);
}

static void login_failed(void **state)
{
    (void)state;
    login_failure("oauth:expired-token", "Login authentication failed");
}

static void login_malformed(void **state)
{
    (void)state;
    login_failure("tokentoken", "Improperly formatted auth");
}

static void replies(void **state)
{
    (void)state;
    struct show s;
    struct twitch t;
    struct viewer aki = {.platform = "twitch", .uid = "8", .name = "Aki"};
    struct viewer bo = {.platform = "twitch", .uid = "9", .name = "Bo"};
    begin_joined(&s, &t, (struct chat_settings){0});
    chat_reply(s.chat, 0, &aki, CHAT_ACCEPTED, "queued as #1", "885196de-cb67");
    WAIT(&s, 2000,
         twitch_told(&t, "@reply-parent-msg-id=885196de-cb67 PRIVMSG #kanna :@Aki queued as #1"));
    for (int i = 2; i < 30; i++) {
        char text[64];
        snprintf(text, sizeof text, "queued as #%d", i);
        chat_reply(s.chat, 0, i % 2 ? &aki : &bo, CHAT_ACCEPTED, text, "a;b\r\nQUIT");
    }
    chat_reply(s.chat, 0, NULL, CHAT_NOTICE, "last\r\ncall", NULL);
    WAIT(&s, 8000, twitch_told(&t, "GOT PRIVMSG #kanna :last call"));
    WAIT(&s, 8000, twitch_told(&t, "queued as #29"));
    end(&s, &t);
}

/* Never over irc:// to another machine. */
static void password_needs_tls(void **state)
{
    (void)state;
    struct show s;
    struct fault f = {0};
    show_begin(&s);
    struct chat_settings set = {.kind = "irc",
                                .url = "irc://irc.chat.twitch.tv/#kanna",
                                .nick = "sakuga",
                                .password = "oauth:tokentoken"};
    assert_int_equal(chat_add(s.chat, &set, &f), -1);
    assert_int_equal(f.code, ERR_DENIED);
    assert_non_null(strstr(f.text, "ircs://"));
    assert_null(strstr(f.text, "tokentoken"));
    char logged[] = "PASS oauth:tokentoken";
    set.url = "ircs://irc.chat.twitch.invalid/#kanna";
    assert_int_equal(chat_add(s.chat, &set, &f), 0);
    log_redact(logged, sizeof logged);
    assert_null(strstr(logged, "tokentoken"));
    show_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags),
        cmocka_unit_test(hard_lines),
        cmocka_unit_test(flood_with_a_ban),
        cmocka_unit_test(reconnect),
        cmocka_unit_test(login_failed),
        cmocka_unit_test(login_malformed),
        cmocka_unit_test(replies),
        cmocka_unit_test(password_needs_tls),
    };
    if (getenv("SAKUGA_TEST_LOG")) {
        log_set_level(LOG_DEBUG);
        log_stderr(true);
    }
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

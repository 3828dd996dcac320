#include "unit.h"

#include "base/buf.h"
#include "chat/shield.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct peer {
    struct shield *shield;
    struct buf sent; /* for the server */
    int lines;
    char command[32], text[32768], name[64];
    int params;
    int answers;  /* replies to send from inside the callback */
    bool suicide; /* end the shield from inside the callback */
};

static void on_line(void *user, const struct ircline *l)
{
    struct peer *p = user;
    p->lines++;
    snprintf(p->command, sizeof p->command, "%s", l->command);
    snprintf(p->text, sizeof p->text, "%s", ircline_param(l, l->params - 1));
    ircline_tag(l, "display-name", p->name, sizeof p->name);
    p->params = l->params;
    for (int i = 0; i < p->answers; i++)
        assert_true(shield_send(p->shield, "PRIVMSG #c :%0500d", i));
    if (p->suicide)
        shield_free(p->shield);
}

static void on_send(void *user, const char *bytes, size_t n)
{
    struct peer *p = user;
    buf_add(&p->sent, bytes, n);
}

static void begin(struct peer *p)
{
    static const struct shield_ops ops = {on_line, on_send};
    struct shield_login login = {.password = "oauth:100%n%s",
                                 .nick = "sakuga",
                                 .user = "sakuga",
                                 .real = "sakuga",
                                 .caps = ":twitch.tv/tags"};
    struct fault f = {0};
    *p = (struct peer){0};
    p->shield = shield_new(&login, &ops, p, &f);
    if (!p->shield)
        fail_msg("%s", f.text);
}

static void end(struct peer *p)
{
    shield_free(p->shield);
    buf_free(&p->sent);
}

static void feed(struct peer *p, const char *text)
{
    assert_true(shield_feed(p->shield, text, strlen(text)));
}

/* Whatever came before: does a line still come out, and a PING get its answer? */
static void assert_alive(struct peer *p)
{
    int before = p->lines;
    feed(p, "\r\n:a!b@c PRIVMSG #c :alive?\r\n");
    assert_int_equal(p->lines, before + 1);
    assert_string_equal(p->text, "alive?");
    buf_reset(&p->sent);
    feed(p, "PING :token\r\n");
    assert_string_equal(buf_str(&p->sent), "PONG token\r\n");
}

static void login_order(void **state)
{
    (void)state;
    struct peer p;
    begin(&p);
    assert_string_equal(buf_str(&p.sent), "CAP REQ :twitch.tv/tags\r\nPASS oauth:100%n%s\r\n"
                                          "NICK sakuga\r\nUSER sakuga unknown unknown :sakuga\r\n");
    assert_alive(&p);
    end(&p);
}

static void bad_nicks(void **state)
{
    (void)state;
    assert_true(shield_nick_ok("sakuga_2"));
    assert_false(shield_nick_ok("") || shield_nick_ok("a b") || shield_nick_ok("%s") ||
                 shield_nick_ok("9lives") || shield_nick_ok("a\r\nQUIT"));
}

static void tags_and_full_text(void **state)
{
    (void)state;
    struct peer p;
    struct buf line = BUF_INIT(0);
    begin(&p);
    feed(&p, "@display-name=Aki\\sK;id=1 :aki!a@b PRIVMSG #c :hello world\r\n");
    assert_string_equal(p.command, "PRIVMSG");
    assert_string_equal(p.text, "hello world");
    assert_string_equal(p.name, "Aki K");
    /* 327 Japanese characters freeze the bare library */
    buf_adds(&line, ":aki!a@b PRIVMSG #c :");
    for (int i = 0; i < 500; i++)
        buf_adds(&line, "駅");
    buf_adds(&line, "\r\n");
    feed(&p, buf_str(&line));
    assert_int_equal(strlen(p.text), 1500);
    /* 8 KB of tags */
    buf_reset(&line);
    buf_adds(&line, "@x=");
    for (int i = 0; i < 8170; i++)
        buf_addc(&line, 'y');
    buf_adds(&line, ";display-name=Last :aki!a@b PRIVMSG #c :behind the tags\r\n");
    feed(&p, buf_str(&line));
    assert_string_equal(p.text, "behind the tags");
    assert_string_equal(p.name, "Last");
    /* a long /me */
    buf_reset(&line);
    buf_adds(&line, ":aki!a@b PRIVMSG #c :\1ACTION ");
    for (int i = 0; i < 300; i++)
        buf_adds(&line, "wave ");
    buf_adds(&line, "\1\r\n");
    feed(&p, buf_str(&line));
    assert_int_equal(strlen(p.text), 8 + 1500 + 1);
    assert_alive(&p);
    buf_free(&line);
    end(&p);
}

static void long_lines_do_not_stall(void **state)
{
    (void)state;
    struct peer p;
    char *big = malloc(20481);
    begin(&p);
    for (size_t n = 1000; n < 1040; n++) { /* around the library's buffer */
        memset(big, 'x', n);
        memcpy(big, ":a!b@c PRIVMSG #c :", 19);
        big[n] = '\0';
        feed(&p, big);
        feed(&p, "\r\n");
        assert_int_equal(strlen(p.text), n - 19);
    }
    memset(big, 'x', 20480);
    big[20480] = '\0';
    feed(&p, big);
    feed(&p, "\r\n");
    assert_int_equal(shield_dropped(p.shield), 1);
    assert_alive(&p);
    free(big);
    end(&p);
}

/* Each of these stalls or crashes the bare library, or makes it answer by itself. */
static void odd_lines(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "",
        " ",
        ":",
        ":foo",
        ":foo ",
        "NICK newnick",
        "NICK",
        ":a!b@c NICK",
        ":a!b@c NICK :",
        ":tmi.twitch.tv RECONNECT",
        "RECONNECT",
        "000",
        "0012 x",
        "000 x y",
        "12",
        "1234",
        ":s 001",
        ":s NOTICE #c",
        ":s NOTICE",
        ":s MODE sakuga",
        ":s MODE #c",
        ":a!b@c PRIVMSG #c",
        ":a!b@c PRIVMSG #c :",
        ":a!b@c PRIVMSG #c :\1",
        ":a!b@c PRIVMSG #c :\1\1",
        ":a!b@c PRIVMSG #c :\1ACTION\1",
        ":a!b@c PRIVMSG #c :\1ACTION ",
        ":a!b@c PRIVMSG #c :\1VERSION\1",
        ":a!b@c PRIVMSG sakuga :\1PING 1\1",
        ":a!b@c PRIVMSG sakuga :\1DCC SEND x 2130706433 4000 1\1",
        ":a!b@c PRIVMSG sakuga :\1DCC CHAT chat 2130706433 4000\1",
        ":a!b@c NOTICE sakuga :\1VERSION x\1",
        ":a!b@c NOTICE sakuga :\1",
        "@",
        "@a",
        "@a=b :x",
        "@a=b PING",
        "PING",
        "PING :",
        ":a!b@c KICK",
        ":a!b@c KICK #c",
        ":a!b@c JOIN",
        ":a!b@c PART",
        ":a!b@c QUIT",
        ":a!b@c INVITE me",
        ":a!b@c TOPIC",
        "ERROR",
        ":s 353 a b c",
        "\x80\xff\xfe",
        ":\xff!\xfe@\xfd PRIVMSG #c :\xc3\x28\xf0\x9f",
    };
    struct peer p;
    begin(&p);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        feed(&p, odd[i]);
        buf_reset(&p.sent);
        feed(&p, "\r\n");
        if (strstr(buf_str(&p.sent), "NOTICE"))
            fail_msg("it answered %s with %s", odd[i], buf_str(&p.sent));
        assert_alive(&p);
    }
    /* parameters so long that the canonical line cannot hold what the command needs */
    static const char *const commands[] = {"NOTICE", "PRIVMSG", "MODE", "KICK", "NICK", "PING"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        for (int n = 850; n < 1100; n += 7) {
            char line[2048];
            snprintf(line, sizeof line, ":a!b@c %s %0*d :text\r\n", commands[i], n, 0);
            feed(&p, line);
        }
    assert_alive(&p);
    end(&p);
}

static void output_is_pumped(void **state)
{
    (void)state;
    struct peer p;
    begin(&p);
    buf_reset(&p.sent);
    p.answers = 12; /* twelve lines of 500 bytes through a buffer of 1024 */
    feed(&p, ":a!b@c PRIVMSG #c :go\r\n");
    assert_int_equal(p.sent.len, 12 * (strlen("PRIVMSG #c :") + 500 + 2));
    p.answers = 0;
    assert_false(shield_send(p.shield, "PRIVMSG #c :a\r\nQUIT"));
    assert_false(shield_send(p.shield, "PRIVMSG #c :%01000d", 1));
    assert_alive(&p);
    end(&p);
}

static void may_end_inside_its_callback(void **state)
{
    (void)state;
    struct peer p;
    begin(&p);
    p.suicide = true;
    feed(&p, ":a!b@c PRIVMSG #c :one\r\n:a!b@c PRIVMSG #c :two\r\n");
    assert_int_equal(p.lines, 1);
    buf_free(&p.sent);
}

/* The library uses select(): above 1023 it would write outside of its fd_set. */
static void no_room_for_select(void **state)
{
    (void)state;
    struct rlimit old, wide;
    struct peer p = {0};
    static const struct shield_ops ops = {on_line, on_send};
    struct shield_login login = {.nick = "sakuga", .user = "sakuga", .real = "sakuga"};
    struct fault f = {0};
    int first = -1, last = -1;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    wide = old;
    wide.rlim_cur = old.rlim_max < 2048 ? old.rlim_max : 2048;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &wide), 0);
    for (int fd; last < 1100 && (fd = dup(2)) >= 0; last = fd)
        first = first < 0 ? fd : first;
    assert_null(shield_new(&login, &ops, &p, &f));
    assert_non_null(strstr(f.text, "too many open files"));
    close(first); /* a hole that the listener takes; the library's descriptor stays high */
    assert_null(shield_new(&login, &ops, &p, &f));
    for (int fd = first + 1; fd <= last; fd++)
        close(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    begin(&p);
    assert_alive(&p);
    end(&p);
}

/* --- 300,000 lines of a seeded generator --- */

static uint64_t seed = 20261122;

static unsigned draw(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static void fuzz_line(struct buf *b)
{
    static const char *const words[] = {"PRIVMSG",
                                        "NOTICE",
                                        "NICK",
                                        "JOIN",
                                        "PART",
                                        "MODE",
                                        "KICK",
                                        "PING",
                                        "QUIT",
                                        "TOPIC",
                                        "001",
                                        "353",
                                        "366",
                                        "000",
                                        "433",
                                        "999",
                                        "CAP",
                                        "ERROR",
                                        "KILL",
                                        "INVITE",
                                        "RECONNECT",
                                        "PONG",
                                        "#c",
                                        "sakuga",
                                        "sakugaX",
                                        ":",
                                        "@a=b",
                                        ":x!y@z",
                                        "\1",
                                        "\1ACTION",
                                        "\1DCC",
                                        "SEND",
                                        "CHAT",
                                        "a",
                                        "+o",
                                        "%s%n",
                                        "雨",
                                        "\xff",
                                        "",
                                        " ",
                                        "  ",
                                        "\1ACTION hi\1",
                                        "\1DCC SEND f 1 2 3\1",
                                        "\1VERSION\1",
                                        "\t",
                                        "\r",
                                        "0",
                                        "12345"};
    unsigned n = draw(9);
    if (draw(3) == 0)
        buf_adds(b, "@t=1 ");
    if (draw(2))
        buf_adds(b, ":aki!a@b ");
    if (draw(3))
        buf_addf(b, "%s ", words[draw(22)]);
    for (unsigned i = 0; i < n; i++)
        buf_addf(b, "%s%s", words[draw(sizeof words / sizeof *words)], draw(5) ? " " : "");
    if (draw(40) == 0)
        for (unsigned i = draw(3000); i > 0; i--)
            buf_addc(b, (char)draw(256));
    if (draw(3000) == 0)
        for (unsigned i = 0; i < 20000; i++)
            buf_addc(b, 'z');
    buf_adds(b, draw(8) ? "\r\n" : "\n");
}

static void fuzzed(void **state)
{
    (void)state;
    struct peer p;
    struct buf b = BUF_INIT(0);
    begin(&p);
    for (int i = 0; i < 300000; i++) {
        buf_reset(&b);
        fuzz_line(&b);
        assert_true(shield_feed(p.shield, buf_str(&b), b.len));
        if (i % 1000 == 0)
            assert_alive(&p);
        buf_reset(&p.sent);
    }
    assert_alive(&p);
    assert_true(p.lines > 50000);
    buf_free(&b);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login_order),
        cmocka_unit_test(bad_nicks),
        cmocka_unit_test(tags_and_full_text),
        cmocka_unit_test(long_lines_do_not_stall),
        cmocka_unit_test(odd_lines),
        cmocka_unit_test(output_is_pumped),
        cmocka_unit_test(may_end_inside_its_callback),
        cmocka_unit_test(no_room_for_select),
        cmocka_unit_test(fuzzed),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

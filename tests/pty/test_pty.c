/* The console on a real pseudo terminal: it takes the terminal, gives it back whatever happens, and
 * the show outlives it. */
#include "unit.h"

#include "pty/pty.h"

#define QUIET "return { chat = {}, engine = { kind = 'animatic' } }\n"
#define LEAVE "\033[?1049l"
#define PASTE_OFF "\033[?2004l"

static struct pty t;

/* `env`: NAME=VALUE beside the usual, or NULL. */
static void begin_with(const char *config, int w, int h, const char *env)
{
    t = (struct pty){.master = -1, .ctl = -1};
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("COLORTERM");
    unsetenv("NO_COLOR");
    unsetenv("TMUX");
    if (env)
        putenv((char *)env);
    pty_show_lua(&t, config);
    pty_open(&t, w, h);
    if (!pty_wait(&t, "1 Held", 10000))
        fail_msg("no picture; the terminal got: %s", t.seen);
}

static void begin(int w, int h)
{
    begin_with(QUIET, w, h, NULL);
}

static int end(void **state)
{
    (void)state;
    pty_close(&t);
    t = (struct pty){.master = -1, .ctl = -1};
    return 0;
}

static bool is_raw(void)
{
    struct termios now;
    return tcgetattr(t.master, &now) == 0 && !(now.c_lflag & (ICANON | ECHO));
}

static void must_be_given_back(void)
{
    if (!strstr(t.seen, LEAVE) || !strstr(t.seen, PASTE_OFF))
        fail_msg("the terminal was not left: ...%s",
                 t.seen + (t.seen_n > 600 ? t.seen_n - 600 : 0));
    assert_false(is_raw());
}

static void answers(const char *words, const char *want)
{
    const char *got = pty_ctl(&t, words);
    if (!strstr(got, want))
        fail_msg("%s answered %.500s and should hold %s", words, got, want);
}

/* What went wrong before there was a picture stands in it all the same. */
static void tells_what_came_before(void **state)
{
    (void)state;
    begin_with("return { scripts = { 'commands', 'gone' } }\n", 104, 30, NULL);
    assert_true(pty_wait(&t, "there is no script gone", 3000));
    pty_close(&t);
    begin_with(NULL, 104, 30, NULL); /* no show.lua */
    assert_true(pty_wait(&t, "the demo's settings run", 3000));
}

static void ends_by_signal_and_restores(void **state)
{
    (void)state;
    begin(80, 24);
    assert_true(is_raw());
    pty_forget(&t);
    kill(t.pid, SIGTERM);
    assert_int_equal(pty_ended(&t, 2000), 0);
    must_be_given_back();
}

static void ends_by_key(void **state)
{
    (void)state;
    begin(80, 24);
    pty_forget(&t);
    pty_type(&t, "Q");
    assert_true(pty_wait(&t, "End the show?", 3000));
    pty_type(&t, "y");
    assert_int_equal(pty_ended(&t, 2000), 0);
    must_be_given_back();
}

static void a_key_decides(void **state)
{
    (void)state;
    begin(80, 24);
    answers("[\"say\",\"aki\",\"!anime neon fox\"]", "\"id\":1");
    assert_true(pty_wait(&t, "neon fox", 3000));
    pty_type(&t, "\033[200~a\033[201~"); /* pasted: nothing */
    assert_true(pty_wait(&t, "was ignored", 3000));
    answers("[\"state\"]", "\"held\"");
    pty_type(&t, "a");
    assert_true(pty_wait(&t, "approved #1", 3000));
    answers("[\"why\",\"1\"]", "#1 is ");
    assert_null(strstr(t.reply, "held"));
}

/* What chat sends never reaches the terminal as a sequence. */
static void chat_text_is_tame(void **state)
{
    (void)state;
    begin(80, 24);
    answers("[\"say\",\"evil\\u001b[31m\",\"!anime pwn\\u001b]0;title\\u0007 \\u009b31m done\"]",
            "\"id\":1");
    assert_true(pty_wait(&t, "pwn", 3000));
    assert_null(strstr(t.seen, "\033]0;"));
    assert_null(memmem(t.seen, t.seen_n, "\302\233", 2));
}

static void resize_storm(void **state)
{
    unsigned seed = 5;
    (void)state;
    begin(80, 24);
    for (int i = 0; i < 300; i++) {
        struct winsize ws = {.ws_col = (unsigned short)(1 + rand_r(&seed) % 250),
                             .ws_row = (unsigned short)(1 + rand_r(&seed) % 80)};
        assert_int_equal(ioctl(t.master, TIOCSWINSZ, &ws), 0);
        if (i % 7 == 0)
            pty_type(&t, i % 2 ? "?" : "\t");
        pty_pump(&t, i % 5);
    }
    struct winsize last = {.ws_col = 80, .ws_row = 24};
    ioctl(t.master, TIOCSWINSZ, &last);
    pty_forget(&t);
    pty_type(&t, "\033\033\f1\f"); /* Esc, M-C-l, which means nothing, and a picture */
    assert_true(pty_wait(&t, "1 Held", 5000));
    assert_true(pty_wait(&t, "PANIC", 5000));
    assert_int_equal(waitpid(t.pid, NULL, WNOHANG), 0);
}

static void closed_terminal(void **state)
{
    (void)state;
    begin(80, 24);
    answers("[\"say\",\"aki\",\"!anime neon fox\"]", "\"id\":1");
    close(t.master); /* the kernel sends SIGHUP; reads and writes fail from now on */
    t.master = -1;
    answers("[\"state\"]", "\"held\"");
    answers("[\"approve\",\"1\"]", "approved #1");
    assert_int_equal(waitpid(t.pid, NULL, WNOHANG), 0);
    answers("[\"quit\"]", "\"ok\"");
    assert_int_equal(pty_ended(&t, 2000), 0);
}

static void hangup_signal(void **state)
{
    (void)state;
    begin(80, 24);
    pty_forget(&t);
    kill(t.pid, SIGHUP);
    assert_true(pty_wait(&t, LEAVE, 3000));
    answers("[\"state\"]", "\"prompts\"");
    assert_false(is_raw());
    kill(t.pid, SIGTERM);
    assert_int_equal(pty_ended(&t, 2000), 0);
}

/* The terminal takes nothing (nobody reads): frames are lost, the show is not. */
static void stalled_terminal(void **state)
{
    (void)state;
    begin(200, 60);
    int master = t.master;
    t.master = -1;                  /* pty_ctl() would read it otherwise */
    for (int i = 0; i < 200; i++) { /* far more than a terminal's buffer holds */
        if (write(master, "\f", 1) < 0)
            break;
        long long began = pty_now();
        answers("[\"why\",\"1\"]", "there is no prompt");
        assert_true(pty_now() - began < 1000);
    }
    t.master = master;
    pty_forget(&t);
    assert_true(pty_wait(&t, "1 Held", 5000)); /* and it comes back */
    pty_type(&t, "Qy");
    assert_int_equal(pty_ended(&t, 3000), 0);
}

static void stalled_terminal_ends(void **state)
{
    (void)state;
    begin(200, 60);
    int master = t.master;
    t.master = -1;
    for (int i = 0; i < 20; i++) {
        if (write(master, "\f", 1) < 0)
            break;
        answers("[\"why\",\"1\"]", "there is no prompt");
    }
    kill(t.pid, SIGTERM);
    assert_int_equal(pty_ended(&t, 2000), 0);
    t.master = master;
}

/* Whoever asks for C gets ASCII; whoever asks for no colours gets none. */
static void modest_terminals(void **state)
{
    (void)state;
    begin_with(QUIET, 104, 30, "LC_ALL=C");
    answers("[\"say\",\"\u4e16\",\"!anime \u96e8 rain\"]", "\"id\":1");
    assert_true(pty_wait(&t, "rain", 3000));
    answers("[\"say\",\"bo\",\"!anime a wish that goes on and on and on and on and on and on and "
            "on and "
            "on and on and on and on and on\"]",
            "\"id\":2");
    assert_true(pty_wait(&t, "~", 3000)); /* cut off, and no question */
    for (size_t i = 0; i < t.seen_n; i++)
        assert_true((unsigned char)t.seen[i] < 0x80);
    assert_non_null(strstr(t.seen, "\033[38;5;"));
    pty_close(&t);
    begin_with(QUIET, 104, 30, "NO_COLOR=1");
    assert_null(strstr(t.seen, "\033[38;"));
    assert_null(strstr(t.seen, "\033[48;"));
    assert_null(strstr(t.seen, "\033[31"));
    unsetenv("NO_COLOR");
}

static void crash_restores(void **state)
{
    (void)state;
    begin(80, 24);
    pty_forget(&t);
    kill(t.pid, SIGSEGV);
    int status = pty_ended(&t, 3000);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    assert_non_null(strstr(t.seen, "queue is safe"));
    must_be_given_back();
}

static void thousand_prompts(void **state)
{
    char words[128], want[32];
    (void)state;
    begin_with("return { chat = {}, limits = { queue = 0, per_viewer = 0, cooldown = 0 } }\n", 104,
               30, NULL);
    for (int i = 1; i <= 1000; i++) {
        snprintf(words, sizeof words, "[\"say\",\"v%d\",\"!anime wish %d\"]", i, i);
        snprintf(want, sizeof want, "\"id\":%d", i);
        answers(words, want);
    }
    assert_true(pty_wait(&t, "1000", 3000)); /* held 1000 */
    pty_forget(&t);
    long long began = pty_now();
    pty_type(&t, "?");
    assert_true(pty_wait(&t, "Decisions", 3000));
    print_message("a key with 1000 held is answered in %lld ms\n", pty_now() - began);
    assert_true(pty_now() - began < 500);
}

/* A shell with job control, as small as it can be: it starts the program in a group of its own in
 * the foreground, and when that stops, tells so and waits for a byte before it goes on. */
static void tiny_shell(int report, int order)
{
    char c;
    int status;
    struct termios cooked;
    signal(SIGTTOU, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        tcsetpgrp(STDIN_FILENO, getpid());
        signal(SIGTTOU, SIG_DFL);
        pty_exec(&t);
    }
    setpgid(pid, pid);
    tcsetpgrp(STDIN_FILENO, pid);
    for (;;) {
        if (waitpid(pid, &status, WUNTRACED) != pid)
            _exit(9);
        if (!WIFSTOPPED(status))
            break;
        tcsetpgrp(STDIN_FILENO, getpid());
        tcgetattr(STDIN_FILENO, &cooked);
        c = cooked.c_lflag & ICANON ? 'c' : 'r';
        if (write(report, &c, 1) != 1 || read(order, &c, 1) != 1)
            _exit(8);
        tcsetpgrp(STDIN_FILENO, pid);
        kill(-pid, SIGCONT);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 7);
}

static void suspend_and_foreground(void **state)
{
    int report[2], order[2];
    struct winsize ws = {.ws_col = 80, .ws_row = 24};
    char c = 0;
    (void)state;
    t = (struct pty){.master = -1, .ctl = -1};
    assert_int_equal(pipe(report), 0);
    assert_int_equal(pipe(order), 0);
    pty_show_lua(&t, QUIET);
    t.seen = calloc(1, PTY_SEEN + 1);
    t.pid = forkpty(&t.master, NULL, NULL, &ws);
    if (t.pid == 0)
        tiny_shell(report[1], order[0]);
    fcntl(t.master, F_SETFL, O_NONBLOCK);
    assert_true(pty_wait(&t, "1 Held", 10000));
    pty_forget(&t);
    pty_type(&t, "\032"); /* Ctrl-Z */
    struct pollfd f = {.fd = report[0], .events = POLLIN};
    for (int i = 0; i < 300 && poll(&f, 1, 0) == 0; i++)
        pty_pump(&t, 10);
    assert_int_equal(poll(&f, 1, 0), 1);
    assert_int_equal(read(report[0], &c, 1), 1);
    assert_int_equal(c, 'c'); /* stopped, with the terminal as it was */
    assert_true(pty_wait(&t, LEAVE, 3000));
    pty_forget(&t);
    assert_int_equal(write(order[1], "g", 1), 1);
    assert_true(pty_wait(&t, "1 Held", 5000)); /* drawn anew */
    assert_non_null(strstr(t.seen, "\033[?1049h"));
    assert_true(is_raw());
    pty_type(&t, "Q");
    assert_true(pty_wait(&t, "End the show?", 3000));
    pty_type(&t, "y");
    assert_int_equal(pty_ended(&t, 4000), 0);
    close(report[0]);
    close(report[1]);
    close(order[0]);
    close(order[1]);
}

#define TEST(fn) cmocka_unit_test_teardown(fn, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_what_came_before),
        TEST(ends_by_signal_and_restores),
        TEST(ends_by_key),
        TEST(a_key_decides),
        TEST(chat_text_is_tame),
        TEST(resize_storm),
        TEST(closed_terminal),
        TEST(hangup_signal),
        TEST(stalled_terminal),
        TEST(stalled_terminal_ends),
        TEST(modest_terminals),
        TEST(crash_restores),
        TEST(thousand_prompts),
        TEST(suspend_and_foreground),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

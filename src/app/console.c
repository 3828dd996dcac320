/* The show with its console: the same house, and a terminal in front of it.
 *
 * The terminal is a guest. It may be slow (frames are dropped, the loop never waits for it), it may
 * be closed (SIGHUP, end of file, an error while writing): then the show goes on headless with its
 * gates as they are, and `sakuga ctl` still reaches it. */
#include "app/house.h"
#include "app/modes.h"
#include "base/clock.h"
#include "base/log.h"
#include "tui/ring.h"
#include "tui/term/input.h"
#include "tui/term/term.h"
#include "tui/tui.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MS 33 /* pictures move at most this often; keys are answered at once */
#define FLUSH_MS 10

struct console {
    struct house house;
    struct tui *tui;
    struct tty *term; /* NULL: nobody looks */
    struct grid grid;
    struct input input;
    struct ring early; /* what the log said before there was a console to show it */
    struct watch *watch;
    struct timer *esc, *frame;
    struct subscriber *events;
    int64_t drawn_ms;
    bool urgent; /* a key was pressed: draw at once */
    int saved_stderr;
};

static struct tui_time now(void)
{
    return (struct tui_time){clock_mono_ms(), clock_utc_ms()};
}

/* ---- the terminal comes and goes ---- */

/* What libraries print would tear the picture: it goes to a file while the console stands. */
static void divert_stderr(struct console *c)
{
    char path[PATH_LEN];
    if (path_join(path, sizeof path, c->house.paths.log, "stderr.txt"))
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    c->saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static void restore_stderr(struct console *c)
{
    if (c->saved_stderr >= 0) {
        dup2(c->saved_stderr, STDERR_FILENO);
        close(c->saved_stderr);
    }
    c->saved_stderr = -1;
}

static void leave_terminal(struct console *c)
{
    loop_before_sleep(c->house.loop, NULL, NULL);
    watch_free(c->watch);
    timer_free(c->esc);
    timer_free(c->frame);
    c->watch = NULL;
    c->esc = c->frame = NULL;
    links_review(&c->house, 0, 0, 0);
    log_remove_sink(tui_log, c->tui);
    event_unsubscribe(&c->house.show.events, c->events);
    c->events = NULL;
    term_close(c->term);
    c->term = NULL;
}

static void lost(struct console *c, const char *how)
{
    if (!c->term)
        return;
    log_warn("app",
             "the terminal is gone (%s): the show goes on without it; `sakuga ctl` reaches it",
             how);
    leave_terminal(c);
}

static void on_hangup(void *user)
{
    lost(user, "hang-up");
}

/* ---- drawing ---- */

static void fit_grid(struct console *c)
{
    int w, h;
    term_size(c->term, &w, &h);
    if (w != c->grid.w || h != c->grid.h)
        grid_resize(&c->grid, w, h);
}

static void draw(struct console *c)
{
    fit_grid(c);
    tui_draw(c->tui, &c->grid, now());
    enum err e = term_draw(c->term, &c->grid);
    c->drawn_ms = clock_mono_ms();
    c->urgent = false;
    if (e == ERR_CLOSED)
        lost(c, "it takes no more");
    else if (e == ERR_BUSY && !timer_active(c->frame)) { /* it has not taken the last one yet */
        c->urgent = true;
        timer_start(c->frame, FLUSH_MS, 0);
    }
}

static void before_sleep(void *user)
{
    struct console *c = user;
    int64_t since = clock_mono_ms() - c->drawn_ms;
    if (!c->term || !tui_dirty(c->tui))
        return;
    if (c->urgent || since >= FRAME_MS)
        draw(c);
    else if (!timer_active(c->frame))
        timer_start(c->frame, FRAME_MS - since, 0);
}

static void on_frame(void *user)
{
    struct console *c = user;
    if (c->term && (c->urgent || tui_dirty(c->tui)))
        draw(c);
}

/* ---- keys ---- */

static void on_key(void *user, const char *key)
{
    struct console *c = user;
    c->urgent = true;
    tui_key(c->tui, key, now());
}

static void on_paste(void *user, const char *text, size_t n)
{
    struct console *c = user;
    c->urgent = true;
    tui_paste(c->tui, text, n, now());
}

static const struct input_ops input_ops = {on_key, on_paste};

static void on_readable(void *user)
{
    struct console *c = user;
    char bytes[4096];
    int n = term_read(c->term, bytes, sizeof bytes);
    if (n < 0) {
        lost(c, "end of file");
        return;
    }
    input_feed(&c->input, bytes, (size_t)n);
    if (c->esc && input_waits(&c->input))
        timer_start(c->esc, INPUT_ESC_MS, 0);
}

static void on_esc(void *user)
{
    struct console *c = user;
    input_timeout(&c->input);
}

/* ---- signals ---- */

static void on_resize(void *user)
{
    struct console *c = user;
    if (c->term) {
        c->urgent = true;
        tui_touch(c->tui);
    }
}

static void suspend(void *user)
{
    struct console *c = user;
    if (!c->term)
        return;
    restore_stderr(c);
    term_suspend(c->term);
    divert_stderr(c);
    on_resize(c);
}

/* ---- what the console asks of the house ---- */

static void run(void *user, const char *line, struct answer a)
{
    struct console *c = user;
    struct origin o = {.from = FROM_KEY, .source = -1, .msgid = ""};
    o.who.role = ROLE_OPERATOR;
    strcpy(o.who.platform, "console");
    strcpy(o.who.name, "operator");
    command_run(c->house.commands, &o, line, a);
}

static void review(void *user, int64_t id, int w, int h)
{
    struct console *c = user;
    if (id != c->house.reviewing || w != c->house.review_w || h != c->house.review_h)
        links_review(&c->house, id, w, h);
}

static void repaint(void *user)
{
    struct console *c = user;
    term_repaint(c->term);
}

static const struct tui_ops tui_ops = {run, review, repaint, suspend};

/* ---- the mode ---- */

/* Without any locale in the environment a terminal of today still speaks UTF-8; who says C gets C.
 */
static void choose_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *v = getenv(names[i]);
        if (v && *v)
            return;
    }
    setlocale(LC_CTYPE, "C.UTF-8");
}

static void keep(void *early, const struct log_line *line)
{
    ring_add(early, line->utc_ms, line->level, line->room, line->text);
}

static void show_log(struct console *c)
{
    struct ring_line l;
    log_remove_sink(keep, &c->early);
    for (unsigned back = RING_LINES; back-- > 0;)
        if (ring_get(&c->early, back, &l))
            tui_log(c->tui, &(struct log_line){l.utc_ms, l.level, l.room, l.text});
    log_add_sink(tui_log, c->tui);
    if (!c->house.config.from_file)
        tui_say(c->tui, LOG_WARN, "there is no show.lua: the demo's settings run", now());
}

static enum err take_terminal(struct console *c, const struct options *o, const struct look *look,
                              struct fault *f)
{
    struct loop *l = c->house.loop;
    struct look seen = *look;
    loop_on_signal(l, SIGWINCH, on_resize, c);
    loop_on_signal(l, SIGTSTP, suspend, c);
    c->term = term_open(o->ascii, f);
    if (!c->term)
        return f->code;
    divert_stderr(c);
    seen.ascii = !term_unicode(c->term);
    seen.colour = term_colour(c->term);
    c->tui = tui_new(&c->house.show, c->house.commands, &seen, &tui_ops, c);
    c->watch = watch_new(l, "terminal", term_fd(c->term), on_readable, c);
    c->esc = timer_new(l, "escape", on_esc, c);
    c->frame = timer_new(l, "frame", on_frame, c);
    if (!c->tui || !c->watch || !c->esc || !c->frame)
        return fault_set(f, ERR_NOMEM, "out of memory");
    input_init(&c->input, &input_ops, c);
    show_log(c);
    c->events = event_subscribe(&c->house.show.events, "console", tui_event, c->tui);
    loop_before_sleep(l, before_sleep, c);
    return ERR_OK;
}

static enum err load_look(const struct console *c, struct look *look, struct fault *f)
{
    const char *theme = c->house.config.theme;
    look_init(look);
    return strcmp(theme, "sakura") ? look_load(look, c->house.paths.themes, theme, f) : ERR_OK;
}

int mode_console(const struct options *o)
{
    static struct console c;
    struct look look;
    struct fault f = {0};
    c.saved_stderr = -1;
    signal(SIGHUP, SIG_IGN); /* until the loop takes it */
    choose_locale();
    log_set_level(o->debug ? LOG_DEBUG : LOG_INFO);
    ring_init(&c.early);
    log_add_sink(keep, &c.early);
    if (house_new(&c.house, o->config, o->data, o->safe, &f)) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return 1;
    }
    loop_on_signal(c.house.loop, SIGHUP, on_hangup, &c);
    enum err e = load_look(&c, &look, &f);
    if (!e)
        e = take_terminal(&c, o, &look, &f);
    if (!e) {
        draw(&c);
        loop_run(c.house.loop);
    }
    if (c.tui)
        leave_terminal(&c);
    else
        term_close(c.term);
    restore_stderr(&c);
    house_free(&c.house);
    tui_free(c.tui);
    grid_free(&c.grid);
    input_free(&c.input);
    if (e)
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
    return e ? 1 : 0;
}

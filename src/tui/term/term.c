/* How the bytes go. ncurses is given a file in memory instead of the terminal: after each
 * doupdate() what it wrote is taken from there and sent to the terminal through a descriptor of our
 * own that does not block. ncurses itself would spin on a full terminal. Our descriptor is opened
 * anew, because O_NONBLOCK on the one we inherited would reach the shell that shares it.
 *
 * So ncurses never sees the terminal: line settings are ours (termios), the size is ours
 * (TIOCGWINSZ, resize_term), keys are ours (input.c), and it is told not to look for typeahead. */
#define NCURSES_WIDECHAR 1
#define _XOPEN_SOURCE_EXTENDED 1
#include "tui/term/term.h"

#include "base/buf.h"
#include "tui/term/colour.h"
#include "tui/term/crash.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define OUT_MAX ((size_t)4 << 20)
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define CLOSE_WAIT_MS 200

struct tty {
    int fd, memory; /* the terminal; the file ncurses writes to */
    bool own_fd;
    FILE *memory_out, *null_in;
    SCREEN *screen;
    struct termios saved;
    enum colour_depth depth;
    bool unicode, gone, repaint;
    int w, h;
    struct cell *shown;    /* [h][w] what ncurses was told */
    uint16_t *shown_pairs; /* [h][w] */
    struct buf out;
    size_t out_at;
    uint64_t sent;
    struct pairs pairs;
};

static void init_pair_fn(int pair, int fg, int bg)
{
    init_extended_pair(pair, fg, bg);
}

/* ---- bytes ---- */

static void collect(struct tty *t)
{
    fflush(t->memory_out);
    off_t n = lseek(t->memory, 0, SEEK_CUR);
    char *to = n > 0 ? buf_room(&t->out, (size_t)n) : NULL;
    if (to && pread(t->memory, to, (size_t)n, 0) == n)
        buf_grown(&t->out, (size_t)n);
    lseek(t->memory, 0, SEEK_SET);
}

bool term_flush(struct tty *t)
{
    while (!t->gone && t->out_at < t->out.len) {
        ssize_t n = write(t->fd, t->out.data + t->out_at, t->out.len - t->out_at);
        if (n > 0) {
            t->out_at += (size_t)n;
            t->sent += (uint64_t)n;
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return true;
        } else {
            t->gone = true;
        }
    }
    buf_reset(&t->out);
    t->out_at = 0;
    return false;
}

static void flush_patiently(struct tty *t)
{
    for (int i = 0; i < CLOSE_WAIT_MS / 20 && term_flush(t); i++) {
        struct pollfd p = {.fd = t->fd, .events = POLLOUT};
        poll(&p, 1, 20);
    }
}

int term_read(struct tty *t, char *bytes, size_t size)
{
    ssize_t n = read(t->fd, bytes, size);
    if (n > 0)
        return (int)n;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    t->gone = true;
    return -1;
}

/* ---- line settings ---- */

static void make_raw(struct tty *t)
{
    struct termios raw = t->saved;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON | INLCR | IGNCR | PARMRK);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(t->fd, TCSANOW, &raw);
}

static const char *capability(const char *name)
{
    const char *s = tigetstr(name);
    return s == (char *)-1 || !s ? "" : s;
}

/* What makes the terminal plain again, for the way out and for a crash. */
static void leaving(struct buf *b)
{
    buf_adds(b, PASTE_OFF);
    buf_adds(b, capability("sgr0"));
    buf_adds(b, capability("op"));
    buf_adds(b, capability("cnorm"));
    buf_adds(b, capability("rmkx"));
    buf_adds(b, capability("rmcup"));
}

static void take_terminal(struct tty *t)
{
    struct buf leave = BUF_INIT(512);
    make_raw(t);
    buf_adds(&t->out, PASTE_ON);
    leaving(&leave);
    crash_arm(t->fd, &t->saved, buf_str(&leave), leave.len);
    buf_free(&leave);
}

static void give_back(struct tty *t)
{
    struct buf leave = BUF_INIT(512);
    endwin();
    collect(t);
    leaving(&leave);
    buf_add(&t->out, leave.data, leave.len);
    buf_free(&leave);
    flush_patiently(t);
    tcsetattr(t->fd, TCSANOW, &t->saved);
    crash_disarm();
}

/* ---- open and close ---- */

static bool is_set(const char *name)
{
    const char *v = getenv(name);
    return v && *v;
}

static bool try_term(struct tty *t, const char *name)
{
    t->screen = newterm(name, t->memory_out, t->null_in);
    return t->screen != NULL;
}

/* A terminal that says it has all colours is driven by its -direct description, when terminfo has
 * one; TERM itself stops at 256. */
static bool try_direct(struct tty *t, const char *name)
{
    const char *colour = getenv("COLORTERM");
    char direct[64];
    size_t base = strcspn(name, "-");
    if (!colour || (strcmp(colour, "truecolor") && strcmp(colour, "24bit")) || base > 40)
        return false;
    if (is_set("TMUX"))
        return try_term(t, "tmux-direct");
    snprintf(direct, sizeof direct, "%.*s-direct", (int)base, name);
    return try_term(t, direct) || (!strncmp(name, "xterm", 5) && try_term(t, "xterm-direct"));
}

static enum err start_curses(struct tty *t, struct fault *f)
{
    const char *name = getenv("TERM");
    if (!name || (!try_direct(t, name) && !try_term(t, name)))
        return fault_set(f, ERR_UNSUPPORTED,
                         "terminfo does not know the terminal %s: set TERM, or install "
                         "ncurses-term",
                         name ? name : "(TERM is not set)");
    nonl();
    typeahead(-1);
    keypad(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    idlok(stdscr, FALSE);
    t->depth = COLOURS_NONE;
    if (!is_set("NO_COLOR") && has_colors() && start_color() == OK && use_default_colors() == OK)
        t->depth = COLORS > 256    ? COLOURS_TRUE
                   : COLORS >= 256 ? COLOURS_256
                   : COLORS >= 16  ? COLOURS_16
                                   : COLOURS_8;
    return ERR_OK;
}

static enum err open_files(struct tty *t, struct fault *f)
{
    const char *name = ttyname(STDOUT_FILENO);
    t->fd = name ? open(name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    t->own_fd = t->fd >= 0;
    if (!t->own_fd)
        t->fd = STDIN_FILENO;
    if (tcgetattr(t->fd, &t->saved))
        return fault_set(f, ERR_IO, "the terminal cannot be used: %s", strerror(errno));
    t->memory = memfd_create("sakuga-screen", MFD_CLOEXEC);
    t->memory_out = t->memory >= 0 ? fdopen(t->memory, "w") : NULL;
    t->null_in = fopen("/dev/null", "re");
    if (!t->memory_out || !t->null_in)
        return fault_set(f, ERR_IO, "no memory for the screen: %s", strerror(errno));
    return ERR_OK;
}

struct tty *term_open(bool ascii, struct fault *f)
{
    struct tty *t = calloc(1, sizeof *t);
    if (!t) {
        fault_set(f, ERR_NOMEM, "out of memory");
        return NULL;
    }
    t->fd = t->memory = -1;
    t->out = BUF_INIT(OUT_MAX);
    t->unicode = !ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
    if (open_files(t, f) || start_curses(t, f)) {
        term_close(t);
        return NULL;
    }
    pairs_init(&t->pairs, init_pair_fn);
    take_terminal(t);
    collect(t);
    return t;
}

void term_close(struct tty *t)
{
    if (!t)
        return;
    if (t->screen) {
        give_back(t);
        delscreen(t->screen);
    }
    if (t->memory_out)
        fclose(t->memory_out);
    if (t->null_in)
        fclose(t->null_in);
    if (t->own_fd)
        close(t->fd);
    free(t->shown);
    free(t->shown_pairs);
    buf_free(&t->out);
    free(t);
}

int term_fd(const struct tty *t)
{
    return t->fd;
}

bool term_colour(const struct tty *t)
{
    return t->depth != COLOURS_NONE;
}

bool term_unicode(const struct tty *t)
{
    return t->unicode;
}

uint64_t term_sent(const struct tty *t)
{
    return t->sent;
}

void term_size(const struct tty *t, int *w, int *h)
{
    struct winsize ws = {0};
    *w = 80;
    *h = 24;
    if (ioctl(t->fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col && ws.ws_row) {
        *w = ws.ws_col;
        *h = ws.ws_row;
    }
}

/* ---- drawing ---- */

static enum err resize(struct tty *t, int w, int h)
{
    struct cell *shown = calloc((size_t)w * (size_t)h + 1, sizeof *shown);
    uint16_t *pairs = calloc((size_t)w * (size_t)h + 1, sizeof *pairs);
    if (!shown || !pairs || resize_term(h, w) == ERR) {
        free(shown);
        free(pairs);
        return ERR_NOMEM;
    }
    free(t->shown);
    free(t->shown_pairs);
    t->shown = shown;
    t->shown_pairs = pairs;
    t->w = w;
    t->h = h;
    t->repaint = true;
    return ERR_OK;
}

static attr_t attributes(const struct tty *t, const struct ink *ink)
{
    attr_t a = 0;
    if (ink->attr & INK_BOLD)
        a |= A_BOLD;
    if (ink->attr & INK_DIM)
        a |= A_DIM;
    if (ink->attr & INK_UNDERLINE)
        a |= A_UNDERLINE;
    if (ink->attr & INK_ITALIC)
        a |= A_ITALIC;
    if (ink->attr & INK_REVERSE)
        a |= A_REVERSE;
    /* without colours a ground of its own still has to stand out */
    if (t->depth == COLOURS_NONE && ink->bg != COLOUR_DEFAULT && ink->bg != COLOUR_KEEP)
        a ^= A_REVERSE;
    return a;
}

static int pair_of(struct tty *t, const struct ink *ink)
{
    if (t->depth == COLOURS_NONE)
        return 0;
    int n = t->w * t->h;
    return pairs_get(&t->pairs, colour_index(ink->fg, t->depth), colour_index(ink->bg, t->depth),
                     t->shown_pairs, (size_t)n);
}

/* The cell's text as wide characters that libc and ncurses agree to be `width` columns; returns the
 * columns that they take, the rest is to be blank. */
static int widen(const struct tty *t, const struct cell *c, wchar_t out[8])
{
    mbstate_t st = {0};
    const char *s = c->text;
    int n = 0, w;
    if (!t->unicode || (unsigned char)s[0] < 0x80) {
        bool ascii = (unsigned char)s[0] < 0x80 && s[0];
        out[0] = ascii ? (wchar_t)s[0] : !strcmp(s, "…") ? L'~' : L'?';
        out[1] = L'\0';
        return 1;
    }
    for (size_t got; *s && n < 5; s += got) {
        got = mbrtowc(&out[n], s, strlen(s), &st);
        if (got == (size_t)-1 || got == (size_t)-2)
            break;
        if (n && wcwidth(out[n]) != 0) /* only marks join their base */
            break;
        n++;
    }
    out[n] = L'\0';
    w = n ? wcwidth(out[0]) : 0;
    if (w >= 1 && w <= c->width)
        return w;
    wcscpy(out, L"?");
    return 1;
}

static void put(struct tty *t, int x, int y, const struct cell *c)
{
    wchar_t text[8];
    cchar_t cc;
    int i = y * t->w + x, pair = pair_of(t, &c->ink);
    attr_t a = attributes(t, &c->ink);
    if (c->width == 0)
        return; /* drawn with the cell before it */
    int w = widen(t, c, text);
    t->shown_pairs[i] = (uint16_t)pair;
    if (setcchar(&cc, text, a, 0, &pair) == OK)
        mvadd_wch(y, x, &cc);
    if (c->width == 2 && x + 1 < t->w) {
        t->shown_pairs[i + 1] = (uint16_t)pair;
        if (w == 1 && setcchar(&cc, L" ", a, 0, &pair) == OK)
            mvadd_wch(y, x + 1, &cc);
    }
}

/* A wide cell and its right half change together. */
static bool differs(const struct cell *a, const struct cell *b)
{
    return a->width != b->width || a->ink.fg != b->ink.fg || a->ink.bg != b->ink.bg ||
           a->ink.attr != b->ink.attr || strcmp(a->text, b->text) != 0;
}

enum err term_draw(struct tty *t, const struct grid *g)
{
    if (t->gone)
        return ERR_CLOSED;
    if (term_flush(t))
        return ERR_BUSY;
    if ((g->w != t->w || g->h != t->h) && resize(t, g->w, g->h))
        return ERR_NOMEM;
    for (int y = 0; y < g->h; y++)
        for (int x = 0; x < g->w; x++) {
            const struct cell *c = &g->cells[y * g->w + x];
            struct cell *was = &t->shown[y * g->w + x];
            bool again = t->repaint || differs(c, was);
            if (!again && c->width == 2 && x + 1 < g->w)
                again = differs(c + 1, was + 1);
            if (again) {
                put(t, x, y, c);
                *was = *c;
            }
        }
    if (t->repaint)
        clearok(curscr, TRUE);
    t->repaint = false;
    bool cursor = g->cursor_x >= 0;
    curs_set(cursor ? 1 : 0);
    leaveok(stdscr, cursor ? FALSE : TRUE);
    if (cursor)
        move(g->cursor_y, g->cursor_x);
    wnoutrefresh(stdscr);
    doupdate();
    collect(t);
    term_flush(t);
    return t->gone ? ERR_CLOSED : ERR_OK;
}

void term_repaint(struct tty *t)
{
    t->repaint = true;
}

void term_suspend(struct tty *t)
{
    struct sigaction old, ignore = {.sa_handler = SIG_IGN}, dfl = {.sa_handler = SIG_DFL};
    give_back(t);
    sigaction(SIGTSTP, &ignore, &old);
    kill(0, SIGTSTP); /* the worker and whoever else is in our job */
    sigaction(SIGTSTP, &dfl, NULL);
    raise(SIGTSTP); /* we stop here: unlike kill(), raise() returns after the signal was taken */
    sigaction(SIGTSTP, &old, NULL);
    tcgetattr(t->fd, &t->saved);
    take_terminal(t);
    t->repaint = true;
}

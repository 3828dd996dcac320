#include "tui/term/crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    volatile sig_atomic_t armed;
    int fd;
    struct termios saved;
    char leave[512];
    size_t n;
} crash;

static const int deadly[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
static char stack[32768]; /* a stack overflow leaves none of its own */

static const char words[] =
    "\r\nsakuga: the console crashed. The queue is safe: start sakuga again and it goes on,\r\n"
    "paused. The log is in the data folder, log/sakuga.log (`sakuga info` prints the path).\r\n";

static void on_crash(int signum)
{
    if (crash.armed) {
        crash.armed = 0;
        if (write(crash.fd, crash.leave, crash.n) < 0 ||
            write(crash.fd, words, sizeof words - 1) < 0)
            crash.n = 0; /* nobody reads it; there is nothing else to do */
        tcsetattr(crash.fd, TCSANOW, &crash.saved);
    }
    raise(signum); /* SA_RESETHAND: the default action now */
}

void crash_arm(int fd, const struct termios *saved, const char *leave, size_t n)
{
    struct sigaction sa = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_ONSTACK};
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
    crash.fd = fd;
    crash.saved = *saved;
    crash.n = n < sizeof crash.leave ? n : sizeof crash.leave;
    memcpy(crash.leave, leave, crash.n);
    crash.armed = 1;
    sigaltstack(&ss, NULL);
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        sigaction(deadly[i], &sa, NULL);
}

void crash_disarm(void)
{
    crash.armed = 0;
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        signal(deadly[i], SIG_DFL);
}

/* The show without a terminal: the same house, nobody looking. */
#include "app/house.h"
#include "app/modes.h"
#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int mode_headless(const struct options *o)
{
    struct house h;
    struct fault f = {0};
    signal(SIGHUP, SIG_IGN);
    log_set_level(o->debug ? LOG_DEBUG : LOG_INFO);
    log_stderr(isatty(STDERR_FILENO) || o->debug);
    if (house_new(&h, o->config, o->data, o->safe, &f)) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return 1;
    }
    if (!h.config.from_file)
        fprintf(stderr, "sakuga: there is no show.lua in %s: the demo's settings run\n",
                h.paths.config);
    loop_run(h.loop);
    house_free(&h);
    return 0;
}

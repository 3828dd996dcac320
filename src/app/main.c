/* sakuga: which mode, and nothing else. */
#include "app/modes.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

static int run_show(const struct options *o)
{
    const char *term = getenv("TERM");
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
    return o->headless || !terminal ? mode_headless(o) : mode_console(o);
}

static int run(const struct options *o)
{
    if (o->version) {
        printf("sakuga %s\n", PACKAGE_VERSION);
        return 0;
    }
    if (o->help) {
        options_help(stdout);
        return 0;
    }
    if (!o->verb)
        return run_show(o);
    switch (options_verb(o->verb)->id) {
    case VERB_CTL:
        return mode_ctl(o);
    case VERB_DOCTOR:
        return mode_doctor(o);
    case VERB_INFO:
        return mode_info(o);
    case VERB_INSPECT:
        return mode_inspect(o);
    case VERB_BACKUP:
        return mode_backup(o);
    case VERB_OBS:
        return mode_obs(o);
    case VERB_MODEL:
        return mode_model(o);
    case VERB_GENERATE:
        return mode_generate(o);
    case VERB_REPLAY:
        return mode_replay(o);
    case VERB_COMPLETE:
        if (o->arg_count == 1 && options_complete(stdout, o->args[0]))
            return 0;
        fprintf(stderr, "usage: sakuga complete bash|zsh|fish\n");
        return 2;
    case VERB_MAN:
        options_man(stdout);
        return 0;
    case VERB_SHOW:
        break;
    }
    return run_show(o);
}

int main(int argc, char **argv)
{
    struct options o;
    struct fault f = {0};
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    setlocale(LC_COLLATE, "C"); /* names in one order everywhere; Lua compares strings by it */
    /* The worker's threads must not spin while they wait: OBS wants the cores, and a step on cores
     * that two other programs use takes a quarter longer with them spinning. OpenMP reads this when
     * a program begins. */
    setenv("OMP_WAIT_POLICY", "passive", 0);
    if (options_parse(&o, argc, argv, &f)) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        free(o.args);
        return 2;
    }
    int code = run(&o);
    free(o.args);
    return code;
}

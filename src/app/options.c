#include "app/options.h"

#include "app/config.h"
#include "tui/keys.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

static const struct option_row {
    const char *name;
    char letter;     /* 0: none */
    const char *arg; /* NULL: a switch */
    size_t at;
    const char *help;
} rows[] = {
    {"config", 'c', "DIR", offsetof(struct options, config),
     "folder of show.lua and secrets.conf (default $XDG_CONFIG_HOME/sakuga)"},
    {"data", 'd', "DIR", offsetof(struct options, data),
     "folder of show.db, vault/, air/, log/ (default $XDG_DATA_HOME/sakuga)"},
    {"headless", 0, NULL, offsetof(struct options, headless), "run the show without a terminal"},
    {"ascii", 0, NULL, offsetof(struct options, ascii), "draw the console with ASCII alone"},
    {"safe", 0, NULL, offsetof(struct options, safe), "load no scripts"},
    {"debug", 0, NULL, offsetof(struct options, debug), "log more"},
    {"help", 'h', NULL, offsetof(struct options, help), "print this and end"},
    {"version", 'V', NULL, offsetof(struct options, version), "print the version and end"},
};
#define ROWS (sizeof rows / sizeof *rows)

static const struct verb verbs[] = {
    {"ctl", "VERB …", "speak to the running show: `sakuga ctl help`", VERB_CTL},
    {"doctor", "", "check terminal, fonts, OBS, chat, disk and device, and say what to do",
     VERB_DOCTOR},
    {"info", "", "print every path", VERB_INFO},
    {"inspect", "CLIP", "print the recipe inside a clip as JSON", VERB_INSPECT},
    {"backup", "FILE", "copy the database to a new file, also beside a running show", VERB_BACKUP},
    {"obs", "setup", "make the scenes and inputs of the stage in OBS", VERB_OBS},
    {"generate", "OPTION …", "draw one clip with a model, without a show", VERB_GENERATE},
    {"replay", "CLIP", "draw a clip again from its recipe, and say what differs", VERB_REPLAY},
    {"model", "WHAT …",
     "pull NAME fetches a model, info DIR describes it, convert FROM TO rewrites it", VERB_MODEL},
    {"complete", "bash|zsh|fish", "print a shell completion script", VERB_COMPLETE},
    {"man", "", "print the manual page in mdoc", VERB_MAN},
};
#define VERBS (sizeof verbs / sizeof *verbs)

/* What `ctl` can say beside the rows of command/: the socket's own verbs, and rows of other rooms.
 */
static const struct {
    const char *name, *args, *help;
} ctl_rows[] = {
    {"help", "", "list the verbs"},
    {"state", "[--all]", "print the show as JSON"},
    {"watch", "", "print the state, then one JSON line an event"},
    {"say", "[--json] VIEWER TEXT", "a line as if it came from chat"},
    {"obs", "reconnect", "connect to OBS again, after a wrong password or a kick"},
    {"script", "[reload]", "how the scripts do; `script reload` loads them anew"},
};
#define CTL_ROWS (sizeof ctl_rows / sizeof *ctl_rows)

const struct verb *options_verb(const char *name)
{
    for (size_t i = 0; i < VERBS; i++)
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

/* Takes one option word (and its argument). 0: it is none of ours. -1: an error. else words taken.
 */
static int take(struct options *o, int left, char **at, struct fault *f)
{
    const char *w = at[0], *eq = strchr(w, '=');
    for (size_t i = 0; i < ROWS; i++) {
        const struct option_row *r = &rows[i];
        size_t n = strlen(r->name);
        bool is_long =
            !strncmp(w, "--", 2) && !strncmp(w + 2, r->name, n) && (!w[2 + n] || w[2 + n] == '=');
        bool is_short = r->letter && w[0] == '-' && w[1] == r->letter && !w[2];
        if (!is_long && !is_short)
            continue;
        char *to = (char *)o + r->at;
        if (!r->arg) {
            if (is_long && eq) {
                fault_set(f, ERR_USAGE, "--%s takes no value", r->name);
                return -1;
            }
            *(bool *)to = true;
            return 1;
        }
        const char *value = is_long && eq ? eq + 1 : left > 1 ? at[1] : NULL;
        if (!value || !*value) {
            fault_set(f, ERR_USAGE, "--%s needs %s", r->name, r->arg);
            return -1;
        }
        *(const char **)(void *)to = value;
        return is_long && eq ? 1 : 2;
    }
    return 0;
}

enum err options_parse(struct options *o, int argc, char **argv, struct fault *f)
{
    bool ended = false;
    *o = (struct options){.args = calloc((size_t)argc + 1, sizeof(char *))};
    if (!o->args)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (int i = 1; i < argc;) {
        if (!ended && !strcmp(argv[i], "--")) {
            ended = true;
            i++;
            continue;
        }
        int n = ended || argv[i][0] != '-' ? 0 : take(o, argc - i, argv + i, f);
        if (n < 0)
            return ERR_USAGE;
        if (n == 0 && !o->verb) {
            if (argv[i][0] == '-' && argv[i][1] && !ended)
                return fault_set(f, ERR_USAGE, "there is no option %s; see sakuga --help", argv[i]);
            if (!options_verb(argv[i]))
                return fault_set(f, ERR_USAGE, "there is no verb %s; see sakuga --help", argv[i]);
            o->verb = argv[i];
            n = 1;
        } else if (n == 0) {
            o->args[o->arg_count++] = argv[i];
            n = 1;
            /* what follows `ctl say VIEWER` is a viewer's text, options or not */
            bool ctl = !strcmp(o->verb, "ctl");
            if (ctl && o->arg_count >= 2 && !strcmp(o->args[0], "say") && argv[i][0] != '-')
                ended = true;
            if (ctl && !strcmp(argv[i], "--reason") && i + 1 < argc) { /* nor is a reason */
                o->args[o->arg_count++] = argv[i + 1];
                n = 2;
            }
        }
        i += n;
    }
    const struct verb *v = o->verb ? options_verb(o->verb) : NULL;
    if (v && !v->args[0] && o->arg_count)
        return fault_set(f, ERR_USAGE, "%s takes no arguments, and got %s; see sakuga --help",
                         v->name, o->args[0]);
    return ERR_OK;
}

/* "…" is one column and three bytes. */
static size_t columns(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

void options_help(FILE *to)
{
    fputs("sakuga: a producer's console for an anime show that its audience makes\n\n"
          "usage: sakuga [OPTION…]            run the show in this terminal\n"
          "       sakuga --headless [OPTION…] run it without one\n"
          "       sakuga [OPTION…] VERB …\n\nverbs:\n",
          to);
    for (size_t i = 0; i < VERBS; i++)
        fprintf(to, "  %-9s %-*s %s\n", verbs[i].name,
                14 + (int)(strlen(verbs[i].args) - columns(verbs[i].args)), verbs[i].args,
                verbs[i].help);
    fputs("\noptions of generate and replay:\n", to);
    const struct clip_row *r;
    for (int i = 0; (r = options_clip_row(i)); i++) {
        char both[40];
        snprintf(both, sizeof both, "--%s %s", r->name, r->arg);
        fprintf(to, "  %c%c%c %-18s %s\n", r->letter ? '-' : ' ', r->letter ? r->letter : ' ',
                r->letter ? ',' : ' ', both, r->help);
    }
    fputs("\noptions:\n", to);
    for (size_t i = 0; i < ROWS; i++) {
        char both[40];
        snprintf(both, sizeof both, "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
                 rows[i].arg ? rows[i].arg : "");
        fprintf(to, "  %s%c%s %-18s %s\n", rows[i].letter ? "-" : " ",
                rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? "," : " ", both,
                rows[i].help);
    }
    fputs("\nThe running show is steered with `sakuga ctl`; `sakuga ctl help` lists its verbs.\n",
          to);
}

void options_ctl_help(FILE *to)
{
    int n;
    const struct command *c = command_builtin(&n);
    for (size_t i = 0; i < CTL_ROWS; i++)
        fprintf(to, "  %-9s %-22s %s\n", ctl_rows[i].name, ctl_rows[i].args, ctl_rows[i].help);
    for (int i = 0; i < n; i++)
        if (c[i].from & FROM_CTL) {
            int wide = 22 + (int)(strlen(c[i].args) - columns(c[i].args)); /* bytes, for printf */
            fprintf(to, "  %-9s %-*s %s\n", c[i].name, wide, c[i].args, c[i].help);
        }
}

static void ctl_words(FILE *to, const char *between)
{
    int n;
    const struct command *c = command_builtin(&n);
    for (size_t i = 0; i < CTL_ROWS; i++)
        fprintf(to, "%s%s", i ? between : "", ctl_rows[i].name);
    for (int i = 0; i < n; i++)
        if (c[i].from & FROM_CTL)
            fprintf(to, "%s%s", between, c[i].name);
}

bool options_complete(FILE *to, const char *shell)
{
    const struct clip_row *r;
    if (!strcmp(shell, "bash")) {
        fputs("# bash completion for sakuga: . <(sakuga complete bash)\n_sakuga() {\n"
              "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} w verb=\n"
              "    case $prev in --config|-c|--data|-d) COMPREPLY=($(compgen -d -- \"$cur\")); "
              "return;; esac\n"
              "    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do case $w in ",
              to);
        for (size_t i = 0; i < VERBS; i++)
            fprintf(to, "%s%s", i ? "|" : "", verbs[i].name);
        fputs(
            ") verb=$w; break;; esac; done\n    case $verb in\n    ctl) COMPREPLY=($(compgen -W \"",
            to);
        ctl_words(to, " ");
        fputs(
            "\" -- \"$cur\"));;\n    generate|replay) case $cur in -*) COMPREPLY=($(compgen -W \"",
            to);
        for (int i = 0; (r = options_clip_row(i)); i++)
            fprintf(to, "%s--%s", i ? " " : "", r->name);
        fputs("\" -- \"$cur\"));; *) COMPREPLY=($(compgen -f -- \"$cur\"));; esac;;\n"
              "    model) COMPREPLY=($(compgen -W 'pull info convert' -- \"$cur\") $(compgen -f -- "
              "\"$cur\"));;\n",
              to);
        fputs("    inspect|backup) COMPREPLY=($(compgen -f -- \"$cur\"));;\n"
              "    obs) COMPREPLY=($(compgen -W setup -- \"$cur\"));;\n"
              "    complete) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\"));;\n"
              "    *) COMPREPLY=($(compgen -W \"",
              to);
        for (size_t i = 0; i < VERBS; i++)
            fprintf(to, "%s ", verbs[i].name);
        for (size_t i = 0; i < ROWS; i++)
            fprintf(to, "--%s%s", rows[i].name, i + 1 < ROWS ? " " : "");
        fputs("\" -- \"$cur\"));;\n    esac\n}\ncomplete -F _sakuga sakuga\n", to);
        return true;
    }
    if (!strcmp(shell, "zsh")) {
        fputs("#compdef sakuga\n_sakuga() {\n  _arguments -C \\\n", to);
        for (size_t i = 0; i < ROWS; i++)
            fprintf(to, "    '--%s[%s]%s' \\\n", rows[i].name, rows[i].help,
                    rows[i].arg ? ":folder:_files -/" : "");
        fputs("    '1:verb:((", to);
        for (size_t i = 0; i < VERBS; i++)
            fprintf(to, "%s\\:\"%s\" ", verbs[i].name, verbs[i].name);
        fputs("))' '*::argument:->rest'\n  case $words[1] in\n  ctl) _values verb ", to);
        ctl_words(to, " ");
        fputs(";;\n  generate|replay) _arguments ", to);
        for (int i = 0; (r = options_clip_row(i)); i++)
            fprintf(to, "'*--%s[%s]:%s:_files' ", r->name, r->help, r->arg);
        fputs("'*:file:_files';;\n  model) _alternative 'verb:verb:(pull info convert)' "
              "'file:file:_files';;\n  inspect|backup) _files;;\n  obs) _values what setup;;\n"
              "  complete) _values shell bash zsh fish;;\n  esac\n}\n_sakuga \"$@\"\n",
              to);
        return true;
    }
    if (!strcmp(shell, "fish")) {
        fputs("# fish completion for sakuga\ncomplete -c sakuga -f\n", to);
        for (size_t i = 0; i < ROWS; i++) {
            fprintf(to, "complete -c sakuga -l %s", rows[i].name);
            if (rows[i].letter)
                fprintf(to, " -s %c", rows[i].letter);
            fprintf(to, "%s -d '%s'\n", rows[i].arg ? " -r -a '(__fish_complete_directories)'" : "",
                    rows[i].help);
        }
        for (int i = 0; (r = options_clip_row(i)); i++) {
            fputs("complete -c sakuga -n '__fish_seen_subcommand_from generate replay' -r -F", to);
            fprintf(to, " -l %s -d '", r->name);
            for (const char *s = r->help; *s; s++) /* an apostrophe ends a word there */
                fprintf(to, *s == '\'' ? "\\'" : "%c", *s);
            fputs("'\n", to);
        }
        for (size_t i = 0; i < VERBS; i++)
            fprintf(to, "complete -c sakuga -n __fish_use_subcommand -a %s -d '%s'\n",
                    verbs[i].name, verbs[i].help);
        fputs("complete -c sakuga -n '__fish_seen_subcommand_from ctl' -a '", to);
        ctl_words(to, " ");
        fputs(
            "'\ncomplete -c sakuga -n '__fish_seen_subcommand_from inspect backup' -F\n"
            "complete -c sakuga -n '__fish_seen_subcommand_from obs' -a setup\n"
            "complete -c sakuga -n '__fish_seen_subcommand_from model' -a 'pull info convert' -F\n"
            "complete -c sakuga -n '__fish_seen_subcommand_from complete' -a 'bash zsh fish'\n",
            to);
        return true;
    }
    return false;
}

/* mdoc wants a backslash and a leading dot or quote escaped; our rows hold neither but backquotes.
 */
static void mdoc(FILE *to, const char *s)
{
    for (; *s; s++)
        if (*s == '\\')
            fputs("\\e", to);
        else if (*s == '-')
            fputs("\\-", to);
        else
            fputc(*s, to);
}

/* As an argument of a macro, where a quote begins a quoted word. */
static void mdoc_quoted(FILE *to, const char *s)
{
    for (; *s; s++)
        if (*s == '"')
            fputs("\\(dq", to);
        else
            fputc(*s, to);
}

static void man_verb(FILE *to, const char *name, const char *args, const char *help)
{
    fprintf(to, ".It Cm %s%s", name, args[0] ? " Ar " : "");
    mdoc(to, args);
    fputs("\n", to);
    mdoc(to, help);
    fputs("\n", to);
}

void options_man(FILE *to)
{
    int n;
    const struct command *c = command_builtin(&n);
    fputs(".Dd November 22, 2026\n.Dt SAKUGA 1\n.Os\n.Sh NAME\n.Nm sakuga\n"
          ".Nd a producer's console for an anime show that its audience makes\n.Sh SYNOPSIS\n"
          ".Nm\n.Op Ar options\n.Op Ar verb ...\n.Sh DESCRIPTION\n"
          "Viewers type\n.Ql !anime \"a fox that runs over neon roofs\"\nin chat.\n"
          "The prompt lands in a live queue, the operator approves or rejects it with one key, an\n"
          "engine draws a clip of five seconds, the operator clears it for air, and OBS shows it.\n"
          "Without a verb the show runs in this terminal; where there is no terminal it runs "
          "headless.\n"
          ".Sh OPTIONS\n.Bl -tag -width Ds\n",
          to);
    for (size_t i = 0; i < ROWS; i++) {
        fputs(".It ", to);
        if (rows[i].letter)
            fprintf(to, "Fl %c , ", rows[i].letter);
        fprintf(to, "Fl \\-%s", rows[i].name);
        if (rows[i].arg)
            fprintf(to, " Ar %s", rows[i].arg);
        fputs("\n", to);
        mdoc(to, rows[i].help);
        fputs("\n", to);
    }
    fputs(".El\n.Sh VERBS\n.Bl -tag -width Ds\n", to);
    for (size_t i = 0; i < VERBS; i++)
        man_verb(to, verbs[i].name, verbs[i].args, verbs[i].help);
    fputs(".El\n.Sh OPTIONS OF GENERATE AND REPLAY\n.Bl -tag -width Ds\n", to);
    const struct clip_row *r;
    for (int i = 0; (r = options_clip_row(i)); i++) {
        fputs(".It ", to);
        if (r->letter)
            fprintf(to, "Fl %c , ", r->letter);
        fprintf(to, "Fl \\-%s Ar %s\n", r->name, r->arg);
        mdoc(to, r->help);
        fputs("\n", to);
    }
    fputs(".El\n.Sh CONTROL\n.Nm Cm ctl\nspeaks to the running show over\n.Pa ctl.sock\n"
          "in its data folder.\n.Bl -tag -width Ds\n",
          to);
    for (size_t i = 0; i < CTL_ROWS; i++)
        man_verb(to, ctl_rows[i].name, ctl_rows[i].args, ctl_rows[i].help);
    for (int i = 0; i < n; i++)
        if (c[i].from & FROM_CTL)
            man_verb(to, c[i].name, c[i].args, c[i].help);
    fputs(".El\n.Sh KEYS\n.Bl -tag -width Ds\n", to);
    for (int i = 0; i < n; i++)
        if (c[i].key[0]) {
            fputs(".It Ic ", to);
            mdoc(to, c[i].key);
            fprintf(to, "\n%s: ", c[i].name);
            mdoc(to, c[i].help);
            fputs("\n", to);
        }
    for (int i = 0; i < VIEW_KEY_COUNT; i++) {
        const struct key_row *k = keys_view((enum view_key)i);
        fprintf(to, ".It Ic \\&%s%s%s\n", keys_label(k->key), k->other[0] ? " , \\&" : "",
                k->other);
        mdoc(to, k->help);
        fputs("\n", to);
    }
    fputs(
        ".El\n.Sh SHOW.LUA\n.Pa show.lua\nreturns a table. Every key has a default; an unknown key "
        "or a wrong type\n"
        "is an error that names the key, its line and the nearest known key.\n.Bl -tag -width Ds\n",
        to);
    const char *path, *shown, *help;
    for (int i = 0; config_key(i, &path, &shown, &help); i++) {
        fprintf(to, ".It Va %s%s", path, shown[0] ? " = " : "");
        mdoc_quoted(to, shown);
        fputs("\n", to);
        mdoc(to, help);
        fputs("\n", to);
    }
    fputs(".El\n.Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\ndone\n.It 1\nrefused or failed; the "
          "reason is on\n"
          "standard error\n.It 2\nusage\n.It 3\nno show is running\n.El\n.Sh FILES\n.Bl -tag "
          "-width Ds\n"
          ".It Pa show.lua\nthe settings, in the config folder\n.It Pa secrets.conf\npasswords; "
          "its mode must\n"
          "be 0600\n.It Pa show.db\nprompts, decisions and votes, in the data folder\n.It Pa "
          "vault\nevery clip\n"
          ".It Pa air\nthe cleared clips: the only folder OBS plays clips from\n.El\n"
          ".Sh SIGNALS\n.Bl -tag -width Ds\n.It Dv SIGUSR1\npanic\n.It Dv SIGTERM\nend the show "
          "cleanly\n"
          ".It Dv SIGHUP\nthe terminal has gone: the show goes on headless\n.El\n",
          to);
}

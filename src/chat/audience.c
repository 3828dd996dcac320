#include "chat/audience.h"

#include "base/buf.h"
#include "chat/audience_words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define IDS 16    /* prompts it remembers for votes */
#define QUEUED 40 /* lines that are bound to come: bursts, a prompt after its style */

/* --- who is there --- */

enum temper { REGULAR, ARTIST, CHATTY, LURKER, TROLL };

static const struct {
    const char *name, *uid;
    enum temper temper;
    enum role role;
} crowd[] = {
    {"kanna_mods", NULL, REGULAR, ROLE_MODERATOR},
    {"OldTapeDeck", NULL, CHATTY, ROLE_MODERATOR},
    {"aki", NULL, ARTIST, ROLE_VIP},
    {"ミナト", "minato_77", ARTIST, ROLE_VIP},
    {"GhostlyRamen", NULL, CHATTY, ROLE_VIP},
    {"BobaTeaTime", NULL, ARTIST, ROLE_SUBSCRIBER},
    {"さくら餅", "sakuramochi", ARTIST, ROLE_SUBSCRIBER},
    {"vhs_dreams", NULL, ARTIST, ROLE_SUBSCRIBER},
    {"PixelPenguin", NULL, REGULAR, ROLE_SUBSCRIBER},
    {"たぬき先生", "tanuki_sensei", REGULAR, ROLE_SUBSCRIBER},
    {"LumenLark", NULL, ARTIST, ROLE_SUBSCRIBER},
    {"nebula_nori", NULL, REGULAR, ROLE_SUBSCRIBER},
    {"SlowTrainHome", NULL, ARTIST, ROLE_SUBSCRIBER},
    {"Quietkaiju", NULL, REGULAR, ROLE_SUBSCRIBER},
    {"yuki_oda", NULL, ARTIST, ROLE_VIEWER},
    {"MechaMarmot", NULL, ARTIST, ROLE_VIEWER},
    {"星野ひかり", "hoshino_hikari", ARTIST, ROLE_VIEWER},
    {"paperplane_pilot", NULL, ARTIST, ROLE_VIEWER},
    {"Zuzanna", NULL, REGULAR, ROLE_VIEWER},
    {"noodle_oracle", NULL, CHATTY, ROLE_VIEWER},
    {"Dr_Sprocket", NULL, ARTIST, ROLE_VIEWER},
    {"レモン味", "lemon_aji", CHATTY, ROLE_VIEWER},
    {"jules4real", NULL, REGULAR, ROLE_VIEWER},
    {"CometCatcher", NULL, ARTIST, ROLE_VIEWER},
    {"rooftop_ren", NULL, REGULAR, ROLE_VIEWER},
    {"Hibiscus_Jam", NULL, ARTIST, ROLE_VIEWER},
    {"ocarina64", NULL, CHATTY, ROLE_VIEWER},
    {"猫背", "nekoze", LURKER, ROLE_VIEWER},
    {"threadbare_tim", NULL, REGULAR, ROLE_VIEWER},
    {"Marisol", NULL, ARTIST, ROLE_VIEWER},
    {"inkblot", NULL, ARTIST, ROLE_VIEWER},
    {"saltwater_sam", NULL, LURKER, ROLE_VIEWER},
    {"TofuKnight", NULL, REGULAR, ROLE_VIEWER},
    {"夜更かし", "yofukashi", CHATTY, ROLE_VIEWER},
    {"petrichor__", NULL, ARTIST, ROLE_VIEWER},
    {"Anselm", NULL, LURKER, ROLE_VIEWER},
    {"bitcrusher", NULL, CHATTY, ROLE_VIEWER},
    {"한별", "hanbyeol", ARTIST, ROLE_VIEWER},
    {"LadyOfTheLoft", NULL, REGULAR, ROLE_VIEWER},
    {"kestrel_99", NULL, REGULAR, ROLE_VIEWER},
    {"omurice_otto", NULL, ARTIST, ROLE_VIEWER},
    {"Ümit", "umit_ada", CHATTY, ROLE_VIEWER},
    {"granite_gus", NULL, LURKER, ROLE_VIEWER},
    {"moth_lamp", NULL, ARTIST, ROLE_VIEWER},
    {"xX_speed_Xx", NULL, TROLL, ROLE_VIEWER},
    {"notabot_4471", NULL, TROLL, ROLE_VIEWER},
    {"edgelord_eddy", NULL, TROLL, ROLE_VIEWER},
    {"B1gg3st_F4n", NULL, TROLL, ROLE_VIEWER},
};

int audience_viewers(void)
{
    return (int)COUNT(crowd);
}

struct audience {
    uint64_t random;
    double interval_ms; /* mean distance of the lines that it thinks of itself */
    double mood;        /* activity, drifts around 1 */
    int64_t ids[IDS];
    int id_count;
    int64_t now_ms;                       /* its own time: when the last line was said */
    int64_t think_ms;                     /* when somebody thinks of something new */
    struct audience_line waiting[QUEUED]; /* `after_ms` is their time, not a distance */
    int waiting_n;
};

static uint64_t draw(struct audience *a)
{
    uint64_t z = (a->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(struct audience *a, size_t n)
{
    return (size_t)(draw(a) % n);
}

static bool chance(struct audience *a, int percent)
{
    return below(a, 100) < (size_t)percent;
}

static double uniform(struct audience *a)
{
    return ((double)(draw(a) >> 11) + 0.5) / 9007199254740992.0;
}

#define PICK(a, list) ((list)[below((a), COUNT(list))])

static size_t someone(struct audience *a, enum temper temper)
{
    size_t at;
    do
        at = below(a, COUNT(crowd));
    while (crowd[at].temper != temper);
    return at;
}

/* Anybody; who is chatty more often, lurkers hardly ever, trolls not here. */
static size_t anyone(struct audience *a)
{
    for (;;) {
        size_t at = below(a, COUNT(crowd));
        if (crowd[at].temper == TROLL || (crowd[at].temper == LURKER && !chance(a, 10)) ||
            (crowd[at].temper != CHATTY && !chance(a, 60)))
            continue;
        return at;
    }
}

static void speak(struct audience_line *out, size_t who, int64_t at_ms)
{
    out->after_ms = at_ms;
    out->who = (struct viewer){.platform = "simulated", .role = crowd[who].role};
    str_copy(out->who.name, sizeof out->who.name, crowd[who].name);
    str_copy(out->who.uid, sizeof out->who.uid, crowd[who].uid ? crowd[who].uid : crowd[who].name);
    for (char *p = out->who.uid; *p; p++)
        *p = (char)tolower((unsigned char)*p);
}

/* Room for a line that comes later; NULL when enough are coming already. */
static struct audience_line *later(struct audience *a)
{
    return a->waiting_n == QUEUED ? NULL : &a->waiting[a->waiting_n++];
}

static bool is_japanese(const char *name)
{
    return ((unsigned char)name[0] & 0xf0) == 0xe0;
}

/* Each draw stands in a statement of its own: the order of arguments is the compiler's, and a seed
 * has to mean the same everywhere. */
static void wish(struct audience *a, char *out, size_t size, bool japanese)
{
    char text[512];
    if (japanese && chance(a, 75)) {
        const char *where = PICK(a, places_ja);
        const char *does = PICK(a, actions_ja);
        const char *who = PICK(a, subjects_ja);
        snprintf(text, sizeof text, "%sで%s%s", where, does, who);
    } else {
        const char *who = PICK(a, subjects);
        const char *does = PICK(a, actions);
        const char *where = PICK(a, places);
        const char *when = chance(a, 70) ? PICK(a, times) : "";
        const char *how = chance(a, 45) ? PICK(a, details) : "";
        snprintf(text, sizeof text, "%s %s %s%s%s%s%s", who, does, where, *when ? " " : "", when,
                 *how ? ", " : "", how);
    }
    str_copy(out, size, text);
}

static void ask(struct audience *a, char *out, size_t size, bool japanese)
{
    char text[512];
    wish(a, text, sizeof text, japanese);
    if (japanese && chance(a, 40))
        snprintf(out, size, "!anime 「%s」", text);
    else
        switch (below(a, 5)) {
        case 3:
            snprintf(out, size, "!anime \"%s\"", text);
            break;
        case 4:
            snprintf(out, size, "!anime “%s”", text);
            break;
        default:
            snprintf(out, size, "!anime %s", text);
        }
}

/* A prompt; one in three first chooses a style and types for some seconds. */
static void prompt(struct audience *a, struct audience_line *out)
{
    size_t who = someone(a, chance(a, 75) ? ARTIST : REGULAR);
    bool japanese = is_japanese(crowd[who].name);
    struct audience_line *second = chance(a, 33) ? later(a) : NULL;
    speak(out, who, a->now_ms);
    if (!second) {
        ask(a, out->text, sizeof out->text, japanese);
        return;
    }
    snprintf(out->text, sizeof out->text, "!style %s", PICK(a, styles));
    speak(second, who, a->now_ms + 2500 + (int64_t)below(a, 4000));
    ask(a, second->text, sizeof second->text, japanese);
}

/* One text many times over, with small changes, by a few people. */
static void flood(struct audience *a, struct audience_line *out)
{
    const char *text = PICK(a, floods);
    size_t first = chance(a, 50) ? someone(a, TROLL) : anyone(a);
    int n = 8 + (int)below(a, 16);
    int64_t at = a->now_ms;
    speak(out, first, a->now_ms);
    str_copy(out->text, sizeof out->text, text);
    for (int i = 0; i < n; i++) {
        struct audience_line *l = later(a);
        if (!l)
            return;
        size_t who = chance(a, 50) ? first : chance(a, 40) ? someone(a, TROLL) : anyone(a);
        at += 30 + (int64_t)below(a, 350);
        speak(l, who, at);
        snprintf(l->text, sizeof l->text, "%s%.*s", text, (int)below(a, 5), "!!!!");
    }
}

/* Marks piled on letters: legal, and hard on a terminal. */
static void zalgo(struct audience *a, char *out, size_t size)
{
    static const char word[] = "!anime he comes";
    size_t n = 0;
    for (const char *p = word; *p && n + 32 < size; p++) {
        out[n++] = *p;
        for (int i = p - word > 6 && *p != ' ' ? 10 : 0; i > 0; i--) { /* U+0300..U+033F */
            out[n++] = '\xcc';
            out[n++] = (char)(0x80 + below(a, 0x40));
        }
    }
    out[n] = '\0';
}

static void troll(struct audience *a, struct audience_line *out)
{
    speak(out, someone(a, TROLL), a->now_ms);
    size_t kind = below(a, COUNT(nasty) + 4);
    if (kind < COUNT(nasty))
        str_copy(out->text, sizeof out->text, nasty[kind]);
    else if (kind == COUNT(nasty))
        zalgo(a, out->text, sizeof out->text);
    else if (kind == COUNT(nasty) + 1) { /* longer than anybody will draw */
        size_t n = (size_t)snprintf(out->text, sizeof out->text, "!anime ");
        while (n + 16 < 900)
            n += (size_t)snprintf(out->text + n, sizeof out->text - n, "%s ",
                                  chance(a, 50) ? "very" : "long");
    } else /* the same wish again and again */
        str_copy(out->text, sizeof out->text, "!anime me, but handsome");
}

static void vote(struct audience *a, struct audience_line *out)
{
    speak(out, anyone(a), a->now_ms);
    if (!a->id_count) {
        str_copy(out->text, sizeof out->text, PICK(a, chatter));
        return;
    }
    int known = a->id_count < IDS ? a->id_count : IDS;
    snprintf(out->text, sizeof out->text, "!vote %lld", (long long)a->ids[below(a, (size_t)known)]);
}

static void think(struct audience *a, struct audience_line *out)
{
    static const char *const questions[] = {"!queue", "!queue",  "!queue", "!mine",
                                            "!mine",  "!styles", "!help"};
    size_t what = below(a, 1000);
    a->mood += (uniform(a) - 0.5) * 0.2 + (1 - a->mood) * 0.03;
    a->mood = a->mood < 0.4 ? 0.4 : a->mood > 2.5 ? 2.5 : a->mood;
    double wait = -log(uniform(a)) * a->interval_ms / a->mood;
    double longest = a->interval_ms * 5;
    a->think_ms = a->now_ms + (int64_t)(wait < longest ? wait : longest);
    if (what < 230) {
        prompt(a, out);
    } else if (what < 340) {
        vote(a, out);
    } else if (what < 410) {
        speak(out, anyone(a), a->now_ms);
        str_copy(out->text, sizeof out->text, PICK(a, questions));
    } else if (what < 460) {
        troll(a, out);
    } else if (what < 470) {
        flood(a, out);
    } else {
        speak(out, chance(a, 40) ? someone(a, CHATTY) : anyone(a), a->now_ms);
        str_copy(out->text, sizeof out->text, PICK(a, chatter));
    }
}

struct audience *audience_new(uint64_t seed, double rate)
{
    struct audience *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    /* Hashed: splitmix64 walks by a constant, so raw seeds would share one stream. */
    a->random = seed;
    a->random = draw(a) ^ seed << 32;
    a->mood = 1;
    /* a fifth of the lines follow another (floods, styles), so the thoughts come rarer */
    a->interval_ms = 60000.0 / (rate > 0 ? rate : 20) * 1.18;
    return a;
}

void audience_free(struct audience *a)
{
    free(a);
}

void audience_next(struct audience *a, struct audience_line *out)
{
    int64_t before = a->now_ms;
    int soon = -1;
    for (int i = 0; i < a->waiting_n; i++)
        if (a->waiting[i].after_ms <= a->think_ms &&
            (soon < 0 || a->waiting[i].after_ms < a->waiting[soon].after_ms))
            soon = i;
    if (soon < 0) {
        a->now_ms = a->think_ms;
        think(a, out);
    } else {
        *out = a->waiting[soon];
        a->now_ms = out->after_ms > before ? out->after_ms : before;
        a->waiting[soon] = a->waiting[--a->waiting_n];
    }
    out->after_ms = a->now_ms - before;
}

static void forget_id(struct audience *a, int64_t id)
{
    int known = a->id_count < IDS ? a->id_count : IDS, kept = 0;
    for (int i = 0; i < known; i++)
        if (a->ids[i] != id)
            a->ids[kept++] = a->ids[i];
    a->id_count = kept;
}

void audience_hears(struct audience *a, const char *text)
{
    bool on_air = strstr(text, "on air") != NULL;
    for (const char *p = text; (p = strchr(p, '#')); p++) {
        char *end;
        int64_t id = strtoll(p + 1, &end, 10);
        if (end == p + 1 || id < 1 || !isdigit((unsigned char)p[1]))
            continue;
        forget_id(a, id);
        if (!on_air)
            a->ids[a->id_count++ % IDS] = id;
    }
    for (int i = on_air ? 2 + (int)below(a, 4) : 0; i > 0; i--) {
        struct audience_line *l = later(a);
        if (!l)
            return;
        size_t who = anyone(a);
        speak(l, who, a->now_ms + 600 + (int64_t)below(a, 2500));
        str_copy(l->text, sizeof l->text, PICK(a, cheers));
    }
}

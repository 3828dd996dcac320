#include "app/differ.h"

#include "base/buf.h"
#include "base/json.h"

#include <string.h>

#define KEY 16 /* hex digits that a choice begins with */

struct member {
    const char *key;
    const char *absent; /* what a recipe of before means by having none */
};

static const struct member builds[] = {{"version", "nothing"}, {"build", "nothing"}};
static const struct member model_builds[] = {{"runtime", "unknown"}};
static const struct member ways[] = {{"id", "nothing"},
                                     {"variant", "nothing"},
                                     {"stored", "nothing"},
                                     {"computed", "nothing"},
                                     {"pixels", "rgb"},
                                     {"threads", "nothing"},
                                     {"tiny", ""},
                                     {"tile", "0"},
                                     {"device_words", "nothing"}};

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct report {
    FILE *to;
    const char *head; /* stands before the first difference; NULL: nothing does */
    int n;
};

static void begin(struct report *r)
{
    if (r->head && !r->n)
        fprintf(r->to, "  %s\n", r->head);
    r->n++;
}

static void words(const cJSON *o, const struct member *m, char *out, size_t size)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, m->key);
    if (cJSON_IsNumber(v))
        snprintf(out, size, "%.10g", v->valuedouble);
    else
        str_copy(out, size, cJSON_IsString(v) ? v->valuestring : m->absent);
}

static void members(struct report *r, const cJSON *then, const cJSON *now, const struct member *m,
                    size_t n)
{
    char a[256], b[256];
    for (size_t i = 0; i < n; i++) {
        words(then, &m[i], a, sizeof a);
        words(now, &m[i], b, sizeof b);
        if (!strcmp(a, b))
            continue;
        begin(r);
        fprintf(r->to, "  %s: \"%s\" then, \"%s\" now\n", m[i].key, a, b);
    }
}

/* "KEY CANDIDATE WORDS": of the same key, another candidate. */
static void choices(struct report *r, const cJSON *then, const cJSON *now)
{
    const cJSON *v, *w, *list = json_arr(now, "choices");
    cJSON_ArrayForEach(v, json_arr(then, "choices"))
    {
        const char *a = cJSON_IsString(v) ? v->valuestring : "", *b = "";
        int candidate, other, at = 0;
        cJSON_ArrayForEach(w, list)
        {
            b = cJSON_IsString(w) ? w->valuestring : "";
            if (!strncmp(a, b, KEY))
                break;
        }
        if (!w || strlen(a) < KEY || sscanf(a + KEY, " %d %n", &candidate, &at) < 1 || !at ||
            sscanf(b + KEY, " %d", &other) < 1 || candidate == other)
            continue;
        begin(r);
        fprintf(r->to, "  %s: by candidate %d then, by %d now\n", a + KEY + at, candidate, other);
    }
}

static void inputs(struct report *r, const cJSON *then, const cJSON *now)
{
    const cJSON *v, *list = json_arr(now, "inputs");
    int i = 0;
    cJSON_ArrayForEach(v, json_arr(then, "inputs"))
    {
        const cJSON *w = list ? cJSON_GetArrayItem(list, i++) : NULL;
        if (!strcmp(json_str(v, "sha256", ""), json_str(w, "sha256", "")))
            continue;
        begin(r);
        fprintf(r->to, "  the %s %s is another file now\n", json_str(v, "role", ""),
                json_str(v, "path", ""));
    }
}

/* What a recipe of before does not say is not compared. */
static void loras(struct report *r, const cJSON *then, const cJSON *now)
{
    const cJSON *v, *list = json_arr(now, "loras");
    int i = 0;
    cJSON_ArrayForEach(v, json_arr(then, "loras"))
    {
        const cJSON *w = list ? cJSON_GetArrayItem(list, i++) : NULL;
        const char *id = json_str(v, "id", "");
        if (!id[0] || !strcmp(id, json_str(w, "id", "")))
            continue;
        begin(r);
        fprintf(r->to, "  the LoRA %s is another file now\n", json_str(v, "name", ""));
    }
}

int differ_print(FILE *to, const cJSON *then, const cJSON *now, bool identical)
{
    const cJSON *model = json_obj(then, "model"), *model_now = json_obj(now, "model");
    struct report build = {.to = to, .head = identical ? "though another build made them:" : NULL};
    struct report way = {.to = to, .head = identical ? "though made in another way:" : NULL};
    members(&build, then, now, builds, COUNT(builds));
    members(&build, model, model_now, model_builds, COUNT(model_builds));
    members(&way, model, model_now, ways, COUNT(ways));
    choices(&way, model, model_now);
    inputs(&way, model, model_now);
    loras(&way, model, model_now);
    return build.n + way.n;
}

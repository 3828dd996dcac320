#include "media/recipe.h"

#include "base/clock.h"
#include "base/json.h"
#include "media/clip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHOICE_LINE 128

/* Lines become strings of a list, and back. */
static void print_choices(cJSON *o, const char *lines)
{
    cJSON *list = *lines ? cJSON_AddArrayToObject(o, "choices") : NULL;
    char line[CHOICE_LINE];
    for (size_t n; list && *lines; lines += n) {
        n = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, lines);
        cJSON_AddItemToArray(list, cJSON_CreateString(line));
        n += lines[n] == '\n';
    }
}

static void print_model(cJSON *o, const struct recipe_model *m)
{
    cJSON *v = cJSON_AddObjectToObject(o, "model");
    cJSON_AddStringToObject(v, "path", m->path);
    cJSON_AddStringToObject(v, "id", m->id);
    cJSON_AddStringToObject(v, "variant", m->variant);
    cJSON_AddStringToObject(v, "stored", m->stored);
    cJSON_AddStringToObject(v, "computed", m->computed);
    cJSON_AddStringToObject(v, "device", m->device);
    cJSON_AddStringToObject(v, "device_words", m->device_words);
    cJSON_AddStringToObject(v, "runtime", m->runtime);
    if (m->pixels[0])
        cJSON_AddStringToObject(v, "pixels", m->pixels);
    cJSON_AddNumberToObject(v, "threads", m->threads);
    cJSON_AddNumberToObject(v, "guidance", m->guidance);
    cJSON_AddNumberToObject(v, "shift", m->shift);
    cJSON_AddStringToObject(v, "sampler", m->sampler);
    cJSON_AddNumberToObject(v, "teacache", m->teacache);
    cJSON_AddStringToObject(v, "tiny", m->tiny);
    cJSON_AddNumberToObject(v, "tile", m->tile);
    cJSON_AddStringToObject(v, "image", m->image);
    cJSON_AddNumberToObject(v, "resumed", m->resumed);
    print_choices(v, m->choices);
    cJSON *inputs = cJSON_AddArrayToObject(v, "inputs");
    for (int i = 0; i < m->input_n; i++) {
        cJSON *in = cJSON_CreateObject();
        cJSON_AddStringToObject(in, "role", m->input[i].role);
        cJSON_AddStringToObject(in, "path", m->input[i].path);
        cJSON_AddStringToObject(in, "sha256", m->input[i].sha256);
        cJSON_AddItemToArray(inputs, in);
    }
    cJSON *loras = cJSON_AddArrayToObject(v, "loras");
    for (int i = 0; i < m->lora_n; i++) {
        cJSON *l = cJSON_CreateObject();
        cJSON_AddStringToObject(l, "name", m->lora[i].name);
        cJSON_AddStringToObject(l, "id", m->lora[i].id);
        cJSON_AddNumberToObject(l, "weight", m->lora[i].weight);
        cJSON_AddItemToArray(loras, l);
    }
}

bool recipe_print(struct buf *out, const struct recipe *r)
{
    char s[32];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "sakuga_recipe", RECIPE_FORMAT);
    cJSON_AddNumberToObject(o, "id", (double)r->id);
    cJSON_AddNumberToObject(o, "attempt", r->attempt);
    cJSON_AddStringToObject(o, "prompt", r->prompt);
    cJSON_AddStringToObject(o, "viewer", r->viewer);
    cJSON_AddStringToObject(o, "style", r->style);
    cJSON_AddStringToObject(o, "negative", r->negative);
    cJSON_AddStringToObject(o, "label", r->label);
    snprintf(s, sizeof s, "%llu", (unsigned long long)r->seed);
    cJSON_AddStringToObject(o, "seed", s);
    cJSON_AddStringToObject(o, "engine", r->engine);
    cJSON_AddStringToObject(o, "version", r->version);
    cJSON_AddStringToObject(o, "build", r->build);
    cJSON_AddStringToObject(o, "encoder", r->encoder);
    cJSON *palette = cJSON_AddArrayToObject(o, "palette");
    for (int i = 0; i < r->palette_n; i++) {
        snprintf(s, sizeof s, "#%06x", (unsigned)(r->palette[i] & 0xffffff));
        cJSON_AddItemToArray(palette, cJSON_CreateString(s));
    }
    cJSON_AddNumberToObject(o, "width", r->width);
    cJSON_AddNumberToObject(o, "height", r->height);
    cJSON_AddNumberToObject(o, "frames", r->frames);
    cJSON_AddNumberToObject(o, "fps", r->fps);
    cJSON_AddNumberToObject(o, "steps", r->steps);
    cJSON_AddNumberToObject(o, "started_utc_ms", (double)r->started_utc_ms);
    cJSON_AddNumberToObject(o, "finished_utc_ms", (double)r->finished_utc_ms);
    clock_iso(r->started_utc_ms, s);
    cJSON_AddStringToObject(o, "started", s);
    clock_iso(r->finished_utc_ms, s);
    cJSON_AddStringToObject(o, "finished", s);
    cJSON_AddNumberToObject(o, "draw_ms", (double)r->draw_ms);
    cJSON_AddNumberToObject(o, "encode_ms", (double)r->encode_ms);
    if (r->model.path[0])
        print_model(o, &r->model);
    cJSON_AddStringToObject(o, "sha256", r->sha256);
    bool ok = o && json_print(out, o, false);
    cJSON_Delete(o);
    return ok;
}

/* Copies a string member, without controls, since it ends on a terminal; a missing, mistyped or
 * overlong one makes the recipe unacceptable. */
static bool text(const cJSON *o, const char *key, char *dst, size_t size)
{
    const char *s = json_str(o, key, NULL);
    if (!s || strlen(s) >= size)
        return false;
    memcpy(dst, s, strlen(s) + 1);
    str_printable(dst);
    return true;
}

static bool number(const cJSON *o, const char *key, int64_t least, int64_t most, int64_t *out)
{
    *out = json_int(o, key, INT64_MIN);
    return *out >= least && *out <= most;
}

static bool small(const cJSON *o, const char *key, int least, int most, int *out)
{
    int64_t v;
    bool ok = number(o, key, least, most, &v);
    *out = ok ? (int)v : least;
    return ok;
}

static bool parse_seed(const cJSON *o, uint64_t *out)
{
    const char *s = json_str(o, "seed", "");
    *out = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        uint64_t digit = (uint64_t)(*s - '0');
        if (*s < '0' || *s > '9' || *out > (UINT64_MAX - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return true;
}

static bool parse_palette(const cJSON *o, struct recipe *out)
{
    const cJSON *list = json_arr(o, "palette"), *v;
    if (!list || cJSON_GetArraySize(list) > 8)
        return false;
    cJSON_ArrayForEach(v, list)
    {
        const char *s = cJSON_IsString(v) ? v->valuestring : "";
        if (strlen(s) != 7 || s[0] != '#' || strspn(s + 1, "0123456789abcdefABCDEF") != 6)
            return false;
        out->palette[out->palette_n++] = (uint32_t)strtoul(s + 1, NULL, 16);
    }
    return true;
}

static bool real(const cJSON *o, const char *key, double least, double most, double *out)
{
    *out = json_num(o, key, least - 1);
    return *out >= least && *out <= most;
}

static bool is_sha256(const char *s)
{
    return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

/* Recipes of before had none. */
static bool parse_inputs(const cJSON *o, struct recipe_model *m)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "inputs"), *v;
    if (list && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > RECIPE_INPUTS_MAX))
        return false;
    cJSON_ArrayForEach(v, list)
    {
        struct recipe_input *in = &m->input[m->input_n++];
        if (!text(v, "role", in->role, sizeof in->role) ||
            !text(v, "path", in->path, sizeof in->path) ||
            !text(v, "sha256", in->sha256, sizeof in->sha256) || !is_sha256(in->sha256))
            return false;
    }
    return true;
}

/* Recipes of before had none. */
static bool parse_choices(const cJSON *o, struct recipe_model *m)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "choices"), *v;
    size_t at = 0;
    if (list && !cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(v, list)
    {
        const char *s = cJSON_IsString(v) ? v->valuestring : "";
        size_t n = strlen(s);
        if (!n || n >= CHOICE_LINE || at + n + 2 > sizeof m->choices)
            return false;
        memcpy(m->choices + at, s, n + 1);
        str_printable(m->choices + at);
        at += n;
        m->choices[at++] = '\n';
    }
    return true;
}

static const char *parse_model(const cJSON *o, struct recipe_model *m)
{
    const cJSON *list = json_arr(o, "loras"), *v;
#define TEXT(member)                                                                               \
    if (!text(o, #member, m->member, sizeof m->member))                                            \
    return "model." #member
    TEXT(path);
    TEXT(id);
    TEXT(variant);
    TEXT(stored);
    TEXT(computed);
    TEXT(device);
    TEXT(device_words);
    TEXT(sampler);
    TEXT(image);
#undef TEXT
    if (!m->path[0])
        return "model.path";
    if (!small(o, "threads", 0, 4096, &m->threads))
        return "model.threads";
    if (!real(o, "guidance", -100, 100, &m->guidance) || !real(o, "shift", 0, 1000, &m->shift))
        return "model.guidance";
    if (!small(o, "resumed", 0, 100000, &m->resumed))
        return "model.resumed";
    if (cJSON_HasObjectItem(o, "runtime") && !text(o, "runtime", m->runtime, sizeof m->runtime))
        return "model.runtime";
    if (cJSON_HasObjectItem(o, "pixels") && !text(o, "pixels", m->pixels, sizeof m->pixels))
        return "model.pixels";
    if (cJSON_HasObjectItem(o, "teacache") && !real(o, "teacache", 0, 1000, &m->teacache))
        return "model.teacache";
    if (cJSON_HasObjectItem(o, "tiny") && !text(o, "tiny", m->tiny, sizeof m->tiny))
        return "model.tiny";
    if (cJSON_HasObjectItem(o, "tile") && !small(o, "tile", 0, 65536, &m->tile))
        return "model.tile";
    if (!parse_choices(o, m))
        return "model.choices";
    if (!parse_inputs(o, m))
        return "model.inputs";
    if (!list || cJSON_GetArraySize(list) > RECIPE_LORAS_MAX)
        return "model.loras";
    cJSON_ArrayForEach(v, list)
    {
        struct recipe_lora *l = &m->lora[m->lora_n++];
        if (!text(v, "name", l->name, sizeof l->name) || !real(v, "weight", -100, 100, &l->weight))
            return "model.loras";
        if (cJSON_HasObjectItem(v, "id") && !text(v, "id", l->id, sizeof l->id))
            return "model.loras";
    }
    return NULL;
}

static const char *parse_members(const cJSON *o, struct recipe *r)
{
    const int64_t far = INT64_C(1) << 52;
#define TEXT(member)                                                                               \
    if (!text(o, #member, r->member, sizeof r->member))                                            \
    return #member
    TEXT(prompt);
    TEXT(viewer);
    TEXT(style);
    TEXT(negative);
    TEXT(label);
    TEXT(engine);
    TEXT(version);
    TEXT(build);
    TEXT(sha256);
#undef TEXT
    if (cJSON_HasObjectItem(o, "encoder") && !text(o, "encoder", r->encoder, sizeof r->encoder))
        return "encoder";
    if (!is_sha256(r->sha256))
        return "sha256";
    if (!parse_seed(o, &r->seed))
        return "seed";
    if (!parse_palette(o, r))
        return "palette";
    if (!number(o, "id", 0, far, &r->id))
        return "id";
    if (!small(o, "attempt", 0, 1000000, &r->attempt))
        return "attempt";
    if (!small(o, "width", 1, 65536, &r->width) || !small(o, "height", 1, 65536, &r->height))
        return "width";
    if (!small(o, "frames", 1, 1000000, &r->frames) || !small(o, "fps", 1, 1000, &r->fps))
        return "frames";
    if (!small(o, "steps", 0, 100000, &r->steps))
        return "steps";
    if (!number(o, "started_utc_ms", -far, far, &r->started_utc_ms) ||
        !number(o, "finished_utc_ms", -far, far, &r->finished_utc_ms))
        return "started_utc_ms";
    if (!number(o, "draw_ms", 0, far, &r->draw_ms) ||
        !number(o, "encode_ms", 0, far, &r->encode_ms))
        return "draw_ms";
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(o, "model");
    return model ? parse_model(model, &r->model) : NULL;
}

enum err recipe_parse(const char *s, size_t n, struct recipe *out, struct fault *f)
{
    memset(out, 0, sizeof *out);
    if (n > RECIPE_TEXT_MAX)
        return fault_set(f, ERR_CORRUPT, "the recipe is longer than any recipe can be");
    cJSON *o = json_parse(s, n, f);
    if (!o)
        return fault_set(f, ERR_NOTFOUND, "the text is not a sakuga recipe");
    enum err e = ERR_OK;
    int64_t format = json_int(o, "sakuga_recipe", -1);
    const char *bad;
    if (format < 0)
        e = fault_set(f, ERR_NOTFOUND, "the text is not a sakuga recipe");
    else if (format != RECIPE_FORMAT)
        e = fault_set(f, ERR_VERSION, "the recipe is of format %lld; this sakuga reads %d",
                      (long long)format, RECIPE_FORMAT);
    else if ((bad = parse_members(o, out)))
        e = fault_set(f, ERR_CORRUPT, "the recipe is damaged: \"%s\" is missing or wrong", bad);
    cJSON_Delete(o);
    return e;
}

enum err recipe_read(const char *path, struct recipe *out, struct fault *f)
{
    struct fault inner;
    struct clip *c = clip_open(path, CLIP_METADATA, f);
    if (!c)
        return f ? f->code : ERR_CORRUPT;
    const AVDictionaryEntry *e = av_dict_get(c->demux->metadata, "comment", NULL, 0);
    enum err bad = e ? recipe_parse(e->value, strlen(e->value), out, &inner) : ERR_NOTFOUND;
    if (bad == ERR_NOTFOUND)
        fault_set(f, bad, "%s carries no sakuga recipe", path);
    else if (bad)
        fault_set(f, bad, "%s: %s", path, fault_text(&inner));
    clip_free(c);
    return bad;
}

#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JSON_DEPTH_MAX 64

/* A flat scan: how deep the nesting goes (cJSON recurses to 1000 levels, no peer of ours needs
 * that), and how many values there are at most. Stops behind the limit of either. */
struct extent {
    int depth;
    size_t values;
};

static struct extent measure(const char *s, size_t n, size_t values_max)
{
    struct extent e = {0, 1};
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < n && e.depth <= JSON_DEPTH_MAX && e.values <= values_max; i++) {
        char c = s[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            e.values++;
            e.depth = depth > e.depth ? depth : e.depth;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c == ',') {
            e.values++;
        }
    }
    return e;
}

cJSON *json_parse(const char *text, size_t n, struct fault *f)
{
    return json_parse_few(text, n, SIZE_MAX, f);
}

cJSON *json_parse_few(const char *text, size_t n, size_t values, struct fault *f)
{
    struct extent e = measure(text, n, values);
    if (memchr(text, '\0', n)) {
        fault_set(f, ERR_SYNTAX, "malformed JSON: it holds a NUL byte");
        return NULL;
    }
    if (e.values > values) {
        fault_set(f, ERR_LIMIT, "its JSON has more than %zu values", values);
        return NULL;
    }
    if (e.depth > JSON_DEPTH_MAX) {
        fault_set(f, ERR_SYNTAX, "malformed JSON: nested deeper than %d", JSON_DEPTH_MAX);
        return NULL;
    }
    const char *end = NULL;
    cJSON *v = cJSON_ParseWithLengthOpts(text, n, &end, 0);
    if (!v) {
        size_t at = end ? (size_t)(end - text) : 0;
        fault_set(f, ERR_SYNTAX, "malformed JSON at byte %zu", at);
        return NULL;
    }
    for (; end < text + n; end++)
        if (!strchr(" \t\r\n", *end)) {
            fault_set(f, ERR_SYNTAX, "malformed JSON: more text at byte %zu", (size_t)(end - text));
            cJSON_Delete(v);
            return NULL;
        }
    return v;
}

const char *json_str(const cJSON *o, const char *key, const char *otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(v) ? v->valuestring : otherwise;
}

double json_num(const cJSON *o, const char *key, double otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) && isfinite(v->valuedouble) ? v->valuedouble : otherwise;
}

int64_t json_int(const cJSON *o, const char *key, int64_t otherwise)
{
    double d = json_num(o, key, NAN);
    return d >= -9007199254740992.0 && d <= 9007199254740992.0 && d == floor(d) ? (int64_t)d
                                                                                : otherwise;
}

bool json_bool(const cJSON *o, const char *key, bool otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : otherwise;
}

const cJSON *json_obj(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsObject(v) ? v : NULL;
}

const cJSON *json_arr(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsArray(v) ? v : NULL;
}

bool json_print(struct buf *b, const cJSON *v, bool newline)
{
    char *s = cJSON_PrintUnformatted(v);
    if (!s) {
        b->failed = true;
        return false;
    }
    bool ok = buf_adds(b, s) && (!newline || buf_addc(b, '\n'));
    cJSON_free(s);
    return ok;
}

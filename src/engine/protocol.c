/* Reading what the other end says, and picture headers. */
#include "engine/protocol_inside.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const protocol_orders[ORDER_KINDS] = {"config",  "job",   "cancel",   "play", "stop",
                                                  "picture", "check", "throttle", "quit"};
const char *const protocol_reports[REPORT_KINDS] = {
    "hello", "heartbeat", "ack", "progress", "done", "failed", "cancelled", "checked", "trouble"};

/* ---- reading: one object, the first thing wrong with it wins ---- */

struct reader {
    const cJSON *o;
    struct fault *f;
    enum err bad;
};

static void refuse(struct reader *r, const char *key, const char *what)
{
    if (!r->bad)
        r->bad = fault_set(r->f, ERR_INVAL, "worker protocol: \"%s\" %s", key, what);
}

static bool has(const struct reader *r, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(r->o, key) != NULL;
}

static void take_bytes(struct reader *r, const char *key, char *dst, size_t size, bool empty_ok)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->o, key);
    dst[0] = '\0';
    if (!cJSON_IsString(v)) {
        refuse(r, key, "is not a string");
    } else if (strlen(v->valuestring) >= size) {
        refuse(r, key, "is too long");
    } else if (!empty_ok && !v->valuestring[0]) {
        refuse(r, key, "is empty");
    } else {
        memcpy(dst, v->valuestring, strlen(v->valuestring) + 1);
    }
}

static void take_text(struct reader *r, const char *key, char *dst, size_t size, bool empty_ok)
{
    take_bytes(r, key, dst, size, empty_ok);
    str_printable(dst);
}

static int64_t take_int(struct reader *r, const char *key, int64_t least, int64_t most)
{
    int64_t v = json_int(r->o, key, INT64_MIN);
    if (v == INT64_MIN)
        refuse(r, key, "is not an integer");
    else if (v < least || v > most)
        refuse(r, key, "is out of bounds");
    else
        return v;
    return least;
}

static double take_num(struct reader *r, const char *key, double least, double most)
{
    double v = json_num(r->o, key, NAN);
    if (isnan(v))
        refuse(r, key, "is not a number");
    else if (v < least || v > most)
        refuse(r, key, "is out of bounds");
    else
        return v;
    return least;
}

static bool take_bool(struct reader *r, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->o, key);
    if (!cJSON_IsBool(v))
        refuse(r, key, "is not true or false");
    return cJSON_IsTrue(v);
}

static const cJSON *take_list(struct reader *r, const char *key, int most)
{
    const cJSON *v = json_arr(r->o, key);
    if (!v)
        refuse(r, key, "is not a list");
    else if (cJSON_GetArraySize(v) > most)
        refuse(r, key, "is too long");
    else
        return v;
    return NULL;
}

/* A 64-bit number as decimal digits: JSON numbers are exact to 2^53 only. */
static uint64_t take_u64(struct reader *r, const char *key)
{
    char s[24];
    uint64_t v = 0;
    take_bytes(r, key, s, sizeof s, false);
    for (const char *p = s; *p; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (*p < '0' || *p > '9' || v > (UINT64_MAX - digit) / 10) {
            refuse(r, key, "is not a 64-bit number in digits");
            return 0;
        }
        v = v * 10 + digit;
    }
    return v;
}

static void take_palette(struct reader *r, struct engine_job *j)
{
    const cJSON *list = take_list(r, "palette", (int)(sizeof j->palette / sizeof *j->palette));
    const cJSON *v;
    j->palette_n = 0;
    cJSON_ArrayForEach(v, list)
    {
        const char *s = cJSON_IsString(v) ? v->valuestring : "";
        if (strlen(s) != 7 || s[0] != '#' || strspn(s + 1, "0123456789abcdefABCDEF") != 6) {
            refuse(r, "palette", "holds what is not #RRGGBB");
            return;
        }
        j->palette[j->palette_n++] = (uint32_t)strtoul(s + 1, NULL, 16);
    }
}

static bool is_alias(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return n > 0 && !s[n] && s[0] != '.';
}

static void take_loras(struct reader *r, struct engine_job *j)
{
    const cJSON *list = take_list(r, "loras", JOB_LORAS_MAX), *v;
    cJSON_ArrayForEach(v, list)
    {
        struct reader in = {v, r->f, ERR_OK};
        struct job_lora *l = &j->lora[j->lora_n++];
        take_bytes(&in, "name", l->name, sizeof l->name, false);
        if (!in.bad && !is_alias(l->name))
            refuse(&in, "name", "of a LoRA is not an alias");
        l->weight = take_num(&in, "weight", -10, 10);
        l->must = take_bool(&in, "must");
        if (!r->bad)
            r->bad = in.bad;
    }
}

const char *protocol_role_name(enum input_role role)
{
    static const char *const names[INPUT_ROLES] = {"image", "last-image", "source",
                                                   "mask",  "control",    "reference"};
    return role < INPUT_ROLES ? names[role] : "";
}

enum input_role protocol_role(const char *name)
{
    int r = 0;
    while (r < INPUT_ROLES && strcmp(name, protocol_role_name((enum input_role)r)))
        r++;
    return (enum input_role)r;
}

static void take_inputs(struct reader *r, struct engine_job *j)
{
    const cJSON *list = take_list(r, "inputs", JOB_INPUTS_MAX), *v;
    cJSON_ArrayForEach(v, list)
    {
        struct reader in = {v, r->f, ERR_OK};
        struct job_input *to = &j->input[j->input_n++];
        char role[16] = "";
        take_bytes(&in, "role", role, sizeof role, false);
        to->role = protocol_role(role);
        if (!in.bad && to->role == INPUT_ROLES)
            refuse(&in, "role", "of an input is not known");
        take_bytes(&in, "path", to->path, sizeof to->path, false);
        if (!r->bad)
            r->bad = in.bad;
    }
}

/* What only a model takes may be missing. */
static void take_sampling(struct reader *r, struct engine_job *j)
{
    if (has(r, "bare"))
        j->bare = take_bool(r, "bare");
    if (has(r, "guidance"))
        j->guidance = take_num(r, "guidance", 0, 100);
    if (has(r, "shift"))
        j->shift = take_num(r, "shift", 0, 1000);
    if (has(r, "sampler"))
        take_text(r, "sampler", j->sampler, sizeof j->sampler, true);
    if (has(r, "teacache"))
        j->teacache = take_num(r, "teacache", 0, 1000);
    if (has(r, "tiny"))
        j->tiny = take_bool(r, "tiny");
    if (has(r, "tile"))
        j->tile = (int)take_int(r, "tile", 0, 2048);
    if (j->tile && (j->tile < 64 || j->tile % 32))
        refuse(r, "tile", "is not a multiple of 32 from 64 on");
    if (has(r, "inputs"))
        take_inputs(r, j);
    if (has(r, "loras"))
        take_loras(r, j);
}

static void take_job(struct reader *r, struct engine_job *j)
{
    j->id = take_int(r, "id", 1, PROTOCOL_ID_MAX);
    j->attempt = (int)take_int(r, "attempt", 1, 1000000);
    take_text(r, "prompt", j->prompt, sizeof j->prompt, false);
    take_text(r, "viewer", j->viewer, sizeof j->viewer, true);
    take_text(r, "style", j->style, sizeof j->style, true);
    take_text(r, "negative", j->negative, sizeof j->negative, true);
    take_text(r, "label", j->label, sizeof j->label, true);
    take_palette(r, j);
    j->seed = take_u64(r, "seed");
    j->width = (int)take_int(r, "width", 64, 1920);
    j->height = (int)take_int(r, "height", 64, 1088);
    if (j->width % 2 || j->height % 2)
        refuse(r, "width", "and height must be even");
    j->frames = (int)take_int(r, "frames", 1, 1024);
    j->fps = (int)take_int(r, "fps", 1, 60);
    j->steps = (int)take_int(r, "steps", 0, 200);
    take_sampling(r, j);
    take_bytes(r, "path", j->path, sizeof j->path, false);
}

static void take_verdicts(struct reader *r, struct report *out)
{
    const cJSON *list = take_list(r, "verdicts", VERDICTS_MAX);
    const cJSON *v;
    cJSON_ArrayForEach(v, list)
    {
        struct reader in = {v, r->f, ERR_OK};
        struct verdict *to = &out->verdicts[out->verdicts_n++];
        take_text(&in, "name", to->name, sizeof to->name, false);
        take_text(&in, "words", to->words, sizeof to->words, true);
        to->ok = take_bool(&in, "ok");
        if (!r->bad)
            r->bad = in.bad;
    }
}

static void take_device(struct reader *r, struct device_status *d)
{
    struct reader in = {json_obj(r->o, "device"), r->f, ERR_OK};
    take_text(&in, "name", d->name, sizeof d->name, true);
    d->util = take_num(&in, "util", 0, 1);
    d->memory = take_int(&in, "memory", 0, PROTOCOL_ID_MAX);
    d->memory_total = take_int(&in, "memory_total", 0, PROTOCOL_ID_MAX);
    d->watts = take_num(&in, "watts", -1, 1e5);
    d->celsius = take_num(&in, "celsius", -1, 1e4);
    if (!r->bad)
        r->bad = in.bad;
}

static void take_sha(struct reader *r, char out[65])
{
    take_bytes(r, "sha256", out, 65, false);
    if (strlen(out) != 64 || strspn(out, "0123456789abcdef") != 64)
        refuse(r, "sha256", "is not 64 hex digits");
}

static enum err take_code(struct reader *r)
{
    char name[24];
    take_bytes(r, "code", name, sizeof name, false);
    for (int i = 0; i < ERR_COUNT; i++)
        if (strcmp(name, err_name((enum err)i)) == 0)
            return (enum err)i;
    refuse(r, "code", "is not known");
    return ERR_IO;
}

/* Opens the line and finds its kind in `names`; -1 when it is refused. */
static int open_line(const char *line, size_t n, const char *const *names, int count, cJSON **tree,
                     struct reader *r, struct fault *f)
{
    *tree = NULL;
    *r = (struct reader){NULL, f, ERR_OK};
    if (n > PROTOCOL_LINE_MAX) {
        r->bad = fault_set(f, ERR_LIMIT, "worker protocol: a line of %zu bytes", n);
        return -1;
    }
    r->o = *tree = json_parse(line, n, f);
    if (!*tree) {
        r->bad = ERR_SYNTAX;
        return -1;
    }
    const char *t = json_str(r->o, "t", "");
    for (int i = 0; i < count; i++)
        if (strcmp(t, names[i]) == 0)
            return i;
    refuse(r, "t", "is not a kind of message");
    return -1;
}

static void take_engine(struct reader *r, struct order *out)
{
    strcpy(out->engine, "animatic");
    strcpy(out->device, "auto");
    strcpy(out->dtype, "auto");
    strcpy(out->encoder, "auto");
    if (has(r, "engine"))
        take_text(r, "engine", out->engine, sizeof out->engine, false);
    if (has(r, "model"))
        take_bytes(r, "model", out->model, sizeof out->model, true);
    if (has(r, "device"))
        take_text(r, "device", out->device, sizeof out->device, false);
    if (has(r, "dtype"))
        take_text(r, "dtype", out->dtype, sizeof out->dtype, false);
    if (has(r, "encoder"))
        take_text(r, "encoder", out->encoder, sizeof out->encoder, false);
    if (has(r, "threads"))
        out->threads = (int)take_int(r, "threads", 0, 1024);
}

enum err protocol_parse_order(const char *line, size_t n, struct order *out, struct fault *f)
{
    cJSON *tree;
    struct reader r;
    memset(out, 0, sizeof *out);
    int kind = open_line(line, n, protocol_orders, ORDER_KINDS, &tree, &r, f);
    out->kind = kind < 0 ? ORDER_KINDS : (enum order_kind)kind;
    switch (out->kind) {
    case ORDER_CONFIG:
        take_bytes(&r, "vault", out->path, sizeof out->path, false);
        out->media = take_bool(&r, "media");
        take_engine(&r, out);
        if (take_int(&r, "protocol", 0, 1000000) != PROTOCOL_VERSION)
            refuse(&r, "protocol", "is of another version");
        break;
    case ORDER_JOB:
        take_job(&r, &out->job);
        out->id = out->job.id;
        break;
    case ORDER_CANCEL:
        out->id = take_int(&r, "id", 1, PROTOCOL_ID_MAX);
        break;
    case ORDER_PLAY:
    case ORDER_PICTURE:
        out->id = take_int(&r, "id", 0, PROTOCOL_ID_MAX);
        take_bytes(&r, "path", out->path, sizeof out->path, false);
        out->w = (int)take_int(&r, "w", 8, PICTURE_SIDE_MAX);
        out->h = (int)take_int(&r, "h", 8, 1088);
        break;
    case ORDER_THROTTLE:
        out->throttle = take_num(&r, "throttle", 0, 1);
        break;
    case ORDER_CHECK:
        out->id = take_int(&r, "id", 0, PROTOCOL_ID_MAX);
        take_bytes(&r, "path", out->path, sizeof out->path, false);
        out->frames = (int)take_int(&r, "frames", 0, 1024);
        out->fps = (int)take_int(&r, "fps", 0, 60);
        break;
    case ORDER_STOP:
    case ORDER_QUIT:
    case ORDER_KINDS:
        break;
    }
    cJSON_Delete(tree);
    return r.bad;
}

static void take_report(struct reader *r, struct report *out)
{
    out->id = out->kind == REPORT_HELLO || out->kind == REPORT_HEARTBEAT
                  ? 0
                  : take_int(r, "id", 0, PROTOCOL_ID_MAX);
    switch (out->kind) {
    case REPORT_HELLO:
        out->protocol = (int)take_int(r, "protocol", 0, 1000000);
        out->pid = take_int(r, "pid", 1, INT32_MAX);
        take_text(r, "version", out->version, sizeof out->version, false);
        take_text(r, "build", out->build, sizeof out->build, true);
        take_text(r, "engine", out->engine, sizeof out->engine, false);
        take_device(r, &out->device);
        break;
    case REPORT_HEARTBEAT:
        take_device(r, &out->device);
        break;
    case REPORT_PROGRESS:
        take_text(r, "stage", out->stage, sizeof out->stage, false);
        out->fraction = take_num(r, "fraction", 0, 1);
        out->overall = take_num(r, "overall", 0, 1);
        out->eta_ms = take_int(r, "eta_ms", -1, INT64_C(1) << 40);
        break;
    case REPORT_DONE:
        out->bytes = take_int(r, "bytes", 0, PROTOCOL_ID_MAX);
        take_sha(r, out->sha256);
        out->draw_ms = take_int(r, "draw_ms", 0, INT64_C(1) << 40);
        out->encode_ms = take_int(r, "encode_ms", 0, INT64_C(1) << 40);
        out->check_ms = take_int(r, "check_ms", 0, INT64_C(1) << 40);
        /* fall through */
    case REPORT_CHECKED:
        take_bytes(r, "path", out->path, sizeof out->path, false);
        out->frames = (int)take_int(r, "frames", 0, INT32_MAX);
        out->duration_ms = take_int(r, "duration_ms", 0, INT64_C(1) << 40);
        take_verdicts(r, out);
        break;
    case REPORT_TROUBLE:
        take_bytes(r, "path", out->path, sizeof out->path, true);
        /* fall through */
    case REPORT_FAILED:
        out->code = take_code(r);
        take_text(r, "text", out->text, sizeof out->text, false);
        break;
    case REPORT_ACK:
    case REPORT_CANCELLED:
    case REPORT_KINDS:
        break;
    }
}

enum err protocol_parse_report(const char *line, size_t n, struct report *out, struct fault *f)
{
    cJSON *tree;
    struct reader r;
    memset(out, 0, sizeof *out);
    int kind = open_line(line, n, protocol_reports, REPORT_KINDS, &tree, &r, f);
    if (kind >= 0) {
        out->kind = (enum report_kind)kind;
        take_report(&r, out);
    }
    cJSON_Delete(tree);
    return r.bad;
}

bool protocol_passed(const struct verdict *v, int n)
{
    for (int i = 0; i < n; i++)
        if (!v[i].ok)
            return false;
    return n > 0;
}

/* ---- pictures ---- */

static void put_le(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_le(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

void protocol_put_head(uint8_t out[PICTURE_HEADER], const struct picture_head *h)
{
    memcpy(out, "SKP1", 4);
    put_le(out + 4, h->kind, 4);
    put_le(out + 8, (uint64_t)h->id, 8);
    put_le(out + 16, h->serial, 8);
    put_le(out + 24, (uint64_t)h->w, 2);
    put_le(out + 26, (uint64_t)h->h, 2);
    put_le(out + 28, h->bytes, 4);
}

enum err protocol_get_head(const uint8_t in[PICTURE_HEADER], struct picture_head *h,
                           struct fault *f)
{
    uint64_t kind = get_le(in + 4, 4), id = get_le(in + 8, 8);
    h->serial = get_le(in + 16, 8);
    h->w = (int)get_le(in + 24, 2);
    h->h = (int)get_le(in + 26, 2);
    h->bytes = (size_t)get_le(in + 28, 4);
    if (memcmp(in, "SKP1", 4) != 0 || kind >= PICTURE_KINDS || id > (uint64_t)PROTOCOL_ID_MAX)
        return fault_set(f, ERR_SYNTAX, "worker pictures: a header that is none");
    if (h->w < 1 || h->h < 1 || h->w > PICTURE_SIDE_MAX || h->bytes > PICTURE_BYTES_MAX ||
        h->bytes != (size_t)h->w * (size_t)h->h * 3)
        return fault_set(f, ERR_INVAL, "worker pictures: %dx%d of %zu bytes", h->w, h->h, h->bytes);
    h->kind = (enum picture_kind)kind;
    h->id = (int64_t)id;
    return ERR_OK;
}

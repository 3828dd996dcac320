/* Writing orders and reports. */
#include "engine/protocol_inside.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

static bool print_and_delete(struct buf *b, cJSON *o)
{
    bool ok = o && json_print(b, o, false);
    cJSON_Delete(o);
    return ok;
}

static void put_job(cJSON *o, const struct engine_job *j)
{
    char s[24];
    cJSON_AddNumberToObject(o, "id", (double)j->id);
    cJSON_AddNumberToObject(o, "attempt", j->attempt);
    cJSON_AddStringToObject(o, "prompt", j->prompt);
    cJSON_AddStringToObject(o, "viewer", j->viewer);
    cJSON_AddStringToObject(o, "style", j->style);
    cJSON_AddStringToObject(o, "negative", j->negative);
    cJSON_AddBoolToObject(o, "bare", j->bare);
    cJSON_AddStringToObject(o, "label", j->label);
    cJSON *palette = cJSON_AddArrayToObject(o, "palette");
    for (int i = 0; i < j->palette_n; i++) {
        snprintf(s, sizeof s, "#%06x", (unsigned)(j->palette[i] & 0xffffff));
        cJSON_AddItemToArray(palette, cJSON_CreateString(s));
    }
    snprintf(s, sizeof s, "%llu", (unsigned long long)j->seed);
    cJSON_AddStringToObject(o, "seed", s);
    cJSON_AddNumberToObject(o, "width", j->width);
    cJSON_AddNumberToObject(o, "height", j->height);
    cJSON_AddNumberToObject(o, "frames", j->frames);
    cJSON_AddNumberToObject(o, "fps", j->fps);
    cJSON_AddNumberToObject(o, "steps", j->steps);
    cJSON_AddStringToObject(o, "path", j->path);
    cJSON_AddNumberToObject(o, "guidance", j->guidance);
    cJSON_AddNumberToObject(o, "shift", j->shift);
    cJSON_AddStringToObject(o, "sampler", j->sampler);
    cJSON_AddNumberToObject(o, "teacache", j->teacache);
    cJSON_AddBoolToObject(o, "tiny", j->tiny);
    cJSON_AddNumberToObject(o, "tile", j->tile);
    cJSON *inputs = cJSON_AddArrayToObject(o, "inputs");
    for (int i = 0; i < j->input_n; i++) {
        cJSON *v = cJSON_CreateObject();
        cJSON_AddStringToObject(v, "role", protocol_role_name(j->input[i].role));
        cJSON_AddStringToObject(v, "path", j->input[i].path);
        cJSON_AddItemToArray(inputs, v);
    }
    cJSON *loras = cJSON_AddArrayToObject(o, "loras");
    for (int i = 0; i < j->lora_n; i++) {
        cJSON *l = cJSON_CreateObject();
        cJSON_AddStringToObject(l, "name", j->lora[i].name);
        cJSON_AddNumberToObject(l, "weight", j->lora[i].weight);
        cJSON_AddBoolToObject(l, "must", j->lora[i].must);
        cJSON_AddItemToArray(loras, l);
    }
}

bool protocol_print_order(struct buf *b, const struct order *in)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "t", protocol_orders[in->kind]);
    switch (in->kind) {
    case ORDER_CONFIG:
        cJSON_AddNumberToObject(o, "protocol", PROTOCOL_VERSION);
        cJSON_AddStringToObject(o, "vault", in->path);
        cJSON_AddBoolToObject(o, "media", in->media);
        cJSON_AddStringToObject(o, "engine", in->engine[0] ? in->engine : "animatic");
        cJSON_AddStringToObject(o, "model", in->model);
        cJSON_AddStringToObject(o, "device", in->device[0] ? in->device : "auto");
        cJSON_AddStringToObject(o, "dtype", in->dtype[0] ? in->dtype : "auto");
        cJSON_AddStringToObject(o, "encoder", in->encoder[0] ? in->encoder : "auto");
        cJSON_AddNumberToObject(o, "threads", in->threads);
        break;
    case ORDER_JOB:
        put_job(o, &in->job);
        break;
    case ORDER_CANCEL:
        cJSON_AddNumberToObject(o, "id", (double)in->id);
        break;
    case ORDER_PLAY:
    case ORDER_PICTURE:
        cJSON_AddNumberToObject(o, "id", (double)in->id);
        cJSON_AddStringToObject(o, "path", in->path);
        cJSON_AddNumberToObject(o, "w", in->w);
        cJSON_AddNumberToObject(o, "h", in->h);
        break;
    case ORDER_CHECK:
        cJSON_AddNumberToObject(o, "id", (double)in->id);
        cJSON_AddStringToObject(o, "path", in->path);
        cJSON_AddNumberToObject(o, "frames", in->frames);
        cJSON_AddNumberToObject(o, "fps", in->fps);
        break;
    case ORDER_THROTTLE:
        cJSON_AddNumberToObject(o, "throttle", in->throttle);
        break;
    case ORDER_STOP:
    case ORDER_QUIT:
    case ORDER_KINDS:
        break;
    }
    return print_and_delete(b, o);
}

static void put_device(cJSON *o, const struct device_status *d)
{
    cJSON *v = cJSON_AddObjectToObject(o, "device");
    cJSON_AddStringToObject(v, "name", d->name);
    cJSON_AddNumberToObject(v, "util", d->util);
    cJSON_AddNumberToObject(v, "memory", (double)d->memory);
    cJSON_AddNumberToObject(v, "memory_total", (double)d->memory_total);
    cJSON_AddNumberToObject(v, "watts", d->watts);
    cJSON_AddNumberToObject(v, "celsius", d->celsius);
}

static void put_clip(cJSON *o, const struct report *r)
{
    cJSON_AddStringToObject(o, "path", r->path);
    cJSON_AddNumberToObject(o, "frames", r->frames);
    cJSON_AddNumberToObject(o, "duration_ms", (double)r->duration_ms);
    cJSON *list = cJSON_AddArrayToObject(o, "verdicts");
    for (int i = 0; i < r->verdicts_n; i++) {
        cJSON *v = cJSON_CreateObject();
        cJSON_AddStringToObject(v, "name", r->verdicts[i].name);
        cJSON_AddBoolToObject(v, "ok", r->verdicts[i].ok);
        cJSON_AddStringToObject(v, "words", r->verdicts[i].words);
        cJSON_AddItemToArray(list, v);
    }
}

bool protocol_print_report(struct buf *b, const struct report *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "t", protocol_reports[r->kind]);
    if (r->kind != REPORT_HELLO && r->kind != REPORT_HEARTBEAT)
        cJSON_AddNumberToObject(o, "id", (double)r->id);
    switch (r->kind) {
    case REPORT_HELLO:
        cJSON_AddNumberToObject(o, "protocol", r->protocol);
        cJSON_AddNumberToObject(o, "pid", (double)r->pid);
        cJSON_AddStringToObject(o, "version", r->version);
        cJSON_AddStringToObject(o, "build", r->build);
        cJSON_AddStringToObject(o, "engine", r->engine);
        put_device(o, &r->device);
        break;
    case REPORT_HEARTBEAT:
        put_device(o, &r->device);
        break;
    case REPORT_PROGRESS:
        cJSON_AddStringToObject(o, "stage", r->stage);
        cJSON_AddNumberToObject(o, "fraction", r->fraction);
        cJSON_AddNumberToObject(o, "overall", r->overall);
        cJSON_AddNumberToObject(o, "eta_ms", (double)r->eta_ms);
        break;
    case REPORT_DONE:
        cJSON_AddNumberToObject(o, "bytes", (double)r->bytes);
        cJSON_AddStringToObject(o, "sha256", r->sha256);
        cJSON_AddNumberToObject(o, "draw_ms", (double)r->draw_ms);
        cJSON_AddNumberToObject(o, "encode_ms", (double)r->encode_ms);
        cJSON_AddNumberToObject(o, "check_ms", (double)r->check_ms);
        put_clip(o, r);
        break;
    case REPORT_CHECKED:
        put_clip(o, r);
        break;
    case REPORT_TROUBLE:
        cJSON_AddStringToObject(o, "path", r->path);
        /* fall through */
    case REPORT_FAILED:
        cJSON_AddStringToObject(o, "code", err_name(r->code));
        cJSON_AddStringToObject(o, "text", r->text);
        break;
    case REPORT_ACK:
    case REPORT_CANCELLED:
    case REPORT_KINDS:
        break;
    }
    return print_and_delete(b, o);
}

/* What wan-bench measured. FLOPs are those of spec 10 (a multiply-add is two), text keys and values
 * counted once. */
#include "wan/prog/bench.h"

#include "base/buf.h"
#include "base/json.h"
#include "wan/vae.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double dit_flop(const struct bench *b, int layers)
{
    double L = (double)b->tokens, d = (double)b->m->dim, ffn = (double)b->m->ffn;
    double text = b->text_tokens < DIT_TEXT ? b->text_tokens + 1 : b->text_tokens;
    return layers * (2 * L * d * d * 6 + 4 * L * d * ffn + 4 * L * L * d + 4 * L * text * d);
}

static double t5_flop(const struct bench *b)
{
    double n = b->text_tokens, d = (double)b->m->text_dim, ffn = (double)b->m->t5_ffn;
    return b->m->t5_layers * (8 * n * d * d + 6 * n * d * ffn + 4 * n * n * d);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* A causal clip's blocks, and its pictures a second: of the last block, when the past is longest,
 * with its part of the decoder's time. */
static void report_blocks(const struct bench *b)
{
    int pictures = b->latent_frames * VAE_TIME - 3, each = b->block * VAE_TIME;
    double last = b->step_s[b->steps - 1];
    double rate = each / (last + (b->no_vae ? 0 : b->vae_s * each / pictures));
    if (b->json) {
        cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "block_s");
        struct buf line = BUF_INIT(1 << 16);
        cJSON_AddStringToObject(o, "model", b->m->name);
        cJSON_AddStringToObject(o, "device", device_caps(b->dev)->words);
        for (int i = 0; i < b->steps; i++)
            cJSON_AddItemToArray(list, cJSON_CreateNumber(b->step_s[i]));
        cJSON_AddNumberToObject(o, "block_pictures", each);
        cJSON_AddNumberToObject(o, "vae_s", b->vae_s);
        cJSON_AddNumberToObject(o, "pictures_per_s", rate);
        cJSON_AddNumberToObject(o, "graphs_played", (double)device_played(b->dev));
        cJSON_AddStringToObject(o, "note", device_caps(b->dev)->note);
        if (json_print(&line, o, true))
            fputs(buf_str(&line), stdout);
        buf_free(&line);
        cJSON_Delete(o);
        return;
    }
    printf("model     %s, causal\ndevice    %s\n", b->m->name, device_caps(b->dev)->words);
    for (int i = 0; i < b->steps; i++)
        printf("block %-3d %.3f s\n", i + 1, b->step_s[i]);
    printf("vae       %.3f s\n%.1f pictures a second%s\n", b->vae_s, rate,
           b->no_vae ? ", not decoded" : ", decoded");
    printf("graphs    %llu played\n", (unsigned long long)device_played(b->dev));
    if (device_caps(b->dev)->note[0])
        printf("          %s\n", device_caps(b->dev)->note);
}

void bench_report(const struct bench *b)
{
    if (b->causal) {
        report_blocks(b);
        return;
    }
    int all = b->m->layers, layers = b->layers ? b->layers : all,
        forwards = b->guidance != 1 ? 2 : 1;
    double flop = dit_flop(b, layers) * forwards, steps = 0, sorted[STEPS_MAX], scaled;
    memcpy(sorted, b->step_s, sizeof sorted);
    qsort(sorted, (size_t)b->steps, sizeof *sorted, by_value);
    for (int i = 0; i < b->steps; i++)
        steps += b->step_s[i];
    scaled = steps * all / layers;
    double total = b->load_s + b->text_s + steps + b->vae_s + (b->h264_s > 0 ? b->h264_s : 0);
    double peak = (double)b->peak;
    if (b->json) {
        cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "step_s");
        struct buf line = BUF_INIT(1 << 16);
        cJSON_AddStringToObject(o, "model", b->m->name);
        cJSON_AddStringToObject(o, "device", device_caps(b->dev)->words);
        cJSON_AddStringToObject(o, "note", device_caps(b->dev)->note);
        cJSON_AddNumberToObject(o, "tokens", (double)b->tokens);
        cJSON_AddNumberToObject(o, "layers", layers);
        cJSON_AddBoolToObject(o, "scaled", layers != all);
        cJSON_AddNumberToObject(o, "load_s", b->load_s);
        cJSON_AddNumberToObject(o, "text_s", b->text_s);
        cJSON_AddNumberToObject(o, "encode_s", b->encode_s);
        cJSON_AddNumberToObject(o, "prompt_s", b->prompt_s);
        if (!b->no_t5)
            cJSON_AddNumberToObject(o, "text_tflop_per_s", t5_flop(b) * 1e-12 / b->encode_s);
        if (!b->no_t5)
            cJSON_AddNumberToObject(o, "text_of_alone", bench_text_alone(b) / b->encode_s);
        cJSON_AddNumberToObject(o, "pack_bytes_per_s", (double)b->dit_bytes / b->dit_load_s);
        cJSON_AddNumberToObject(o, "fresh_bytes_per_s", b->fresh_pace);
        cJSON_AddNumberToObject(o, "text_load_s", b->text_load_s);
        cJSON_AddNumberToObject(o, "text_first_s", b->text_first_s);
        cJSON_AddNumberToObject(o, "vae_first_s", b->vae_first_s);
        cJSON_AddNumberToObject(o, "device_peak_bytes", (double)b->device_peak);
        cJSON_AddNumberToObject(o, "device_planned_bytes", (double)b->planned);
        for (int i = 0; i < b->steps; i++)
            cJSON_AddItemToArray(list, cJSON_CreateNumber(b->step_s[i]));
        cJSON_AddNumberToObject(o, "vae_s", b->vae_s);
        if (b->h264_s < 0)
            cJSON_AddNullToObject(o, "h264_s");
        else
            cJSON_AddNumberToObject(o, "h264_s", b->h264_s);
        cJSON_AddNumberToObject(o, "total_s", total);
        cJSON_AddNumberToObject(o, "total_scaled_s", total - steps + scaled);
        cJSON_AddNumberToObject(o, "step_tflop", flop * 1e-12);
        cJSON_AddNumberToObject(o, "step_tflop_per_s", flop * 1e-12 / sorted[0]);
        cJSON *alone = cJSON_AddArrayToObject(o, "product_gflop_per_s");
        for (int i = 0; i < ALONE; i++)
            cJSON_AddItemToArray(alone, cJSON_CreateNumber(b->alone[i]));
        cJSON_AddNumberToObject(o, "peak_bytes", peak);
        if (json_print(&line, o, true))
            fputs(buf_str(&line), stdout);
        buf_free(&line);
        cJSON_Delete(o);
        return;
    }
    printf("model     %s, %s%s\n", b->m->name, b->dir ? "weights of the folder" : "random weights",
           layers != all ? ", fewer layers than it has" : "");
    printf("device    %s\n", device_caps(b->dev)->words);
    if (device_caps(b->dev)->note[0])
        printf("          %s\n", device_caps(b->dev)->note);
    printf("clip      %dx%d, %d frames, %lld tokens, %d of %d layers\n", b->width, b->height,
           b->frames, (long long)b->tokens, layers, all);
    printf("load      %.2f s\n", b->load_s);
    if (b->fresh_pace > 0)
        printf("load      transformer %.2f GB at %.2f GB/s, fresh memory alone %.2f GB/s\n",
               (double)b->dit_bytes * 1e-9, (double)b->dit_bytes * 1e-9 / b->dit_load_s,
               b->fresh_pace * 1e-9);
    if (b->no_t5)
        printf("text      %.3f s (keys and values of %d tokens)\n", b->text_s, b->text_tokens);
    else
        printf("text      %.3f s (%d tokens, %.2f TFLOP, %.3f TFLOP/s, %.2f of products alone)\n",
               b->text_s, b->text_tokens, t5_flop(b) * 1e-12, t5_flop(b) * 1e-12 / b->encode_s,
               bench_text_alone(b) / b->encode_s);
    if (b->repeat > 1)
        printf("text      %.2f s to load, %.3f s the first time\n", b->text_load_s,
               b->text_first_s);
    for (int i = 0; i < b->steps; i++)
        printf("step %-4d %.3f s\n", i + 1, b->step_s[i]);
    printf("step min  %.3f s, median %.3f s, %.3f TFLOP, %.3f TFLOP/s\n", sorted[0],
           sorted[b->steps / 2], flop * 1e-12, flop * 1e-12 / sorted[0]);
    for (int i = 0; i < ALONE; i++) {
        int64_t rows, out, in;
        if (bench_alone_shape(b, i, &rows, &out, &in))
            printf("product   %lld x %lld x %lld alone: %.0f GFLOP/s\n", (long long)rows,
                   (long long)out, (long long)in, b->alone[i]);
    }
    printf("vae       %.3f s\n", b->vae_s);
    if (b->repeat > 1)
        printf("vae       %.3f s the first time\n", b->vae_first_s);
    if (b->h264_s < 0)
        printf("h264      -\n");
    else
        printf("h264      %.2f s\n", b->h264_s);
    printf("total     %.2f s\n", total);
    if (layers != all)
        printf("total     %.2f s scaled to %d layers\n", total - steps + scaled, all);
    printf("peak      %.2f GB, %.2f GB on the device, of %.2f GB planned\n", peak * 1e-9,
           (double)b->device_peak * 1e-9, (double)b->planned * 1e-9);
}

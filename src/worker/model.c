#include "worker/model.h"

#include "base/log.h"
#include "media/encode.h"
#include "wan/wan.h"

#include <stdio.h>
#include <stdlib.h>

static void line(const char *key, const char *value)
{
    char shown[PATH_LEN]; /* names of files are whoever's */
    str_copy(shown, sizeof shown, value);
    str_printable(shown);
    printf("%-13s %s\n", key, shown[0] ? shown : "-");
}

/* Of the usual clip. */
static void needs(const struct wan *w)
{
    static const struct wan_job usual;
    struct wan_plan p = {0};
    struct fault f;
    char text[256], way[120] = "does not fit";
    enum err e = wan_plan(w, &usual, &p, &f);
    if (e && !p.sum) {
        line("needs", fault_text(&f));
        return;
    }
    if (!e)
        snprintf(way, sizeof way, "%s%s%s",
                 p.resident ? "the transformer as a whole"
                 : p.parked ? "its blocks in turns, from the host's memory"
                            : "its blocks in turns, from the files",
                 p.keep_text ? ", and the text encoder" : "", p.tile ? ", decoded in tiles" : "");
    snprintf(text, sizeof text, "%.1f GB at 832x480x81, of %.1f GB: %s", (double)p.sum / 1e9,
             (double)p.memory / 1e9, way);
    line("needs", text);
}

int model_info(const char *path)
{
    struct fault f;
    struct wan *w;
    char text[256];
    const struct wan_setup setup = {.model = path};
    log_set_level(LOG_ERROR);
    if (wan_open(&setup, &w, &f)) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return 1;
    }
    const struct wan_info *i = wan_info(w);
    wan_set_beside(w, encode_gpu_bytes("auto"));
    line("model", i->variant);
    line("folder", i->folder);
    line("transformer", i->transformer);
    line("text encoder", i->text_encoder);
    line("VAE", i->vae);
    line("CLIP vision", i->clip);
    line("tiny decoder", i->tiny);
    enum err tiny = wan_ready_tiny(w, &f);
    if (tiny && tiny != ERR_NOTFOUND)
        line("", fault_text(&f));
    snprintf(text, sizeof text, "%.200s, by %s", i->tokenizer, i->tokens_by);
    line("tokenizer", i->tokenizer[0] ? text : "");
    snprintf(text, sizeof text, "%lld, stored as %s", (long long)i->parameters, i->stored);
    line("parameters", text);
    snprintf(text, sizeof text,
             "width %lld, %d heads, %d layers, feed-forward %lld, %d channels in",
             (long long)i->dim, i->heads, i->layers, (long long)i->ffn, i->input_channels);
    line("shape", text);
    snprintf(text, sizeof text, "%d layers, %lld words, width %lld", i->text_layers,
             (long long)i->vocabulary, (long long)i->text_dim);
    line("text", text);
    line("wants", i->last_image  ? "a first and a last picture"
                  : i->reference ? "a control video; may have a first picture and a reference"
                  : i->control   ? "a control video; may have a first picture"
                  : i->image     ? "a picture"
                  : i->vace      ? "a prompt; may have a source, a mask and references"
                                 : "a prompt");
    line("id", i->id);
    line("device", i->device_words);
    if (i->device_note[0])
        line("", i->device_note);
    needs(w);
    bool ready = !wan_ready(w, &f);
    line("ready", ready ? "yes" : fault_text(&f));
    wan_free(w);
    return ready ? 0 : 1;
}

int model_convert(const char *from, const char *to)
{
    struct fault f;
    log_set_level(LOG_ERROR);
    if (wan_convert(from, to, &f)) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return 1;
    }
    printf("%s\n", to);
    return 0;
}

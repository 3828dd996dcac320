/* A prompt's way to the transformer: cleaned, cut into tokens, encoded. */
#include "wan/clean.h"
#include "wan/wan_inside.h"

#include <stdlib.h>
#include <string.h>

/* The tokenizer is a file of its own, or a tensor in ComfyUI's text encoder. */
static const struct wtensor *inside(const struct wan *w)
{
    const struct wtensor *t = weights_find(w->files.weights[FILES_T5], "spiece_model");
    return t && !t->strided && dtype_size(t->type) == 1 ? t : NULL;
}

enum err prompt_ready(const struct wan *w, struct fault *f)
{
    if (inside(w) || w->files.tokenizer[0])
        return ERR_OK;
    return fault_set(f, ERR_NOTFOUND,
                     "%s holds neither spiece.model nor tokenizer.json; fetch the model whole with "
                     "`sakuga model pull`",
                     w->files.folder);
}

enum err prompt_tokenizer(struct wan *w, struct fault *f)
{
    const struct wtensor *t = inside(w);
    enum err e = prompt_ready(w, f);
    if (e || w->tokenizer)
        return e;
    w->tokenizer = t ? tokenizer_new(t->data, (size_t)t->count, TOKENIZER_AUTO, f)
                     : tokenizer_open(w->files.tokenizer, TOKENIZER_AUTO, f);
    return w->tokenizer ? ERR_OK : f->code;
}

static enum err tokens_of(struct wan *w, const char *text, int32_t *ids, int *n, struct fault *f)
{
    struct buf clean = BUF_INIT(CLEAN_MAX * 4);
    enum err e = prompt_tokenizer(w, f);
    if (!e)
        e = clean_prompt(text, &clean, f);
    if (!e)
        e = tokenizer_encode(w->tokenizer, buf_str(&clean), ids, DIT_TEXT, n, f);
    buf_free(&clean);
    for (int i = 0; !e && i < *n; i++)
        if (ids[i] < 0 || ids[i] >= w->info.vocabulary)
            e = fault_set(f, ERR_INVAL,
                          "the tokenizer gives the id %d, but the text encoder knows %lld words: "
                          "they belong to different models",
                          (int)ids[i], (long long)w->info.vocabulary);
    return e;
}

static float *copy_of(const float *context, int n, int64_t dim)
{
    size_t bytes = (size_t)n * (size_t)dim * sizeof *context;
    float *copy = malloc(bytes);
    if (copy)
        memcpy(copy, context, bytes);
    return copy;
}

/* Its place: of this text, or else the one that was not used for longest. */
static struct prompt_kept *place_of(struct wan *w, const char *text)
{
    struct prompt_kept *oldest = &w->kept[0];
    for (int i = 0; i < PROMPTS_KEPT; i++) {
        struct prompt_kept *k = &w->kept[i];
        if (k->text && !strcmp(k->text, text))
            return k;
        if (k->used < oldest->used)
            oldest = k;
    }
    return oldest;
}

static void forget(struct prompt_kept *k)
{
    free(k->text);
    free(k->context);
    buf_free(&k->choices);
    *k = (struct prompt_kept){0};
}

void prompt_forget(struct wan *w)
{
    for (int i = 0; i < PROMPTS_KEPT; i++)
        forget(&w->kept[i]);
}

static enum err encode(struct wan *w, const struct wan_calls *calls, const char *text,
                       float **context, int *n, struct fault *f)
{
    int32_t ids[DIT_TEXT];
    struct t5 *t5 = &w->t5;
    enum err e = tokens_of(w, text, ids, n, f);
    if (!e && !t5->dev)
        e = t5_open(w->dev, w->files.weights[FILES_T5], t5, f);
    if (e)
        return e;
    float *out = malloc((size_t)*n * (size_t)t5->dim * sizeof *out);
    if (!out)
        return fault_set(f, ERR_NOMEM, "no memory for a prompt of %d tokens", *n);
    t5->stop = calls->stop;
    t5->stop_user = calls->user;
    if (w->keep_text)
        e = t5_keep(t5, f);
    if (!e)
        e = t5_encode(t5, ids, *n, out, NULL, f);
    t5->stop = NULL; /* the caller's, of this clip alone */
    if (e)
        free(out);
    else
        *context = out;
    return e;
}

/* Encodes it anew, with what that relied on beside it: a clip that finds it relies on the same.
 * What the clip relied on before stays. */
static enum err make(struct wan *w, const struct wan_calls *calls, const char *text,
                     struct prompt_kept *out, struct fault *f)
{
    struct buf before = BUF_INIT(0);
    bool told = device_choices(w->dev, &before);
    if (told)
        device_choices_begin(w->dev);
    enum err e = encode(w, calls, text, &out->context, &out->n, f);
    told = told && device_choices(w->dev, &out->choices);
    if (!e && told)
        e = device_choices_rely(w->dev, buf_str(&before), before.len, f);
    if (!e && told)
        out->text = strdup(text);
    buf_free(&before);
    return e;
}

enum err prompt_encode(struct wan *w, const struct wan_calls *calls, const char *text,
                       float **context, int *n, struct fault *f)
{
    struct prompt_kept *k = place_of(w, text), fresh = {0};
    bool known = k->text && !strcmp(k->text, text);
    *context = NULL;
    if (!known || device_choices_rely(w->dev, buf_str(&k->choices), k->choices.len, NULL)) {
        enum err e = make(w, calls, text, &fresh, f);
        if (e) {
            forget(&fresh);
            return e;
        }
        if (!fresh.text) { /* not known then; it is still the caller's */
            *context = fresh.context;
            *n = fresh.n;
            fresh.context = NULL;
            forget(&fresh);
            return ERR_OK;
        }
        forget(k);
        *k = fresh;
    }
    k->used = ++w->prompts;
    *n = k->n;
    *context = copy_of(k->context, k->n, w->config.text_dim);
    return *context ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a prompt of %d tokens", *n);
}

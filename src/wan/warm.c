/* Everything that a clip needs, before anybody waits for one. A vocabulary takes libsentencepiece
 * seconds to read, and needs no device: another thread does that while the weights are loaded. */
#include "wan/wan_inside.h"

#include <pthread.h>

struct reading {
    struct wan *w;
    struct fault fault;
};

static void *read_tokenizer(void *user)
{
    struct reading *r = user;
    prompt_tokenizer(r->w, &r->fault);
    return NULL;
}

enum err wan_warm(struct wan *w, struct fault *f)
{
    static const struct wan_job plain;
    static const struct wan_calls nobody;
    struct reading reading = {.w = w};
    struct fault none;
    pthread_t thread;
    f = f ? f : &none;
    enum err e = wan_ready(w, f);
    if (e)
        return e;
    bool alone = pthread_create(&thread, NULL, read_tokenizer, &reading);
    if (w->keep_text && !w->t5.dev)
        e = t5_open(w->dev, w->files.weights[FILES_T5], &w->t5, f);
    if (!e && w->keep_text)
        e = t5_keep(&w->t5, f);
    if (!e)
        e = model_dit(w, &plain, &nobody, f);
    if (!e)
        e = model_vae(w, NULL, f);
    if (alone)
        read_tokenizer(&reading);
    else
        pthread_join(thread, NULL);
    if (!e && reading.fault.code) {
        *f = reading.fault;
        e = f->code;
    }
    return e;
}

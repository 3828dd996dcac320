/* wan-golden: what its files share. One file a family of cases; golden.c runs them.
 *
 * A part opens DIR/<name>.safetensors, computes what it holds, and calls golden_check() for each
 * tensor. Sizes come from the files, never from here. */
#ifndef SAKUGA_WAN_PROG_GOLDEN_H
#define SAKUGA_WAN_PROG_GOLDEN_H

#include "tensor/device.h"
#include "wan/dit.h"
#include "wan/probe.h"
#include "wan/weights.h"

#include <setjmp.h>

struct mistake;

struct golden {
    const char *dir;
    struct device *dev;
    bool bf16;                     /* take the looser column of bounds, */
    bool fp8_all;                  /* attention too, where the device can */
    bool fp8;                      /* five times as loose still */
    bool quiet;                    /* count only */
    enum dit_place place;          /* of the transformer's blocks */
    const struct mistake *mistake; /* the deliberate fault of this run, or NULL */
    int passed, failed, skipped;
    double worst, worst_bound; /* of the failed cases */
    jmp_buf end;               /* golden_end() goes here */
};

/* Relative L2 error by kind of thing: README of the vectors, "Tolerances". */
struct bound {
    double f32, bf16;
};
extern const struct bound bound_t5, bound_dit, bound_i2v, bound_vae, bound_e2e, bound_schedule,
    bound_sf, bound_exact, bound_bytes, bound_noise;

/* DIR/name, opened; NULL with a line of output (skipped when there is no such file). */
struct weights *golden_open(struct golden *g, const char *name);
bool golden_exists(const struct golden *g, const char *name);

/* The folder is not of the schema: a failed line for `name`, the summary, and the end. */
void golden_end(struct golden *g, const char *name, const char *why) __attribute__((noreturn));
/* The end, unless the vector `name` of `n` numbers has as many as it should. */
void golden_count(struct golden *g, const char *name, int64_t n, int64_t want);

/* The values of a tensor of the vectors, widened; one that is missing is the end. */
float *golden_values(struct golden *g, const struct weights *w, const char *name, int64_t *n);
bool golden_has(const struct weights *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the line of one case. `n` must be the count of both. */
void golden_check(struct golden *g, const char *part, const char *name, const float *got,
                  const float *want, int64_t n, struct bound bound);
/* The case cannot be run at all. */
void golden_broken(struct golden *g, const char *part, const struct fault *f);

/* A probe that compares what it sees with `prefix``name` of `w`, where that exists. Frames of the
 * VAE, [t, h, w, c], are compared with [c, t, h, w]; of longer text rows only the stored ones. */
struct golden_probe {
    struct probe probe;
    struct golden *g;
    const struct weights *w;
    const char *part, *prefix;
    struct bound bound;
    bool video;
};
void golden_probe_init(struct golden_probe *p, struct golden *g, const struct weights *w,
                       const char *part, const char *prefix, struct bound bound, bool video);

/* golden_faults.c: runs parts with one deliberate fault each; how many were not noticed. */
int golden_faults(struct golden *g);
bool golden_padded(const struct golden *g); /* is this run's fault unmasked pads? */
void golden_spoil(const struct golden *g, struct weights *w); /* a fault in the weights */

void golden_t5(struct golden *g);
void golden_dit_t2v(struct golden *g);
void golden_dit_i2v(struct golden *g);
void golden_dit_vace(struct golden *g);
void golden_vae(struct golden *g);
void golden_schedulers(struct golden *g);
void golden_rng(struct golden *g);
void golden_e2e(struct golden *g);
void golden_lora(struct golden *g);
void golden_self_forcing(struct golden *g);

#endif

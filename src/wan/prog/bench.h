/* wan-bench: what was asked for and what was measured, shared by its two files: bench.c runs the
 * parts of a clip, bench_report.c tells of them. */
#ifndef SAKUGA_WAN_PROG_BENCH_H
#define SAKUGA_WAN_PROG_BENCH_H

#include "tensor/device.h"
#include "wan/dit.h"
#include "wan/files.h"
#include "wan/prog/random.h"

#define STEPS_MAX 200
#define ALONE 6

struct bench {
    const char *model, *dir, *device, *dtype;
    int width, height, frames, steps, text_tokens, layers, repeat, chunk;
    double guidance;
    bool json, no_t5, no_vae, causal, no_graphs;
    int block;            /* causal: latent frames of a block; step_s are those of blocks then */
    enum dit_place place; /* of the transformer's blocks */

    struct random_model shape; /* of the folder's model */
    const struct random_model *m;
    struct files files; /* with --model; else random weights are made */
    struct device *dev;
    int latent_frames, h, w;
    int64_t tokens;
    struct fault f;
    double load_s, vae_s, h264_s, step_s[STEPS_MAX];
    double text_s, encode_s, prompt_s;             /* of text: encoding, and its keys and values */
    double text_load_s, text_first_s, vae_first_s; /* of the first of several */
    uint64_t planned;           /* bytes: the most of its parts, on a device that only counts */
    uint64_t peak, device_peak; /* bytes: of the process, and on the device */
    double dit_load_s;          /* of load_s */
    uint64_t dit_bytes;         /* that the transformer is then */
    double fresh_pace;          /* bytes a second; 0: not on this device */
    double alone[ALONE]; /* GFLOP/s of the device's product by itself, as in bench_alone_shape() */
};

/* The three products that a step is made of, and the three of the text encoder. False: not timed.
 */
bool bench_alone_shape(const struct bench *b, int i, int64_t *rows, int64_t *out, int64_t *in);

/* Fills alone and fresh_pace. */
enum err bench_alone(struct bench *b);
/* Seconds that the text encoder's products would take alone; 0: not timed. */
double bench_text_alone(const struct bench *b);

/* On standard output, in words or as one JSON object. */
void bench_report(const struct bench *b);

#endif

/* What enters and leaves the networks: latents as tokens and back, pictures as bytes. */
#include "tensor/byte.h"
#include "tensor/cpu/cpu.h"

#include <stdlib.h>

/* A line of tokens lies over two lines of a latent frame. */
void cpu_patchify(struct device *d, const struct tensor *y, const struct tensor *x, int64_t at)
{
    struct cpu *c = cpu_of(d);
    int64_t channels = x->dim[0], frames = x->dim[1], h = x->dim[2], w = x->dim[3];
    int64_t lines = frames * h / 2, row = tensor_last(y);
    const float *from = x->data;
    float *to = y->data;
    int team = cpu_team(c, tensor_count(x));
    PARALLEL_FOR(team)
    for (int64_t i = 0; i < lines; i++)
        for (int64_t j = 0; j < w / 2; j++)
            for (int64_t k = 0; k < channels; k++) {
                const float *a = from + (k * lines + i) * 2 * w + 2 * j;
                float *b = to + (i * w / 2 + j) * row + at + 4 * k;
                b[0] = a[0];
                b[1] = a[1];
                b[2] = a[w];
                b[3] = a[w + 1];
            }
}

void cpu_unpatchify(struct device *d, const struct tensor *y, const struct tensor *x)
{
    struct cpu *c = cpu_of(d);
    int64_t channels = y->dim[0], frames = y->dim[1], h = y->dim[2], w = y->dim[3];
    int64_t lines = frames * h / 2;
    const float *from = x->data;
    float *to = y->data;
    int team = cpu_team(c, tensor_count(x));
    PARALLEL_FOR(team)
    for (int64_t i = 0; i < lines; i++)
        for (int64_t j = 0; j < w / 2; j++)
            for (int64_t k = 0; k < channels; k++) {
                const float *a = from + (i * w / 2 + j) * 4 * channels + k;
                float *b = to + (k * lines + i) * 2 * w + 2 * j;
                b[0] = a[0];
                b[1] = a[channels];
                b[w] = a[2 * channels];
                b[w + 1] = a[3 * channels];
            }
}

#define PIECE 4096 /* numbers that a thread takes at a time */

struct parcel *cpu_parcel_new(struct device *d, size_t most)
{
    struct parcel *p = calloc(1, sizeof *p);
    if (p && !(p->bytes = malloc(most))) {
        free(p);
        p = NULL;
    }
    return p;
}

void cpu_parcel_free(struct parcel *p)
{
    free(p->bytes);
    free(p);
}

static void send_nv12(struct parcel *p, const struct tensor *x, float scale, float shift)
{
    int64_t frames = x->dim[0], h = x->dim[1], w = x->dim[2];
    const float *from = x->data;
    PARALLEL_FOR(cpu_team(cpu_of(p->dev), tensor_count(x)))
    for (int64_t i = 0; i < frames * h / 2; i++) {
        uint8_t *frame = p->bytes + i / (h / 2) * (h * w * 3 / 2);
        int64_t line = i % (h / 2);
        nv12_lines(frame + 2 * line * w, frame + (h + line) * w, from + 6 * i * w, w, scale, shift);
    }
}

void cpu_parcel_send(struct parcel *p, const struct tensor *x, float scale, float shift)
{
    if (p->form == PARCEL_NV12) {
        send_nv12(p, x, scale, shift);
        return;
    }
    const float *from = x->data;
    uint8_t *to = p->bytes;
    int64_t n = tensor_count(x), pieces = (n + PIECE - 1) / PIECE;
    PARALLEL_FOR(cpu_team(cpu_of(p->dev), n))
    for (int64_t i = 0; i < pieces; i++) {
        int64_t at = i * PIECE, end = at + PIECE < n ? at + PIECE : n;
        PARALLEL_LANES
        for (int64_t j = at; j < end; j++)
            to[j] = byte_of(from[j] * scale + shift);
    }
}

void cpu_parcel_wait(struct parcel *p)
{
}

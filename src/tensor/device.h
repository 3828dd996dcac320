/* tensor/device: where tensors live and what can be done with them.
 *
 * A device is an opaque handle over a table of functions (tensor/backend.h). The operations below
 * are the whole vocabulary of the model rooms: wan/ is written once, over this header.
 *
 * Failure: a device keeps its first failure; from then on operations do nothing. The caller writes
 * a forward pass as plain statements and asks once at the end with device_settle(), which waits
 * for the work, returns the failure and clears it. Work may run asynchronously until then; reading
 * a tensor waits by itself. ERR_LOST alone stays: the driver takes no more calls of this process,
 * which must end before the device can be had again.
 *
 * One thread drives a device. Tensors, weights and parcels must be freed before device_close().
 * Pictures and videos are channels-last, [frames, height, width, channels]; token matrices [tokens,
 * width]. A result may share memory with an input only where its line says so. */
#ifndef SAKUGA_TENSOR_DEVICE_H
#define SAKUGA_TENSOR_DEVICE_H

#include "base/buf.h"
#include "base/err.h"
#include "tensor/tensor.h"

struct device;
struct parcel; /* bytes on their way to the host */
struct shelf;  /* weights that take turns on the device */
struct track;  /* work that comes again */
struct weight; /* a matrix or kernel in the form the device multiplies by, with its bias */

struct device_caps {
    char name[16];   /* "cpu" */
    char words[256]; /* the choices made: threads, instruction set, matmul and convolution */
    char note[200]; /* why it is no better one: "no CUDA: …", or what it could not do as asked (then
                     * it may come later); else "" */
    char computed[16]; /* the setup's dtype by which another device computes as this one does */
    enum dtype dtype;  /* that products are computed in: F32, or BF16 or F8_E4M3 with sums in f32 */
    enum dtype work;   /* of tensors between products (tensor_work2): F32 or BF16 */
    enum dtype low; /* of those that only linear layers read (tensor_low2): as work, or F8_E4M3 */
    int threads;
    uint64_t memory;  /* bytes it has; had, when device_reserve() last failed */
    uint64_t aside;   /* of these what its libraries take for themselves, not in device_used():
                       * workspaces, and code that is loaded with its first use */
    bool host_memory; /* tensors lie in ordinary memory */
    bool borrows;     /* of a weight that is lent it keeps nothing in f32: it is widened while it is
                       * multiplied … */
    int64_t panels;   /* … by up to so many rows a panel at a time, by more as a whole copy */
    bool scaled;      /* it takes weights of F8_E4M3 with their scales (weight_spec) */
    bool packed;      /* a weight may have its rows in parts (weight_spec), and likes it */
    bool one_scale;   /* a tensor of F8_E4M3 has one scale: where rows are made one by one, they are
                       * of `work` first */
    /* queries from which attention is planned by a library; the same in 8 bits (0: never) */
    int attends, attends_low;
    bool graphs; /* work that comes again is recorded (track_new) */
    bool hollow; /* nothing is there, and nothing is computed: it only counts */
};

struct device_setup {
    const char *kind;  /* "cpu", "cuda", "auto", or "cpu-plain" (own products only); NULL: "auto" */
    const char *dtype; /* "auto": its best without loss (NULL too); "f32"; "bf16"; on a GPU "fp8":
                        * what is said to be `low` in e4m3 as far as the GPU can, else only stored
                        * so, the rest in bf16; "fp8-linear": the same but for attention;
                        * "fp8-weight": only stored so. Upper or lower case. */
    int threads;       /* 0: as many as there are cores for this process */
};

enum err device_open(const struct device_setup *setup, struct device **out, struct fault *f);
void device_close(struct device *d); /* NULL is fine */
const struct device_caps *device_caps(const struct device *d);

/* Waits for all work, returns and clears the first failure; but for ERR_LOST, which it never
 * clears. */
enum err device_settle(struct device *d, struct fault *f);
bool device_failed(const struct device *d);

/* Waits for all work that was queued. */
void device_wait(struct device *d);

/* Called between parts of a long computation (a transformer's blocks): waits until the device is no
 * more than a few parts behind, so that who asks in between whether to stop, or takes its time to
 * answer so that others get the device, is heard. */
void device_pace(struct device *d);

/* Where libraries have several algorithms for an operation, the device takes the one that it
 * measured to be the fastest, and keeps it. Another one has other last bits. So those that the work
 * since device_choices_begin() relied on are told, as lines "KEY CANDIDATE WORDS": the key, 16 hex
 * digits that rise from line to line, is of operation and shape; the words are for people. None
 * where nothing is measured. */
void device_choices_begin(struct device *d);
bool device_choices(struct device *d, struct buf *out); /* false: there is no room for all */
/* The work relies on these too, which were told before, perhaps to another process. STATE, naming
 * the first, where the device would choose otherwise now or knows nothing of it; CORRUPT: that is
 * no such text. Then it relies on none of them. */
enum err device_choices_rely(struct device *d, const char *lines, size_t n, struct fault *f);

/* From here on nothing is recorded (track_new): to see what that is worth. */
void device_no_graphs(struct device *d);
uint64_t device_played(const struct device *d); /* recordings so far */

/* Gives memory that freed tensors left behind back to the system, but what is reserved. */
void device_trim(struct device *d);
/* Takes from the system now what is missing to `bytes` in all, so that work that needs no more
 * cannot run out of memory in the middle. Less is kept in reserve only after a smaller wish. */
void device_reserve(struct device *d, uint64_t bytes);
uint64_t device_used(const struct device *d); /* bytes now held in tensors and weights */
uint64_t device_peak(const struct device *d); /* the most it ever was … */
void device_mark(struct device *d);           /* … since this was called */

/* A device of those caps that takes no memory and computes nothing, but counts what work on it
 * would take on such a device: what it reads back is zeros, and weights have no values. NULL: out
 * of memory. */
struct device *device_hollow(const struct device_caps *like);

/* Host memory in and out; `n` elements from the tensor's start. */
void device_write(struct device *d, struct tensor *t, const float *from, int64_t n);
void device_read(struct device *d, float *to, const struct tensor *t, int64_t n);
struct tensor tensor_from(struct device *d, const float *from, int rank, const int64_t *dim);

/* to = from (same count; widened or rounded where their types differ, else they may overlap when
 * `to` lies before `from`), to = 0 */
void device_copy(struct device *d, const struct tensor *to, const struct tensor *from);
void device_zero(struct device *d, const struct tensor *t);

/* A linear layer or convolution kernel, given in host memory, in any type and at any address, in
 * torch's order [out, in, kt, kh, kw]. It is widened and packed at once, a panel at a time, so a
 * mapped file is read once and never copied as a whole; the source may go, unless it is lent. bias:
 * [out] or NULL. NULL on failure (kept).
 *
 * Where caps.packed, several linear layers of the same input may be one product: a weight made
 * without values is room for all their rows (and biases, 0), and each that is made with `whole`
 * takes its place there, row `at`. It may be multiplied by alone too, while the whole is there. On
 * a shelf the whole takes turns, from when all its rows have come; none come again. */
struct weight_spec {
    int64_t out, in;
    int kt, kh, kw; /* 1, 1, 1 for a linear layer */
    const void *values;
    const float *bias;
    enum dtype type;     /* of the values; 0 is f32 */
    const float *scales; /* NULL, or, where caps.scaled, [out] for values of F8_E4M3 in a linear
                          * layer whose `in` is a multiple of 8: each row times its own */
    bool lent;           /* the values stay where they are until weight_free(): none are copied */
    bool precise;        /* multiplied in f32, whatever the device is best at */
    bool low;            /* may be rounded to 8 bits, with a scale a row or one, where it does so */
    struct weight *whole; /* or NULL; of the same `in`, `precise`, `low`, `shelf` and `part` */
    int64_t at;
    struct shelf *shelf; /* or NULL: it takes turns there, as one of `part` */
    int part;
};
struct weight *weight_new(struct device *d, const struct weight_spec *spec);
void weight_free(struct weight *w); /* NULL is fine */
int64_t weight_out(const struct weight *w);

/* Weights that do not all fit the device: those of many parts (a transformer's blocks), of which
 * one after the other is worked with. Their matrices lie in host memory in the form that the device
 * multiplies by, pinned, and two parts have room on the device: while one is worked with, the next
 * comes. Results are those of weights that stay, bit for bit. A shelf goes after its weights. NULL
 * where tensors lie in ordinary memory, or on failure (kept). */
struct shelf *shelf_new(struct device *d, int parts);
void shelf_free(struct shelf *s); /* NULL is fine */
/* From here on the weights of `part` may be used, those of the part before no more; those of `next`
 * (−1: none) begin to come. NULL is fine. */
void shelf_turn(struct shelf *s, int part, int next);
uint64_t shelf_bytes(const struct shelf *s); /* in host memory */

enum act { ACT_NONE, ACT_GELU_TANH, ACT_GELU_ERF, ACT_SILU, ACT_RELU };

/* y[n,out] = act(x[n,in]·Wᵀ + b); with `add` instead y += gate ⊙ (x·Wᵀ + b), gate [out] or NULL.
 * left: how many products follow at once that read the same x, counting down to 0: a device that
 * rounds x may do so for all of them together. */
struct linear_op {
    const struct tensor *x;
    const struct weight *w;
    const struct tensor *y;
    enum act act;
    bool add;
    const struct tensor *gate;
    int left;
};
void device_linear(struct device *d, const struct linear_op *op);

/* Convolution (1x1x1 is a linear layer's) without padding in time: x [t + history, h, w, in] → y
 * [t', h', w', out]. Rows of zeros are padded at the top, bottom, left and right. With `add` the
 * result is added to y. */
struct conv_op {
    const struct tensor *x;
    const struct weight *w;
    const struct tensor *y;
    int stride_t, stride; /* in time, in both directions of space; 0 reads as 1 */
    int top, bottom, left, right;
    bool add;
};
void device_conv(struct device *d, const struct conv_op *op);

/* Normalises each row of x [n,c] and writes y (may be x): r = x̂·weight + bias, then
 * y = act(r·(1 + scale) + shift). Any of the four [c] vectors may be NULL.
 *   NORM_LAYER  x̂ = (x − mean) / sqrt(var + eps)
 *   NORM_RMS    x̂ = x / sqrt(mean(x²) + eps)
 *   NORM_L2     x̂ = x·sqrt(c) / max(‖x‖, eps)                  (the VAE's, spec 6.1) */
enum norm_kind { NORM_LAYER, NORM_RMS, NORM_L2 };
struct norm_op {
    enum norm_kind kind;
    const struct tensor *x, *y;
    const struct tensor *weight, *bias, *scale, *shift;
    float eps;
    enum act act;
};
void device_norm(struct device *d, const struct norm_op *op);

/* One step of a residual stream: x += gate ⊙ (from·Wᵀ + b), then next->y = norm(x) as `next` says
 * (its own x is not read), which what follows works on. gate or next may be NULL. */
struct join_op {
    const struct tensor *x, *from;
    const struct weight *w;
    const struct tensor *gate;
    const struct norm_op *next;
};
void device_join(struct device *d, const struct join_op *op);

/* Turns each pair (2j, 2j+1) of every head of x [n, heads·width] in place by the angles of its
 * row: table [n, width/2, 2] of (cos, sin). */
void device_rope(struct device *d, const struct tensor *x, int heads, const struct tensor *table);

/* What queries and keys get before they meet, in place: RMSNorm over the full width (times
 * weight), then the turn of device_rope. stride: elements from row to row of both when they are
 * columns of wider rows (tensor_columns), of the working type; else 0. */
struct turn_op {
    const struct tensor *q, *k;           /* [n, heads·width] */
    const struct tensor *norm_q, *norm_k; /* [heads·width] */
    const struct tensor *table;           /* as of device_rope */
    int heads;
    float eps;
    int64_t stride;
};
void device_turn(struct device *d, const struct turn_op *op);

/* out[nq, heads·w] = softmax(scale·q·kᵀ + bias)·v, heads side by side in the rows; never more than
 * a block of the logits exists. bias: [heads, 2·span − 1], added by key − query + span − 1 (needs
 * nq, nk ≤ span). `repeats` counts the last key that many times (ln(repeats) on its logit): equal
 * keys need to be there once. With `add` the result is added to out. With `low` it may be computed
 * in 8 bits, where the device does so; out may be of tensor_low2() then. stride: of the rows of q,
 * k and v, as in turn_op. `room`: k and v are the first rows of memory for so many, in all of which
 * lie finite numbers; a device that makes plans for lengths then makes one, however many rows there
 * are this time. */
struct attention_op {
    const struct tensor *q, *k, *v, *out;
    int heads;
    float scale;
    const struct tensor *bias;
    double repeats; /* 0 reads as 1 */
    bool add, low;
    int64_t stride;
    int64_t room; /* 0: no more than there are */
};
void device_attention(struct device *d, const struct attention_op *op);

/* y = act(x), y = x + z, y = x ⊙ z; y may be x. */
void device_act(struct device *d, const struct tensor *y, const struct tensor *x, enum act act);
void device_add(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z);
void device_mul(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z);
/* y = y·a + x·b */
void device_blend(struct device *d, const struct tensor *y, float a, const struct tensor *x,
                  float b);

/* Every pixel four times: x [t,h,w,c] → y [t,2h,2w,c]. */
void device_upsample(struct device *d, const struct tensor *y, const struct tensor *x);

/* 2x2 patches of latents x [c, frames, h, w] become rows of tokens y [frames·h/2·w/2, ·], columns
 * from `at` on, channel first: at + 4·channel + 2·row + column. The way back is channel last: x
 * [frames·h/2·w/2, 4·c], columns (2·row + column)·c + channel, becomes y [c, frames, h, w]. Latents
 * are f32; h and w even. */
void device_patchify(struct device *d, const struct tensor *y, const struct tensor *x, int64_t at);
void device_unpatchify(struct device *d, const struct tensor *y, const struct tensor *x);

/* Pictures on their way to the host, as bytes: byte_of(x·scale + shift) of each number, each step
 * rounded. Or as NV12, which video encoders take: of x [frames, h, w, 3], h even and w a multiple
 * of 8, for each frame [h][w] of luma, then [h/2][w/2][2] of chroma, Cb and Cr as the mean of four
 * pixels (byte.h); half the bytes. A parcel is filled in order with the other work, while the host
 * does something else, and then taken. It goes before its device. */
enum parcel_form { PARCEL_BYTES, PARCEL_NV12 };
struct parcel *parcel_new(struct device *d, int64_t most, /* bytes; NULL on failure (kept) */
                          enum parcel_form form);
void parcel_free(struct parcel *p); /* waits; NULL is fine */
void parcel_send(struct parcel *p, const struct tensor *x, float scale, float shift);
/* Waits for them. Lent until the next parcel_send(); NULL on failure (kept). */
const uint8_t *parcel_take(struct parcel *p);

/* Work that comes again: the same operations, on the same tensors and weights at the same places,
 * with other numbers in them. A device with caps.graphs records it and then plays it as a whole,
 * which spares the host most of queueing it, and the device the gaps between. Results are the same,
 * bit for bit.
 *
 *     if (!track_play(t, false))
 *         do
 *             the work
 *         while (track_again(t));
 *
 * The work neither reads from the host nor writes to it (device_read, device_write, parcels), nor
 * waits (device_settle, device_pace), makes no weights, and frees what it makes. What fails while
 * it is recorded fails no job, nor does a lack of memory to play it: the work is then done as it
 * is; a device that cannot record at all says so in its note, and tries no more. A track is of no
 * more use when one of its tensors or weights has gone, or the work was left in the middle: then it
 * must not be played, and is to be freed.
 *
 * `like`: a track of the same operations on tensors of the same shapes, or NULL; what that one has
 * made ready need not be made again, so that already the first time is recorded. NULL where nothing
 * is recorded: the work is then simply done. Tracks go before their device. */
struct track *track_new(struct device *d, const struct track *like);
void track_free(struct track *t); /* NULL is fine */
/* True: it was played. False: the work is to be done now. NULL is fine. `as_it_is`: it is not to be
 * played nor recorded this time. */
bool track_play(struct track *t, bool as_it_is);
bool track_again(struct track *t); /* is it to be done once more? NULL is fine */

/* Halves of the channels become frames: x [t,h,w,2c] → y [2t,h,w,c], first half first. */
void device_unfold_time(struct device *d, const struct tensor *y, const struct tensor *x);

#endif

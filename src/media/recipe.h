/* media/recipe: what a clip was made from and by, kept inside the clip itself.
 *
 * One JSON object in the MP4's metadata `comment`. Its text may come from any file of anybody:
 * reading checks every member and bounds every length. Pure but for recipe_read(); any thread. */
#ifndef SAKUGA_MEDIA_RECIPE_H
#define SAKUGA_MEDIA_RECIPE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define RECIPE_FORMAT 1
#define RECIPE_TEXT_MAX ((size_t)64 << 10)

#define RECIPE_CHOICES_MAX 16384
#define RECIPE_LORAS_MAX 8
struct recipe_lora {
    char name[64];
    char id[17]; /* fingerprint of its file, "" in recipes of before */
    double weight;
};

/* A file that it was drawn from. */
#define RECIPE_INPUTS_MAX 12
struct recipe_input {
    char role[16]; /* "image", "last-image", … */
    char path[1024];
    char sha256[65]; /* of the file, hex */
};

/* Which model drew it, and in which way: what makes the same frames again. */
struct recipe_model {
    char path[1024]; /* "" when no model drew it */
    char id[17];     /* fingerprint of its weights */
    char variant[32], stored[16], computed[16];
    char device[16], device_words[256];
    char runtime[17]; /* key of its build, "" in recipes of before */
    char pixels[8];   /* of the frames that the sum is of: "nv12", or "", which is RGB */
    int threads;
    double guidance, shift;
    char sampler[16];
    double teacache;
    char tiny[17];    /* fingerprint of the tiny decoder, "": by the VAE */
    int tile;         /* both 0: none, as in recipes of before */
    char image[1024]; /* the input "image" again, for who looks for that alone; "" none */
    struct recipe_input input[RECIPE_INPUTS_MAX];
    int input_n;
    struct recipe_lora lora[RECIPE_LORAS_MAX];
    int lora_n;
    int resumed; /* steps that came from a checkpoint */
    /* Of algorithms, by the device: lines as of wan_made.choices; "" where there were none, and in
     * recipes of before. */
    char choices[RECIPE_CHOICES_MAX];
};

struct recipe {
    int64_t id;
    int attempt;
    char prompt[8192];
    char viewer[128];
    char style[64];
    char negative[2048];
    char label[64];
    uint64_t seed;
    char engine[16];
    char version[64]; /* of sakuga */
    char build[160];  /* of the libraries that drew and encoded */
    char encoder[24]; /* "libx264", "h264_nvenc"; "" in recipes of before */
    uint32_t palette[8];
    int palette_n;
    int width, height, frames, fps, steps;
    int64_t started_utc_ms, finished_utc_ms;
    int64_t draw_ms, encode_ms; /* wall clock, overlapping */
    struct recipe_model model;
    char sha256[65]; /* of the RGB frames before encoding, hex */
};

bool recipe_print(struct buf *out, const struct recipe *r);
enum err recipe_parse(const char *text, size_t n, struct recipe *out, struct fault *f);

/* Reads the recipe of the clip at `path`. ERR_NOTFOUND when there is no such file or it carries no
 * recipe (the fault says which), ERR_CORRUPT when it is not an MP4 or the recipe is damaged. */
enum err recipe_read(const char *path, struct recipe *out, struct fault *f);

#endif

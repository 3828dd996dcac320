/* Model folders made of links to the tiny checkpoints, for tests. */
#ifndef SAKUGA_TESTS_UNIT_WAN_TINY_H
#define SAKUGA_TESTS_UNIT_WAN_TINY_H

#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#define TINY_DIT "open/tiny_t2v/diffusion_pytorch_model.safetensors"
#define TINY_T5 "open/tiny_t2v/models_t5_umt5-xxl-enc-bf16.safetensors"
#define TINY_T5_PTH "open/tiny_t2v/models_t5_umt5-xxl-enc-bf16.pth"
#define TINY_VAE "open/tiny_t2v/Wan2.1_VAE.safetensors"
#define TINY_VAE_PTH "open/tiny_t2v/Wan2.1_VAE.pth"
#define TINY_SPIECE "tiny/spiece.model"
#define TINY_I2V "open/tiny_i2v/diffusion_pytorch_model.safetensors"
#define TINY_CLIP "open/tiny_i2v/models_clip.safetensors"
#define TINY_VACE "open/tiny_vace/diffusion_pytorch_model.safetensors"

/* tests/wan/FROM appears as DIR/TO; folders of TO are made. */
static inline void tiny_link(const char *dir, const char *from, const char *to)
{
    const char *src = getenv("srcdir");
    char target[1024], name[1024];
    snprintf(target, sizeof target, "%s/tests/wan/%s", src ? src : "..", from);
    snprintf(name, sizeof name, "%s/%s", dir, to);
    for (char *slash = name + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(name, 0700);
        *slash = '/';
    }
    char *real = realpath(target, NULL);
    if (!real)
        fail_msg("there is no %s", target);
    assert_int_equal(symlink(real, name), 0);
    free(real);
}

/* The text-to-video model in the original layout. */
static inline void tiny_t2v(const char *dir)
{
    mkdir(dir, 0700);
    tiny_link(dir, TINY_DIT, "diffusion_pytorch_model.safetensors");
    tiny_link(dir, TINY_T5_PTH, "models_t5_umt5-xxl-enc-bf16.pth");
    tiny_link(dir, TINY_VAE_PTH, "Wan2.1_VAE.pth");
    tiny_link(dir, TINY_SPIECE, "google/umt5-xxl/spiece.model");
}

/* What every transformer has beside it: a text encoder, a tokenizer, a VAE. */
static inline void tiny_beside(const char *dir)
{
    mkdir(dir, 0700);
    tiny_link(dir, TINY_T5, "t5.safetensors");
    tiny_link(dir, TINY_VAE, "vae.safetensors");
    tiny_link(dir, TINY_SPIECE, "spiece.model");
}

static inline void tiny_i2v(const char *dir)
{
    tiny_beside(dir);
    tiny_link(dir, TINY_I2V, "dit.safetensors");
    tiny_link(dir, TINY_CLIP, "models_clip.safetensors");
}

static inline void tiny_vace(const char *dir)
{
    tiny_beside(dir);
    tiny_link(dir, TINY_VACE, "dit.safetensors");
}

static inline void tiny_remove(const char *dir)
{
    char command[1100];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command))
        fail_msg("cannot remove %s", dir);
}

#endif

/* Which device a setup names. */
#include "tensor/backend.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The best there is: CUDA where it can be had, else the CPU, whose note then says why. */
static enum err best(int threads, enum device_dtype dtype, struct device **out, struct fault *f)
{
    struct fault why = {0};
    if (!cuda_open(threads, dtype, out, &why))
        return ERR_OK;
    enum err e = cpu_open(false, threads, dtype, out, f);
    if (!e) {
        struct device_caps *caps = &(*out)->caps;
        snprintf(caps->note, sizeof caps->note, "no CUDA: %.180s", fault_text(&why));
        err_whole_text(caps->note);
    }
    return e;
}

/* By its name, or by that of the numbers, as recipes have it. */
static bool dtype_of(const char *name, enum device_dtype *out)
{
    static const struct {
        const char *name;
        enum device_dtype dtype;
    } names[] = {{"auto", DEVICE_AUTO},
                 {"f32", DEVICE_F32},
                 {"bf16", DEVICE_BF16},
                 {"fp8", DEVICE_FP8},
                 {"fp8-linear", DEVICE_FP8_LINEAR},
                 {"fp8-weight", DEVICE_FP8_WEIGHT},
                 {"f8_e4m3", DEVICE_FP8}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(name, names[i].name)) {
            *out = names[i].dtype;
            return true;
        }
    return false;
}

static enum err open_kind(const struct device_setup *setup, struct device **out, struct fault *f)
{
    const char *kind = setup->kind ? setup->kind : "auto";
    const char *name = setup->dtype ? setup->dtype : "auto";
    enum device_dtype dtype;
    if (!dtype_of(name, &dtype))
        return fault_set(
            f, ERR_INVAL,
            "nothing is computed in %s; use f32, bf16, auto, fp8, fp8-linear or fp8-weight", name);
    bool eight = dtype >= DEVICE_FP8;
    if (!strcmp(kind, "cuda") || (!strcmp(kind, "auto") && eight))
        return cuda_open(setup->threads, dtype, out, f);
    if (eight)
        return fault_set(f, ERR_UNSUPPORTED, "%s is computed by the device cuda only", name);
    if (!strcmp(kind, "auto"))
        return best(setup->threads, dtype, out, f);
    if (!strcmp(kind, "cpu"))
        return cpu_open(false, setup->threads, dtype, out, f);
    if (!strcmp(kind, "cpu-plain"))
        return cpu_open(true, setup->threads, dtype, out, f);
    return fault_set(f, ERR_INVAL, "there is no device %s; use cpu, cuda or auto", kind);
}

enum err device_open(const struct device_setup *setup, struct device **out, struct fault *f)
{
    enum err e = open_kind(setup, out, f);
    if (!e && !(*out)->caps.computed[0])
        str_copy((*out)->caps.computed, sizeof(*out)->caps.computed,
                 dtype_name((*out)->caps.dtype));
    return e;
}

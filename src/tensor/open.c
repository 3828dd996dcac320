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

enum err device_open(const struct device_setup *setup, struct device **out, struct fault *f)
{
    static const char *const dtypes[] = {"auto", "f32", "bf16", "fp8"};
    const char *kind = setup->kind ? setup->kind : "auto";
    const char *name = setup->dtype ? setup->dtype : "auto";
    int dtype = 0;
    while (dtype <= DEVICE_FP8 && strcasecmp(name, dtypes[dtype]) != 0)
        dtype++;
    if (dtype > DEVICE_FP8)
        return fault_set(f, ERR_INVAL, "nothing is computed in %s; use f32, bf16, fp8 or auto",
                         name);
    if (dtype == DEVICE_FP8 && strcmp(kind, "cuda") != 0)
        return fault_set(f, ERR_UNSUPPORTED, "fp8 is computed by the device cuda only");
    if (!strcmp(kind, "auto"))
        return best(setup->threads, (enum device_dtype)dtype, out, f);
    if (!strcmp(kind, "cpu"))
        return cpu_open(false, setup->threads, (enum device_dtype)dtype, out, f);
    if (!strcmp(kind, "cpu-plain"))
        return cpu_open(true, setup->threads, (enum device_dtype)dtype, out, f);
    if (!strcmp(kind, "cuda"))
        return cuda_open(setup->threads, (enum device_dtype)dtype, out, f);
    return fault_set(f, ERR_INVAL, "there is no device %s; use cpu, cuda or auto", kind);
}

/* Opening a GPU: is there one that this build and these libraries serve, what memory has it left,
 * and how far does it go in 8 bits? */
#include "tensor/cuda/choices.h"
#include "tensor/cuda/cuda.h"
#include "tensor/cuda/entry.h"
#include "tensor/cuda/gemm.h"
#include "tensor/cuda/plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SM_LEAST 80
#define SM_ATTENDS_EIGHT 90 /* and 9.x alone: cuDNN's graph for later ones has another form */
/* Kernels are loaded with their first use, most of them behind the measuring of what there is. An
 * allowance, until it is measured: what all kernels of PyTorch 1.13 and its libraries take, at once
 * and not as they are used (667 MB and 287 MB in its pull request 86509, 362 MiB more). */
#define CODE ((uint64_t)384 << 20)
#define LIBRARIES ((uint64_t)GEMM_WORKSPACE + PLAN_WORKSPACE + CODE)
#define THREADS_MOST 8 /* of the host; more do not fill the bus faster */

static enum err find_gpu(int *sm, char *name, size_t n, struct fault *f)
{
    int count = 0;
    cudaError_t e = cudaGetDeviceCount(&count);
    struct cudaDeviceProp prop;
    if (e == cudaErrorInsufficientDriver)
        return fault_set(f, ERR_UNSUPPORTED,
                         "the NVIDIA driver is older than CUDA %d.%d needs; update it, or use the "
                         "device cpu",
                         CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    if (e || count < 1)
        return fault_set(f, ERR_NOTFOUND, "there is no NVIDIA GPU (%s); use the device cpu",
                         e ? cudaGetErrorString(e) : "none is visible");
    if ((e = cudaGetDeviceProperties(&prop, 0)) || (e = cudaSetDevice(0)))
        return fault_set(f, ERR_IO, "the GPU cannot be used: %s", cudaGetErrorString(e));
    *sm = prop.major * 10 + prop.minor;
    str_copy(name, n, prop.name);
    if (*sm < SM_LEAST)
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s has compute capability %d.%d; the least is %d.%d; use the device cpu",
                         name, prop.major, prop.minor, SM_LEAST / 10, SM_LEAST % 10);
    if ((e = launch_there()))
        return fault_set(
            f, ERR_UNSUPPORTED,
            "this build has no code for %s, of compute capability %d.%d (%s); configure "
            "it with --with-cuda-arch=%d, or use the device cpu",
            name, prop.major, prop.minor, cudaGetErrorName(e), *sm);
    if (cudnnGetVersion() < CUDNN_LEAST)
        return fault_set(f, ERR_UNSUPPORTED,
                         "cuDNN %zu computes some convolutions wrongly; install 9.15 or later",
                         cudnnGetVersion());
    return ERR_OK;
}

/* What is left by others, OBS among them, and by the libraries, which take their part when they
 * start; but for the workspace, which is set aside already. */
static enum err measure(struct cuda *c, struct fault *f)
{
    size_t spare = 0, all = 0;
    cudaError_t e = cudaMemGetInfo(&spare, &all);
    if (e)
        return fault_set(f, ERR_IO, "the GPU cannot be used: %s", cudaGetErrorString(e));
    c->dev.caps.memory = (uint64_t)spare + GEMM_WORKSPACE;
    return ERR_OK;
}

static enum err open_all(struct cuda *c, struct fault *f)
{
    int least = 0, most = 0;
    cudaError_t e = cudaDeviceGetStreamPriorityRange(&least, &most);
    if (!e)
        e = cudaStreamCreateWithPriority(&c->stream, cudaStreamNonBlocking, least);
    if (e)
        return fault_set(f, ERR_IO, "the GPU gives no stream: %s", cudaGetErrorString(e));
    for (int i = 0; i < PACES && !e; i++)
        e = cudaEventCreateWithFlags(&c->paces[i], cudaEventDisableTiming | cudaEventBlockingSync);
    if (e)
        return fault_set(f, ERR_IO, "the GPU gives no event: %s", cudaGetErrorString(e));
    if ((e = cudaMalloc((void **)&c->counts, 8 * sizeof *c->counts))) /* later there may be none */
        return fault_set(f, e == cudaErrorMemoryAllocation ? ERR_NOMEM : ERR_IO,
                         "the GPU's memory cannot be set up: %s", cudaGetErrorString(e));
    if (!memory_open(c, f))
        return f->code;
    cudnnStatus_t s = cudnnCreate(&c->dnn);
    if (!s)
        s = cudnnSetStream(c->dnn, c->stream);
    if (s)
        return fault_set(f, ERR_UNSUPPORTED, "cuDNN does not start: %s", cudnnGetErrorString(s));
    enum err bad = gemm_open(c, f);
    return bad ? bad : plans_open(c, f);
}

/* The device's words, and what was measured on such a device before. */
static enum err describe(struct cuda *c, const char *name, struct fault *f)
{
    int driver = 0, version = (int)cudnnGetVersion();
    char where[200];
    struct device_caps *caps = &c->dev.caps;
    cudaDriverGetVersion(&driver);
    snprintf(where, sizeof where, "%s, driver %d, CUDA %d, cuBLASLt %zu, cuDNN %d", name, driver,
             CUDART_VERSION, cublasLtGetVersion(), version);
    if (!(c->choices = choices_open(where)))
        return fault_set(f, ERR_NOMEM, "out of memory");
    snprintf(caps->words, sizeof caps->words,
             "cuda, %s, %s (sm_%d), CUDA %d.%d, cuBLASLt %zu, cuDNN %d.%d.%d",
             c->eight == EIGHT_STORED ? "fp8 (weights; computed in bf16)"
             : c->eight == EIGHT_TENSORS
                 ? "fp8 (linear layers, a scale a tensor; attention in bf16)"
             : c->attends_eight ? "fp8 (linear layers, self-attention)"
             : c->eight         ? "fp8 (linear layers; attention in bf16)"
             : c->bf16          ? "bf16"
                                : "f32",
             name, c->sm, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10, cublasLtGetVersion(),
             version / 10000, version / 100 % 100, version % 100);
    return ERR_OK;
}

/* Which of its forms the libraries have on this GPU: cuBLASLt is asked. */
static void eight(struct cuda *c, enum device_dtype dtype)
{
    struct device_caps *caps = &c->dev.caps;
    c->eight = EIGHT_STORED;
    if (dtype != DEVICE_FP8_WEIGHT)
        c->eight = gemm_eight(c, false)  ? EIGHT_ROWS
                   : gemm_eight(c, true) ? EIGHT_TENSORS
                                         : EIGHT_STORED;
    c->attends_eight =
        dtype == DEVICE_FP8 && c->eight == EIGHT_ROWS && c->sm / 10 == SM_ATTENDS_EIGHT / 10;
    caps->dtype = DTYPE_F8_E4M3;
    if (c->eight != EIGHT_STORED)
        caps->low = DTYPE_F8_E4M3;
    caps->one_scale = c->eight == EIGHT_TENSORS;
    caps->packed = !caps->one_scale; /* else each weight has a scale of its own */
    caps->attends_low = c->attends_eight ? QUERIES_WORTH_EIGHT : 0;
    if (dtype != DEVICE_FP8)
        str_copy(caps->computed, sizeof caps->computed,
                 dtype == DEVICE_FP8_LINEAR ? "fp8-linear" : "fp8-weight");
}

__attribute__((visibility("default"))) enum err sakuga_cuda_open(unsigned long abi, int threads,
                                                                 enum device_dtype dtype,
                                                                 struct device **out,
                                                                 struct fault *f)
{
    struct fault why;
    char name[80];
    f = f ? f : &why;
    if (abi != CUDA_ABI)
        return fault_set(f, ERR_VERSION, "the CUDA module is of another build of sakuga");
    struct cuda *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct device_caps *caps = &c->dev.caps;
    enum err e = find_gpu(&c->sm, name, sizeof name, f);
    if (e) {
        free(c);
        cudaGetLastError();
        return e;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    c->threads = threads > 0 ? threads : cores > 0 ? (int)cores : 1;
    c->threads = c->threads < THREADS_MOST ? c->threads : THREADS_MOST;
    c->bf16 = dtype != DEVICE_F32;
    c->dev.ops = &cuda_ops;
    caps->dtype = caps->low = caps->work = c->bf16 ? DTYPE_BF16 : DTYPE_F32;
    caps->threads = c->threads;
    caps->packed = true;
    caps->scaled = true;
    caps->graphs = true;
    caps->aside = LIBRARIES;
    caps->attends = QUERIES_WORTH;
    str_copy(caps->name, sizeof caps->name, "cuda");
    e = open_all(c, f);
    if (!e && dtype >= DEVICE_FP8)
        eight(c, dtype);
    if (!e)
        e = measure(c, f);
    if (!e)
        e = describe(c, name, f);
    if (e) {
        cuda_ops.close(&c->dev);
        cudaGetLastError(); /* who opens again starts anew */
        return e;
    }
    *out = &c->dev;
    return ERR_OK;
}

/* Stands before tensor/module.c when a program is linked: its device cuda is the emulated one. */
#include "tensor/cuda/entry.h"

enum err cuda_open(int threads, enum device_dtype dtype, struct device **out, struct fault *f)
{
    return sakuga_cuda_open(CUDA_ABI, threads, dtype, out, f);
}

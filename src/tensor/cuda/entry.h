/* tensor/cuda/entry: the one function that the module libsakuga-cuda.so exports.
 *
 * Program and module share the structs of tensor/backend.h, so both must be of one build; `abi`
 * tells a stranger. */
#ifndef SAKUGA_TENSOR_CUDA_ENTRY_H
#define SAKUGA_TENSOR_CUDA_ENTRY_H

#include "tensor/backend.h"

#define CUDA_ENTRY "sakuga_cuda_open"
#define CUDA_ABI (sizeof(struct device_ops) * 65536 + sizeof(struct device))

typedef enum err cuda_entry(unsigned long abi, int threads, enum device_dtype dtype,
                            struct device **out, struct fault *f);
cuda_entry sakuga_cuda_open;

#endif

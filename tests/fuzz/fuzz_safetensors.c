/* A safetensors file. */
#include "fuzz_wan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_read(data, n, safetensors_read);
    return 0;
}

/* tensor/byte: a picture's number as it is shown. Pure. */
#ifndef SAKUGA_TENSOR_BYTE_H
#define SAKUGA_TENSOR_BYTE_H

#include <stdint.h>

/* −1…1 → 0…255, a half is rounded up; NaN is 0. */
static inline uint8_t byte_of(float v)
{
    float x = (v + 1) * 127.5f;
    x = x > 0 ? x : 0;
    x = x < 255 ? x : 255;
    return (uint8_t)(int)(x + 0.5f);
}

#endif

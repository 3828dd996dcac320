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

/* Y′CbCr of BT.709 in limited range, as video has it (ITU-R BT.709-6, items 3.2 and 4.6), of what
 * byte_of() sees but unrounded, so that each byte is rounded once. Each step is rounded to f32, in
 * this order. */
static inline float shade_of(float v)
{
    float x = (v + 1) * 127.5f;
    x = x > 0 ? x : 0;
    return x < 255 ? x : 255;
}

static inline float luma_of(float r, float g, float b)
{
    return (r * 0.2126f + g * 0.7152f) + b * 0.0722f;
}

static inline uint8_t luma_byte(float luma)
{
    return (uint8_t)(int)(luma * (219.0f / 255) + 16.5f);
}

/* Of the sums over four pixels of blue − luma and red − luma. */
#define CB_OF_SUM (224.0f / 255 / 1.8556f / 4)
#define CR_OF_SUM (224.0f / 255 / 1.5748f / 4)
static inline uint8_t chroma_byte(float sum, float by)
{
    return (uint8_t)(int)(sum * by + 128.5f);
}

/* Two lines [2][w][3] of x·scale + shift as NV12: [2][w] of luma, [w/2][2] of chroma. w even. */
static inline void nv12_lines(uint8_t *luma, uint8_t *chroma, const float *from, int64_t w,
                              float scale, float shift)
{
    for (int64_t j = 0; j < w; j += 2) {
        float blue = 0, red = 0;
        for (int k = 0; k < 4; k++) {
            int64_t at = k / 2 * w + j + k % 2;
            const float *p = from + 3 * at;
            float r = shade_of(p[0] * scale + shift), g = shade_of(p[1] * scale + shift);
            float b = shade_of(p[2] * scale + shift), y = luma_of(r, g, b);
            luma[at] = luma_byte(y);
            blue += b - y;
            red += r - y;
        }
        chroma[j] = chroma_byte(blue, CB_OF_SUM);
        chroma[j + 1] = chroma_byte(red, CR_OF_SUM);
    }
}

#endif

#include "wan/preview.h"

#include "tensor/parallel.h"
#include "wan/vae.h"

static const float factors[VAE_Z][3] = {
    {-0.1299f, -0.1692f, 0.2932f},  {0.0671f, 0.0406f, 0.0442f},  {0.3568f, 0.2548f, 0.1747f},
    {0.0372f, 0.2344f, 0.1420f},    {0.0313f, 0.0189f, -0.0328f}, {0.0296f, -0.0956f, -0.0665f},
    {-0.3477f, -0.4059f, -0.2925f}, {0.0166f, 0.1902f, 0.1975f},  {-0.0412f, 0.0267f, -0.1364f},
    {-0.1293f, 0.0740f, 0.1636f},   {0.0680f, 0.3019f, 0.1128f},  {0.0032f, 0.0581f, 0.0639f},
    {-0.1251f, 0.0927f, 0.1699f},   {0.0060f, -0.0633f, 0.0005f}, {0.3477f, 0.2275f, 0.2950f},
    {0.1984f, 0.0913f, 0.1861f},
};
static const float bias[3] = {-0.1835f, -0.0868f, -0.3360f};

/* A piece of pixels at a time, whose sums stay in the first cache. */
#define PIECE 256

static void piece(const float *z, int64_t plane, int n, uint8_t *rgb)
{
    float sum[3][PIECE];
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < n; i++)
            sum[c][i] = bias[c];
        for (int k = 0; k < VAE_Z; k++) {
            PARALLEL_LANES
            for (int i = 0; i < n; i++)
                sum[c][i] += z[k * plane + i] * factors[k][c];
        }
    }
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            rgb[i * 3 + c] = preview_byte(sum[c][i]);
}

void preview_rgb(const float *z, int frames, int height, int width, uint8_t *rgb, int threads)
{
    int64_t plane = (int64_t)frames * height * width, pieces = (plane + PIECE - 1) / PIECE;
    PARALLEL_FOR(parallel_team(threads, plane * VAE_Z))
    for (int64_t i = 0; i < pieces; i++) {
        int64_t at = i * PIECE, n = plane - at < PIECE ? plane - at : PIECE;
        piece(z + at, plane, (int)n, rgb + 3 * at);
    }
}

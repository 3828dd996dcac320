/* tensor/cpu: convolutions by oneDNN, in f32 or, with sums in f32, in bf16. For files of
 * tensor/cpu/ only.
 *
 * A primitive makes one frame of y from the kt frames of x under it, so a frame's numbers do not
 * depend on how many were asked for at once, and zeros at the borders are never written. Where
 * oneDNN has its reference loops alone (a processor older than AVX2), plain C does it. */
#ifndef SAKUGA_TENSOR_CPU_CONVOLUTION_H
#define SAKUGA_TENSOR_CPU_CONVOLUTION_H

#include "tensor/cpu/cpu.h"
#include "tensor/cpu/primitive.h"

/* As weight_new(), for kernels of more than one tap. NULL: no memory. */
struct weight *convolution_pack(struct device *d, struct primitives *ps,
                                const struct weight_spec *spec);
void convolution_unpack(struct weight *w);
/* As device_conv(). */
void convolution_run(struct device *d, struct primitives *ps, const struct conv_op *op);

#endif

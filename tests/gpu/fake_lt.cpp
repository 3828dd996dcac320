/* cuBLASLt's calls as its manual words them, in plain loops: what tensor/cuda asks of it is then
 * computed as asked, orders, leading dimensions, tails and all. Columns first, as there.
 * An algorithm is for the product that it was asked for and for addresses as promised then; with
 * another it is refused, as are types and sizes of e4m3 that the library does not multiply.
 * EMU_CANDIDATES: the second candidate for a shape adds up in another order, so to say: its last
 * bits are others.
 * EMU_NO_GELU: there is no such tail behind a product of e4m3; who was told so does not ask again.
 */
#include "gpu/emu.h"

#include <cublasLt.h>
#include <cuda_bf16.h>
#include <math.h>
#include <set>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tuple>
#include <vector>

struct op {
    cublasOperation_t a, b;
    cublasLtEpilogue_t tail;
    const void *bias;
    cudaDataType_t bias_type;
    const float *scale_a, *scale_b; /* a number a row of op(A), a column of op(B) */
    cublasLtMatmulMatrixScale_t mode_a, mode_b;
    int8_t fast;
};

struct layout {
    cudaDataType_t type;
    uint64_t rows, columns;
    int64_t ld;
};

static double load(const void *p, cudaDataType_t type, int64_t i)
{
    if (type == CUDA_R_8F_E4M3)
        return (float)((const __nv_fp8_e4m3 *)p)[i];
    return type == CUDA_R_16BF ? __bfloat162float(((const __nv_bfloat16 *)p)[i])
                               : ((const float *)p)[i];
}

static size_t bytes_of(const struct layout *l)
{
    size_t size = l->type == CUDA_R_8F_E4M3 ? 1 : l->type == CUDA_R_16BF ? 2 : 4;
    return ((l->columns - 1) * (size_t)l->ld + l->rows) * size;
}

static void store(void *p, cudaDataType_t type, int64_t i, double v)
{
    if (type == CUDA_R_16BF)
        ((__nv_bfloat16 *)p)[i] = __float2bfloat16((float)v);
    else
        ((float *)p)[i] = (float)v;
}

extern "C" {
cublasStatus_t cublasLtCreate(cublasLtHandle_t *h)
{
    static uintptr_t made;
    *h = (cublasLtHandle_t)++made;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t)
{
    return CUBLAS_STATUS_SUCCESS;
}
size_t cublasLtGetVersion(void)
{
    return 0;
}
const char *cublasLtGetStatusName(cublasStatus_t s)
{
    return s ? "an emulated cuBLAS error" : "success";
}
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *d, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    if (compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *d = (cublasLtMatmulDesc_t) new struct op();
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d)
{
    delete (struct op *)d;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d,
                                              cublasLtMatmulDescAttributes_t name, const void *v,
                                              size_t n)
{
    struct op *o = (struct op *)d;
    void *to = name == CUBLASLT_MATMUL_DESC_TRANSA            ? (void *)&o->a
               : name == CUBLASLT_MATMUL_DESC_TRANSB          ? (void *)&o->b
               : name == CUBLASLT_MATMUL_DESC_EPILOGUE        ? (void *)&o->tail
               : name == CUBLASLT_MATMUL_DESC_BIAS_POINTER    ? (void *)&o->bias
               : name == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE  ? (void *)&o->bias_type
               : name == CUBLASLT_MATMUL_DESC_A_SCALE_POINTER ? (void *)&o->scale_a
               : name == CUBLASLT_MATMUL_DESC_B_SCALE_POINTER ? (void *)&o->scale_b
               : name == CUBLASLT_MATMUL_DESC_A_SCALE_MODE    ? (void *)&o->mode_a
               : name == CUBLASLT_MATMUL_DESC_B_SCALE_MODE    ? (void *)&o->mode_b
               : name == CUBLASLT_MATMUL_DESC_FAST_ACCUM      ? (void *)&o->fast
                                                              : NULL;
    bool pointer = to == &o->bias || to == &o->scale_a || to == &o->scale_b;
    if (!to || n != (pointer ? sizeof(void *) : to == &o->fast ? 1 : sizeof(int32_t)))
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(to, v, n);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *l, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t ld)
{
    if (ld < (int64_t)rows)
        return CUBLAS_STATUS_INVALID_VALUE;
    *l = (cublasLtMatrixLayout_t) new layout{type, rows, columns, ld};
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l)
{
    delete (struct layout *)l;
    return CUBLAS_STATUS_SUCCESS;
}
struct wish {
    uint32_t align; /* of A, B, C and D: the least */
    uint64_t workspace;
};

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *p)
{
    *p = (cublasLtMatmulPreference_t) new wish{256, 0};
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p)
{
    delete (struct wish *)p;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t name,
                                                    const void *v, size_t n)
{
    struct wish *w = (struct wish *)p;
    uint32_t align;
    if (name == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES && n == sizeof w->workspace) {
        memcpy(&w->workspace, v, n);
        return CUBLAS_STATUS_SUCCESS;
    }
    if ((name != CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES &&
         name != CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES &&
         name != CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES &&
         name != CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES) ||
        n != sizeof align)
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(&align, v, n);
    if (!align || align & (align - 1))
        return CUBLAS_STATUS_INVALID_VALUE;
    w->align = align < w->align ? align : w->align;
    return CUBLAS_STATUS_SUCCESS;
}
/* e4m3: from 8.9 on, and a scale a row on 9.0 alone */
static bool eight_here(const struct op *o)
{
    cublasLtMatmulMatrixScale_t each = CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;
    cublasLtMatmulMatrixScale_t all = CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F;
    return o->scale_a && o->scale_b && o->mode_a == o->mode_b &&
           (o->mode_a == each ? emu_sm() / 10 == 9 : o->mode_a == all && emu_sm() >= 89);
}

/* Matrices of e4m3 lie so that 16 bytes are 16 of k, and give bf16. */
static bool eight_fits(const struct op *o, const layout *A, const layout *B, const layout *D)
{
    return o->a == CUBLAS_OP_T && o->b == CUBLAS_OP_N && D->type == CUDA_R_16BF &&
           A->rows % 16 == 0 && A->ld % 16 == 0 && B->ld % 16 == 0 && D->rows % 16 == 0 &&
           D->ld % 8 == 0 && eight_here(o);
}

/* Is there such a product at all? */
static cublasStatus_t fits(const struct op *o, const layout *A, const layout *B, const layout *C,
                           const layout *D)
{
    bool ta = o->a == CUBLAS_OP_T, tb = o->b == CUBLAS_OP_T;
    bool bias = o->tail == CUBLASLT_EPILOGUE_BIAS || o->tail == CUBLASLT_EPILOGUE_GELU_BIAS;
    if ((ta ? A->columns : A->rows) != D->rows ||
        (tb ? B->columns : B->rows) != (ta ? A->rows : A->columns) ||
        (tb ? B->rows : B->columns) != D->columns || A->type != B->type ||
        (A->type == CUDA_R_32F && D->type != CUDA_R_32F) || C->type != D->type ||
        C->rows != D->rows || C->columns != D->columns || (bias && !o->bias))
        return CUBLAS_STATUS_INVALID_VALUE;
    if ((bias && o->bias_type != D->type) || (A->type == CUDA_R_8F_E4M3 && !eight_fits(o, A, B, D)))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    return CUBLAS_STATUS_SUCCESS;
}

/* Of all that an algorithm is chosen by. */
static uint64_t mark_of(const struct op *o, const layout *const all[4])
{
    uint64_t h = 0xcbf29ce484222325u;
    auto mix = [&](uint64_t v) { h = (h ^ v) * 0x100000001b3u; };
    for (int i = 0; i < 4; i++) {
        mix((uint64_t)all[i]->type);
        mix(all[i]->rows);
        mix(all[i]->columns);
        mix((uint64_t)all[i]->ld);
    }
    for (int v : {(int)o->a, (int)o->b, (int)o->tail, (int)o->mode_a, (int)o->mode_b, (int)o->fast})
        mix((uint64_t)v);
    return h;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t h, cublasLtMatmulDesc_t desc,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t *out, int *n)
{
    const struct op *o = (const struct op *)desc;
    const struct wish *w = (const struct wish *)preference;
    const layout *A = (const layout *)a, *B = (const layout *)b;
    const layout *const all[] = {A, B, (const layout *)c, (const layout *)d};
    bool gelu = o->tail == CUBLASLT_EPILOGUE_GELU || o->tail == CUBLASLT_EPILOGUE_GELU_BIAS;
    if (A->type == CUDA_R_8F_E4M3 && (!eight_here(o) || (gelu && getenv("EMU_NO_GELU")))) {
        static std::set<std::tuple<void *, int, int, uint64_t, uint64_t, uint64_t, uint32_t>> told;
        if (!told.insert({(void *)h, (int)o->tail, (int)o->mode_a, A->rows, A->columns, B->columns,
                          w->align})
                 .second)
            emu_found("a product of %d x %d that there is no kernel for is asked for again",
                      (int)A->columns, (int)A->rows);
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    *n = 0;
    if (cublasStatus_t bad = fits(o, A, B, all[2], all[3]))
        return bad;
    *n = most < 2 ? most : 2;
    for (int i = 0; i < *n; i++) {
        out[i] = cublasLtMatmulHeuristicResult_t();
        out[i].workspaceSize = (size_t)w->workspace;
        const uint64_t data[] = {mark_of(o, all), w->align, w->workspace,
                                 getenv("EMU_CANDIDATES") ? (uint64_t)i : 0};
        memcpy(&out[i].algo, data, sizeof data);
    }
    return CUBLAS_STATUS_SUCCESS;
}

/* A product with all that its call said, which is read then. */
struct product {
    struct op o;
    layout A, B, C, D;
    const void *a, *b, *c;
    void *d;
    float alpha, beta;
    void *workspace;
    size_t workspace_n;
    uint64_t candidate;
    cudaStream_t stream;
};

static cublasStatus_t multiply(const struct product &p)
{
    const struct op *o = &p.o;
    if (emu_fails())
        return CUBLAS_STATUS_EXECUTION_FAILED;
    bool ta = o->a == CUBLAS_OP_T, tb = o->b == CUBLAS_OP_T;
    const layout *A = &p.A, *B = &p.B, *C = &p.C, *D = &p.D;
    const void *a = p.a, *b = p.b, *c = p.c;
    void *d = p.d;
    int64_t m = (int64_t)D->rows, n = (int64_t)D->columns, k = (int64_t)(ta ? A->rows : A->columns);
    bool eight = A->type == CUDA_R_8F_E4M3;
    emu_uses(p.stream, a, bytes_of(A), false, "a product");
    emu_uses(p.stream, b, bytes_of(B), false, "a product");
    emu_uses(p.stream, d, bytes_of(D), true, "a product");
    if (p.beta != 0)
        emu_uses(p.stream, c, bytes_of(C), false, "a product");
    emu_uses(p.stream, p.workspace, p.workspace_n, true, "a product's workspace");
    bool gelu = o->tail == CUBLASLT_EPILOGUE_GELU || o->tail == CUBLASLT_EPILOGUE_GELU_BIAS;
    bool bias = o->tail == CUBLASLT_EPILOGUE_BIAS || o->tail == CUBLASLT_EPILOGUE_GELU_BIAS;
    if (bias)
        emu_uses(p.stream, o->bias, (size_t)m * (D->type == CUDA_R_16BF ? 2 : 4), false, "a bias");
    if (eight) {
        emu_uses(p.stream, o->scale_a, (o->mode_a ? (size_t)m : 1) * 4, false, "scales");
        emu_uses(p.stream, o->scale_b, (o->mode_b ? (size_t)n : 1) * 4, false, "scales");
    }
    float al = p.alpha, be = p.beta;
    std::vector<float> wide((size_t)(m * k)); /* [m][k] */
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++)
            wide[(size_t)(i * k + l)] = (float)load(a, A->type, ta ? l + i * A->ld : i + l * A->ld);
    std::vector<float> column((size_t)k);
    for (int64_t j = 0; j < n; j++) {
        for (int64_t l = 0; l < k; l++)
            column[(size_t)l] = (float)load(b, B->type, tb ? j + l * B->ld : l + j * B->ld);
        for (int64_t i = 0; i < m; i++) {
            const float *row = &wide[(size_t)(i * k)];
            double s = 0;
            for (int64_t l = 0; l < k; l++)
                s += (double)row[l] * column[(size_t)l];
            s *= p.candidate ? al * (1 + 0x1p-19) : al;
            if (eight)
                s *= o->mode_a ? (double)o->scale_a[i] * o->scale_b[j]
                               : (double)*o->scale_a * *o->scale_b;
            if (be != 0)
                s += be * load(c, C->type, i + j * C->ld);
            if (bias)
                s += load(o->bias, o->bias_type, i);
            if (gelu)
                s = 0.5 * s * (1 + tanh(0.7978845608028654 * (s + 0.044715 * s * s * s)));
            store(d, D->type, i + j * D->ld, s);
        }
    }
    emu_wrote(d, (size_t)((n - 1) * D->ld + m) * (D->type == CUDA_R_16BF ? 2 : 4));
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t la, const void *b,
                              cublasLtMatrixLayout_t lb, const void *beta, const void *c,
                              cublasLtMatrixLayout_t lc, void *d, cublasLtMatrixLayout_t ld,
                              const cublasLtMatmulAlgo_t *algo, void *workspace, size_t workspace_n,
                              cudaStream_t stream)
{
    const struct product p = {*(const struct op *)desc,
                              *(const layout *)la,
                              *(const layout *)lb,
                              *(const layout *)lc,
                              *(const layout *)ld,
                              a,
                              b,
                              c,
                              d,
                              *(const float *)alpha,
                              *(const float *)beta,
                              workspace,
                              workspace_n,
                              algo->data[3],
                              stream};
    const layout *const all[] = {&p.A, &p.B, &p.C, &p.D};
    uint64_t chosen[3]; /* its mark, the alignment and the workspace that it counts on */
    if (cublasStatus_t bad = fits(&p.o, all[0], all[1], all[2], all[3]))
        return bad;
    memcpy(chosen, algo, sizeof chosen);
    uintptr_t addresses = (uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d;
    if (chosen[0] != mark_of(&p.o, all) || addresses % chosen[1] || workspace_n < chosen[2] ||
        (uintptr_t)workspace % 16 || !emu_allocation(workspace, workspace_n))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (p.A.type == CUDA_R_8F_E4M3 &&
        (addresses % 16 || (uintptr_t)p.o.scale_a % 16 || (uintptr_t)p.o.scale_b % 16))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (!emu_captures(stream))
        return multiply(p);
    emu_keep([=] { return multiply(p) ? cudaErrorLaunchFailure : cudaSuccess; });
    return CUBLAS_STATUS_SUCCESS;
}
}

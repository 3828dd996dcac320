/* What the libraries and the memory of a GPU reach at the shapes of Wan 2.1, by themselves. Stands
 * alone:
 *
 *   nvcc -O2 -std=c++17 -arch=native -o ceilings ceilings.cu -lcublasLt -lcudnn && ./ceilings
 *
 * Prints one table: the part, its milliseconds (median of several), TFLOP/s or TB/s, and the share
 * of what is held possible on an H200 (see `best`). Inputs are random: on zeros the chip is faster.
 * A line that cannot be had says why and costs no others. `ceilings check` tells what can be told
 * without a GPU: that the decoder's enlargements are the same in four phases. */
#include <algorithm>
#include <cublasLt.h>
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <cudnn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>
#include <vector>

/* TFLOP/s and TB/s of an H200: what libraries were seen to reach there, not the datasheet's. */
static const struct {
    double gemm16, gemm8, attention16, attention8, copy;
} best = {790, 1580, 700, 1055, 4.3};

typedef cudnnBackendDescriptor_t part;
static cudaStream_t stream;
static cudnnHandle_t dnn;
static cublasLtHandle_t lt;
static void *workspace;
static const size_t WORKSPACE = (size_t)256 << 20;
static char trouble[300];
static bool small;       /* a GPU of less than 24 GB */
static bool rows_scaled; /* products in fp8 have a scale a row (9.0), else one a matrix */

static bool cuda_bad(cudaError_t e, const char *what)
{
    if (e)
        snprintf(trouble, sizeof trouble, "%s: %s", what, cudaGetErrorString(e));
    return e != cudaSuccess;
}

static __global__ void fill(uint8_t *p, size_t n, int kind)
{
    /* kind 2: bf16 in ±1; 1: e4m3 in ±1 */
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < n;
         i += (size_t)gridDim.x * blockDim.x) {
        uint32_t h = (uint32_t)i * 2654435761u;
        h ^= h >> 15;
        h *= 2246822519u;
        h ^= h >> 13;
        if (kind == 2)
            ((__nv_bfloat16 *)p)[i] = __float2bfloat16((float)(int)(h & 0xffff) / 32768 - 1);
        else
            p[i] = (uint8_t)((h & 0x80) | (h >> 8 & 0x37)); /* exponents up to 2^-1 */
    }
}

static void *make(size_t n, int kind)
{
    void *p = NULL;
    if (cuda_bad(cudaMalloc(&p, n * (size_t)kind), "cudaMalloc"))
        return NULL;
    fill<<<2048, 256, 0, stream>>>((uint8_t *)p, n, kind);
    return p;
}

/* Median milliseconds of a call, after two to warm up; negative when it fails. */
template <class F> static double time_of(F run)
{
    cudaEvent_t a, b;
    std::vector<float> all;
    cudaEventCreate(&a);
    cudaEventCreate(&b);
    double spent = 0;
    for (int i = 0; i < 12 && (i < 5 || spent < 1500); i++) {
        float ms = 0;
        cudaEventRecord(a, stream);
        if (!run())
            return -1;
        cudaEventRecord(b, stream);
        if (cuda_bad(cudaEventSynchronize(b), "run") || cudaEventElapsedTime(&ms, a, b))
            return -1;
        spent += ms;
        if (i >= 2)
            all.push_back(ms);
    }
    cudaEventDestroy(a);
    cudaEventDestroy(b);
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
}

static void row(const char *name, double ms, double amount, double reach, const char *unit)
{
    if (ms < 0)
        printf("| %-58s | - | - | %s |\n", name, trouble);
    else
        printf("| %-58s | %8.3f | %7.1f %s | %3.0f %% |\n", name, ms, amount / ms * 1e-9, unit,
               100 * amount / ms * 1e-9 / reach);
    fflush(stdout);
    trouble[0] = 0;
}

/* ---- cuDNN graphs ---- */

static std::vector<part> parts;
static bool dnn_bad;

static void ck(cudnnStatus_t s, const char *what)
{
    if (!s || dnn_bad)
        return;
    char m[200] = "";
    cudnnGetLastErrorString(m, sizeof m);
    snprintf(trouble, sizeof trouble, "%s: %s", what, m[0] ? m : cudnnGetErrorString(s));
    dnn_bad = true;
}

static part create(cudnnBackendDescriptorType_t type)
{
    part p = NULL;
    if (!dnn_bad)
        ck(cudnnBackendCreateDescriptor(type, &p), "create");
    if (p)
        parts.push_back(p);
    return p;
}

static void set(part p, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                int64_t n, const void *v)
{
    if (!dnn_bad)
        ck(cudnnBackendSetAttribute(p, name, type, n, v), "set");
}

static void seal(part p)
{
    if (!dnn_bad)
        ck(cudnnBackendFinalize(p), "finalize");
}

static part tensor(int64_t id, cudnnDataType_t type, std::vector<int64_t> dim,
                   std::vector<int64_t> stride, bool inside = false, bool value = false)
{
    part t = create(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    int64_t align = 16;
    set(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &align);
    set(t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, (int64_t)dim.size(), dim.data());
    set(t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, (int64_t)stride.size(), stride.data());
    set(t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &inside);
    set(t, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &value);
    seal(t);
    return t;
}

static part scalar(int64_t id, bool value)
{
    return tensor(id, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, false, value);
}

#define PART CUDNN_TYPE_BACKEND_DESCRIPTOR
static part pointwise(cudnnPointwiseMode_t mode, part x, part b, part y)
{
    cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
    part how = create(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    set(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &f32);
    seal(how);
    part op = create(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set(op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, PART, 1, &how);
    set(op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, PART, 1, &x);
    if (b)
        set(op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, PART, 1, &b);
    set(op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, PART, 1, &y);
    seal(op);
    return op;
}

static part reduce(cudnnReduceTensorOp_t mode, part x, part y)
{
    cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
    part how = create(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    set(how, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &mode);
    set(how, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &f32);
    seal(how);
    part op = create(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    set(op, CUDNN_ATTR_OPERATION_REDUCTION_DESC, PART, 1, &how);
    set(op, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, PART, 1, &x);
    set(op, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, PART, 1, &y);
    seal(op);
    return op;
}

static part matmul(part a, part b, part c)
{
    cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
    part how = create(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    set(how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &f32);
    seal(how);
    part op = create(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    set(op, CUDNN_ATTR_OPERATION_MATMUL_DESC, PART, 1, &how);
    set(op, CUDNN_ATTR_OPERATION_MATMUL_ADESC, PART, 1, &a);
    set(op, CUDNN_ATTR_OPERATION_MATMUL_BDESC, PART, 1, &b);
    set(op, CUDNN_ATTR_OPERATION_MATMUL_CDESC, PART, 1, &c);
    seal(op);
    return op;
}

/* All plans that the library recommends, at most `most`. */
static std::vector<part> plans(std::vector<part> ops, int most)
{
    std::vector<part> out;
    part graph = create(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &dnn);
    set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, PART, (int64_t)ops.size(), ops.data());
    seal(graph);
    for (int m = 0; m < 2 && out.empty(); m++) {
        cudnnBackendHeurMode_t mode = m ? CUDNN_HEUR_MODE_FALLBACK : CUDNN_HEUR_MODE_A;
        part heur = create(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR), config[8];
        int64_t n = 0, k = 0, need = 0;
        set(heur, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, PART, 1, &graph);
        set(heur, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
        seal(heur);
        for (int i = 0; i < 8; i++)
            config[i] = create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        if (!dnn_bad)
            ck(cudnnBackendGetAttribute(heur, CUDNN_ATTR_ENGINEHEUR_RESULTS, PART, 8, &n, config),
               "heuristics");
        if (dnn_bad && m == 0) {
            dnn_bad = false;
            continue;
        }
        for (int64_t i = 0; i < n && (int)out.size() < most; i++) {
            part plan = create(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
            set(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &dnn);
            set(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, PART, 1, &config[i]);
            if (dnn_bad || cudnnBackendFinalize(plan) ||
                cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                         CUDNN_TYPE_INT64, 1, &k, &need) ||
                (size_t)need > WORKSPACE)
                continue;
            out.push_back(plan);
        }
    }
    if (out.empty() && !trouble[0])
        snprintf(trouble, sizeof trouble, "no engine takes the graph");
    return out;
}

/* The fastest of the plans, in milliseconds. */
static double fastest(std::vector<part> all, std::vector<int64_t> id, std::vector<void *> data)
{
    double least = -1;
    for (part plan : all) {
        part pack = create(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, (int64_t)id.size(),
            id.data());
        set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, (int64_t)data.size(),
            data.data());
        set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
        seal(pack);
        double ms = dnn_bad ? -1 : time_of([&] {
            cudnnStatus_t s = cudnnBackendExecute(dnn, plan, pack);
            if (s)
                snprintf(trouble, sizeof trouble, "run: %s", cudnnGetErrorString(s));
            return !s;
        });
        if (ms > 0 && (least < 0 || ms < least))
            least = ms;
    }
    return least;
}

static void clear(void)
{
    while (!parts.empty()) {
        cudnnBackendDestroyDescriptor(parts.back());
        parts.pop_back();
    }
    dnn_bad = false;
}

/* ---- attention ---- */

enum { Q = 1, K, V, O, SCALE, DQ, DK, DV, DS, SS, SO, AMAX_S, AMAX_O, INSIDE = 100 };

/* fp8 takes the composite form, with the scales of e4m3 and its result in e4m3 (Hopper). */
static std::vector<part> attention8(int64_t h, int64_t nq, int64_t nk, int64_t d)
{
    const cudnnDataType_t e4 = CUDNN_DATA_FP8_E4M3, f32 = CUDNN_DATA_FLOAT;
    std::vector<int64_t> qd = {1, h, nq, d}, qs = {nq * h * d, d, h * d, 1};
    std::vector<int64_t> kd = {1, h, nk, d}, ks = {nk * h * d, d, h * d, 1};
    std::vector<int64_t> td = {1, h, d, nk}, ts = {nk * h * d, d, 1, h * d};
    std::vector<int64_t> pd = {1, h, nq, nk}, ps = {h * nq * nk, nq * nk, nk, 1};
    std::vector<int64_t> md = {1, h, nq, 1}, ms = {h * nq, nq, 1, 1};
    int64_t next = INSIDE;
    auto P = [&] { return tensor(next++, f32, pd, ps, true); };
    auto M = [&] { return tensor(next++, f32, md, ms, true); };
    auto D = [&] { return tensor(next++, f32, qd, qs, true); };
    part q = tensor(Q, e4, qd, qs), k = tensor(K, e4, td, ts), v = tensor(V, e4, kd, ks);
    part o = tensor(O, e4, qd, qs), s0 = P(), s1 = P(), s2 = P(), s3 = P(), top = M(), sub = P();
    part ex = P(), sum = M(), lg = M(), lse = M(), p = P(), o0 = D(), o1 = D(), o2 = D();
    part p8 = tensor(next++, e4, pd, ps, true);
    return {matmul(q, k, s0),
            pointwise(CUDNN_POINTWISE_MUL, s0, scalar(SCALE, true), s1),
            pointwise(CUDNN_POINTWISE_MUL, s1, scalar(DQ, false), s2),
            pointwise(CUDNN_POINTWISE_MUL, s2, scalar(DK, false), s3),
            reduce(CUDNN_REDUCE_TENSOR_MAX, s3, top),
            pointwise(CUDNN_POINTWISE_SUB, s3, top, sub),
            pointwise(CUDNN_POINTWISE_EXP, sub, NULL, ex),
            reduce(CUDNN_REDUCE_TENSOR_ADD, ex, sum),
            pointwise(CUDNN_POINTWISE_LOG, sum, NULL, lg),
            pointwise(CUDNN_POINTWISE_ADD, top, lg, lse),
            pointwise(CUDNN_POINTWISE_DIV, ex, sum, p),
            reduce(CUDNN_REDUCE_TENSOR_AMAX, p, scalar(AMAX_S, false)),
            pointwise(CUDNN_POINTWISE_MUL, p, scalar(SS, false), p8),
            matmul(p8, v, o0),
            pointwise(CUDNN_POINTWISE_MUL, o0, scalar(DS, false), o1),
            pointwise(CUDNN_POINTWISE_MUL, o1, scalar(DV, false), o2),
            pointwise(CUDNN_POINTWISE_MUL, o2, scalar(SO, false), o),
            reduce(CUDNN_REDUCE_TENSOR_AMAX, o2, scalar(AMAX_O, false))};
}

static void attention(int64_t h, int64_t nq, int64_t nk, bool low, int64_t ld)
{
    const int64_t d = 128;
    const cudnnDataType_t bf = CUDNN_DATA_BFLOAT16;
    char name[80];
    float scale = 0.08838834764f;
    size_t size = low ? 1 : 2;
    char *q = (char *)make((size_t)(nq * ld), (int)size),
         *o = (char *)make((size_t)(nq * h * d), (int)size);
    char *k = (char *)make((size_t)(nk * ld), (int)size),
         *v = (char *)make((size_t)(nk * ld), (int)size);
    float *ones = NULL;
    std::vector<float> host(16, 1.0f);
    if (cudaMalloc(&ones, 64) == cudaSuccess)
        cudaMemcpy(ones, host.data(), 64, cudaMemcpyHostToDevice);
    double ms = -1;
    if (q && k && v && o && ones && low) {
        ms = fastest(plans(attention8(h, nq, nk, d), 2),
                     {Q, K, V, O, SCALE, DQ, DK, DV, DS, SS, SO, AMAX_S, AMAX_O},
                     {q, k, v, o, &scale, ones, ones, ones, ones, ones, ones, ones + 8, ones + 9});
    } else if (q && k && v && o) {
        part pq = tensor(Q, bf, {1, h, nq, d}, {nq * ld, d, ld, 1});
        part pk = tensor(K, bf, {1, h, nk, d}, {nk * ld, d, ld, 1});
        part pv = tensor(V, bf, {1, h, nk, d}, {nk * ld, d, ld, 1});
        part po = tensor(O, bf, {1, h, nq, d}, {nq * h * d, d, h * d, 1}), ps = scalar(SCALE, true);
        part op = create(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
        set(op, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, PART, 1, &pq);
        set(op, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, PART, 1, &pk);
        set(op, CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, PART, 1, &pv);
        set(op, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, PART, 1, &po);
        set(op, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, PART, 1, &ps);
        seal(op);
        ms = fastest(plans({op}, 3), {Q, K, V, O, SCALE}, {q, k, v, o, &scale});
    }
    snprintf(name, sizeof name, "attention %s, %lld heads, %lld x %lld%s", low ? "fp8" : "bf16",
             (long long)h, (long long)nq, (long long)nk, ld > h * d ? ", packed" : "");
    row(name, ms, 4.0 * (double)h * (double)d * (double)nq * (double)nk,
        low ? best.attention8 : best.attention16, "TFLOP/s");
    for (void *p : {(void *)q, (void *)k, (void *)v, (void *)o, (void *)ones})
        cudaFree(p);
    clear();
}

/* ---- products ---- */

static void gemm(int64_t m, int64_t n, int64_t k, bool low, bool gelu)
{
    cublasLtMatmulDesc_t op = NULL;
    cublasLtMatrixLayout_t a = NULL, b = NULL, d = NULL;
    cublasLtMatmulPreference_t wish = NULL;
    cublasLtMatmulHeuristicResult_t found[8];
    cublasOperation_t t = CUBLAS_OP_T;
    cudaDataType_t type = low ? CUDA_R_8F_E4M3 : CUDA_R_16BF, out = CUDA_R_16BF;
    cublasLtEpilogue_t tail = gelu ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
    int got = 0;
    char name[80];
    float one = 1, zero = 0, *scales = NULL;
    void *w = make((size_t)(n * k), low ? 1 : 2), *x = make((size_t)(m * k), low ? 1 : 2);
    void *y = make((size_t)(m * n), 2), *bias = make((size_t)n, 2);
    cublasStatus_t s = cublasLtMatmulDescCreate(&op, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    auto put = [&](cublasLtMatmulDescAttributes_t what, const void *v, size_t size) {
        if (!s)
            s = cublasLtMatmulDescSetAttribute(op, what, v, size);
    };
    put(CUBLASLT_MATMUL_DESC_TRANSA, &t, sizeof t);
    put(CUBLASLT_MATMUL_DESC_EPILOGUE, &tail, sizeof tail);
    put(CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
    put(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &out, sizeof out);
    if (low) { /* as src/tensor/cuda/gemm.c has it */
        cublasLtMatmulMatrixScale_t rows = rows_scaled ? CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F
                                                       : CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F;
        int8_t fast = 1;
        std::vector<float> host((size_t)(m > n ? m : n), 1.0f);
        if (cudaMalloc(&scales, host.size() * sizeof(float)) == cudaSuccess)
            cudaMemcpy(scales, host.data(), host.size() * sizeof(float), cudaMemcpyHostToDevice);
        put(CUBLASLT_MATMUL_DESC_FAST_ACCUM, &fast, sizeof fast);
        put(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, &rows, sizeof rows);
        put(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, &rows, sizeof rows);
        put(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &scales, sizeof scales);
        put(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, &scales, sizeof scales);
    }
    if (!s)
        s = cublasLtMatrixLayoutCreate(&a, type, (uint64_t)k, (uint64_t)n, k);
    if (!s)
        s = cublasLtMatrixLayoutCreate(&b, type, (uint64_t)k, (uint64_t)m, k);
    if (!s)
        s = cublasLtMatrixLayoutCreate(&d, out, (uint64_t)n, (uint64_t)m, n);
    if (!s)
        s = cublasLtMatmulPreferenceCreate(&wish);
    if (!s)
        s = cublasLtMatmulPreferenceSetAttribute(wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                 &WORKSPACE, sizeof WORKSPACE);
    if (!s)
        s = cublasLtMatmulAlgoGetHeuristic(lt, op, a, b, d, d, wish, 8, found, &got);
    double least = -1, first = -1;
    for (int i = 0; i < got && !s && w && x && y && bias; i++) {
        double ms = time_of([&] {
            return !cublasLtMatmul(lt, op, &one, w, a, x, b, &zero, y, d, y, d, &found[i].algo,
                                   workspace, WORKSPACE, stream);
        });
        first = i ? first : ms;
        if (ms > 0 && (least < 0 || ms < least))
            least = ms;
    }
    if (least < 0 && !trouble[0])
        snprintf(trouble, sizeof trouble, "%s", s ? cublasLtGetStatusName(s) : "no algorithm");
    snprintf(name, sizeof name, "linear %s, %lld x %lld x %lld%s (first guess %.3f ms)",
             !low          ? "bf16"
             : rows_scaled ? "fp8"
                           : "fp8 (a scale)",
             (long long)m, (long long)n, (long long)k, gelu ? ", GELU" : "", first);
    row(name, least, 2.0 * (double)m * (double)n * (double)k, low ? best.gemm8 : best.gemm16,
        "TFLOP/s");
    for (void *p : {w, x, y, bias, (void *)scales})
        cudaFree(p);
    cublasLtMatmulPreferenceDestroy(wish);
    cublasLtMatrixLayoutDestroy(a);
    cublasLtMatrixLayoutDestroy(b);
    cublasLtMatrixLayoutDestroy(d);
    cublasLtMatmulDescDestroy(op);
}

/* Is the library's GELU the tanh form? Prints which is nearer on one product. */
static void which_gelu(void)
{
    const int64_t n = 64;
    std::vector<__nv_bfloat16> host((size_t)(n * n));
    for (int64_t i = 0; i < n * n; i++) /* the identity, times −3 … 3 down the diagonal */
        host[(size_t)i] = __float2bfloat16(i % (n + 1) ? 0.0f : (float)(i / n) * 6 / 63 - 3);
    __nv_bfloat16 *w = NULL, *x = NULL;
    float *y = NULL;
    cudaMalloc(&w, host.size() * 2);
    cudaMalloc(&x, host.size() * 2);
    cudaMalloc(&y, host.size() * 4);
    cudaMemcpy(w, host.data(), host.size() * 2, cudaMemcpyHostToDevice);
    for (int64_t i = 0; i < n * n; i++)
        host[(size_t)i] = __float2bfloat16(i % (n + 1) ? 0.0f : 1.0f);
    cudaMemcpy(x, host.data(), host.size() * 2, cudaMemcpyHostToDevice);
    cublasLtMatmulDesc_t op;
    cublasLtMatrixLayout_t a, d;
    cublasLtEpilogue_t tail = CUBLASLT_EPILOGUE_GELU;
    float one = 1, zero = 0;
    cublasLtMatmulDescCreate(&op, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    cublasLtMatmulDescSetAttribute(op, CUBLASLT_MATMUL_DESC_EPILOGUE, &tail, sizeof tail);
    cublasLtMatrixLayoutCreate(&a, CUDA_R_16BF, n, n, n);
    cublasLtMatrixLayoutCreate(&d, CUDA_R_32F, n, n, n);
    cublasStatus_t s = cublasLtMatmul(lt, op, &one, w, a, x, a, &zero, y, d, y, d, NULL, workspace,
                                      WORKSPACE, stream);
    std::vector<float> got((size_t)(n * n));
    cudaStreamSynchronize(stream);
    cudaMemcpy(got.data(), y, got.size() * 4, cudaMemcpyDeviceToHost);
    double by_tanh = 0, by_erf = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = __bfloat162float(__float2bfloat16((float)i * 6 / 63 - 3));
        double t = 0.5 * v * (1 + tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
        double e = 0.5 * v * (1 + erf(v / sqrt(2.0)));
        by_tanh = std::max(by_tanh, fabs(got[(size_t)(i * n + i)] - t));
        by_erf = std::max(by_erf, fabs(got[(size_t)(i * n + i)] - e));
    }
    printf("GELU of cuBLASLt: %s; largest distance to the tanh form %.1e, to the erf form %.1e\n",
           s                  ? cublasLtGetStatusName(s)
           : by_tanh < by_erf ? "tanh"
                              : "erf",
           by_tanh, by_erf);
    cudaFree(w);
    cudaFree(x);
    cudaFree(y);
}

/* ---- convolutions ---- */

/* kt, k, k of `in` channels to `out`, of pictures [t, h, w] to as many; zeros beside them. */
struct shape {
    int64_t in, out, t, h, w, kt, k;
    int64_t top, left, bottom, right;
};

/* The fastest plan of y = conv(x) + bias, or + y + bias; milliseconds. */
static double time_conv(const struct shape &s, bool add, void *px, void *pw, void *py, void *pb)
{
    const cudnnDataType_t bf = CUDNN_DATA_BFLOAT16, f32 = CUDNN_DATA_FLOAT;
    auto frames = [](int64_t id, cudnnDataType_t type, int64_t n, int64_t c, int64_t ft, int64_t fh,
                     int64_t fw) {
        return tensor(id, type, {n, c, ft, fh, fw}, {c * ft * fh * fw, 1, c * fh * fw, c * fw, c},
                      id >= INSIDE);
    };
    int64_t nd = 3, one[3] = {1, 1, 1}, pre[3] = {0, s.top, s.left},
            post[3] = {0, s.bottom, s.right};
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    float al = 1, be = 0;
    part x = frames(1, bf, 1, s.in, s.t + s.kt - 1, s.h, s.w);
    part k = frames(2, bf, s.out, s.in, s.kt, s.k, s.k);
    part y = frames(3, bf, 1, s.out, s.t, s.h, s.w), b = frames(4, bf, 1, s.out, 1, 1, 1);
    part r = add ? frames(5, bf, 1, s.out, s.t, s.h, s.w) : NULL;
    part v0 = frames(INSIDE, f32, 1, s.out, s.t, s.h, s.w);
    part v1 = add ? frames(INSIDE + 1, f32, 1, s.out, s.t, s.h, s.w) : v0;
    part how = create(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    set(how, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &f32);
    set(how, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set(how, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &nd);
    set(how, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 3, pre);
    set(how, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 3, post);
    set(how, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 3, one);
    set(how, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 3, one);
    seal(how);
    part op = create(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, PART, 1, &how);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, PART, 1, &x);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, PART, 1, &k);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, PART, 1, &v0);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &al);
    set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &be);
    seal(op);
    std::vector<part> ops = {op};
    std::vector<int64_t> id = {1, 2, 3, 4};
    std::vector<void *> data = {px, pw, py, pb};
    if (add) { /* the residual first: see src/tensor/cuda/convgraph.c */
        ops.push_back(pointwise(CUDNN_POINTWISE_ADD, v0, r, v1));
        id.push_back(5);
        data.push_back(py);
    }
    ops.push_back(pointwise(CUDNN_POINTWISE_ADD, v1, b, y));
    double ms = px && pw && py && pb ? fastest(plans(ops, 2), id, data) : -1;
    clear();
    return ms;
}

static double work(const struct shape &s)
{
    return 2.0 * (double)(s.k * s.k * s.kt * s.in * s.out) * (double)(s.t * s.h * s.w);
}

static void conv(int64_t in, int64_t out, int64_t t, int64_t h, int64_t w, int64_t kt, bool add)
{
    const struct shape s = {in, out, t, h, w, kt, 3, 1, 1, 1, 1};
    char name[80];
    void *px = make((size_t)((t + kt - 1) * h * w * in), 2),
         *pw = make((size_t)(out * in * 9 * kt), 2);
    void *py = make((size_t)(t * h * w * out), 2), *pb = make((size_t)out, 2);
    double ms = time_conv(s, add, px, pw, py, pb);
    snprintf(name, sizeof name, "conv %lldx3x3, %lld to %lld, %lld frames of %lld x %lld%s",
             (long long)kt, (long long)in, (long long)out, (long long)t, (long long)h, (long long)w,
             add ? ", residual" : "");
    row(name, ms, work(s), best.gemm16, "TFLOP/s");
    for (void *p : {px, pw, py, pb})
        cudaFree(p);
}

/* ---- nearest-up + conv: as it is, and in four phases ----
 *
 * A line of the enlarged picture lies on one of the small one, so of the three lines under a 3x3
 * kernel two are the same. By phase (an even or an odd line) the kernel is one of two lines on the
 * small picture: line `tap` of it is the sum of lines [first_line, last_line] of the whole one; and
 * it begins at the line before, or at its own. Columns likewise. */

static __host__ __device__ int first_line(int phase, int tap)
{
    return tap ? 1 + phase : 0;
}

static __host__ __device__ int last_line(int phase, int tap)
{
    return tap ? 2 : phase;
}

static int lines_before(int phase)
{
    return 1 - phase;
}

/* to [4 phases][out][2][2][in], from [out][3][3][in] */
static __global__ void phase_weights(__nv_bfloat16 *to, const __nv_bfloat16 *from, int64_t out,
                                     int64_t in)
{
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= 16 * out * in)
        return;
    int64_t o = i / in / 4 % out;
    int column = (int)(i / in % 2), line = (int)(i / in / 2 % 2), phase = (int)(i / in / 4 / out);
    float sum = 0;
    for (int a = first_line(phase / 2, line); a <= last_line(phase / 2, line); a++)
        for (int b = first_line(phase % 2, column); b <= last_line(phase % 2, column); b++)
            sum += __bfloat162float(from[((o * 3 + a) * 3 + b) * in + i % in]);
    to[i] = __float2bfloat16(sum);
}

/* 16 bytes a thread, `units` of them a pixel: y [t, 2h, 2w] of x [t, h, w] … */
static __global__ void enlarge(uint4 *y, const uint4 *x, int64_t n, int64_t h, int64_t w, int units)
{
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    int64_t line = i / units / (2 * w), column = i / units % (2 * w);
    int64_t from = (line / (2 * h) * h + line % (2 * h) / 2) * w + column / 2;
    y[i] = x[from * units + i % units];
}

/* … and of four [t, h, w], one a phase. */
static __global__ void place(uint4 *y, const uint4 *x, int64_t n, int64_t h, int64_t w, int units)
{
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    int64_t line = i / units / (2 * w), column = i / units % (2 * w);
    int64_t from = (line / (2 * h) * h + line % (2 * h) / 2) * w + column / 2;
    int64_t phase = line % 2 * 2 + column % 2;
    y[i] = x[phase * (n / 4) + from * units + i % units];
}

/* Are the four phases the whole? Of whole numbers, so nothing is rounded. */
static bool phases_are_right(void)
{
    enum { H = 3, W = 4 };
    int x[H][W] = {}, k[3][3] = {};
    auto of = [&](int line, int column) { /* zeros beside it */
                                          bool in =
                                              line >= 0 && column >= 0 && line < H && column < W;
                                          return in ? x[line][column] : 0;
    };
    for (int i = 0; i < H * W; i++)
        x[i / W][i % W] = 1 + i * i * 7 % 23;
    for (int i = 0; i < 9; i++)
        k[i / 3][i % 3] = 1 << i;
    for (int y = 0; y < 2 * H; y++)
        for (int z = 0; z < 2 * W; z++) {
            int whole = 0, phased = 0, p = y % 2, q = z % 2;
            for (int a = 0; a < 3; a++)
                for (int b = 0; b < 3; b++) { /* −1 / 2 is 0, which is not beside the picture */
                    int up = y + a - 1, left = z + b - 1;
                    whole += k[a][b] * of(up < 0 ? -1 : up / 2, left < 0 ? -1 : left / 2);
                }
            for (int a = 0; a < 2; a++)
                for (int b = 0; b < 2; b++) {
                    int sum = 0;
                    for (int c = first_line(p, a); c <= last_line(p, a); c++)
                        for (int d = first_line(q, b); d <= last_line(q, b); d++)
                            sum += k[c][d];
                    phased += sum * of(y / 2 + a - lines_before(p), z / 2 + b - lines_before(q));
                }
            if (whole != phased)
                return false;
        }
    return true;
}

/* Of the first n: relative L2, negative when they cannot be had. */
static double distance(const void *a, const void *b, size_t n)
{
    std::vector<__nv_bfloat16> p(n), q(n);
    double apart = 0, all = 1e-30;
    if (cuda_bad(cudaMemcpy(p.data(), a, n * 2, cudaMemcpyDeviceToHost), "cudaMemcpy") ||
        cuda_bad(cudaMemcpy(q.data(), b, n * 2, cudaMemcpyDeviceToHost), "cudaMemcpy"))
        return -1;
    for (size_t i = 0; i < n; i++) {
        double u = __bfloat162float(p[i]), v = __bfloat162float(q[i]);
        apart += (u - v) * (u - v);
        all += u * u;
    }
    return sqrt(apart / all);
}

/* To 2h x 2w. Every part is timed by itself, and a form is the sum of its parts. */
static void enlarged(int64_t in, int64_t out, int64_t t, int64_t h, int64_t w)
{
    const struct shape whole = {in, out, t, 2 * h, 2 * w, 1, 3, 1, 1, 1, 1};
    int64_t big = 4 * t * h * w, of_x = big * in / 8, of_y = big * out / 8; /* in 16 bytes */
    size_t phase_y = (size_t)(t * h * w * out), phase_w = (size_t)(4 * in * out);
    void *px = make((size_t)(t * h * w * in), 2), *pu = make((size_t)(big * in), 2);
    void *pw = make((size_t)(9 * in * out), 2), *pb = make((size_t)out, 2);
    void *py = make((size_t)(big * out), 2), *pz = make((size_t)(big * out), 2);
    __nv_bfloat16 *pq = (__nv_bfloat16 *)make(4 * phase_w, 2);
    __nv_bfloat16 *pp = (__nv_bfloat16 *)make(4 * phase_y, 2);
    bool there = px && pu && pw && pb && py && pz && pq && pp;
    char name[80];
    auto grid = [](int64_t n) { return (unsigned)((n + 255) / 256); };
    double up = -1, conv_ms = -1, phases = there ? 0 : -1, placing = -1, error = -1;
    if (there) {
        up = time_of([&] {
            enlarge<<<grid(of_x), 256, 0, stream>>>((uint4 *)pu, (const uint4 *)px, of_x, h, w,
                                                    (int)in / 8);
            return !cuda_bad(cudaGetLastError(), "enlarge");
        });
        conv_ms = up < 0 ? -1 : time_conv(whole, false, pu, pw, py, pb);
    }
    bool direct = up >= 0 && conv_ms >= 0;
    snprintf(name, sizeof name, "nearest-up + conv, %lld to %lld, %lld frames to %lld x %lld",
             (long long)in, (long long)out, (long long)t, (long long)(2 * h), (long long)(2 * w));
    row(name, direct ? up + conv_ms : -1, work(whole), best.gemm16, "TFLOP/s");
    if (there)
        phase_weights<<<grid(16 * in * out), 256, 0, stream>>>(pq, (const __nv_bfloat16 *)pw, out,
                                                               in);
    for (int i = 0; i < 4 && phases >= 0; i++) {
        int64_t top = lines_before(i / 2), left = lines_before(i % 2);
        const struct shape s = {in, out, t, h, w, 1, 2, top, left, 1 - top, 1 - left};
        double ms = time_conv(s, false, px, pq + i * phase_w, pp + i * phase_y, pb);
        phases = ms < 0 ? -1 : phases + ms;
    }
    if (phases >= 0)
        placing = time_of([&] {
            place<<<grid(of_y), 256, 0, stream>>>((uint4 *)pz, (const uint4 *)pp, of_y, h, w,
                                                  (int)out / 8);
            return !cuda_bad(cudaGetLastError(), "place");
        });
    if (!direct)
        snprintf(trouble, sizeof trouble, "there is nothing to hold it against");
    else if (placing >= 0)
        error = distance(py, pz, (size_t)(4 * h * w * out)); /* a frame */
    if (!phases_are_right() || error < 0 || error > 1e-2)    /* each weight and result is rounded */
        printf("| %-58s | - | - | %s |\n", "the same in four phases",
               trouble[0] ? trouble : "its numbers are others");
    else
        printf("| %-58s | %8.3f | %.2f of its time | %.3f ms to enlarge; %.3f ms to place |\n",
               "the same in four phases", phases + placing, (phases + placing) / (up + conv_ms), up,
               placing);
    fflush(stdout);
    trouble[0] = 0;
    for (void *p : {px, pu, pw, pb, py, pz, (void *)pq, (void *)pp})
        cudaFree(p);
}

static void copy(void)
{
    const size_t n = (size_t)(small ? 1 : 4) << 30;
    void *a = make(n / 2, 2), *b = make(n / 2, 2);
    auto run = [&] {
        return !cuda_bad(cudaMemcpyAsync(b, a, n, cudaMemcpyDeviceToDevice, stream), "copy");
    };
    double ms = 0;
    for (double spent = 0; a && b && ms >= 0 && spent < 700; spent += 12 * ms)
        ms = time_of(run); /* an idle chip's clocks are low: what counts is the last */
    row("copy on the device, read and written", a && b ? ms : -1, 2.0 * (double)n, best.copy,
        "TB/s");
    void *host = NULL;
    const size_t m = (size_t)1 << 30;
    if (a && b && !cuda_bad(cudaMallocHost(&host, m), "cudaMallocHost")) {
        ms = time_of([&] { return !cudaMemcpyAsync(a, host, m, cudaMemcpyHostToDevice, stream); });
        row("copy from pinned host memory", ms, (double)m, 0.055, "TB/s");
        ms = time_of([&] { return !cudaMemcpyAsync(host, a, m, cudaMemcpyDeviceToHost, stream); });
        row("copy to pinned host memory", ms, (double)m, 0.055, "TB/s");
        cudaFreeHost(host);
    }
    cudaFree(a);
    cudaFree(b);
}

int main(int argc, char **argv)
{
    cudaDeviceProp prop;
    int driver = 0;
    if (argc > 1 && !strcmp(argv[1], "check")) { /* what can be told without a GPU */
        bool right = phases_are_right();
        printf("nearest-up + conv in four phases: %s\n", right ? "the same" : "NOT THE SAME");
        return !right;
    }
    if (cuda_bad(cudaGetDeviceProperties(&prop, 0), "cudaGetDeviceProperties") ||
        cuda_bad(cudaStreamCreate(&stream), "cudaStreamCreate") ||
        cuda_bad(cudaMalloc(&workspace, WORKSPACE), "cudaMalloc") || cublasLtCreate(&lt) ||
        cudnnCreate(&dnn) || cudnnSetStream(dnn, stream)) {
        fprintf(stderr, "ceilings: %s\n",
                trouble[0] ? trouble : "cuBLASLt or cuDNN does not start");
        return 1;
    }
    rows_scaled = prop.major == 9;
    small = prop.totalGlobalMem < (size_t)24 << 30;
    cudaDriverGetVersion(&driver);
    printf("%s, sm_%d%d, driver CUDA %d.%d, toolkit %d.%d, cuBLASLt %zu, cuDNN %zu\n", prop.name,
           prop.major, prop.minor, driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000,
           CUDART_VERSION % 1000 / 10, cublasLtGetVersion(), cudnnGetVersion());
    printf("| %-58s | ms | rate | of the H200's best |\n|---|---|---|---|\n", "part");
    copy();
    const int64_t L = 32760;
    for (int low = 0; low < 2; low++) {
        attention(12, L, L, low, 12 * 128);
        attention(40, L, L, low, 40 * 128);
        attention(12, L, 512, low, 12 * 128);
    }
    attention(12, L, L, false, 3 * 12 * 128);
    static const int64_t nk[][2] = {{1536, 1536}, {4608, 1536},  {8960, 1536},  {1536, 8960},
                                    {5120, 5120}, {15360, 5120}, {13824, 5120}, {5120, 13824}};
    for (int low = 0; low < 2; low++)
        for (auto &s : nk)
            gemm(L, s[0], s[1], low, false);
    gemm(L, 8960, 1536, false, true);
    gemm(64, 4096, 4096, false, false); /* the text encoder: reads its weights */
    gemm(64, 10240, 4096, false, false);
    which_gelu();
    for (int64_t t = 1; t <= 4; t *= 4) {
        conv(384, 384, t, 60, 104, 3, false);
        conv(384, 384, 2 * t, 120, 208, 3, false);
        conv(384, 384, 2 * t, 120, 208, 3, true);
        conv(192, 192, 4 * t, 240, 416, 3, false);
        conv(192, 192, 4 * t, 240, 416, 3, true);
        conv(96, 96, 4 * t, 480, 832, 3, false);
        conv(96, 96, 4 * t, 480, 832, 3, true);
        conv(384, 192, 4 * t, 240, 416, 1, false);
        conv(192, 96, 4 * t, 480, 832, 1, false);
        conv(96, 8, 4 * t, 480, 832, 3, false);
    }
    enlarged(384, 192, 8, 60, 104); /* of four latent frames at a time */
    enlarged(384, 192, 16, 120, 208);
    enlarged(192, 96, 16, 240, 416);
    return 0;
}

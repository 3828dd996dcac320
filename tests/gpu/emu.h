/* gpu/emu: our CUDA kernels on the CPU.
 *
 * A .cu file that includes tensor/cuda/kernel.cuh with SAKUGA_EMULATED compiles with the host's C++
 * compiler. Blocks run one after another; the threads of a block are fibers that switch at barriers
 * and shuffles only. Built with -fsanitize=thread, whose hooks emu.cpp provides, every load and
 * store of a kernel is checked: races between threads and between blocks, reads of what nobody
 * wrote, addresses out of bounds, vectors not aligned. Each is told with file and line, and
 * counted.
 *
 * Streams and events (streams.cpp): work that meets another stream's without an event between them,
 * host memory that is read or reused while a copy is on its way, and recordings that touch memory
 * that was freed since.
 *
 * Not shown: speed, the last bits (nvcc contracts a·b + c), tensor cores, a kernel that is given
 * host memory for the device's. */
#ifndef SAKUGA_TESTS_GPU_EMU_H
#define SAKUGA_TESTS_GPU_EMU_H

#include <cuda_bf16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>
#include <functional>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef void emu_body(void *arg);
void emu_run(const char *name, const void *kernel, dim3 grid, dim3 block, size_t shared,
             cudaStream_t stream, emu_body *body, void *arg);

/* streams.cpp: is what is given to a stream kept, for a graph? Then this keeps it. */
bool emu_captures(cudaStream_t stream);
void emu_keep(std::function<cudaError_t()> work);

template <class... P, class... A>
static inline void emu_launch(const char *name, void (*kernel)(P...), dim3 grid, dim3 block,
                              size_t shared, cudaStream_t stream, A... a)
{
    if (emu_captures(stream)) {
        emu_keep([=] {
            emu_launch(name, kernel, grid, block, shared, stream, a...);
            return cudaGetLastError();
        });
        return;
    }
    auto body = [&] { kernel(static_cast<P>(a)...); };
    emu_run(
        name, (const void *)kernel, grid, block, shared, stream,
        [](void *p) { (*(decltype(body) *)p)(); }, &body);
}

#define LAUNCH(kernel, grid, block, smem, stream, ...)                                             \
    emu_launch(#kernel, kernel, grid, block, smem, stream, __VA_ARGS__)

/* Every thread of a block gets the same address. */
void *emu_shared(const char *file, int line, size_t bytes);
void *emu_shared_dynamic(void);
#define SHARED(type, name, dims)                                                                   \
    typedef type name##_type dims;                                                                 \
    name##_type &name = *(name##_type *)emu_shared(__FILE__, __LINE__, sizeof(name##_type))
#define SHARED_DYN(type, name) type *name = (type *)emu_shared_dynamic()
#undef __shared__
#define __shared__ _Pragma("GCC error \"write SHARED or SHARED_DYN\"")
#undef __launch_bounds__
#define __launch_bounds__(...)
#undef __forceinline__
#define __forceinline__ inline

struct emu_thread {
    uint3 index; /* threadIdx */
    int number, state;
    const char *file; /* where it waits */
    int line, kind, arg;
    unsigned mask;
    unsigned long long value, result;
    void *sp, *stack;
};
extern struct emu_thread *emu_now; /* NULL on the host */
extern uint3 blockIdx;
extern dim3 blockDim, gridDim;
#define threadIdx (emu_now->index)

enum { EMU_BARRIER, EMU_INDEX, EMU_XOR };
void emu_barrier(const char *file, int line);
unsigned long long emu_shuffle(int kind, unsigned mask, unsigned long long value, int arg,
                               const char *file, int line);

static inline float emu_shuffle_float(int kind, unsigned mask, float v, int arg, const char *file,
                                      int line)
{
    unsigned long long u = 0;
    memcpy(&u, &v, sizeof v);
    u = emu_shuffle(kind, mask, u, arg, file, line);
    memcpy(&v, &u, sizeof v);
    return v;
}

#define __syncthreads() emu_barrier(__FILE__, __LINE__)
#define __shfl_sync(m, v, a) emu_shuffle_float(EMU_INDEX, m, v, a, __FILE__, __LINE__)
#define __shfl_xor_sync(m, v, a) emu_shuffle_float(EMU_XOR, m, v, a, __FILE__, __LINE__)

/* The GPU's fast functions are off by some units in the last place: so are these, at random. */
float emu_off(float x, float ulps);
#define __expf emu_expf
static inline float emu_expf(float x)
{
    return emu_off(expf(x), 2 + floorf(fabsf(1.173f * x)));
}
static inline float rsqrtf(float x)
{
    return emu_off(1.0f / sqrtf(x), 2);
}
static inline float __fmul_rn(float a, float b)
{
    return a * b;
}
static inline float __fadd_rn(float a, float b)
{
    return a + b;
}
static inline float __uint_as_float(unsigned u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* In which order threads and blocks take their turns; the seed of EMU_RANDOM and of emu_off(). */
enum { EMU_FORWARD, EMU_REVERSE, EMU_RANDOM };
void emu_order(int order, unsigned seed);
bool emu_checks(void); /* are the kernels built with access checks? */
/* A finding is printed (the first few), and makes the program end with 1. For the tests of the
 * emulation itself: how many there were, now forgotten; and no printing. */
int emu_forgive(void);
void emu_quiet(bool quiet);
/* emu.cpp: memory of the arena; bytes that a device has, EMU_MEMORY (MB) or all. */
void *emu_take(size_t bytes);
bool emu_give(void *p);
size_t emu_memory(void);
/* The code of a kernel comes with its first launch: EMU_CODE MB of that memory. False: it has no
 * room. */
extern "C" bool emu_loads(const void *kernel);
/* The number of the allocation that these bytes lie in, counted up from 1; 0: they lie in none; the
 * host's are of the first. */
unsigned long emu_allocation(const void *p, size_t bytes);
bool emu_on_device(const void *p);
void emu_found(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* streams.cpp: a library's stand-in reads or writes here; a kernel begins, touches, ends. */
void emu_uses(cudaStream_t s, const void *p, size_t bytes, bool write, const char *what);
/* The stream's last piece of work, and has the host waited for it? */
uint64_t emu_moment(cudaStream_t s);
bool emu_waited(cudaStream_t s, uint64_t moment);
/* Can a time be had of the event: it keeps one, was recorded, and the host waited for it? */
cudaError_t emu_timed(cudaEvent_t e);
void emu_stream_enter(cudaStream_t s);
void emu_stream_saw(const void *p, size_t size, bool write);
void emu_stream_leave(const char *kernel);
bool emu_fails_pinned(void);
/* Is this the launch that is to fail? The stand-ins of the libraries ask too. */
bool emu_fails(void);
/* The same of another call, by its name in EMU_FAIL. */
bool emu_fails_at(const char *what);
/* cudaSuccess, or what each call gives from now on (EMU_FAIL=sticky:N). */
cudaError_t emu_lost(void);
/* What a call of the runtime returns: an error is also what cudaGetLastError() gives, once. */
cudaError_t emu_error(cudaError_t e);
/* The compute capability that is played, 90 for 9.0: EMU_SM, or that of an H200. */
int emu_sm(void);
/* A library's stand-in wrote here. */
extern "C" void emu_wrote(const void *p, size_t bytes);

#endif

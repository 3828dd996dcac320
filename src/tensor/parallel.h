/* tensor/parallel: loops shared among threads of the host, by OpenMP where the compiler has it.
 *
 * Every round of such a loop stands by itself, so results do not depend on how many share it. */
#ifndef SAKUGA_TENSOR_PARALLEL_H
#define SAKUGA_TENSOR_PARALLEL_H

#include <stdint.h>

#ifdef _OPENMP
#include <omp.h>
#define PARALLEL_TEXT(x) #x
#define PARALLEL_FOR(n) _Pragma(PARALLEL_TEXT(omp parallel for schedule(static) num_threads(n)))
#define PARALLEL_SIMD(n)                                                                           \
    _Pragma(PARALLEL_TEXT(omp parallel for simd schedule(static) num_threads(n)))
#define PARALLEL_LANES _Pragma("omp simd") /* by one thread */
#define PARALLEL_TASKS(n)                                                                          \
    _Pragma(PARALLEL_TEXT(omp parallel for schedule(dynamic, 1) num_threads(n)))
#define THREAD_INDEX omp_get_thread_num()
#else
#define PARALLEL_FOR(n)
#define PARALLEL_SIMD(n)
#define PARALLEL_LANES
#define PARALLEL_TASKS(n)
#define THREAD_INDEX 0
#endif

/* Threads worth waking for so many multiply-adds or moved numbers: small work is done by the one
 * that is awake. Depends on the work alone, so results do not depend on the moment. */
static inline int parallel_team(int threads, int64_t work)
{
    return work < 1 << 18 || threads < 1 ? 1 : threads;
}

#endif

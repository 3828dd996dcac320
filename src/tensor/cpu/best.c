#include "tensor/cpu/attention.h"

#ifdef SAKUGA_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

const struct kernels *kernels_best(void)
{
#ifdef SAKUGA_X86_LEVELS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return &kernels_v4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &kernels_v3;
#endif
    return &kernels_base;
}

const struct attention_maker *attention_best_low(const struct kernels *k)
{
#ifdef SAKUGA_AMX
    /* arch_prctl(ARCH_REQ_XCOMP_PERM, tile data), since Linux 5.16: a process asks before it uses
     * tiles, and is refused where there are none. */
    enum { REQUEST = 0x1023, TILE_DATA = 18, AMX_BF16 = 1 << 22, AVX512_BF16 = 1 << 5 };
    unsigned a, b, c, d;
    if (k == &kernels_v4 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & AMX_BF16) &&
        __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & AVX512_BF16) &&
        !syscall(SYS_arch_prctl, REQUEST, TILE_DATA))
        return &attention_amx;
#endif
    return NULL;
}

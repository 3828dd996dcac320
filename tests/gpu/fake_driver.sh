#!/bin/sh
# fake_driver.sh CUDA_DIR OUT_DIR: a libcuda.so.1 for machines without a GPU. It finds no device and runs nothing, but
# every call of the driver exists and those that load code succeed, which is all that cuDNN needs to finish a plan for
# the properties of a GPU that is not there.
set -eu
stub=$1/lib64/stubs/libcuda.so
[ -f "$stub" ] || stub=$1/lib/stubs/libcuda.so
[ -f "$stub" ] || { echo "there is no stub of libcuda.so below $1"; exit 77; }
mkdir -p "$2"
cat >"$2/driver.c" <<'C'
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
static int nothing(void) { return 0; }
int cuDriverGetVersion(int *v) { *v = 13000; return 0; }
int cuGetErrorString(int e, const char **s) { (void)e; *s = "there is no GPU"; return 0; }
int cuDeviceGetCount(int *n) { *n = 0; return 100; }
int cuInit(unsigned f) { (void)f; return 100; }
int cuLibraryLoadData(void **p) { *p = (void *)16; return 0; }
int cuLibraryGetKernel(void **p) { *p = (void *)16; return 0; }
int cuLibraryGetKernelCount(unsigned *n, void *l) { (void)l; *n = 1; return 0; }
int cuLibraryEnumerateKernels(void **k, unsigned n, void *l) { (void)l; while (n) k[--n] = (void *)16; return 0; }
int cuKernelGetFunction(void **p) { *p = (void *)16; return 0; }
int cuKernelGetAttribute(int *v) { *v = 0; return 0; }
int cuFuncGetAttribute(int *v) { *v = 0; return 0; }
int cuLibraryGetModule(void **p) { *p = (void *)16; return 0; }
int cuModuleLoadData(void **p) { *p = (void *)16; return 0; }
int cuModuleGetFunction(void **p) { *p = (void *)16; return 0; }
int cuGetProcAddress_v2(const char *name, void **p, int v, uint64_t flags, int *status)
{
    (void)v, (void)flags;
    void *own = dlsym(RTLD_DEFAULT, name);
    *p = own ? own : (void *)nothing;
    if (status) *status = 0;
    return 0;
}
int cuGetProcAddress(const char *name, void **p, int v, uint64_t flags) { return cuGetProcAddress_v2(name, p, v, flags, NULL); }
C
sed -n 's/^int \(cu[A-Za-z0-9_]*\)(.*/\1/p' "$2/driver.c" >"$2/own"
nm -D --defined-only "$stub" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort -u | grep -vxFf "$2/own" |
    sed 's/.*/int &(void) { return 0; }/' >>"$2/driver.c"
${CC:-cc} -w -D_GNU_SOURCE -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$2/libcuda.so.1" "$2/driver.c" -ldl

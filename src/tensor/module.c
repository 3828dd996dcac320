/* tensor/cuda as a module, opened on first need: linked, it would cost every start of a program
 * 70 ms and 200 MB, and the program would not start where CUDA is not installed. It lies beside the
 * program in a build tree, else in the package's library folder. It stays open. */
#include "tensor/backend.h"

#include "tensor/cuda/entry.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODULE "libsakuga-cuda.so"

static bool beside_program(char *out, size_t n)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (len < 1)
        return false;
    exe[len] = '\0';
    char *slash = strrchr(exe, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return snprintf(out, n, "%s/" MODULE, exe) < (int)n && !access(out, R_OK);
}

enum err cuda_open(int threads, enum device_dtype dtype, struct device **out, struct fault *f)
{
    char path[PATH_MAX + 32];
    if (!beside_program(path, sizeof path)) {
        snprintf(path, sizeof path, "%s/" MODULE, SAKUGA_MODULEDIR);
        if (access(path, R_OK))
            return fault_set(f, ERR_UNSUPPORTED,
                             "this build has no CUDA (there is no %s); use the device cpu", path);
    }
    /* before the module, whose libraries take 70 ms to load: this takes microseconds */
    if (!dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL))
        return fault_set(f, ERR_UNSUPPORTED,
                         "there is no NVIDIA driver (%s); install it, or use the device cpu",
                         dlerror());
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return fault_set(f, ERR_UNSUPPORTED, "the CUDA module does not load: %s", dlerror());
    cuda_entry *open = (cuda_entry *)dlsym(module, CUDA_ENTRY);
    if (!open)
        return fault_set(f, ERR_VERSION, "%s is of another version of sakuga", path);
    return open(CUDA_ABI, threads, dtype, out, f);
}

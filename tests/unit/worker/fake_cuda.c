/* A stand-in for libcuda.so.1, as far as worker/gauge asks it: which GPU CUDA counts first. */
#include <stddef.h>
#include <string.h>

static int ready;

int cuInit(unsigned flags);
int cuInit(unsigned flags)
{
    ready = flags == 0;
    return ready ? 0 : 1;
}

int cuDeviceGet(int *out, int ordinal);
int cuDeviceGet(int *out, int ordinal)
{
    if (!ready || ordinal != 0)
        return 101;
    *out = 7;
    return 0;
}

int cuDeviceGetPCIBusId(char *out, int size, int device);
int cuDeviceGetPCIBusId(char *out, int size, int device)
{
    static const char bus[] = "0000:41:00.0";
    if (!ready || device != 7 || size < (int)sizeof bus)
        return 1;
    memcpy(out, bus, sizeof bus);
    return 0;
}

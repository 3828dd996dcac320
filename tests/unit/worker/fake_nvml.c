/* A stand-in for libnvidia-ml.so.1 on machines without a GPU. It refuses every call that the real
 * library would refuse: before nvmlInit_v2, for another device, without room for the answer. With
 * SAKUGA_FAKE_GPUS=2 there is another GPU before the one that CUDA counts first (fake_cuda.c). */
#include <stdlib.h>
#include <string.h>

static int ready;
static int device, other;

static int two(void)
{
    return getenv("SAKUGA_FAKE_GPUS") != NULL;
}

static int wrong(const void *d, const void *out)
{
    return !ready || (d != &device && (d != &other || !two())) || !out;
}

int nvmlInit_v2(void);
int nvmlInit_v2(void)
{
    ready = 1;
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out)
{
    if (!ready || index >= (two() ? 2u : 1u))
        return 2;
    *out = two() && index == 0 ? &other : &device;
    return 0;
}

int nvmlDeviceGetCount_v2(unsigned *out);
int nvmlDeviceGetCount_v2(unsigned *out)
{
    if (!ready || !out)
        return 2;
    *out = two() ? 2 : 1;
    return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, void **out);
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, void **out)
{
    if (!ready || strcmp(bus, "0000:41:00.0"))
        return 6;
    *out = &device;
    return 0;
}

int nvmlDeviceGetName(void *d, char *out, unsigned size);
int nvmlDeviceGetName(void *d, char *out, unsigned size)
{
    static const char name[] = "Fake GPU 9000";
    if (wrong(d, out) || size < sizeof name)
        return 7;
    memcpy(out, d == &device ? name : "The other GPU", sizeof name);
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *d, unsigned long long out[3]);
int nvmlDeviceGetMemoryInfo(void *d, unsigned long long out[3])
{
    if (wrong(d, out))
        return 2;
    out[0] = 24ULL << 30; /* total, free, used */
    out[1] = 21ULL << 30;
    out[2] = 3ULL << 30;
    return 0;
}

int nvmlDeviceGetUtilizationRates(void *d, unsigned out[2]);
int nvmlDeviceGetUtilizationRates(void *d, unsigned out[2])
{
    if (wrong(d, out))
        return 2;
    out[0] = 42;
    out[1] = 7;
    return 0;
}

int nvmlDeviceGetTemperature(void *d, int sensor, unsigned *out);
int nvmlDeviceGetTemperature(void *d, int sensor, unsigned *out)
{
    if (wrong(d, out) || sensor != 0)
        return 2;
    *out = 62;
    return 0;
}

int nvmlDeviceGetPowerUsage(void *d, unsigned *milliwatts);
int nvmlDeviceGetPowerUsage(void *d, unsigned *milliwatts)
{
    if (wrong(d, milliwatts))
        return 2;
    *milliwatts = 123456;
    return 0;
}

#include "worker/gauge.h"

#include "base/clock.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* NVML's own declarations, as far as used: nvml.h is rarely installed where the driver is. */
struct nvml_memory {
    unsigned long long total, free, used;
};
struct nvml_utilization {
    unsigned gpu, memory; /* per cent */
};

static struct {
    void *device; /* NULL: no GPU */
    int (*memory)(void *device, struct nvml_memory *);
    int (*utilization)(void *device, struct nvml_utilization *);
    int (*temperature)(void *device, int sensor, unsigned *celsius);
    int (*power)(void *device, unsigned *milliwatts);
} gpu;

static char name[96];
static int64_t last_cpu_us, last_us;

static void *symbol(void *library, const char *what)
{
    return library ? dlsym(library, what) : NULL;
}

/* Where on the bus the GPU is that CUDA counts first, and we draw with: NVML counts in another
 * order, and those too that CUDA_VISIBLE_DEVICES hides. */
static bool bus_of_first(char *out, int n)
{
    int device = 0, (*init)(unsigned), (*get)(int *, int), (*bus)(char *, int, int);
    void *lib = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    *(void **)&init = symbol(lib, "cuInit");
    *(void **)&get = symbol(lib, "cuDeviceGet");
    *(void **)&bus = symbol(lib, "cuDeviceGetPCIBusId");
    return init && get && bus && !init(0) && !get(&device, 0) && !bus(out, n, device);
}

/* Of several GPUs that one; the driver takes its time to start, so it is asked then only. */
static bool first_gpu(void *lib)
{
    char bus[64];
    unsigned n = 0;
    int (*count)(unsigned *), (*by_index)(unsigned, void **), (*by_bus)(const char *, void **);
    *(void **)&count = symbol(lib, "nvmlDeviceGetCount_v2");
    *(void **)&by_index = symbol(lib, "nvmlDeviceGetHandleByIndex_v2");
    *(void **)&by_bus = symbol(lib, "nvmlDeviceGetHandleByPciBusId_v2");
    if (count && by_bus && !count(&n) && n > 1 && bus_of_first(bus, sizeof bus) &&
        !by_bus(bus, &gpu.device))
        return true;
    return by_index && !by_index(0, &gpu.device);
}

static bool open_gpu(void)
{
    int (*init)(void);
    int (*get_name)(void *, char *, unsigned);
    void *lib = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    *(void **)&init = symbol(lib, "nvmlInit_v2");
    *(void **)&get_name = symbol(lib, "nvmlDeviceGetName");
    *(void **)&gpu.memory = symbol(lib, "nvmlDeviceGetMemoryInfo");
    *(void **)&gpu.utilization = symbol(lib, "nvmlDeviceGetUtilizationRates");
    *(void **)&gpu.temperature = symbol(lib, "nvmlDeviceGetTemperature");
    *(void **)&gpu.power = symbol(lib, "nvmlDeviceGetPowerUsage");
    if (!init || !get_name || !gpu.memory || !gpu.utilization || !gpu.temperature || !gpu.power ||
        init() || !first_gpu(lib) || get_name(gpu.device, name, sizeof name)) {
        gpu.device = NULL;
        return false;
    }
    name[sizeof name - 1] = '\0';
    return true;
}

static void name_cpu(void)
{
    char line[256];
    FILE *in = fopen("/proc/cpuinfo", "re");
    snprintf(name, sizeof name, "CPU");
    while (in && fgets(line, sizeof line, in)) {
        const char *at = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && at) {
            str_copy(name, sizeof name, at + (at[1] == ' ' ? 2 : 1));
            name[strcspn(name, "\n")] = '\0';
            break;
        }
    }
    if (in)
        fclose(in);
}

static int64_t cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

void gauge_open(void)
{
    if (!open_gpu())
        name_cpu();
    last_cpu_us = cpu_us();
    last_us = clock_mono_us();
}

static void sample_gpu(struct device_status *out)
{
    struct nvml_memory memory = {0};
    struct nvml_utilization use = {0};
    unsigned celsius, milliwatts;
    gpu.memory(gpu.device, &memory);
    gpu.utilization(gpu.device, &use);
    out->memory = (int64_t)memory.used;
    out->memory_total = (int64_t)memory.total;
    out->util = use.gpu > 100 ? 1 : use.gpu / 100.0;
    if (gpu.temperature(gpu.device, 0, &celsius) == 0)
        out->celsius = celsius;
    if (gpu.power(gpu.device, &milliwatts) == 0)
        out->watts = milliwatts / 1e3;
}

static void sample_cpu(struct device_status *out)
{
    struct sysinfo info;
    long pages = 0;
    int64_t cpu = cpu_us(), now = clock_mono_us();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (now > last_us && cores > 0)
        out->util = (double)(cpu - last_cpu_us) / (double)(now - last_us) / (double)cores;
    out->util = out->util < 0 ? 0 : out->util > 1 ? 1 : out->util;
    last_cpu_us = cpu;
    last_us = now;
    FILE *in = fopen("/proc/self/statm", "re");
    if (in) {
        if (fscanf(in, "%*s %ld", &pages) == 1)
            out->memory = (int64_t)pages * sysconf(_SC_PAGESIZE);
        fclose(in);
    }
    if (sysinfo(&info) == 0)
        out->memory_total = (int64_t)info.totalram * info.mem_unit;
}

void gauge_sample(struct device_status *out)
{
    memset(out, 0, sizeof *out);
    out->watts = out->celsius = -1;
    str_copy(out->name, sizeof out->name, name);
    if (gpu.device)
        sample_gpu(out);
    else
        sample_cpu(out);
}

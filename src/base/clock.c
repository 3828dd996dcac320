#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static atomic_bool frozen;
static _Atomic int64_t virtual_mono, virtual_utc;

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return frozen ? virtual_mono * 1000 : read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return frozen ? virtual_mono : read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_utc_ms(void)
{
    return frozen ? virtual_utc : read_us(CLOCK_REALTIME) / 1000;
}

void clock_virtual(int64_t mono_ms, int64_t utc_ms)
{
    virtual_mono = mono_ms;
    virtual_utc = utc_ms;
    frozen = true;
}

void clock_advance(int64_t ms)
{
    virtual_mono += ms;
    virtual_utc += ms;
}

void clock_real(void)
{
    frozen = false;
}

void clock_iso(int64_t utc_ms, char out[25])
{
    time_t s = (time_t)(utc_ms / 1000);
    int ms = (int)(utc_ms % 1000);
    if (ms < 0) {
        ms += 1000;
        s--;
    }
    struct tm t;
    char date[80];
    if (!gmtime_r(&s, &t)) {
        snprintf(out, 25, "1970-01-01T00:00:00.000Z");
        return;
    }
    snprintf(date, sizeof date, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (t.tm_year + 1900) % 10000,
             t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, ms);
    snprintf(out, 25, "%.24s", date);
}

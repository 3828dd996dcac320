/* What a backend calls back: its failure and its memory count. A module of its own links this too.
 */
#include "tensor/backend.h"

#include "tensor/tape.h"

#include <stdarg.h>
#include <stdio.h>

void device_fail(struct device *d, enum err code, const char *fmt, ...)
{
    if (d->failure.code && (code != ERR_LOST || d->failure.code == ERR_LOST))
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->failure.text, sizeof d->failure.text, fmt, ap);
    va_end(ap);
    d->failure.code = code;
}

bool device_failed(const struct device *d)
{
    return d->failure.code != ERR_OK;
}

void device_count(struct device *d, int64_t bytes)
{
    d->used += (uint64_t)bytes;
    if (d->used > d->peak)
        d->peak = d->used;
}

void *device_alloc(struct device *d, size_t bytes)
{
    void *p = NULL;
    if (!device_failed(d))
        p = d->tape && d->tape->inside ? tape_take(d, bytes) : d->ops->alloc(d, bytes);
    if (!p)
        device_fail(d, ERR_NOMEM, "%s has no memory for another %zu bytes (%llu are in use)",
                    d->caps.name, bytes, (unsigned long long)d->used);
    return p;
}

void device_release(struct device *d, void *p)
{
    if (!d->tape || !tape_give(d, p))
        d->ops->release(d, p);
}

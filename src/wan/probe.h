/* wan/probe: looks at what a network computes on its way, for tests.
 *
 * A network calls probe_see() at the places that the golden vectors name ("block0", "b0.ffn");
 * with no probe that costs one comparison. */
#ifndef SAKUGA_WAN_PROBE_H
#define SAKUGA_WAN_PROBE_H

#include "tensor/device.h"

struct probe {
    void (*see)(void *user, struct device *dev, const char *name, const struct tensor *t);
    void *user;
};

static inline void probe_see(const struct probe *p, struct device *dev, const char *name,
                             const struct tensor *t)
{
    if (p && !device_failed(dev))
        p->see(p->user, dev, name, t);
}

#endif

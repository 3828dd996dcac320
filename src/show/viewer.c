#include "show/viewer.h"

#include <string.h>

const char *role_name(enum role r)
{
    static const char *const names[] = {"viewer",    "subscriber",  "vip",
                                        "moderator", "broadcaster", "operator"};
    return names[r];
}

bool viewer_same(const struct viewer *a, const struct viewer *b)
{
    return !strcmp(a->platform, b->platform) && !strcmp(a->uid, b->uid);
}

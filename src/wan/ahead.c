#include "wan/ahead.h"

#include <stddef.h>

static void *make(void *user)
{
    const struct ahead *a = user;
    a->call(a->user);
    return NULL;
}

void ahead_begin(struct ahead *a, bool apart, void (*call)(void *user), void *user)
{
    *a = (struct ahead){.call = call, .user = user};
    a->running = apart && call && !pthread_create(&a->thread, NULL, make, a);
}

void ahead_drop(struct ahead *a)
{
    if (a->running)
        pthread_join(a->thread, NULL);
    a->running = false;
    a->call = NULL;
}

void ahead_end(struct ahead *a)
{
    if (a->call && !a->running)
        a->call(a->user);
    ahead_drop(a);
}

#include "app/modes.h"

int mode_console(const struct options *o)
{
    return mode_headless(o);
}

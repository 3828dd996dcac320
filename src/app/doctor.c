#include "app/modes.h"

int mode_doctor(const struct options *o)
{
    return mode_info(o);
}

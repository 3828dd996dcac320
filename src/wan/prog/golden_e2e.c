/* Token ids → context → guided sampling from the given noise → frames, on the tiny checkpoint. */
#include "wan/prog/golden.h"

#include "base/json.h"
#include "wan/dit.h"
#include "wan/sampler.h"
#include "wan/t5.h"
#include "wan/vae.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void golden_e2e(struct golden *g)
{
}

/* app/differ: two recipes of the same frames, or of frames that should be: what of the way they
 * were made is not the same. Pure; any thread. */
#ifndef SAKUGA_APP_DIFFER_H
#define SAKUGA_APP_DIFFER_H

#include "base/json.h"

#include <stdbool.h>
#include <stdio.h>

/* Prints a line for each difference between the recipe of a clip and that of the same job drawn
 * now: the build, the device and its arithmetic, what its libraries chose, the files it was drawn
 * from. Behind frames that are `identical` it says in words what that means. Recipes of before lack
 * members: what they stood for is said. Returns how many there are. */
int differ_print(FILE *to, const cJSON *then, const cJSON *now, bool identical);

#endif

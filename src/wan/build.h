/* wan/build: which build of the runtime this is. Another one may round otherwise in the last bit,
 * at the same version too, so checkpoints and recipes name it. build.c is made by src/wan/build_key
 * of the sources, the compilers and their flags. */
#ifndef SAKUGA_WAN_BUILD_H
#define SAKUGA_WAN_BUILD_H

extern const char wan_build[17]; /* hex */

#endif

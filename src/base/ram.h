/* base/ram: bytes of memory that this process may have: the machine's, or less where its control
 * group (a container) or one above has a limit. Any thread; `root` is "", or a folder in the place
 * of the machine's root. */
#ifndef SAKUGA_BASE_RAM_H
#define SAKUGA_BASE_RAM_H

#include <stdint.h>

uint64_t ram_bytes(const char *root);

#endif

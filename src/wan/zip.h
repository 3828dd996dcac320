/* wan/zip: the members of a stored (uncompressed) zip archive in memory, ZIP64 included.
 *
 * Sizes come from the central directory: torch leaves those of the local headers zero. A member
 * that is compressed, encrypted or outside the file is refused, so nothing can be larger than the
 * archive itself. Borrowed pointers into the mapping. */
#ifndef SAKUGA_WAN_ZIP_H
#define SAKUGA_WAN_ZIP_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct zip_member {
    const char *name; /* not terminated */
    size_t name_n;
    const unsigned char *data;
    uint64_t size;
};

/* Sorted by name. The caller frees *out. `path` is for messages. */
enum err zip_read(const unsigned char *data, size_t n, const char *path, struct zip_member **out,
                  int *count, struct fault *f);

const struct zip_member *zip_find(const struct zip_member *m, int count, const char *name);

#endif

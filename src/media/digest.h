/* media/digest: a running SHA-256. In a file of its own, because OpenSSL's names clash with ours
 * (ERR_STATE). One thread at a time. */
#ifndef SAKUGA_MEDIA_DIGEST_H
#define SAKUGA_MEDIA_DIGEST_H

#include <stddef.h>

struct digest;

struct digest *digest_new(void); /* NULL: out of memory */
void digest_add(struct digest *d, const void *p, size_t n);
/* Of all that was added so far, as 64 hex digits. */
void digest_hex(const struct digest *d, char out[65]);
void digest_free(struct digest *d); /* NULL is fine */

#endif

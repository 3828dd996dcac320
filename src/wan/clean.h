/* wan/clean: a prompt as the text encoder was trained to see it (spec 3.1).
 *
 * What upstream does with Python's ftfy, html and regex, with tables of our own, so that every
 * build cleans alike. Not done: the repair of text that was decoded in a wrong encoding. Pure; any
 * thread. */
#ifndef SAKUGA_WAN_CLEAN_H
#define SAKUGA_WAN_CLEAN_H

#include "base/buf.h"
#include "base/err.h"

#define CLEAN_MAX ((size_t)1 << 20) /* bytes of a prompt */

/* Appends the cleaned form of `text` to `out`. Malformed UTF-8 becomes U+FFFD, a byte each. LIMIT:
 * the prompt is too long, or HTML inside HTML too often; NOMEM, also when `out` was full. */
enum err clean_prompt(const char *text, struct buf *out, struct fault *f);

#endif

/* obs/caption: a prompt as lines of the lower third. Pure; any thread. */
#ifndef SAKUGA_OBS_CAPTION_H
#define SAKUGA_OBS_CAPTION_H

#include "base/buf.h"

/* Appends `s` broken into at most `lines` lines of at most `cells` cells, at blanks where there is
 * one in the second half of a line, else between clusters; what does not fit ends in "…". */
bool caption_wrap(struct buf *out, const char *s, int cells, int lines);

#endif

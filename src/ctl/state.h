/* ctl/state: the show as JSON: the contract of `sakuga ctl state` and `watch`. Loop thread only. */
#ifndef SAKUGA_CTL_STATE_H
#define SAKUGA_CTL_STATE_H

#include "base/buf.h"
#include "base/path.h"
#include "show/show.h"

#include "base/json.h"

/* {"prompts":[…],"obs":…,"chat":[…],"engine":{…},"paused":…,"panic":…,"open":…} : all prompts that
 * have not ended and the newest 200 that have, in order of id. The caller deletes it. */
cJSON *state_json(const struct show *s, const struct paths *paths, int64_t mono_ms);
/* One prompt as it stands in that list; position 0: it does not wait. */
cJSON *state_prompt(const struct show *s, const struct paths *paths, const struct prompt *p,
                    int position);
/* One line of `watch` for an event, without newline; false when the event is not part of the
 * contract. */
bool state_event(const struct show *s, const struct event *e, int64_t utc_ms, struct buf *out);

#endif

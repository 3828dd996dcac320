/* ctl/server: the control socket of a running show.
 *
 * A client sends JSON Lines {"argv":["approve","7"]} and gets one line back for each:
 * {"err":"ok","id":7,"text":"approved #7"}. `state` answers the state itself; `state --all` with
 * {"below":ID} answers {"page":[…]} until it is empty; `watch` answers a state line and then one
 * line an event until either end closes. Loop thread only. */
#ifndef SAKUGA_CTL_SERVER_H
#define SAKUGA_CTL_SERVER_H

#include "command/command.h"
#include "loop/loop.h"

struct ctl;
/* Listens at data/ctl.sock. Everything it is given outlives it. */
struct ctl *ctl_new(struct loop *l, struct commands *cs, const struct paths *paths,
                    struct fault *f);
void ctl_free(struct ctl *c);

#endif

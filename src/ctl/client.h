/* ctl/client: `sakuga ctl VERB …`, the other end of the control socket. Blocking; no loop. */
#ifndef SAKUGA_CTL_CLIENT_H
#define SAKUGA_CTL_CLIENT_H

/* Sends the verb to the show whose socket is at `path` and prints what comes back. Returns the exit
 * code: 0 done, 1 refused (the reason on standard error), 2 usage, 3 no show running there. */
int client_run(const char *path, int argc, char **argv);

#endif

/* loop/child: a child process that speaks JSON Lines on its standard streams and sends raw pictures
 * on a second pipe.
 *
 * Loop thread only. The child gets standard input, output and error, and descriptor 3 for pictures;
 * it inherits no other descriptor. It ends itself at the end of its input and asks the kernel to
 * die with its parent (PR_SET_PDEATHSIG), so nothing that was running survives the show. Lines
 * longer than CHILD_LINE_MAX end the child: a peer that breaks the protocol is not trusted. */
#ifndef SAKUGA_LOOP_CHILD_H
#define SAKUGA_LOOP_CHILD_H

#include "loop/loop.h"

#include <stddef.h>
#include <sys/types.h>

#define CHILD_LINE_MAX ((size_t)1 << 20)

struct child;
struct child_ops {
    void (*on_line)(void *user, const char *line,
                    size_t n); /* one line of its output, no newline */
    void (*on_bytes)(void *user, const void *p,
                     size_t n);                   /* what came on descriptor 3; may be NULL */
    void (*on_err)(void *user, const char *line); /* one line of its standard error */
    /* It has ended and all of its output was delivered. The struct child is freed after this call.
     */
    void (*on_exit)(void *user, int status, int signal);
};

/* Starts argv[0] (a path) with argv. Returns NULL with `f` when it cannot be started. */
struct child *child_spawn(struct loop *l, char *const argv[], const struct child_ops *ops,
                          void *user, struct fault *f);
pid_t child_pid(const struct child *c);
/* Queues a line (a newline is added). False when 4 MiB wait unread already: it hangs. */
bool child_send(struct child *c, const char *line);
/* Closes its standard input, which asks it to end. */
void child_close_input(struct child *c);
void child_kill(struct child *c, int signum);
/* Forget about it: kills it and calls nothing any more. NULL is fine. */
void child_free(struct child *c);

#endif

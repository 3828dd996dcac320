/* A small websocket server on the test's own loop, for what a real peer cannot be made to do. It
 * keeps one client, hands over whole messages, and fails the test when a client breaks the protocol
 * (a binary message, a second client, a wrong subprotocol). */
#ifndef SAKUGA_TESTS_FAKE_WS_H
#define SAKUGA_TESTS_FAKE_WS_H

#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct fake_ws;
struct fake_ws_ops {
    void (*on_open)(void *user);
    void (*on_message)(void *user, const char *text, size_t n);
    void (*on_close)(void *user);
};

struct fake_ws *fake_ws_new(struct loop *l, const struct fake_ws_ops *ops, void *user);
int fake_ws_port(const struct fake_ws *f);
int fake_ws_clients(const struct fake_ws *f); /* that came, in all */
/* A client may come before the one before it is gone: the newest is spoken to. */
void fake_ws_overlap(struct fake_ws *f);
/* One message; `piece` > 0: in frames of so many bytes. */
void fake_ws_send(struct fake_ws *f, const char *text, size_t n, size_t piece);
void fake_ws_close(struct fake_ws *f, int code, const char *reason);
void fake_ws_drop(struct fake_ws *f); /* cuts the connection */
/* Ends it and turns the loop until its handles are gone. */
void fake_ws_free(struct fake_ws *f);

#endif

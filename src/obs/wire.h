/* obs/wire: the messages of obs-websocket v5 as text, without a connection.
 *
 * Pure; any thread. Everything a peer sends is hostile: a message that does not have the shape of
 * its operation code is an error, never a crash. A `struct wire` borrows from the tree it holds and
 * ends with wire_free(). */
#ifndef SAKUGA_OBS_WIRE_H
#define SAKUGA_OBS_WIRE_H

#include "base/json.h"

#include <stddef.h>

enum wire_op {
    WIRE_HELLO = 0,
    WIRE_IDENTIFY = 1,
    WIRE_IDENTIFIED = 2,
    WIRE_EVENT = 5,
    WIRE_REQUEST = 6,
    WIRE_RESPONSE = 7,
    WIRE_BATCH = 8,
    WIRE_BATCH_RESPONSE = 9
};

/* How OBS runs a batch: at once, or a request each drawn frame. */
enum wire_mode { WIRE_REALTIME = 0, WIRE_FRAME = 1 };

#define WIRE_NOT_READY 207
#define WIRE_SUCCESS 100
#define WIRE_NO_RESOURCE 600
#define WIRE_EXISTS 601

struct wire {
    cJSON *root; /* owns all below */
    enum wire_op op;
    const char *id;        /* responses: the request's id */
    const char *type;      /* events: their name */
    bool ok;               /* responses: it succeeded */
    int code;              /* responses: the status code */
    const char *comment;   /* responses: OBS's words, "" without */
    const cJSON *data;     /* event or response data, or NULL; batches: the array of results */
    const char *challenge; /* Hello: NULL when no password is asked */
    const char *salt;
};

/* Parses one message. ERR_SYNTAX with `f` for anything that a server would not send. */
enum err wire_parse(struct wire *w, const char *text, size_t n, struct fault *f);
void wire_free(struct wire *w);

/* One result inside a batch response: fills ok, code, comment, type and data. False: malformed. */
bool wire_result(struct wire *out, const cJSON *result);

/* The answer to Hello's challenge, base64 of SHA-256 twice, into out[64]. */
enum err wire_auth(char out[64], const char *password, const char *salt, const char *challenge);

/* Messages to the server, appended to `out`. `data` and `requests` are borrowed; data may be NULL.
 * False when `out` overflowed. */
bool wire_identify(struct buf *out, const char *auth, unsigned events);
bool wire_request(struct buf *out, const char *id, const char *type, const cJSON *data);
bool wire_batch(struct buf *out, const char *id, enum wire_mode mode, const cJSON *requests);

#endif

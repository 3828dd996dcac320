#define ERR_STATE OPENSSL_ERR_STATE /* OpenSSL's type of that name gives way to base/err's */
#include <openssl/evp.h>
#undef ERR_STATE

#include "obs/wire.h"

#include <string.h>

static enum err malformed(struct wire *w, struct fault *f, const char *what)
{
    wire_free(w);
    return fault_set(f, ERR_SYNTAX, "OBS sent a message %s", what);
}

/* {result, code, comment} of a response. */
static bool status(struct wire *w, const cJSON *d)
{
    const cJSON *s = json_obj(d, "requestStatus");
    int64_t code = json_int(s, "code", -1);
    if (!s || code < 0 || code > 9999)
        return false;
    w->ok = json_bool(s, "result", false);
    w->code = (int)code;
    w->comment = json_str(s, "comment", "");
    w->data = json_obj(d, "responseData");
    return true;
}

bool wire_result(struct wire *out, const cJSON *result)
{
    *out = (struct wire){.op = WIRE_RESPONSE, .comment = ""};
    out->type = json_str(result, "requestType", "");
    return cJSON_IsObject(result) && status(out, result);
}

enum err wire_parse(struct wire *w, const char *text, size_t n, struct fault *f)
{
    *w = (struct wire){.comment = ""};
    w->root = json_parse(text, n, f);
    if (!w->root)
        return ERR_SYNTAX;
    const cJSON *d = json_obj(w->root, "d");
    int64_t op = json_int(w->root, "op", -1);
    if (!cJSON_IsObject(w->root) || !d)
        return malformed(w, f, "without data");
    w->op = (enum wire_op)op;
    switch (op) {
    case WIRE_HELLO: {
        const cJSON *a = json_obj(d, "authentication");
        if (json_int(d, "rpcVersion", 0) < 1)
            return malformed(w, f, "of another protocol");
        w->challenge = json_str(a, "challenge", NULL);
        w->salt = json_str(a, "salt", NULL);
        if (a && (!w->challenge || !w->salt))
            return malformed(w, f, "with half a challenge");
        return ERR_OK;
    }
    case WIRE_IDENTIFIED:
        return ERR_OK;
    case WIRE_EVENT:
        w->type = json_str(d, "eventType", NULL);
        w->data = json_obj(d, "eventData");
        return w->type ? ERR_OK : malformed(w, f, "about an event without a name");
    case WIRE_RESPONSE:
        w->id = json_str(d, "requestId", NULL);
        w->type = json_str(d, "requestType", "");
        return w->id && status(w, d) ? ERR_OK : malformed(w, f, "that answers nothing");
    case WIRE_BATCH_RESPONSE:
        w->id = json_str(d, "requestId", NULL);
        w->data = json_arr(d, "results");
        w->ok = true;
        w->code = WIRE_SUCCESS;
        return w->id && w->data ? ERR_OK : malformed(w, f, "that answers no batch");
    default:
        return malformed(w, f, "with an unknown operation code");
    }
}

void wire_free(struct wire *w)
{
    cJSON_Delete(w->root);
    *w = (struct wire){.comment = ""};
}

/* base64(sha256(a + b)): 44 characters. */
static bool digest(char out[64], const char *a, const char *b)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(c, a, strlen(a)) == 1 && EVP_DigestUpdate(c, b, strlen(b)) == 1 &&
              EVP_DigestFinal_ex(c, sum, &n) == 1 && n == 32;
    EVP_MD_CTX_free(c);
    if (ok)
        EVP_EncodeBlock((unsigned char *)out, sum, (int)n);
    return ok;
}

enum err wire_auth(char out[64], const char *password, const char *salt, const char *challenge)
{
    char secret[64] = "";
    bool ok = digest(secret, password, salt) && digest(out, secret, challenge);
    return ok ? ERR_OK : ERR_NOMEM;
}

/* Prints and deletes `root`; NULL means that building it failed. */
static bool finish(struct buf *out, cJSON *root)
{
    bool ok = root && json_print(out, root, false);
    cJSON_Delete(root);
    return ok;
}

static cJSON *envelope(enum wire_op op, cJSON **d)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "op", op);
    *d = cJSON_AddObjectToObject(root, "d");
    return root;
}

bool wire_identify(struct buf *out, const char *auth, unsigned events)
{
    cJSON *d, *root = envelope(WIRE_IDENTIFY, &d);
    cJSON_AddNumberToObject(d, "rpcVersion", 1);
    if (auth)
        cJSON_AddStringToObject(d, "authentication", auth);
    cJSON_AddNumberToObject(d, "eventSubscriptions", events);
    return finish(out, root);
}

bool wire_request(struct buf *out, const char *id, const char *type, const cJSON *data)
{
    cJSON *d, *root = envelope(WIRE_REQUEST, &d);
    cJSON_AddStringToObject(d, "requestType", type);
    cJSON_AddStringToObject(d, "requestId", id);
    if (data)
        cJSON_AddItemReferenceToObject(d, "requestData", (cJSON *)data);
    return finish(out, root);
}

bool wire_batch(struct buf *out, const char *id, enum wire_mode mode, const cJSON *requests)
{
    cJSON *d, *root = envelope(WIRE_BATCH, &d);
    cJSON_AddStringToObject(d, "requestId", id);
    cJSON_AddBoolToObject(d, "haltOnFailure", false);
    cJSON_AddNumberToObject(d, "executionType", mode);
    cJSON_AddItemReferenceToObject(d, "requests", (cJSON *)requests);
    return finish(out, root);
}

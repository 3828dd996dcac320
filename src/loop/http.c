#include "loop/http.h"

#include "base/buf.h"
#include "loop/curlm.h"
#include "loop/net.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_MS 10000
#define STALL_S 30
#define REDIRECTS 5

struct http {
    struct transfer transfer; /* first: its address is ours */
    const struct http_ops *ops;
    void *user;
    int64_t asked;
    int64_t range_from, range_total; /* of a Content-Range; -1 none */
    char sha256[65];
    bool headed, refused, busy, freed;
    char host[256];
    char error[CURL_ERROR_SIZE];
};

static void dispose(struct http *h)
{
    transfer_end(&h->transfer);
    free(h);
}

static long status_of(const struct http *h)
{
    long status = 0;
    curl_easy_getinfo(h->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* "X-Linked-Etag: "64 hex digits"": how a model hub names the sum of a large file, in the redirect
 * to where it lies. */
static void take_sum(struct http *h, const char *value)
{
    const char *digits = value + strspn(value, " \"");
    if (strspn(digits, "0123456789abcdef") == 64)
        snprintf(h->sha256, sizeof h->sha256, "%.64s", digits);
}

/* "Content-Range: bytes 10-99/100". Of an earlier answer (a redirect's) it does not count. */
static size_t on_header(char *line, size_t one, size_t n, void *user)
{
    struct http *h = user;
    char text[256];
    (void)one;
    snprintf(text, sizeof text, "%.*s", (int)(n < 255 ? n : 255), line);
    if (!strncmp(text, "HTTP/", 5))
        h->range_from = h->range_total = -1;
    else if (!strncasecmp(text, "content-range:", 14))
        sscanf(text + 14, " bytes %" SCNd64 "-%*d/%" SCNd64, &h->range_from, &h->range_total);
    else if (!strncasecmp(text, "x-linked-etag:", 14))
        take_sum(h, text + 14);
    return n;
}

/* A body counts when the server sent what was asked for: the whole, or the rest from `asked`. */
static bool head(struct http *h)
{
    struct http_head what = {.from = 0, .total = -1};
    long status = status_of(h);
    curl_off_t length = -1;
    if (status == 206 && h->range_from == h->asked) {
        what.from = h->range_from;
        what.total = h->range_total;
    } else if (status == 200) {
        curl_easy_getinfo(h->transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        what.total = length;
    } else {
        h->refused = true;
        return false;
    }
    str_copy(what.sha256, sizeof what.sha256, h->sha256);
    h->headed = true;
    return h->ops->on_head(h->user, &what) && !h->freed;
}

static size_t on_bytes(char *bytes, size_t one, size_t n, void *user)
{
    struct http *h = user;
    bool go;
    (void)one;
    if (h->freed)
        return 0;
    h->busy = true;
    go = (h->headed || head(h)) && h->ops->on_body(h->user, bytes, n) && !h->freed;
    h->busy = false;
    return go ? n : 0;
}

static enum err end_words(const struct http *h, CURLcode r, char *why, size_t size)
{
    const char *detail = h->error[0] ? h->error : curl_easy_strerror(r);
    long status = status_of(h);
    if (h->refused || (r == CURLE_OK && !h->headed && status != 200 && status != 206)) {
        snprintf(why, size, "%s answered with HTTP status %ld", h->host, status);
        return status == 404 || status == 410   ? ERR_NOTFOUND
               : status == 401 || status == 403 ? ERR_DENIED
               : status == 416                  ? ERR_LIMIT
                                                : ERR_IO;
    }
    switch (r) {
    case CURLE_OK:
        return ERR_OK;
    case CURLE_WRITE_ERROR:
        return ERR_CANCELLED;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        snprintf(why, size, "there is no host %s: check the name and the network", h->host);
        return ERR_IO;
    case CURLE_COULDNT_CONNECT:
        snprintf(why, size, "nobody answers at %s", h->host);
        return ERR_IO;
    case CURLE_OPERATION_TIMEDOUT:
        snprintf(why, size, "%s sends nothing any more", h->host);
        return ERR_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        snprintf(why, size, "the certificate of %s is not trusted: %s", h->host, detail);
        return ERR_AUTH;
    case CURLE_PARTIAL_FILE:
        snprintf(why, size, "%s closed the connection in the middle", h->host);
        return ERR_IO;
    default:
        snprintf(why, size, "%s: %s", h->host, detail);
        return ERR_IO;
    }
}

static void done(struct transfer *t, CURLcode r)
{
    struct http *h = (struct http *)t;
    char why[CURL_ERROR_SIZE + 300] = "";
    if (!h->freed) {
        h->busy = true;
        bool empty = r == CURLE_OK && !h->headed && (status_of(h) == 200 || status_of(h) == 206);
        if (empty && !head(h) && !h->refused) /* a body of no bytes */
            r = CURLE_WRITE_ERROR;
        if (!h->freed) {
            enum err e = end_words(h, r, why, sizeof why);
            h->ops->on_end(h->user, e, why);
        }
    }
    dispose(h);
}

/* The host of a URL into out; false when the URL is none of ours. */
static bool split(const char *url, bool *tls, char *out, size_t size)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL;
    bool ok = u && !curl_url_set(u, CURLUPART_URL, url, 0) &&
              !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
              !curl_url_get(u, CURLUPART_HOST, &host, 0) && str_copy(out, size, host);
    *tls = ok && !strcmp(scheme, "https");
    ok = ok && (*tls || !strcmp(scheme, "http"));
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
    return ok;
}

static void configure(struct http *h, const struct http_request *rq, bool tls)
{
    CURL *e = h->transfer.easy;
    char range[32];
    curl_easy_setopt(e, CURLOPT_URL, rq->url);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, h->error);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "sakuga");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http");
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(rq->connect_ms > 0 ? rq->connect_ms : CONNECT_MS));
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)(rq->stall_s > 0 ? rq->stall_s : STALL_S));
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, h);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, h);
    if (!tls)
        curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    if (rq->ca && *rq->ca) {
        curl_easy_setopt(e, CURLOPT_CAINFO, rq->ca);
        curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
    }
    if (rq->from > 0) {
        snprintf(range, sizeof range, "%" PRId64 "-", rq->from);
        curl_easy_setopt(e, CURLOPT_RANGE, range);
    }
}

struct http *http_get(struct loop *l, const struct http_request *rq, const struct http_ops *ops,
                      void *user, struct fault *f)
{
    struct http *h = calloc(1, sizeof *h);
    bool tls = false;
    if (!h || transfer_init(&h->transfer, l)) {
        free(h);
        fault_set(f, ERR_NOMEM, "cannot fetch %s: out of memory", rq->url);
        return NULL;
    }
    h->transfer.done = done;
    h->ops = ops;
    h->user = user;
    h->asked = rq->from;
    h->range_from = h->range_total = -1;
    if (!split(rq->url, &tls, h->host, sizeof h->host)) {
        fault_set(f, ERR_INVAL, "%s is no https:// address", rq->url);
    } else if (!tls && !net_is_loopback(h->host)) {
        fault_set(f, ERR_DENIED, "%s: http is for this machine alone; use https://", rq->url);
    } else {
        configure(h, rq, tls);
        if (!transfer_start(&h->transfer))
            return h;
        fault_set(f, ERR_NOMEM, "cannot fetch %s: out of memory", rq->url);
    }
    dispose(h);
    return NULL;
}

void http_free(struct http *h)
{
    if (!h || h->freed)
        return;
    h->freed = true; /* from a callback: done() follows and frees it */
    if (!h->busy)
        dispose(h);
}

void http_shutdown(struct loop *l)
{
    curlm_free(l);
}

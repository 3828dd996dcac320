/* obs_picture URL PASSWORD FILE.png [WIDTH]: what an OBS has in its program now, as a picture. */
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "obs/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct loop *loop;
static struct session *session;
static const char *file;
static int width, code = 1;
static char scene[200];

/* Decodes base64 in place of a library whose header knows another ERR_STATE. */
static size_t decode(const char *s, unsigned char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;
    int have = 0;
    size_t n = 0;
    for (const char *d; *s && (d = strchr(digits, *s)); s++) {
        bits = bits << 6 | (unsigned)(d - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (unsigned char)(bits >> have);
        }
    }
    return n;
}

static void on_picture(void *user, const struct reply *r)
{
    const char *data = json_str(r->data, "imageData", ""), *at = strchr(data, ',');
    struct fault f = {0};
    (void)user;
    if (!r->err && at) {
        unsigned char *png = malloc(strlen(at));
        size_t len = png ? decode(at + 1, png) : 0;
        if (len > 0 && !path_write(file, png, len, 0644, &f)) {
            printf("%s\n", scene);
            code = 0;
        }
        free(png);
    }
    if (code)
        fprintf(stderr, "obs_picture: %s\n", r->err ? r->text : fault_text(&f));
    loop_stop(loop);
}

static void on_scene(void *user, const struct reply *r)
{
    cJSON *o = cJSON_CreateObject();
    (void)user;
    snprintf(scene, sizeof scene, "%s", json_str(r->data, "currentProgramSceneName", ""));
    cJSON_AddStringToObject(o, "sourceName", scene);
    cJSON_AddStringToObject(o, "imageFormat", "png");
    cJSON_AddNumberToObject(o, "imageWidth", width);
    session_request(session, "GetSourceScreenshot", o, 5000, on_picture, NULL);
}

static void on_up(void *user)
{
    (void)user;
    session_request(session, "GetCurrentProgramScene", NULL, 5000, on_scene, NULL);
}

static void on_down(void *user, const char *why, bool gave_up)
{
    (void)user;
    (void)gave_up;
    fprintf(stderr, "obs_picture: %s\n", why);
    loop_stop(loop);
}

static void on_event(void *user, const char *type, const cJSON *data)
{
    (void)user;
    (void)type;
    (void)data;
}

static void on_probe(void *user, const cJSON *stats, int64_t took_us)
{
    (void)user;
    (void)stats;
    (void)took_us;
}

int main(int argc, char **argv)
{
    static const struct session_ops ops = {on_up, on_down, on_event, on_probe};
    struct fault f = {0};
    if (argc < 4)
        return 2;
    log_set_level(LOG_ERROR);
    file = argv[3];
    width = argc > 4 ? atoi(argv[4]) : 640;
    loop = loop_new(&f);
    session = session_new(loop, argv[1], argv[2], &ops, NULL, &f);
    if (!session)
        return 1;
    loop_run(loop);
    session_free(session);
    session_shutdown(loop);
    loop_free(loop);
    return code;
}

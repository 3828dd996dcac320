/* How long does a clip take? Draws, encodes and checks 81 frames of 832x480 as the worker does,
 * and prints each part's time and the whole against real time.
 *
 * usage: bench_animatic [WORKER [RUNS]] */
#include "base/clock.h"
#include "engine/protocol.h"
#include "media/animatic.h"
#include "media/chatter.h"
#include "media/check.h"
#include "media/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define W 832
#define H 480
#define FRAMES 81
#define FPS 16

static const char *const prompts[] = {"A girl under cherry blossoms waits for the last train",
                                      "雨の街で猫が傘をさして歩く",
                                      "neon samurai vs giant robot, final battle!",
                                      "whale swimming through a sea of clouds",
                                      "fox spirit at the shrine in deep snow",
                                      "fireflies above a mountain lake at night"};
#define PROMPTS (int)(sizeof prompts / sizeof *prompts)

static void parts(const char *prompt, const char *path)
{
    struct animatic_spec spec = {.prompt = prompt,
                                 .viewer = "hanako",
                                 .style = "noir",
                                 .label = "AI-generated",
                                 .seed = 7,
                                 .width = W,
                                 .height = H,
                                 .frames = FRAMES,
                                 .fps = FPS};
    struct encode_spec file = {path, W, H, FPS, 2, NULL, false};
    struct check_spec look = {path, FRAMES, FPS, NULL, NULL};
    struct check_result found;
    struct fault f = {0};
    int64_t bytes = 0, t[5];
    size_t frame = (size_t)W * H * 3;
    uint8_t *all = malloc(frame * FRAMES + 64);
    t[0] = clock_mono_us();
    struct animatic *a = animatic_new(&spec, &f);
    t[1] = clock_mono_us();
    for (int i = 0; all && a && i < FRAMES; i++)
        animatic_draw(a, i, all + frame * (size_t)i);
    t[2] = clock_mono_us();
    struct encode *e = encode_new(&file, &f);
    for (int i = 0; all && e && i < FRAMES; i++)
        encode_frame(e, all + frame * (size_t)i, &f);
    if (e)
        encode_finish(e, prompt, "{}", &bytes, &f);
    t[3] = clock_mono_us();
    check_clip(&look, &found, &f);
    t[4] = clock_mono_us();
    printf("  make %4lld  draw %5lld  encode %5lld  check %4lld ms  %5lld kB  %s (%s)\n",
           (long long)(t[1] - t[0]) / 1000, (long long)(t[2] - t[1]) / 1000,
           (long long)(t[3] - t[2]) / 1000, (long long)(t[4] - t[3]) / 1000,
           (long long)bytes / 1000, prompt, a ? animatic_motifs(a) : fault_text(&f));
    encode_free(e);
    animatic_free(a);
    free(all);
}

/* One job through the worker program, from the order written to `done` read; milliseconds. */
static int64_t whole(FILE *to, FILE *from, int64_t id, const char *prompt, const char *dir,
                     int64_t *ack_us)
{
    static struct order o;
    static struct report r;
    struct buf b = BUF_INIT(0);
    char *line = NULL;
    size_t cap = 0;
    o.kind = ORDER_JOB;
    o.job = (struct engine_job){.id = id,
                                .attempt = 1,
                                .viewer = "hanako",
                                .style = "noir",
                                .seed = 7,
                                .width = W,
                                .height = H,
                                .frames = FRAMES,
                                .fps = FPS};
    str_copy(o.job.prompt, sizeof o.job.prompt, prompt);
    snprintf(o.job.path, sizeof o.job.path, "%s/%lld.mp4", dir, (long long)id);
    protocol_print_order(&b, &o);
    int64_t began = clock_mono_us();
    fprintf(to, "%s\n", buf_str(&b));
    fflush(to);
    for (ssize_t n; (n = getline(&line, &cap, from)) > 0;) {
        if (protocol_parse_report(line, (size_t)n, &r, NULL) != ERR_OK)
            continue;
        if (r.kind == REPORT_ACK)
            *ack_us = clock_mono_us() - began;
        if (r.kind == REPORT_DONE || r.kind == REPORT_FAILED)
            break;
    }
    free(line);
    buf_free(&b);
    unlink(o.job.path);
    return r.kind == REPORT_DONE ? (clock_mono_us() - began) / 1000 : -1;
}

static void through_the_worker(const char *program, int runs, const char *dir)
{
    int in[2], out[2];
    static struct order config;
    struct buf b = BUF_INIT(0);
    if (pipe(in) || pipe(out))
        return;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    FILE *to = fdopen(in[1], "w"), *from = fdopen(out[0], "r");
    config.kind = ORDER_CONFIG;
    str_copy(config.path, sizeof config.path, dir);
    protocol_print_order(&b, &config);
    fprintf(to, "%s\n", buf_str(&b));
    fflush(to);
    int64_t best = INT64_MAX, sum = 0, ack = 0;
    for (int i = 0; i < runs; i++) {
        int64_t ms = whole(to, from, i + 1, prompts[i % PROMPTS], dir, &ack);
        printf("  %5lld ms  %4.1f times real time  acknowledged in %.2f ms  %s\n", (long long)ms,
               FRAMES * 1000.0 / FPS / (double)ms, (double)ack / 1000, prompts[i % PROMPTS]);
        if (i > 0 && ms < best) /* the first one warms up */
            best = ms;
        sum += i > 0 ? ms : 0;
    }
    if (runs > 1)
        printf("  best %lld ms, mean %lld ms: %.1f times real time\n", (long long)best,
               (long long)(sum / (runs - 1)), FRAMES * 1000.0 / FPS / ((double)sum / (runs - 1)));
    fclose(to);
    fclose(from);
    waitpid(pid, NULL, 0);
    buf_free(&b);
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/sakuga-bench-XXXXXX", path[64];
    if (!mkdtemp(dir))
        return 1;
    chatter_to_log();
    animatic_warm();
    snprintf(path, sizeof path, "%s/parts.mp4", dir);
    printf("%d frames of %dx%d, %.2f s of film; each part alone:\n", FRAMES, W, H,
           (double)FRAMES / FPS);
    for (int i = 0; i < PROMPTS; i++)
        parts(prompts[i], path);
    unlink(path);
    printf("through the worker, drawing and encoding overlapped, with the check:\n");
    through_the_worker(argc > 1 ? argv[1] : "./sakuga-worker", argc > 2 ? atoi(argv[2]) : 7, dir);
    return rmdir(dir) != 0;
}

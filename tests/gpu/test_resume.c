/* A clip that was killed goes on in a process that has its checkpoint and the file of choices, bit
 * for bit, also when it was the first of its shape; where one of the algorithms that it relied on
 * would be another now, or is no longer known, that one is named and it begins anew. The emulated
 * library's candidates differ in the last bits, and which one is the fastest is chance. */
#include "unit/wan/tiny.h"

#include "wan/wan.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { STEPS = 4, SIDE = 32, FRAMES = 5, LONG = 21 };

static char dir[] = "/tmp/sakuga-gpu-resume-XXXXXX";
static char model[100], file[300];

/* What a process that drew leaves behind for the test. */
static struct left {
    uint64_t hash;
    int frames, resumed;
    bool done;
    char notes[1000], choices[2][8000];
} * left; /* shared */

static const struct wan_job still = {.prompt = "a fox",
                                     .width = SIDE,
                                     .height = SIDE,
                                     .frames = FRAMES,
                                     .steps = STEPS,
                                     .guidance = 1,
                                     .seed = 7,
                                     .checkpoint_dir = dir};
static const struct wan_job causal = {.prompt = "a fox",
                                      .width = SIDE,
                                      .height = SIDE,
                                      .frames = LONG,
                                      .sampler = "self-forcing",
                                      .seed = 7,
                                      .checkpoint_dir = dir};

/* ---- in a process of its own ---- */

static int kill_step, kill_frames; /* when so many were seen; 0: never */
static int steps;

static void on_preview(void *user, const struct wan_preview *p)
{
    steps = p->step;
}

static enum err on_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    size_t n = (size_t)p->count * p->bytes;
    for (size_t i = 0; i < n; i++)
        left->hash = (left->hash ^ p->rgb[i]) * UINT64_C(1099511628211);
    left->frames += p->count;
    return ERR_OK;
}

static bool on_stop(void *user)
{
    if ((kill_step && steps >= kill_step) || (kill_frames && left->frames >= kill_frames))
        kill(getpid(), SIGKILL);
    return false;
}

static void on_note(void *user, const char *words)
{
    snprintf(left->notes, sizeof left->notes, "%s", words);
}

static const char *dtype = "f32"; /* convolutions are the library's in bf16 alone */

static struct wan *open_model(void)
{
    const struct wan_setup setup = {.model = model, .device = "cuda", .dtype = dtype};
    struct fault f;
    struct wan *w;
    if (wan_open(&setup, &w, &f)) {
        fprintf(stderr, "%s\n", fault_text(&f));
        _exit(1);
    }
    return w;
}

static void make(struct wan *w, const struct wan_job *job, int clip)
{
    static const struct wan_calls calls = {
        .stop = on_stop, .preview = on_preview, .frames = on_frames, .note = on_note};
    struct wan_made made;
    struct fault f;
    left->hash = 1;
    left->frames = 0;
    if (wan_make(w, job, &calls, &made, &f)) {
        fprintf(stderr, "%s\n", fault_text(&f));
        _exit(1);
    }
    left->resumed = made.resumed;
    snprintf(left->choices[clip], sizeof left->choices[clip], "%s", made.choices);
    if (job->checkpoint_dir)
        unlink(made.checkpoint);
}

/* ---- the tests' end of it ---- */

static void run(void (*draw)(void *), void *what)
{
    int status;
    memset(left, 0, sizeof *left);
    pid_t pid = fork();
    if (!pid) {
        draw(what);
        left->done = true;
        _exit(0);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!left->done && !killed)
        fail_msg("the process that drew ended with %x", status);
}

static void draw_one(void *job)
{
    make(open_model(), job, 0);
}

/* Killed at that step or frame, or not: 0. */
static void draw(const struct wan_job *job, int step, int frames)
{
    struct wan_job copy = *job;
    kill_step = step;
    kill_frames = frames;
    run(draw_one, &copy);
    assert_true(left->done == !(step || frames));
}

/* The whole clip, of what is chosen now; no checkpoint has a part in it. */
static uint64_t whole(const struct wan_job *job)
{
    struct wan_job apart = *job;
    apart.checkpoint_dir = NULL;
    draw(&apart, 0, 0);
    assert_string_equal(left->notes, "");
    return left->hash;
}

static void find_file(void)
{
    char folder[100];
    const struct dirent *e;
    snprintf(folder, sizeof folder, "%s/sakuga", dir);
    DIR *d = opendir(folder);
    assert_non_null(d);
    while ((e = readdir(d)))
        if (e->d_name[0] != '.' && !strstr(e->d_name, ".lock"))
            snprintf(file, sizeof file, "%s/%.100s", folder, e->d_name);
    closedir(d);
}

/* The candidates of all products that the file knows, turned around: 0 is 1 and 1 is 0. */
static void turn_around(void)
{
    static char text[1 << 16];
    int n = 0;
    FILE *f = fopen(file, "r+");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    for (char *at = text; (at = strstr(at, " a product")); at++, n++)
        at[-1] ^= '0' ^ '1';
    rewind(f);
    fputs(text, f);
    fclose(f);
    assert_true(n > 3);
}

static int forget(void **state)
{
    char command[200];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s/sakuga %s/.sakuga-*", dir, dir);
    return system(command);
}

static void test_goes_on(const struct wan_job *job, int step, int frames, const char *words)
{
    draw(job, step, frames);
    draw(job, 0, 0);
    if (!strstr(left->notes, words))
        fail_msg("it did not go on: %s", left->notes);
    uint64_t went_on = left->hash;
    assert_true(left->resumed > 0);
    assert_true(whole(job) == went_on);
    find_file();
    turn_around(); /* had others been chosen, it would be another */
    assert_true(whole(job) != went_on);
}

static void test_the_first_clip(void **state)
{
    (void)state;
    test_goes_on(&still, 2, 0, "goes on after step 2 of 4");
}

static void test_the_first_causal_clip(void **state)
{
    (void)state;
    test_goes_on(&causal, 0, 9, "goes on after block 1 of 2");
}

static void test_another_choice_is_named(void **state)
{
    (void)state;
    draw(&still, 2, 0);
    find_file();
    turn_around();
    draw(&still, 0, 0);
    if (strncmp(left->notes, "begins anew: ", 13) || !strstr(left->notes, ".ckpt: candidate ") ||
        !strstr(left->notes, " of a product ") || !strstr(left->notes, " is now"))
        fail_msg("%s", left->notes);
    assert_int_equal(left->resumed, 0);
    assert_true(whole(&still) == left->hash);
}

static void test_a_lost_choice_is_named(void **state)
{
    (void)state;
    draw(&still, 2, 0);
    find_file();
    assert_int_equal(unlink(file), 0);
    draw(&still, 0, 0);
    if (strncmp(left->notes, "begins anew: ", 13) ||
        !strstr(left->notes, "here none is known any more"))
        fail_msg("%s", left->notes);
    assert_int_equal(left->resumed, 0);
    assert_true(whole(&still) == left->hash);
}

static void draw_two(void *job)
{
    struct wan *w = open_model();
    struct wan_job large = *(const struct wan_job *)job;
    large.width *= 2;
    make(w, &large, 0);
    make(w, job, 1);
}

/* What a clip relied on is the same whether it is the first of its process or comes behind another
 * one, whose text it finds encoded; and of the other's shapes there is none in it. */
static void test_what_it_relied_on(void **state)
{
    static char alone[8000];
    struct wan_job job = still;
    (void)state;
    dtype = "bf16";
    job.prompt = "a fox on the roofs of a town by the sea, at night, in the snow, with lanterns in "
                 "its windows and a train that passes by"; /* so long that products are measured */
    job.checkpoint_dir = NULL;
    kill_step = kill_frames = 0;
    run(draw_two, &job);
    assert_string_not_equal(left->choices[0], left->choices[1]);
    uint64_t hash = left->hash;
    strcpy(alone, left->choices[1]);
    assert_true(whole(&job) == hash);
    assert_string_equal(left->choices[0], alone);
    assert_non_null(strstr(alone, " a product "));
    assert_non_null(strstr(alone, " a convolution "));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_first_clip, forget),
        cmocka_unit_test_setup(test_the_first_causal_clip, forget),
        cmocka_unit_test_setup(test_another_choice_is_named, forget),
        cmocka_unit_test_setup(test_a_lost_choice_is_named, forget),
        cmocka_unit_test_setup(test_what_it_relied_on, forget),
    };
    left = mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!mkdtemp(dir) || left == MAP_FAILED)
        return 1;
    snprintf(model, sizeof model, "%s/model", dir);
    setenv("EMU_EXACT", "1", 1); /* no chance in the last bits but by what is chosen */
    setenv("EMU_CANDIDATES", "1", 1);
    setenv("XDG_CACHE_HOME", dir, 1);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    tiny_t2v(model);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tiny_remove(dir);
    return failed;
}

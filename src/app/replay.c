/* sakuga replay: does a clip's recipe make the same frames again? */
#include "app/modes.h"
#include "app/once.h"
#include "base/json.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a recipe says about how, not what: named when the frames differ. */
static const char *const how[] = {"version", "build"};
static const char *const model_how[] = {"id",      "variant", "stored",  "computed", "device_words",
                                        "runtime", "pixels",  "threads", "tiny"};

static cJSON *recipe_of(const struct paths *p, const char *clip, struct fault *f)
{
    char *text = once_ask(p, "--inspect", clip, f);
    cJSON *o = text ? json_parse(text, strcspn(text, "\n"), f) : NULL;
    if (!text) /* the worker has said why */
        fault_set(f, ERR_NOTFOUND, "%s cannot be drawn again without its recipe", clip);
    free(text);
    return o;
}

static void words(const cJSON *o, const char *key, char *out, size_t size)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (cJSON_IsNumber(v))
        snprintf(out, size, "%.10g", v->valuedouble);
    else
        str_copy(out, size, cJSON_IsString(v) ? v->valuestring : "nothing");
}

static int differing(const cJSON *then, const cJSON *now, const char *const *keys, size_t n)
{
    char a[256], b[256];
    int differ = 0;
    for (size_t i = 0; i < n; i++) {
        words(then, keys[i], a, sizeof a);
        words(now, keys[i], b, sizeof b);
        if (strcmp(a, b)) {
            printf("  %s: \"%s\" then, \"%s\" now\n", keys[i], a, b);
            differ++;
        }
    }
    return differ;
}

static enum err take_loras(const cJSON *model, struct engine_job *j, struct fault *f)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, json_arr(model, "loras"))
    {
        if (j->lora_n == JOB_LORAS_MAX)
            return fault_set(f, ERR_LIMIT, "the recipe names more than %d LoRAs", JOB_LORAS_MAX);
        struct job_lora *l = &j->lora[j->lora_n++];
        str_copy(l->name, sizeof l->name, json_str(v, "name", ""));
        l->weight = json_num(v, "weight", 1);
        l->must = true;
    }
    return ERR_OK;
}

static enum err take_inputs(const cJSON *model, struct engine_job *j, struct fault *f)
{
    const cJSON *list = json_arr(model, "inputs"), *v;
    const char *image = json_str(model, "image", "");
    if (!list && image[0]) { /* a recipe of before */
        j->input[0].role = INPUT_IMAGE;
        str_copy(j->input[0].path, sizeof j->input[0].path, image);
        j->input_n = 1;
    }
    cJSON_ArrayForEach(v, list)
    {
        if (j->input_n == JOB_INPUTS_MAX)
            return fault_set(f, ERR_LIMIT, "the recipe names more than %d inputs", JOB_INPUTS_MAX);
        struct job_input *in = &j->input[j->input_n++];
        in->role = protocol_role(json_str(v, "role", ""));
        if (in->role == INPUT_ROLES)
            return fault_set(f, ERR_VERSION, "the recipe's input \"%.40s\" is not known here",
                             json_str(v, "role", ""));
        str_copy(in->path, sizeof in->path, json_str(v, "path", ""));
    }
    return ERR_OK;
}

/* The files that are others now. */
static int differing_inputs(const cJSON *then, const cJSON *now)
{
    const cJSON *v, *list = json_arr(now, "inputs");
    int i = 0, differ = 0;
    cJSON_ArrayForEach(v, json_arr(then, "inputs"))
    {
        const cJSON *w = list ? cJSON_GetArrayItem(list, i++) : NULL;
        if (strcmp(json_str(v, "sha256", ""), json_str(w, "sha256", ""))) {
            printf("  the %s %s is another file now\n", json_str(v, "role", ""),
                   json_str(v, "path", ""));
            differ++;
        }
    }
    return differ;
}

/* And the LoRAs; what a recipe of before does not say is not compared. */
static int differing_loras(const cJSON *then, const cJSON *now)
{
    const cJSON *v, *list = json_arr(now, "loras");
    int i = 0, differ = 0;
    cJSON_ArrayForEach(v, json_arr(then, "loras"))
    {
        const cJSON *w = list ? cJSON_GetArrayItem(list, i++) : NULL;
        const char *id = json_str(v, "id", "");
        if (id[0] && strcmp(id, json_str(w, "id", ""))) {
            printf("  the LoRA %s is another file now\n", json_str(v, "name", ""));
            differ++;
        }
    }
    return differ;
}

/* The worker has checked the recipe's members; the job is checked once more on its way. */
static enum err job_of(const cJSON *r, struct engine_job *j, struct fault *f)
{
    const cJSON *model = json_obj(r, "model"), *v;
    *j = (struct engine_job){.id = 1, .attempt = 1};
    str_copy(j->prompt, sizeof j->prompt, json_str(r, "prompt", ""));
    str_copy(j->viewer, sizeof j->viewer, json_str(r, "viewer", ""));
    str_copy(j->style, sizeof j->style, json_str(r, "style", ""));
    str_copy(j->negative, sizeof j->negative, json_str(r, "negative", ""));
    str_copy(j->label, sizeof j->label, json_str(r, "label", ""));
    j->seed = strtoull(json_str(r, "seed", "0"), NULL, 10);
    j->width = (int)json_int(r, "width", 0);
    j->height = (int)json_int(r, "height", 0);
    j->frames = (int)json_int(r, "frames", 0);
    j->fps = (int)json_int(r, "fps", 0);
    j->steps = (int)json_int(r, "steps", 0);
    cJSON_ArrayForEach(v, json_arr(r, "palette"))
    {
        if (j->palette_n < 8 && cJSON_IsString(v) && v->valuestring[0] == '#')
            j->palette[j->palette_n++] = (uint32_t)strtoul(v->valuestring + 1, NULL, 16);
    }
    if (!model)
        return ERR_OK;
    j->bare = !j->negative[0]; /* a model's recipe holds what was used */
    j->guidance = json_num(model, "guidance", 0);
    j->shift = json_num(model, "shift", 0);
    j->teacache = json_num(model, "teacache", 0);
    j->tiny = json_str(model, "tiny", "")[0] != '\0';
    j->tile = (int)json_int(model, "tile", 0);
    str_copy(j->sampler, sizeof j->sampler, json_str(model, "sampler", ""));
    enum err e = take_inputs(model, j, f);
    return e ? e : take_loras(model, j, f);
}

static int compare(const struct paths *p, const cJSON *then, const char *clip,
                   const struct once_made *made, struct fault *f)
{
    const char *sha = json_str(then, "sha256", "");
    if (!strcmp(sha, made->sha256)) {
        printf("identical: %d frames, sha256 %s\n", made->frames, sha);
        return 0;
    }
    cJSON *now = recipe_of(p, clip, f);
    printf("the frames differ: sha256 %s then, %s now\n", sha, made->sha256);
    int n = differing(then, now, how, sizeof how / sizeof *how);
    n += differing(json_obj(then, "model"), json_obj(now, "model"), model_how,
                   sizeof model_how / sizeof *model_how);
    n += differing_inputs(json_obj(then, "model"), json_obj(now, "model"));
    n += differing_loras(json_obj(then, "model"), json_obj(now, "model"));
    if (!n)
        puts("  and nothing that the recipe names does");
    cJSON_Delete(now);
    return 1;
}

static int replay(const struct paths *p, const struct clip_options *c, const cJSON *recipe,
                  const char *dir)
{
    static struct engine_job job;
    struct once_made made;
    struct fault f = {0};
    char path[PATH_LEN];
    const cJSON *model = json_obj(recipe, "model");
    struct once once = {.paths = p,
                        .engine = json_str(recipe, "engine", "animatic"),
                        .model = c->model ? c->model : json_str(model, "path", ""),
                        .device = json_str(model, "device", "auto"),
                        .dtype = json_str(model, "computed", "auto"),
                        .threads = (int)json_int(model, "threads", 0),
                        .job = &job};
    snprintf(path, sizeof path, "%.900s/replay.mp4", dir);
    enum err e = job_of(recipe, &job, &f);
    e = e ? e : once_path(&job, c->out ? c->out : path, &f);
    e = e ? e : once_draw(&once, &made, &f);
    int code = e ? 1 : compare(p, recipe, job.path, &made, &f);
    if (e)
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
    if (!c->out)
        unlink(job.path);
    return code;
}

/* With the checkpoint of a clip that did not come to its end. */
static void remove_folder(const char *dir)
{
    char path[PATH_LEN];
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (!path_join(path, sizeof path, dir, e->d_name))
            unlink(path);
    if (d)
        closedir(d);
    rmdir(dir);
}

int mode_replay(const struct options *o)
{
    static struct paths paths;
    struct clip_options c;
    struct fault f = {0};
    char dir[PATH_LEN];
    const char *tmp = getenv("TMPDIR");
    enum err e = options_clip(&c, VERB_REPLAY, o->arg_count, o->args, &f);
    if (!e && !c.file)
        e = fault_set(&f, ERR_USAGE, "usage: sakuga replay CLIP.mp4 [--model DIR] [-o FILE]");
    e = e ? e : paths_init(&paths, o->config, o->data, &f);
    cJSON *recipe = e ? NULL : recipe_of(&paths, c.file, &f);
    snprintf(dir, sizeof dir, "%.500s/sakuga-replay-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (recipe && !mkdtemp(dir))
        e = fault_set(&f, ERR_IO, "cannot make %s: %s", dir, strerror(errno));
    if (e || !recipe) {
        if (f.text[0])
            fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        cJSON_Delete(recipe);
        return e == ERR_USAGE ? 2 : 1;
    }
    int code = replay(&paths, &c, recipe, dir);
    remove_folder(dir);
    cJSON_Delete(recipe);
    return code;
}

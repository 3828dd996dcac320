#include "worker/inputs.h"

#include "media/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum err sum(const char *path, char out[65], struct fault *f)
{
    unsigned char piece[16384];
    size_t n;
    FILE *file = fopen(path, "rb");
    struct digest *d = file ? digest_new() : NULL;
    enum err e = ERR_OK;
    while (d && (n = fread(piece, 1, sizeof piece, file)) > 0)
        digest_add(d, piece, n);
    if (!file || ferror(file))
        e = fault_set(f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "cannot read %s: %s", path,
                      strerror(errno));
    else if (!d)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    else
        digest_hex(d, out);
    digest_free(d);
    if (file)
        fclose(file);
    return e;
}

static enum err twice(const struct job_input *in, struct fault *f)
{
    return fault_set(f, ERR_INVAL, "a second %s: %s; there can be one only",
                     protocol_role_name(in->role), in->path);
}

static struct wan_picture picture(const struct frames *p)
{
    return (struct wan_picture){p->rgb, p->width, p->height};
}

static enum err take(struct inputs *in, const struct engine_job *j, int i, struct wan_job *to,
                     struct fault *f)
{
    const struct job_input *from = &j->input[i];
    struct frames *p = &in->frames[i];
    enum err e;
    switch (from->role) {
    case INPUT_IMAGE:
        if (to->image)
            return twice(from, f);
        e = frames_picture(from->path, p, f);
        in->image = picture(p);
        to->image = &in->image;
        return e;
    case INPUT_LAST_IMAGE:
        if (to->last)
            return twice(from, f);
        e = frames_picture(from->path, p, f);
        in->last = picture(p);
        to->last = &in->last;
        return e;
    case INPUT_ROLES:
        break;
    }
    return ERR_OK;
}

enum err inputs_read(struct inputs *in, const struct engine_job *j, struct wan_job *to,
                     struct fault *f)
{
    enum err e = ERR_OK;
    memset(in, 0, sizeof *in);
    for (int i = 0; i < j->input_n && !e; i++) {
        e = sum(j->input[i].path, in->sha256[i], f);
        e = e ? e : take(in, j, i, to, f);
    }
    return e;
}

void inputs_free(struct inputs *in)
{
    for (int i = 0; i < JOB_INPUTS_MAX; i++)
        frames_free(&in->frames[i]);
}

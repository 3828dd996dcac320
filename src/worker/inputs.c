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

static enum err video(const struct engine_job *j, int i, int most, struct inputs *in,
                      struct fault *f)
{
    return frames_video(j->input[i].path, j->width, j->height, most, WAN_FPS, &in->frames[i], f);
}

/* Of a mask one byte a pixel is left, in its own place. The source's length decides. */
static enum err take_mask(struct inputs *in, const struct engine_job *j, int i, struct fault *f)
{
    struct frames *p = &in->frames[i];
    int most = j->frames;
    for (int k = 0; k < j->input_n; k++)
        if (j->input[k].role == INPUT_SOURCE)
            most = in->frames[k].count;
    enum err e = video(j, i, most, in, f);
    size_t n = (size_t)p->count * (size_t)p->width * (size_t)p->height;
    for (size_t k = 0; !e && k < n; k++)
        p->rgb[k] = (uint8_t)((p->rgb[3 * k] + p->rgb[3 * k + 1] + p->rgb[3 * k + 2]) / 3);
    in->mask = (struct wan_mask){p->rgb, p->count, p->width, p->height};
    return e;
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
    case INPUT_SOURCE:
        if (to->source)
            return twice(from, f);
        e = video(j, i, j->frames, in, f);
        in->source = (struct wan_video){p->rgb, p->count, p->width, p->height};
        to->source = &in->source;
        return e;
    case INPUT_MASK:
        if (to->mask)
            return twice(from, f);
        to->mask = &in->mask;
        return take_mask(in, j, i, f);
    case INPUT_CONTROL:
        if (to->control)
            return twice(from, f);
        e = video(j, i, j->frames, in, f);
        in->control = (struct wan_video){p->rgb, p->count, p->width, p->height};
        to->control = &in->control;
        return e;
    case INPUT_REFERENCE:
        e = frames_picture(from->path, p, f);
        in->reference[to->reference_n++] = picture(p);
        to->reference = in->reference;
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
    for (int i = 0; i < j->input_n && !e; i++)
        e = sum(j->input[i].path, in->sha256[i], f);
    for (int i = 0; i < j->input_n && !e; i++)
        if (j->input[i].role != INPUT_MASK)
            e = take(in, j, i, to, f);
    for (int i = 0; i < j->input_n && !e; i++)
        if (j->input[i].role == INPUT_MASK) /* whose source is there now */
            e = take(in, j, i, to, f);
    return e;
}

void inputs_free(struct inputs *in)
{
    for (int i = 0; i < JOB_INPUTS_MAX; i++)
        frames_free(&in->frames[i]);
}

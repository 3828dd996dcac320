/* What a job may ask of a model, and what it means where it says nothing. */
#include "wan/preset.h"
#include "wan/wan_inside.h"

#include <math.h>
#include <string.h>

void job_defaults(const struct wan *w, struct wan_job *j)
{
    const struct wan_info *i = &w->info;
    const struct preset *preset = preset_find(j->sampler);
    if (preset) { /* its steps are its own */
        j->steps = preset->steps;
        j->guidance = j->guidance == 0 ? 1 : j->guidance;
        j->shift = 1;
    }
    j->negative = j->negative ? j->negative : wan_negative(w);
    j->width = j->width ? j->width : 832;
    j->height = j->height ? j->height : 480;
    j->frames = j->frames ? j->frames : 81;
    if (j->steps == 0)
        j->steps = i->image && !i->control && !i->last_image ? 40 : 50;
    if (j->guidance == 0)
        j->guidance = i->last_image ? 5.5 : 5;
    if (j->guide_from == 0 && j->guide_to == 0)
        j->guide_to = 1;
    if (j->shift == 0)
        j->shift = i->last_image || i->vace                                                ? 16
                   : i->image && !i->control && (int64_t)j->width * j->height <= 832 * 480 ? 3
                                                                                           : 5;
    j->sampler = j->sampler ? j->sampler : sampler_name(SAMPLER_UNIPC);
    j->live = j->live && preset && preset->block; /* only a causal clip can */
    j->checkpoint_every = j->checkpoint_every > 0 ? j->checkpoint_every : 1;
}

static enum err check_picture(const struct wan_picture *p, struct fault *f)
{
    if (p && (p->width < 1 || p->height < 1 || p->width > 16384 || p->height > 16384))
        return fault_set(f, ERR_INVAL, "a picture of %d x %d is not possible", p->width, p->height);
    return ERR_OK;
}

static enum err check_pictures(const struct wan *w, const struct wan_job *j, struct fault *f)
{
    if (w->info.image && !w->info.control && !j->image)
        return fault_set(f, ERR_INVAL, "%s draws from a picture; name one", w->info.variant);
    if (!w->info.image && (j->image || j->last))
        return fault_set(f, ERR_INVAL, "%s takes no picture; an i2v model does%s", w->info.variant,
                         w->info.vace ? ". This one takes references" : "");
    if (w->info.last_image != (j->last != NULL))
        return fault_set(f, ERR_INVAL, "%s takes %s last picture", w->info.variant,
                         w->info.last_image ? "a" : "no");
    enum err e = check_picture(j->image, f);
    return e ? e : check_picture(j->last, f);
}

/* `what` of so many frames and that size must be the clip's. */
static enum err check_video(const char *what, int frames, int width, int height,
                            const struct wan_job *j, struct fault *f)
{
    if (width != j->width || height != j->height)
        return fault_set(f, ERR_INVAL, "the %s is %d x %d, the clip %d x %d; they must agree", what,
                         width, height, j->width, j->height);
    if (frames < 1 || frames > j->frames)
        return fault_set(f, ERR_INVAL, "the %s has %d frames; 1 to %d are possible", what, frames,
                         j->frames);
    return ERR_OK;
}

static enum err check_source(const struct wan *w, const struct wan_job *j, struct fault *f)
{
    const struct wan_mask *m = j->mask;
    enum err e = ERR_OK;
    if (!w->info.vace && (j->source || m))
        return fault_set(f, ERR_INVAL, "%s takes no source video; a vace model does",
                         w->info.variant);
    if (!w->info.control && j->control)
        return fault_set(f, ERR_INVAL, "%s takes no control video; a fun-control model does",
                         w->info.variant);
    if (j->control)
        e = check_video("control video", j->control->frames, j->control->width, j->control->height,
                        j, f);
    if (m && !j->source)
        return fault_set(f, ERR_INVAL, "a mask needs a source that it is for");
    if (j->source)
        e = check_video("source", j->source->frames, j->source->width, j->source->height, j, f);
    if (!e && m)
        e = check_video("mask", m->frames, m->width, m->height, j, f);
    if (!e && m && m->frames != 1 && m->frames != j->source->frames)
        return fault_set(f, ERR_INVAL,
                         "the mask has %d frames, the source %d; one is for all, or each has its "
                         "own",
                         m->frames, j->source->frames);
    return e;
}

static enum err check_references(const struct wan *w, const struct wan_job *j, struct fault *f)
{
    int most = w->info.vace ? WAN_REFERENCES_MAX : w->info.reference;
    if (j->reference_n && !most)
        return fault_set(f, ERR_INVAL,
                         "%s takes no references; a vace or a fun-control V1.1 model does",
                         w->info.variant);
    if (j->reference_n < 0 || j->reference_n > most)
        return fault_set(f, ERR_INVAL, "%d references are not possible; use up to %d",
                         j->reference_n, most);
    enum err e = ERR_OK;
    for (int i = 0; i < j->reference_n && !e; i++)
        e = check_picture(&j->reference[i], f);
    return e;
}

static enum err check_turns(const struct wan_job *j, struct fault *f)
{
    if (j->turn_n < 0 || j->turn_n > WAN_TURNS_MAX)
        return fault_set(f, ERR_INVAL, "%d changes of prompt are not possible; use up to %d",
                         j->turn_n, WAN_TURNS_MAX);
    for (int i = 0; i < j->turn_n; i++) {
        int before = i ? j->turn[i - 1].frame : 0;
        if (!j->turn[i].prompt || j->turn[i].frame <= before || j->turn[i].frame >= j->frames)
            return fault_set(f, ERR_INVAL,
                             "a change of prompt at frame %d is not possible; they go up, from 1 "
                             "to %d",
                             j->turn[i].frame, j->frames - 1);
    }
    return ERR_OK;
}

enum err job_schedule(const struct wan_job *j, enum sampler_kind *kind, struct schedule *s,
                      struct fault *f)
{
    const struct preset *preset = preset_find(j->sampler);
    if (preset) {
        *kind = preset->sampler;
        return schedule_list(s, preset->sigma, preset->steps, f);
    }
    if (!sampler_parse(j->sampler, kind))
        return fault_set(f, ERR_INVAL,
                         "there is no sampler %.40s; one of: unipc dpm++ euler lcm, or of a "
                         "distilled model: lightx2v self-forcing causvid",
                         j->sampler);
    if (j->sigmas)
        return schedule_list(s, j->sigmas, j->steps, f);
    return j->simple ? schedule_simple(s, j->steps, j->shift, f)
                     : schedule_flow(s, *kind, j->steps, j->shift, f);
}

static enum err check_sampler(const struct wan *w, const struct wan_job *j, struct fault *f)
{
    const struct preset *preset = preset_find(j->sampler);
    enum sampler_kind kind;
    struct schedule s;
    enum err e = job_schedule(j, &kind, &s, f);
    if (e)
        return e;
    if (j->turn_n && (!preset || !preset->block))
        return fault_set(f, ERR_INVAL,
                         "only a causal clip (self-forcing, causvid) can change its prompt");
    if (!preset || !preset->block)
        return ERR_OK;
    if (w->config.in != VAE_Z || w->info.vace)
        return fault_set(f, ERR_INVAL, "%s makes text-to-video models causal; this is %s",
                         preset->name, w->info.variant);
    int made = (j->frames + 3) / 4, blocks = (made + preset->block - 1) / preset->block;
    if (made % preset->block)
        return fault_set(f, ERR_INVAL,
                         "%s makes blocks of %d frames, the first of %d: use %d frames, not %d",
                         preset->name, preset->block * VAE_TIME, preset->block * VAE_TIME - 3,
                         blocks * preset->block * VAE_TIME - 3, j->frames);
    if (j->guidance != 1 || j->sigmas || j->simple)
        return fault_set(f, ERR_INVAL, "%s has its own steps and no guidance", preset->name);
    if (j->teacache > 0 || j->tile)
        return fault_set(f, ERR_INVAL,
                         "%s has too few steps for TeaCache, and its frames leave as they come: "
                         "without tiles",
                         preset->name);
    return ERR_OK;
}

enum err job_size(const struct wan_job *j, struct fault *f)
{
    if (j->width < 16 || j->height < 16 || j->width > WAN_WIDTH_MAX || j->height > WAN_HEIGHT_MAX ||
        j->width % 16 || j->height % 16)
        return fault_set(f, ERR_INVAL,
                         "a size of %d x %d is not possible; use multiples of 16 up to %d x %d",
                         j->width, j->height, WAN_WIDTH_MAX, WAN_HEIGHT_MAX);
    if (j->frames < 1 || j->frames > WAN_FRAMES_MAX || j->frames % 4 != 1)
        return fault_set(f, ERR_INVAL, "%d frames are not possible; use 1, 5, 9 … up to %d",
                         j->frames, WAN_FRAMES_MAX);
    return ERR_OK;
}

enum err wan_job_complete(const struct wan *w, struct wan_job *j, struct fault *f)
{
    enum err e = wan_ready(w, f);
    if (e)
        return e;
    job_defaults(w, j);
    if (!j->prompt)
        return fault_set(f, ERR_INVAL, "a clip needs a prompt");
    if ((e = job_size(j, f)))
        return e;
    if (!(fabs(j->guidance) <= 100))
        return fault_set(f, ERR_INVAL, "a guidance of %g is not possible", j->guidance);
    if (!(j->guide_from >= 0 && j->guide_from <= j->guide_to && j->guide_to <= 1))
        return fault_set(f, ERR_INVAL, "guidance from %g to %g of the steps is not possible",
                         j->guide_from, j->guide_to);
    if (j->zero_init && (j->zero_init < 0 || j->zero_init >= j->steps || j->teacache > 0 ||
                         preset_find(j->sampler)))
        return fault_set(f, ERR_INVAL,
                         "%d first steps without a velocity are not possible; use 1 or 2, without "
                         "TeaCache and with no distilled model",
                         j->zero_init);
    if ((e = check_sampler(w, j, f)) || (e = check_turns(j, f)))
        return e;
    if (!(j->teacache >= 0 && isfinite(j->teacache)))
        return fault_set(f, ERR_INVAL, "a TeaCache threshold of %g is not possible", j->teacache);
    if (j->tiny && (e = wan_ready_tiny(w, f)))
        return e;
    if (j->tiny && j->tile)
        return fault_set(f, ERR_INVAL, "the tiny decoder needs no tiles; leave one of them out");
    if (j->tile && (j->tile < 64 || j->tile % 32))
        return fault_set(f, ERR_INVAL, "tiles of %d pixels are not possible; use multiples of 32",
                         j->tile);
    if (j->lora_n < 0 || j->lora_n > WAN_LORAS_MAX)
        return fault_set(f, ERR_INVAL, "%d LoRAs are not possible; use up to %d", j->lora_n,
                         WAN_LORAS_MAX);
    for (int i = 0; i < j->lora_n; i++)
        if (!j->lora[i].path || !isfinite(j->lora[i].strength) ||
            strlen(j->lora[i].path) >= PATH_LEN)
            return fault_set(f, ERR_INVAL, "LoRA %d has no path or no strength", i + 1);
    e = check_pictures(w, j, f);
    e = e ? e : check_source(w, j, f);
    return e ? e : check_references(w, j, f);
}

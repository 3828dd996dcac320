/* Tiny checkpoints of models that none is published of: another one's, with tensors of pseudorandom
 * numbers added or put in place of its own. */
#ifndef SAKUGA_TESTS_UNIT_WAN_GRAFT_H
#define SAKUGA_TESTS_UNIT_WAN_GRAFT_H

#include "wan/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct graft {
    const char *name;
    int rank;
    int64_t dim[WEIGHTS_RANK];
};

/* What makes another model of the tiny image-to-video one (width 128, 17 CLIP tokens of 80). */
static const struct graft_kind {
    const char *kind;
    struct graft part[5];
} graft_kinds[] = {
    {"flf2v", {{"img_emb.emb_pos", 3, {1, 34, 80}}}},
    {"control", {{"patch_embedding.weight", 5, {128, 48, 1, 2, 2}}}},
    {"control-ref",
     {{"patch_embedding.weight", 5, {128, 48, 1, 2, 2}},
      {"ref_conv.weight", 4, {128, 16, 2, 2}},
      {"ref_conv.bias", 1, {128}}}},
    {"camera",
     {{"patch_embedding.weight", 5, {128, 32, 1, 2, 2}},
      {"control_adapter.conv.weight", 4, {128, 384, 2, 2}}}},
};

static inline int64_t graft_count(const struct graft *g)
{
    int64_t n = 1;
    for (int i = 0; i < g->rank; i++)
        n *= g->dim[i];
    return n;
}

static inline void graft_head(FILE *to, const char *name, int rank, const int64_t *dim, int64_t n,
                              int64_t *at)
{
    fprintf(to, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", *at ? "," : "", name);
    for (int i = 0; i < rank; i++)
        fprintf(to, "%s%lld", i ? "," : "", (long long)dim[i]);
    fprintf(to, "],\"data_offsets\":[%lld,%lld]}", (long long)*at, (long long)(*at + 4 * n));
    *at += 4 * n;
}

/* Numbers in ±1/√inputs. */
static inline void graft_noise(float *out, int64_t n, int64_t inputs)
{
    uint32_t seed = 12345;
    float by = 1;
    while ((int64_t)(by * by) < inputs)
        by++;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = ((float)(seed >> 8) / 8388608.0f - 1) / by;
    }
}

/* The tensors of `from` (NULL: none), with `part` in their place or beside them. */
static inline bool graft_write(const char *from, const struct graft *part, const char *to)
{
    struct weights *w = NULL;
    FILE *head = tmpfile(), *out = fopen(to, "wb");
    bool ok = head && out && (from ? !weights_open(from, &w, NULL) : (w = weights_new()) != NULL);
    int64_t at = 0;
    for (int pass = 0; ok && pass < 2; pass++) {
        if (pass) { /* the header stands before the numbers */
            fputc('}', head);
            uint64_t length = (uint64_t)ftell(head);
            ok = fwrite(&length, sizeof length, 1, out) == 1;
            rewind(head);
            for (int c; (c = fgetc(head)) != EOF;)
                fputc(c, out);
        } else {
            fputc('{', head);
        }
        for (int i = 0; i < w->n; i++) {
            const struct wtensor *t = &w->t[i];
            bool gone = false;
            for (int k = 0; part[k].name; k++)
                gone = gone || !strcmp(part[k].name, t->name);
            if (gone)
                continue;
            float *v = malloc((size_t)t->count * sizeof *v);
            wtensor_widen(t, v);
            if (!pass)
                graft_head(head, t->name, t->rank, t->dim, t->count, &at);
            else
                ok = fwrite(v, sizeof *v, (size_t)t->count, out) == (size_t)t->count && ok;
            free(v);
        }
        for (int k = 0; part[k].name; k++) {
            int64_t n = graft_count(&part[k]);
            float *v = malloc((size_t)n * sizeof *v);
            graft_noise(v, n, n / part[k].dim[0]);
            if (!pass)
                graft_head(head, part[k].name, part[k].rank, part[k].dim, n, &at);
            else
                ok = fwrite(v, sizeof *v, (size_t)n, out) == (size_t)n && ok;
            free(v);
        }
    }
    weights_free(w);
    if (head)
        fclose(head);
    if (out)
        ok = fclose(out) == 0 && ok;
    return ok;
}

/* False: a file cannot be read or written, or there is no such kind. */
static inline bool graft(const char *from, const char *to, const char *kind)
{
    for (size_t i = 0; i < sizeof graft_kinds / sizeof *graft_kinds; i++)
        if (!strcmp(kind, graft_kinds[i].kind))
            return graft_write(from, graft_kinds[i].part, to);
    return false;
}

/* A tiny decoder (wan/tae.h) of a few channels. */
static inline bool graft_decoder(const char *to)
{
    static const int widths[] = {8, 6, 4, 4};
    static char names[80][40];
    struct graft part[80] = {{.name = NULL}};
    int n = 0;
#define GRAFT(rank_, a, b, k, ...)                                                                 \
    (snprintf(names[n], sizeof names[n], __VA_ARGS__),                                             \
     part[n] = (struct graft){names[n], rank_, {a, b, k, k}}, n++)
    GRAFT(4, widths[0], 16, 3, "decoder.1.weight");
    GRAFT(1, widths[0], 1, 1, "decoder.1.bias");
    for (int s = 0; s < 3; s++) {
        int at = 3 + 6 * s, c = widths[s];
        for (int b = 0; b < 9; b++) {
            GRAFT(4, c, b % 3 ? c : 2 * c, 3, "decoder.%d.conv.%d.weight", at + b / 3, b % 3 * 2);
            GRAFT(1, c, 1, 1, "decoder.%d.conv.%d.bias", at + b / 3, b % 3 * 2);
        }
        GRAFT(4, s ? 2 * c : c, c, 1, "decoder.%d.conv.weight", at + 4);
        GRAFT(4, widths[s + 1], c, 3, "decoder.%d.weight", at + 5);
    }
    GRAFT(4, 3, widths[3], 3, "decoder.22.weight");
    GRAFT(1, 3, 1, 1, "decoder.22.bias");
#undef GRAFT
    return graft_write(NULL, part, to);
}

#endif

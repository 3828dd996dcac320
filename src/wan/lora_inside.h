/* wan/lora_inside: a LoRA's file after it was matched, for lora.c, which matches, and lora_apply.c,
 * which changes weights by it. */
#ifndef SAKUGA_WAN_LORA_INSIDE_H
#define SAKUGA_WAN_LORA_INSIDE_H

#include "wan/lora.h"

#define NAME_LEN 256

enum role {
    ROLE_DOWN,  /* [rank, in] */
    ROLE_UP,    /* [out, rank] */
    ROLE_MID,   /* [rank, rank, kernel...] of a LoCon; down sees one tap then: [rank, channels] */
    ROLE_ALPHA, /* one number */
    ROLE_DORA,  /* the length of each row [out] or [out, 1], or of each input channel [1, in] */
    ROLE_DIFF,
    ROLE_DIFF_BIAS,
    ROLE_DIFF_MODULATION, /* of a block's modulation, or the head's */
    ROLE_SET,             /* the whole weight */
    ROLE_COUNT
};

/* What a LoRA does to one module of the model. */
struct delta {
    char *module; /* canonical, without the last part of its tensors' names */
    const struct wtensor *role[ROLE_COUNT];
};

struct lora {
    struct weights *file;
    struct delta *delta; /* sorted by module */
    int n, cap, skipped, matched;
};

/* For qsort() and bsearch() over deltas. */
int lora_by_module(const void *a, const void *b);
/* A length for each row? Else for each input channel. */
bool lora_dora_by_rows(const struct wtensor *dora, int64_t out);

#endif

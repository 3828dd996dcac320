/* wan/lora: small changes to a model, in every style of the wild (spec 8).
 *
 * A set holds opened LoRA files with a strength each. Keys are matched to the tensors of the model
 * they will change; what does not fit (a module that the model lacks, another shape, an alpha
 * alone) is left out and counted; a change of an unknown kind (LoHa, LoKr) is refused by its name.
 * A set is a patcher: weights are changed on their way from the file to the device,
 *
 *     W' = W + Σ strength·(alpha/rank)·up·down + strength·diff
 *
 * (.diff of a weight, .diff_b of a bias, .diff_m of a block's or the head's modulation)
 * with up·mid·down of a LoCon, with W + strength·(m·(W+ΔW)/‖W+ΔW‖ − W) of a DoRA, and with
 * W + strength·(set_weight − W), file after file in the order of the set,
 *
 * so the base is never copied, and a switch loads again only what the old or new set touches. */
#ifndef SAKUGA_WAN_LORA_H
#define SAKUGA_WAN_LORA_H

#include "wan/load.h"

struct lora;     /* one file, matched to a model */
struct lora_set; /* several, with strengths */

/* `model`: canonical names of the transformer that will be changed; borrowed until lora_free(). */
enum err lora_open(const char *path, const struct weights *model, struct lora **out,
                   struct fault *f);
void lora_free(struct lora *l);
int lora_matched(const struct lora *l);   /* tensors of the model that it changes */
int lora_skipped(const struct lora *l);   /* keys left out */
uint64_t lora_mark(const struct lora *l); /* files_mark() of it */

#define LORA_SET_MAX 16
struct lora_set {
    const struct lora *lora[LORA_SET_MAX];
    double strength[LORA_SET_MAX];
    int n;
};

/* For dit_open(): reads the set at each load, so the set may change before dit_reload(). */
struct patcher lora_patcher(struct lora_set *set);
/* For dit_reload(): does any LoRA of the set (strength 0 too) touch this tensor? */
bool lora_touches(void *set, const char *name);

#endif

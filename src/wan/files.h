/* wan/files: which file of a model folder is what.
 *
 * Files are told by the tensors in them, never by their names, but for one that cannot be read: a
 * folder in any of the three layouts (original, ComfyUI's, diffusers'), or with a mixture of them,
 * opens alike. Where one network is there twice, safetensors go before .pth. One thread. */
#ifndef SAKUGA_WAN_FILES_H
#define SAKUGA_WAN_FILES_H

#include "base/path.h"
#include "wan/weights.h"

enum files_role { FILES_DIT, FILES_T5, FILES_VAE, FILES_CLIP, FILES_TINY, FILES_ROLES };

struct files {
    char folder[PATH_LEN];
    char path[FILES_ROLES][PATH_LEN];     /* "" none */
    struct weights *weights[FILES_ROLES]; /* opened, canonical names; NULL none */
    char tokenizer[PATH_LEN];             /* spiece.model or tokenizer.json, "" none */
    char broken[440]; /* why weight files could not be read, "" none: it may be what is missing */
    char broken_tiny[320]; /* the same of one that is called as tiny decoders are, "tae…" */
};

/* `model`: a folder, or the transformer's file, with the others beside it or one folder up. Only
 * the transformer must be there. On failure nothing is left open. */
enum err files_find(const char *model, struct files *out, struct fault *f);
void files_close(struct files *s);

/* "transformer", "text encoder", "VAE", "CLIP vision", "tiny decoder" */
const char *files_role_name(enum files_role role);

/* Opens one network whatever it is; its names become canonical. FILES_ROLES: none of ours. */
enum err files_open(const char *path, struct weights **out, enum files_role *role, struct fault *f);

/* The path below `folder`, or the whole of it. */
const char *files_short(const struct files *s, const char *path);

/* A fingerprint of names, types, shapes, and some bytes of every tensor. */
uint64_t files_mark(const struct weights *w, uint64_t before);

#endif

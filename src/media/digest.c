#include "media/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct digest {
    EVP_MD_CTX *sha;
};

struct digest *digest_new(void)
{
    struct digest *d = calloc(1, sizeof *d);
    if (d && (d->sha = EVP_MD_CTX_new()) && EVP_DigestInit_ex(d->sha, EVP_sha256(), NULL))
        return d;
    digest_free(d);
    return NULL;
}

void digest_add(struct digest *d, const void *p, size_t n)
{
    EVP_DigestUpdate(d->sha, p, n);
}

void digest_hex(const struct digest *d, char out[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE] = {0};
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    if (copy && EVP_MD_CTX_copy_ex(copy, d->sha))
        EVP_DigestFinal_ex(copy, sum, NULL);
    EVP_MD_CTX_free(copy);
    for (int i = 0; i < 32; i++)
        snprintf(out + i * 2, 3, "%02x", sum[i]);
}

void digest_free(struct digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->sha);
    free(d);
}

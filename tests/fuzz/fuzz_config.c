/* show.lua and secrets.conf. */
#include "app/config.h"
#include "app/keyline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct config c;
    struct fault f = {0};
    char *text = malloc(n + 1);
    memcpy(text, data, n);
    text[n] = '\0';
    config_defaults(&c);
    if (config_parse(&c, text, n, "show.lua", "/tmp", &f) && !f.text[0])
        abort(); /* a refusal says why */
    config_defaults(&c);
    config_parse_secrets(&c, text, "secrets.conf", &f);
    keyline_find(text, "chat[1].url");
    free(text);
    return 0;
}

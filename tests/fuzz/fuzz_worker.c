/* What console and worker say to each other, and the recipe inside a clip. */
#include "engine/protocol.h"
#include "media/recipe.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct order o;
    static struct report r;
    static struct recipe recipe;
    struct picture_head head;
    struct fault f = {0};
    struct buf b = BUF_INIT(0);
    const char *text = (const char *)data;
    if (!protocol_parse_order(text, n, &o, &f)) {
        struct order again;
        if (!protocol_print_order(&b, &o) || protocol_parse_order(b.data, b.len, &again, &f))
            abort(); /* what was understood can be said */
    }
    buf_reset(&b);
    if (!protocol_parse_report(text, n, &r, &f))
        protocol_print_report(&b, &r);
    buf_reset(&b);
    if (!recipe_parse(text, n, &recipe, &f))
        recipe_print(&b, &recipe);
    if (n >= PICTURE_HEADER)
        protocol_get_head(data, &head, &f);
    buf_free(&b);
    return 0;
}

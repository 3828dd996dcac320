/* Messages of an OBS, and JSON in general. */
#include "base/json.h"
#include "obs/wire.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct wire w = {0};
    struct fault f = {0};
    if (!wire_parse(&w, (const char *)data, n, &f))
        wire_free(&w);
    cJSON *v = json_parse((const char *)data, n, &f);
    if (v) {
        struct buf b = BUF_INIT(0);
        if (json_print(&b, v, true) && (!b.len || b.data[b.len - 1] != '\n'))
            abort();
        buf_free(&b);
    }
    cJSON_Delete(v);
    return 0;
}

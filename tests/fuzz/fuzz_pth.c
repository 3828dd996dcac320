/* A torch archive; and, where the input is no zip, the pickle of one that has two storages of 64
 * bytes, so that mutations reach the pickle machine. */
#include "fuzz_wan.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void put(struct buf *b, uint64_t v, int bytes)
{
    for (; bytes--; v >>= 8)
        buf_addc(b, (char)(v & 0xff));
}

static void add(struct buf *zip, struct buf *directory, const char *name, const void *bytes,
                size_t n)
{
    size_t at = zip->len, name_n = strlen(name);
    buf_add(zip, "PK\3\4", 4);
    put(zip, 0, 22);
    put(zip, name_n, 2);
    put(zip, 0, 2);
    buf_adds(zip, name);
    buf_add(zip, bytes, n);
    buf_add(directory, "PK\1\2", 4);
    put(directory, 0, 16);
    put(directory, n, 4);
    put(directory, n, 4);
    put(directory, name_n, 2);
    put(directory, 0, 12);
    put(directory, at, 4);
    buf_adds(directory, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char storage[64];
    struct buf zip = BUF_INIT(0), directory = BUF_INIT(0);
    if (n >= 2 && !memcmp(data, "PK", 2)) {
        fuzz_read(data, n, pth_read);
        return 0;
    }
    add(&zip, &directory, "a/data.pkl", data, n);
    add(&zip, &directory, "a/data/0", storage, sizeof storage);
    add(&zip, &directory, "a/data/1", storage, sizeof storage);
    size_t at = zip.len;
    buf_add(&zip, directory.data, directory.len);
    buf_add(&zip, "PK\5\6", 4);
    put(&zip, 0, 4);
    put(&zip, 3, 2);
    put(&zip, 3, 2);
    put(&zip, directory.len, 4);
    put(&zip, at, 4);
    put(&zip, 0, 2);
    char *exact = malloc(zip.len);
    memcpy(exact, zip.data, zip.len);
    fuzz_read(exact, zip.len, pth_read);
    free(exact);
    buf_free(&zip);
    buf_free(&directory);
    return 0;
}

/* The index of a sharded checkpoint. Beside it lies one shard, a.safetensors, with tensors a and b.
 */
#include "fuzz_wan.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[32], shard[64], index_path[64];

static void clean_up(void)
{
    unlink(shard);
    unlink(index_path);
    rmdir(dir);
}

static void write_file(const char *path, const void *head, size_t head_n, const void *data,
                       size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, head, head_n) < 0 || write(fd, data, n) < 0)
        abort();
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char header[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                 "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}ab";
    static const uint64_t length = sizeof header - 3;
    struct weights *w = NULL;
    struct fault f = {0};
    if (!*shard) {
        snprintf(dir, sizeof dir, "%s/fuzz_index.XXXXXX",
                 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
        if (!mkdtemp(dir))
            abort();
        snprintf(shard, sizeof shard, "%s/a.safetensors", dir);
        snprintf(index_path, sizeof index_path, "%s/m.index.json", dir);
        write_file(shard, &length, sizeof length, header, sizeof header - 1);
        atexit(clean_up);
    }
    write_file(index_path, "", 0, data, n);
    if (!weights_open(index_path, &w, &f)) {
        fuzz_use(w);
        weights_free(w);
    } else if (!*f.text) {
        abort();
    }
    return 0;
}

/* Clips with LoRAs: one, two, none, and one that was trained on; the base stays what it is. */
#include "unit/wan/home.h"

static void test_loras(void **state)
{
    struct wan_job job = home_job("euler");
    char a[1024], b[1024];
    const char *src = getenv("srcdir");
    uint64_t base = seen_whole(&job);
    (void)state;
    snprintf(a, sizeof a, "%s/tests/wan/open/lora/kohya.safetensors", src ? src : "..");
    snprintf(b, sizeof b, "%s/tests/wan/open/lora/comfy.safetensors", src ? src : "..");
    job.lora[0] = (struct wan_lora){a, 1};
    job.lora_n = 1;
    uint64_t one = seen_whole(&job);
    assert_int_not_equal(one, base);
    job.lora[1] = (struct wan_lora){b, -0.5};
    job.lora_n = 2;
    uint64_t two = seen_whole(&job);
    assert_int_not_equal(two, one);
    job.lora_n = 1;
    assert_int_equal(seen_whole(&job), one);
    job.lora_n = 0;
    assert_int_equal(seen_whole(&job), base); /* the base was never changed */
    job.lora_n = 1;
    job.lora[0].path = "/nowhere.safetensors";
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_NOTFOUND);
    job.lora_n = 0;
    assert_int_equal(seen_whole(&job), base);
}

/* A LoRA that was trained on lies under the name of the old one: it is the new one that counts, and
 * is told. */
static void test_loras_of_the_same_name(void **state)
{
    struct wan_job job = home_job("euler");
    struct wan_made made[3];
    char path[128];
    uint64_t hash[3];
    (void)state;
    snprintf(path, sizeof path, "%s/loras/style.safetensors", dir);
    job.lora[0] = (struct wan_lora){path, 1};
    job.lora_n = 1;
    for (int i = 0; i < 3; i++) {
        tiny_link(dir, i == 1 ? "open/lora/comfy.safetensors" : "open/lora/kohya.safetensors",
                  "loras/style.safetensors");
        hash[i] = seen_whole(&job);
        assert_int_equal(seen_make(&job, &made[i], (struct seen){0}), ERR_OK);
        assert_int_equal(seen.hash, hash[i]);
        assert_int_equal(strlen(made[i].lora_id[0]), 16);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_not_equal(hash[0], hash[1]);
    assert_int_equal(hash[0], hash[2]);
    assert_string_not_equal(made[0].lora_id[0], made[1].lora_id[0]);
    assert_string_equal(made[0].lora_id[0], made[2].lora_id[0]);
    assert_string_equal(made[0].lora_id[1], "");
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) >> 10);
}

/* The base stays loaded, and nothing grows. */
static void test_200_lora_switches(void **state)
{
    struct wan_job job = home_job("euler");
    const char *src = getenv("srcdir");
    uint64_t hash[2] = {0, 0};
    char path[1024];
    long before = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/tests/wan/open/lora/kohya.safetensors", src ? src : "..");
    job.lora[0] = (struct wan_lora){path, 1};
    job.width = job.height = 16;
    job.frames = job.steps = 1;
    job.guidance = 1;
    for (int i = 0; i < 200; i++) {
        job.lora_n = i % 2;
        uint64_t now = seen_whole(&job);
        if (i < 2)
            hash[i] = now;
        assert_int_equal(now, hash[i % 2]);
        if (i == 40)
            before = resident_kb();
    }
    assert_int_not_equal(hash[0], hash[1]);
    long grown = resident_kb() - before;
#ifdef __SANITIZE_ADDRESS__
    grown = 0; /* its quarantine keeps what was freed; it finds leaks by itself */
#endif
    if (grown > 4096)
        fail_msg("160 switches took %ld kB", grown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loras),
        cmocka_unit_test(test_loras_of_the_same_name),
        cmocka_unit_test(test_200_lora_switches),
    };
    return cmocka_run_group_tests(tests, home_set_up_f32, home_tear_down);
}

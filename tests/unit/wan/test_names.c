/* The full tensor lists of the real models: each diffusers or HF name becomes the original one,
 * and original names stay. */
#include "unit.h"

#include "base/path.h"
#include "wan/names.h"

static void list(const char *file, void (*map)(const char *, char *, size_t), const char *prefix)
{
    char path[PATH_LEN], got[512], with[600];
    const char *dir = getenv("srcdir");
    struct buf b = BUF_INIT(1 << 20);
    int rows = 0;
    snprintf(path, sizeof path, "%s/tests/wan/open/names/%s", dir ? dir : ".", file);
    assert_int_equal(path_read(path, 1 << 20, &b, NULL), ERR_OK);
    char *save, *line = strtok_r(b.data, "\n", &save);
    while ((line = strtok_r(NULL, "\n", &save))) {
        char *tab = strchr(line, '\t'), *tab2 = tab ? strchr(tab + 1, '\t') : NULL;
        assert_non_null(tab2);
        *tab = *tab2 = '\0';
        map(line, got, sizeof got);
        assert_string_equal(got, line);
        snprintf(with, sizeof with, "%s%s", prefix, line);
        map(with, got, sizeof got);
        assert_string_equal(got, line);
        if (strchr(tab + 1, '{') || strchr(tab + 1, '(')) /* CLIP's split q, k, v, and its head */
            continue;
        map(tab + 1, got, sizeof got);
        assert_string_equal(got, line);
        rows++;
    }
    assert_true(rows > 100);
    buf_free(&b);
}

static void transformer(void **state)
{
    list("dit_t2v_1.3B.tsv", names_dit, "model.diffusion_model.");
    list("dit_t2v_14B.tsv", names_dit, "diffusion_model.");
    list("dit_i2v_14B.tsv", names_dit, "model.");
    list("dit_flf2v_14B.tsv", names_dit, "");
    list("dit_vace_1.3B.tsv", names_dit, "");
    list("dit_ti2v_5B.tsv", names_dit, "");
}

static void the_others(void **state)
{
    list("t5_umt5_xxl.tsv", names_t5, "text_encoders.umt5xxl.transformer.");
    list("vae_2.1.tsv", names_vae, "vae.");
    list("clip_vit_h_visual.tsv", names_clip, "");
}

static void odd_names_come_out_unchanged(void **state)
{
    static const char *const odd[] = {"",
                                      ".",
                                      "blocks.",
                                      "blocks.99999999999999999999.attn1.to_q",
                                      "decoder.up_blocks.x.resnets.0.conv1",
                                      "vace_",
                                      "%s%n"};
    char got[512];
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        names_dit(odd[i], got, sizeof got);
        assert_string_equal(got, odd[i]);
        names_vae(odd[i], got, sizeof got);
        assert_string_equal(got, odd[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transformer),
        cmocka_unit_test(the_others),
        cmocka_unit_test(odd_names_come_out_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

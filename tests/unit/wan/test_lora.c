/* Switching LoRAs: no growth over 200 switches, exact return to the base, and files that do not
 * fit. That the outputs are right is for the golden cases. */
#include "unit.h"

#include "base/path.h"
#include "wan/lora.h"
#include "wan/dit.h"

#include <unistd.h>

static struct device *dev;
static struct weights *net;
static struct fault why;
static char tree[PATH_LEN];

#define STYLES 4
#define SETS (1 << STYLES)
static struct lora *lora[STYLES]; /* the last: of modulations alone */

static enum err file_of(const char *json, size_t data, struct lora **out)
{
    char path[] = "/tmp/sakuga-lora-XXXXXX";
    struct buf b = BUF_INIT(1 << 20);
    uint64_t n = strlen(json);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    buf_add(&b, &n, 8);
    buf_adds(&b, json);
    for (size_t i = 0; i < data; i++)
        buf_addc(&b, 0x3d); /* 0.046 */
    assert_true(write(fd, b.data, b.len) == (ssize_t)b.len);
    close(fd);
    enum err e = lora_open(path, net, out, &why);
    unlink(path);
    buf_free(&b);
    return e;
}

static int open_all(void **state)
{
    static const char *const styles[STYLES - 1] = {"kohya", "diffusers", "comfy"};
    char path[PATH_LEN];
    const char *src = getenv("srcdir");
    snprintf(tree, sizeof tree, "%.900s/tests/wan/open", src ? src : ".");
    snprintf(path, sizeof path, "%.950s/tiny_t2v/diffusion_pytorch_model.safetensors", tree);
    bool bad = device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, &why) ||
               weights_open(path, &net, &why);
    for (int i = 0; i < STYLES - 1 && !bad; i++) {
        snprintf(path, sizeof path, "%.950s/lora/%s.safetensors", tree, styles[i]);
        bad = lora_open(path, net, &lora[i], &why) != ERR_OK;
    }
    return bad ||
           file_of("{\"diffusion_model.blocks.1.diff_m\":{\"dtype\":\"F32\",\"shape\":[1,6,256],"
                   "\"data_offsets\":[0,6144]},"
                   "\"diffusion_model.head.diff_m\":{\"dtype\":\"F32\",\"shape\":[1,2,256],"
                   "\"data_offsets\":[6144,8192]}}",
                   8192, &lora[STYLES - 1]);
}

static int close_all(void **state)
{
    for (int i = 0; i < STYLES; i++)
        lora_free(lora[i]);
    weights_free(net);
    device_close(dev);
    return 0;
}

static void forward(struct dit *d, float *out)
{
    float x[16 * 4 * 4], context[64 * 3];
    struct dit_prompt *p = NULL;
    for (int i = 0; i < 16 * 4 * 4; i++)
        x[i] = (float)(i % 7) - 3;
    for (int i = 0; i < 64 * 3; i++)
        context[i] = (float)(i % 5) - 2;
    struct dit_prompt_spec spec = {.context = context, .n = 3};
    assert_int_equal(dit_prompt_new(d, &spec, &p, &why), ERR_OK);
    struct dit_input in = {.x = x, .frames = 1, .height = 4, .width = 4, .t = 500, .prompt = p};
    assert_int_equal(dit_forward(d, &in, out, &why), ERR_OK);
    dit_prompt_free(p);
}

/* The set that switch i asks for; 0 of them: the base. */
static struct lora_set set_for(int i)
{
    struct lora_set set = {0};
    for (int k = 0; k < STYLES; k++)
        if (i >> k & 1) {
            set.lora[set.n] = lora[k];
            set.strength[set.n++] = k % 2 ? -0.5 : 1;
        }
    return set;
}

static void two_hundred_switches(void **state)
{
    struct lora_set set = {0};
    struct patcher patch = lora_patcher(&set);
    struct dit *d = NULL;
    float first[SETS][16 * 4 * 4], out[16 * 4 * 4];
    uint64_t used = 0;
    assert_int_equal(dit_open(dev, net, &patch, DIT_RESIDENT, NULL, &d, &why), ERR_OK);
    for (int i = 0; i < 200; i++) {
        struct lora_set next = set_for(i * 5 % SETS), both = next;
        for (int k = 0; k < set.n; k++)
            both.lora[both.n++] = set.lora[k];
        set = next;
        assert_int_equal(dit_reload(d, lora_touches, &both, NULL, &why), ERR_OK);
        forward(d, out);
        if (i < SETS) /* each set once; each later time to the bit the same */
            memcpy(first[i * 5 % SETS], out, sizeof out);
        else
            assert_memory_equal(first[i * 5 % SETS], out, sizeof out);
        if (i == SETS)
            used = device_used(dev);
        else if (i > SETS)
            assert_int_equal(device_used(dev), used);
    }
    for (int i = 1; i < SETS; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(memcmp(first[k], first[i], sizeof first[0]), 0);
    dit_free(d);
    assert_int_equal(device_used(dev), 0);
}

static void a_block_at_a_time_gives_the_same(void **state)
{
    struct dit *all = NULL, *each = NULL;
    float a[16 * 4 * 4], b[16 * 4 * 4];
    assert_int_equal(dit_open(dev, net, NULL, DIT_RESIDENT, NULL, &all, &why), ERR_OK);
    uint64_t resident = device_used(dev);
    forward(all, a);
    dit_free(all);
    assert_int_equal(dit_open(dev, net, NULL, DIT_IN_FILES, NULL, &each, &why), ERR_OK);
    assert_true(device_used(dev) < resident / 2);
    forward(each, b);
    assert_memory_equal(a, b, sizeof a);
    dit_free(each);
}

static enum err opened(const char *json, size_t data)
{
    struct lora *l = NULL;
    enum err e = file_of(json, data, &l);
    lora_free(l);
    return e;
}

static void files_that_do_not_fit(void **state)
{
    assert_int_equal(opened("{}", 0), ERR_INVAL);
    /* a module the model lacks, a pair without its half, another shape: left out, so nothing fits
     */
    assert_int_equal(
        opened(
            "{\"x.y.lora_up.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}",
            8),
        ERR_INVAL);
    assert_int_equal(opened("{\"diffusion_model.blocks.0.self_attn.q.lora_up.weight\":{\"dtype\":"
                            "\"F32\",\"shape\":[256,1],\"data_offsets\":[0,1024]}}",
                            1024),
                     ERR_INVAL);
    assert_int_equal(opened("{\"blocks.0.self_attn.q.diff\":{\"dtype\":\"F32\",\"shape\":[3],"
                            "\"data_offsets\":[0,12]}}",
                            12),
                     ERR_INVAL);
    assert_int_equal(
        opened("{\".alpha\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
               "\"lora_unet_\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}}",
               8),
        ERR_INVAL);
    assert_int_equal(opened("{\"blocks.0.self_attn.q.diff_b\":{\"dtype\":\"F32\",\"shape\":[256],"
                            "\"data_offsets\":[0,1024]}}",
                            1024),
                     ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hundred_switches),
        cmocka_unit_test(a_block_at_a_time_gives_the_same),
        cmocka_unit_test(files_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}

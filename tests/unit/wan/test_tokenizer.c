/* The tokenizer on every golden prompt, with both models and all their files; what concerns a
 * spiece.model runs twice, by our own algorithm and by libsentencepiece where the build has it. */
#include "unit/wan/pieces.h"

#include "base/json.h"
#include "base/path.h"
#include "wan/clean.h"

#define GOLDEN "tests/wan/tokenizer/"
#define IDS 4096

static struct tokenizer *open_golden(const char *name, enum tokenizer_way by)
{
    char path[1024];
    struct fault f = {0};
    const char *top = getenv("srcdir");
    snprintf(path, sizeof path, "%s/" GOLDEN "%s", top ? top : ".", name);
    struct tokenizer *t = tokenizer_open(path, by, &f);
    if (!t)
        fail_msg("%s", f.text);
    return t;
}

static char *base64(const char *s, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = malloc(n + 1), *at = out;
    unsigned acc = 0;
    int bits = 0;
    for (size_t i = 0; i < n && s[i] != '='; i++) {
        acc = acc << 6 | (unsigned)(strchr(digits, s[i]) - digits);
        if ((bits += 6) >= 8)
            *at++ = (char)(acc >> (bits -= 8));
    }
    *at = '\0';
    return out;
}

static int read_ids(const char *s, int32_t *ids)
{
    int n = 0;
    char *end;
    for (long v = strtol(s, &end, 10); end != s; v = strtol(s, &end, 10)) {
        ids[n++] = (int32_t)v;
        s = end;
    }
    return n;
}

/* Without byte fallback a run of byte pieces is one unknown piece. */
static int fold_bytes(int32_t *ids, int n)
{
    int out = 0;
    for (int i = 0; i < n; i++) {
        bool byte = ids[i] >= 17 && ids[i] <= 272;
        if (!byte)
            ids[out++] = ids[i];
        else if (!out || ids[out - 1] != 3)
            ids[out++] = 3;
    }
    return out;
}

/* Where transformers itself differs from SentencePiece (json_sums): changes the library's ids to
 * its own and returns how many of the first it leaves out. */
static int other_in_json(const char *text, bool bytes, int32_t *ids, int n)
{
    if (bytes && !strcmp(text, "!!!???...---___***")) { /* ** * and * **: a tie in 32 bits only */
        assert_int_equal(ids[n - 3], 471);
        assert_int_equal(ids[n - 2], 557);
        ids[n - 3] = 557;
        ids[n - 2] = 471;
    }
    return bytes && !strncmp(text, "\xe2\x96\x81", 3); /* no second ▁ in front */
}

/* One line of ids.tsv: raw, cleaned, ids of the cleaned prompt, ids of the raw one; the texts in
 * base64. Returns false where cleaning differs, as it does for mojibake. */
static bool golden_line(const struct tokenizer *spiece, const struct tokenizer *json, bool bytes,
                        char *line)
{
    static int32_t want[IDS], got[IDS];
    char *column[4] = {line}, *text[2];
    struct buf clean = BUF_INIT(0);
    struct fault f = {0};
    int32_t *all;
    int n, want_n;
    for (int i = 1; i < 4; i++) {
        column[i] = strchr(column[i - 1], '\t');
        assert_non_null(column[i]);
        *column[i]++ = '\0';
    }
    for (int i = 0; i < 2; i++)
        text[i] = base64(column[i], strlen(column[i]));
    assert_int_equal(clean_prompt(text[0], &clean, &f), ERR_OK);
    bool cleaned = !strcmp(buf_str(&clean), text[1]);
    if (!cleaned)
        assert_string_equal(text[0], "sch\xc3\x83\xc2\xb6n mojibake");
    want_n = read_ids(column[2], want);
    assert_int_equal(tokenizer_encode(spiece, text[1], got, 512, &n, &f), ERR_OK);
    same("cleaned", text[1], got, n, want, want_n);
    if (want_n < 512) { /* more ids fit in when bytes fold */
        want_n = bytes ? fold_bytes(want, want_n) : want_n;
        int skipped = other_in_json(text[1], bytes, want, want_n);
        assert_int_equal(tokenizer_encode(json, text[1], got, 512, &n, &f), ERR_OK);
        same("tokenizer.json", text[1], got, n, want + skipped, want_n - skipped);
    }
    want_n = read_ids(column[3], want);
    assert_int_equal(tokenizer_pieces(spiece, text[0], &all, &n, &f), ERR_OK);
    same("raw", text[0], all, n, want, want_n);
    free(all);
    free(text[0]);
    free(text[1]);
    buf_free(&clean);
    return cleaned;
}

static void golden(const char *model, bool bytes)
{
    char path[1024], *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int lines = 0, cleaned = 0;
    snprintf(path, sizeof path, "%s/spiece.model", model);
    struct tokenizer *spiece = open_golden(path, way);
    assert_string_equal(tokenizer_words(spiece),
                        way == TOKENIZER_OWN ? "own algorithm" : "libsentencepiece");
    snprintf(path, sizeof path, "%s/tokenizer.json", model);
    struct tokenizer *json = open_golden(path, TOKENIZER_AUTO);
    assert_string_equal(tokenizer_words(json), "own algorithm");
    const char *top = getenv("srcdir");
    snprintf(path, sizeof path, "%s/" GOLDEN "%s/ids.tsv", top ? top : ".", model);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while ((n = getline(&line, &cap, file)) > 0) {
        line[n - (line[n - 1] == '\n')] = '\0';
        cleaned += golden_line(spiece, json, bytes, line);
        lines++;
    }
    assert_int_equal(lines, 66);
    assert_int_equal(cleaned, 65);
    free(line);
    fclose(file);
    tokenizer_free(spiece);
    tokenizer_free(json);
}

static void golden_umt5(void **state)
{
    golden("umt5_mini", true);
}

static void golden_t5(void **state)
{
    golden("t5_v1_1", false);
}

static void sizes(void **state)
{
    struct tokenizer *t = open_golden("umt5_mini/spiece.model", way);
    int32_t ids[8];
    int n = 0;
    struct fault f = {0};
    assert_int_equal(tokenizer_size(t), 8000);
    assert_int_equal(tokenizer_eos(t), 1);
    assert_int_equal(tokenizer_encode(t, "A cat.", ids, 3, &n, &f), ERR_OK);
    assert_int_equal(n, 3); /* 292 768, then the end in place of 274 */
    assert_int_equal(ids[0], 292);
    assert_int_equal(ids[2], 1);
    assert_int_equal(tokenizer_encode(t, "A cat.", ids, 1, &n, &f), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(tokenizer_encode(t, "A cat.", ids, 0, &n, &f), ERR_INVAL);
    size_t big = ((size_t)1 << 20) + 1;
    char *text = malloc(big + 1);
    memset(text, 'a', big);
    text[big] = '\0';
    assert_int_equal(tokenizer_encode(t, text, ids, 8, &n, &f), ERR_LIMIT);
    text[big - 1] = '\0';
    assert_int_equal(tokenizer_encode(t, text, ids, 8, &n, &f), ERR_OK);
    free(text);
    tokenizer_free(t);
}

/* Ids of the real umT5 as other projects published them. Its model is not in the tree: name it in
 * SAKUGA_UMT5 (spiece.model; transformers' view of special tokens is not ours). */
static void known_umt5(void **state)
{
    const char *model = getenv("SAKUGA_UMT5"), *top = getenv("srcdir");
    struct buf file = BUF_INIT(0);
    struct fault f = {0};
    char path[1024];
    if (!model)
        skip();
    snprintf(path, sizeof path, "%s/" GOLDEN "umt5_xxl_known_ids.json", top ? top : ".");
    assert_int_equal(path_read(path, 1 << 20, &file, &f), ERR_OK);
    struct tokenizer *t = tokenizer_open(model, way, &f);
    cJSON *known = json_parse(file.data, file.len, &f);
    const cJSON *item, *id;
    assert_non_null(t);
    assert_int_equal(tokenizer_size(t), 256000);
    cJSON_ArrayForEach(item, json_arr(known, "cases"))
    {
        const char *raw = json_str(item, "raw", "");
        struct buf clean = BUF_INIT(0);
        int32_t want[IDS], *all;
        int n, want_n = 0;
        cJSON_ArrayForEach(id, json_arr(item, "ids")) want[want_n++] = id->valueint;
        if (!strcmp(json_str(item, "backend", ""), "hf"))
            continue;
        want_n -= json_bool(item, "eos", false);
        if (json_bool(item, "clean", false))
            assert_int_equal(clean_prompt(raw, &clean, &f), ERR_OK);
        else
            buf_adds(&clean, raw);
        assert_int_equal(tokenizer_pieces(t, buf_str(&clean), &all, &n, &f), ERR_OK);
        same("known", raw, all, n, want, want_n);
        free(all);
        buf_free(&clean);
    }
    cJSON_Delete(known);
    tokenizer_free(t);
    buf_free(&file);
}

static void files(void **state)
{
    struct fault f = {0};
    assert_null(tokenizer_open("/nowhere/spiece.model", TOKENIZER_AUTO, &f));
    assert_non_null(strstr(f.text, "/nowhere/spiece.model"));
    const char *top = getenv("srcdir");
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/wan/open/rng.safetensors", top ? top : ".");
    assert_null(tokenizer_open(path, TOKENIZER_AUTO, &f));
    assert_int_equal(f.code, ERR_NOTFOUND);
    assert_non_null(strstr(f.text, "spiece_model"));
    snprintf(path, sizeof path, "%s/" GOLDEN "umt5_mini", top ? top : ".");
    struct tokenizer *t = tokenizer_open(path, TOKENIZER_AUTO, &f); /* its spiece.model */
    assert_int_equal(tokenizer_size(t), 8000);
    tokenizer_free(t);
    snprintf(path, sizeof path, "%s/tests/wan", top ? top : ".");
    assert_null(tokenizer_open(path, TOKENIZER_AUTO, &f));
    assert_int_equal(f.code, ERR_NOTFOUND);
    snprintf(path, sizeof path, "%s/tests/wan/README.md", top ? top : ".");
    assert_null(tokenizer_open(path, TOKENIZER_AUTO, &f));
    assert_non_null(strstr(f.text, "README.md: it is neither"));
}

/* Which way is taken, and what a build without the library says. */
static void ways(void **state)
{
    struct fault f = {0};
    struct tokenizer *t = open_golden("umt5_mini/spiece.model", TOKENIZER_AUTO);
    assert_string_equal(tokenizer_words(t), tokenizer_file_words("a/spiece.model"));
    tokenizer_free(t);
    assert_string_equal(tokenizer_file_words("a/tokenizer.json"), "own algorithm");
    const char *json = MODEL(VOCAB) "}";
    assert_null(tokenizer_new(json, strlen(json), TOKENIZER_LIBRARY, &f));
    assert_int_equal(f.code, ERR_UNSUPPORTED);
    struct buf b = BUF_INIT(0);
    put_base(&b);
    if (!have_library()) {
        assert_null(tokenizer_new(b.data, b.len, TOKENIZER_LIBRARY, &f));
        assert_int_equal(f.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(f.text, "libsentencepiece"));
    }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest spiece[] = {
        cmocka_unit_test(golden_umt5),
        cmocka_unit_test(golden_t5),
        cmocka_unit_test(sizes),
        cmocka_unit_test(known_umt5),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(ways),
    };
    int bad = BY_BOTH(spiece);
    way = TOKENIZER_AUTO;
    return bad + cmocka_run_group_tests_name("files", others, NULL, NULL);
}

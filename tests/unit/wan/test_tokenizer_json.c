/* tokenizer.json: what is taken of it and what is refused, and where transformers' sums are not
 * SentencePiece's. */
#include "unit/wan/pieces.h"

static void expect_json(const char *json, const char *text, const char *want)
{
    struct buf b = BUF_INIT(0);
    buf_adds(&b, json);
    expect(&b, text, want);
    buf_free(&b);
}

static void refused_json(const char *json, enum err code, const char *words)
{
    refused(json, strlen(json), code, words);
}

static void json_files(void **state)
{
    expect_json(MODEL(VOCAB) META "}", "ab  a", "3 4 5 3 3 4");
    expect_json("\n {\n" ADDED "\"model\":{\"unk_id\":2,\"vocab\":" VOCAB "}" META "}", "a</s>",
                "3 4 2");
    expect_json(MODEL(VOCAB) "}", "ab", "4 5");
    expect_json(MODEL(VOCAB) META ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["
                                  "{\"type\":\"Strip\"},{\"type\":\"Replace\",\"content\":\" \","
                                  "\"pattern\":{\"Regex\":\" {2,}\"}}]}}",
                "a   b ", "3 4 3 5");
    refused_json("{\"a\":", ERR_CORRUPT, "JSON");
    refused_json("{}", ERR_UNSUPPORTED, "unigram");
    refused_json("{\"model\":{\"type\":\"BPE\",\"vocab\":[]}}", ERR_UNSUPPORTED, "unigram");
    refused_json("{\"model\":{\"vocab\":[]}}", ERR_CORRUPT, "unknown");
    refused_json(MODEL("[[\"a\"]]") "}", ERR_CORRUPT, "piece 0");
    refused_json(MODEL("[[\"a\",1e999]]") "}", ERR_CORRUPT, "piece 0");
    refused_json(MODEL("[[\"a\",0],7]") "}", ERR_CORRUPT, "piece 1");
    refused_json("{\"model\":{\"unk_id\":9e9,\"vocab\":" VOCAB "}}", ERR_CORRUPT, "unknown");
    refused_json("{\"model\":{\"unk_id\":0,\"vocab\":[[\"a\",0],[\"b\",0]]}}", ERR_CORRUPT,
                 "end-of-text");
    refused_json(MODEL(VOCAB) ",\"normalizer\":{\"type\":\"Lowercase\"}}", ERR_UNSUPPORTED,
                 "Lowercase");
    refused_json(MODEL(VOCAB) ",\"pre_tokenizer\":{\"type\":\"ByteLevel\"}}", ERR_UNSUPPORTED,
                 "ByteLevel");
    refused_json(MODEL(VOCAB) ",\"normalizer\":{\"type\":\"Precompiled\","
                              "\"precompiled_charsmap\":\"AAA\"}}",
                 ERR_CORRUPT, "character map");
    refused_json(MODEL(VOCAB) ",\"normalizer\":{\"type\":\"Precompiled\","
                              "\"precompiled_charsmap\":\"A*A\"}}",
                 ERR_CORRUPT, "base64");
}

#define RESERVED "[\"<pad>\",0],[\"</s>\",-200],[\"<unk>\",0],"
#define FAR "[" RESERVED "[\"\xe2\x96\x81\",-2],[\"\xe2\x96\x81z\",-1e17],[\"a\",-3],[\"aa\",-7]]"
#define WHOLE                                                                                      \
    ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"split\":false}"

/* What transformers does otherwise than SentencePiece. */
static void json_sums(void **state)
{
    /* Each word begins at 0. In one sum, −1e17 would swallow what comes after: aa is first. */
    expect_json(MODEL(FAR) META "}", "z aa", "4 3 5 5");
    expect_json(MODEL(FAR) WHOLE "}", "z aa", "4 3 6");
    /* Sums have 64 bits: in 32 all of these are −2. */
    expect_json(MODEL("[" RESERVED "[\"a\",-1.00000000001],[\"aa\",-2.00000000005]]") "}", "aa",
                "3 3");
    /* What is unknown counts less than any piece, reserved names too: −210. */
    expect_json(MODEL("[" RESERVED "[\"ab\",-1],[\"de\",-1],[\"a\",-40],[\"bc\",-40]]") "}",
                "abcde", "5 6 4");
    /* Unknown characters are one within a word. */
    expect_json(MODEL("[" RESERVED "[\"a\",-3]]") META "}", "xx xx", "2 2");
    expect_json(MODEL("[" RESERVED "[\"a\",-3]]") WHOLE "}", "xx xx", "2");
    /* A text that begins with a blank gets no second one. */
    expect_json(MODEL(VOCAB) META "}", " a", "3 4");
    expect_json(MODEL(VOCAB) META "}",
                "\xe2\x96\x81"
                "a",
                "3 4");
    expect_json(MODEL(VOCAB) META "}", "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_files),
        cmocka_unit_test(json_sums),
    };
    way = TOKENIZER_AUTO;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

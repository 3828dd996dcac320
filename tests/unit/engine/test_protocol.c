/* Every message survives the way there and back, and no malformed one gets through. */
#include "unit.h"

#include "engine/protocol.h"

static struct order order, order_back;
static struct report report, report_back;
static struct fault fault;

static void fill_job(struct engine_job *j)
{
    memset(j, 0, sizeof *j);
    j->id = 7;
    j->attempt = 2;
    strcpy(j->prompt, "雨の街 \"neon\" \\ 🌸");
    strcpy(j->viewer, "hanako");
    strcpy(j->style, "noir");
    strcpy(j->negative, "blurry");
    strcpy(j->label, "AI-generated");
    j->palette[0] = 0x0a0b0c;
    j->palette[1] = 0xffeedd;
    j->palette_n = 2;
    j->seed = UINT64_MAX;
    j->width = 832;
    j->height = 480;
    j->frames = 81;
    j->fps = 16;
    j->steps = 4;
    j->guidance = 5.5;
    j->shift = 3;
    strcpy(j->sampler, "unipc");
    j->teacache = 0.07;
    j->tile = 256;
    j->tiny = true;
    j->input[0] = (struct job_input){INPUT_IMAGE, "/pictures/fox.png"};
    j->input[1] = (struct job_input){INPUT_LAST_IMAGE, "/pictures/\xe6\xad\x8c.png"};
    j->input_n = 2;
    j->lora[0] = (struct job_lora){"ghibli", 0.75, false};
    j->lora[1] = (struct job_lora){"light-x2v.v1_2", -1, true};
    j->lora_n = 2;
    strcpy(j->path, "/show/vault/7.mp4");
}

static void send_order(void)
{
    struct buf b = BUF_INIT(0);
    assert_true(protocol_print_order(&b, &order));
    assert_null(memchr(b.data, '\n', b.len));
    assert_int_equal(protocol_parse_order(b.data, b.len, &order_back, &fault), ERR_OK);
    assert_int_equal(order_back.kind, order.kind);
    buf_free(&b);
}

static void test_job_round_trip(void **state)
{
    (void)state;
    memset(&order, 0, sizeof order);
    order.kind = ORDER_JOB;
    fill_job(&order.job);
    send_order();
    assert_memory_equal(&order_back.job, &order.job, sizeof order.job);
    assert_int_equal(order_back.id, 7);
}

static void test_other_orders(void **state)
{
    (void)state;
    for (int k = 0; k < ORDER_KINDS; k++) {
        if (k == ORDER_JOB)
            continue;
        memset(&order, 0, sizeof order);
        order = (struct order){
            .kind = (enum order_kind)k, .id = 9, .w = 200, .h = 120, .frames = 81, .fps = 16};
        order.media = true;
        order.throttle = 0.3;
        strcpy(order.path, "/v/\xe6\xad\x8c.mp4");
        send_order();
        if (k == ORDER_PLAY || k == ORDER_PICTURE || k == ORDER_CHECK || k == ORDER_CONFIG)
            assert_string_equal(order_back.path, order.path);
        if (k == ORDER_PLAY || k == ORDER_PICTURE)
            assert_true(order_back.w == 200 && order_back.h == 120 && order_back.id == 9);
        assert_true(order_back.throttle == (k == ORDER_THROTTLE ? 0.3 : 0));
        if (k == ORDER_CHECK)
            assert_true(order_back.frames == 81 && order_back.fps == 16);
    }
}

static void test_reports(void **state)
{
    (void)state;
    for (int k = 0; k < REPORT_KINDS; k++) {
        struct buf b = BUF_INIT(0);
        memset(&report, 0, sizeof report);
        report.kind = (enum report_kind)k;
        report.id = 12;
        report.protocol = PROTOCOL_VERSION;
        report.pid = 99;
        strcpy(report.version, "0.1");
        strcpy(report.engine, "animatic");
        report.device = (struct device_status){"a GPU", 0.5, 10, 20, -1, 61.5};
        strcpy(report.stage, "encode");
        report.fraction = 0.25;
        report.overall = 0.75;
        report.eta_ms = -1;
        report.code = ERR_FULL;
        strcpy(report.text, "the disk is full");
        strcpy(report.path, "/v/12.mp4");
        memset(report.sha256, 'a', 64);
        report.frames = 81;
        report.verdicts_n = 2;
        report.verdicts[0] = (struct verdict){"decode", true, "fine"};
        report.verdicts[1] = (struct verdict){"black", false, "black for 2 s"};
        assert_true(protocol_print_report(&b, &report));
        assert_int_equal(protocol_parse_report(b.data, b.len, &report_back, &fault), ERR_OK);
        assert_int_equal(report_back.kind, k);
        if (k == REPORT_DONE || k == REPORT_CHECKED) {
            assert_int_equal(report_back.verdicts_n, 2);
            assert_false(report_back.verdicts[1].ok);
            assert_string_equal(report_back.verdicts[1].words, "black for 2 s");
            assert_false(protocol_passed(report_back.verdicts, 2));
            assert_true(protocol_passed(report_back.verdicts, 1));
            assert_false(protocol_passed(report_back.verdicts, 0));
        }
        if (k == REPORT_FAILED)
            assert_int_equal(report_back.code, ERR_FULL);
        if (k == REPORT_HEARTBEAT)
            assert_true(report_back.device.celsius > 61 && report_back.device.memory == 10);
        buf_free(&b);
    }
}

/* A whole job line with one member replaced; the parser must refuse it and name the member. */
static void refuse_job(const char *member, const char *value)
{
    static const char *const whole[][2] = {
        {"id", "1"},        {"attempt", "1"},     {"prompt", "\"x\""},      {"viewer", "\"v\""},
        {"style", "\"s\""}, {"negative", "\"\""}, {"label", "\"\""},        {"palette", "[]"},
        {"seed", "\"1\""},  {"width", "832"},     {"height", "480"},        {"frames", "81"},
        {"fps", "16"},      {"steps", "0"},       {"path", "\"/v/1.mp4\""}, {"guidance", "5"},
        {"shift", "5"},     {"sampler", "\"\""},  {"teacache", "0"},        {"tile", "0"},
        {"tiny", "false"},  {"inputs", "[]"},     {"loras", "[]"}};
    struct buf b = BUF_INIT(0);
    buf_adds(&b, "{\"t\":\"job\"");
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(whole[i][0], member) != 0)
            buf_addf(&b, ",\"%s\":%s", whole[i][0], whole[i][1]);
        else if (value)
            buf_addf(&b, ",\"%s\":%s", member, value);
    buf_adds(&b, "}");
    enum err e = protocol_parse_order(b.data, b.len, &order, &fault);
    if (*member) {
        assert_int_equal(e, ERR_INVAL);
        assert_non_null(strstr(fault.text, member));
    } else {
        assert_int_equal(e, ERR_OK);
    }
    buf_free(&b);
}

/* A list of one bad entry. */
static void refuse_part(const char *key, const char *entry, const char *member)
{
    char list[24];
    struct buf b = BUF_INIT(0);
    memset(&order, 0, sizeof order);
    order.kind = ORDER_JOB;
    fill_job(&order.job);
    order.job.lora_n = order.job.input_n = 0;
    assert_true(protocol_print_order(&b, &order));
    snprintf(list, sizeof list, "\"%s\":[", key);
    char *at = strstr(b.data, list) + strlen(list);
    struct buf line = BUF_INIT(0);
    buf_add(&line, b.data, (size_t)(at - b.data));
    buf_addf(&line, "%s%s", entry, at);
    assert_int_equal(protocol_parse_order(line.data, line.len, &order_back, &fault), ERR_INVAL);
    if (!strstr(fault.text, member))
        fail_msg("%s: \"%s\" is not named: %s", entry, member, fault.text);
    buf_free(&b);
    buf_free(&line);
}

/* Who draws is told in the first order; one that says nothing draws the animatic. */
static void test_config(void **state)
{
    static const char bare[] = "{\"t\":\"config\",\"protocol\":1,\"vault\":\"/v\",\"media\":false}";
    (void)state;
    memset(&order, 0, sizeof order);
    order.kind = ORDER_CONFIG;
    order.threads = 3;
    strcpy(order.dtype, "bf16");
    strcpy(order.encoder, "h264_nvenc");
    strcpy(order.path, "/v");
    strcpy(order.engine, "wan");
    strcpy(order.model, "/models/wan");
    strcpy(order.device, "cpu");
    send_order();
    assert_string_equal(order_back.engine, "wan");
    assert_string_equal(order_back.model, "/models/wan");
    assert_string_equal(order_back.device, "cpu");
    assert_int_equal(order_back.threads, 3);
    assert_string_equal(order_back.dtype, "bf16");
    assert_string_equal(order_back.encoder, "h264_nvenc");
    assert_int_equal(protocol_parse_order(bare, sizeof bare - 1, &order_back, &fault), ERR_OK);
    assert_string_equal(order_back.engine, "animatic");
    assert_string_equal(order_back.device, "auto");
    assert_string_equal(order_back.encoder, "auto");
}

static void test_hostile_jobs(void **state)
{
    (void)state;
    refuse_job("", NULL); /* the line that all others differ from is fine */
    refuse_job("id", "0");
    refuse_job("id", "-1");
    refuse_job("id", "1.5");
    refuse_job("id", "1e300");
    refuse_job("id", "\"1\"");
    refuse_job("prompt", NULL);
    refuse_job("prompt", "\"\"");
    refuse_job("prompt", "[\"x\"]");
    refuse_job("seed", "1");
    refuse_job("seed", "\"18446744073709551616\"");
    refuse_job("seed", "\"-1\"");
    refuse_job("seed", "\"\"");
    refuse_job("palette", "[\"#12345\"]");
    refuse_job("palette", "[\"#12345g\"]");
    refuse_job("palette", "[1]");
    refuse_job("palette", "[\"#000000\",\"#000000\",\"#000000\",\"#000000\",\"#000000\","
                          "\"#000000\",\"#000000\",\"#000000\",\"#000000\"]");
    refuse_job("width", "833");
    refuse_job("width", "100000");
    refuse_job("height", "0");
    refuse_job("frames", "0");
    refuse_job("frames", "100000");
    refuse_job("fps", "0");
    refuse_job("path", "\"\"");
    refuse_job("path", "null");
    refuse_job("guidance", "-1");
    refuse_job("guidance", "\"5\"");
    refuse_job("shift", "1e9");
    refuse_job("sampler", "7");
    refuse_job("sampler", "\"a name that is far too long for one\"");
    refuse_job("teacache", "-0.1");
    refuse_job("teacache", "\"0.1\"");
    refuse_job("tiny", "1");
    refuse_job("tile", "-32");
    refuse_job("tile", "32");
    refuse_job("tile", "100");
    refuse_job("tile", "4096");
    refuse_job("inputs", "null");
    refuse_job("inputs", "[7,7,7,7,7,7,7,7,7,7,7,7,7]");
    refuse_part("inputs", "{\"role\":\"poster\",\"path\":\"/x.png\"}", "role");
    refuse_part("inputs", "{\"role\":7,\"path\":\"/x.png\"}", "role");
    refuse_part("inputs", "{\"role\":\"image\",\"path\":\"\"}", "path");
    refuse_part("inputs", "{\"role\":\"image\"}", "path");
    refuse_job("loras", "{}");
    refuse_job("loras", "[7,7,7,7,7,7,7,7,7]");
    refuse_part("loras", "{\"name\":\"../../x\",\"weight\":1,\"must\":true}", "name");
    refuse_part("loras", "{\"name\":\".x\",\"weight\":1,\"must\":true}", "name");
    refuse_part("loras", "{\"name\":\"\",\"weight\":1,\"must\":true}", "name");
    refuse_part("loras", "{\"name\":\"a\",\"weight\":99,\"must\":true}", "weight");
    refuse_part("loras", "{\"name\":\"a\",\"weight\":1,\"must\":1}", "must");
    refuse_part("loras", "7", "name");
}

static void test_hostile_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"t\":1}",
        "{\"t\":\"jobs\"}",
        "{\"t\":\"cancel\"}",
        "{\"t\":\"config\",\"vault\":\"/v\",\"media\":1,\"protocol\":1}",
        "{\"t\":\"config\",\"vault\":\"/v\",\"media\":true,\"protocol\":2}",
        "{\"t\":\"play\",\"id\":1,\"path\":\"/x\",\"w\":100000,\"h\":9}"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_not_equal(protocol_parse_order(lines[i], strlen(lines[i]), &order, &fault),
                             ERR_OK);
        assert_int_not_equal(protocol_parse_report(lines[i], strlen(lines[i]), &report, &fault),
                             ERR_OK);
    }
    char *huge = malloc(PROTOCOL_LINE_MAX + 1);
    memset(huge, ' ', PROTOCOL_LINE_MAX + 1);
    assert_int_equal(protocol_parse_order(huge, PROTOCOL_LINE_MAX + 1, &order, &fault), ERR_LIMIT);
    free(huge);
}

/* Words of a worker end on the operator's terminal: no escape sequence may pass. */
static void test_words_are_printable(void **state)
{
    (void)state;
    const char *line =
        "{\"t\":\"failed\",\"id\":1,\"code\":\"io\",\"text\":\"a\\u001b[2J\\u009b\xff b\"}";
    assert_int_equal(protocol_parse_report(line, strlen(line), &report, &fault), ERR_OK);
    assert_string_equal(report.text, "a?[2J??? b");
}

static void test_picture_heads(void **state)
{
    (void)state;
    uint8_t raw[PICTURE_HEADER];
    struct picture_head in = {PICTURE_REVIEW, 42, 7, 208, 120, 208 * 120 * 3}, out;
    protocol_put_head(raw, &in);
    assert_int_equal(protocol_get_head(raw, &out, &fault), ERR_OK);
    assert_true(out.kind == in.kind && out.id == 42 && out.serial == 7 && out.w == 208 &&
                out.h == 120 && out.bytes == in.bytes);
    for (int i = 0; i < PICTURE_HEADER; i++) {
        if (i >= 8 && i < 24) /* id and serial may be anything within bounds */
            continue;
        protocol_put_head(raw, &in);
        raw[i] ^= 0xff;
        assert_int_not_equal(protocol_get_head(raw, &out, &fault), ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_round_trip),
        cmocka_unit_test(test_other_orders),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_hostile_jobs),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_hostile_lines),
        cmocka_unit_test(test_words_are_printable),
        cmocka_unit_test(test_picture_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

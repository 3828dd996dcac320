/* libFuzzer: bytes of an IRC server through splitter, parser, viewer, text and shield. */
#include "base/text.h"
#include "chat/ircline.h"
#include "chat/ircwho.h"
#include "chat/shield.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void on_line(void *user, const struct ircline *l)
{
    char value[64];
    struct viewer who;
    struct buf clean = BUF_INIT(65536);
    const char *text = ircline_param(l, l->params - 1);
    ircline_tag(l, "id", value, sizeof value);
    ircwho_names(user, text);
    ircwho_viewer(l, user, &who);
    ircwho_viewer(l, NULL, &who);
    if (text_clean(&clean, text, strlen(text)) && !text_valid(buf_str(&clean), clean.len))
        abort();
    buf_free(&clean);
}

static void on_send(void *user, const char *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    (void)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct shield_ops ops = {on_line, on_send};
    struct shield_login login = {.nick = "sakuga", .user = "sakuga", .real = "sakuga"};
    struct ircwho who = {0};
    struct shield *s = shield_new(&login, &ops, &who, NULL);
    if (!s)
        return 0;
    if (!shield_feed(s, (const char *)data, n) || !shield_feed(s, "\r\n", 2))
        abort(); /* it may never give up */
    shield_free(s);
    return 0;
}

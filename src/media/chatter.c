#include "media/chatter.h"

#include "base/log.h"

#include <glib.h>
#include <libavutil/log.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void trim(char *s)
{
    size_t n = strlen(s);
    while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == ' '))
        s[--n] = '\0';
}

/* libav calls this from many threads and sometimes with a part of a line; parts are lines here. */
static void on_av(void *object, int level, const char *fmt, va_list ap)
{
    char text[600];
    if (level > AV_LOG_WARNING)
        return;
    const AVClass *c = object ? *(const AVClass **)object : NULL;
    vsnprintf(text, sizeof text, fmt, ap);
    trim(text);
    if (text[0])
        log_write(level <= AV_LOG_ERROR ? LOG_WARN : LOG_DEBUG, "media", "%s: %s",
                  c && c->item_name ? c->item_name(object) : "libav", text);
}

static GLogWriterOutput on_glib(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer u)
{
    (void)u;
    for (gsize i = 0; i < n; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0 && fields[i].value)
            log_write(level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)
                          ? LOG_WARN
                          : LOG_DEBUG,
                      "media", "glib: %.*s", fields[i].length < 0 ? 600 : (int)fields[i].length,
                      (const char *)fields[i].value);
    return G_LOG_WRITER_HANDLED;
}

void chatter_to_log(void)
{
    av_log_set_callback(on_av);
    g_log_set_writer_func(on_glib, NULL, NULL);
}

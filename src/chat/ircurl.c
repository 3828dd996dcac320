#include "chat/ircurl.h"

#include "chat/ircwho.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err ircurl_parse(const char *url, struct ircurl *out, struct fault *f)
{
    static const char form[] = "write ircs://host/#channel";
    *out = (struct ircurl){.tls = !strncmp(url, "ircs://", 7)};
    if (!out->tls && strncmp(url, "irc://", 6))
        return fault_set(f, ERR_SYNTAX, "\"%.100s\" is no address of a chat: %s", url, form);
    const char *s = url + (out->tls ? 7 : 6), *slash = strchr(s, '/');
    if (memchr(s, '@', slash ? (size_t)(slash - s) : strlen(s)))
        return fault_set(f, ERR_DENIED,
                         "no password in the address of the chat: it belongs into secrets.conf");
    bool v6 = *s == '[';
    size_t n = v6 ? strcspn(s, "]") : strcspn(s, ":/");
    const char *rest = s + n + (v6 && s[n]);
    s += v6;
    n -= v6;
    if (!slash || n < 1 || n >= sizeof out->host)
        return fault_set(f, ERR_SYNTAX, "\"%.100s\" names no host or no channel: %s", url, form);
    memcpy(out->host, s, n);
    char *end = (char *)rest;
    out->port = out->tls ? 6697 : 6667;
    if (*rest == ':')
        out->port = (int)strtol(rest + 1, &end, 10);
    if (end != slash || out->port < 1 || out->port > 65535)
        return fault_set(f, ERR_SYNTAX, "\"%.100s\" has no valid port", url);
    const char *channel = slash + 1;
    if (!strncmp(channel, "%23", 3))
        channel += 3;
    else if (*channel == '#')
        channel++;
    char name[sizeof out->channel];
    int len = snprintf(name, sizeof name, "#%s", channel);
    if (len < 2 || len > 50 || name[strcspn(name, " ,:\a\r\n\t/?")])
        return fault_set(f, ERR_SYNTAX, "\"%.100s\" names no channel: %s", url, form);
    ircwho_lower(out->channel, sizeof out->channel, name);
    return ERR_OK;
}

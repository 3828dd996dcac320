/* chat/ircurl: addresses of IRC channels. The source itself is `irc_ops` of chat/source.h. Pure. */
#ifndef SAKUGA_CHAT_IRCURL_H
#define SAKUGA_CHAT_IRCURL_H

#include "base/err.h"

#include <stdbool.h>

struct ircurl {
    bool tls;
    char host[256];   /* without the brackets of IPv6 */
    int port;         /* 6697 with TLS, else 6667 when the address names none */
    char channel[64]; /* "#show", lower case */
};

/* Reads ircs://host[:port]/#channel or irc://…; the # may be left out or written %23. */
enum err ircurl_parse(const char *url, struct ircurl *out, struct fault *f);

#endif

/* show/viewer: who speaks, from where, with which rights. Plain data, copied by value. */
#ifndef SAKUGA_SHOW_VIEWER_H
#define SAKUGA_SHOW_VIEWER_H

#include <stdbool.h>
#include <stdint.h>

/* Rising rights; a command's row names the least one that may call it. */
enum role {
    ROLE_VIEWER,
    ROLE_SUBSCRIBER,
    ROLE_VIP,
    ROLE_MODERATOR,
    ROLE_BROADCASTER,
    ROLE_OPERATOR
};
const char *role_name(enum role r);

struct viewer {
    char platform[16]; /* "irc", "twitch", "simulated", "ctl" */
    char uid[64];      /* the platform's stable id; the lower-cased nick where it has none */
    char name[128];    /* for people to read; clean UTF-8, never a key */
    enum role role;
};

/* Are they the same person? Platform and uid decide. */
bool viewer_same(const struct viewer *a, const struct viewer *b);

/* One line of chat, cleaned. Strings are borrowed for the length of the call that hands it over. */
struct chat_line {
    struct viewer who;
    const char *channel; /* "#show" */
    const char *msgid;   /* the platform's id of the message, "" without one */
    const char *text;    /* text_clean()ed, not empty */
    int source;          /* index of the chat source in the settings; replies go there */
    int64_t utc_ms;      /* when the platform took it, else when it came */
};

/* What the platform took back: a person's lines (ban, time-out) or one message (deleted). */
struct chat_withdrawal {
    int source;
    char platform[16];
    char uid[64];   /* "" : see msgid; both "": the whole chat was cleared */
    char msgid[64]; /* "" : all of uid's */
    int64_t ban_s;  /* -1 for ever, 0 no ban, else seconds */
};

#endif

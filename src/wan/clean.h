/* wan/clean: a prompt as the model saw prompts in training (spec 3.1).
 *
 * Upstream runs ftfy, HTML unescaping and blank folding over each prompt; this is the part of it
 * that changes real text: HTML entities, ligatures, full-width forms (`，` becomes `,`, which is
 * another token), curly quotes, line breaks, terminal escapes, controls, NFC, blanks. Mojibake
 * repair is left out. Tables are in clean_tables.h, so that every build cleans alike. Pure. */
#ifndef SAKUGA_WAN_CLEAN_H
#define SAKUGA_WAN_CLEAN_H

#include "base/buf.h"

/* Appends the cleaned form of text[n]; invalid UTF-8 becomes U+FFFD. False: out overflowed. */
bool clean_prompt(struct buf *out, const char *text, size_t n);

/* Appends the NFC form of valid UTF-8. */
bool clean_nfc(struct buf *out, const char *text, size_t n);

#endif

/* app/keyline: on which line of a show.lua a key stands, for messages about it. Pure; any thread.
 */
#ifndef SAKUGA_APP_KEYLINE_H
#define SAKUGA_APP_KEYLINE_H

/* The line on which a key path ("limits.queue", "chat[2].url") stands in the text of a Lua file
 * that returns a table; 0 when it is computed or not there. */
int keyline_find(const char *text, const char *path);

#endif

/* media/chatter: what the media libraries have to say goes to the log, one line each.
 *
 * libav, x264, GLib and Pango write to standard error in their own ways; a worker's streams belong
 * to the protocol. Call once, before any of them is used. */
#ifndef SAKUGA_MEDIA_CHATTER_H
#define SAKUGA_MEDIA_CHATTER_H

void chatter_to_log(void);

#endif

/* base/clock: the two times of the show.
 *
 * Monotonic milliseconds measure dwell, cooldown and deadlines and never jump; UTC milliseconds
 * stand in records. Tests freeze both and move them by hand. Pure rooms take time as an argument
 * and never call this. Any thread; clock_virtual() only before other threads run. */
#ifndef SAKUGA_BASE_CLOCK_H
#define SAKUGA_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ms(void); /* milliseconds since some start */
int64_t clock_mono_us(void); /* microseconds, same origin; for measuring */
int64_t clock_utc_ms(void);  /* milliseconds since 1970-01-01T00:00:00Z */

/* Both clocks stand still at these values from now on, until called again. */
void clock_virtual(int64_t mono_ms, int64_t utc_ms);
/* Moves the virtual clocks on by `ms`. */
void clock_advance(int64_t ms);
/* Back to the real clocks. */
void clock_real(void);

/* "2026-11-22T15:04:05.678Z" into out[25]. */
void clock_iso(int64_t utc_ms, char out[25]);

#endif

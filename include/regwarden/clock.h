/* Time: wall clock and steady clock in milliseconds, both replaceable by tests, and RFC 3339.
 *
 * One unit everywhere: int64_t milliseconds; wall time counts from 1970-01-01T00:00:00Z. Rooms
 * `image` and `policy` never call clock_*: now is handed to them. Reading is safe on any thread;
 * clock_set_for_test is not. */
#ifndef REGWARDEN_CLOCK_H
#define REGWARDEN_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"

int64_t clock_wall_ms(void);
int64_t clock_steady_ms(void);

/* Tests: both clocks answer `wall_ms` and `steady_ms` until set again; -1, -1 goes back to the real
 * ones. */
void clock_set_for_test(int64_t wall_ms, int64_t steady_ms);

/* RFC 3339 with any number of fraction digits, 'Z' or numeric offset; year 0001 is accepted
 * (reproducible builds write it). FAILURE_INPUT. */
int clock_parse_rfc3339(const char *text, int64_t *ret_ms, struct error *err);

enum { CLOCK_TEXT_SIZE = 32 };
/* "2026-01-02T03:04:05Z", with ".678" when milliseconds are not zero. */
const char *clock_format_rfc3339(int64_t ms, char buffer[static CLOCK_TEXT_SIZE]);

#endif

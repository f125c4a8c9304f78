/* UTF-8 checks that text, JSON and log lines share. Private to the base room. */
#ifndef REGWARDEN_BASE_UTF8_H
#define REGWARDEN_BASE_UTF8_H

#include <stddef.h>

/* The length (1 to 4) of the valid UTF-8 sequence at `bytes`, of which `left` are there; 0 when
 * there is none. Surrogates, overlong forms and values over U+10FFFF are not valid. */
size_t utf8_length(const char *bytes, size_t left);

/* Replaces, in place, what could forge a line or steer a terminal by '?': control characters (also
 * those above U+007F), direction marks, line separators, and bytes that are not UTF-8. */
void utf8_scrub_line(char *line);

#endif

/* Secrets in a text of any length, with the table of secret_text.h, in windows that overlap.
 * Private to the room. */
#ifndef SCAN_SECRET_WINDOW_H
#define SCAN_SECRET_WINDOW_H

#include "findings.h"

struct secret_window; /* opaque; used for one text after another */
struct secret_window *secret_window_new(struct findings *findings, const unsigned char *salt);
void secret_window_free(struct secret_window *window);

void secret_window_begin(struct secret_window *window, const char *path);
void secret_window_push(struct secret_window *window, const uint8_t *bytes, size_t size);
void secret_window_end(struct secret_window *window);

#endif

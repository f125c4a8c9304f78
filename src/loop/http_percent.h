/* Percent-encoding: the strict way back. */
#ifndef HTTP_PERCENT_H
#define HTTP_PERCENT_H

#include <stddef.h>

enum percent_kind {
    PERCENT_PATH,  /* one segment: an encoded slash is refused */
    PERCENT_FORM,  /* a query's name or value: '+' is a blank */
    PERCENT_PLAIN, /* nothing else is special */
};

/* Returns new; NULL for a broken escape, an encoded NUL, or what the kind refuses. */
char *http_percent_decode(const char *bytes, size_t size, enum percent_kind kind);

#endif

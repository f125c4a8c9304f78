/* Making text from outside harmless for where it is written to. */
#ifndef REPORT_ESCAPE_H
#define REPORT_ESCAPE_H

#include "regwarden/text.h"

/* For terminals and all formats below: control characters, direction marks, line separators and
 * bytes that are not UTF-8 become '?'. A line feed becomes `line_feed` (NULL: '?'). */
void escape_plain(struct text *to, const char *value, const char *line_feed);
/* For Markdown: nothing of it is markup, a mention or HTML; lines end with <br>. */
void escape_markdown(struct text *to, const char *value);
/* For a relative URI: everything but unreserved characters and '/' is percent-encoded. */
void escape_uri(struct text *to, const char *value);

#endif

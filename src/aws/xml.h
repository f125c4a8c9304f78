/* The XML that AWS's query services answer, as far as it is needed: elements and text. Pure. */
#ifndef AWS_XML_H
#define AWS_XML_H

#include <stddef.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

/* Every element without elements in it, in order, as "Root/Child/Leaf" and its text; attributes are
 * passed over. No document types, comments, sections of character data, processing instructions
 * beyond the first line or references other than the five of XML: FAILURE_INPUT, and `ret` is
 * empty. FAILURE_LIMIT: over 64 KiB, 8 deep or 256 leaves. */
int xml_read(const char *bytes, size_t size, struct text_pairs *ret, struct error *err);

#endif

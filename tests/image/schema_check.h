/* Checks a JSON document against the subset of JSON schema that our own schemas are written in. */
#ifndef TEST_SCHEMA_CHECK_H
#define TEST_SCHEMA_CHECK_H

#include <stdbool.h>

#include "regwarden/json.h"

/* `why` (200 bytes) says what does not fit. Members that the schema does not name are refused: what
 * is written must be described. */
bool schema_check(const struct json *schema, const struct json *document, char *why);

#endif

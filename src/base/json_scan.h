/* A look over the raw bytes of a JSON document before anything is allocated. Private to the base
 * room. */
#ifndef REGWARDEN_BASE_JSON_SCAN_H
#define REGWARDEN_BASE_JSON_SCAN_H

#include "regwarden/json.h"

/* Counts depth and values. FAILURE_LIMIT. Bytes that are no JSON pass: the parser refuses them,
 * and never builds more than was counted here. */
int json_scan(const char *bytes, size_t size, const struct json_limits *limits, struct error *err);

#endif

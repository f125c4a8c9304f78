/* Kinds of text that labels and tags may have to be. */
#ifndef REGWARDEN_POLICY_TYPED_TEXT_H
#define REGWARDEN_POLICY_TYPED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum text_type {
    TEXT_TYPE_TEXT, /* anything but blanks */
    TEXT_TYPE_URL,
    TEXT_TYPE_RFC3339,
    TEXT_TYPE_SPDX,
    TEXT_TYPE_GIT_HASH,
    TEXT_TYPE_SEMVER,
    TEXT_TYPE_EMAIL,
    TEXT_TYPE_COUNT,
};
extern const char *const text_type_names[];        /* "text", "url", …; ends with NULL */
extern const char *const text_type_descriptions[]; /* "a URL", … for messages */

bool text_type_check(enum text_type type, const char *text);

#endif

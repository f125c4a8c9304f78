/* The scanner under secret_text.h. Private to the room.
 *
 * One pass over a text, linear in its length whatever is in it: runs of token characters are
 * measured once and remembered, and what was given out is skipped. */
#ifndef IMAGE_SECRET_SCAN_H
#define IMAGE_SECRET_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/secret_text.h"

/* Sets of characters that tokens are made of. */
enum secret_set {
    SET_ALNUM,
    SET_UPPER_ALNUM, /* A-Z 0-9 */
    SET_LOWER_ALNUM, /* a-z 0-9 */
    SET_BASE32,      /* A-Z 2-7 */
    SET_HEX,         /* 0-9 a-f */
    SET_ANY_HEX,     /* 0-9 a-f A-F */
    SET_HEX_DASH,    /* 0-9 a-f - */
    SET_DIGIT,
    SET_WORD,   /* letters, digits, - and _ */
    SET_TOKEN,  /* word and . */
    SET_BASE64, /* letters, digits, + / = */
    SET_BEARER, /* token and ~ + / = */
    SET_URL,    /* token and % */
    SET_PATH,   /* token and @ / */
    SET_DOLLAR, /* a-z 0-9 $ */
    SECRET_SET_COUNT
};

struct secret_text {
    const char *text;
    size_t size;
    /* The run of each set that was measured last: [start, end). */
    struct {
        size_t start;
        size_t end;
    } runs[SECRET_SET_COUNT];
    size_t names_from; /* no name=value is looked for before: the inside of a long harmless value */
};

void secret_text_init(struct secret_text *scan, const char *text);
/* Does a token begin at `at`? */
bool secret_format_at(struct secret_text *scan, size_t at, struct secret_match *ret);

/* Is this the name of something secret (weakly: many such values are harmless)? */
enum secret_name { SECRET_NAME_NO, SECRET_NAME_WEAK, SECRET_NAME_STRONG };
enum secret_name secret_name_judge(const char *name, size_t size);
/* Could a value of this shape be a secret under a name judged so? */
bool secret_value_is_plausible(enum secret_name name, const char *value, size_t size);

/* The next secret from *position on, by format or as the value of a NAME=value word, "NAME":
 * "value",
 * --name=value or --name value. `ret_name` may be NULL; its size is 0 when the secret has no name.
 */
struct secret_word {
    size_t start;
    size_t size;
};
bool secret_scan_next(struct secret_text *scan, size_t *position, struct secret_match *ret,
                      struct secret_word *ret_name);

#endif

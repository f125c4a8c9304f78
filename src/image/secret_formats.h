/* THE table of token formats, in groups by who gives them out, and what checks them. Private to the
 * room.
 *
 * The same rows are searched in short texts (secret_text.h) and, by their clues, in the content of
 * layers. Generic values are judged by name in secret_names.c; entropy alone never decides. */
#ifndef IMAGE_SECRET_FORMATS_H
#define IMAGE_SECRET_FORMATS_H

#include "regwarden/memory.h"
#include "secret_scan.h"

/* `prefix`, then between `min` and `max` characters of `set`; nothing of the set may follow. */
struct secret_format {
    const char *kind;
    const char *prefix;
    enum secret_set set;
    unsigned min;
    unsigned max;
    unsigned before; /* so many characters of `before_set`, not more, stand before the prefix and
                        belong to the secret */
    enum secret_set before_set;
    unsigned dots;      /* that must be in the run */
    const char *inside; /* must be in the run */
    const char *name;   /* in place of a prefix: the run is the value of a name that holds this */
    bool prefix_stays;  /* the prefix is context and no part of the secret */
    bool weak;          /* others write such runs, too: it must look random */
};
enum { SECRET_ANY = 1 << 16 };

extern const struct secret_format secret_formats_cloud[];
extern const size_t secret_formats_cloud_count;
extern const struct secret_format secret_formats_code[];
extern const size_t secret_formats_code_count;
extern const struct secret_format secret_formats_services[];
extern const size_t secret_formats_services_count;
/* Those with something before the mark, and only those. */
extern const struct secret_format secret_formats_marked[];
extern const size_t secret_formats_marked_count;
extern const struct secret_format secret_formats_context[];
extern const size_t secret_formats_context_count;

/* All rows that have a prefix, then those that have a name. */
size_t secret_formats_count(void);
const struct secret_format *secret_formats_row(size_t index);

bool secret_set_has(enum secret_set set, char c);
const char *secret_set_class(enum secret_set set); /* as in a regular expression */
/* How many characters of the set stand at `at`. */
size_t secret_run_at(struct secret_text *scan, enum secret_set set, size_t at);
bool secret_is_repeated(const char *text, size_t size); /* one character, again and again */

/* Does a secret of this format begin at `at`? */
bool secret_format_matches(struct secret_text *scan, size_t at, const struct secret_format *format,
                           struct secret_match *ret);
/* Does the name that holds `at`, where format->name begins, have such a value? */
bool secret_named_matches(struct secret_text *scan, size_t at, const struct secret_format *format,
                          struct secret_match *ret);
/* The kind of a value under this name, or NULL when no row knows it. */
const char *secret_named_kind(const char *name, size_t name_size, const char *value, size_t size);

bool secret_jwt_at(struct secret_text *scan, size_t at, struct secret_match *ret);
bool secret_pem_at(struct secret_text *scan, size_t at, struct secret_match *ret);
bool secret_url_at(struct secret_text *scan, size_t at, struct secret_match *ret);
bool secret_docker_auth_at(struct secret_text *scan, size_t at, struct secret_match *ret);

#endif

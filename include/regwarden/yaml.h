/* YAML documents as a tree of nodes that know their place (home of libyaml: src/config/yaml.c).
 *
 * Bounded: 1 MiB, depth 32, 100 000 nodes. Refused with file:line:column: aliases and anchors,
 * duplicate keys, merge keys, several documents, tags other than the core ones. Scalars keep their
 * text; typed getters parse it, so that "012" or "no" never turn into something else by surprise
 * (booleans are true and false only). Nodes live as long as the document. Any thread. */
#ifndef REGWARDEN_YAML_H
#define REGWARDEN_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/error.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum yaml_kind { YAML_KIND_NULL, YAML_KIND_SCALAR, YAML_KIND_LIST, YAML_KIND_MAP };

struct yaml_node;
struct yaml_member {
    char *key;
    unsigned key_line, key_column;
    struct yaml_node *value;
};
struct yaml_node {
    enum yaml_kind kind;
    unsigned line, column; /* from 1 */
    bool quoted;           /* the scalar stood in quotes: it is text, never a number or boolean */
    char *scalar;          /* YAML_KIND_SCALAR */
    struct yaml_node **items;    /* YAML_KIND_LIST */
    struct yaml_member *members; /* YAML_KIND_MAP, in document order */
    size_t count;                /* of items or members */
};

struct yaml_document {
    char *name;             /* file name, for messages */
    struct yaml_node *root; /* never NULL: an empty document is a null node */
};

/* Returns new. FAILURE_INPUT, FAILURE_LIMIT. */
int yaml_parse(const char *name, const char *bytes, size_t size, struct yaml_document **ret,
               struct error *err);
void yaml_document_free(struct yaml_document *document);
void yaml_document_auto_free(struct yaml_document **document);
#define AUTO_YAML AUTO(yaml_document_auto_free)

struct yaml_node *yaml_get(const struct yaml_node *map,
                           const char *key); /* borrowed; NULL when absent or not a map */

/* "name:line:column: " before the message. Returns FAILURE_INPUT. */
int yaml_error(const struct yaml_document *document, const struct yaml_node *node,
               struct error *err, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Every key of `map` must be in `names` (ends with NULL); else FAILURE_INPUT at the key, with a
 * did-you-mean.
 */
int yaml_check_keys(const struct yaml_document *document, const struct yaml_node *map,
                    const char *const *names, struct error *err);

/* Typed reading of one setting into memory, shared by the configuration and by rule settings. */
enum param_type {
    PARAM_BOOL,          /* bool */
    PARAM_INTEGER,       /* int64_t, within min..max */
    PARAM_BYTES,         /* uint64_t bytes: "250MB" */
    PARAM_DURATION,      /* int64_t ms: "90d" */
    PARAM_TEXT,          /* char * (owned), NULL when absent */
    PARAM_CHOICE,        /* int: index into `choices`, counted from `min` */
    PARAM_LIST,          /* struct text_list; a single scalar is a list of one */
    PARAM_PAIRS,         /* struct text_pairs: a map of scalars */
    PARAM_BYTES_BY_NAME, /* struct text_pairs whose values were checked with text_parse_bytes; keys
                            checked against `choices` when given */
    PARAM_RECORDS, /* struct param_records: a list of maps of scalars; keys are among `choices` */
};
enum { PARAM_RECORDS_MAX = 1024 };
struct param_records {
    struct text_pairs *items;
    size_t count;
};
const char *
param_type_name(enum param_type type); /* "boolean", "integer", "size", "duration", … for help */

/* One setting: a row of a const table that ends with a NULL name. From it come parsing, defaults,
 * JSON schema, help and manual. */
struct param {
    const char *name; /* "max-age"; dots make groups: "listen.address" */
    enum param_type type;
    bool required;
    bool reloadable;      /* configuration only: SIGHUP takes it over */
    size_t offset;        /* into the settings struct */
    const char *fallback; /* default, as it would be written in YAML; NULL: empty, zero or false. A
                             list: "[a, b]" */
    int64_t min, max;     /* PARAM_INTEGER, PARAM_BYTES, PARAM_DURATION; both 0: no bounds */
    const char *const
        *choices;     /* PARAM_CHOICE, PARAM_BYTES_BY_NAME, PARAM_RECORDS; ends with NULL */
    const char *unit; /* for help; NULL when there is none */
    const char *help; /* one or two sentences, ends with a full stop */
};

/* Fills `settings` (zeroed) from the map (NULL node: defaults only): unknown keys, wrong types, out
 * of bounds and missing required ones are FAILURE_INPUT at their place. What was filled before a
 * failure is released.
 */
int params_read(const struct param *params, const struct yaml_document *document,
                const struct yaml_node *map, void *settings, struct error *err);
void params_release(const struct param *params, void *settings);

struct json;
/* The JSON schema object (type, properties, required, descriptions, defaults) for a table. Returns
 * new. */
struct json *params_schema(const struct param *params);
/* The settings as JSON, for diffs and status. Returns new. */
struct json *params_to_json(const struct param *params, const void *settings);

#endif

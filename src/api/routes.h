/* The table of routes and what its rows are made of. Handling, checking of parameters and bodies,
 * and the OpenAPI document all read the same rows. */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;

enum role {
    ROLE_ANYONE,
    ROLE_LOCAL,    /* whoever is on this machine, and operators */
    ROLE_OPERATOR, /* over the unix socket, or with the token */
};

/* What the query of a request said; strings owned. */
struct query {
    char *registry, *repository, *tag, *verdict, *rule, *kind, *state, *format, *by, *reference;
    int64_t since_ms;
    int64_t before;
    int64_t limit;
};

enum parameter_type {
    PARAMETER_TEXT,
    PARAMETER_CHOICE, /* one of `choices` */
    PARAMETER_COUNT,  /* 1..maximum */
    PARAMETER_SINCE,  /* RFC 3339, or a duration: so long ago */
};

struct parameter {
    const char *name;
    const char *description;
    enum parameter_type type;
    size_t offset; /* into struct query */
    const char *const *choices;
    int64_t maximum;
    bool required;
};

enum field_type { FIELD_TEXT, FIELD_FLAG };

/* A member of a request's body. */
struct field {
    const char *name;
    const char *description;
    enum field_type type;
    bool required;
};

enum segment { SEGMENT_NONE, SEGMENT_NUMBER, SEGMENT_TEXT }; /* what :id is */

struct route {
    const char *method;
    const char *pattern; /* of http_route_match, with at most one segment ":id" */
    const char *summary;
    const char *media_type;                    /* of success; NULL: JSON */
    const struct parameter *const *parameters; /* ends with NULL; NULL: none */
    const struct field *fields;                /* ends with a NULL name; NULL: no body */
    void (*handle)(struct call *call);
    enum role role;
    enum segment id;
    int status; /* of success */
    bool body_required;
};

extern const struct route routes[]; /* ends with a NULL method */

#endif

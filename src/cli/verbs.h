/* Commands of the form `regwarden NOUN VERB [ARGUMENT…]` against the daemon: parsing and dispatch
 * in one place. */
#ifndef REGWARDEN_VERBS_H
#define REGWARDEN_VERBS_H

#include "client.h"

struct verbs_input {
    struct client_options client;
    const char *verb;
    struct text_list arguments;
    void *extra; /* the command's own options */
    error_t (*parse_extra)(int key, char *value, void *extra, struct argp_state *state);
};

struct verb {
    const char *name;
    size_t min_arguments, max_arguments;
    int (*run)(const struct verbs_input *input, struct error *err); /* prints; 0 or a failure */
};

/* argp parser for commands with verbs. */
error_t verbs_parse(int key, char *value, struct argp_state *state);
extern const struct argp_child verbs_children[];

/* Runs the verb named; verbs ends with a NULL name. The first is the default. */
int verbs_run(const struct command *command, const struct verb *verbs, struct verbs_input *input);

#endif

/* Noun and verb: what `quarantine`, `waiver`, `dead-letters` share. */
#include "verbs.h"

#include <stdio.h>

const struct argp_child verbs_children[] = {{&client_argp, 0, "Where the daemon is", 1},
                                            {NULL, 0, NULL, 0}};

error_t verbs_parse(int key, char *value, struct argp_state *state)
{
    struct verbs_input *input = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &input->client;
        return 0;
    case ARGP_KEY_ARG:
        if (input->verb)
            text_list_add(&input->arguments, value);
        else
            input->verb = value;
        return 0;
    default:
        return input->parse_extra ? input->parse_extra(key, value, input->extra, state)
                                  : ARGP_ERR_UNKNOWN;
    }
}

static const struct verb *find(const struct verb *verbs, const char *name)
{
    for (const struct verb *verb = verbs; verb->name; verb++)
        if (!name || text_equal(verb->name, name))
            return verb;
    return NULL;
}

static int refuse(const struct command *command, const struct verb *verbs, const char *name)
{
    fprintf(stderr, "regwarden: %s cannot \"%s\"; it can", command->name, name);
    for (const struct verb *verb = verbs; verb->name; verb++)
        fprintf(stderr, "%s%s", verb == verbs ? " " : verb[1].name ? ", " : " and ", verb->name);
    fputs("\n", stderr);
    return EXIT_USAGE;
}

int verbs_run(const struct command *command, const struct verb *verbs, struct verbs_input *input)
{
    const struct verb *verb = find(verbs, input->verb);
    struct error error = {0};
    int status = EXIT_PASSED;

    if (!verb) {
        status = refuse(command, verbs, input->verb);
    } else if (input->arguments.count < verb->min_arguments ||
               input->arguments.count > verb->max_arguments) {
        fprintf(stderr, "regwarden: %s %s takes %zu argument%s; see `regwarden %s --help`\n",
                command->name, verb->name, verb->min_arguments, verb->min_arguments == 1 ? "" : "s",
                command->name);
        status = EXIT_USAGE;
    } else if (verb->run(input, &error) < 0) {
        status = command_fail(&error);
    }
    text_list_release(&input->arguments);
    return status;
}

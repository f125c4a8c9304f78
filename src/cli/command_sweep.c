/* `regwarden sweep`: asks the daemon to walk a registry now. */
#include "client.h"
#include "commands.h"

#include <stdio.h>

struct options {
    struct client_options client;
    const char *registry;
};

static const struct argp_child children[] = {{&client_argp, 0, "Where the daemon is", 1},
                                             {NULL, 0, NULL, 0}};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->client;
        return 0;
    case ARGP_KEY_ARG:
        options->registry = value;
        return state->arg_num == 0 ? 0 : ARGP_ERR_UNKNOWN;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .parser = parse_option,
    .children = children,
    .args_doc = "[REGISTRY]",
    .doc = "Walk the repositories and tags of a registry now (default: of all), to find what no "
           "event announced.\v"
           "Returns at once; `regwarden status` shows how it goes.\n\n"
           "Examples:\n  regwarden sweep\n  regwarden sweep main",
};

static int run(int argc, char **argv)
{
    struct options options = {0};
    struct error error = {0};
    AUTO_JSON struct json *body = json_new_object();
    AUTO_JSON struct json *answer = NULL;

    command_parse(&command_sweep, &argp, argc, argv, &options);
    json_set_string(body, "registry", options.registry);
    if (client_request(&options.client, "POST", "/api/v1/sweep", body, &answer, &error) < 0)
        return command_fail(&error);
    if (options.client.json)
        client_print_json(answer);
    else
        puts("sweeping; `regwarden status` shows how it goes");
    return EXIT_PASSED;
}

const struct command command_sweep = {
    .name = "sweep",
    .arguments = "[REGISTRY]",
    .summary = "walk a registry now for what no event announced",
    .group = "daemon",
    .run = run,
};

/* `regwarden verdicts`: the verdicts in force. */
#include "client.h"
#include "commands.h"

#include <stdio.h>

enum option_key { OPTION_REGISTRY = 256, OPTION_TAG, OPTION_VERDICT, OPTION_RULE, OPTION_LIMIT };

struct options {
    struct client_options client;
    const char *registry, *repository, *tag, *verdict, *rule, *limit;
};

static const struct argp_option option_table[] = {
    {"registry", OPTION_REGISTRY, "NAME", 0, "Only of this registry", 0},
    {"tag", OPTION_TAG, "TAG", 0, "Only of this tag", 0},
    {"verdict", OPTION_VERDICT, "VERDICT", 0, "Only pass, warn, unknown or fail", 0},
    {"rule", OPTION_RULE, "RULE", 0, "Only with a finding of this rule", 0},
    {"limit", OPTION_LIMIT, "N", 0, "At most so many, newest first (default 100, at most 1000)", 0},
    {NULL, 0, NULL, 0, NULL, 0},
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
    case OPTION_REGISTRY:
        options->registry = value;
        return 0;
    case OPTION_TAG:
        options->tag = value;
        return 0;
    case OPTION_VERDICT:
        options->verdict = value;
        return 0;
    case OPTION_RULE:
        options->rule = value;
        return 0;
    case OPTION_LIMIT:
        options->limit = value;
        return 0;
    case ARGP_KEY_ARG:
        options->repository = value;
        return state->arg_num == 0 ? 0 : ARGP_ERR_UNKNOWN;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = option_table,
    .parser = parse_option,
    .children = children,
    .args_doc = "[REPOSITORY]",
    .doc = "List the verdicts in force, newest first. REPOSITORY is a glob like team/**.\v"
           "Examples:\n  regwarden verdicts --verdict fail\n  regwarden verdicts 'prod/**' --rule "
           "secrets --json",
};

static int run(int argc, char **argv)
{
    static const struct column columns[] = {{"ID", "id"},
                                            {"REGISTRY", "registry"},
                                            {"REPOSITORY", "repository"},
                                            {"TAG", "tag"},
                                            {"DIGEST", "digest"},
                                            {"VERDICT", "verdict"},
                                            {"JUDGED", "judgedAt"},
                                            {NULL, NULL}};
    struct options options = {0};
    struct error error = {0};
    AUTO_TEXT struct text path = {0};
    AUTO_JSON struct json *answer = NULL;

    command_parse(&command_verdicts, &argp, argc, argv, &options);
    text_add(&path, "/api/v1/verdicts");
    client_parameter(&path, "registry", options.registry);
    client_parameter(&path, "repository", options.repository);
    client_parameter(&path, "tag", options.tag);
    client_parameter(&path, "verdict", options.verdict);
    client_parameter(&path, "rule", options.rule);
    client_parameter(&path, "limit", options.limit);
    if (client_request(&options.client, "GET", text_data(&path), NULL, &answer, &error) < 0)
        return command_fail(&error);
    if (options.client.json)
        client_print_json(answer);
    else
        client_print_table(json_get(answer, "items"), columns);
    return EXIT_PASSED;
}

const struct command command_verdicts = {
    .name = "verdicts",
    .arguments = "[REPOSITORY]",
    .summary = "list the verdicts in force",
    .group = "daemon",
    .run = run,
};

/* `regwarden quarantine list|release`: what was moved out of reach, and putting it back. */
#include "commands.h"
#include "verbs.h"

#include <stdio.h>

enum option_key { OPTION_FORCE = 256, OPTION_ALL };

struct options {
    bool force;
    bool all;
};

static const struct argp_option option_table[] = {
    {"force", OPTION_FORCE, NULL, 0,
     "release: put it back even when the tag points at something else by now", 0},
    {"all", OPTION_ALL, NULL, 0, "list: also what was released, failed or skipped", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_extra(int key, char *value, void *extra, struct argp_state *state)
{
    struct options *options = extra;

    (void)value;
    (void)state;
    switch (key) {
    case OPTION_FORCE:
        options->force = true;
        return 0;
    case OPTION_ALL:
        options->all = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = option_table,
    .parser = verbs_parse,
    .children = verbs_children,
    .args_doc = "list\nrelease ID",
    .doc = "List what is quarantined, or put it back.\v"
           "release restores manifest and tag byte for byte, and the same image is not taken away "
           "again from that tag.\n\n"
           "Examples:\n  regwarden quarantine list\n  regwarden quarantine release 42",
};

static int list(const struct verbs_input *input, struct error *err)
{
    static const struct column columns[] = {
        {"ID", "id"},   {"REGISTRY", "registry"}, {"REPOSITORY", "repository"},
        {"TAG", "tag"}, {"DIGEST", "digest"},     {"STATE", "state"},
        {"AT", "at"},   {"REASON", "reason"},     {NULL, NULL}};
    const struct options *options = input->extra;
    AUTO_JSON struct json *answer = NULL;

    if (client_request(&input->client, "GET",
                       options->all ? "/api/v1/plans?kind=quarantine&limit=1000"
                                    : "/api/v1/quarantine?limit=1000",
                       NULL, &answer, err) < 0)
        return err->kind;
    if (input->client.json)
        client_print_json(answer);
    else
        client_print_table(json_get(answer, "items"), columns);
    return 0;
}

static int release(const struct verbs_input *input, struct error *err)
{
    const struct options *options = input->extra;
    AUTO_TEXT struct text path = {0};
    AUTO_JSON struct json *body = json_new_object();
    AUTO_JSON struct json *answer = NULL;
    uint64_t id;

    if (text_parse_uint(input->arguments.items[0], INT64_MAX, &id, err) < 0)
        return error_wrap(err, "the id of what to release");
    text_format(&path, "/api/v1/quarantine/%llu/release", (unsigned long long)id);
    if (options->force)
        json_set_bool(body, "force", true);
    if (client_request(&input->client, "POST", text_data(&path), body, &answer, err) < 0)
        return err->kind;
    if (input->client.json)
        client_print_json(answer);
    else
        printf("released %s:%s\n", json_get_string(answer, "repository"),
               json_get_string(answer, "tag") ? json_get_string(answer, "tag")
                                              : json_get_string(answer, "digest"));
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"list", 0, 0, list}, {"release", 1, 1, release}, {NULL, 0, 0, NULL}};
    struct options options = {0};
    struct verbs_input input = {.extra = &options, .parse_extra = parse_extra};

    command_parse(&command_quarantine, &argp, argc, argv, &input);
    return verbs_run(&command_quarantine, verbs, &input);
}

const struct command command_quarantine = {
    .name = "quarantine",
    .arguments = "list|release",
    .summary = "list what was moved out of reach, put it back",
    .group = "daemon",
    .run = run,
};

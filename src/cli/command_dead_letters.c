/* `regwarden dead-letters list|show|retry|remove`: what could not be understood, judged or
 * delivered. */
#include "commands.h"
#include "verbs.h"

#include <stdio.h>

static const struct argp argp = {
    .parser = verbs_parse,
    .children = verbs_children,
    .args_doc = "list\nretry ID\nremove ID",
    .doc =
        "List what could not be understood, judged or delivered; try it again; or strike it off.\v"
        "Example:\n  regwarden dead-letters retry 7",
};

static int list(const struct verbs_input *input, struct error *err)
{
    static const struct column columns[] = {{"ID", "id"},         {"AT", "at"},
                                            {"KIND", "kind"},     {"REGISTRY", "registry"},
                                            {"REASON", "reason"}, {NULL, NULL}};
    AUTO_JSON struct json *answer = NULL;

    if (client_request(&input->client, "GET", "/api/v1/dead-letters?limit=1000", NULL, &answer,
                       err) < 0)
        return err->kind;
    if (input->client.json)
        client_print_json(answer);
    else
        client_print_table(json_get(answer, "items"), columns);
    return 0;
}

static int ask(const struct verbs_input *input, const char *method, const char *suffix,
               struct error *err)
{
    AUTO_TEXT struct text path = {0};
    AUTO_JSON struct json *answer = NULL;
    uint64_t id;

    if (text_parse_uint(input->arguments.items[0], INT64_MAX, &id, err) < 0)
        return error_wrap(err, "the id of the dead letter");
    text_format(&path, "/api/v1/dead-letters/%llu%s", (unsigned long long)id, suffix);
    if (client_request(&input->client, method, text_data(&path), NULL, &answer, err) < 0)
        return err->kind;
    if (input->client.json)
        client_print_json(answer);
    return 0;
}

static int retry(const struct verbs_input *input, struct error *err)
{
    return ask(input, "POST", "/retry", err);
}

static int remove_letter(const struct verbs_input *input, struct error *err)
{
    return ask(input, "DELETE", "", err);
}

static int run(int argc, char **argv)
{
    static const struct verb verbs[] = {{"list", 0, 0, list},
                                        {"retry", 1, 1, retry},
                                        {"remove", 1, 1, remove_letter},
                                        {NULL, 0, 0, NULL}};
    struct verbs_input input = {0};

    command_parse(&command_dead_letters, &argp, argc, argv, &input);
    return verbs_run(&command_dead_letters, verbs, &input);
}

const struct command command_dead_letters = {
    .name = "dead-letters",
    .arguments = "list|retry|remove",
    .summary = "what could not be understood, judged or delivered",
    .group = "daemon",
    .run = run,
};

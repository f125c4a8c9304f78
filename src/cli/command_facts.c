/* `regwarden facts`: the facts document of an image, as rules see it. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "session.h"

#define ALL_GROUPS (FACT_BIT(FACT_GROUP_COUNT) - 1)

enum option_key { OPTION_SCHEMA = 256 };

struct options {
    struct session_options session;
    const char *reference;
    bool schema;
};

static const struct argp_option option_table[] = {
    {"schema", OPTION_SCHEMA, NULL, 0, "Print the JSON schema of the document instead", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->session;
        return 0;
    case OPTION_SCHEMA:
        options->schema = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->reference)
            argp_error(state, "one image at a time");
        options->reference = value;
        return 0;
    case ARGP_KEY_END:
        if (!options->reference && !options->schema)
            argp_error(state, "name an image, as host/repository:tag");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&session_argp, 0, "How the image is fetched", 1},
                                             {NULL, 0, NULL, 0}};

static const struct argp argp = {
    .options = option_table,
    .parser = parse_option,
    .children = children,
    .args_doc = "REF",
    .doc = "Print everything that is known about an image, as one JSON document; for an index an "
           "array, one for each "
           "platform. Layers are looked into, unless with --no-layers.\vSecrets are masked. The "
           "document is what rules judge, what `policy test` "
           "takes and what the record "
           "keeps.\n\nExample:\n  regwarden facts registry.example.com/team/app:1.4 | jq .runtime",
};

static void print_json(const struct json *json)
{
    AUTO_TEXT struct text text = {0};

    json_write(json, JSON_INDENTED, &text);
    puts(text_data(&text));
}

static int print_images(const struct gathered *gathered)
{
    AUTO_JSON struct json *list = json_new_array();
    int status = EXIT_PASSED;

    for (size_t i = 0; i < gathered->image_count; i++) {
        if (gathered->images[i].facts)
            json_append_take(list, facts_to_json(gathered->images[i].facts));
        else
            status = command_fail(&gathered->images[i].error);
    }
    if (json_count(list) == 0)
        return status;
    if (gathered->index || json_count(list) != 1)
        print_json(list);
    else
        print_json(json_at(list, 0));
    return status;
}

static const struct error *no_image(const struct options *options, const struct gathered *gathered,
                                    struct error *err)
{
    error_set(err, FAILURE_ABSENT, "%s is an %s without images: there are no facts",
              options->reference, manifest_kind_name(gathered->kind));
    return err;
}

static int print_facts(const struct options *options)
{
    struct reference reference = {0};
    struct session *session = NULL;
    struct gathered gathered = {0};
    struct error error = {0};
    int status;

    if (session_parse(options->reference, &reference, &error) < 0 ||
        session_new(&options->session, &session, &error) < 0 ||
        session_gather(session, &reference, ALL_GROUPS, &gathered, &error) < 0)
        status =
            session && session_is_interrupted(session) ? EXIT_INTERRUPTED : command_fail(&error);
    else if (gathered.error.kind != FAILURE_NONE)
        status = command_fail(&gathered.error);
    else if (gathered.image_count == 0)
        status = command_fail(no_image(options, &gathered, &error));
    else
        status = print_images(&gathered);
    gathered_release(&gathered);
    session_free(session);
    reference_release(&reference);
    return status;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    AUTO_JSON struct json *schema = NULL;

    command_parse(&command_facts, &argp, argc, argv, &options);
    if (!options.schema)
        return print_facts(&options);
    schema = facts_schema();
    print_json(schema);
    return EXIT_PASSED;
}

const struct command command_facts = {
    .name = "facts",
    .arguments = "REF",
    .summary = "print what is known about an image, as rules see it",
    .group = "judge",
    .run = run,
};

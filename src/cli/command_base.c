/* `regwarden base list|add|remove|scan`: the images that others are built on. */
#include "commands.h"
#include "verbs.h"

#include <stdio.h>

#include "regwarden/bases.h"
#include "regwarden/clock.h"
#include "regwarden/http_client.h"
#include "session.h"

enum { REFERENCES_MAX = 1000 };

static const struct argp argp = {
    .parser = verbs_parse,
    .children = verbs_children,
    .args_doc = "list\nadd REF…\nremove REF…\nscan REF…",
    .doc =
        "Name the images that others are built on. What an image was built from is then known by "
        "its layers, whatever it says, and so is whether that is out of date.\v"
        "For list, add and remove REF is registry/repository:tag, with the name of a registry of "
        "the daemon, or its host; * and ** in repository and tag stand for many. The daemon "
        "follows the tags from then on.\n"
        "scan asks no daemon: it looks at host/repository:tag and prints a catalogue for `check "
        "--bases`; `list --json` prints that of the daemon.\n\n"
        "Examples:\n"
        "  regwarden base add 'main/base/*:*'\n"
        "  regwarden base list --json > bases.json\n"
        "  regwarden check --bases bases.json registry.example.com/team/app:1.4\n"
        "  regwarden base scan registry.example.com/base/node:22 > bases.json",
};

/* One row for each name. */
static struct json *rows_of(const struct json *bases)
{
    struct json *rows = json_new_array();

    for (size_t i = 0; i < json_count(bases); i++) {
        const struct json *base = json_at(bases, i);
        const struct json *names = json_get(base, "names");

        for (size_t k = 0; k < json_count(names); k++) {
            const struct json *name = json_at(names, k);
            struct json *row = json_new_object();

            json_set_string(row, "name", json_get_string(name, "name"));
            json_set_string(row, "platform", json_get_string(base, "platform"));
            json_set_string(row, "digest", json_get_string(base, "digest"));
            json_set_string(row, "since", json_get_string(name, "since"));
            json_set_string(row, "supersededAt", json_get_string(name, "supersededAt"));
            json_append_take(rows, row);
        }
    }
    return rows;
}

static int list(const struct verbs_input *input, struct error *err)
{
    static const struct column columns[] = {
        {"NAME", "name"},   {"PLATFORM", "platform"},       {"DIGEST", "digest"},
        {"SINCE", "since"}, {"SUPERSEDED", "supersededAt"}, {NULL, NULL}};
    AUTO_JSON struct json *answer = NULL;
    AUTO_JSON struct json *rows = NULL;

    if (client_request(&input->client, "GET", "/api/v1/bases", NULL, &answer, err) < 0)
        return err->kind;
    if (input->client.json) {
        client_print_json(answer);
        return 0;
    }
    rows = rows_of(json_get(answer, "bases"));
    client_print_table(rows, columns);
    return 0;
}

static void print_answer(const struct verbs_input *input, const char *what,
                         const struct json *answer)
{
    long long images = (long long)json_get_integer(answer, "images", 0);

    if (input->client.json)
        client_print_json(answer);
    else
        printf("%s %s: %lld image%s\n", what, json_get_string(answer, "reference"), images,
               images == 1 ? "" : "s");
}

static int add(const struct verbs_input *input, struct error *err)
{
    for (size_t i = 0; i < input->arguments.count; i++) {
        AUTO_JSON struct json *body = json_new_object();
        AUTO_JSON struct json *answer = NULL;

        json_set_string(body, "reference", input->arguments.items[i]);
        if (client_request(&input->client, "POST", "/api/v1/bases", body, &answer, err) < 0)
            return error_wrap(err, "%s", input->arguments.items[i]);
        print_answer(input, "following", answer);
    }
    return 0;
}

static int take_out(const struct verbs_input *input, struct error *err)
{
    for (size_t i = 0; i < input->arguments.count; i++) {
        AUTO_TEXT struct text path = {0};
        AUTO_JSON struct json *answer = NULL;

        text_add(&path, "/api/v1/bases");
        client_parameter(&path, "reference", input->arguments.items[i]);
        if (client_request(&input->client, "DELETE", text_data(&path), NULL, &answer, err) < 0)
            return error_wrap(err, "%s", input->arguments.items[i]);
        print_answer(input, "forgot", answer);
    }
    return 0;
}

/* --- scan --- */

static int see_all(struct base_catalogue *catalogue, const struct gathered *gathered,
                   const char *name, struct error *err)
{
    const struct base_sighting sighting = {.name = name,
                                           .index = gathered->index ? &gathered->digest : NULL,
                                           .at_ms = clock_wall_ms()};

    for (size_t i = 0; i < gathered->image_count; i++) {
        const struct gathered_image *image = &gathered->images[i];
        struct base_image *base = NULL;

        if (!image->facts) {
            *err = image->error;
            return err->kind;
        }
        if (base_image_from_facts(image->facts, &base, err) < 0 ||
            base_catalogue_see_take(catalogue, base, &sighting, err) < 0)
            return err->kind;
    }
    if (gathered->image_count == 0)
        return error_set(err, FAILURE_ABSENT, "there is no image");
    return 0;
}

static int scan_one(struct session *session, struct base_catalogue *catalogue, const char *text,
                    struct error *err)
{
    const unsigned needs = FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_CONFIG);
    struct reference reference = {0};
    struct gathered gathered = {0};
    int result = session_parse(text, &reference, err);

    if (result == 0 && reference.transport != REFERENCE_REGISTRY)
        result = error_set(err, FAILURE_INPUT, "a base is named as in FROM: host/repository:tag");
    if (result == 0)
        result = session_gather(session, &reference, needs, &gathered, err);
    if (result == 0 && gathered.error.kind != FAILURE_NONE) {
        *err = gathered.error;
        result = err->kind;
    }
    if (result == 0)
        result = see_all(catalogue, &gathered, text, err);
    gathered_release(&gathered);
    reference_release(&reference);
    return result < 0 ? error_wrap(err, "%s", text) : 0;
}

static int scan(const struct verbs_input *input, struct error *err)
{
    const struct session_options options = {.ca_file = input->client.ca_file, .no_layers = true};
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = base_catalogue_new();
    struct session *session = NULL;
    int result = session_new(&options, &session, err);

    for (size_t i = 0; result == 0 && i < input->arguments.count; i++)
        result = scan_one(session, catalogue, input->arguments.items[i], err);
    session_free(session);
    if (result == 0) {
        AUTO_JSON struct json *json = base_catalogue_to_json(catalogue);

        client_print_json(json);
    }
    return result;
}

static int run(int argc, char **argv)
{
    static const struct verb verbs[] = {{"list", 0, 0, list},
                                        {"add", 1, REFERENCES_MAX, add},
                                        {"remove", 1, REFERENCES_MAX, take_out},
                                        {"scan", 1, REFERENCES_MAX, scan},
                                        {NULL, 0, 0, NULL}};
    struct verbs_input input = {0};

    command_parse(&command_base, &argp, argc, argv, &input);
    return verbs_run(&command_base, verbs, &input);
}

const struct command command_base = {
    .name = "base",
    .arguments = "list|add|remove|scan",
    .summary = "name the images that others are built on",
    .group = "daemon",
    .run = run,
};

/* `regwarden status`: is everything judged, and is anything stuck? */
#include "client.h"
#include "commands.h"

#include <stdio.h>

static const struct argp_child children[] = {{&client_argp, 0, "Where the daemon is", 0},
                                             {NULL, 0, NULL, 0}};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    (void)value;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = state->input;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
    .parser = parse_option,
    .children = children,
    .doc = "Show how much of the registries is judged, what waits, and what went wrong.\v"
           "What a registry can do to an image is found out by asking it and by doing: what is not "
           "known yet is not listed; auto is the type while none is known.\n\n"
           "Exit status: 0 the daemon answered, 3 it did not.\n\n"
           "Examples:\n  regwarden status\n  regwarden status --json | jq .tags",
};

static void print_counts(const struct json *counts, const char *what)
{
    printf("%-13s", what);
    for (void *i = json_iterate(counts); i; i = json_next(counts, i))
        printf(" %lld %s ", (long long)json_integer(json_iterator_value(i), 0),
               json_iterator_key(i));
    puts("");
}

static void print_age(const struct json *part, const char *key, const char *what)
{
    char age[TEXT_NUMBER_SIZE];
    int64_t ms = json_get_integer(part, key, 0);

    if (ms > 0)
        printf(", %s for %s", what, text_format_duration(ms, age));
}

/* Events of such a registry are taken and wait. */
static void print_unreachable(const struct json *registries)
{
    for (size_t i = 0; i < json_count(registries); i++) {
        const struct json *registry = json_at(registries, i);

        if (!json_bool(json_get(registry, "reachable"), true))
            printf("registry %s is unreachable, its events wait: %s\n",
                   json_get_string(registry, "name"), json_get_string(registry, "url"));
    }
}

static void print_queues(const struct json *queues)
{
    for (size_t i = 0; i < json_count(queues); i++) {
        const struct json *queue = json_at(queues, i);

        if (json_get_string(queue, "error"))
            printf("the queue of registry %s cannot be polled: %s\n",
                   json_get_string(queue, "registry"), json_get_string(queue, "error"));
    }
}

/* Only when there is something to say. */
static void print_layers(const struct json *layers)
{
    int64_t active = json_get_integer(layers, "active", 0);
    int64_t waiting = json_get_integer(layers, "waiting", 0);
    int64_t scanned = json_get_integer(layers, "scanned", 0);
    int64_t failed = json_get_integer(layers, "failed", 0);

    if (active + waiting + scanned + failed > 0)
        printf("%lld layers are being looked into, %lld wait; %lld read since the start, %lld "
               "failed\n",
               (long long)active, (long long)waiting, (long long)scanned, (long long)failed);
}

static void print_sweeps(const struct json *sweeps)
{
    for (size_t i = 0; i < json_count(sweeps); i++) {
        const struct json *sweep = json_at(sweeps, i);
        const char *repository = json_get_string(sweep, "repository");

        if (!json_bool(json_get(sweep, "running"), false)) {
            if (json_get_string(sweep, "error"))
                printf("the last sweep of registry %s failed: %s\n",
                       json_get_string(sweep, "registry"), json_get_string(sweep, "error"));
            continue;
        }
        printf("sweeping %s: %lld repositories and %lld tags so far, %lld to judge",
               json_get_string(sweep, "registry"),
               (long long)json_get_integer(sweep, "repositories", 0),
               (long long)json_get_integer(sweep, "tags", 0),
               (long long)json_get_integer(sweep, "wanted", 0));
        printf("%s%s\n", repository ? "; now in " : "", repository ? repository : "");
    }
}

/* --- registries: those of the configuration, then those that only the record knows --- */

static const char *const row_keys[] = {"tags", "judged", "lastSweep"};

static struct json *find(const struct json *list, const char *key, const char *name)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (text_equal(json_get_string(json_at(list, i), key), name))
            return json_at(list, i);
    }
    return NULL;
}

static void add_row(struct json *to, const char *name, const char *type, const struct json *known)
{
    struct json *row = json_new_object();

    json_set_string(row, "registry", name);
    json_set_string(row, "type", type);
    for (size_t i = 0; i < ARRAY_COUNT(row_keys); i++) {
        struct json *value = json_get(known, row_keys[i]);

        if (value)
            json_set_take(row, row_keys[i], json_retain(value));
    }
    json_append_take(to, row);
}

static struct json *registry_rows(const struct json *status)
{
    const struct json *clients = json_get(status, "registryClients");
    const struct json *known = json_get(status, "registries");
    struct json *rows = json_new_array();

    for (size_t i = 0; i < json_count(clients); i++) {
        const char *name = json_get_string(json_at(clients, i), "name");

        add_row(rows, name, json_get_string(json_at(clients, i), "type"),
                find(known, "registry", name));
    }
    for (size_t i = 0; i < json_count(known); i++) {
        const char *name = json_get_string(json_at(known, i), "registry");

        if (!find(clients, "name", name))
            add_row(rows, name, NULL, json_at(known, i));
    }
    return rows;
}

static const struct {
    const char *key;
    const char *words;
} abilities[] = {
    {"catalog", "list repositories"}, {"referrersApi", "list referrers"},
    {"tagDelete", "remove tags"},     {"manifestDelete", "remove manifests"},
    {"mount", "mount layers"},        {"labels", "label images"},
    {"archive", "archive images"},    {"scanReports", "report scans"},
};

static void print_answers(const struct json *client, const char *answer, const char *verb)
{
    const struct json *answers = json_get(client, "abilities");
    const char *between = verb;

    for (size_t i = 0; i < ARRAY_COUNT(abilities); i++) {
        if (!text_equal(json_get_string(answers, abilities[i].key), answer))
            continue;
        if (between == verb)
            printf("%s %s ", json_get_string(client, "name"), verb);
        else
            printf("%s", between);
        printf("%s", abilities[i].words);
        between = ", ";
    }
    if (between != verb)
        puts("");
}

/* What it can is found out by asking and by doing: at first little is known. */
static void print_abilities(const struct json *clients)
{
    puts("");
    for (size_t i = 0; i < json_count(clients); i++) {
        print_answers(json_at(clients, i), "yes", "can");
        print_answers(json_at(clients, i), "no", "cannot");
    }
}

static void print_status(const struct json *status)
{
    static const struct column registries[] = {{"REGISTRY", "registry"},
                                               {"TYPE", "type"},
                                               {"TAGS", "tags"},
                                               {"JUDGED", "judged"},
                                               {"LAST SWEEP", "lastSweep.finishedAt"},
                                               {"STATE", "lastSweep.state"},
                                               {"REASON", "lastSweep.reason"},
                                               {NULL, NULL}};
    AUTO_JSON struct json *rows = registry_rows(status);
    const struct json *tags = json_get(status, "tags");
    const struct json *events = json_get(status, "events");

    printf("%lld of %lld tags judged", (long long)json_get_integer(tags, "judged", 0),
           (long long)json_get_integer(tags, "known", 0));
    print_age(tags, "oldestUnjudgedAgeMs", "oldest unjudged");
    printf("\n%lld events open", (long long)json_get_integer(events, "open", 0));
    print_age(events, "oldestAgeMs", "the oldest");
    printf(", %lld reviews under way\n", (long long)json_get_integer(status, "reviewsActive", 0));
    print_layers(json_get(status, "layers"));
    print_sweeps(json_get(status, "sweeping"));
    print_unreachable(json_get(status, "registryClients"));
    print_queues(json_get(status, "queues"));
    puts("");
    print_counts(json_get(status, "verdicts"), "verdicts");
    print_counts(json_get(status, "plans"), "plans");
    print_counts(json_get(status, "deadLetters"), "dead letters");
    puts("");
    client_print_table(rows, registries);
    print_abilities(json_get(status, "registryClients"));
}

static int run(int argc, char **argv)
{
    struct client_options options = {0};
    struct error error = {0};
    AUTO_JSON struct json *status = NULL;

    command_parse(&command_status, &argp, argc, argv, &options);
    if (client_request(&options, "GET", "/api/v1/status", NULL, &status, &error) < 0)
        return command_fail(&error);
    if (options.json)
        client_print_json(status);
    else
        print_status(status);
    return EXIT_PASSED;
}

const struct command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "how much is judged, what waits, what went wrong",
    .group = "daemon",
    .run = run,
};

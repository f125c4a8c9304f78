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

        if (!json_bool(json_get(sweep, "running"), false))
            continue;
        printf("sweeping %s: %lld repositories and %lld tags so far, %lld to judge",
               json_get_string(sweep, "registry"),
               (long long)json_get_integer(sweep, "repositories", 0),
               (long long)json_get_integer(sweep, "tags", 0),
               (long long)json_get_integer(sweep, "wanted", 0));
        printf("%s%s\n", repository ? "; now in " : "", repository ? repository : "");
    }
}

static void print_status(const struct json *status)
{
    static const struct column registries[] = {{"REGISTRY", "registry"},
                                               {"TAGS", "tags"},
                                               {"JUDGED", "judged"},
                                               {"LAST SWEEP", "lastSweep.finishedAt"},
                                               {"STATE", "lastSweep.state"},
                                               {"REASON", "lastSweep.reason"},
                                               {NULL, NULL}};
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
    client_print_table(json_get(status, "registries"), registries);
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

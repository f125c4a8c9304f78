/* `regwarden report`: the compliance record, for people and spreadsheets. */
#include "client.h"
#include "commands.h"

#include <stdio.h>

#include "regwarden/report.h"

enum option_key { OPTION_SINCE = 256 };

struct options {
    struct client_options client;
    const char *format;
    const char *since;
};

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "json (default) or csv", 0},
    {"since", OPTION_SINCE, "SPAN", 0, "How far back the days go (default 30d)", 0},
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
    case 'o':
        options->format = value;
        if (!report_format_find(value))
            argp_error(state, "there is no format \"%s\"; choose json or csv", value);
        return 0;
    case OPTION_SINCE:
        options->since = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = option_table,
    .parser = parse_option,
    .children = children,
    .doc = "Print compliance now and over time: per repository, per rule and severity, per day.\v"
           "Example:\n  regwarden report -o csv > compliance.csv",
};

static int run(int argc, char **argv)
{
    struct options options = {.format = "json"};
    struct error error = {0};
    AUTO_TEXT struct text path = {0};
    AUTO_TEXT struct text answer = {0};

    command_parse(&command_report, &argp, argc, argv, &options);
    text_add(&path, "/api/v1/report");
    client_parameter(&path, "format", options.format);
    client_parameter(&path, "since", options.since);
    if (client_fetch(&options.client, text_data(&path), &answer, &error) < 0)
        return command_fail(&error);
    fwrite(text_data(&answer), 1, answer.length, stdout);
    return EXIT_PASSED;
}

const struct command command_report = {
    .name = "report",
    .arguments = "",
    .summary = "compliance per repository, rule and severity, now and over time",
    .group = "daemon",
    .run = run,
};

/* `regwarden check`: judges images here and now, for CI and for people. The exit status is the
 * answer. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/daemon.h"
#include "regwarden/policy.h"
#include "regwarden/report.h"
#include "session.h"

enum option_key { OPTION_FAIL_ON = 256, OPTION_COLOR, OPTION_WAIVERS, OPTION_SCHEMA };

struct options {
    struct session_options session;
    struct text_list policies;
    struct text_list waivers;
    struct text_list references;
    const struct check_format *format;
    bool has_fail_on;
    enum severity fail_on;
    bool color;
    bool schema;
};

static const struct argp_option option_table[] = {
    {"policy", 'p', "FILE|DIR", 0,
     "Judge by these policies (default: the built-in baseline); may be repeated", 0},
    {"waivers", OPTION_WAIVERS, "FILE|DIR", 0, "Waivers to apply; may be repeated", 0},
    {"output", 'o', "FORMAT", 0, "table (default), json, sarif, junit or markdown", 0},
    {"fail-on", OPTION_FAIL_ON, "SEVERITY", 0,
     "Exit 1 when a finding of this severity or above fails: info, low, medium, high or critical "
     "(default: when the policy says fail)",
     0},
    {"color", OPTION_COLOR, NULL, 0, "Color also when the output is no terminal", 0},
    {"schema", OPTION_SCHEMA, NULL, 0, "Print the JSON schema of `-o json` instead", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static void parse_format(struct options *options, const char *value, struct argp_state *state)
{
    options->format = check_format_find(value);
    if (!options->format) {
        AUTO_TEXT struct text names = {0};

        for (size_t i = 0; check_formats[i]; i++)
            text_format(&names, "%s%s", i ? ", " : "", check_formats[i]->name);
        argp_error(state, "there is no format \"%s\"; choose one of %s", value, text_data(&names));
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'p':
        text_list_add(&options->policies, value);
        return 0;
    case OPTION_WAIVERS:
        text_list_add(&options->waivers, value);
        return 0;
    case 'o':
        parse_format(options, value, state);
        return 0;
    case OPTION_FAIL_ON:
        options->has_fail_on = true;
        if (severity_from_name(value, &options->fail_on) < 0)
            argp_error(state, "\"%s\" is no severity; choose info, low, medium, high or critical",
                       value);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->session;
        return 0;
    case OPTION_COLOR:
        options->color = true;
        return 0;
    case ARGP_KEY_ARG:
        text_list_add(&options->references, value);
        return 0;
    case OPTION_SCHEMA:
        options->schema = true;
        return 0;
    case ARGP_KEY_END:
        if (options->references.count == 0 && !options->schema)
            argp_error(state, "name at least one image, as host/repository:tag");
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
    .args_doc = "REF…",
    .doc = "Judge images by policy, here and now.\vREF is host/repo:tag, "
           "host/repo@sha256:…, oci:DIR[:TAG], oci-archive:FILE[:TAG] or "
           "docker-archive:FILE[:NAME].\n\n"
           "Exit status: 0 passed, 1 violations, 2 usage or policy error, 3 could not judge.\n\n"
           "Examples:\n"
           "  regwarden check registry.example.com/team/app:1.4\n"
           "  regwarden check -p policies/ -o json oci:build/image\n"
           "  docker save app:dev > app.tar && regwarden check docker-archive:app.tar\n"
           "  regwarden check --fail-on medium localhost:5000/app:dev",
};

struct outcome { /* of one reference */
    struct reference reference;
    struct gathered gathered;
    struct verdict *verdicts; /* one per image, or one when nothing could be had */
    size_t count;
};

struct check {
    const struct options *options;
    struct policy_set *policies;
    struct session *session;
    struct outcome *outcomes;
    struct check_result *results;
    size_t result_count;
    size_t result_capacity;
    bool violated;
    bool unable;
};

static bool violates(const struct options *options, const struct verdict *verdict)
{
    if (!options->has_fail_on)
        return verdict->status == VERDICT_FAIL;
    for (size_t i = 0; i < verdict->findings.count; i++) {
        const struct finding *finding = &verdict->findings.items[i];

        if ((finding->status == FINDING_FAIL || finding->status == FINDING_WARN) &&
            finding->severity >= options->fail_on)
            return true;
    }
    return false;
}

static void add_result(struct check *check, const char *text, const struct gathered_image *image,
                       const struct outcome *outcome, const struct verdict *verdict)
{
    check->results = memory_grow(check->results, check->result_count, &check->result_capacity,
                                 sizeof *check->results);
    check->results[check->result_count++] = (struct check_result){
        .reference = text,
        .digest = image ? image->digest : outcome->gathered.digest,
        .platform = image ? image->platform : NULL,
        .facts = image ? image->facts : NULL,
        .verdict = verdict,
    };
    check->violated |= violates(check->options, verdict);
    check->unable |= verdict->status == VERDICT_UNKNOWN;
}

static void judge_images(struct check *check, const char *text, struct outcome *outcome,
                         struct placement *placement)
{
    outcome->count = outcome->gathered.image_count;
    outcome->verdicts = memory_new_array(outcome->count, sizeof *outcome->verdicts);
    for (size_t i = 0; i < outcome->count; i++) {
        const struct gathered_image *image = &outcome->gathered.images[i];

        placement->platform = image->platform;
        if (image->facts)
            policy_judge(check->policies, image->facts, placement, clock_wall_ms(),
                         &outcome->verdicts[i]);
        else
            policy_judge_unavailable(check->policies, placement, &image->error, clock_wall_ms(),
                                     &outcome->verdicts[i]);
        add_result(check, text, image, outcome, &outcome->verdicts[i]);
    }
}

static void judge_nothing(struct check *check, const char *text, struct outcome *outcome,
                          const struct placement *placement, const struct error *why)
{
    outcome->count = 1;
    outcome->verdicts = memory_new(sizeof *outcome->verdicts);
    policy_judge_unavailable(check->policies, placement, why, clock_wall_ms(),
                             &outcome->verdicts[0]);
    add_result(check, text, NULL, outcome, &outcome->verdicts[0]);
    check->unable = true;
    fprintf(stderr, "regwarden: %s: %s\n", text, why->text);
    if (why->hint[0])
        fprintf(stderr, "  %s\n", why->hint);
}

static void tell_no_image(struct check *check, const char *text, const struct outcome *outcome)
{
    check->unable = true;
    fprintf(stderr, "regwarden: %s is an %s without images: nothing could be judged\n", text,
            manifest_kind_name(outcome->gathered.kind));
}

/* Whoever judges by the config alone need not wait for layers. */
struct worth {
    const struct policy_set *policies;
    const struct placement *placement;
};

static unsigned needs_of(void *argument, const struct facts *facts)
{
    const struct worth *worth = argument;

    return policy_set_needs_of(worth->policies, worth->placement, facts);
}

static int check_one(struct check *check, const char *text, struct outcome *outcome,
                     struct error *err)
{
    struct placement placement;
    struct worth worth = {.policies = check->policies, .placement = &placement};
    struct error why = {0};
    unsigned needs;

    if (session_parse(text, &outcome->reference, err) < 0)
        return err->kind;
    placement = (struct placement){
        .registry = outcome->reference.host,
        .repository = outcome->reference.repository ? outcome->reference.repository : "",
        .tag = outcome->reference.tag,
        .has_no_record = true,
    };
    needs = policy_set_needs(check->policies, &placement);
    session_set_needs_of(check->session, needs_of, &worth);
    if (session_gather(check->session, &outcome->reference, needs, &outcome->gathered, &why) == 0)
        why = outcome->gathered.error;
    else if (why.kind == FAILURE_INPUT)
        why.kind = FAILURE_SYSTEM; /* something of ours is wrong, not the image: that is unknown */
    session_set_needs_of(check->session, NULL, NULL);
    if (session_is_interrupted(check->session))
        return error_set(err, FAILURE_LATER, "interrupted");
    placement.digest = outcome->gathered.digest;
    if (why.kind != FAILURE_NONE)
        judge_nothing(check, text, outcome, &placement, &why);
    else if (outcome->gathered.image_count)
        judge_images(check, text, outcome, &placement);
    else
        tell_no_image(check, text, outcome);
    return 0;
}

static void report_fault(void *argument, const struct error *err)
{
    (void)argument;
    fprintf(stderr, "regwarden: %s\n", err->text);
    if (err->hint[0])
        fprintf(stderr, "  %s\n", err->hint);
}

static void write_results(const struct check *check)
{
    const struct check_format *format =
        check->options->format ? check->options->format : check_format_find("table");
    AUTO_TEXT struct text text = {0};

    format->write(check->results, check->result_count,
                  check->options->color || isatty(STDOUT_FILENO), &text);
    fwrite(text_data(&text), 1, text.length, stdout);
}

static void check_release(struct check *check)
{
    for (size_t i = 0; i < check->options->references.count; i++) {
        struct outcome *outcome = &check->outcomes[i];

        for (size_t v = 0; v < outcome->count; v++)
            verdict_release(&outcome->verdicts[v]);
        free(outcome->verdicts);
        gathered_release(&outcome->gathered);
        reference_release(&outcome->reference);
    }
    free(check->outcomes);
    free(check->results);
    session_free(check->session);
    policy_set_free(check->policies);
}

static void set_probes(struct check *check)
{
    AUTO_PROBES struct scan_probes probes = {0};

    policy_set_probes(check->policies, NULL, &probes);
    session_set_probes(check->session, &probes);
}

static int run_check(const struct options *options)
{
    struct check check = {.options = options};
    struct error error = {0};
    int status = EXIT_PASSED;

    check.outcomes = memory_new_array(options->references.count, sizeof *check.outcomes);
    if (daemon_load_policies(&options->policies, &options->waivers, report_fault, NULL,
                             &check.policies, &error) < 0)
        status = EXIT_USAGE;
    else if (session_new(&options->session, &check.session, &error) < 0)
        status = command_fail(&error);
    else
        set_probes(&check);
    for (size_t i = 0; status == EXIT_PASSED && i < options->references.count; i++)
        if (check_one(&check, options->references.items[i], &check.outcomes[i], &error) < 0)
            status =
                session_is_interrupted(check.session) ? EXIT_INTERRUPTED : command_fail(&error);
    if (status == EXIT_PASSED) {
        write_results(&check);
        status = check.violated ? EXIT_VIOLATIONS : check.unable ? EXIT_UNABLE : EXIT_PASSED;
    }
    check_release(&check);
    return status;
}

static int print_schema(void)
{
    AUTO_JSON struct json *schema = check_schema();
    AUTO_TEXT struct text text = {0};

    json_write(schema, JSON_INDENTED, &text);
    puts(text_data(&text));
    return EXIT_PASSED;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    int status;

    command_parse(&command_check, &argp, argc, argv, &options);
    status = options.schema ? print_schema() : run_check(&options);
    text_list_release(&options.policies);
    text_list_release(&options.waivers);
    text_list_release(&options.references);
    return status;
}

const struct command command_check = {
    .name = "check",
    .arguments = "REF…",
    .summary = "judge images by policy, here and now; the exit status is the answer",
    .group = "judge",
    .run = run,
};

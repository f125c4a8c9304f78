/* `regwarden policy lint|test|schema`: for people who write policies. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/daemon.h"
#include "regwarden/file.h"
#include "regwarden/policy.h"

enum { EXAMPLES_BYTES_MAX = 4 * 1024 * 1024 };

struct options {
    const char *verb;
    struct text_list paths;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (options->verb)
            text_list_add(&options->paths, value);
        else
            options->verb = value;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "say what to do: lint, test or schema");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .parser = parse_option,
    .args_doc = "lint FILE|DIR…\ntest FILE|DIR…\nschema",
    .doc =
        "Check policies before they judge.\v"
        "lint: reads policies and waivers and reports every fault with its place.\n"
        "test: runs examples, files with `policy:` and `examples:`, as unit tests of a policy; see "
        "regwarden-policy(5).\n"
        "schema: prints the JSON schema of policy files, for editors.\n\n"
        "Exit status: 0 all good, 1 an example failed, 2 a file is wrong.\n\n"
        "Examples:\n  regwarden policy lint policies/\n  regwarden policy test policies/examples/\n"
        "  regwarden policy schema > policy.schema.json",
};

static void report_fault(void *argument, const struct error *err)
{
    size_t *faults = argument;

    (*faults)++;
    fprintf(stderr, "%s\n", err->text);
    if (err->hint[0])
        fprintf(stderr, "  %s\n", err->hint);
}

static int lint(const struct options *options)
{
    struct text_list none = {0};
    struct policy_set *set = NULL;
    struct error error = {0};
    size_t faults = 0;

    if (daemon_load_policies(&options->paths, &none, report_fault, &faults, &set, &error) < 0) {
        fprintf(stderr, "%zu fault%s\n", faults, faults == 1 ? "" : "s");
        return EXIT_USAGE;
    }
    printf("%zu polic%s in order\n", policy_set_count(set),
           policy_set_count(set) == 1 ? "y" : "ies");
    policy_set_free(set);
    return EXIT_PASSED;
}

struct tally {
    size_t passed, failed;
};

static void count_example(void *argument, const struct policy_example_result *result)
{
    struct tally *tally = argument;

    if (result->passed) {
        tally->passed++;
        return;
    }
    tally->failed++;
    printf("FAILED %s: %s\n", result->name, result->why);
}

/* The policy that an examples file names, beside it. */
static int load_policy(const char *path, const char *name, struct policy_set **ret,
                       struct error *err)
{
    AUTO_TEXT_LIST struct text_list paths = {0};
    struct text_list none = {0};
    const char *slash = strrchr(path, '/');

    text_list_add_take(&paths, text_new("%.*s%s", slash ? (int)(slash - path + 1) : 0, path, name));
    return daemon_load_policies(&paths, &none, NULL, NULL, ret, err);
}

static int test_file(const char *path, struct tally *tally, struct error *err)
{
    AUTO_TEXT struct text text = {0};
    AUTO_YAML struct yaml_document *document = NULL;
    const struct yaml_node *name;
    struct policy_set *set = NULL;
    struct policy_source source;
    int result;

    if (file_read(path, EXAMPLES_BYTES_MAX, &text, err) < 0 ||
        yaml_parse(path, text_data(&text), text.length, &document, err) < 0)
        return err->kind;
    name = yaml_get(document->root, "policy");
    if (!yaml_get(document->root, "examples")) {
        yaml_error(document, document->root, err, "there are no `examples:` in it");
        return error_hint(err, "`regwarden policy lint` reads policies.");
    }
    if (!name || name->kind != YAML_KIND_SCALAR)
        return yaml_error(document, document->root, err,
                          "`policy:` must name the policy's file, beside this one");
    if (load_policy(path, name->scalar, &set, err) < 0)
        return err->kind;
    source = (struct policy_source){.name = path, .bytes = text_data(&text), .size = text.length};
    result = policy_test(set, &source, count_example, tally, err);
    policy_set_free(set);
    return result;
}

static int test_path(const char *path, struct tally *tally, struct error *err)
{
    AUTO_TEXT_LIST struct text_list files = {0};

    if (!file_is_directory(path))
        return test_file(path, tally, err);
    if (file_list(path, ".yaml", &files, err) < 0)
        return err->kind;
    for (size_t i = 0; i < files.count; i++)
        if (test_file(files.items[i], tally, err) < 0)
            return err->kind;
    return 0;
}

static int test(const struct options *options)
{
    struct tally tally = {0};
    struct error error = {0};

    for (size_t i = 0; i < options->paths.count; i++)
        if (test_path(options->paths.items[i], &tally, &error) < 0) {
            command_fail(&error);
            return EXIT_USAGE; /* also when it is not there: nothing was judged */
        }
    if (tally.passed + tally.failed == 0) {
        fputs("regwarden: there is no example in it: nothing was tested\n", stderr);
        return EXIT_USAGE;
    }
    printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
    return tally.failed ? EXIT_VIOLATIONS : EXIT_PASSED;
}

static int schema(const struct options *options)
{
    AUTO_JSON struct json *json = policy_schema();
    AUTO_TEXT struct text text = {0};

    (void)options;
    json_write(json, JSON_INDENTED, &text);
    puts(text_data(&text));
    return EXIT_PASSED;
}

static const struct verb {
    const char *name;
    bool takes_paths;
    int (*run)(const struct options *options);
} verbs[] = {
    {"lint", true, lint},
    {"test", true, test},
    {"schema", false, schema},
};

static int run_verb(const struct options *options)
{
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        if (!text_equal(verbs[i].name, options->verb))
            continue;
        if (verbs[i].takes_paths && options->paths.count == 0) {
            fprintf(stderr, "regwarden: policy %s: name a file or a directory\n", verbs[i].name);
            return EXIT_USAGE;
        }
        return verbs[i].run(options);
    }
    fprintf(stderr, "regwarden: policy cannot \"%s\"; it can lint, test and print its schema\n",
            options->verb);
    return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    int status;

    command_parse(&command_policy, &argp, argc, argv, &options);
    status = run_verb(&options);
    text_list_release(&options.paths);
    return status;
}

const struct command command_policy = {
    .name = "policy",
    .arguments = "lint|test|schema",
    .summary = "check, test and describe policy files",
    .group = "judge",
    .run = run,
};

/* `regwarden waiver list|add|revoke`: the ledger of what is excused, why, by whom, and until when.
 */
#include "commands.h"
#include "verbs.h"

#include <stdio.h>

#include "regwarden/clock.h"
#include "regwarden/http_client.h"

enum option_key {
    OPTION_RULE = 256,
    OPTION_POLICY,
    OPTION_REPOSITORY,
    OPTION_TAG,
    OPTION_PATH,
    OPTION_FINGERPRINT,
    OPTION_DIGEST,
    OPTION_REASON,
    OPTION_OWNER,
    OPTION_EXPIRES,
    OPTION_EXPIRING
};

struct options { /* members of the waiver as the API takes it */
    const char *rule, *policy, *repository, *tag, *path, *fingerprint, *digest, *reason, *owner,
        *expires, *expiring;
};

static const struct argp_option option_table[] = {
    {"rule", OPTION_RULE, "RULE", 0, "add: rule or rule id that is excused (required; * for all)",
     0},
    {"policy", OPTION_POLICY, "NAME", 0, "add: only findings of this policy", 0},
    {"repository", OPTION_REPOSITORY, "GLOB", 0, "add: only in these repositories", 0},
    {"tag", OPTION_TAG, "GLOB", 0, "add: only these tags", 0},
    {"path", OPTION_PATH, "GLOB", 0, "add: only findings at this path or key", 0},
    {"fingerprint", OPTION_FINGERPRINT, "HEX", 0, "add: only this finding", 0},
    {"digest", OPTION_DIGEST, "DIGEST", 0, "add: only this image", 0},
    {"reason", OPTION_REASON, "TEXT", 0, "add: why (required)", 0},
    {"owner", OPTION_OWNER, "NAME", 0, "add: who answers for it (required)", 0},
    {"expires", OPTION_EXPIRES, "WHEN", 0,
     "add: until when: 30d, or 2027-01-31T00:00:00Z (required)", 0},
    {"expiring", OPTION_EXPIRING, "WITHIN", 0,
     "list: only what expires within, e.g. 30d, or has expired", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_extra(int key, char *value, void *extra, struct argp_state *state)
{
    struct options *options = extra;
    const char **places[] = {&options->rule,    &options->policy,  &options->repository,
                             &options->tag,     &options->path,    &options->fingerprint,
                             &options->digest,  &options->reason,  &options->owner,
                             &options->expires, &options->expiring};

    (void)state;
    if (key < OPTION_RULE || key > OPTION_EXPIRING)
        return ARGP_ERR_UNKNOWN;
    *places[key - OPTION_RULE] = value;
    return 0;
}

static const struct argp argp = {
    .options = option_table,
    .parser = verbs_parse,
    .children = verbs_children,
    .args_doc = "list\nadd\nrevoke ID",
    .doc = "Excuse findings for a time. Findings are judged all the same, then marked as waived.\v"
           "Examples:\n"
           "  regwarden waiver add --rule non-root --repository 'legacy/**' \\\n"
           "      --owner team-a --expires 60d --reason 'until the next release'\n"
           "  regwarden waiver list --expiring 30d",
};

static const struct json *as_expiring(const struct json *waivers, const char *within,
                                      struct json *kept, struct error *err)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t span;

    if (!within)
        return waivers;
    if (text_parse_duration(within, &span, err) < 0)
        return NULL;
    clock_format_rfc3339(clock_wall_ms() + span, text);
    for (size_t i = 0; i < json_count(waivers); i++) {
        const char *expires = json_get_string(json_at(waivers, i), "expires");

        if (expires && strcmp(expires, text) <= 0) /* RFC 3339 in UTC sorts as text */
            json_append_take(kept, json_retain(json_at(waivers, i)));
    }
    return kept;
}

static int list(const struct verbs_input *input, struct error *err)
{
    static const struct column columns[] = {
        {"ID", "id"},       {"RULE", "rule"},     {"REPOSITORY", "repository"},
        {"TAG", "tag"},     {"OWNER", "owner"},   {"EXPIRES", "expires"},
        {"STATE", "state"}, {"REASON", "reason"}, {NULL, NULL}};
    const struct options *options = input->extra;
    AUTO_JSON struct json *answer = NULL;
    AUTO_JSON struct json *kept = json_new_array();
    const struct json *rows;

    if (client_request(&input->client, "GET", "/api/v1/waivers?limit=1000", NULL, &answer, err) < 0)
        return err->kind;
    rows = as_expiring(json_get(answer, "items"), options->expiring, kept, err);
    if (!rows)
        return err->kind;
    if (input->client.json)
        client_print_json(rows);
    else
        client_print_table(rows, columns);
    return 0;
}

static int set_expiry(struct json *body, const char *when, struct error *err)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t ms;

    if (!when) {
        error_set(err, FAILURE_INPUT, "a waiver needs an end: --expires");
        return error_hint(err, "For example --expires 30d.");
    }
    if (text_parse_duration(when, &ms, NULL) == 0)
        ms += clock_wall_ms();
    else if (clock_parse_rfc3339(when, &ms, err) < 0)
        return error_hint(err, "Write a duration like 30d, or a time like 2027-01-31T00:00:00Z.");
    json_set_string(body, "expires", clock_format_rfc3339(ms, text));
    return 0;
}

static int add(const struct verbs_input *input, struct error *err)
{
    const struct options *options = input->extra;
    AUTO_JSON struct json *body = json_new_object();
    AUTO_JSON struct json *answer = NULL;

    json_set_string(body, "rule", options->rule);
    json_set_string(body, "policy", options->policy);
    json_set_string(body, "repository", options->repository);
    json_set_string(body, "tag", options->tag);
    json_set_string(body, "path", options->path);
    json_set_string(body, "fingerprint", options->fingerprint);
    json_set_string(body, "digest", options->digest);
    json_set_string(body, "reason", options->reason);
    json_set_string(body, "owner", options->owner);
    if (set_expiry(body, options->expires, err) < 0 ||
        client_request(&input->client, "POST", "/api/v1/waivers", body, &answer, err) < 0)
        return err->kind;
    if (input->client.json)
        client_print_json(answer);
    else
        printf("waiver %s\n", json_get_string(answer, "id"));
    return 0;
}

static int revoke(const struct verbs_input *input, struct error *err)
{
    AUTO_TEXT struct text path = {0};
    AUTO_JSON struct json *answer = NULL;

    text_add(&path, "/api/v1/waivers/");
    url_encode(&path, input->arguments.items[0]);
    return client_request(&input->client, "DELETE", text_data(&path), NULL, &answer, err);
}

static int run(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"list", 0, 0, list}, {"add", 0, 0, add}, {"revoke", 1, 1, revoke}, {NULL, 0, 0, NULL}};
    struct options options = {0};
    struct verbs_input input = {.extra = &options, .parse_extra = parse_extra};

    command_parse(&command_waiver, &argp, argc, argv, &input);
    return verbs_run(&command_waiver, verbs, &input);
}

const struct command command_waiver = {
    .name = "waiver",
    .arguments = "list|add|revoke",
    .summary = "excuse findings for a time, with reason, owner and expiry",
    .group = "daemon",
    .run = run,
};

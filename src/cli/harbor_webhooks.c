/* Webhooks of Harbor's projects, and the labels and the project that actions need there. */
#include "harbor_setup.h"

#include <string.h>

#include "regwarden/crypto.h"
#include "regwarden/http_client.h"

enum { SECRET_BYTES = 24 };

static const char *const event_types[] = {"PUSH_ARTIFACT", "DELETE_ARTIFACT", "SCANNING_COMPLETED"};

/* --- the project for quarantined images --- */

int harbor_make_project(struct harbor_session *session, struct harbor_projects *projects,
                        struct error *err)
{
    const struct harbor_options *options = harbor_session_options(session);
    const struct harbor_project *known = harbor_projects_find(projects, options->quarantine);
    AUTO_JSON struct json *body = json_new_object();
    struct json *metadata = json_new_object();
    struct harbor_change change = {.method = "POST", .path = "/projects", .body = body};

    json_set_string(metadata, "public", "false");
    json_set_string(body, "project_name", options->quarantine);
    json_set_take(body, "metadata", metadata);
    if (known && known->proxy)
        return error_set(err, FAILURE_INPUT,
                         "the project %s is a proxy cache: nothing can be put there", known->name);
    if (known) {
        harbor_say(session, HARBOR_KEPT, "project %s", known->name);
        return 0;
    }
    if (harbor_change(session, &change, NULL, err) < 0)
        return error_wrap(err, "making the project %s", options->quarantine);
    harbor_say(session, HARBOR_MADE, "project %s (private)", options->quarantine);
    return 0;
}

/* --- labels --- */

static bool holds_label(const struct json *labels, const char *name)
{
    for (size_t i = 0; i < json_count(labels); i++) {
        if (text_equal(json_get_string(json_at(labels, i), "name"), name))
            return true;
    }
    return false;
}

static int make_label(struct harbor_session *session, const struct harbor_project *project,
                      struct error *err)
{
    const struct harbor_options *options = harbor_session_options(session);
    AUTO_TEXT struct text path = {0};
    AUTO_JSON struct json *labels = NULL;
    AUTO_JSON struct json *body = json_new_object();
    struct harbor_change change = {.method = "POST", .path = "/labels", .body = body};

    text_format(&path, "/labels?scope=p&project_id=%lld&name=", (long long)project->id);
    url_encode(&path, options->label);
    if (harbor_get_all(session, text_data(&path), &labels, err) < 0)
        return error_wrap(err, "labels of %s", project->name);
    if (holds_label(labels, options->label)) {
        harbor_say(session, HARBOR_KEPT, "label %s of %s", options->label, project->name);
        return 0;
    }
    json_set_string(body, "name", options->label);
    json_set_string(body, "description", "does not hold to the policy (regwarden)");
    json_set_string(body, "color", "#C92100");
    json_set_string(body, "scope", "p");
    json_set_integer(body, "project_id", project->id);
    if (harbor_change(session, &change, NULL, err) < 0)
        return error_wrap(err, "label of %s", project->name);
    harbor_say(session, HARBOR_MADE, "label %s of %s", options->label, project->name);
    return 0;
}

int harbor_make_labels(struct harbor_session *session, const struct harbor_projects *projects,
                       struct error *err)
{
    for (size_t i = 0; i < projects->count; i++) {
        if (projects->items[i].chosen && make_label(session, &projects->items[i], err) < 0)
            return err->kind;
    }
    return 0;
}

/* --- webhooks --- */

int harbor_find_webhook(struct harbor_session *session, const char *project, const char *name,
                        struct json **ret, struct error *err)
{
    AUTO_FREE char *path = harbor_project_path(project, "/webhook/policies?sort=id");
    AUTO_JSON struct json *policies = NULL;

    *ret = NULL;
    if (harbor_get_all(session, path, &policies, err) < 0)
        return error_wrap(err, "webhooks of %s", project);
    for (size_t i = 0; i < json_count(policies) && !*ret; i++) {
        if (text_equal(json_get_string(json_at(policies, i), "name"), name))
            *ret = json_retain(json_at(policies, i));
    }
    return 0;
}

static char *new_secret(void)
{
    uint8_t bytes[SECRET_BYTES];
    char hex[2 * SECRET_BYTES + 1];

    crypto_random(bytes, sizeof(bytes));
    crypto_hex(bytes, sizeof(bytes), hex);
    crypto_erase(bytes, sizeof(bytes));
    return memory_copy_text(hex);
}

/* The webhooks of all projects share one, which the daemon knows by the file. */
static int find_secret(struct harbor_session *session, char **ret, struct error *err)
{
    const struct harbor_options *options = harbor_session_options(session);
    AUTO_FREE char *path = harbor_secret_path(options, "hook-secret");

    if (harbor_read_secret(path, ret, err) < 0)
        return err->kind;
    if (*ret) {
        harbor_say(session, HARBOR_KEPT, "secret of the webhooks, in %s", path);
        return 0;
    }
    *ret = new_secret();
    if (!options->dry_run && harbor_write_secret(path, *ret, err) < 0) {
        harbor_erase(ret);
        return err->kind;
    }
    harbor_say(session, HARBOR_MADE, "secret of the webhooks, in %s", path);
    return 0;
}

static struct json *policy_of(const struct harbor_options *options,
                              const struct harbor_system *about, const char *secret)
{
    struct json *policy = json_new_object();
    struct json *types = json_new_array();
    struct json *targets = json_new_array();
    struct json *target = json_new_object();
    char *header = text_new("Bearer %s", secret);

    for (size_t i = 0; i < ARRAY_COUNT(event_types); i++)
        json_append_take(types, json_new_string(event_types[i]));
    json_set_string(target, "type", "http");
    json_set_string(target, "address", options->hook_url);
    json_set_string(target, "auth_header", header);
    json_set_bool(target, "skip_cert_verify", false);
    /* Older ones know one format and not this field. */
    if (harbor_is_at_least(about, 2, 8))
        json_set_string(target, "payload_format", "CloudEvents");
    json_append_take(targets, target);
    json_set_string(policy, "name", options->robot);
    json_set_string(policy, "description", "tells regwarden what is pushed, deleted and scanned");
    json_set_bool(policy, "enabled", true);
    json_set_take(policy, "event_types", types);
    json_set_take(policy, "targets", targets);
    harbor_erase(&header);
    return policy;
}

static bool same_types(const struct json *policy)
{
    const struct json *types = json_get(policy, "event_types");
    size_t found = 0;

    for (size_t i = 0; i < json_count(types); i++) {
        for (size_t k = 0; k < ARRAY_COUNT(event_types); k++)
            found += text_equal(json_string(json_at(types, i)), event_types[k]);
    }
    return found == ARRAY_COUNT(event_types) && json_count(types) == found;
}

static bool same_policy(const struct json *known, const struct json *wanted)
{
    static const char *const keys[] = {"type", "address", "auth_header", "payload_format"};
    const struct json *a = json_at(json_get(known, "targets"), 0);
    const struct json *b = json_at(json_get(wanted, "targets"), 0);

    if (!json_bool(json_get(known, "enabled"), false) || !same_types(known) ||
        json_count(json_get(known, "targets")) != 1 ||
        json_bool(json_get(a, "skip_cert_verify"), false))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        /* What was not asked for is as Harbor likes it. */
        if (json_get(b, keys[i]) &&
            !text_equal(json_get_string(a, keys[i]), json_get_string(b, keys[i])))
            return false;
    }
    return true;
}

static int make_webhook(struct harbor_session *session, const char *project,
                        const struct json *wanted, struct error *err)
{
    const char *name = json_get_string(wanted, "name");
    AUTO_JSON struct json *known = NULL;
    AUTO_FREE char *path = NULL;
    struct harbor_change change = {.method = "POST", .body = wanted};

    if (harbor_find_webhook(session, project, name, &known, err) < 0)
        return err->kind;
    if (known && same_policy(known, wanted)) {
        harbor_say(session, HARBOR_KEPT, "webhook %s of %s", name, project);
        return 0;
    }
    path = harbor_project_path(project, "/webhook/policies");
    if (known) {
        char *longer = text_new("%s/%lld", path, (long long)json_get_integer(known, "id", 0));

        free(path);
        path = longer;
        change.method = "PUT";
    }
    change.path = path;
    if (harbor_change(session, &change, NULL, err) < 0)
        return error_wrap(err, "webhook of %s", project);
    harbor_say(session, known ? HARBOR_CHANGED : HARBOR_MADE, "webhook %s of %s", name, project);
    return 0;
}

int harbor_make_webhooks(struct harbor_session *session, const struct harbor_system *about,
                         const struct harbor_projects *projects, struct error *err)
{
    const struct harbor_options *options = harbor_session_options(session);
    AUTO_JSON struct json *policy = NULL;
    char *secret = NULL;
    int rc = find_secret(session, &secret, err);

    if (rc < 0)
        return rc;
    policy = policy_of(options, about, secret);
    harbor_erase(&secret);
    for (size_t i = 0; rc == 0 && i < projects->count; i++) {
        if (projects->items[i].chosen)
            rc = make_webhook(session, projects->items[i].name, policy, err);
    }
    return rc;
}

/* Talking to a Harbor from the command line: one request after the other, each waited for. */
#include "harbor_setup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "regwarden/clock.h"
#include "regwarden/harbor.h"
#include "regwarden/loop.h"
#include "regwarden/reference.h"
#include "regwarden/registry.h"

enum { PAGE_SIZE = 100, PAGES_MAX = 1000, WAIT_MS = 10 * 60 * 1000 };

struct harbor_session {
    const struct harbor_options *options; /* borrowed */
    struct config_registry settings;
    struct loop *loop;
    struct registry *registry;
};

static char session_name[] = "harbor";

int harbor_session_new(const struct harbor_options *options, struct harbor_session **ret,
                       struct error *err)
{
    struct harbor_session *session = memory_new(sizeof(*session));
    int rc;

    session->options = options;
    session->settings.name = session_name;
    session->settings.type = REGISTRY_TYPE_HARBOR;
    session->settings.url = memory_copy_text(options->url);
    session->settings.username = memory_copy_text(options->user);
    session->settings.password_file = memory_copy_text(options->password_file);
    session->settings.ca_file = memory_copy_text(options->ca_file);
    rc = loop_new(&session->loop, err);
    if (rc == 0)
        rc = registry_new(session->loop, &session->settings, &session->registry, err);
    if (rc < 0) {
        harbor_session_free(session);
        return rc;
    }
    *ret = session;
    return 0;
}

void harbor_session_free(struct harbor_session *session)
{
    if (!session)
        return;
    registry_free(session->registry);
    loop_free(session->loop);
    free(session->settings.url);
    free(session->settings.username);
    free(session->settings.password_file);
    free(session->settings.ca_file);
    free(session);
}

const struct harbor_options *harbor_session_options(const struct harbor_session *session)
{
    return session->options;
}

/* --- one request --- */

struct waiting {
    bool done;
    struct error error;
    struct json *body;
};

static void on_reply(void *argument, const struct harbor_reply *reply)
{
    struct waiting *waiting = argument;

    waiting->done = true;
    if (reply->error)
        waiting->error = *reply->error;
    else if (reply->body)
        waiting->body = json_retain((struct json *)(uintptr_t)reply->body);
}

static bool is_done(void *waiting)
{
    return ((const struct waiting *)waiting)->done;
}

static int call(struct harbor_session *session, const struct harbor_call *wanted, struct json **ret,
                struct error *err)
{
    struct waiting waiting = {0};
    uint64_t id = harbor_call(session->registry, wanted, on_reply, &waiting);

    if (!loop_run_until(session->loop, is_done, &waiting, WAIT_MS)) {
        registry_cancel(session->registry, id);
        return error_set(err, FAILURE_LATER, "Harbor does not answer");
    }
    if (waiting.error.kind != FAILURE_NONE) {
        if (err)
            *err = waiting.error;
        return waiting.error.kind;
    }
    if (ret)
        *ret = TAKE(waiting.body);
    json_release(waiting.body);
    return 0;
}

static int get(struct harbor_session *session, const char *path, struct json **ret,
               struct error *err)
{
    struct harbor_call wanted = {.method = "GET", .path = path};

    return call(session, &wanted, ret, err);
}

int harbor_get_all(struct harbor_session *session, const char *path, struct json **ret,
                   struct error *err)
{
    AUTO_JSON struct json *all = json_new_array();

    for (unsigned page = 1; page <= PAGES_MAX; page++) {
        AUTO_FREE char *address = text_new("%s&page=%u&page_size=%d", path, page, PAGE_SIZE);
        AUTO_JSON struct json *items = NULL;

        if (get(session, address, &items, err) < 0)
            return err->kind;
        for (size_t i = 0; i < json_count(items); i++)
            json_append_take(all, json_retain(json_at(items, i)));
        if (!json_is(items, JSON_KIND_ARRAY) || json_count(items) < PAGE_SIZE) {
            *ret = TAKE(all);
            return 0;
        }
    }
    return error_set(err, FAILURE_LIMIT, "the list %s has more than %d pages", path, PAGES_MAX);
}

int harbor_change(struct harbor_session *session, const struct harbor_change *change,
                  struct json **ret, struct error *err)
{
    struct harbor_call wanted = {
        .method = change->method, .path = change->path, .body = change->body};

    if (ret)
        *ret = NULL;
    if (session->options->dry_run)
        return 0;
    return call(session, &wanted, ret, err);
}

void harbor_say(const struct harbor_session *session, enum harbor_deed deed, const char *format,
                ...)
{
    static const char *const done[] = {
        [HARBOR_KEPT] = "kept", [HARBOR_MADE] = "made", [HARBOR_CHANGED] = "changed"};
    static const char *const meant[] = {
        [HARBOR_KEPT] = "keep", [HARBOR_MADE] = "make", [HARBOR_CHANGED] = "change"};
    va_list arguments;

    if (session->options->dry_run)
        printf("would %-7s ", meant[deed]);
    else
        printf("%-8s ", done[deed]);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    puts("");
}

/* --- what it is --- */

void harbor_system_release(struct harbor_system *about)
{
    free(about->version);
    free(about->external_url);
    free(about->robot_prefix);
    *about = (struct harbor_system){0};
}

/* Only administrators may read it; others see the usual one. */
static char *read_prefix(struct harbor_session *session)
{
    AUTO_JSON struct json *configuration = NULL;
    const char *prefix = NULL;

    if (get(session, "/configurations", &configuration, NULL) == 0)
        prefix = json_get_string(json_get(configuration, "robot_name_prefix"), "value");
    return memory_copy_text(prefix && *prefix ? prefix : "robot$");
}

int harbor_read_system(struct harbor_session *session, struct harbor_system *ret, struct error *err)
{
    AUTO_JSON struct json *info = NULL;
    const char *version;

    if (get(session, "/systeminfo", &info, err) < 0) {
        if (!err->hint[0])
            (void)error_hint(err, err->kind == FAILURE_DENIED
                                      ? "check --user and --password-file: an administrator's "
                                        "account is needed"
                                      : "check --url");
        return error_wrap(err, "asking what Harbor this is");
    }
    version = json_get_string(info, "harbor_version");
    if (!version) {
        (void)error_set(err, FAILURE_DENIED,
                        "this is no Harbor 2, or it does not know the account");
        return error_hint(err, "check --url, --user and --password-file");
    }
    ret->version = text_printable(version, 80);
    ret->external_url = memory_copy_text(json_get_string(info, "external_url"));
    ret->webhooks = json_bool(json_get(info, "notification_enable"), true);
    ret->read_only = json_bool(json_get(info, "read_only"), false);
    ret->robot_prefix = read_prefix(session);
    return 0;
}

bool harbor_is_at_least(const struct harbor_system *about, unsigned major, unsigned minor)
{
    const char *text = about->version + (about->version[0] == 'v');
    unsigned told[2] = {0};

    if (sscanf(text, "%5u.%5u", &told[0], &told[1]) != 2)
        return false;
    return told[0] > major || (told[0] == major && told[1] >= minor);
}

/* --- projects --- */

void harbor_projects_release(struct harbor_projects *projects)
{
    for (size_t i = 0; i < projects->count; i++)
        free(projects->items[i].name);
    free(projects->items);
    *projects = (struct harbor_projects){0};
}

struct harbor_project *harbor_projects_find(const struct harbor_projects *projects,
                                            const char *name)
{
    for (size_t i = 0; i < projects->count; i++) {
        if (text_equal(projects->items[i].name, name))
            return &projects->items[i];
    }
    return NULL;
}

static void add_project(struct harbor_projects *to, const struct json *project)
{
    const char *name = json_get_string(project, "name");
    const char *created = json_get_string(project, "creation_time");
    struct harbor_project *item;

    /* Names go into addresses and onto the terminal. */
    if (!name || !repository_is_valid(name))
        return;
    to->items = memory_grow(to->items, to->count, &to->capacity, sizeof(*to->items));
    item = &to->items[to->count++];
    *item = (struct harbor_project){
        .name = memory_copy_text(name),
        .id = json_get_integer(project, "project_id", 0),
        .proxy = json_get_integer(project, "registry_id", 0) != 0,
        .public = text_equal(json_get_string(json_get(project, "metadata"), "public"), "true"),
    };
    if (created)
        (void)clock_parse_rfc3339(created, &item->created_ms, NULL);
}

int harbor_read_projects(struct harbor_session *session, struct harbor_projects *ret,
                         struct error *err)
{
    AUTO_JSON struct json *projects = NULL;

    if (harbor_get_all(session, "/projects?with_detail=false&sort=name", &projects, err) < 0)
        return error_wrap(err, "listing the projects");
    for (size_t i = 0; i < json_count(projects); i++)
        add_project(ret, json_at(projects, i));
    return 0;
}

char *harbor_project_path(const char *project, const char *tail)
{
    return text_new("/projects/%s%s", project, tail);
}

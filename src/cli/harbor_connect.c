/* The steps of `regwarden harbor connect` and `status`, and what they tell at the end: the stanza
 * for the daemon's configuration, and what is not covered. */
#include "harbor_setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/http_client.h"

#define BIT(action) (1U << (action))

static int choose(const struct harbor_options *options, struct harbor_projects *projects,
                  struct error *err)
{
    for (size_t i = 0; i < projects->count; i++) {
        projects->items[i].store = text_equal(projects->items[i].name, options->quarantine);
        projects->items[i].chosen = options->all_projects && !projects->items[i].store;
    }
    for (size_t i = 0; i < options->projects.count; i++) {
        const char *name = options->projects.items[i];
        struct harbor_project *project = harbor_projects_find(projects, name);
        AUTO_FREE char *shown = text_printable(name, 80);

        if (!project) {
            (void)error_set(err, FAILURE_ABSENT, "there is no project \"%s\"", shown);
            return error_hint(err, "nothing was changed; check --projects");
        }
        project->chosen = true;
    }
    return 0;
}

static void print_quoted(const char *key, const char *value)
{
    printf("    %s: '", key);
    for (const char *c = value; *c; c++)
        printf(*c == '\'' ? "''" : "%c", *c);
    puts("'");
}

/* The daemon knows the registry by the last part of the address that events are sent to. */
static const char *name_of_hook(const struct harbor_options *options)
{
    const char *hooks = strstr(options->hook_url, "/hooks/");

    return hooks ? hooks + strlen("/hooks/") : "harbor";
}

/* Events and references may name Harbor by its external address. */
static void print_hosts(const struct harbor_options *options, const struct harbor_system *about)
{
    struct url asked = {0};
    struct url external = {0};

    if (about->external_url && url_parse(options->url, &asked, NULL) == 0 &&
        url_parse(about->external_url, &external, NULL) == 0 &&
        !text_equal(asked.host_port, external.host_port))
        printf("    hosts: ['%s']\n", external.host_port);
    url_release(&asked);
    url_release(&external);
}

static void print_stanza(const struct harbor_options *options, const struct harbor_system *about,
                         const char *robot)
{
    AUTO_FREE char *password = harbor_secret_path(options, "robot-secret");
    AUTO_FREE char *hook = harbor_secret_path(options, "hook-secret");

    printf("\nFor regwarden.yaml:\n\nregistries:\n  %s:\n", name_of_hook(options));
    print_quoted("url", options->url);
    puts("    type: harbor");
    print_hosts(options, about);
    print_quoted("username", robot);
    print_quoted("password-file", password);
    print_quoted("hook-secret-file", hook);
    if (options->ca_file)
        print_quoted("ca-file", options->ca_file);
    if (options->actions & BIT(HARBOR_LABEL))
        print_quoted("label", options->label);
    if (options->actions & BIT(HARBOR_QUARANTINE))
        print_quoted("quarantine-prefix", options->quarantine);
}

/* --- what is not covered --- */

static void print_projects(const char *what, const struct harbor_projects *projects,
                           bool (*is)(const struct harbor_project *project))
{
    const char *between = "";
    size_t count = 0;

    for (size_t i = 0; i < projects->count; i++)
        count += is(&projects->items[i]);
    if (count == 0)
        return;
    printf("- %s (%zu): ", what, count);
    for (size_t i = 0; i < projects->count; i++) {
        if (!is(&projects->items[i]))
            continue;
        printf("%s%s", between, projects->items[i].name);
        between = ", ";
    }
    puts("");
}

static bool is_left_out(const struct harbor_project *project)
{
    return !project->chosen && !project->store;
}

static bool is_cache(const struct harbor_project *project)
{
    return project->proxy;
}

static void print_uncovered(const struct harbor_options *options, const struct harbor_system *about,
                            const struct harbor_projects *projects)
{
    const struct harbor_project *quarantine = harbor_projects_find(projects, options->quarantine);

    puts("\nNot covered:");
    if (!about->webhooks)
        puts("- webhooks are switched off in this whole Harbor: no event is sent until an "
             "administrator turns them on (Configuration, System Settings)");
    print_projects("projects that were not named", projects, is_left_out);
    print_projects("proxy caches: the first pull is served before it is judged, and nothing can "
                   "be pushed there",
                   projects, is_cache);
    if (quarantine && quarantine->public && (options->actions & BIT(HARBOR_QUARANTINE)))
        printf("- the project %s is public: whoever knows where can pull what is quarantined\n",
               quarantine->name);
    puts("- projects made later, until this command runs again; `regwarden harbor status` lists "
         "them\n"
         "- tags and labels that are set through Harbor's pages and API, and some replications, "
         "fire no event: the sweep finds them (sweep-interval)");
}

static int make_all(struct harbor_session *session, const struct harbor_system *about,
                    struct harbor_projects *projects, char **ret_robot, struct error *err)
{
    unsigned actions = harbor_session_options(session)->actions;

    if (actions & BIT(HARBOR_QUARANTINE) && harbor_make_project(session, projects, err) < 0)
        return err->kind;
    if (actions & BIT(HARBOR_LABEL) && harbor_make_labels(session, projects, err) < 0)
        return err->kind;
    if (harbor_make_robot(session, about, projects, ret_robot, err) < 0)
        return err->kind;
    return harbor_make_webhooks(session, about, projects, err);
}

static int connect_to(struct harbor_session *session, const struct harbor_system *about,
                      struct error *err)
{
    const struct harbor_options *options = harbor_session_options(session);
    AUTO_HARBOR_PROJECTS struct harbor_projects projects = {0};
    AUTO_FREE char *robot = NULL;

    if (about->read_only)
        return error_set(err, FAILURE_LATER, "this Harbor is in read-only mode");
    if (harbor_read_projects(session, &projects, err) < 0 || choose(options, &projects, err) < 0 ||
        make_all(session, about, &projects, &robot, err) < 0)
        return err->kind;
    print_stanza(options, about, robot);
    print_uncovered(options, about, &projects);
    return 0;
}

/* Harbor tells a secret once: there must be a place for it before it is asked. */
static int check_directory(const struct harbor_options *options, struct error *err)
{
    if (options->dry_run || access(options->directory, W_OK | X_OK) == 0)
        return 0;
    (void)error_set(err, FAILURE_INPUT, "--secrets: cannot write into %s: %s", options->directory,
                    strerror(errno));
    return error_hint(err, "nothing was changed; make the directory, or name another");
}

int harbor_connect(struct harbor_session *session, struct error *err)
{
    struct harbor_system about = {0};
    int rc = check_directory(harbor_session_options(session), err);

    if (rc == 0)
        rc = harbor_read_system(session, &about, err);
    if (rc == 0) {
        printf("Harbor %s at %s\n", about.version, harbor_session_options(session)->url);
        rc = connect_to(session, &about, err);
    }
    harbor_system_release(&about);
    return rc;
}

/* --- status --- */

struct coverage {
    size_t uncovered;
    int64_t connected_ms; /* when the newest of the webhooks was made */
};

static bool is_on(const struct json *policy)
{
    return policy && json_bool(json_get(policy, "enabled"), false);
}

static int look(struct harbor_session *session, struct harbor_projects *projects,
                struct coverage *coverage, struct error *err)
{
    const struct harbor_options *options = harbor_session_options(session);

    for (size_t i = 0; i < projects->count; i++) {
        struct harbor_project *project = &projects->items[i];
        AUTO_JSON struct json *policy = NULL;
        const char *made;
        int64_t at_ms = 0;

        if (harbor_find_webhook(session, project->name, options->robot, &policy, err) < 0)
            return err->kind;
        project->chosen = is_on(policy) || text_equal(project->name, options->quarantine);
        coverage->uncovered += !project->chosen;
        made = json_get_string(policy, "creation_time");
        if (made && clock_parse_rfc3339(made, &at_ms, NULL) == 0 && at_ms > coverage->connected_ms)
            coverage->connected_ms = at_ms;
    }
    return 0;
}

static void print_coverage(const struct harbor_projects *projects, const struct coverage *coverage)
{
    if (coverage->uncovered == 0) {
        printf("every project has its webhook (%zu)\n", projects->count);
        return;
    }
    printf("%zu of %zu projects without webhook:\n", coverage->uncovered, projects->count);
    for (size_t i = 0; i < projects->count; i++) {
        const struct harbor_project *project = &projects->items[i];
        bool is_new = coverage->connected_ms > 0 && project->created_ms > coverage->connected_ms;

        if (!project->chosen)
            printf("  %s%s%s\n", project->name, project->proxy ? " (proxy cache)" : "",
                   is_new ? " (new since `regwarden harbor connect`)" : "");
    }
    puts("`regwarden harbor connect` covers them.");
}

int harbor_status(struct harbor_session *session, struct error *err)
{
    AUTO_HARBOR_PROJECTS struct harbor_projects projects = {0};
    struct harbor_system about = {0};
    struct coverage coverage = {0};
    int rc = harbor_read_system(session, &about, err);

    if (rc == 0)
        rc = harbor_read_projects(session, &projects, err);
    if (rc == 0)
        rc = look(session, &projects, &coverage, err);
    if (rc == 0 && !about.webhooks)
        puts("webhooks are switched off in this whole Harbor: no event is sent");
    if (rc == 0)
        print_coverage(&projects, &coverage);
    rc = rc < 0 ? rc : coverage.uncovered > 0 || !about.webhooks ? 1 : 0;
    harbor_system_release(&about);
    return rc;
}

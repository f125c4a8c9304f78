/* Setting up a Harbor: what the steps of `regwarden harbor connect` and `status` share. */
#ifndef REGWARDEN_HARBOR_SETUP_H
#define REGWARDEN_HARBOR_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/json.h"

struct harbor_session; /* opaque */

enum harbor_action {
    HARBOR_AUDIT, /* always */
    HARBOR_LABEL,
    HARBOR_TAG,
    HARBOR_QUARANTINE,
    HARBOR_ROLLBACK,
    HARBOR_REMOVE,
    HARBOR_ACTION_COUNT,
};
extern const char *const harbor_action_names[]; /* ends with NULL */

struct harbor_options {
    const char *url;
    const char *user;
    const char *password_file;
    const char *ca_file;
    const char *hook_url;
    const char *directory;  /* for the files with secrets */
    const char *robot;      /* without Harbor's prefix; name of the webhooks, too */
    const char *label;      /* name */
    const char *quarantine; /* project */
    struct text_list projects;
    bool all_projects;
    unsigned actions; /* bits of enum harbor_action */
    bool dry_run;
    bool new_secret;
};

struct harbor_project {
    char *name;
    int64_t id;
    int64_t created_ms; /* 0: not said */
    bool proxy;         /* a cache of another registry */
    bool public;
    bool store; /* of quarantined images: its events are not wanted */
    bool chosen;
};
struct harbor_projects {
    struct harbor_project *items;
    size_t count;
    size_t capacity;
};
void harbor_projects_release(struct harbor_projects *projects);
#define AUTO_HARBOR_PROJECTS AUTO(harbor_projects_release)
struct harbor_project *harbor_projects_find(const struct harbor_projects *projects,
                                            const char *name);

/* What was asked of Harbor first. */
struct harbor_system {
    char *version;      /* "v2.12.0-abcdef12" */
    char *external_url; /* NULL: not said */
    char *robot_prefix; /* "robot$" */
    bool webhooks;      /* are switched on at all */
    bool read_only;
};
void harbor_system_release(struct harbor_system *about);
bool harbor_is_at_least(const struct harbor_system *about, unsigned major, unsigned minor);

/* --- asking (harbor_session.c); every call waits for its answer --- */

int harbor_session_new(const struct harbor_options *options, struct harbor_session **ret,
                       struct error *err);
void harbor_session_free(struct harbor_session *session); /* accepts NULL */
const struct harbor_options *harbor_session_options(const struct harbor_session *session);
/* All pages of a list, as one array; new. The path holds a "?". */
int harbor_get_all(struct harbor_session *session, const char *path, struct json **ret,
                   struct error *err);
int harbor_read_system(struct harbor_session *session, struct harbor_system *ret,
                       struct error *err);
int harbor_read_projects(struct harbor_session *session, struct harbor_projects *ret,
                         struct error *err);
/* "/projects/<name><tail>". Returns new. */
char *harbor_project_path(const char *project, const char *tail);

/* The one place where Harbor is changed: does nothing in a dry run. `ret` (may be NULL) is new,
 * NULL when there was no document. */
struct harbor_change {
    const char *method;
    const char *path;
    const struct json *body;
};
int harbor_change(struct harbor_session *session, const struct harbor_change *change,
                  struct json **ret, struct error *err);

/* One line about a step: "made      project quarantine", or "would make …" in a dry run. */
enum harbor_deed { HARBOR_KEPT, HARBOR_MADE, HARBOR_CHANGED };
void harbor_say(const struct harbor_session *session, enum harbor_deed deed, const char *format,
                ...) __attribute__((format(printf, 3, 4)));

/* --- the steps --- */

/* "<directory>/harbor-<what>". Returns new. */
char *harbor_secret_path(const struct harbor_options *options, const char *what);
/* The secret in that file; new, NULL when there is no file. */
int harbor_read_secret(const char *path, char **ret, struct error *err);
/* Readable by its owner only. */
int harbor_write_secret(const char *path, const char *secret, struct error *err);
void harbor_erase(char **secret);

int harbor_make_project(struct harbor_session *session, struct harbor_projects *projects,
                        struct error *err);
int harbor_make_labels(struct harbor_session *session, const struct harbor_projects *projects,
                       struct error *err);
/* The robot's login name; new. Its secret is in a file. */
int harbor_make_robot(struct harbor_session *session, const struct harbor_system *about,
                      const struct harbor_projects *projects, char **ret, struct error *err);
int harbor_make_webhooks(struct harbor_session *session, const struct harbor_system *about,
                         const struct harbor_projects *projects, struct error *err);
/* regwarden's webhook of a project, or NULL; new. `name`: of the webhook. */
int harbor_find_webhook(struct harbor_session *session, const char *project, const char *name,
                        struct json **ret, struct error *err);

int harbor_connect(struct harbor_session *session, struct error *err);
/* 1 when a project is not covered, 0 when all are, or a failure. */
int harbor_status(struct harbor_session *session, struct error *err);

#endif

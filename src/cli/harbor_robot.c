/* The account of the daemon: a robot that may do what the chosen actions take, and nothing more.
 * Harbor tells its secret once; it goes into a file that its owner alone can read. */
#include "harbor_setup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "regwarden/crypto.h"
#include "regwarden/file.h"

const char *const harbor_action_names[] = {
    [HARBOR_AUDIT] = "audit",           [HARBOR_LABEL] = "label",       [HARBOR_TAG] = "tag",
    [HARBOR_QUARANTINE] = "quarantine", [HARBOR_ROLLBACK] = "rollback", [HARBOR_REMOVE] = "remove",
    [HARBOR_ACTION_COUNT] = NULL,
};

#define BIT(action) (1U << (action))
enum {
    ALL = BIT(HARBOR_AUDIT),
    LABELS = BIT(HARBOR_LABEL),
    PUSHES = BIT(HARBOR_TAG) | BIT(HARBOR_QUARANTINE) | BIT(HARBOR_ROLLBACK),
    UNTAGS = BIT(HARBOR_TAG) | BIT(HARBOR_QUARANTINE) | BIT(HARBOR_ROLLBACK) | BIT(HARBOR_REMOVE),
    DELETES = BIT(HARBOR_QUARANTINE) | BIT(HARBOR_REMOVE),
};

/* regwarden-harbor(7) has this table, too. */
static const struct {
    const char *resource;
    const char *action;
    unsigned actions; /* that take it */
} rights[] = {
    {"repository", "list", ALL},
    {"repository", "read", ALL},
    {"repository", "pull", ALL},
    {"artifact", "list", ALL},
    {"artifact", "read", ALL},
    {"tag", "list", ALL},
    {"accessory", "list", ALL},
    {"artifact-addition", "read", ALL},
    {"label", "list", LABELS},
    {"label", "create", LABELS},
    {"artifact-label", "create", LABELS},
    {"artifact-label", "delete", LABELS},
    {"repository", "push", PUSHES},
    {"tag", "delete", UNTAGS},
    {"artifact", "delete", DELETES},
};

/* As Harbor writes them; new. */
static struct json *rights_of(unsigned actions)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < ARRAY_COUNT(rights); i++) {
        struct json *right;

        if (!(rights[i].actions & (actions | ALL)))
            continue;
        right = json_new_object();
        json_set_string(right, "resource", rights[i].resource);
        json_set_string(right, "action", rights[i].action);
        json_append_take(list, right);
    }
    return list;
}

/* --- files with secrets --- */

char *harbor_secret_path(const struct harbor_options *options, const char *what)
{
    AUTO_FREE char *directory = realpath(options->directory, NULL);

    return text_new("%s/harbor-%s", directory ? directory : options->directory, what);
}

int harbor_read_secret(const char *path, char **ret, struct error *err)
{
    AUTO_TEXT struct text secret = {0};
    int rc;

    *ret = NULL;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    rc = file_read_secret(path, &secret, err);
    if (rc < 0)
        return rc;
    *ret = text_take(&secret);
    return 0;
}

int harbor_write_secret(const char *path, const char *secret, struct error *err)
{
    char *line = text_new("%s\n", secret);
    int rc = file_write(path, line, strlen(line), 0600, err);

    harbor_erase(&line);
    return rc;
}

void harbor_erase(char **secret)
{
    if (*secret)
        crypto_erase(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

/* --- the robot --- */

struct robot {
    struct harbor_session *session;
    const struct harbor_options *options;
    char *name; /* with Harbor's prefix */
    char *path; /* of the file with its secret */
    bool has_secret;
};

static void robot_release(struct robot *robot)
{
    free(robot->name);
    free(robot->path);
}

static void add_permission(struct json *list, const char *project, unsigned actions)
{
    struct json *permission = json_new_object();

    json_set_string(permission, "kind", "project");
    json_set_string(permission, "namespace", project);
    json_set_take(permission, "access", rights_of(actions));
    json_append_take(list, permission);
}

static struct json *permissions_of(const struct harbor_options *options,
                                   const struct harbor_projects *projects)
{
    struct json *list = json_new_array();

    if (options->all_projects) {
        add_permission(list, "*", options->actions);
        return list;
    }
    for (size_t i = 0; i < projects->count; i++) {
        if (projects->items[i].chosen)
            add_permission(list, projects->items[i].name, options->actions);
    }
    if (options->actions & BIT(HARBOR_QUARANTINE))
        add_permission(list, options->quarantine, options->actions);
    return list;
}

/* In an order of its own, since Harbor keeps none. */
static void list_permissions(const struct json *permissions, struct text_list *to)
{
    for (size_t i = 0; i < json_count(permissions); i++) {
        const struct json *permission = json_at(permissions, i);
        const struct json *access = json_get(permission, "access");

        for (size_t k = 0; k < json_count(access); k++) {
            const char *resource = json_get_string(json_at(access, k), "resource");
            const char *action = json_get_string(json_at(access, k), "action");
            const char *project = json_get_string(permission, "namespace");

            text_list_add_take(to, text_new("%s %s %s", project ? project : "",
                                            resource ? resource : "", action ? action : ""));
        }
    }
}

static bool same_permissions(const struct json *a, const struct json *b)
{
    AUTO_TEXT_LIST struct text_list left = {0};
    AUTO_TEXT_LIST struct text_list right = {0};

    list_permissions(a, &left);
    list_permissions(b, &right);
    for (size_t i = 0; i < left.count; i++) {
        if (!text_list_has(&right, left.items[i]))
            return false;
    }
    return left.count == right.count;
}

static int find(const struct robot *robot, struct json **ret, struct error *err)
{
    AUTO_JSON struct json *robots = NULL;

    *ret = NULL;
    if (harbor_get_all(robot->session, "/robots?sort=id", &robots, err) < 0)
        return error_wrap(err, "listing the robots");
    for (size_t i = 0; i < json_count(robots); i++) {
        if (text_equal(json_get_string(json_at(robots, i), "name"), robot->name))
            *ret = json_retain(json_at(robots, i));
    }
    return 0;
}

static int keep_secret(const struct robot *robot, const struct json *answer, struct error *err)
{
    const char *secret = json_get_string(answer, "secret");

    if (robot->options->dry_run)
        return 0;
    if (!secret || !*secret)
        return error_set(err, FAILURE_INPUT, "Harbor did not tell the robot's secret");
    if (harbor_write_secret(robot->path, secret, err) < 0)
        return error_hint(err, "the robot is there and its secret is lost: mend this, then give "
                               "--new-secret");
    return 0;
}

static struct json *body_of(const char *name, struct json *permissions)
{
    struct json *body = json_new_object();

    json_set_string(body, "name", name);
    json_set_string(body, "description", "regwarden: judges images and acts on violations");
    json_set_string(body, "level", "system");
    json_set_integer(body, "duration", -1);
    json_set_bool(body, "disable", false);
    json_set_take(body, "permissions", json_retain(permissions));
    return body;
}

static int make(const struct robot *robot, struct json *permissions, struct error *err)
{
    AUTO_JSON struct json *body = body_of(robot->options->robot, permissions);
    AUTO_JSON struct json *answer = NULL;
    struct harbor_change change = {.method = "POST", .path = "/robots", .body = body};

    if (robot->has_secret && !robot->options->new_secret) {
        (void)error_set(err, FAILURE_INPUT, "%s holds a secret, but Harbor has no robot %s",
                        robot->path, robot->name);
        return error_hint(err, "take the file away, or give --new-secret to write it anew");
    }
    if (harbor_change(robot->session, &change, &answer, err) < 0)
        return error_wrap(err, "making the robot %s", robot->name);
    if (keep_secret(robot, answer, err) < 0)
        return err->kind;
    harbor_say(robot->session, HARBOR_MADE, "robot %s; its secret is in %s", robot->name,
               robot->path);
    return 0;
}

static int renew(const struct robot *robot, int64_t id, struct error *err)
{
    AUTO_JSON struct json *body = json_new_object();
    AUTO_JSON struct json *answer = NULL;
    AUTO_FREE char *path = text_new("/robots/%lld", (long long)id);
    struct harbor_change change = {.method = "PATCH", .path = path, .body = body};

    json_set_string(body, "secret", "");
    if (harbor_change(robot->session, &change, &answer, err) < 0)
        return error_wrap(err, "renewing the secret of %s", robot->name);
    if (keep_secret(robot, answer, err) < 0)
        return err->kind;
    harbor_say(robot->session, HARBOR_CHANGED, "secret of robot %s, in %s", robot->name,
               robot->path);
    return 0;
}

static int adjust(const struct robot *robot, const struct json *known, struct json *permissions,
                  struct error *err)
{
    AUTO_JSON struct json *body = body_of(robot->name, permissions);
    AUTO_FREE char *path = text_new("/robots/%lld", (long long)json_get_integer(known, "id", 0));
    struct harbor_change change = {.method = "PUT", .path = path, .body = body};

    if (same_permissions(json_get(known, "permissions"), permissions) &&
        !json_bool(json_get(known, "disable"), false)) {
        harbor_say(robot->session, HARBOR_KEPT, "robot %s", robot->name);
        return 0;
    }
    if (harbor_change(robot->session, &change, NULL, err) < 0)
        return error_wrap(err, "changing the rights of %s", robot->name);
    harbor_say(robot->session, HARBOR_CHANGED, "rights of robot %s", robot->name);
    return 0;
}

static int set_up(const struct robot *robot, struct json *permissions, struct error *err)
{
    AUTO_JSON struct json *known = NULL;

    if (find(robot, &known, err) < 0)
        return err->kind;
    if (!known)
        return make(robot, permissions, err);
    if (!robot->has_secret && !robot->options->new_secret) {
        (void)error_set(err, FAILURE_ABSENT, "there is a robot %s, and %s does not hold its secret",
                        robot->name, robot->path);
        return error_hint(err, "name the directory with --secrets, or give --new-secret: the old "
                               "secret stops working then");
    }
    if (adjust(robot, known, permissions, err) < 0)
        return err->kind;
    return robot->options->new_secret ? renew(robot, json_get_integer(known, "id", 0), err) : 0;
}

int harbor_make_robot(struct harbor_session *session, const struct harbor_system *about,
                      const struct harbor_projects *projects, char **ret, struct error *err)
{
    const struct harbor_options *options = harbor_session_options(session);
    AUTO_JSON struct json *permissions = permissions_of(options, projects);
    struct robot robot = {.session = session,
                          .options = options,
                          .name = text_new("%s%s", about->robot_prefix, options->robot),
                          .path = harbor_secret_path(options, "robot-secret")};
    char *secret = NULL;
    int rc = harbor_read_secret(robot.path, &secret, err);

    robot.has_secret = secret != NULL;
    harbor_erase(&secret);
    if (rc == 0)
        rc = set_up(&robot, permissions, err);
    if (rc == 0)
        *ret = TAKE(robot.name);
    robot_release(&robot);
    return rc;
}

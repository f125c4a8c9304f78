/* Rule non-root: the image must not run as root. Reads config.User as container runtimes do; who a
 * name is, the image's passwd says. */
#include "rules.h"

#include <string.h>

#include "glob.h"
#include "run_step.h"

#include "regwarden/facts_files.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { UID_MAX_VALUE = 2147483647, USER_BYTES_MAX = 255 };

struct settings {
    bool numeric;
    int64_t min_uid;
    int64_t max_uid;
    struct text_list blocked;
    struct text_list allow_named;
    struct glob_list blocked_globs;
    struct glob_list allow_named_globs;
};

static const struct param params[] = {
    {.name = "numeric",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, numeric),
     .fallback = "false",
     .help = "Only a number will do. Kubernetes refuses names under runAsNonRoot, since it cannot "
             "tell who they are."},
    {.name = "min-uid",
     .type = PARAM_INTEGER,
     .offset = offsetof(struct settings, min_uid),
     .fallback = "1",
     .min = 1,
     .max = UID_MAX_VALUE,
     .help = "Smallest user id that is allowed."},
    {.name = "max-uid",
     .type = PARAM_INTEGER,
     .offset = offsetof(struct settings, max_uid),
     .fallback = "2147483647",
     .min = 1,
     .max = UID_MAX_VALUE,
     .help = "Greatest user id that is allowed."},
    {.name = "blocked",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, blocked),
     .help = "Users that are refused as well, as they stand in the image: names or numbers, with "
             "`*`."},
    {.name = "allow-named",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow_named),
     .help =
         "Names that are trusted to have no user id 0 when the layers are not looked into, with "
         "`*`. Every other name is unknown then."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    if (settings->max_uid < settings->min_uid) {
        *ret_param = "max-uid";
        return error_set(err, FAILURE_INPUT, "max-uid is smaller than min-uid");
    }
    *ret_param = "blocked";
    if (glob_list_compile(&settings->blocked, &settings->blocked_globs, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "allow-named";
    return glob_list_compile(&settings->allow_named, &settings->allow_named_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->blocked_globs);
    glob_list_release(&settings->allow_named_globs);
}

/* What can be said of the user without looking into the layers. */
struct first_look {
    const char *fault; /* why it fails, whatever the layers say; NULL when it does not */
    bool open;         /* a name: who it is hangs on the layers */
};

static const char *uid_fault(const struct settings *settings, uint32_t uid)
{
    if (uid == 0)
        return "is root";
    if (uid < settings->min_uid)
        return "is below the smallest user id allowed";
    if (uid > settings->max_uid)
        return "is above the greatest user id allowed";
    return NULL;
}

/* The name or number before the colon; false when it is too long to be one. */
static bool user_part(const char *user, char ret[static USER_BYTES_MAX + 1])
{
    size_t length = strcspn(user, ":");

    if (length > USER_BYTES_MAX)
        return false;
    memcpy(ret, user, length);
    ret[length] = '\0';
    return true;
}

static struct first_look look(const struct settings *settings, const char *user)
{
    char name[USER_BYTES_MAX + 1];
    struct resolved_user resolved;

    facts_resolve_user(user, NULL, &resolved);
    if (resolved.state == USER_UNRESOLVABLE)
        return (struct first_look){.fault = resolved.reason};
    if (!user_part(user, name))
        return (struct first_look){.fault = "is too long to be a user"};
    if (!*name)
        return (struct first_look){.fault = "names no user, which means root"};
    if (glob_list_match(&settings->blocked_globs, name) ||
        glob_list_match(&settings->blocked_globs, user))
        return (struct first_look){.fault = "is blocked by the policy"};
    if (resolved.state == USER_RESOLVED)
        return (struct first_look){.fault = uid_fault(settings, resolved.uid)};
    if (text_equal(name, "root"))
        return (struct first_look){.fault = "is root"};
    if (settings->numeric)
        return (struct first_look){
            .fault = "is a name: whether it is root cannot be verified by the cluster"};
    return (struct first_look){.open = true};
}

static bool is_trusted(const struct settings *settings, const char *user)
{
    char name[USER_BYTES_MAX + 1];

    return user_part(user, name) && glob_list_match(&settings->allow_named_globs, name);
}

static struct finding *fail(struct rule_report *report, const struct rule_input *input,
                            const char *why)
{
    const char *user = input->facts->config->user;
    AUTO_FREE char *shown = text_printable(user, 64);
    int step = history_last(input->facts, STEP_USER, NULL);
    struct finding *finding;

    if (user[0] == '\0')
        finding = rule_fail(report, "user", "no user is set: the container runs as root");
    else
        finding = rule_fail(report, "user", "user \"%s\" %s", shown, why);
    finding->evidence = memory_copy_text("config");
    if (user[0] != '\0')
        finding_set_step(finding, input->facts, step);
    return finding;
}

/* Fails by what the image's passwd says. */
static void fail_by_files(struct rule_report *report, const struct rule_input *input,
                          const char *why)
{
    struct finding *finding = fail(report, input, why);

    finding_set_evidence(finding, EVIDENCE_LAYERS);
    finding_set_path(finding, "etc/passwd");
}

static void open_user(struct rule_report *report, const struct rule_input *input,
                      const char *reason)
{
    const struct fact_status *status = &input->facts->status[FACT_FILES];
    AUTO_FREE char *shown = text_printable(input->facts->config->user, 64);

    if (!reason && input->layers)
        reason = status->reason;
    AUTO_FREE char *why =
        text_printable(reason ? reason : "the policy does not look into them", 200);
    rule_unknown(report, "user",
                 "who \"%s\" is stays open until the layers are read, for a name may have the "
                 "user id 0: %s",
                 shown, why);
    report->later = input->layers && facts_layers_missing(input->facts);
}

static enum judgement judge_name(const struct settings *settings, const struct rule_input *input,
                                 struct rule_report *report)
{
    const char *user = input->facts->config->user;
    struct resolved_user resolved;
    const char *why;

    facts_resolve_user(user, input->files, &resolved);
    switch (resolved.state) {
    case USER_UNKNOWN:
        if (!is_trusted(settings, user))
            open_user(report, input, resolved.reason);
        break;
    case USER_UNRESOLVABLE:
        fail_by_files(report, input, resolved.reason);
        break;
    case USER_RESOLVED:
        why = uid_fault(settings, resolved.uid);
        if (resolved.uid == 0)
            fail_by_files(report, input,
                          "has the user id 0 in the image's /etc/passwd: it is root");
        else if (why)
            fail_by_files(report, input, why);
        break;
    }
    return rule_judgement(report);
}

static enum judgement judge_windows(const struct settings *settings, const struct rule_input *input,
                                    struct rule_report *report, const char *user)
{
    if (text_equal_nocase(user, "ContainerAdministrator") ||
        text_equal_nocase(user, "Administrator")) {
        fail(report, input, "is the administrator");
        return rule_judgement(report);
    }
    if (glob_list_match(&settings->allow_named_globs, user))
        return RULE_PASS;
    rule_unknown(report, "user",
                 user[0] ? "the image says that it is for Windows, which runtimes on Linux may not "
                           "heed: who the user is stays open"
                         : "no user is set: the base image decides between "
                           "ContainerUser and ContainerAdministrator");
    return rule_judgement(report);
}

static bool is_windows(const struct image_config *config)
{
    return text_equal(config->platform.os, "windows");
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct image_config *config = input->facts->config;
    struct first_look first;

    if (is_windows(config))
        return judge_windows(settings, input, report, config->user);
    first = look(settings, config->user);
    if (first.fault)
        fail(report, input, first.fault);
    else if (first.open)
        return judge_name(settings, input, report);
    return rule_judgement(report);
}

/* Layers are worth reading only for a name that nobody vouches for. */
static unsigned wants_of(const void *block, const struct facts *facts)
{
    const struct settings *settings = block;

    if (!facts->config || is_windows(facts->config) || !look(settings, facts->config->user).open ||
        is_trusted(settings, facts->config->user))
        return 0;
    return FACT_BIT(FACT_FILES);
}

const struct rule_type rule_non_root = {
    .name = "non-root",
    .summary = "the container does not run as root",
    .description =
        "Reads the user of the image's config the way container runtimes do: no user, \"root\", "
        "\"0\", \"00\", \"+0\", \"0:0\" and \":1000\" are all root.\n\n"
        "A name can be an alias of root in the image's own passwd file, so it is looked up there, "
        "in the layers put on top of each other: the first line of the name counts, a user id that "
        "is no number is 0, and a name that is not there fails, since a container with it would "
        "not start. Where the layers are not known, or the policy says `layers: false`, a name "
        "other than root is unknown, unless allow-named trusts it. With numeric, a name fails: "
        "clusters that demand a user other than root refuse it too. Layers are read for this rule "
        "only when the user is a name.\n\n"
        "An image that says it is for Windows is judged by the names there; runtimes on Linux may "
        "run it all the same, so even ContainerUser has to be named in allow-named.\n\n"
        "Images whose entry point starts as root and then steps down (as many databases do) run "
        "as root by their config, and fail.",
    .remedy = "End the Dockerfile with a numeric user, such as `USER 65532:65532`, and give that "
              "user what it must write.",
    .example = "rule: non-root\nwith:\n  numeric: true\nseverity: high\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .wants = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_HIGH,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .wants_of = wants_of,
    .judge = judge,
};

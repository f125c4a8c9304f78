/* Rule non-root: the image must not run as root. Reads config.User as container runtimes do; what a
 * name means is not known before the layers are read. */
#include "rules.h"

#include <string.h>

#include "glob.h"
#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { UID_MAX_VALUE = 2147483647 };

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
     .help = "Names that are trusted to have no user id 0, with `*`. Every other name is unknown."},
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

/* As runtimes read numbers: an optional sign, then digits only ("0x0" and " 0" are names). Numbers
 * beyond what a user id can be are `out_of_range`. */
enum user_kind { USER_NAME, USER_NUMBER, USER_OUT_OF_RANGE };

static enum user_kind read_user(const char *user, size_t length, int64_t *ret_uid)
{
    size_t i = length > 0 && (user[0] == '+' || user[0] == '-') ? 1 : 0;
    bool negative = i > 0 && user[0] == '-';
    int64_t uid = 0;

    if (i == length)
        return USER_NAME;
    for (; i < length; i++) {
        if (user[i] < '0' || user[i] > '9')
            return USER_NAME;
        if (uid <= UID_MAX_VALUE)
            uid = uid * 10 + (user[i] - '0');
    }
    if (uid > UID_MAX_VALUE || (negative && uid != 0))
        return USER_OUT_OF_RANGE;
    *ret_uid = uid;
    return USER_NUMBER;
}

static enum judgement fail(struct rule_report *report, const struct rule_input *input,
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
    return rule_judgement(report);
}

static enum judgement unknown(struct rule_report *report, const char *user)
{
    AUTO_FREE char *shown = text_printable(user, 64);

    rule_unknown(report, "user",
                 "who \"%s\" is stays open until the layers are read: a name may "
                 "have the user id 0",
                 shown);
    return rule_judgement(report);
}

static enum judgement judge_number(const struct settings *settings, const struct rule_input *input,
                                   struct rule_report *report, int64_t uid)
{
    if (uid == 0)
        return fail(report, input, "is root");
    if (uid < settings->min_uid)
        return fail(report, input, "is below the smallest user id allowed");
    if (uid > settings->max_uid)
        return fail(report, input, "is above the greatest user id allowed");
    return RULE_PASS;
}

static enum judgement judge_name(const struct settings *settings, const struct rule_input *input,
                                 struct rule_report *report, const char *name)
{
    if (text_equal(name, "root"))
        return fail(report, input, "is root");
    if (settings->numeric)
        return fail(report, input,
                    "is a name: whether it is root cannot be verified by the "
                    "cluster");
    if (glob_list_match(&settings->allow_named_globs, name))
        return RULE_PASS;
    return unknown(report, name);
}

static enum judgement judge_windows(const struct settings *settings, const struct rule_input *input,
                                    struct rule_report *report, const char *user)
{
    if (text_equal_nocase(user, "ContainerAdministrator") ||
        text_equal_nocase(user, "Administrator"))
        return fail(report, input, "is the administrator");
    if (glob_list_match(&settings->allow_named_globs, user))
        return RULE_PASS;
    rule_unknown(report, "user",
                 user[0] ? "the image says that it is for Windows, which runtimes on Linux may not "
                           "heed: who the user is stays open"
                         : "no user is set: the base image decides between "
                           "ContainerUser and ContainerAdministrator");
    return rule_judgement(report);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct image_config *config = input->facts->config;
    char name[256];
    size_t length = strcspn(config->user, ":");
    int64_t uid = 0;

    if (text_equal(config->platform.os, "windows"))
        return judge_windows(settings, input, report, config->user);
    if (length == 0)
        return fail(report, input, "names no user, which means root");
    if (length >= sizeof(name))
        return fail(report, input, "is too long to be a user");
    memcpy(name, config->user, length);
    name[length] = '\0';
    if (strchr(config->user + length, ':') != strrchr(config->user, ':'))
        return fail(report, input, "has more than one colon: runtimes disagree on it");
    if (glob_list_match(&settings->blocked_globs, name) ||
        glob_list_match(&settings->blocked_globs, config->user))
        return fail(report, input, "is blocked by the policy");
    switch (read_user(name, length, &uid)) {
    case USER_NUMBER:
        return judge_number(settings, input, report, uid);
    case USER_OUT_OF_RANGE:
        return fail(report, input, "is not a user id that a container can start with");
    case USER_NAME:
        return judge_name(settings, input, report, name);
    }
    return RULE_PASS;
}

const struct rule_type rule_non_root = {
    .name = "non-root",
    .summary = "the container does not run as root",
    .description =
        "Reads the user of the image's config the way container runtimes do: no user, \"root\", "
        "\"0\", \"00\", \"+0\", \"0:0\" and \":1000\" are all root.\n\n"
        "A name can be an alias of root in the image's own passwd file, so a name other than root "
        "is unknown, unless allow-named trusts it. With numeric, a name fails: clusters that "
        "demand a user other than root refuse it too.\n\n"
        "An image that says it is for Windows is judged by the names there; runtimes on Linux may "
        "run it all the same, so even ContainerUser has to be named in allow-named.\n\n"
        "Images whose entry point starts as root and then steps down (as many databases do) run "
        "as root by their config, and fail.",
    .remedy = "End the Dockerfile with a numeric user, such as `USER 65532:65532`, and give that "
              "user what it must write.",
    .example = "rule: non-root\nwith:\n  numeric: true\nseverity: high\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .severity = SEVERITY_HIGH,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};

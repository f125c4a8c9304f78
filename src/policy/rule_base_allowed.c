/* Rule base-allowed: images are built on bases from a list. Names are compared in their full form,
 * so that "alpine:3.22" and "docker.io/library/alpine:3.22" are the same base. */
#include "rules.h"

#include <stdio.h>
#include <string.h>

#include "glob.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { NAME_SIZE = 512 };

struct settings {
    struct text_list allow;
    struct text_list deny;
    bool allow_scratch;
    int min_evidence;
    struct text_list full_allow;
    struct text_list full_deny;
    struct glob_list allow_globs;
    struct glob_list deny_globs;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow),
     .help = "Patterns of bases that are allowed, such as `registry.example/base/**` or "
             "`alpine:3.*`. Without a tag any tag will do. When left out, all that deny does not "
             "refuse are allowed."},
    {.name = "deny",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, deny),
     .help = "Patterns of bases that are refused, even when allowed."},
    {.name = "allow-scratch",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, allow_scratch),
     .fallback = "true",
     .help = "Whether an image may have no base at all."},
    {.name = "min-evidence",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct settings, min_evidence),
     .choices = rule_evidence_choices,
     .fallback = "none",
     .help = "A base that is known by less than this is unknown: whoever builds can write any "
             "label and annotation."},
    {.name = NULL},
};

/* Does the name's first part say a registry (or leave that open)? */
static bool names_registry(const char *name)
{
    size_t first = strcspn(name, "/");

    return name[first] == '/' &&
           (memchr(name, '.', first) || memchr(name, ':', first) || memchr(name, '*', first) ||
            memchr(name, '?', first) || (first == 9 && memcmp(name, "localhost", 9) == 0));
}

/* Docker's short names in full. False when it does not fit. */
static bool full_name(const char *name, char *ret, size_t size)
{
    int written;

    if (names_registry(name) || name[0] == '*')
        written = snprintf(ret, size, "%s", name);
    else
        written = snprintf(ret, size, "docker.io/%s%s", strchr(name, '/') ? "" : "library/", name);
    return written > 0 && (size_t)written < size;
}

static int compile(const struct text_list *patterns, struct text_list *full,
                   struct glob_list *globs, struct error *err)
{
    for (size_t i = 0; i < patterns->count; i++) {
        const char *pattern = patterns->items[i];
        bool excludes = pattern[0] == '!';
        char name[NAME_SIZE];

        if (!full_name(pattern + (excludes ? 1 : 0), name, sizeof(name)))
            return error_set(err, FAILURE_INPUT, "a pattern is empty or too long");
        text_list_add_take(full, text_new("%s%s", excludes ? "!" : "", name));
    }
    return glob_list_compile(full, globs, err);
}

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;
    int rc;

    *ret_param = NULL;
    if (settings->allow.count == 0 && settings->deny.count == 0 && settings->allow_scratch)
        return error_set(err, FAILURE_INPUT,
                         "base-allowed without allow or deny allows every "
                         "base");
    *ret_param = "allow";
    rc = compile(&settings->allow, &settings->full_allow, &settings->allow_globs, err);
    if (rc < 0)
        return rc;
    *ret_param = "deny";
    return compile(&settings->deny, &settings->full_deny, &settings->deny_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->allow_globs);
    glob_list_release(&settings->deny_globs);
    text_list_release(&settings->full_allow);
    text_list_release(&settings->full_deny);
}

/* A base in the three forms that a pattern may mean. */
struct base_name {
    char bare[NAME_SIZE];   /* registry/repository */
    char tagged[NAME_SIZE]; /* with ":tag"; ":latest" when it has neither tag nor digest */
    char full[NAME_SIZE];   /* with "@digest" as well */
};

static bool split_name(const char *name, struct base_name *ret)
{
    char *digest;
    char *slash;
    char *tag;

    if (!full_name(name, ret->full, sizeof(ret->full)))
        return false;
    memcpy(ret->bare, ret->full, sizeof(ret->bare));
    digest = strchr(ret->bare, '@');
    if (digest)
        *digest = '\0';
    memcpy(ret->tagged, ret->bare, sizeof(ret->tagged));
    slash = strrchr(ret->bare, '/');
    tag = strchr(slash ? slash : ret->bare, ':');
    if (tag)
        *tag = '\0';
    else if (!digest && strlen(ret->tagged) + sizeof(":latest") <= sizeof(ret->tagged))
        memcpy(ret->tagged + strlen(ret->tagged), ":latest", sizeof(":latest"));
    return true;
}

/* Excluding patterns win whichever form they match. */
static bool globs_match_name(const struct glob_list *globs, const struct base_name *name)
{
    bool matched = globs->only_excludes;

    for (size_t i = 0; i < globs->count; i++) {
        const struct glob *glob = &globs->items[i];
        bool hit = glob_match(glob, name->bare) || glob_match(glob, name->tagged) ||
                   glob_match(glob, name->full);

        if (hit && glob->excludes)
            return false;
        matched = matched || hit;
    }
    return matched;
}

static enum judgement finish(struct rule_report *report, struct finding *finding,
                             enum evidence evidence)
{
    finding_set_evidence(finding, evidence);
    finding->origin = ORIGIN_BASE;
    return rule_judgement(report);
}

/* What is said against itself may be believed; what is said in its favour takes evidence. */
static enum judgement pass(const struct settings *settings, const struct facts_base *base,
                           struct rule_report *report)
{
    if (base->evidence >= rule_evidence_of_choice(settings->min_evidence))
        return RULE_PASS;
    AUTO_FREE char *shown = text_printable(base->name, 200);
    return finish(report,
                  rule_unknown(report, "base", "the base is said to be %s, but by %s only", shown,
                               evidence_name(base->evidence)),
                  base->evidence);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts_base *base = &input->facts->base;
    struct base_name name;
    bool denied;

    if (!base->name)
        return finish(report, rule_unknown(report, "base", "nothing says what the base image is"),
                      base->evidence);
    if (text_equal(base->name, "scratch")) {
        if (settings->allow_scratch)
            return pass(settings, base, report);
        return finish(report, rule_fail(report, "scratch", "the image is built from scratch"),
                      base->evidence);
    }
    if (!split_name(base->name, &name))
        return finish(report, rule_unknown(report, "base", "the base's name is too long"),
                      base->evidence);
    denied = globs_match_name(&settings->deny_globs, &name);
    if (!denied && (settings->allow.count == 0 || globs_match_name(&settings->allow_globs, &name)))
        return pass(settings, base, report);
    AUTO_FREE char *shown = text_printable(base->name, 200);
    return finish(report,
                  rule_fail(report, name.bare, "the base %s is %s", shown,
                            denied ? "denied by the policy" : "not one of the allowed bases"),
                  base->evidence);
}

const struct rule_type rule_base_allowed = {
    .name = "base-allowed",
    .summary = "the image is built on an allowed base",
    .description =
        "Compares the base's name with lists of patterns. `*` stops at a slash, `**` does not; "
        "`!` excludes. Short names stand for Docker Hub: `alpine` is `docker.io/library/alpine`. "
        "A pattern without a tag means every tag.\n\n"
        "The name comes from provenance, annotations or labels; most builders write none of these "
        "by themselves, and then the rule is unknown. Labels are inherited and can be made up: the "
        "finding names the evidence.",
    .remedy = "Build FROM one of the allowed bases, or ask for this one to be allowed.",
    .example = "rule: base-allowed\nwith:\n  allow: [\"registry.example/base/**\", "
               "\"gcr.io/distroless/**\"]\n  deny: [\"**:latest\"]\n",
    .needs = FACT_BIT(FACT_BASE),
    .severity = SEVERITY_HIGH,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};

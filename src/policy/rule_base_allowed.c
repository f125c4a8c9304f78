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

enum opinion { OPINION_NONE, OPINION_ALLOWED, OPINION_DENIED };

static enum opinion opinion_of(const struct settings *settings, const char *name)
{
    struct base_name parts;

    if (!name || !split_name(name, &parts))
        return OPINION_NONE;
    if (globs_match_name(&settings->deny_globs, &parts))
        return OPINION_DENIED;
    return settings->allow.count == 0 || globs_match_name(&settings->allow_globs, &parts)
               ? OPINION_ALLOWED
               : OPINION_NONE;
}

/* What the layers show: the base under every name that it has in the catalogue, and, where the base
 * itself is only claimed, the nearest known image below it. `ret_name` is the one that decides. */
static enum opinion opinion_of_layers(const struct settings *settings,
                                      const struct facts_base *base, const char **ret_name)
{
    enum opinion opinion = OPINION_NONE;

    for (size_t i = 0; i < base->alias_count; i++) {
        enum opinion one = opinion_of(settings, base->aliases[i].name);

        if (one > opinion)
            *ret_name = base->aliases[i].name;
        opinion = one > opinion ? one : opinion;
    }
    for (size_t i = 0; opinion == OPINION_NONE && i < base->ancestor_count; i++) {
        bool nearest = i == 0 && base->known != ANSWER_YES;
        enum opinion one = opinion_of(settings, base->ancestors[i].name);

        if (one == OPINION_NONE || (one == OPINION_DENIED && !nearest))
            continue;
        *ret_name = base->ancestors[i].name;
        opinion = one;
    }
    return opinion;
}

static enum judgement refuse(struct rule_report *report, const char *name, bool denied,
                             enum evidence evidence)
{
    AUTO_FREE char *shown = text_printable(name, 200);
    struct base_name parts;

    if (!split_name(name, &parts))
        return finish(report, rule_unknown(report, "base", "the base's name is too long"),
                      evidence);
    return finish(report,
                  rule_fail(report, parts.bare, "the base %s is %s", shown,
                            denied ? "denied by the policy" : "not one of the allowed bases"),
                  evidence);
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

/* Nothing is left to say what the base is. A claim that the layers contradict is worse than none.
 */
static enum judgement judge_nameless(const struct facts_base *base, struct rule_report *report)
{
    for (size_t i = 0; i < base->contradiction_count; i++) {
        const struct base_contradiction *item = &base->contradictions[i];
        AUTO_FREE char *shown = text_printable(item->name ? item->name : "another image", 200);

        if (item->conflict == BASE_CONFLICT_DIGEST)
            continue;
        return finish(report,
                      rule_fail(report, "claim",
                                "by its %s the image is built on %s, which its layers contradict",
                                evidence_name(item->source), shown),
                      EVIDENCE_LAYERS);
    }
    return finish(report, rule_unknown(report, "base", "nothing says what the base image is"),
                  base->evidence);
}

static enum judgement judge_scratch(const struct settings *settings, const struct facts_base *base,
                                    struct rule_report *report)
{
    if (settings->allow_scratch)
        return pass(settings, base, report);
    return finish(report, rule_fail(report, "scratch", "the image is built from scratch"),
                  base->evidence);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts_base *base = &input->facts->base;
    const char *shown_name = NULL;
    enum opinion by_layers = opinion_of_layers(settings, base, &shown_name);
    enum opinion by_name;

    if (text_equal(base->name, "scratch"))
        return judge_scratch(settings, base, report);
    by_name = opinion_of(settings, base->name);
    if (by_name == OPINION_DENIED)
        return refuse(report, base->name, true, base->evidence);
    if (by_layers == OPINION_DENIED)
        return refuse(report, shown_name, true, EVIDENCE_LAYERS);
    if (by_layers == OPINION_ALLOWED &&
        rule_evidence_of_choice(settings->min_evidence) <= EVIDENCE_LAYERS)
        return RULE_PASS;
    if (!base->name)
        return judge_nameless(base, report);
    if (by_name == OPINION_ALLOWED)
        return pass(settings, base, report);
    return refuse(report, base->name, false, base->evidence);
}

const struct rule_type rule_base_allowed = {
    .name = "base-allowed",
    .summary = "the image is built on an allowed base",
    .description =
        "Compares the base's name with lists of patterns. `*` stops at a slash, `**` does not; "
        "`!` excludes. Short names stand for Docker Hub: `alpine` is `docker.io/library/alpine`. "
        "A pattern without a tag means every tag.\n\n"
        "An image that begins with the layers of an allowed base is built on it, whatever it says: "
        "this is known for the bases of the catalogue (setting `bases`). For others the name comes "
        "from provenance, annotations or labels; most builders write none of these by themselves, "
        "and then the rule is unknown. They can be made up: the finding names the evidence, "
        "`min-evidence: layers` believes layers and signed provenance only, and a claim that the "
        "layers contradict fails.",
    .remedy = "Build FROM one of the allowed bases, or ask for this one to be allowed.",
    .example = "rule: base-allowed\nwith:\n  allow: [\"registry.example/base/**\", "
               "\"gcr.io/distroless/**\"]\n  deny: [\"**:latest\"]\n",
    .needs = FACT_BIT(FACT_BASE),
    .wants = FACT_BIT(FACT_PROVENANCE),
    .severity = SEVERITY_HIGH,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};

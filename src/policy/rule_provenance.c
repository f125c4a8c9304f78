/* Rule provenance: builder and source of an image, by its provenance, are among those that a policy
 * names. */
#include "rules.h"

#include <string.h>

#include "glob.h"

#include "regwarden/memory.h"
#include "regwarden/provenance.h"
#include "regwarden/text.h"

enum { UNSIGNED_FAIL, UNSIGNED_WARN, UNSIGNED_ALLOW };
static const char *const unsigned_choices[] = {"fail", "warn", "allow", NULL};

struct settings {
    struct text_list builders;
    struct text_list sources;
    int when_unsigned;
    struct glob_list builder_globs;
    struct glob_list source_globs;
};

static const struct param params[] = {
    {.name = "builders",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, builders),
     .help = "Patterns of builder ids, without `https://`, such as "
             "`github.com/acme/**`. When left out, every builder will do."},
    {.name = "sources",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, sources),
     .help = "Patterns of source repositories, without `https://` and `.git`, such as "
             "`github.com/acme/*`. When left out, every source will do."},
    {.name = "unsigned",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct settings, when_unsigned),
     .choices = unsigned_choices,
     .fallback = "warn",
     .help = "What a provenance is worth that nobody signed, as BuildKit writes it: everybody who "
             "may push can forge it."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;
    int rc;

    *ret_param = "builders";
    rc = glob_list_compile(&settings->builders, &settings->builder_globs, err);
    if (rc < 0)
        return rc;
    *ret_param = "sources";
    return glob_list_compile(&settings->sources, &settings->source_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->builder_globs);
    glob_list_release(&settings->source_globs);
}

enum { PLACE_SIZE = 1024 };

/* "https://host/x" and "git@host:x" are host/x. False when it does not fit. */
static bool place_of(const char *url, char ret[static PLACE_SIZE])
{
    const char *scheme = strstr(url, "://");
    const char *at;
    char *colon;
    size_t size;

    if (scheme)
        url = scheme + 3;
    at = strchr(url, '@');
    if (at && strcspn(url, "/") > (size_t)(at - url))
        url = at + 1;
    size = strlen(url);
    if (size >= PLACE_SIZE)
        return false;
    memcpy(ret, url, size + 1);
    colon = strchr(ret, ':');
    if (!scheme && colon && strcspn(ret, "/") > (size_t)(colon - ret))
        *colon = '/';
    return true;
}

static bool is_allowed(const struct glob_list *globs, const char *url)
{
    char place[PLACE_SIZE];

    return globs->count == 0 || (url && place_of(url, place) && glob_list_match(globs, place));
}

static bool counts(const struct settings *settings, const struct provenance *statement)
{
    return statement->is_provenance && statement->subject >= SUBJECT_INDEX &&
           (statement->enveloped || settings->when_unsigned != UNSIGNED_FAIL);
}

static bool satisfies(const struct settings *settings, const struct provenance *statement)
{
    return counts(settings, statement) &&
           is_allowed(&settings->builder_globs, statement->builder) &&
           is_allowed(&settings->source_globs, statement->source);
}

/* A signed one before one that is not. */
static const struct provenance *find_good(const struct settings *settings,
                                          const struct facts_provenance *provenance)
{
    const struct provenance *found = NULL;

    for (size_t i = 0; provenance && i < provenance->count; i++) {
        const struct provenance *statement = &provenance->statements[i];

        if (satisfies(settings, statement) &&
            (!found || (statement->enveloped && !found->enveloped)))
            found = statement;
    }
    return found;
}

static void set_evidence(struct finding *finding, const struct provenance *statement)
{
    finding_set_evidence(finding, statement && statement->enveloped ? EVIDENCE_SIGNED_PROVENANCE
                                                                    : EVIDENCE_PROVENANCE);
}

static void judge_builder(const struct settings *settings, const struct provenance *statement,
                          struct rule_report *report)
{
    AUTO_FREE char *builder = NULL;
    struct finding *finding;

    if (is_allowed(&settings->builder_globs, statement->builder))
        return;
    builder = text_printable(statement->builder ? statement->builder : "", 300);
    if (*builder)
        finding = rule_fail(report, "builder",
                            "the image was built by %s, which is not among the "
                            "allowed builders",
                            builder);
    else
        finding = rule_fail(report, "builder",
                            "the provenance names no builder: it was built on "
                            "somebody's own machine");
    set_evidence(finding, statement);
}

static void judge_source(const struct settings *settings, const struct provenance *statement,
                         struct rule_report *report)
{
    AUTO_FREE char *source = NULL;
    struct finding *finding;

    if (is_allowed(&settings->source_globs, statement->source))
        return;
    source = text_printable(statement->source ? statement->source : "", 300);
    if (*source)
        finding = rule_fail(report, "source",
                            "the image was built from %s, which is not among the "
                            "allowed sources",
                            source);
    else
        finding = rule_unknown(report, "source",
                               "the provenance does not say from which source the image was built");
    set_evidence(finding, statement);
}

static bool has_unsigned(const struct facts_provenance *provenance)
{
    const struct provenance *best = provenance_best(provenance);

    return best && !best->enveloped;
}

/* Nothing that counts speaks of the image. */
static void judge_none(const struct rule_input *input, struct rule_report *report)
{
    const struct fact_status *status = &input->facts->status[FACT_PROVENANCE];
    struct finding *finding;

    if (status->state != FACT_PRESENT) {
        AUTO_FREE char *reason = text_printable(status->reason ? status->reason : "", 200);

        finding =
            rule_unknown(report, "provenance", "not all attestations could be read: %s", reason);
        report->later = true;
    } else if (has_unsigned(input->facts->provenance)) {
        finding = rule_fail(report, "provenance",
                            "the provenance is not signed: everybody who may push can forge it");
    } else {
        finding = rule_fail(report, "provenance", "no provenance speaks of the image");
    }
    set_evidence(finding, NULL);
}

/* None is good: the best one says why. */
static const struct provenance *find_worth_telling(const struct settings *settings,
                                                   const struct facts_provenance *provenance)
{
    const struct provenance *best = provenance_best(provenance);

    if (best && counts(settings, best))
        return best;
    for (size_t i = 0; provenance && i < provenance->count; i++)
        if (counts(settings, &provenance->statements[i]))
            return &provenance->statements[i];
    return NULL;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts_provenance *provenance = input->facts->provenance;
    const struct provenance *good = find_good(settings, provenance);
    const struct provenance *told = good ? good : find_worth_telling(settings, provenance);

    if (good && (good->enveloped || settings->when_unsigned == UNSIGNED_ALLOW))
        return RULE_PASS;
    if (!told) {
        judge_none(input, report);
    } else if (good) {
        set_evidence(rule_warn(report, "unsigned",
                               "the provenance is as asked for and not signed: everybody who may "
                               "push can forge it"),
                     good);
    } else if (input->facts->status[FACT_PROVENANCE].state != FACT_PRESENT) {
        judge_none(input, report); /* the one that was not read may be the right one */
    } else {
        judge_builder(settings, told, report);
        judge_source(settings, told, report);
    }
    return rule_judgement(report);
}

const struct rule_type rule_provenance = {
    .name = "provenance",
    .summary = "the image was built by an allowed builder from an allowed source",
    .description =
        "Reads builder and source from the SLSA provenance that speaks of the image or of its "
        "index: of BuildKit, slsa-github-generator, GitHub, Tekton and others. One statement must "
        "name both an allowed builder and an allowed source.\n\n"
        "Signatures are not verified: a statement in a signed envelope counts as signed, whoever "
        "signed it. What is not signed is evidence of what an honest builder did, no more.",
    .remedy = "Build in the pipeline that is meant for it, with provenance, and sign it.",
    .example = "rule: provenance\nwith:\n  builders: [\"github.com/acme/**\"]\n"
               "  sources: [\"github.com/acme/*\"]\n  unsigned: fail\n",
    .needs = FACT_BIT(FACT_MANIFEST),
    .wants = FACT_BIT(FACT_PROVENANCE),
    .severity = SEVERITY_HIGH,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};

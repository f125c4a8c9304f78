/* Rule secrets: no secrets in config, history, annotations and files. They were found and masked
 * when the facts were built; this rule only says which of them are accepted. */
#include "rules.h"

#include <inttypes.h>

#include "glob.h"
#include "hits.h"
#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { KINDS_SHOWN = 3 };

/* What a file that is named like a secret counts for. */
enum by_name { BY_NAME_WARN, BY_NAME_FAIL, BY_NAME_IGNORE };
static const char *const by_name_names[] = {
    [BY_NAME_WARN] = "warn", [BY_NAME_FAIL] = "fail", [BY_NAME_IGNORE] = "ignore", NULL};

struct settings {
    struct text_list allow;
    struct hit_settings kinds; /* its `allow` is allow-kinds */
    struct text_list allow_hashes;
    bool files;
    int by_name;
    struct glob_list allow_globs;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow),
     .help = "Patterns of variables and labels whose values are known to be no secrets."},
    {.name = "allow-kinds",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, kinds.allow),
     .help = "Patterns of kinds of secrets that are accepted, as findings name them."},
    {.name = "files",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, files),
     .fallback = "true",
     .help = "Whether files in layers are searched, where the policy looks into layers."},
    {.name = "allow-paths",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, kinds.allow_paths),
     .help = "Patterns of files whose content or name is known to be no secret, such as "
             "`app/testdata/**`."},
    {.name = "allow-hashes",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow_hashes),
     .help = "Hashes of values that are known to be no secrets, as findings show them. They differ "
             "from installation to installation."},
    {.name = "file-names",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct settings, by_name),
     .choices = by_name_names,
     .fallback = "warn",
     .help = "What a file counts for that is named like a secret (.env, id_rsa, .npmrc) and in "
             "which none was recognised."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, kinds.include_base),
     .fallback = "true",
     .help = "Whether secrets in steps of the base count too. They are served with the image all "
             "the same."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = "allow";
    if (glob_list_compile(&settings->allow, &settings->allow_globs, err) < 0)
        return FAILURE_INPUT;
    if (hit_settings_prepare(&settings->kinds, ret_param, err) == 0)
        return 0;
    if (text_equal(*ret_param, "allow"))
        *ret_param = "allow-kinds";
    return FAILURE_INPUT;
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->allow_globs);
    hit_settings_release(&settings->kinds);
}

/* The history step that brought it; -1 when none can be told. */
static int step_of(const struct facts *facts, const struct facts_secret *secret)
{
    if (secret->step >= 0)
        return secret->step;
    if (!secret->key)
        return -1;
    switch (secret->place) {
    case SECRET_ENV:
        return history_last(facts, STEP_ENV, secret->key);
    case SECRET_LABEL:
        return history_last(facts, STEP_LABEL, secret->key);
    case SECRET_ARG:
        return history_last(facts, STEP_ARG, secret->key);
    case SECRET_ANNOTATION:
    case SECRET_HISTORY:
    case SECRET_COMMAND:
    case SECRET_HEALTHCHECK:
        return -1;
    }
    return -1;
}

static bool is_accepted(const struct settings *settings, const struct facts *facts,
                        const struct facts_secret *secret, int step)
{
    if (secret->key && glob_list_match(&settings->allow_globs, secret->key))
        return true;
    if (glob_list_match(&settings->kinds.allow_globs, secret->kind))
        return true;
    if (secret->hash && text_list_has(&settings->allow_hashes, secret->hash))
        return true;
    return !settings->kinds.include_base && step >= 0 && (size_t)step < facts->history.count &&
           facts->history.steps[step].origin == ORIGIN_BASE;
}

static void report_secret(struct rule_report *report, const struct facts *facts,
                          const struct facts_secret *secret, int step)
{
    const char *place = secret_place_name(secret->place);
    AUTO_FREE char *key = secret->key ? text_printable(secret->key, 120) : NULL;
    AUTO_FREE char *masked = text_printable(secret->masked, 80);
    AUTO_FREE char *subject = text_new("%s\n%s\n%s\n%s", place, secret->key ? secret->key : "",
                                       secret->kind, secret->masked);
    struct finding *finding;

    finding = rule_fail(report, subject, "a secret (%s, %s) stands in %s%s%s", secret->kind, masked,
                        place, key ? " " : "", key ? key : "");
    if (secret->key)
        finding_set_path(finding, secret->key);
    finding_set_step(finding, facts, step);
    free(finding->evidence);
    finding->evidence =
        secret->hash ? text_new("%s, hash %s", place, secret->hash) : memory_copy_text(place);
}

static void judge_texts(const struct settings *settings, const struct facts *facts,
                        struct rule_report *report)
{
    for (size_t i = 0; i < facts->secret_count; i++) {
        int step = step_of(facts, &facts->secrets[i]);

        if (!is_accepted(settings, facts, &facts->secrets[i], step))
            report_secret(report, facts, &facts->secrets[i], step);
    }
}

/* --- files --- */

static bool is_content(const struct facts_hit *hit)
{
    return hit->kind == SIGNAL_SECRET;
}

static void add_kinds(const struct facts_hit *const *hits, size_t count, struct text *to)
{
    for (size_t i = 0; i < count && i < KINDS_SHOWN; i++) {
        AUTO_FREE char *masked = text_printable(hits[i]->detail ? hits[i]->detail : "", 80);

        text_format(to, "%s%s", i > 0 ? ", " : "", hits[i]->what);
        if (is_content(hits[i]) && *masked)
            text_format(to, " %s", masked);
        if (hits[i]->line > 0)
            text_format(to, " in line %" PRIu64, hits[i]->line);
    }
    if (count > KINDS_SHOWN)
        text_format(to, " and %zu more", count - KINDS_SHOWN);
}

/* What became of the file: who can pull has it either way. */
static void add_fate(const struct facts *facts, const struct facts_hit *hit, struct text *to)
{
    AUTO_TEXT struct text place = {0};

    layer_describe(facts, hit->layer, &place);
    text_format(to, "; %s brought it", text_data(&place));
    if (hit->visible_files > 0)
        return;
    text_clear(&place);
    if (hit->hidden_by >= 0)
        layer_describe(facts, hit->hidden_by, &place);
    text_format(to, ", %s%s took it away, and layer %d still serves it",
                hit->hidden_by >= 0 ? "" : "a later layer", text_data(&place), hit->layer);
}

static void set_hash_evidence(struct finding *finding, const struct facts_hit *hit)
{
    finding_set_evidence(finding, EVIDENCE_LAYERS);
    if (!is_content(hit) || !hit->hash)
        return;
    free(finding->evidence);
    finding->evidence = text_new("%s, hash %s", evidence_name(EVIDENCE_LAYERS), hit->hash);
}

/* Hits of one file in one layer: all by content, or one by name. */
static void report_file(const struct settings *settings, const struct facts *facts,
                        struct rule_report *report, const struct facts_hit *const *hits,
                        size_t count)
{
    bool warns = !is_content(hits[0]) && settings->by_name == BY_NAME_WARN;
    AUTO_FREE char *subject = text_new("file\n%s\n%s", hits[0]->what, hits[0]->path);
    AUTO_FREE char *path = text_printable(hits[0]->path, 200);
    AUTO_TEXT struct text text = {0};
    struct finding *finding;

    text_format(&text, "/%s %s ", path,
                is_content(hits[0]) ? "holds a secret:" : "is named like a secret:");
    add_kinds(hits, count, &text);
    add_fate(facts, hits[0], &text);
    finding = (warns ? rule_warn : rule_fail)(report, subject, "%s", text_data(&text));
    finding_set_layer(finding, facts, hits[0]->layer);
    finding_set_path(finding, hits[0]->path);
    finding->bytes = hits[0]->bytes;
    set_hash_evidence(finding, hits[0]);
    if (!is_content(hits[0]))
        finding_set_remedy(finding,
                           "If it holds a secret, replace the secret and give it to builds "
                           "with `RUN --mount=type=secret`; if it does not, say so: "
                           "`allow-paths: [%s]`.",
                           path);
    else if (hits[0]->visible_files == 0)
        finding_set_remedy(finding,
                           "Replace the secret, then build so that no layer holds it (`RUN "
                           "--mount=type=secret`): to delete the file in a later step "
                           "hides it from containers only. Delete the old image.");
}

/* The end of the hits that belong to the same file as the first one. */
static size_t end_of_file(const struct hit_list *list, size_t first)
{
    size_t end = first + 1;

    while (end < list->count && list->items[end]->layer == list->items[first]->layer &&
           text_equal(list->items[end]->path, list->items[first]->path))
        end++;
    return end;
}

static bool all_allowed(const struct settings *settings, const struct facts_hit *const *hits,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!hits[i]->hash || !text_list_has(&settings->allow_hashes, hits[i]->hash))
            return false;
    }
    return true;
}

static void judge_content(const struct settings *settings, const struct rule_input *input,
                          struct rule_report *report, struct hit_list *ret)
{
    const struct hit_choice choice = {.kinds = SIGNAL_BIT(SIGNAL_SECRET),
                                      .settings = &settings->kinds,
                                      .include_base = settings->kinds.include_base,
                                      .hidden_too = true};

    hit_list_choose(&choice, input, ret);
    hit_list_sort(ret);
    for (size_t i = 0, end = 0; i < ret->count; i = end) {
        end = end_of_file(ret, i);
        if (!all_allowed(settings, &ret->items[i], end - i))
            report_file(settings, input->facts, report, &ret->items[i], end - i);
    }
}

static bool is_reported(const struct hit_list *content, const struct facts_hit *hit)
{
    for (size_t i = 0; i < content->count; i++) {
        if (content->items[i]->layer == hit->layer && hit_lies_in(content->items[i]->path, hit))
            return true;
    }
    return false;
}

static void judge_files(const struct settings *settings, const struct rule_input *input,
                        struct rule_report *report)
{
    const struct hit_choice choice = {.kinds = SIGNAL_BIT(SIGNAL_SECRET_FILE) |
                                               SIGNAL_BIT(SIGNAL_KEY_FILE),
                                      .settings = &settings->kinds,
                                      .include_base = settings->kinds.include_base,
                                      .hidden_too = true};
    AUTO_HITS struct hit_list content = {0};
    AUTO_HITS struct hit_list names = {0};

    judge_content(settings, input, report, &content);
    if (settings->by_name == BY_NAME_IGNORE)
        return;
    hit_list_choose(&choice, input, &names);
    hit_list_sort(&names);
    for (size_t i = 0; i < names.count; i = end_of_file(&names, i)) {
        if (!is_reported(&content, names.items[i]))
            report_file(settings, input->facts, report, &names.items[i], 1);
    }
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;

    judge_texts(settings, input->facts, report);
    if (!settings->files)
        return rule_judgement(report);
    judge_files(settings, input, report);
    return rule_doubt_layers(report, input);
}

static unsigned wants_of(const void *block, const struct facts *facts)
{
    const struct settings *settings = block;

    (void)facts;
    return settings->files ? FACT_BIT(FACT_FILES) : 0;
}

const struct rule_type rule_secrets = {
    .name = "secrets",
    .summary = "no secrets stand in the image's config, history or files",
    .description =
        "Looks at environment, labels, commands, health check, annotations, build arguments and "
        "the text of every history step. Tokens are recognised by their format, other values by "
        "the name of their variable together with the value's shape. Checksums, key fingerprints, "
        "versions and placeholders do not count.\n\n"
        "Where layers were read, the content of text files counts too, and files that are named "
        "like secrets (.env, .npmrc, id_rsa, *.key, .aws, .kube/config): a name alone warns only, "
        "unless file-names says otherwise. A file that a later layer deletes is found in the layer "
        "that still serves it, and the finding names both. Without layers, files stay unseen. "
        "Binary files and archives inside of layers are not searched.\n\n"
        "Findings show a masked form and a salted hash, never the secret. A secret that was once "
        "pushed is known to whoever could pull: replace it, taking it out is not enough.",
    .remedy = "Replace the secret where it is used, then give it to builds with `RUN "
              "--mount=type=secret` and to containers when they run.",
    .example = "rule: secrets\nwith:\n  allow: [GPG_KEY, \"*_PUBLIC_KEY\"]\n  allow-paths: "
               "[\"app/testdata/**\"]\nseverity: critical\n",
    .needs = FACT_BIT(FACT_CONFIG),
    .wants = FACT_BIT(FACT_FILES),
    .wants_of = wants_of,
    .severity = SEVERITY_CRITICAL,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};

/* Rule files: what files an image must have, must not have, and how they must be. Layers are asked
 * for them by probes. */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

#include "file_settings.h"
#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/probes.h"
#include "regwarden/text.h"

enum { TEXT_SHOWN = 120 };

static const struct param params[] = {
    {.name = "required",
     .type = PARAM_LIST,
     .offset = offsetof(struct file_settings, required),
     .help = "Patterns of paths; of each there must be one, such as `licenses/**`."},
    {.name = "forbidden",
     .type = PARAM_LIST,
     .offset = offsetof(struct file_settings, forbidden),
     .help = "Patterns of paths that must not be there, such as `**/*.pem`."},
    {.name = "paths",
     .type = PARAM_LIST,
     .offset = offsetof(struct file_settings, paths),
     .help = "Patterns of the paths that the settings below are about."},
    {.name = "content",
     .type = PARAM_TEXT,
     .offset = offsetof(struct file_settings, content),
     .help = "POSIX extended expression that must match somewhere in each of them."},
    {.name = "not-content",
     .type = PARAM_TEXT,
     .offset = offsetof(struct file_settings, not_content),
     .help = "POSIX extended expression that must match in none of them."},
    {.name = "mode",
     .type = PARAM_TEXT,
     .offset = offsetof(struct file_settings, mode),
     .help = "The permissions that each must have, in octal, such as `\"0644\"`."},
    {.name = "not-mode",
     .type = PARAM_TEXT,
     .offset = offsetof(struct file_settings, not_mode),
     .help = "Permissions of which none may have any, such as `\"0002\"`: writable by all."},
    {.name = "sha256",
     .type = PARAM_LIST,
     .offset = offsetof(struct file_settings, sha256),
     .help = "SHA-256 sums in hex; the content of each must have one of them."},
    {.name = "uid",
     .type = PARAM_LIST,
     .offset = offsetof(struct file_settings, uid),
     .help = "Numbers of the users that may own them."},
    {.name = "gid",
     .type = PARAM_LIST,
     .offset = offsetof(struct file_settings, gid),
     .help = "Numbers of the groups that may own them."},
    {.name = "hidden",
     .type = PARAM_BOOL,
     .offset = offsetof(struct file_settings, hidden),
     .fallback = "false",
     .help = "Whether files count that a later layer took away. They are served all the same."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct file_settings, include_base),
     .fallback = "true",
     .help = "Whether files in layers of the base count."},
    {.name = NULL},
};

static void add_probes(const struct text_list *patterns, const char *content,
                       struct scan_probes *to)
{
    for (size_t i = 0; i < patterns->count; i++)
        scan_probes_add(to, patterns->items[i], content);
}

static void probes(const void *block, struct scan_probes *to)
{
    const struct file_settings *settings = block;

    add_probes(&settings->required, NULL, to);
    add_probes(&settings->forbidden, NULL, to);
    add_probes(&settings->paths, NULL, to);
    if (settings->content)
        add_probes(&settings->paths, settings->content, to);
    if (settings->not_content)
        add_probes(&settings->paths, settings->not_content, to);
}

/* --- judging --- */

struct judging {
    const struct file_settings *settings;
    const struct facts *facts;
    struct rule_report *report;
};

static bool was_asked(const struct judging *judging, const char *id, const char *pattern)
{
    if (text_list_has(&judging->facts->files->probes_asked, id))
        return true;
    AUTO_FREE char *subject = text_new("asked\n%s", pattern);
    AUTO_FREE char *shown = text_printable(pattern, TEXT_SHOWN);
    rule_unknown(judging->report, subject, "the layers were not asked for /%s yet", shown);
    judging->report->later = true;
    return false;
}

/* The next file that answers the probe and counts; NULL at the end. */
static const struct facts_probe *next_file(const struct judging *judging, const char *id,
                                           bool hidden_too, size_t *at)
{
    const struct facts_files *files = judging->facts->files;

    while (*at < files->probe_count) {
        const struct facts_probe *probe = &files->probes[(*at)++];

        if (!text_equal(probe->probe, id) || (probe->hidden_by >= 0 && !hidden_too) ||
            probe->kind == LAYER_PATH_WHITEOUT || probe->kind == LAYER_PATH_OPAQUE)
            continue;
        if (judging->settings->include_base ||
            facts_layer_origin(judging->facts, probe->layer) != ORIGIN_BASE)
            return probe;
    }
    return NULL;
}

/* Adds ": own step 3 (COPY . .) brought it", and what became of it. */
static void blame(const struct judging *judging, struct finding *finding,
                  const struct facts_probe *probe)
{
    AUTO_TEXT struct text text = {0};

    text_format(&text, "%s; ", finding->message);
    layer_describe(judging->facts, probe->layer, &text);
    text_add(&text, " brought it");
    if (probe->hidden_by >= 0) {
        text_add(&text, ", ");
        layer_describe(judging->facts, probe->hidden_by, &text);
        text_add(&text, " took it away, and it is served all the same");
    }
    free(finding->message);
    finding->message = text_take(&text);
    finding_set_layer(finding, judging->facts, probe->layer);
    finding_set_path(finding, probe->path);
    finding_set_evidence(finding, EVIDENCE_LAYERS);
    finding->bytes = probe->bytes;
}

static void fault(const struct judging *judging, const struct facts_probe *probe, const char *check,
                  const char *what)
{
    AUTO_FREE char *subject = text_new("%s\n%s", check, probe->path);
    AUTO_FREE char *path = text_printable(probe->path, TEXT_SHOWN);

    blame(judging, rule_fail(judging->report, subject, "/%s %s", path, what), probe);
}

static void doubt(const struct judging *judging, const struct facts_probe *probe, const char *check,
                  const char *what)
{
    AUTO_FREE char *subject = text_new("%s\n%s", check, probe->path);
    AUTO_FREE char *path = text_printable(probe->path, TEXT_SHOWN);

    blame(judging, rule_unknown(judging->report, subject, "/%s: %s", path, what), probe);
}

static void judge_required(const struct judging *judging, const char *id, const char *pattern)
{
    size_t at = 0;

    if (!was_asked(judging, id, pattern) || next_file(judging, id, false, &at))
        return;
    AUTO_FREE char *subject = text_new("required\n%s", pattern);
    AUTO_FREE char *shown = text_printable(pattern, TEXT_SHOWN);
    struct finding *finding =
        judging->facts->files->complete
            ? rule_fail(judging->report, subject, "/%s is required and is not there", shown)
            : rule_unknown(judging->report, subject,
                           "/%s is required and was not found, but not all layers were read",
                           shown);
    finding_set_path(finding, pattern);
    finding_set_evidence(finding, EVIDENCE_LAYERS);
    finding_set_remedy(finding, "Add it to the final stage.");
}

static void judge_forbidden(const struct judging *judging, const char *id, const char *pattern)
{
    const struct facts_probe *probe;
    size_t at = 0;

    if (!was_asked(judging, id, pattern))
        return;
    while ((probe = next_file(judging, id, judging->settings->hidden, &at)))
        fault(judging, probe, "forbidden", "must not be there");
}

static bool has_number(const struct text_list *list, uint32_t number)
{
    char text[TEXT_NUMBER_SIZE];

    snprintf(text, sizeof(text), "%u", number);
    return list->count == 0 || text_list_has(list, text);
}

static void judge_sum(const struct judging *judging, const struct facts_probe *probe)
{
    const struct text_list *sums = &judging->settings->sha256;
    char digest[DIGEST_TEXT_SIZE];

    if (sums->count == 0 || probe->kind != LAYER_PATH_FILE)
        return;
    if (probe->sha256.algorithm != DIGEST_SHA256) {
        doubt(judging, probe, "sha256", "its content was not hashed");
        return;
    }
    digest_format(&probe->sha256, digest);
    if (!text_list_has(sums, digest + strlen("sha256:")))
        fault(judging, probe, "sha256", "has another content than it must have");
}

static void judge_attributes(const struct judging *judging, const struct facts_probe *probe)
{
    const struct file_settings *settings = judging->settings;
    char what[TEXT_SHOWN];

    judge_sum(judging, probe);
    /* Nobody asks for the permissions and the owner of a link. */
    if (probe->kind == LAYER_PATH_SYMLINK)
        return;
    if (settings->has_mode && probe->mode != settings->mode_bits) {
        snprintf(what, sizeof(what), "has the permissions %04o and must have %04o", probe->mode,
                 settings->mode_bits);
        fault(judging, probe, "mode", what);
    }
    if (settings->has_not_mode && (probe->mode & settings->not_mode_bits)) {
        snprintf(what, sizeof(what), "has the permissions %04o, of which %04o must not be there",
                 probe->mode, probe->mode & settings->not_mode_bits);
        fault(judging, probe, "not-mode", what);
    }
    snprintf(what, sizeof(what), "belongs to %u:%u", probe->uid, probe->gid);
    if (!has_number(&settings->uid, probe->uid) || !has_number(&settings->gid, probe->gid))
        fault(judging, probe, "owner", what);
}

/* Does the content match as it must? */
static void judge_content(const struct judging *judging, const char *id, const char *pattern,
                          bool must_match)
{
    const struct facts_probe *probe;
    size_t at = 0;

    if (!was_asked(judging, id, pattern))
        return;
    while ((probe = next_file(judging, id, judging->settings->hidden && !must_match, &at))) {
        const char *check = must_match ? "content" : "not-content";

        if (probe->kind != LAYER_PATH_FILE)
            continue;
        if (probe->content == ANSWER_UNKNOWN)
            doubt(judging, probe, check, "its content could not be searched");
        else if ((probe->content == ANSWER_YES) != must_match)
            fault(judging, probe, check,
                  must_match ? "does not hold what it must" : "holds what it must not");
    }
}

static void judge_paths(const struct judging *judging, size_t index)
{
    const struct file_settings *settings = judging->settings;
    const char *pattern = settings->paths.items[index];
    const char *id = settings->path_ids.ids[index];
    const struct facts_probe *probe;
    size_t at = 0;

    if (!was_asked(judging, id, pattern))
        return;
    while ((probe = next_file(judging, id, false, &at)))
        judge_attributes(judging, probe);
    if (settings->content)
        judge_content(judging, settings->content_ids.ids[index], pattern, true);
    if (settings->not_content)
        judge_content(judging, settings->not_content_ids.ids[index], pattern, false);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct file_settings *settings = block;
    const struct judging judging = {settings, input->facts, report};

    for (size_t i = 0; i < settings->required.count; i++)
        judge_required(&judging, settings->required_ids.ids[i], settings->required.items[i]);
    for (size_t i = 0; i < settings->forbidden.count; i++)
        judge_forbidden(&judging, settings->forbidden_ids.ids[i], settings->forbidden.items[i]);
    for (size_t i = 0; i < settings->paths.count; i++)
        judge_paths(&judging, i);
    return rule_judgement(report);
}

const struct rule_type rule_files = {
    .name = "files",
    .summary =
        "files that are required are there, forbidden ones are not, and all are as they must "
        "be",
    .description =
        "Asks the layers for paths, and for permissions, owners, SHA-256 sums and content of what "
        "is there. `required` and `forbidden` are about being there; the other settings are about "
        "`paths`, and hold for each file that matches: where none does, they pass, so name it in "
        "`required` too. One entry for each kind of file: a policy may hold the rule often, each "
        "with its `id`.\n\n"
        "Patterns are paths from the root, `*` stopping at a slash, `**` not. Symbolic links are "
        "not followed and their permissions do not count. Files are judged as a container would "
        "see them; with `hidden`, forbidden files and content that a later layer took away count "
        "too. Content is searched up to a size and only the first files of a pattern are kept: "
        "beyond that the answer is unknown.\n\n"
        "Layers that were read before the policy asked are read again for it.",
    .remedy = "Change the step that brings the file: `COPY --chmod=0644 --chown=0:0 …`, or leave "
              "the file out.",
    .example = "rule: files\nid: world-writable\nwith:\n  paths: [\"etc/**\"]\n  not-mode: "
               "\"0002\"\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct file_settings),
    .prepare = file_settings_prepare,
    .release = file_settings_release,
    .probes = probes,
    .judge = judge,
};

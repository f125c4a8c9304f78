/* Rule setuid-files: no programs that give their user more rights than he has. */
#include "rules.h"

#include <string.h>

#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    struct hit_settings hits;
    bool setuid;
    bool setgid;
    bool capabilities;
    bool well_known;
};

static const struct param params[] = {
    {.name = "setuid",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, setuid),
     .fallback = "true",
     .help = "Whether setuid files count."},
    {.name = "setgid",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, setgid),
     .fallback = "true",
     .help = "Whether setgid files count."},
    {.name = "capabilities",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, capabilities),
     .fallback = "true",
     .help = "Whether files with capabilities of their own count."},
    {.name = "well-known",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, well_known),
     .fallback = "true",
     .help = "Whether the ones that distributions ship (su, passwd, mount and others) may stay "
             "where own layers did not bring them."},
    {.name = "allow-paths",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow_paths),
     .help = "Patterns of paths that may stay, such as `usr/bin/fusermount3`."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, hits.include_base),
     .fallback = "true",
     .help = "Whether files in layers of the base count."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = NULL;
    if (!settings->setuid && !settings->setgid && !settings->capabilities)
        return error_set(err, FAILURE_INPUT,
                         "setuid-files that looks for no kind of files allows everything");
    return hit_settings_prepare(&settings->hits, ret_param, err);
}

/* What the images of Debian, Ubuntu, Alpine, Fedora, Amazon Linux and SUSE ship, by its name: the
 * directory differs between them and was moved by merged /usr. */
static const char *const well_known[] = {
    "chage",
    "chfn",
    "chsh",
    "dbus-daemon-launch-helper",
    "expiry",
    "gpasswd",
    "mount",
    "newgidmap",
    "newgrp",
    "newuidmap",
    "pam_extrausers_chkpwd",
    "pam_timestamp_check",
    "passwd",
    "ssh-agent",
    "ssh-keysign",
    "su",
    "umount",
    "unix_chkpwd",
    "unix2_chkpwd",
    "utempter",
    "wall",
    "write",
    "write.ul",
    "bbsuid",
};

static bool is_system_path(const char *path)
{
    static const char *const roots[] = {"bin/",     "sbin/",        "usr/bin/", "usr/sbin/",
                                        "usr/lib/", "usr/libexec/", "lib/"};

    for (size_t i = 0; i < ARRAY_COUNT(roots); i++) {
        if (text_starts_with(path, roots[i]))
            return true;
    }
    return false;
}

static bool is_well_known(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash || !is_system_path(path))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(well_known); i++) {
        if (strcmp(slash + 1, well_known[i]) == 0)
            return true;
    }
    return false;
}

static unsigned kinds_of(const struct settings *settings)
{
    return (settings->setuid ? SIGNAL_BIT(SIGNAL_SETUID) : 0) |
           (settings->setgid ? SIGNAL_BIT(SIGNAL_SETGID) : 0) |
           (settings->capabilities ? SIGNAL_BIT(SIGNAL_CAPABILITY) : 0);
}

static const char *kind_text(enum signal_kind kind)
{
    if (kind == SIGNAL_CAPABILITY)
        return "has capabilities of its own";
    return kind == SIGNAL_SETUID ? "is setuid" : "is setgid";
}

static void report_hit(const struct settings *settings, const struct facts *facts,
                       struct rule_report *report, const struct facts_hit *hit)
{
    enum origin origin = facts_layer_origin(facts, hit->layer);
    AUTO_FREE char *subject = text_new("%s\n%s", signal_kind_name(hit->kind), hit->path);
    AUTO_FREE char *path = text_printable(hit->path, 200);
    AUTO_FREE char *detail = hit->detail ? text_printable(hit->detail, 80) : NULL;
    AUTO_TEXT struct text place = {0};
    struct finding *finding;

    if (settings->well_known && origin != ORIGIN_OWN && is_well_known(hit->path))
        return;
    layer_describe(facts, hit->layer, &place);
    finding =
        rule_fail(report, subject, "/%s %s%s%s%s; %s brought it", path, kind_text(hit->kind),
                  detail ? " (" : "", detail ? detail : "", detail ? ")" : "", text_data(&place));
    finding_set_layer(finding, facts, hit->layer);
    finding_set_path(finding, hit->path);
    finding_set_evidence(finding, EVIDENCE_LAYERS);
    finding->bytes = hit->bytes;
    if (origin == ORIGIN_OWN)
        finding_set_remedy(finding,
                           "`RUN chmod a-s /%s` in the step that brings it, or do without "
                           "the package.",
                           path);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct hit_choice choice = {.kinds = kinds_of(settings),
                                      .settings = &settings->hits,
                                      .include_base = settings->hits.include_base};
    const struct facts_files *files = input->files;

    for (size_t i = 0; i < files->hit_count; i++) {
        if (hit_is_chosen(&choice, input->facts, &files->hits[i]))
            report_hit(settings, input->facts, report, &files->hits[i]);
    }
    return rule_judgement(report);
}

const struct rule_type rule_setuid_files = {
    .name = "setuid-files",
    .summary = "no file gives its user more rights than he has",
    .description =
        "Names every file with the setuid or setgid bit, or with capabilities of its own, that a "
        "container of the image sees, with the layer that brought it. The ones that distributions "
        "ship (su, passwd, mount, ssh-keysign and others) may stay unless an own layer brought "
        "them or well-known is false.\n\n"
        "Setgid directories do not count. Whether a container may use the rights at all is decided "
        "where it runs (no-new-privileges): this rule does not see it.",
    .remedy = "Take the bits off in the final stage: `RUN find / -xdev -perm /6000 -type f -exec "
              "chmod a-s {} +`. As the files of the base are copied by this, a smaller base is "
              "better.",
    .example = "rule: setuid-files\nwith:\n  allow-paths: [usr/bin/fusermount3]\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = hit_settings_release,
    .judge = judge,
};

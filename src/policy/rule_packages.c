/* Rule packages: which packages an image must have, must not have, or may have at all. */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

#include "hits.h"
#include "versions.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { PACKAGES_SHOWN = 6, TEXT_SHOWN = 120, ANY_MANAGER = -1 };

enum relation { IS_ANY, IS_EQUAL, IS_NOT_EQUAL, IS_LESS, IS_AT_MOST, IS_GREATER, IS_AT_LEAST };

/* "npm:lodash<4.17.21", cut up. */
struct wanted {
    const char *text; /* as written; borrowed */
    int manager;      /* enum package_manager, or ANY_MANAGER */
    char *name;
    struct glob name_glob; /* borrows name */
    enum relation relation;
    const char *version; /* borrowed; a pattern where the relation is (not) equal */
};
struct wanted_list {
    struct wanted *items;
    size_t count;
};

struct settings {
    struct text_list required;
    struct text_list forbidden;
    struct text_list only;
    bool include_base;
    struct wanted_list required_list;
    struct wanted_list forbidden_list;
    struct wanted_list only_list;
};

static const struct param params[] = {
    {.name = "required",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, required),
     .help = "Packages that must be there: `[manager:]name[relation version]`, such as "
             "`ca-certificates`, `dpkg:openssl>=3.0.15` or `pip:requests=2.*`."},
    {.name = "forbidden",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, forbidden),
     .help = "Packages that must not be there, written in the same way, such as "
             "`npm:lodash<4.17.21` or `telnet*`."},
    {.name = "only",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, only),
     .help = "When set, every package must be one of these."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, include_base),
     .fallback = "true",
     .help = "Whether packages in layers of the base count for `forbidden` and `only`."},
    {.name = NULL},
};

/* --- reading --- */

static const struct {
    const char *text;
    enum relation relation;
} relations[] = {
    {"!=", IS_NOT_EQUAL}, {"<=", IS_AT_MOST}, {">=", IS_AT_LEAST}, {"==", IS_EQUAL},
    {"=", IS_EQUAL},      {"<", IS_LESS},     {">", IS_GREATER},
};

static int read_manager(const char **text, int *ret, struct error *err)
{
    const char *colon = strchr(*text, ':');
    enum package_manager manager;

    *ret = ANY_MANAGER;
    if (!colon || (size_t)(colon - *text) > strcspn(*text, "!<>="))
        return 0;
    AUTO_FREE char *name = memory_copy_bytes(*text, (size_t)(colon - *text));
    if (package_manager_from_name(name, &manager) < 0) {
        AUTO_FREE char *shown = text_printable(name, 40);
        error_set(err, FAILURE_INPUT, "'%s' is no package manager that layers are read for", shown);
        error_hint(err, "dpkg, apk, rpm, npm, pip, go, gem, composer, nuget and java are");
        return FAILURE_INPUT;
    }
    *ret = (int)manager;
    *text = colon + 1;
    return 0;
}

static int read_relation(struct wanted *wanted, const char *text, struct error *err)
{
    wanted->relation = IS_ANY;
    if (!*text)
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(relations); i++) {
        if (!text_starts_with(text, relations[i].text))
            continue;
        wanted->relation = relations[i].relation;
        wanted->version = text + strlen(relations[i].text);
        break;
    }
    if (!wanted->version || !*wanted->version)
        return error_set(err, FAILURE_INPUT, "a version must stand behind the relation");
    if (wanted->relation > IS_NOT_EQUAL && strpbrk(wanted->version, "*?"))
        return error_set(err, FAILURE_INPUT, "only = and != take patterns of versions");
    if (wanted->relation > IS_NOT_EQUAL && wanted->manager != ANY_MANAGER &&
        !version_has_order((enum package_manager)wanted->manager))
        return error_set(err, FAILURE_INPUT, "versions of this package manager have no order here");
    return 0;
}

static int read_wanted(const char *text, struct wanted *ret, struct error *err)
{
    size_t name;
    int rc;

    *ret = (struct wanted){.text = text};
    rc = read_manager(&text, &ret->manager, err);
    if (rc < 0)
        return rc;
    name = strcspn(text, "!<>=");
    if (name == 0)
        return error_set(err, FAILURE_INPUT, "a package needs a name, or a pattern of names");
    ret->name = memory_copy_bytes(text, name);
    glob_compile(ret->name, &ret->name_glob);
    return read_relation(ret, text + name, err);
}

static int read_list(const struct text_list *texts, struct wanted_list *ret, struct error *err)
{
    ret->items = memory_new_array(texts->count, sizeof(*ret->items));
    for (size_t i = 0; i < texts->count; i++) {
        int rc = read_wanted(texts->items[i], &ret->items[ret->count++], err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = NULL;
    if (settings->required.count + settings->forbidden.count + settings->only.count == 0)
        return error_set(err, FAILURE_INPUT,
                         "packages without required, forbidden or only allows everything");
    *ret_param = "required";
    if (read_list(&settings->required, &settings->required_list, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "forbidden";
    if (read_list(&settings->forbidden, &settings->forbidden_list, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "only";
    return read_list(&settings->only, &settings->only_list, err);
}

static void release_list(struct wanted_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    free(list->items);
}

static void release(void *block)
{
    struct settings *settings = block;

    release_list(&settings->required_list);
    release_list(&settings->forbidden_list);
    release_list(&settings->only_list);
}

/* --- judging --- */

static bool names(const struct wanted *wanted, const struct facts_package *package)
{
    return (wanted->manager == ANY_MANAGER || wanted->manager == (int)package->manager) &&
           glob_match(&wanted->name_glob, package->name);
}

static enum answer answer_of(bool yes)
{
    return yes ? ANSWER_YES : ANSWER_NO;
}

/* Unknown where the version is not told, or is none that the manager could order. */
static enum answer has_version(const struct wanted *wanted, const struct facts_package *package)
{
    struct glob pattern;
    int order;

    if (wanted->relation == IS_ANY)
        return ANSWER_YES;
    if (!*package->version)
        return ANSWER_UNKNOWN;
    if (wanted->relation == IS_EQUAL || wanted->relation == IS_NOT_EQUAL) {
        glob_compile(wanted->version, &pattern);
        return answer_of(glob_match(&pattern, package->version) == (wanted->relation == IS_EQUAL));
    }
    if (!version_compare(package->manager, package->version, wanted->version, &order))
        return ANSWER_UNKNOWN;
    switch (wanted->relation) {
    case IS_LESS:
        return answer_of(order < 0);
    case IS_AT_MOST:
        return answer_of(order <= 0);
    case IS_GREATER:
        return answer_of(order > 0);
    case IS_AT_LEAST:
        return answer_of(order >= 0);
    case IS_ANY:
    case IS_EQUAL:
    case IS_NOT_EQUAL:
        break;
    }
    return ANSWER_UNKNOWN;
}

static bool is_judged(const struct settings *settings, const struct facts *facts,
                      const struct facts_package *package)
{
    return settings->include_base || facts_layer_origin(facts, package->layer) != ORIGIN_BASE;
}

static void add_package(const struct facts_package *package, struct text *to)
{
    AUTO_FREE char *name = text_printable(package->name, TEXT_SHOWN);
    AUTO_FREE char *version = text_printable(package->version, TEXT_SHOWN);

    text_format(to, "%s%s%s%s (%s)", to->length ? ", " : "", name, *version ? " " : "", version,
                package_manager_name(package->manager));
}

/* What was found of one entry: the first packages by name, all by number. */
struct matches {
    const struct facts_package *first;
    size_t yes;
    size_t unknown;
    struct text shown;
};

static void add_match(struct matches *matches, const struct facts_package *package,
                      enum answer answer)
{
    size_t *count = answer == ANSWER_YES ? &matches->yes : &matches->unknown;

    if (!matches->first || (answer == ANSWER_YES && matches->yes == 0)) {
        matches->first = package;
        text_clear(&matches->shown);
    }
    (*count)++;
    if ((answer == ANSWER_YES || matches->yes == 0) && *count <= PACKAGES_SHOWN)
        add_package(package, &matches->shown);
}

static void blame(struct finding *finding, const struct facts *facts,
                  const struct facts_package *package)
{
    finding_set_evidence(finding, EVIDENCE_LAYERS);
    if (!package)
        return;
    finding_set_layer(finding, facts, package->layer);
    finding_set_path(finding, package->path);
}

static void judge_forbidden(const struct settings *settings, const struct facts *facts,
                            struct rule_report *report, const struct wanted *wanted)
{
    struct matches matches = {0};
    AUTO_FREE char *shown = NULL;
    AUTO_TEXT struct text text = {0};

    for (size_t i = 0; i < facts->files->package_count; i++) {
        const struct facts_package *package = &facts->files->packages[i];
        enum answer answer = ANSWER_NO;

        if (names(wanted, package) && is_judged(settings, facts, package))
            answer = has_version(wanted, package);
        if (answer != ANSWER_NO)
            add_match(&matches, package, answer);
    }
    if (!matches.first)
        return;
    text = matches.shown;
    shown = text_printable(wanted->text, TEXT_SHOWN);
    AUTO_FREE char *subject = text_new("forbidden\n%s", wanted->text);
    if (matches.yes > PACKAGES_SHOWN)
        text_format(&text, " and %zu more", matches.yes - PACKAGES_SHOWN);
    blame(matches.yes > 0
              ? rule_fail(report, subject, "'%s' is forbidden and is there: %s", shown,
                          text_data(&text))
              : rule_unknown(report, subject,
                             "'%s' is forbidden, and whether these versions are it cannot be "
                             "told: %s",
                             shown, text_data(&text)),
          facts, matches.first);
}

static void judge_required(const struct facts *facts, struct rule_report *report,
                           const struct wanted *wanted)
{
    const struct facts_package *other = NULL;
    bool open = !facts->files->complete;
    AUTO_TEXT struct text has = {0};

    for (size_t i = 0; i < facts->files->package_count; i++) {
        const struct facts_package *package = &facts->files->packages[i];
        enum answer answer = names(wanted, package) ? has_version(wanted, package) : ANSWER_NO;

        if (answer == ANSWER_YES)
            return;
        open = open || answer == ANSWER_UNKNOWN;
        if (!other && names(wanted, package))
            other = package;
    }
    AUTO_FREE char *shown = text_printable(wanted->text, TEXT_SHOWN);
    AUTO_FREE char *subject = text_new("required\n%s", wanted->text);
    if (other)
        add_package(other, &has);
    blame((open ? rule_unknown : rule_fail)(report, subject, "'%s' is required and %s%s%s", shown,
                                            open ? "cannot be found for certain" : "is not there",
                                            other ? ": there is " : "", text_data(&has)),
          facts, other);
}

static bool is_listed(const struct wanted_list *list, const struct facts_package *package)
{
    for (size_t i = 0; i < list->count; i++) {
        if (names(&list->items[i], package) && has_version(&list->items[i], package) == ANSWER_YES)
            return true;
    }
    return false;
}

static void judge_only(const struct settings *settings, const struct facts *facts,
                       struct rule_report *report, enum package_manager manager)
{
    struct matches matches = {0};
    AUTO_TEXT struct text subject = {0};
    AUTO_TEXT struct text text = {0};

    for (size_t i = 0; i < facts->files->package_count; i++) {
        const struct facts_package *package = &facts->files->packages[i];

        if (package->manager != manager || !is_judged(settings, facts, package) ||
            is_listed(&settings->only_list, package))
            continue;
        add_match(&matches, package, ANSWER_YES);
        text_format(&subject, "%s\n", package->name);
    }
    if (!matches.first)
        return;
    text = matches.shown;
    if (matches.yes > PACKAGES_SHOWN)
        text_format(&text, " and %zu more", matches.yes - PACKAGES_SHOWN);
    text_format(&subject, "only %s", package_manager_name(manager));
    blame(rule_fail(report, text_data(&subject), "not among the packages that may be there: %s",
                    text_data(&text)),
          facts, matches.first);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;

    for (size_t i = 0; i < settings->forbidden_list.count; i++)
        judge_forbidden(settings, input->facts, report, &settings->forbidden_list.items[i]);
    for (size_t i = 0; i < settings->required_list.count; i++)
        judge_required(input->facts, report, &settings->required_list.items[i]);
    for (int manager = 0; settings->only_list.count > 0 && manager < PACKAGE_MANAGER_COUNT;
         manager++)
        judge_only(settings, input->facts, report, (enum package_manager)manager);
    return rule_judgement(report);
}

const struct rule_type rule_packages = {
    .name = "packages",
    .summary = "packages that are required are there, forbidden ones are not",
    .description =
        "Reads the package databases of dpkg, apk and rpm, the package.json of npm packages, the "
        "metadata of Python packages, gems, composer and NuGet, the names of Java archives, and "
        "the "
        "modules that Go programs say they were built from, as a container would see them.\n\n"
        "An entry is a name or pattern of names, `*` stopping at a slash, with the manager in "
        "front (`npm:@babel/*`) and a version behind it: `=` and `!=` take patterns; `<`, `<=`, "
        "`>`, `>=` follow the order of the manager: deb-version(7) for dpkg, apk's own, rpm's "
        "without epochs (a version without a release is every release), semantic versions for npm, "
        "Go, composer and NuGet, PEP 440 for pip; gem and java have none here. A version that does "
        "not fit the order is unknown.\n\n"
        "What was copied without its package metadata, or built from source, is in no database "
        "and stays unseen. It knows no vulnerabilities: for those use a scanner.",
    .remedy = "Install what is required, and take out or update what is forbidden, in the step "
              "that brings it.",
    .example = "rule: packages\nwith:\n  forbidden: [telnetd, \"npm:lodash<4.17.21\"]\n"
               "  required: [ca-certificates]\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};

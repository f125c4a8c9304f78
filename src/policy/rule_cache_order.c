/* Rule cache-order: what lists the dependencies is copied and installed before the rest of the
 * source, so that a change of the source does not install everything anew. Judged by the text of
 * the Dockerfile where a provenance holds it, else by the history of the final image. */
#include "rules.h"

#include <string.h>

#include "run_step.h"

#include "regwarden/dockerfile.h"
#include "regwarden/memory.h"
#include "regwarden/provenance.h"
#include "regwarden/text.h"

enum { WORDS_MAX = 3, COMMAND_SHOWN = 80 };

struct settings {
    struct text_list except;
};

static const struct param params[] = {
    {.name = "except",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, except),
     .help = "Package managers that are left alone, such as `pip`."},
    {.name = NULL},
};

/* Commands that install what a list of dependencies names. */
static const struct installation {
    const char *manager;
    const char *words[WORDS_MAX]; /* the program, and words that must follow it in this order */
    enum { WITH_LIST, WITHOUT_PACKAGES, ALWAYS } when; /* with "-r"; when it names no package */
    const char *remedy;
} installations[] = {
#define NODE "Copy package.json and the lock file first, install, then copy the rest."
#define PYTHON "Copy the file that lists the requirements first, install, then copy the rest."
    {"npm", {"npm", "ci"}, WITHOUT_PACKAGES, NODE},
    {"npm", {"npm", "install"}, WITHOUT_PACKAGES, NODE},
    {"npm", {"npm", "i"}, WITHOUT_PACKAGES, NODE},
    {"yarn", {"yarn", "install"}, WITHOUT_PACKAGES, NODE},
    {"yarn", {"yarn"}, WITHOUT_PACKAGES, NODE},
    {"pnpm", {"pnpm", "install"}, WITHOUT_PACKAGES, NODE},
    {"pnpm", {"pnpm", "i"}, WITHOUT_PACKAGES, NODE},
    {"pip", {"pip", "install"}, WITH_LIST, PYTHON},
    {"pip", {"pip3", "install"}, WITH_LIST, PYTHON},
    {"pip", {"uv", "pip", "install"}, WITH_LIST, PYTHON},
    {"uv",
     {"uv", "sync"},
     ALWAYS,
     "Copy pyproject.toml and uv.lock first, run `uv sync "
     "--no-install-project`, then copy the rest."},
    {"poetry",
     {"poetry", "install"},
     ALWAYS,
     "Copy pyproject.toml and poetry.lock first, run "
     "`poetry install --no-root`, then copy the rest."},
    {"pipenv",
     {"pipenv", "install"},
     WITHOUT_PACKAGES,
     "Copy Pipfile and Pipfile.lock first, install, then "
     "copy the rest."},
    {"go",
     {"go", "mod", "download"},
     ALWAYS,
     "Copy go.mod and go.sum first, run `go mod download`, "
     "then copy the rest."},
    {"go",
     {"go", "get"},
     WITHOUT_PACKAGES,
     "Copy go.mod and go.sum first, run `go mod download`, then copy "
     "the rest."},
    {"dotnet",
     {"dotnet", "restore"},
     ALWAYS,
     "Copy the project files (*.csproj, *.sln) first, run "
     "`dotnet restore`, then copy the rest."},
    {"maven",
     {"mvn", "dependency:go-offline"},
     ALWAYS,
     "Copy pom.xml first, run `mvn "
     "dependency:go-offline`, then copy the "
     "rest."},
    {"bundler",
     {"bundle", "install"},
     ALWAYS,
     "Copy Gemfile and Gemfile.lock first, run `bundle "
     "install`, then copy the rest."},
    {"composer",
     {"composer", "install"},
     ALWAYS,
     "Copy composer.json and composer.lock first, run "
     "`composer install --no-scripts "
     "--no-autoloader`, then copy the rest."},
    {"cargo",
     {"cargo", "fetch"},
     ALWAYS,
     "Copy Cargo.toml and Cargo.lock first, run `cargo fetch`, "
     "then copy the rest."},
};

/* "./..." is what lies here, and the word behind an option may be its value. */
static bool names_package(const struct shell_command *command, size_t at)
{
    for (; at < command->count; at++) {
        const struct shell_word *word = &command->words[at];
        bool is_value = shell_word_starts_with(&command->words[at - 1], "--");

        if (*word->text != '-' && *word->text != '.' && !is_value)
            return true;
    }
    return false;
}

static bool has_word(const struct shell_command *command, size_t from, const char *start)
{
    for (size_t i = from; i < command->count; i++)
        if (shell_word_starts_with(&command->words[i], start))
            return true;
    return false;
}

static bool fits(const struct installation *installation, const struct run_command *command)
{
    const struct shell_command *shell = command->shell;
    size_t at = command->program;

    if (at >= shell->count || !run_command_is(command, installation->words[0]))
        return false;
    for (size_t i = 1; i < WORDS_MAX && installation->words[i]; i++)
        if (++at >= shell->count || !shell_word_is(&shell->words[at], installation->words[i]))
            return false;
    at++;
    switch (installation->when) {
    case WITH_LIST:
        return has_word(shell, at, "-r") || has_word(shell, at, "--requirement");
    case WITHOUT_PACKAGES: /* "npm install -g yarn" and "yarn build" install no list */
        return !has_word(shell, at, "-g") && !has_word(shell, at, "--global") &&
               !names_package(shell, at);
    case ALWAYS:
        break;
    }
    return true;
}

struct finding_place {
    const struct installation *found;
};

static void watch(void *argument, const struct run_command *command)
{
    struct finding_place *place = argument;

    for (size_t i = 0; !place->found && i < ARRAY_COUNT(installations); i++)
        if (fits(&installations[i], command))
            place->found = &installations[i];
}

static const struct installation *find_installation(const char *script)
{
    struct finding_place place = {0};

    run_script_each(script, watch, &place);
    return place.found;
}

enum copied { COPIED_FILES, COPIED_DIRECTORY, COPIED_ALL };

/* Is the word the whole context: ".", "./", also with the quotes and commas of the JSON form? */
static bool is_context(const char *word, size_t size)
{
    while (size > 0 && strchr("[\"',", *word)) {
        word++;
        size--;
    }
    while (size > 0 && strchr("]\"',", word[size - 1]))
        size--;
    return (size == 1 && *word == '.') || (size == 2 && memcmp(word, "./", 2) == 0);
}

/* What COPY or ADD brings: every word but the last is a source. */
static enum copied what_is_copied(const char *text)
{
    const char *at = text;

    if (text_starts_with(text, "dir:"))
        return COPIED_DIRECTORY; /* the classic builder kept a checksum of it only */
    while (*at) {
        size_t size = strcspn(at, " \t\n");
        const char *rest = at + size + strspn(at + size, " \t\n");

        if (*rest && is_context(at, size))
            return COPIED_ALL;
        at = rest;
    }
    return COPIED_FILES;
}

/* One stage, or the final image, on the way from its first instruction to its last. */
struct walk {
    const struct settings *settings;
    struct rule_report *report;
    const struct facts *facts;
    const char *stage; /* NULL: the history */
    int copied_at;     /* line or step of the first copy of everything; -1 none yet */
    bool is_sure;      /* that it was everything */
    unsigned managers; /* bits of installations that ran before */
};

static void note_copy(struct walk *walk, const char *text, int at)
{
    enum copied copied = what_is_copied(text);

    if (copied == COPIED_FILES || (walk->copied_at >= 0 && walk->is_sure))
        return;
    if (walk->copied_at < 0 || copied == COPIED_ALL)
        walk->copied_at = at;
    walk->is_sure = copied == COPIED_ALL;
}

static bool ran_before(const struct walk *walk, const struct installation *installation)
{
    for (size_t i = 0; i < ARRAY_COUNT(installations); i++)
        if ((walk->managers & (1u << i)) &&
            text_equal(installations[i].manager, installation->manager))
            return true;
    return false;
}

static void report_order(const struct walk *walk, const struct installation *installation,
                         const char *script, int at)
{
    AUTO_FREE char *command = finding_step_text(script, COMMAND_SHOWN);
    struct finding *finding;

    if (walk->stage) {
        AUTO_FREE char *subject = text_new("%s in %s", installation->manager, walk->stage);

        finding = rule_fail(walk->report, subject,
                            "line %d of the Dockerfile copies the whole context before line %d "
                            "installs dependencies (%s)",
                            walk->copied_at, at, command);
        finding_set_evidence(finding, EVIDENCE_PROVENANCE);
    } else if (walk->is_sure) {
        finding = rule_fail(walk->report, installation->manager,
                            "step %d copies the whole context before step %d installs "
                            "dependencies (%s)",
                            walk->copied_at, at, command);
    } else {
        finding = rule_unknown(walk->report, installation->manager,
                               "step %d copies a directory before step %d installs dependencies "
                               "(%s): which one, the history does not tell",
                               walk->copied_at, at, command);
    }
    finding_set_remedy(finding, "%s", installation->remedy);
    if (!walk->stage)
        finding_set_step(finding, walk->facts, at);
}

static void note_run(struct walk *walk, const char *script, int at)
{
    const struct installation *installation = find_installation(script);

    if (!installation || text_list_has(&walk->settings->except, installation->manager))
        return;
    if (walk->copied_at >= 0 && !ran_before(walk, installation))
        report_order(walk, installation, script, at);
    walk->managers |= 1u << (installation - installations);
}

static bool is_copy(const char *keyword)
{
    return text_equal(keyword, "COPY") || text_equal(keyword, "ADD");
}

/* Whatever is downloaded is kept between builds. */
static bool has_cache(const struct dockerfile_instruction *instruction)
{
    for (size_t i = 0; i < instruction->flags.count; i++)
        if (text_equal(instruction->flags.items[i].key, "mount") &&
            strstr(instruction->flags.items[i].value, "type=cache"))
            return true;
    return false;
}

static void walk_stage(struct walk *walk, const struct dockerfile *file, int stage)
{
    for (size_t i = 0; i < file->instruction_count; i++) {
        const struct dockerfile_instruction *instruction = &file->instructions[i];

        if (instruction->stage != stage)
            continue;
        if (is_copy(instruction->keyword) && !text_pairs_get(&instruction->flags, "from"))
            note_copy(walk, instruction->text, (int)instruction->line);
        else if (text_equal(instruction->keyword, "RUN") && !has_cache(instruction))
            note_run(walk, instruction->text, (int)instruction->line);
    }
}

static void judge_text(const struct settings *settings, const struct dockerfile *file,
                       const struct rule_input *input, struct rule_report *report)
{
    for (size_t i = 0; i < file->stage_count; i++) {
        AUTO_FREE char *name = file->stages[i].name ? text_printable(file->stages[i].name, 64)
                                                    : text_new("stage %zu", i);
        struct walk walk = {.settings = settings,
                            .report = report,
                            .facts = input->facts,
                            .stage = name,
                            .copied_at = -1};

        walk_stage(&walk, file, (int)i);
    }
}

static void judge_history(const struct settings *settings, const struct rule_input *input,
                          struct rule_report *report)
{
    const struct facts_history *history = &input->facts->history;
    struct walk walk = {
        .settings = settings, .report = report, .facts = input->facts, .copied_at = -1};

    for (size_t i = 0; i < history->count; i++) {
        const struct step *step = &history->steps[i];

        if (step->origin != ORIGIN_OWN)
            continue;
        if (step->kind == STEP_COPY || step->kind == STEP_ADD)
            note_copy(&walk, step->text, (int)i);
        else if (step->kind == STEP_RUN)
            note_run(&walk, step->text, (int)i);
    }
}

/* The Dockerfile, when a statement about this image holds it. Returns new or NULL. */
static struct dockerfile *find_text(const struct facts_provenance *provenance)
{
    for (size_t i = 0; provenance && i < provenance->count; i++) {
        const struct provenance *statement = &provenance->statements[i];
        struct dockerfile *file = NULL;

        if (statement->subject >= SUBJECT_INDEX && statement->dockerfile &&
            dockerfile_parse(statement->dockerfile, strlen(statement->dockerfile), NULL, &file,
                             NULL) == 0)
            return file;
    }
    return NULL;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    AUTO_DOCKERFILE struct dockerfile *file = find_text(input->facts->provenance);

    if (file)
        judge_text(block, file, input, report);
    else
        judge_history(block, input, report);
    return rule_judgement(report);
}

const struct rule_type rule_cache_order = {
    .name = "cache-order",
    .summary = "dependencies are installed before the whole source is copied",
    .description =
        "When the whole context is copied first, every change of the source installs all "
        "dependencies anew, and every image has a layer of its own of them. Knows npm, yarn, pnpm, "
        "pip, uv, poetry, pipenv, go, dotnet, maven, bundler, composer and cargo.\n\n"
        "With the Dockerfile in the provenance (BuildKit, mode=max) all stages are judged, and "
        "the finding names the lines; a RUN with a cache mount is left alone. Otherwise the "
        "history of the final image is judged, which shows its own last stage only: what a build "
        "stage did is not in it. The classic builder's history says that a directory was copied "
        "and not which: then the answer is unknown.",
    .remedy = "Copy the files that list the dependencies first, install, then copy the rest.",
    .example = "rule: cache-order\nseverity: low\n",
    .needs = FACT_BIT(FACT_HISTORY),
    .wants = FACT_BIT(FACT_PROVENANCE),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .judge = judge,
};

/* Rule build-tools: the final image holds what runs, not what built it. Works on config and history
 * only; which files are in the layers is not looked at here. */
#include "rules.h"

#include <string.h>

#include "glob.h"
#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { TOOLS_SHOWN = 8, STEP_TEXT_SHOWN = 120 };

struct settings {
    struct text_list allow;
    struct text_list allow_runtimes;
    bool include_base;
    struct glob_list allow_globs;
    struct glob_list allow_runtime_globs;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow),
     .help = "Patterns of packages that may stay, such as `make` or `lib*-dev`."},
    {.name = "allow-runtimes",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow_runtimes),
     .help = "Patterns of runtimes whose build kit may stay, such as `php`."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, include_base),
     .fallback = "false",
     .help = "Whether packages that steps of the base installed count too."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = "allow";
    if (glob_list_compile(&settings->allow, &settings->allow_globs, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "allow-runtimes";
    return glob_list_compile(&settings->allow_runtimes, &settings->allow_runtime_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->allow_globs);
    glob_list_release(&settings->allow_runtime_globs);
}

/* Packages by name, and by name with a version behind it: gcc, gcc-12, gcc=4:12.2. */
static const char *const tools[] = {
    "autoconf",  "automake",    "binutils", "bison",         "build-base",  "build-essential",
    "cargo",     "clang",       "cmake",    "default-jdk",   "dpkg-dev",    "flex",
    "g++",       "gcc",         "gcc-c++",  "gfortran",      "go",          "golang",
    "golang-go", "gradle",      "libtool",  "linux-headers", "llvm",        "make",
    "maven",     "meson",       "musl-dev", "nasm",          "ninja-build", "pkg-config",
    "pkgconf",   "python3-dev", "rust",     "rustc",         "rustup",      "yasm",
};

/* The name in front of "=1.2", "@edge", ":arm64" and "-12". */
static size_t package_name(const struct shell_word *word, size_t *ret_unversioned)
{
    size_t length = 0;
    size_t cut;

    while (length < word->length && !strchr("=@:<>~'\"", word->text[length]))
        length++;
    cut = length;
    while (cut > 0 && ((word->text[cut - 1] >= '0' && word->text[cut - 1] <= '9') ||
                       word->text[cut - 1] == '.'))
        cut--;
    *ret_unversioned = cut > 1 && cut < length && word->text[cut - 1] == '-' ? cut - 1 : length;
    return length;
}

static bool has_end(const struct shell_word *word, size_t length, const char *end)
{
    size_t size = strlen(end);

    return length > size && memcmp(word->text + length - size, end, size) == 0;
}

static bool is_tool(const struct shell_word *word)
{
    size_t unversioned;
    size_t length = package_name(word, &unversioned);

    if (has_end(word, length, "-dev") || has_end(word, length, "-devel") ||
        has_end(word, length, "-jdk") || has_end(word, length, "-jdk-headless"))
        return true;
    if (length > 11 && memcmp(word->text, "dotnet-sdk-", 11) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(tools); i++) {
        size_t size = strlen(tools[i]);

        if ((size == length || size == unversioned) && memcmp(word->text, tools[i], size) == 0)
            return true;
    }
    return false;
}

/* What one RUN installed and left: words are borrowed from the step's text. */
struct left_over {
    const struct settings *settings;
    struct shell_word tools[TOOLS_SHOWN];
    enum installer managers[TOOLS_SHOWN];
    size_t count;
};

static bool is_allowed(const struct settings *settings, const struct shell_word *word)
{
    char name[128];
    size_t unversioned;
    size_t length = package_name(word, &unversioned);

    if (settings->allow_globs.count == 0 || length >= sizeof(name))
        return false;
    memcpy(name, word->text, length);
    name[length] = '\0';
    return glob_list_match(&settings->allow_globs, name);
}

static void add_tools(const struct run_command *command, struct left_over *left)
{
    const struct shell_command *shell = command->shell;

    for (size_t i = command->operands; i < shell->count && left->count < TOOLS_SHOWN; i++) {
        struct shell_word word = shell_word_unquote(&shell->words[i]);

        if (word.length == 0 || word.text[0] == '-' || !is_tool(&word) ||
            is_allowed(left->settings, &word))
            continue;
        left->managers[left->count] = command->manager;
        left->tools[left->count++] = word;
    }
}

/* Whoever removes packages in the same RUN is believed to remove what it installed to build. */
static void forget_tools(enum installer manager, struct left_over *left)
{
    size_t kept = 0;

    for (size_t i = 0; i < left->count; i++) {
        if (left->managers[i] == manager)
            continue;
        left->tools[kept] = left->tools[i];
        left->managers[kept++] = left->managers[i];
    }
    left->count = kept;
}

static void watch(void *argument, const struct run_command *command)
{
    struct left_over *left = argument;

    if (command->manager == INSTALLER_NONE || command->manager == INSTALLER_PIP)
        return;
    if (command->verb == VERB_INSTALL)
        add_tools(command, left);
    else if (command->verb == VERB_REMOVE)
        forget_tools(command->manager, left);
}

static void report_step(struct rule_report *report, const struct facts *facts, int step,
                        const struct left_over *left, bool open)
{
    AUTO_TEXT struct text names = {0};
    AUTO_FREE char *shown = NULL;
    struct finding *finding;

    for (size_t i = 0; i < left->count; i++) {
        text_add(&names, i > 0 ? ", " : "");
        text_add_bytes(&names, left->tools[i].text, left->tools[i].length);
    }
    shown = text_printable(text_data(&names), STEP_TEXT_SHOWN);
    if (open)
        finding = rule_unknown(report, text_data(&names),
                               "a step that may be the base's installs build tools: %s", shown);
    else
        finding = rule_fail(report, text_data(&names),
                            "a step installs build tools and leaves them: %s", shown);
    finding_set_step(finding, facts, step);
    finding_set_evidence(finding, EVIDENCE_HISTORY);
    if (finding->layer.algorithm != DIGEST_NONE)
        finding->bytes = facts->manifest->layers[facts->history.steps[step].layer].size;
}

static void judge_steps(const struct settings *settings, const struct facts *facts,
                        struct rule_report *report)
{
    for (size_t i = 0; i < facts->history.count; i++) {
        const struct step *step = &facts->history.steps[i];
        struct left_over left = {.settings = settings};

        if (step->kind != STEP_RUN || !step->text ||
            (!settings->include_base && step->origin == ORIGIN_BASE))
            continue;
        run_script_each(step->text, watch, &left);
        if (left.count > 0)
            report_step(report, facts, (int)i, &left,
                        !settings->include_base && step->origin == ORIGIN_UNKNOWN);
    }
}

/* The build kit of the language itself, mostly because the final stage is built on the SDK's image.
 */
static void judge_sdk(const struct settings *settings, const struct facts *facts,
                      struct rule_report *report)
{
    const struct facts_runtime *runtime = &facts->runtime;
    struct finding *finding = NULL;

    if (glob_list_match(&settings->allow_runtime_globs, runtime_name(runtime->runtime)))
        return;
    switch (runtime->sdk) {
    case ANSWER_NO:
        return;
    case ANSWER_YES:
        finding = rule_fail(report, "sdk", "the final image holds the build kit of %s",
                            runtime_name(runtime->runtime));
        finding->origin = ORIGIN_BASE;
        break;
    case ANSWER_UNKNOWN:
        /* What was found is an answer already; nothing found is none. */
        if (report->judgement == RULE_FAIL)
            return;
        finding = rule_unknown(report, "sdk",
                               "nothing in config and history says whether build "
                               "tools are in the image");
        break;
    }
    finding_set_evidence(finding, runtime->evidence);
}

/* No history, no steps: that none was found then means nothing. */
static void judge_silence(const struct facts *facts, struct rule_report *report)
{
    if (report->judgement == RULE_PASS && facts->status[FACT_HISTORY].state == FACT_ABSENT)
        rule_unknown(report, "history",
                     "the image has no history: whether a step installed build "
                     "tools cannot be told");
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    judge_steps(block, input->facts, report);
    judge_sdk(block, input->facts, report);
    judge_silence(input->facts, report);
    return rule_judgement(report);
}

const struct rule_type rule_build_tools = {
    .name = "build-tools",
    .summary = "the final image holds no compilers, headers and build kits",
    .description =
        "Looks at two things. The environment that SDK images set tells whether the final stage is "
        "built on one (Go, Rust, .NET, Maven and Gradle do; Node, Python, Ruby and PHP images do "
        "not tell). And own RUN steps that install compilers, headers or build systems and do not "
        "remove packages again in the same step are named.\n\n"
        "It sees config and history, not files: what COPY or a download brought stays hidden, and "
        "an image that says nothing is unknown, never passed. A step that removes any packages "
        "with the same tool is believed to remove what it installed for building.",
    .remedy = "Build in a stage of its own and copy the result: `FROM golang AS build` … `FROM "
              "gcr.io/distroless/static` `COPY --from=build /app /app`.",
    .example = "rule: build-tools\nwith:\n  allow: [make]\non-unknown: warn\n",
    .needs = FACT_BIT(FACT_RUNTIME) | FACT_BIT(FACT_MANIFEST),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};

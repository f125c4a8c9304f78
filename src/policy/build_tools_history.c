/* Build tools by the text of RUN steps: the way when layers are not read. It believes that whoever
 * removes packages in the same step removes what was installed for building. */
#include "build_tools.h"

#include <string.h>

#include "run_step.h"

#include "regwarden/facts_files.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { TOOLS_SHOWN = 8, STEP_TEXT_SHOWN = 120 };

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
    const struct glob_list *allow;
    struct shell_word tools[TOOLS_SHOWN];
    enum installer managers[TOOLS_SHOWN];
    size_t count;
};

static bool is_allowed(const struct glob_list *allow, const struct shell_word *word)
{
    char name[128];
    size_t unversioned;
    size_t length = package_name(word, &unversioned);

    if (allow->count == 0 || length >= sizeof(name))
        return false;
    memcpy(name, word->text, length);
    name[length] = '\0';
    return glob_list_match(allow, name);
}

static void add_tools(const struct run_command *command, struct left_over *left)
{
    const struct shell_command *shell = command->shell;

    for (size_t i = command->operands; i < shell->count && left->count < TOOLS_SHOWN; i++) {
        struct shell_word word = shell_word_unquote(&shell->words[i]);

        if (word.length == 0 || word.text[0] == '-' || !is_tool(&word) ||
            is_allowed(left->allow, &word))
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

static bool was_read(const struct facts_files *files, int layer)
{
    if (!files)
        return false;
    if (layer < 0 || (size_t)layer >= files->layer_count)
        return files->complete;
    return files->layers[layer].state == FACT_PRESENT;
}

void build_tools_judge_history(const struct glob_list *allow, bool include_base,
                               const struct rule_input *input, struct rule_report *report)
{
    const struct facts *facts = input->facts;

    for (size_t i = 0; i < facts->history.count; i++) {
        const struct step *step = &facts->history.steps[i];
        struct left_over left = {.allow = allow};

        if (step->kind != STEP_RUN || !step->text || was_read(input->files, step->layer) ||
            (!include_base && step->origin == ORIGIN_BASE))
            continue;
        run_script_each(step->text, watch, &left);
        if (left.count > 0)
            report_step(report, facts, (int)i, &left,
                        !include_base && step->origin == ORIGIN_UNKNOWN);
    }
}

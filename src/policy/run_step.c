/* Reading package manager commands out of RUN steps. Tables say which word means what. */
#include "run_step.h"

#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { SCRIPT_DEPTH_MAX = 3 };

static const struct {
    const char *program;
    enum installer manager;
} programs[] = {
    {"apt-get", INSTALLER_APT},   {"apt", INSTALLER_APT},      {"aptitude", INSTALLER_APT},
    {"apk", INSTALLER_APK},       {"yum", INSTALLER_RPM},      {"dnf", INSTALLER_RPM},
    {"dnf5", INSTALLER_RPM},      {"microdnf", INSTALLER_RPM}, {"tdnf", INSTALLER_RPM},
    {"zypper", INSTALLER_ZYPPER}, {"pip", INSTALLER_PIP},      {"pip3", INSTALLER_PIP},
};

static const struct {
    enum installer manager;
    const char *word;
    enum package_verb verb;
} verbs[] = {
    {INSTALLER_APT, "update", VERB_UPDATE},
    {INSTALLER_APT, "install", VERB_INSTALL},
    {INSTALLER_APT, "reinstall", VERB_INSTALL},
    {INSTALLER_APT, "build-dep", VERB_INSTALL},
    {INSTALLER_APT, "satisfy", VERB_INSTALL},
    {INSTALLER_APT, "source", VERB_FETCH},
    {INSTALLER_APT, "download", VERB_FETCH},
    {INSTALLER_APT, "upgrade", VERB_UPGRADE},
    {INSTALLER_APT, "safe-upgrade", VERB_UPGRADE},
    {INSTALLER_APT, "dist-upgrade", VERB_DIST_UPGRADE},
    {INSTALLER_APT, "full-upgrade", VERB_DIST_UPGRADE},
    {INSTALLER_APT, "remove", VERB_REMOVE},
    {INSTALLER_APT, "purge", VERB_REMOVE},
    {INSTALLER_APT, "autoremove", VERB_REMOVE},
    {INSTALLER_APT, "autopurge", VERB_REMOVE},
    {INSTALLER_APT, "distclean", VERB_CLEAN},
    {INSTALLER_APT, "dist-clean", VERB_CLEAN},
    {INSTALLER_APK, "update", VERB_UPDATE},
    {INSTALLER_APK, "add", VERB_INSTALL},
    {INSTALLER_APK, "upgrade", VERB_UPGRADE},
    {INSTALLER_APK, "del", VERB_REMOVE},
    {INSTALLER_APK, "cache", VERB_CLEAN},
    {INSTALLER_RPM, "makecache", VERB_UPDATE},
    {INSTALLER_RPM, "install", VERB_INSTALL},
    {INSTALLER_RPM, "reinstall", VERB_INSTALL},
    {INSTALLER_RPM, "localinstall", VERB_INSTALL},
    {INSTALLER_RPM, "groupinstall", VERB_INSTALL},
    {INSTALLER_RPM, "update", VERB_UPGRADE},
    {INSTALLER_RPM, "upgrade", VERB_UPGRADE},
    {INSTALLER_RPM, "remove", VERB_REMOVE},
    {INSTALLER_RPM, "erase", VERB_REMOVE},
    {INSTALLER_RPM, "autoremove", VERB_REMOVE},
    {INSTALLER_RPM, "clean", VERB_CLEAN},
    {INSTALLER_ZYPPER, "refresh", VERB_UPDATE},
    {INSTALLER_ZYPPER, "ref", VERB_UPDATE},
    {INSTALLER_ZYPPER, "install", VERB_INSTALL},
    {INSTALLER_ZYPPER, "in", VERB_INSTALL},
    {INSTALLER_ZYPPER, "update", VERB_UPGRADE},
    {INSTALLER_ZYPPER, "up", VERB_UPGRADE},
    {INSTALLER_ZYPPER, "dist-upgrade", VERB_DIST_UPGRADE},
    {INSTALLER_ZYPPER, "dup", VERB_DIST_UPGRADE},
    {INSTALLER_ZYPPER, "remove", VERB_REMOVE},
    {INSTALLER_ZYPPER, "rm", VERB_REMOVE},
    {INSTALLER_ZYPPER, "clean", VERB_CLEAN},
    {INSTALLER_ZYPPER, "cc", VERB_CLEAN},
    {INSTALLER_PIP, "install", VERB_INSTALL},
    {INSTALLER_PIP, "uninstall", VERB_REMOVE},
    {INSTALLER_PIP, "cache", VERB_CLEAN},
};

static const char *const manager_names[] = {
    [INSTALLER_NONE] = "none", [INSTALLER_APT] = "apt",       [INSTALLER_APK] = "apk",
    [INSTALLER_RPM] = "yum",   [INSTALLER_ZYPPER] = "zypper", [INSTALLER_PIP] = "pip",
};

const char *installer_name(enum installer manager)
{
    return manager_names[manager];
}

/* Words that stand before a program and change nothing about what it is. */
static bool is_prefix(const struct shell_word *word)
{
    static const char *const words[] = {
        "if",   "then",    "elif", "else",      "do",  "while", "until", "!",       "{",
        "time", "command", "exec", "eatmydata", "env", "nohup", "xargs", "builtin",
    };

    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (shell_word_is(word, words[i]))
            return true;
    }
    return false;
}

static bool is_assignment(const struct shell_word *word)
{
    size_t i = 0;

    while (i < word->length &&
           (word->text[i] == '_' || (word->text[i] >= '0' && word->text[i] <= '9') ||
            (word->text[i] >= 'A' && word->text[i] <= 'Z') ||
            (word->text[i] >= 'a' && word->text[i] <= 'z')))
        i++;
    return i > 0 && i < word->length && word->text[i] == '=';
}

static bool is_option(const struct shell_word *word)
{
    return word->length > 1 && word->text[0] == '-';
}

static size_t find_program(const struct shell_command *shell, bool *sudo)
{
    size_t i = 0;

    *sudo = false;
    while (i < shell->count) {
        struct shell_word base = shell_word_base(&shell->words[i]);

        if (shell_word_is(&base, "sudo"))
            *sudo = true;
        else if (!is_prefix(&base) && !is_assignment(&shell->words[i]))
            return i;
        i++;
        while (i > 0 && i < shell->count && !is_assignment(&shell->words[i - 1]) &&
               is_option(&shell->words[i])) {
            bool takes_user = *sudo && shell_word_is(&shell->words[i], "-u");

            i += takes_user ? 2 : 1;
        }
    }
    return shell->count;
}

bool run_command_is(const struct run_command *command, const char *program)
{
    struct shell_word base;

    if (command->program >= command->shell->count)
        return false;
    base = shell_word_base(&command->shell->words[command->program]);
    return shell_word_is(&base, program);
}

static enum installer find_manager(const struct run_command *command)
{
    struct shell_word base = shell_word_base(&command->shell->words[command->program]);

    for (size_t i = 0; i < ARRAY_COUNT(programs); i++) {
        if (shell_word_is(&base, programs[i].program))
            return programs[i].manager;
    }
    return INSTALLER_NONE;
}

/* `python3 -m pip install …` is pip. Returns the index behind the program's words. */
static size_t python_module_pip(const struct run_command *command)
{
    const struct shell_command *shell = command->shell;
    size_t at = command->program;

    if (at + 2 < shell->count &&
        (run_command_is(command, "python") || run_command_is(command, "python3")) &&
        shell_word_is(&shell->words[at + 1], "-m") && shell_word_is(&shell->words[at + 2], "pip"))
        return at + 3;
    return 0;
}

/* Options of the manager that take the next word as their value. */
static bool takes_value(enum installer manager, const struct shell_word *word)
{
    static const char *const apt[] = {"-o", "--option", "-c", "-t", "-a", "--target-release"};
    static const char *const apk[] = {"-X", "--repository", "-p", "--root", "-t", "--virtual"};
    static const char *const rpm[] = {"-c", "--config", "-x"};
    const char *const *list = manager == INSTALLER_APT ? apt : manager == INSTALLER_APK ? apk : rpm;
    size_t count = manager == INSTALLER_APT   ? ARRAY_COUNT(apt)
                   : manager == INSTALLER_APK ? ARRAY_COUNT(apk)
                                              : ARRAY_COUNT(rpm);

    for (size_t i = 0; i < count; i++) {
        if (shell_word_is(word, list[i]))
            return true;
    }
    return false;
}

/* "-y", "-yqq", "--yes"; apt-get's "-qq" says yes as well. */
static bool says_yes(const struct shell_word *word)
{
    if (shell_word_is(word, "--yes") || shell_word_is(word, "--assume-yes") ||
        shell_word_is(word, "--assumeyes") || shell_word_is(word, "-qq"))
        return true;
    return word->length > 1 && word->text[0] == '-' && word->text[1] != '-' &&
           word->text[1] != 'o' && memchr(word->text, 'y', word->length) != NULL;
}

static void read_option(const struct shell_word *word, struct run_command *command)
{
    if (says_yes(word))
        command->assume_yes = true;
    if (shell_word_is(word, "--no-cache") || shell_word_is(word, "--no-cache-dir") ||
        shell_word_starts_with(word, "--no-cache-dir="))
        command->no_cache = true;
    if (shell_word_is(word, "--no-install-recommends") ||
        shell_word_has(word, "Install-Recommends") || shell_word_has(word, "install_weak_deps"))
        command->no_recommends = true;
}

static enum package_verb find_verb(enum installer manager, const struct shell_word *word)
{
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        if (verbs[i].manager == manager && shell_word_is(word, verbs[i].word))
            return verbs[i].verb;
    }
    return VERB_OTHER;
}

static void read_words(size_t from, struct run_command *command)
{
    const struct shell_command *shell = command->shell;
    bool has_verb = false;

    for (size_t i = from; i < shell->count; i++) {
        const struct shell_word *word = &shell->words[i];

        if (is_option(word)) {
            read_option(word, command);
            if (takes_value(command->manager, word) && i + 1 < shell->count)
                read_option(&shell->words[++i], command);
        } else if (!has_verb) {
            has_verb = true;
            command->verb = find_verb(command->manager, word);
            command->operands = i + 1;
        } else if (shell_word_has(word, "$")) {
            command->has_variables = true;
        }
    }
}

static void run_command_read(const struct shell_command *shell, struct run_command *ret)
{
    size_t pip;

    *ret = (struct run_command){.shell = shell, .operands = shell->count};
    ret->program = find_program(shell, &ret->sudo);
    if (ret->program == shell->count)
        return;
    pip = python_module_pip(ret);
    ret->manager = pip ? INSTALLER_PIP : find_manager(ret);
    if (ret->manager != INSTALLER_NONE)
        read_words(pip ? pip : ret->program + 1, ret);
}

/* The script of `sh -c SCRIPT`; length 0 when the command is something else. */
static struct shell_word inner_script(const struct run_command *command)
{
    const struct shell_command *shell = command->shell;
    size_t i = command->program;

    if (i >= shell->count || !shell_is_interpreter(&shell->words[i]))
        return (struct shell_word){0};
    for (i++; i + 1 < shell->count && is_option(&shell->words[i]); i++) {
        if (shell->words[i].text[1] != '-' &&
            memchr(shell->words[i].text, 'c', shell->words[i].length))
            return shell_word_unquote(&shell->words[i + 1]);
    }
    return (struct shell_word){0};
}

static void each_command(struct shell_word script, int depth, run_command_f *each, void *argument)
{
    struct shell_cursor cursor;
    struct shell_command shell;

    shell_begin(script.text, script.length, &cursor);
    while (shell_next(&cursor, &shell)) {
        struct run_command command;
        struct shell_word inner;

        run_command_read(&shell, &command);
        each(argument, &command);
        inner = inner_script(&command);
        if (inner.length > 0 && depth < SCRIPT_DEPTH_MAX)
            each_command(inner, depth + 1, each, argument);
    }
}

void run_script_each(const char *text, run_command_f *each, void *argument)
{
    each_command((struct shell_word){text, strlen(text)}, 0, each, argument);
}

static bool is_name_char(char c)
{
    return c == '_' || c == '-' || c == '.' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

/* Does the text hold `word` as a whole: PORT, but not EXPORT or PORTS? */
static bool text_names(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(text, word); at && length > 0; at = strstr(at + 1, word)) {
        if ((at == text || !is_name_char(at[-1])) && !is_name_char(at[length]))
            return true;
    }
    return false;
}

int history_last(const struct facts *facts, enum step_kind kind, const char *word)
{
    for (size_t i = facts->history.count; i-- > 0;) {
        const struct step *step = &facts->history.steps[i];

        if (step->kind == kind && (!word || (step->text && text_names(step->text, word))))
            return (int)i;
    }
    return -1;
}

/* Checks on single steps of history. A RUN step is read command by command and judged as a whole,
 * because it makes one layer: what it cleans up before it ends was never shipped. */
#include "history_checks.h"

#include <string.h>

#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

const char *const history_check_names[] = {
    [CHECK_ADD_LOCAL] = "add-local",
    [CHECK_APK_CACHE] = "apk-cache",
    [CHECK_APT_RECOMMENDS] = "apt-recommends",
    [CHECK_APT_YES] = "apt-yes",
    [CHECK_DIST_UPGRADE] = "dist-upgrade",
    [CHECK_MAINTAINER] = "maintainer",
    [CHECK_PACKAGE_LISTS] = "package-lists",
    [CHECK_PIP_CACHE] = "pip-cache",
    [CHECK_PIPE_SHELL] = "pipe-shell",
    [CHECK_RPM_CACHE] = "rpm-cache",
    [CHECK_SUDO] = "sudo",
    [CHECK_UPDATE_ALONE] = "update-alone",
    [CHECK_ZYPPER_CACHE] = "zypper-cache",
    NULL,
};

static const struct {
    const char *message;
    const char *remedy;
} texts[HISTORY_CHECK_COUNT] = {
    [CHECK_ADD_LOCAL] = {"ADD is used where COPY would do",
                         "Use COPY for files of the build context; ADD unpacks and fetches."},
    [CHECK_APK_CACHE] = {"apk leaves its index in the layer", "Write `apk add --no-cache …`."},
    [CHECK_APT_RECOMMENDS] = {"apt-get installs recommended packages too",
                              "Write `apt-get install --no-install-recommends …`."},
    [CHECK_APT_YES] =
        {"apt-get install is not told to go ahead",
         "Write `apt-get install -y …`, so that the build never waits for an answer."},
    [CHECK_DIST_UPGRADE] = {"the whole distribution is upgraded in a layer",
                            "Build on a newer base instead."},
    [CHECK_MAINTAINER] = {"MAINTAINER is deprecated",
                          "Use the label org.opencontainers.image.authors."},
    [CHECK_PACKAGE_LISTS] = {"apt's package lists stay in the layer",
                             "End the same RUN with `rm -rf /var/lib/apt/lists/*`."},
    [CHECK_PIP_CACHE] = {"pip leaves its cache in the layer",
                         "Write `pip install --no-cache-dir …`, or set PIP_NO_CACHE_DIR=1."},
    [CHECK_PIPE_SHELL] = {"a download is run by a shell unseen",
                          "Download to a file, verify its checksum, then run it."},
    [CHECK_RPM_CACHE] = {"the package manager's cache stays in the layer",
                         "End the same RUN with `dnf clean all` (or that of your tool)."},
    [CHECK_SUDO] = {"sudo is used in the build",
                    "Builds run as root; change users with USER, or step down with setpriv."},
    [CHECK_UPDATE_ALONE] = {"package lists are updated in a layer of their own",
                            "Write `apt-get update && apt-get install …` in one RUN: a cached "
                            "update goes stale."},
    [CHECK_ZYPPER_CACHE] = {"zypper's cache stays in the layer",
                            "End the same RUN with `zypper clean --all`."},
};

const char *history_check_message(enum history_check check)
{
    return texts[check].message;
}

const char *history_check_remedy(enum history_check check)
{
    return texts[check].remedy;
}

/* What a RUN has done so far. */
struct run_state {
    unsigned fails;
    bool dirty[INSTALLER_COUNT]; /* its cache or lists lie about */
    bool updated;                /* apt's lists, and nothing was installed since */
    bool downloads;              /* a command of this pipeline fetches */
    bool pip_no_cache;           /* by the environment */
};

static bool is_download(const struct run_command *command)
{
    return run_command_is(command, "curl") || run_command_is(command, "wget");
}

/* Does this shell or Python read its program from standard input? */
static bool runs_its_input(const struct run_command *command)
{
    const struct shell_command *shell = command->shell;
    size_t at = command->program;
    bool python = run_command_is(command, "python") || run_command_is(command, "python3");

    if (at >= shell->count || (!python && !shell_is_interpreter(&shell->words[at])))
        return false;
    for (size_t i = at + 1; i < shell->count; i++) {
        const struct shell_word *word = &shell->words[i];

        if (shell_word_is(word, "-") || shell_word_is(word, "-s") ||
            shell_word_is(word, "/dev/stdin"))
            return true;
        if (word->text[0] != '-' || python ||
            (word->length > 1 && word->text[1] != '-' && memchr(word->text, 'c', word->length)))
            return false;
    }
    return true;
}

/* `sh -c "$(curl …)"`, `bash <(curl …)`, `eval "$(wget …)"`. */
static bool runs_substitution(const struct run_command *command)
{
    static const char *const forms[] = {"$(curl", "$(wget", "<(curl", "<(wget", "`curl", "`wget"};
    const struct shell_command *shell = command->shell;
    size_t at = command->program;

    if (at >= shell->count ||
        (!shell_is_interpreter(&shell->words[at]) && !run_command_is(command, "eval") &&
         !run_command_is(command, "source") && !run_command_is(command, ".")))
        return false;
    for (size_t i = at + 1; i < shell->count; i++) {
        for (size_t k = 0; k < ARRAY_COUNT(forms); k++) {
            if (shell_word_has(&shell->words[i], forms[k]))
                return true;
        }
    }
    return false;
}

static void watch_pipes(const struct run_command *command, struct run_state *state)
{
    if (!command->shell->piped)
        state->downloads = false;
    if ((command->shell->piped && state->downloads && runs_its_input(command)) ||
        runs_substitution(command))
        state->fails |= CHECK_BIT(CHECK_PIPE_SHELL);
    state->downloads = state->downloads || is_download(command);
}

/* Does the word name the directory of this cache, or one above it that empties it? */
static bool names_cache(const struct shell_word *word, enum installer manager)
{
    static const struct {
        const char *above, *part, *other;
    } caches[INSTALLER_COUNT] = {
        [INSTALLER_APT] = {"/var/lib", "/apt", "{apt"},
        [INSTALLER_APK] = {"/var/cache", "apk", "apk"},
        [INSTALLER_RPM] = {"/var/cache", "yum", "dnf"},
        [INSTALLER_ZYPPER] = {"/var/cache", "zypp", "zypp"},
        [INSTALLER_PIP] = {"/.cache", "/.cache/pip", "pip"},
    };
    const char *above = caches[manager].above;
    const char *found;
    size_t rest;

    if (!above)
        return false;
    found = memmem(word->text, word->length, above, strlen(above));
    if (!found)
        return false;
    rest = word->length - (size_t)(found - word->text) - strlen(above);
    found += strlen(above);
    if (manager != INSTALLER_APT &&
        (rest == 0 || (rest <= 3 && (*found == '/' || *found == '"' || *found == '\'') &&
                       (rest == 1 || found[1] == '*'))))
        return true;
    return (shell_word_has(word, caches[manager].part) ||
            shell_word_has(word, caches[manager].other)) &&
           !shell_word_has(word, "/partial");
}

static void watch_removals(const struct run_command *command, struct run_state *state)
{
    const struct shell_command *shell = command->shell;

    if (!run_command_is(command, "rm") && !run_command_is(command, "find"))
        return;
    for (size_t i = command->program + 1; i < shell->count; i++) {
        for (int manager = INSTALLER_APT; manager < INSTALLER_COUNT; manager++) {
            if (state->dirty[manager] && names_cache(&shell->words[i], (enum installer)manager))
                state->dirty[manager] = false;
        }
    }
}

/* A script may install what the update was for. */
static bool may_install(const struct run_command *command)
{
    const struct shell_word *word;

    if (command->program >= command->shell->count)
        return false;
    word = &command->shell->words[command->program];
    return shell_word_has(word, "/") || shell_word_has(word, ".sh") || shell_word_has(word, "$") ||
           shell_is_interpreter(word) || run_command_is(command, "python3") ||
           run_command_is(command, "npx") || run_command_is(command, ".") ||
           run_command_is(command, "source") || run_command_is(command, "make");
}

static void watch_apt(const struct run_command *command, struct run_state *state)
{
    bool complete = !command->shell->truncated;

    switch (command->verb) {
    case VERB_UPDATE:
        state->updated = true;
        state->dirty[INSTALLER_APT] = true;
        return;
    case VERB_DIST_UPGRADE:
        state->fails |= CHECK_BIT(CHECK_DIST_UPGRADE);
        state->updated = false;
        return;
    case VERB_INSTALL:
        state->updated = false;
        if (complete && !command->assume_yes)
            state->fails |= CHECK_BIT(CHECK_APT_YES);
        if (complete && !command->no_recommends)
            state->fails |= CHECK_BIT(CHECK_APT_RECOMMENDS);
        return;
    case VERB_FETCH:
    case VERB_UPGRADE:
        state->updated = false;
        return;
    case VERB_CLEAN:
        state->dirty[INSTALLER_APT] = false;
        return;
    case VERB_REMOVE:
    case VERB_OTHER:
        return;
    }
}

/* `apk add --virtual .rundeps $runDeps` only marks what is installed already, and fetches nothing.
 */
static bool keeps_clean(const struct run_command *command, const struct run_state *state)
{
    if (command->no_cache || command->shell->truncated)
        return true;
    return command->manager == INSTALLER_PIP
               ? state->pip_no_cache
               : command->manager == INSTALLER_APK && command->verb == VERB_INSTALL &&
                     command->has_variables;
}

/* Managers whose every use fills a cache, unless told otherwise. */
static void watch_cache(const struct run_command *command, struct run_state *state)
{
    bool kept_clean = keeps_clean(command, state);

    switch (command->verb) {
    case VERB_UPDATE:
    case VERB_INSTALL:
    case VERB_UPGRADE:
        if (!kept_clean)
            state->dirty[command->manager] = true;
        return;
    case VERB_DIST_UPGRADE:
        state->fails |= CHECK_BIT(CHECK_DIST_UPGRADE);
        state->dirty[command->manager] = true;
        return;
    case VERB_CLEAN:
        state->dirty[command->manager] = false;
        return;
    case VERB_FETCH:
    case VERB_REMOVE:
    case VERB_OTHER:
        return;
    }
}

static void watch_command(void *argument, const struct run_command *command)
{
    struct run_state *state = argument;

    if (command->sudo)
        state->fails |= CHECK_BIT(CHECK_SUDO);
    watch_pipes(command, state);
    switch (command->manager) {
    case INSTALLER_APT:
        watch_apt(command, state);
        return;
    case INSTALLER_PIP:
        for (size_t i = 0; i < command->program; i++)
            if (shell_word_starts_with(&command->shell->words[i], "PIP_NO_CACHE_DIR="))
                return;
        watch_cache(command, state);
        return;
    case INSTALLER_APK:
    case INSTALLER_RPM:
    case INSTALLER_ZYPPER:
        watch_cache(command, state);
        return;
    case INSTALLER_NONE:
    case INSTALLER_COUNT:
        break;
    }
    watch_removals(command, state);
    if (may_install(command))
        state->updated = false;
}

/* Images that switch off Docker's clean-up of apt do so to use cache mounts, which history does not
 * show: whether the lists are in the layer cannot be told then. */
static bool uses_cache_mounts(const struct facts *facts)
{
    return history_last(facts, STEP_RUN, "docker-clean") >= 0;
}

static struct history_hits check_run(const struct facts *facts, const struct step *step)
{
    static const enum history_check of_manager[INSTALLER_COUNT] = {
        [INSTALLER_APT] = CHECK_PACKAGE_LISTS, [INSTALLER_APK] = CHECK_APK_CACHE,
        [INSTALLER_RPM] = CHECK_RPM_CACHE,     [INSTALLER_ZYPPER] = CHECK_ZYPPER_CACHE,
        [INSTALLER_PIP] = CHECK_PIP_CACHE,
    };
    struct run_state state = {0};
    struct history_hits hits = {0};

    state.pip_no_cache =
        (facts->config && text_pairs_get(&facts->config->env, "PIP_NO_CACHE_DIR")) ||
        text_pairs_get(&step->args, "PIP_NO_CACHE_DIR");
    run_script_each(step->text, watch_command, &state);
    hits.fails = state.fails;
    if (state.updated)
        hits.fails |= CHECK_BIT(CHECK_UPDATE_ALONE);
    for (int manager = INSTALLER_APT; manager < INSTALLER_COUNT; manager++) {
        if (state.dirty[manager])
            hits.fails |= CHECK_BIT(of_manager[manager]);
    }
    if ((hits.fails & CHECK_BIT(CHECK_PACKAGE_LISTS)) && uses_cache_mounts(facts)) {
        hits.fails &= ~CHECK_BIT(CHECK_PACKAGE_LISTS);
        hits.unknown |= CHECK_BIT(CHECK_PACKAGE_LISTS);
    }
    return hits;
}

static bool is_archive(const struct shell_word *word)
{
    static const char *const ends[] = {".tar",    ".tar.gz", ".tgz",     ".tar.bz2", ".tbz2",
                                       ".tar.xz", ".txz",    ".tar.zst", ".tar.lz",  ".tar.Z"};

    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        size_t length = strlen(ends[i]);

        if (word->length >= length &&
            memcmp(word->text + word->length - length, ends[i], length) == 0)
            return true;
    }
    return false;
}

static bool is_remote(const struct shell_word *word)
{
    return shell_word_has(word, "://") || shell_word_starts_with(word, "git@") ||
           shell_word_has(word, "$");
}

/* The classic builder writes hashes instead of sources: "dir:…" was a directory of the context,
 * "file:…" and "multi:…" may have been archives or downloads. */
static struct history_hits check_add(const struct step *step)
{
    struct history_hits hits = {0};
    struct shell_cursor cursor;
    struct shell_command command;

    shell_begin(step->text, strlen(step->text), &cursor);
    if (!shell_next(&cursor, &command))
        return hits;
    for (size_t i = 0; i + 1 < command.count; i++) {
        const struct shell_word *word = &command.words[i];

        if (shell_word_starts_with(word, "--") || shell_word_is(word, "in"))
            continue;
        if (shell_word_starts_with(word, "file:") || shell_word_starts_with(word, "multi:"))
            hits.unknown |= CHECK_BIT(CHECK_ADD_LOCAL);
        else if (!is_remote(word) && !is_archive(word))
            hits.fails |= CHECK_BIT(CHECK_ADD_LOCAL);
    }
    if (hits.fails)
        hits.unknown = 0;
    return hits;
}

struct history_hits history_check_step(const struct facts *facts, const struct step *step)
{
    if (step->kind == STEP_RUN && step->text)
        return check_run(facts, step);
    if (step->kind == STEP_ADD && step->text)
        return check_add(step);
    if (step->kind == STEP_MAINTAINER)
        return (struct history_hits){.fails = CHECK_BIT(CHECK_MAINTAINER)};
    return (struct history_hits){0};
}

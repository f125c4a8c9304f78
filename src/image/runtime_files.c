/* Language runtime, version and build kit by what the layers hold. A variable is inherited, and
 * left out when only a program is copied from another image; what lies in the image is there to be
 * run. What is hidden by a later layer does not count. */
#include "runtime.h"

#include <ctype.h>
#include <string.h>

#include "regwarden/facts_files.h"

enum { RUNTIMES = RUNTIME_STATIC + 1, WORDS_MAX = 12, VERSION_BYTES_MAX = 64 };

/* An interpreter or virtual machine that is visible. */
struct candidate {
    const struct facts_hit *hit;
    bool own; /* in a layer that is known not to be the base's */
};

struct view {
    const struct facts *facts;
    const struct facts_files *files;
    struct candidate interpreters[RUNTIMES];
    bool kits[RUNTIMES];
    const char *words[WORDS_MAX]; /* of entry point and command, in order; not all end with NUL */
    size_t sizes[WORDS_MAX];
    size_t word_count;
    /* the answer */
    enum runtime runtime;
    const struct facts_hit *hit; /* that tells of it; NULL when only its kit does */
};

/* --- what is there --- */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* What starts another program, and is none of the image's own. */
static bool is_wrapper(const char *name, size_t size)
{
    static const char *const wrappers[] = {
        "tini",    "tini-static", "dumb-init", "catatonit", "docker-init", "gosu",    "su-exec",
        "setpriv", "s6-svscan",   "runsvdir",  "dockerize", "envconsul",   "chamber", "sh",
        "bash",    "dash",        "ash",       "env",       "exec",        "nice",    "busybox",
    };

    for (size_t i = 0; i < ARRAY_COUNT(wrappers); i++)
        if (strlen(wrappers[i]) == size && memcmp(wrappers[i], name, size) == 0)
            return true;
    return false;
}

/* The table of signals takes "php*" for PHP: that is "php8.3", and not "phpize". */
static bool is_interpreter(const struct facts_hit *hit)
{
    static const char *const named[] = {"python", "ruby", "php"};
    const char *name = base_of(hit->path);

    if (text_starts_with(name, "php-fpm"))
        name += strlen("php-fpm") - strlen("php");
    for (size_t i = 0; i < ARRAY_COUNT(named); i++) {
        if (!text_equal(hit->what, named[i]))
            continue;
        name += strlen(named[i]);
        return name[strspn(name, ".0123456789")] == '\0';
    }
    return true;
}

static void add_interpreter(struct view *view, const struct facts_hit *hit)
{
    struct candidate *candidate = &view->interpreters[hit->runtime];
    bool own = facts_layer_origin(view->facts, hit->layer) == ORIGIN_OWN;

    if (hit->runtime == RUNTIME_UNKNOWN || !is_interpreter(hit))
        return;
    if (!candidate->hit || (own && !candidate->own) ||
        (own == candidate->own && strverscmp(hit->path, candidate->hit->path) > 0))
        candidate->hit = hit;
    candidate->own = candidate->own || own;
}

static void look_at_hits(struct view *view)
{
    for (size_t i = 0; i < view->files->hit_count; i++) {
        const struct facts_hit *hit = &view->files->hits[i];
        if (hit->visible_files == 0)
            continue;
        if (hit->kind == SIGNAL_RUNTIME)
            add_interpreter(view, hit);
        if (hit->kind == SIGNAL_COMPILER || hit->kind == SIGNAL_SDK)
            view->kits[hit->runtime] = true;
    }
}

/* JRuby runs in Java: that is not what the image is made for. */
static void forget_carriers(struct view *view)
{
    const struct facts_hit *ruby = view->interpreters[RUNTIME_RUBY].hit;

    if (ruby && text_equal(ruby->what, "jruby"))
        view->interpreters[RUNTIME_JAVA] = (struct candidate){0};
}

static bool is_there(const struct view *view, enum runtime runtime)
{
    return view->interpreters[runtime].hit || view->kits[runtime];
}

/* --- the command --- */

static void add_word(struct view *view, const char *word, size_t size)
{
    if (size == 0 || view->word_count == WORDS_MAX)
        return;
    view->words[view->word_count] = word;
    view->sizes[view->word_count++] = size;
}

static void add_words(struct view *view, const struct text_list *command, bool shell)
{
    for (size_t i = 0; i + shell < command->count; i++)
        add_word(view, command->items[i], strlen(command->items[i]));
    if (!shell || command->count == 0)
        return;
    for (const char *at = command->items[command->count - 1]; *at;) {
        size_t size = strcspn(at, " \t\n;");
        add_word(view, at, size);
        at += size + strspn(at + size, " \t\n;");
    }
}

static bool ends_with(const char *path, const char *word, size_t size)
{
    size_t length = strlen(path);

    return length >= size && memcmp(path + length - size, word, size) == 0;
}

/* "/app", "app" in a directory of programs, "./app" in the working directory. */
static bool names(const struct view *view, const char *path, const char *word, size_t size)
{
    const char *directory = view->facts->config->working_dir;
    size_t length = strlen(path);

    if (word[0] == '/')
        return length == size - 1 && memcmp(path, word + 1, size - 1) == 0;
    if (!memchr(word, '/', size))
        return text_equal(base_of(path), path)
                   ? length == size && memcmp(path, word, size) == 0
                   : strlen(base_of(path)) == size && memcmp(base_of(path), word, size) == 0 &&
                         strstr(path, "bin/");
    if (size > 2 && memcmp(word, "./", 2) == 0) {
        word += 2;
        size -= 2;
    }
    directory += strspn(directory, "/");
    return ends_with(path, word, size) && text_starts_with(path, directory) &&
           length - size <= strlen(directory) + 1;
}

static const struct facts_hit *program_of(const struct view *view, const char *word, size_t size)
{
    for (size_t i = 0; i < view->files->hit_count; i++) {
        const struct facts_hit *hit = &view->files->hits[i];
        if (hit->kind == SIGNAL_BINARY && hit->visible_files > 0 &&
            names(view, hit->path, word, size))
            return hit;
    }
    return NULL;
}

static bool choose(struct view *view, enum runtime runtime, const struct facts_hit *hit)
{
    view->runtime = runtime;
    view->hit = hit;
    return true;
}

/* --- what decides --- */

/* The first word of entry point and command that is something we know: `tini -- node x.js`. */
static bool by_command(struct view *view)
{
    for (size_t i = 0; i < view->word_count; i++) {
        const char *word = view->words[i];
        size_t size = view->sizes[i];
        const char *slash = memrchr(word, '/', size);
        const char *name = slash ? slash + 1 : word;
        enum runtime runtime = runtime_of_program(word, size);
        const struct facts_hit *hit;
        if (word[0] == '-' || is_wrapper(name, size - (size_t)(name - word)))
            continue;
        if (runtime != RUNTIME_UNKNOWN && view->interpreters[runtime].hit)
            return choose(view, runtime, view->interpreters[runtime].hit);
        hit = program_of(view, word, size);
        if (hit && hit->runtime != RUNTIME_UNKNOWN)
            return choose(view, hit->runtime, hit);
    }
    return false;
}

/* An interpreter that the image's own layers bring, when it is the only one. Node is often put
 * beside another one as a tool. */
static bool by_own_layers(struct view *view)
{
    enum runtime said = view->facts->runtime.runtime, found = RUNTIME_UNKNOWN;

    for (unsigned i = RUNTIME_NODE; i < RUNTIMES; i++) {
        if (!view->interpreters[i].own || (i == RUNTIME_NODE && said != RUNTIME_UNKNOWN &&
                                           said != RUNTIME_NODE && is_there(view, said)))
            continue;
        if (found != RUNTIME_UNKNOWN)
            return false;
        found = (enum runtime)i;
    }
    return found != RUNTIME_UNKNOWN && choose(view, found, view->interpreters[found].hit);
}

/* What the variables say, when it is there. */
static bool by_environment(struct view *view)
{
    enum runtime said = view->facts->runtime.runtime;

    return said != RUNTIME_UNKNOWN && is_there(view, said) &&
           choose(view, said, view->interpreters[said].hit);
}

/* The largest file of the image is a program that needs nothing else. */
static bool by_largest_file(struct view *view)
{
    const struct facts_files *files = view->files;

    for (size_t i = 0; files->largest_count > 0 && i < files->hit_count; i++) {
        const struct facts_hit *hit = &files->hits[i];
        if (hit->kind == SIGNAL_BINARY && hit->visible_files > 0 &&
            text_equal(hit->path, files->largest[0].path))
            return hit->runtime != RUNTIME_UNKNOWN && choose(view, hit->runtime, hit);
    }
    return false;
}

/* The only interpreter, unless all that is known of it is that the base has it. */
static bool by_presence(struct view *view)
{
    enum runtime found = RUNTIME_UNKNOWN;

    for (unsigned i = RUNTIME_NODE; i < RUNTIMES; i++) {
        const struct facts_hit *hit = view->interpreters[i].hit;
        if (!hit || facts_layer_origin(view->facts, hit->layer) == ORIGIN_BASE)
            continue;
        if (found != RUNTIME_UNKNOWN)
            return false;
        found = (enum runtime)i;
    }
    return found != RUNTIME_UNKNOWN && choose(view, found, view->interpreters[found].hit);
}

/* The order in which it is decided what an image with several runtimes is made for: the first that
 * tells something. When none does, what environment and history said stays. */
static bool (*const order[])(struct view *view) = {
    by_command, by_own_layers, by_environment, by_largest_file, by_presence,
};

/* --- version and kit --- */

/* Digits and dots from here on. */
static void copy_version(const char *from, char ret[static VERSION_BYTES_MAX])
{
    size_t size = strspn(from, ".0123456789");

    if (size == 0 || size >= VERSION_BYTES_MAX || !isdigit((unsigned char)*from))
        return;
    memcpy(ret, from, size);
    ret[size] = '\0';
}

/* "usr/lib/jvm/java-21-openjdk-amd64/bin/java", "usr/local/openjdk-11/…" */
static void java_version(const char *path, char ret[static VERSION_BYTES_MAX])
{
    static const char *const before[] = {"java-", "openjdk-", "jdk-", "jre-", "jdk", "temurin-"};

    for (size_t i = 0; i < ARRAY_COUNT(before) && !*ret; i++) {
        const char *found = strstr(path, before[i]);
        if (found)
            copy_version(found + strlen(before[i]), ret);
    }
}

static void file_version(const struct facts_hit *hit, char ret[static VERSION_BYTES_MAX])
{
    const char *name = base_of(hit->path);

    *ret = '\0';
    if (hit->runtime == RUNTIME_GO && hit->detail && text_starts_with(hit->detail, "go"))
        copy_version(hit->detail + 2, ret);
    else if (hit->runtime == RUNTIME_JAVA)
        java_version(hit->path, ret);
    else if (hit->kind == SIGNAL_RUNTIME)
        copy_version(name + strcspn(name, "0123456789"), ret);
}

/* A variable is more exact than a path, unless it is of something else. */
static bool agrees(const char *said, const char *seen)
{
    size_t size = strlen(seen);
    const char *found = strstr(said, seen);

    return size == 0 || (found && !isdigit((unsigned char)found[size]) &&
                         (found == said || !isdigit((unsigned char)found[-1])));
}

static void set_version(const struct view *view, struct facts_runtime *ret)
{
    char seen[VERSION_BYTES_MAX] = "";

    if (ret->runtime != view->runtime) {
        free(ret->version);
        ret->version = NULL;
    }
    if (view->hit)
        file_version(view->hit, seen);
    if (ret->version && agrees(ret->version, seen))
        return;
    free(ret->version);
    ret->version = *seen ? memory_copy_text(seen) : NULL;
}

static void set_kit(const struct view *view, struct facts_runtime *ret)
{
    if (view->kits[ret->runtime])
        ret->sdk = ANSWER_YES;
    else if (view->files->complete)
        ret->sdk = ANSWER_NO;
}

void runtime_find_in_files(const struct facts_files *files, struct facts *facts)
{
    struct view view = {.facts = facts, .files = files};
    struct facts_runtime *ret = &facts->runtime;

    if (!facts->config)
        return;
    /* Known facts are given the group anew when more of the layers can be read: what those that
     * were read before told is forgotten. */
    free(ret->version);
    *ret = (struct facts_runtime){0};
    runtime_find(facts->config, &facts->history, ret);
    look_at_hits(&view);
    forget_carriers(&view);
    add_words(&view, &facts->config->entrypoint, facts->config->entrypoint_is_shell);
    add_words(&view, &facts->config->cmd, facts->config->cmd_is_shell);
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        if (!order[i](&view))
            continue;
        set_version(&view, ret);
        if (ret->runtime != view.runtime)
            ret->sdk = ANSWER_UNKNOWN;
        ret->runtime = view.runtime;
        ret->evidence = EVIDENCE_LAYERS;
        break;
    }
    if (ret->runtime != RUNTIME_UNKNOWN)
        set_kit(&view, ret);
}

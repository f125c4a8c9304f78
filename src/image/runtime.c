/* Language runtime, version and build kit, from signals in const tables. Environment variables are
 * inherited and can be set by anybody; a compiled program from a multi-stage build has none: then
 * the answer is unknown, and the files decide. */
#include "runtime.h"

#include <string.h>

/* In order of precedence: the first variable that is set decides when no command does. A JRuby
 * image has Java's variables too, and node is often put beside another runtime as a tool. */
static const struct {
    const char *variable;
    enum runtime runtime;
    bool is_version;
    enum answer sdk;
} variables[] = {
    {.variable = "JRUBY_VERSION",
     .runtime = RUNTIME_RUBY,
     .is_version = true,
     .sdk = ANSWER_UNKNOWN},
    {.variable = "DOTNET_VERSION", .runtime = RUNTIME_DOTNET, .is_version = true, .sdk = ANSWER_NO},
    {.variable = "ASPNET_VERSION", .runtime = RUNTIME_DOTNET, .is_version = true, .sdk = ANSWER_NO},
    {.variable = "DOTNET_SDK_VERSION",
     .runtime = RUNTIME_DOTNET,
     .is_version = true,
     .sdk = ANSWER_YES},
    {.variable = "DOTNET_RUNNING_IN_CONTAINER",
     .runtime = RUNTIME_DOTNET,
     .is_version = false,
     .sdk = ANSWER_UNKNOWN},
    {.variable = "GOLANG_VERSION", .runtime = RUNTIME_GO, .is_version = true, .sdk = ANSWER_YES},
    {.variable = "RUST_VERSION", .runtime = RUNTIME_RUST, .is_version = true, .sdk = ANSWER_YES},
    {.variable = "RUSTUP_HOME", .runtime = RUNTIME_RUST, .is_version = false, .sdk = ANSWER_YES},
    {.variable = "PHP_VERSION", .runtime = RUNTIME_PHP, .is_version = true, .sdk = ANSWER_UNKNOWN},
    {.variable = "RUBY_VERSION",
     .runtime = RUNTIME_RUBY,
     .is_version = true,
     .sdk = ANSWER_UNKNOWN},
    {.variable = "PYPY_VERSION",
     .runtime = RUNTIME_PYTHON,
     .is_version = true,
     .sdk = ANSWER_UNKNOWN},
    {.variable = "PYTHON_VERSION",
     .runtime = RUNTIME_PYTHON,
     .is_version = true,
     .sdk = ANSWER_UNKNOWN},
    {.variable = "JAVA_VERSION",
     .runtime = RUNTIME_JAVA,
     .is_version = true,
     .sdk = ANSWER_UNKNOWN}, /* the same in JDK and JRE images */
    {.variable = "MAVEN_HOME", .runtime = RUNTIME_JAVA, .is_version = false, .sdk = ANSWER_YES},
    {.variable = "GRADLE_HOME", .runtime = RUNTIME_JAVA, .is_version = false, .sdk = ANSWER_YES},
    {.variable = "JAVA_HOME", .runtime = RUNTIME_JAVA, .is_version = false, .sdk = ANSWER_UNKNOWN},
    {.variable = "CATALINA_HOME",
     .runtime = RUNTIME_JAVA,
     .is_version = false,
     .sdk = ANSWER_UNKNOWN},
    {.variable = "NODE_VERSION",
     .runtime = RUNTIME_NODE,
     .is_version = true,
     .sdk = ANSWER_UNKNOWN},
};

static const struct {
    const char *program; /* without directory and trailing version digits */
    enum runtime runtime;
} programs[] = {
    {.program = "node", .runtime = RUNTIME_NODE},
    {.program = "nodejs", .runtime = RUNTIME_NODE},
    {.program = "npm", .runtime = RUNTIME_NODE},
    {.program = "npx", .runtime = RUNTIME_NODE},
    {.program = "yarn", .runtime = RUNTIME_NODE},
    {.program = "pnpm", .runtime = RUNTIME_NODE},
    {.program = "python", .runtime = RUNTIME_PYTHON},
    {.program = "pypy", .runtime = RUNTIME_PYTHON},
    {.program = "gunicorn", .runtime = RUNTIME_PYTHON},
    {.program = "uvicorn", .runtime = RUNTIME_PYTHON},
    {.program = "flask", .runtime = RUNTIME_PYTHON},
    {.program = "celery", .runtime = RUNTIME_PYTHON},
    {.program = "java", .runtime = RUNTIME_JAVA},
    {.program = "catalina.sh", .runtime = RUNTIME_JAVA},
    {.program = "jshell", .runtime = RUNTIME_JAVA},
    {.program = "dotnet", .runtime = RUNTIME_DOTNET},
    {.program = "ruby", .runtime = RUNTIME_RUBY},
    {.program = "irb", .runtime = RUNTIME_RUBY},
    {.program = "bundle", .runtime = RUNTIME_RUBY},
    {.program = "rails", .runtime = RUNTIME_RUBY},
    {.program = "puma", .runtime = RUNTIME_RUBY},
    {.program = "jruby", .runtime = RUNTIME_RUBY},
    {.program = "php", .runtime = RUNTIME_PHP},
    {.program = "php-fpm", .runtime = RUNTIME_PHP},
    {.program = "docker-php-entrypoint", .runtime = RUNTIME_PHP},
    {.program = "apache2-foreground", .runtime = RUNTIME_PHP},
};

/* In RUN steps, when neither environment nor command said anything. */
static const struct {
    const char *words;
    enum runtime runtime;
    enum answer sdk;
} installs[] = {
    {.words = "dotnet-sdk-", .runtime = RUNTIME_DOTNET, .sdk = ANSWER_YES},
    {.words = "aspnetcore-runtime-", .runtime = RUNTIME_DOTNET, .sdk = ANSWER_NO},
    {.words = "dotnet-runtime-", .runtime = RUNTIME_DOTNET, .sdk = ANSWER_NO},
    {.words = "nodejs.org/dist/", .runtime = RUNTIME_NODE, .sdk = ANSWER_UNKNOWN},
    {.words = " nodejs", .runtime = RUNTIME_NODE, .sdk = ANSWER_UNKNOWN},
    {.words = "go.dev/dl/go", .runtime = RUNTIME_GO, .sdk = ANSWER_YES},
    {.words = "golang.org/dl/go", .runtime = RUNTIME_GO, .sdk = ANSWER_YES},
    {.words = "sh.rustup.rs", .runtime = RUNTIME_RUST, .sdk = ANSWER_YES},
};

/* Which kit a Java image holds is in no variable, but in what was fetched. */
static const struct {
    const char *words;
    enum answer sdk;
} java_kits[] = {
    {.words = "-jdk_", .sdk = ANSWER_YES},       {.words = "-jdk-headless", .sdk = ANSWER_YES},
    {.words = "-jdk=", .sdk = ANSWER_YES},       {.words = "-jdk ", .sdk = ANSWER_YES},
    {.words = "-java-devel", .sdk = ANSWER_YES}, {.words = "-openjdk-devel", .sdk = ANSWER_YES},
    {.words = "-jre_", .sdk = ANSWER_NO},        {.words = "-jre-headless", .sdk = ANSWER_NO},
    {.words = "-jre ", .sdk = ANSWER_NO},        {.words = "-jre=", .sdk = ANSWER_NO},
};

static const char *const removals[] = {"apk del", "purge", "autoremove", "yum remove",
                                       "dnf remove"};

static const char *variable_value(const struct image_config *config, const char *variable)
{
    const char *value = text_pairs_get(&config->env, variable);
    return value && *value ? value : NULL;
}

static bool has_variable_of(const struct image_config *config, enum runtime runtime)
{
    for (size_t i = 0; i < ARRAY_COUNT(variables); i++)
        if (variables[i].runtime == runtime && variable_value(config, variables[i].variable))
            return true;
    return false;
}

enum runtime runtime_of_program(const char *path, size_t size)
{
    for (size_t i = size; i > 0; i--) {
        if (path[i - 1] != '/')
            continue;
        path += i;
        size -= i;
        break;
    }
    while (size > 0 && (path[size - 1] == '.' || (path[size - 1] >= '0' && path[size - 1] <= '9')))
        size--;
    for (size_t i = 0; i < ARRAY_COUNT(programs); i++)
        if (strlen(programs[i].program) == size && memcmp(programs[i].program, path, size) == 0)
            return programs[i].runtime;
    return RUNTIME_UNKNOWN;
}

/* The first words of a command, past wrappers such as tini; in shell form, those of the script. */
static enum runtime runtime_of_command(const struct text_list *command, bool shell)
{
    enum { WORDS_MAX = 4 };
    enum runtime found = RUNTIME_UNKNOWN;
    for (size_t i = 0; i < command->count && i < WORDS_MAX && !found; i++)
        found = runtime_of_program(command->items[i], strlen(command->items[i]));
    if (found || !shell)
        return found;
    const char *script = command->items[command->count - 1];
    for (size_t i = 0; i < WORDS_MAX && *script && !found; i++) {
        size_t size = strcspn(script, " ");
        found = runtime_of_program(script, size);
        script += size + strspn(script + size, " ");
    }
    return found;
}

static enum runtime by_command(const struct image_config *config)
{
    enum runtime found = runtime_of_command(&config->entrypoint, config->entrypoint_is_shell);
    return found ? found : runtime_of_command(&config->cmd, config->cmd_is_shell);
}

static enum runtime by_variables(const struct image_config *config)
{
    for (size_t i = 0; i < ARRAY_COUNT(variables); i++)
        if (variable_value(config, variables[i].variable))
            return variables[i].runtime;
    return RUNTIME_UNKNOWN;
}

static void read_variables(const struct image_config *config, struct facts_runtime *ret)
{
    for (size_t i = 0; i < ARRAY_COUNT(variables); i++) {
        const char *value = variable_value(config, variables[i].variable);
        if (!value || variables[i].runtime != ret->runtime)
            continue;
        if (variables[i].is_version && !ret->version)
            ret->version = memory_copy_text(value);
        if (variables[i].sdk > ret->sdk)
            ret->sdk = variables[i].sdk; /* yes outranks no: the SDK image has both variables */
    }
}

/* A step that removes packages again proves nothing about what is left. */
static bool keeps_packages(const struct step *step)
{
    for (size_t i = 0; i < ARRAY_COUNT(removals); i++)
        if (strstr(step->text, removals[i]))
            return false;
    return true;
}

static void read_installs(const struct step *step, struct facts_runtime *ret)
{
    for (size_t i = 0; i < ARRAY_COUNT(installs); i++) {
        if (!strstr(step->text, installs[i].words))
            continue;
        ret->runtime = installs[i].runtime;
        ret->sdk = installs[i].sdk;
        ret->evidence = EVIDENCE_HISTORY;
        return;
    }
}

static void by_history(const struct facts_history *history, struct facts_runtime *ret)
{
    ret->evidence = EVIDENCE_HISTORY;
    if (history->builder == BUILDER_KO) {
        ret->runtime = RUNTIME_GO;
        ret->sdk = ANSWER_NO;
        return;
    }
    if (history->builder == BUILDER_JIB) {
        ret->runtime = RUNTIME_JAVA;
        return;
    }
    ret->evidence = EVIDENCE_NONE;
    for (size_t i = history->count; i > 0 && !ret->runtime; i--)
        if (history->steps[i - 1].kind == STEP_RUN && keeps_packages(&history->steps[i - 1]))
            read_installs(&history->steps[i - 1], ret);
}

static enum answer java_kit(const struct facts_history *history)
{
    enum answer answer = ANSWER_UNKNOWN;
    for (size_t i = 0; i < history->count; i++) {
        const struct step *step = &history->steps[i];
        if (step->kind != STEP_RUN || !keeps_packages(step))
            continue; /* a kit that the same step takes away again is not in the image */
        for (size_t k = 0; k < ARRAY_COUNT(java_kits); k++)
            if (strstr(step->text, java_kits[k].words) && java_kits[k].sdk > answer)
                answer = java_kits[k].sdk;
    }
    return answer;
}

void runtime_find(const struct image_config *config, const struct facts_history *history,
                  struct facts_runtime *ret)
{
    enum runtime command = by_command(config);
    ret->runtime = by_variables(config);
    /* JRuby's command may be called ruby or java: its variable stands first in the table. */
    if (command && (!ret->runtime || has_variable_of(config, command)) &&
        !variable_value(config, "JRUBY_VERSION"))
        ret->runtime = command;
    if (ret->runtime) {
        ret->evidence = EVIDENCE_ENVIRONMENT;
        read_variables(config, ret);
    } else {
        by_history(history, ret);
    }
    if (ret->runtime == RUNTIME_JAVA && !ret->sdk)
        ret->sdk = java_kit(history);
}

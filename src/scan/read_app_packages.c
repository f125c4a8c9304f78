/* Packages of applications: gems and Java archives by the names of their files, composer's and
 * NuGet's lists by the lines that their writers always write. Nested archives are not opened. */
#include <string.h>

#include "read_lines.h"

static void begin_list(struct read_state *state)
{
    findings_drop_packages(state->findings, state->path);
}

/* "NAME-1.2.3": cut at the first dash in front of a digit. */
static void add_by_name(struct read_state *state, enum package_manager manager, const char *ending)
{
    const char *slash = strrchr(state->path, '/'), *name = slash ? slash + 1 : state->path;
    size_t size = strlen(name) - strlen(ending), cut = 0;

    while (cut < size && !(name[cut] == '-' && name[cut + 1] >= '0' && name[cut + 1] <= '9'))
        cut++;
    if (cut == 0)
        return;
    text_add_bytes(&state->name, name, cut);
    if (cut < size)
        text_add_bytes(&state->version, name + cut + 1, size - cut - 1);
    findings_add_package(state->findings, manager, text_data(&state->name),
                         text_data(&state->version), state->path);
}

/* --- gem --- */

static bool is_gem(const char *path)
{
    return text_ends_with(path, ".gemspec") && strstr(path, "/specifications/");
}

static void end_gem(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    (void)broken;
    add_by_name(state, PACKAGE_GEM, ".gemspec");
}

const struct reader_type reader_gem = {
    .recognises = is_gem, .begin = begin_list, .end = end_gem, .name_only = true};

/* --- Java --- */

static bool is_java(const char *path)
{
    return text_ends_with(path, ".jar");
}

static void end_java(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    (void)broken;
    add_by_name(state, PACKAGE_JAVA, ".jar");
}

const struct reader_type reader_java = {
    .recognises = is_java, .begin = begin_list, .end = end_java, .name_only = true};

/* --- composer: "name" and "version" of each package, at the indentation of the first --- */

static bool is_composer(const char *path)
{
    return text_ends_with(path, "vendor/composer/installed.json");
}

/* The value of `"key": "value"`, cut out of the line, or NULL. */
static char *member(char *line, const char *key)
{
    size_t size = strlen(key);

    if (*line != '"' || strncmp(line + 1, key, size) != 0 ||
        strncmp(line + 1 + size, "\": \"", 4) != 0)
        return NULL;
    char *value = line + size + 5, *end = strchr(value, '"');
    if (!end || end == value || end - value > FINDINGS_TEXT_MAX)
        return NULL;
    *end = '\0';
    return value;
}

static void composer_line(struct read_state *state, char *line)
{
    size_t indent = strspn(line, " ");
    char *value = member(line + indent, "name");

    if (indent > 0 && (state->indent == 0 || state->indent == indent) && value &&
        strchr(value, '/')) {
        state->indent = indent;
        text_clear(&state->name);
        text_add(&state->name, value);
    } else if (indent == state->indent && state->name.length > 0 &&
               (value = member(line + indent, "version"))) {
        findings_add_package(state->findings, PACKAGE_COMPOSER, text_data(&state->name), value,
                             state->path);
        text_clear(&state->name);
    }
}

static void end_lines(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    if (broken)
        findings_limit(state->findings, "a list of packages that is too long, or sparse");
}

const struct reader_type reader_composer = {
    .recognises = is_composer, .begin = begin_list, .line = composer_line, .end = end_lines};

/* --- NuGet: "Name/1.2.3": { and in it "type": "package" --- */

static bool is_nuget(const char *path)
{
    return text_ends_with(path, ".deps.json");
}

static void nuget_line(struct read_state *state, char *line)
{
    char *start = line + strspn(line, " ");
    char *slash = strchr(start, '/'), *end = strstr(start, "\": {");
    const char *type = member(start, "type");

    if (type && strcmp(type, "package") == 0 && state->name.length > 0)
        findings_add_package(state->findings, PACKAGE_NUGET, text_data(&state->name),
                             text_data(&state->version), state->path);
    if (*start != '"' || !end)
        return;
    text_clear(&state->name);
    text_clear(&state->version);
    if (!slash || slash > end || slash == start + 1 || end - start > FINDINGS_TEXT_MAX)
        return;
    text_add_bytes(&state->name, start + 1, (size_t)(slash - start - 1));
    text_add_bytes(&state->version, slash + 1, (size_t)(end - slash - 1));
}

const struct reader_type reader_nuget = {
    .recognises = is_nuget, .begin = begin_list, .line = nuget_line, .end = end_lines};

/* Lists of packages: dpkg, apk, pip and npm. Names and versions only. */
#include <string.h>

#include "read_lines.h"
#include "regwarden/json.h"

void read_state_release(struct read_state *state)
{
    free(state->path);
    text_release(&state->name);
    text_release(&state->version);
    text_release(&state->bytes);
    map_free(state->seen);
}

static void set(struct text *to, const char *value)
{
    value += strspn(value, " \t");
    text_clear(to);
    text_add_bytes(to, value, strnlen(value, FINDINGS_TEXT_MAX));
    while (to->length > 0 && strchr(" \t\r", to->data[to->length - 1]))
        to->data[--to->length] = '\0';
}

/* The value behind `key`, or NULL. */
static const char *value_of(const char *line, const char *key)
{
    size_t size = strlen(key);

    return strncmp(line, key, size) == 0 ? line + size : NULL;
}

static void forget(struct read_state *state)
{
    text_clear(&state->name);
    text_clear(&state->version);
    state->removed = false;
}

static void end_package(struct read_state *state, enum package_manager manager)
{
    if (state->name.length > 0 && !state->removed)
        findings_add_package(state->findings, manager, text_data(&state->name),
                             text_data(&state->version), state->path);
    forget(state);
}

static void begin_list(struct read_state *state)
{
    findings_drop_packages(state->findings, state->path);
}

static void check_bound(struct read_state *state, bool broken)
{
    if (broken)
        findings_limit(state->findings, "a list of packages that is too long, or sparse");
}

/* --- dpkg: one file for all, or one for each in images without a package manager --- */

static bool is_dpkg(const char *path)
{
    const char *name = value_of(path, "var/lib/dpkg/status.d/");

    return strcmp(path, "var/lib/dpkg/status") == 0 ||
           (name && *name && !strchr(name, '/') && !text_ends_with(name, ".md5sums"));
}

static void dpkg_line(struct read_state *state, char *line)
{
    const char *value;

    if (*line == '\0' || strcmp(line, "\r") == 0)
        end_package(state, PACKAGE_DPKG);
    else if ((value = value_of(line, "Package:")))
        set(&state->name, value);
    else if ((value = value_of(line, "Version:")))
        set(&state->version, value);
    else if ((value = value_of(line, "Status:")))
        state->removed = !strstr(value, " installed");
}

static void end_dpkg(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    end_package(state, PACKAGE_DPKG);
    check_bound(state, broken);
}

const struct reader_type reader_dpkg = {
    .recognises = is_dpkg, .begin = begin_list, .line = dpkg_line, .end = end_dpkg};

/* --- apk --- */

static bool is_apk(const char *path)
{
    return strcmp(path, "lib/apk/db/installed") == 0 ||
           strcmp(path, "usr/lib/apk/db/installed") == 0;
}

static void apk_line(struct read_state *state, char *line)
{
    const char *value;

    if (*line == '\0')
        end_package(state, PACKAGE_APK);
    else if ((value = value_of(line, "P:")))
        set(&state->name, value);
    else if ((value = value_of(line, "V:")))
        set(&state->version, value);
}

static void end_apk(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    end_package(state, PACKAGE_APK);
    check_bound(state, broken);
}

const struct reader_type reader_apk = {
    .recognises = is_apk, .begin = begin_list, .line = apk_line, .end = end_apk};

/* --- pip: the head of METADATA, up to the first empty line --- */

static bool is_pip(const char *path)
{
    return text_ends_with(path, ".dist-info/METADATA") ||
           text_ends_with(path, ".egg-info/PKG-INFO") ||
           (text_ends_with(path, ".egg-info") && strstr(path, "-packages/"));
}

static void pip_line(struct read_state *state, char *line)
{
    const char *value;

    if (state->over)
        return;
    if (*line == '\0' || strcmp(line, "\r") == 0)
        state->over = true;
    else if ((value = value_of(line, "Name:")))
        set(&state->name, value);
    else if ((value = value_of(line, "Version:")))
        set(&state->version, value);
}

static void end_pip(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    (void)broken; /* the head was read; what may follow is prose */
    end_package(state, PACKAGE_PIP);
}

const struct reader_type reader_pip = {
    .recognises = is_pip, .begin = begin_list, .line = pip_line, .end = end_pip};

/* --- npm: node_modules/NAME/package.json, node_modules/@SCOPE/NAME/package.json --- */

/* Where the name begins, or NULL. */
static const char *npm_name(const char *path, size_t *ret_size)
{
    static const char folder[] = "node_modules/", file[] = "/package.json";
    const char *name = NULL, *at = path;

    if (!text_ends_with(path, file))
        return NULL;
    while ((at = strstr(at, folder))) {
        bool whole_part = at == path || at[-1] == '/';
        at += strlen(folder);
        name = whole_part ? at : name;
    }
    if (!name || strlen(name) <= strlen(file))
        return NULL;
    *ret_size = strlen(name) - strlen(file);
    const char *slash = memchr(name, '/', *ret_size);
    bool plain = !slash && *name != '@' && *name != '.';
    bool scoped =
        slash && *name == '@' && !memchr(slash + 1, '/', *ret_size - (size_t)(slash + 1 - name));
    return plain || scoped ? name : NULL;
}

static bool is_npm(const char *path)
{
    size_t size;

    return npm_name(path, &size) != NULL;
}

static void end_npm(struct read_state *state, const struct text *whole, bool broken)
{
    static const struct json_limits limits = {
        .max_bytes = 256 * 1024, .max_depth = 32, .max_values = 10000};
    AUTO_JSON struct json *json = NULL;
    size_t size = 0;
    const char *name = npm_name(state->path, &size);
    const char *version = "";

    if (!broken && json_parse(text_data(whole), whole->length, &limits, &json, NULL) == 0)
        version = json_get_string(json, "version");
    text_add_bytes(&state->name, name, size < FINDINGS_TEXT_MAX ? size : FINDINGS_TEXT_MAX);
    set(&state->version, version ? version : "");
    end_package(state, PACKAGE_NPM);
}

const struct reader_type reader_npm = {.recognises = is_npm, .begin = begin_list, .end = end_npm};

/* passwd, group, shadow and os-release, line by line, as container runtimes read them. */
#include <string.h>

#include "read_lines.h"

static char *trim(char *line)
{
    line += strspn(line, " \t\r\v\f");
    size_t size = strlen(line);
    while (size > 0 && strchr(" \t\r\v\f", line[size - 1]))
        line[--size] = '\0';
    return line;
}

/* Cuts the next field off; "" when there is none. */
static char *field(char **line)
{
    static char empty[] = "";
    char *ret = *line ? strsep(line, ":") : NULL;

    return ret ? ret : empty;
}

/* As runtimes read a number here: what is none is 0, what does not fit is the largest. */
static uint32_t number(const char *text)
{
    bool negative = *text == '-';
    uint64_t value = 0;

    text += *text == '-' || *text == '+';
    if (!*text || text[strspn(text, "0123456789")])
        return 0;
    for (; *text; text++)
        if (value <= UINT32_MAX)
            value = value * 10 + (uint64_t)(*text - '0');
    if (value > UINT32_MAX || (negative && value > 0))
        return UINT32_MAX;
    return (uint32_t)value;
}

static void end_file(struct read_state *state, enum layer_file file, bool broken)
{
    findings_set_file(state->findings, file, broken ? LAYER_FILE_UNREAD : LAYER_FILE_READ,
                      broken ? "it is too long, or sparse" : NULL);
}

/* --- passwd --- */

static bool is_passwd(const char *path)
{
    return strcmp(path, layer_file_path(LAYER_FILE_PASSWD)) == 0;
}

static void begin_passwd(struct read_state *state)
{
    findings_clear_users(state->findings);
}

static void passwd_line(struct read_state *state, char *line)
{
    struct layer_user user;

    line = trim(line);
    if (!*line)
        return;
    user.name = field(&line);
    field(&line); /* the password's place */
    user.uid = number(field(&line));
    user.gid = number(field(&line));
    field(&line); /* the full name */
    user.home = field(&line);
    user.shell = field(&line);
    findings_add_user(state->findings, &user);
}

static void end_passwd(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    end_file(state, LAYER_FILE_PASSWD, broken);
}

const struct reader_type reader_passwd = {
    .recognises = is_passwd, .begin = begin_passwd, .line = passwd_line, .end = end_passwd};

/* --- group --- */

static bool is_group(const char *path)
{
    return strcmp(path, layer_file_path(LAYER_FILE_GROUP)) == 0;
}

static void begin_group(struct read_state *state)
{
    findings_clear_groups(state->findings);
}

static void group_line(struct read_state *state, char *line)
{
    struct layer_group group;

    line = trim(line);
    if (!*line)
        return;
    group.name = field(&line);
    field(&line);
    group.gid = number(field(&line));
    group.members = field(&line);
    findings_add_group(state->findings, &group);
}

static void end_group(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    end_file(state, LAYER_FILE_GROUP, broken);
}

const struct reader_type reader_group = {
    .recognises = is_group, .begin = begin_group, .line = group_line, .end = end_group};

/* --- shadow: only who needs no password; the hashes are not kept --- */

static bool is_shadow(const char *path)
{
    return strcmp(path, layer_file_path(LAYER_FILE_SHADOW)) == 0;
}

static void begin_shadow(struct read_state *state)
{
    text_list_release(&findings_facts(state->findings)->empty_passwords);
}

static void shadow_line(struct read_state *state, char *line)
{
    char *name;

    line = trim(line);
    name = field(&line);
    if (*name && line && *line == ':')
        findings_add_empty_password(state->findings, name);
}

static void end_shadow(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    end_file(state, LAYER_FILE_SHADOW, broken);
}

const struct reader_type reader_shadow = {
    .recognises = is_shadow, .begin = begin_shadow, .line = shadow_line, .end = end_shadow};

/* --- os-release --- */

static bool is_etc(const struct read_state *state)
{
    return strcmp(state->path, layer_file_path(LAYER_FILE_OS_RELEASE)) == 0;
}

static bool is_os_release(const char *path)
{
    return strcmp(path, layer_file_path(LAYER_FILE_OS_RELEASE)) == 0;
}

static bool is_usr_os_release(const char *path)
{
    return strcmp(path, layer_file_path(LAYER_FILE_USR_OS_RELEASE)) == 0;
}

static void begin_os_release(struct read_state *state)
{
    const struct layer_facts *facts = findings_facts(state->findings);

    /* what stands in etc/ counts, whichever comes first */
    state->over = !is_etc(state) && facts->files[LAYER_FILE_OS_RELEASE].state == LAYER_FILE_READ;
    if (!state->over)
        text_pairs_release(&findings_facts(state->findings)->os_release);
}

static char *unquote(char *value)
{
    size_t size = strlen(value);

    if (size >= 2 && (*value == '"' || *value == '\'') && value[size - 1] == *value) {
        value[size - 1] = '\0';
        value++;
    }
    return value;
}

static void os_release_line(struct read_state *state, char *line)
{
    static const char *const wanted[] = {
        "ID",          "ID_LIKE", "VERSION_ID", "VERSION_CODENAME", "NAME",
        "PRETTY_NAME", "VERSION", "VARIANT_ID", "BUILD_ID",
    };
    struct text_pairs *pairs = &findings_facts(state->findings)->os_release;
    char *value = trim(line), *key = strsep(&value, "=");

    if (!value || state->over)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        AUTO_TEXT struct text printed = {0};
        if (strcmp(key, wanted[i]) != 0 || text_pairs_get(pairs, key))
            continue;
        value = unquote(value);
        value[strnlen(value, FINDINGS_TEXT_MAX)] = '\0';
        layer_path_print(&printed, value);
        text_pairs_add(pairs, key, text_data(&printed));
    }
}

static void end_os_release(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    end_file(state, is_etc(state) ? LAYER_FILE_OS_RELEASE : LAYER_FILE_USR_OS_RELEASE, broken);
}

const struct reader_type reader_os_release = {.recognises = is_os_release,
                                              .begin = begin_os_release,
                                              .line = os_release_line,
                                              .end = end_os_release};
const struct reader_type reader_usr_os_release = {.recognises = is_usr_os_release,
                                                  .begin = begin_os_release,
                                                  .line = os_release_line,
                                                  .end = end_os_release};

/* passwd, group, shadow and os-release, line by line, as container runtimes read them. */
#include <string.h>

#include "read_lines.h"

/* Go trims all that Unicode calls white space: who is read by name must not hide behind a blank
 * that others do not see as one. */
static const char *const blanks[] = {
    " ",
    "\t",
    "\r",
    "\v",
    "\f",
    "\xc2\x85",
    "\xc2\xa0",
    "\xe1\x9a\x80",
    "\xe2\x80\x80",
    "\xe2\x80\x81",
    "\xe2\x80\x82",
    "\xe2\x80\x83",
    "\xe2\x80\x84",
    "\xe2\x80\x85",
    "\xe2\x80\x86",
    "\xe2\x80\x87",
    "\xe2\x80\x88",
    "\xe2\x80\x89",
    "\xe2\x80\x8a",
    "\xe2\x80\xa8",
    "\xe2\x80\xa9",
    "\xe2\x80\xaf",
    "\xe2\x81\x9f",
    "\xe3\x80\x80",
};

/* Bytes of the blank that the text begins or ends with; 0 when there is none. */
static size_t blank_at(const char *text, bool end)
{
    for (size_t i = 0; i < ARRAY_COUNT(blanks); i++)
        if (end ? text_ends_with(text, blanks[i]) : text_starts_with(text, blanks[i]))
            return strlen(blanks[i]);
    return 0;
}

static char *trim(char *line)
{
    size_t blank;

    while ((blank = blank_at(line, false)) > 0)
        line += blank;
    while ((blank = blank_at(line, true)) > 0)
        line[strlen(line) - blank] = '\0';
    return line;
}

/* Cuts the next field off; "" when there is none. */
static char *field(char **line)
{
    static char empty[] = "";
    char *ret = *line ? strsep(line, ":") : NULL;

    return ret ? ret : empty;
}

/* As runtimes read a number here: what is none is 0, what does not fit 64 bits is the largest or
 * smallest, and of these the lower 32 bits count: 4294967296 is root. */
static uint32_t number(const char *text)
{
    bool negative = *text == '-';
    uint64_t max = (uint64_t)INT64_MAX + negative, value = 0;

    text += *text == '-' || *text == '+';
    if (!*text || text[strspn(text, "0123456789")])
        return 0;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        value = value > (max - digit) / 10 ? max : value * 10 + digit;
    }
    return (uint32_t)(negative ? 0 - value : value);
}

static void end_file(struct read_state *state, enum layer_file file, bool broken)
{
    findings_set_file(state->findings, file, broken ? LAYER_FILE_UNREAD : LAYER_FILE_READ,
                      broken ? "it is too long, sparse, or no text" : NULL);
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
    /* The password's place: nothing in it means that none is asked for. */
    user.no_password = line && !*field(&line);
    user.uid = number(field(&line));
    user.gid = number(field(&line));
    field(&line); /* the full name */
    user.home = field(&line);
    user.shell = field(&line);
    state->over = !findings_add_user(state->findings, &user) || state->over;
}

static void end_passwd(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    end_file(state, LAYER_FILE_PASSWD, broken || state->over);
}

const struct reader_type reader_passwd = {.recognises = is_passwd,
                                          .begin = begin_passwd,
                                          .line = passwd_line,
                                          .end = end_passwd,
                                          .exact = true};

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
    state->over = !findings_add_group(state->findings, &group) || state->over;
}

static void end_group(struct read_state *state, const struct text *whole, bool broken)
{
    (void)whole;
    end_file(state, LAYER_FILE_GROUP, broken || state->over);
}

const struct reader_type reader_group = {.recognises = is_group,
                                         .begin = begin_group,
                                         .line = group_line,
                                         .end = end_group,
                                         .exact = true};

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

const struct reader_type reader_shadow = {.recognises = is_shadow,
                                          .begin = begin_shadow,
                                          .line = shadow_line,
                                          .end = end_shadow,
                                          .exact = true};

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

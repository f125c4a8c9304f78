/* The file of the AWS tools (~/.aws/credentials): sections, settings, comments. It opens nothing.
 * Indented lines belong to the setting above them and are passed over, as the tools nest there what
 * is not needed here. */
#include "credentials.h"

enum { LINE_MAX_BYTES = 32 * 1024, SHOWN_MAX = 60 };

struct line {
    const char *start;
    size_t size;
    unsigned number;
};

struct section {
    const char *profile;
    bool is_ours;
    bool was_found;
    struct aws_keys *credentials; /* being filled */
};

static void trim(struct line *line)
{
    while (line->size > 0 && strchr(" \t\r", line->start[line->size - 1]))
        line->size--;
    while (line->size > 0 && (line->start[0] == ' ' || line->start[0] == '\t')) {
        line->start++;
        line->size--;
    }
}

static bool line_is(const struct line *line, const char *word)
{
    return line->size == strlen(word) && memcmp(line->start, word, line->size) == 0;
}

static int fault(const struct line *line, struct error *err, const char *message)
{
    return error_set(err, FAILURE_INPUT, "line %u: %s", line->number, message);
}

static bool is_profile(struct line name, const char *profile)
{
    static const char prefix[] = "profile";
    size_t size = sizeof(prefix) - 1;

    trim(&name);
    if (line_is(&name, profile))
        return true;
    if (name.size <= size || memcmp(name.start, prefix, size) != 0 ||
        !strchr(" \t", name.start[size]))
        return false;
    name.start += size;
    name.size -= size;
    trim(&name);
    return line_is(&name, profile);
}

static int take_section(struct section *section, const struct line *line, struct error *err)
{
    const char *close = memchr(line->start, ']', line->size);
    struct line rest;

    if (!close)
        return fault(line, err, "the section's name has no end");
    rest = (struct line){close + 1, line->size - (size_t)(close + 1 - line->start), line->number};
    trim(&rest);
    if (rest.size > 0 && rest.start[0] != '#' && rest.start[0] != ';')
        return fault(line, err, "something stands behind the section's name");
    section->is_ours =
        is_profile((struct line){line->start + 1, (size_t)(close - line->start) - 1, line->number},
                   section->profile);
    section->was_found = section->was_found || section->is_ours;
    return 0;
}

/* Where the value is kept; NULL: it is not one of ours. */
static char **field_of(struct aws_keys *credentials, const struct line *name)
{
    if (line_is(name, "aws_access_key_id"))
        return &credentials->access_key_id;
    if (line_is(name, "aws_secret_access_key"))
        return &credentials->secret_access_key;
    if (line_is(name, "aws_session_token"))
        return &credentials->session_token;
    return NULL;
}

static int take_setting(struct section *section, const struct line *line, struct error *err)
{
    const char *equals = memchr(line->start, '=', line->size);
    struct line name;
    struct line value;
    char **field;

    if (!equals)
        return fault(line, err, "expected [section] or name = value");
    name = (struct line){line->start, (size_t)(equals - line->start), line->number};
    value = (struct line){equals + 1, line->size - name.size - 1, line->number};
    trim(&name);
    trim(&value);
    field = section->is_ours ? field_of(section->credentials, &name) : NULL;
    if (!field || value.size == 0)
        return 0;
    if (*field)
        return fault(line, err, "this setting stands twice in the section");
    *field = memory_copy_bytes(value.start, value.size);
    return 0;
}

static int take_line(struct section *section, struct line line, struct error *err)
{
    bool is_indented = line.size > 0 && (line.start[0] == ' ' || line.start[0] == '\t');

    if (line.size > LINE_MAX_BYTES)
        return fault(&line, err, "the line is too long");
    trim(&line);
    if (line.size == 0 || line.start[0] == '#' || line.start[0] == ';' || is_indented)
        return 0;
    if (memchr(line.start, '\0', line.size))
        return fault(&line, err, "the line holds a NUL");
    return line.start[0] == '[' ? take_section(section, &line, err)
                                : take_setting(section, &line, err);
}

static int read_lines(const char *bytes, size_t size, struct section *section, struct error *err)
{
    const char *end = bytes + size;
    unsigned number = 1;
    int rc = 0;

    for (const char *at = bytes; at < end && rc == 0; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        rc = take_line(section, (struct line){at, (size_t)(stop - at), number}, err);
        at = stop + 1;
    }
    return rc;
}

int aws_keys_from_file(const char *bytes, size_t size, const char *profile, struct aws_keys *ret,
                       struct error *err)
{
    AUTO_AWS_KEYS struct aws_keys credentials = {0};
    AUTO_FREE char *shown = text_printable(profile, SHOWN_MAX);
    struct section section = {.profile = profile, .credentials = &credentials};
    int rc = read_lines(bytes, size, &section, err);

    if (rc < 0)
        return rc;
    if (!section.was_found)
        return error_set(err, FAILURE_ABSENT, "there is no section [%s]", shown);
    rc = aws_keys_check(&credentials, err);
    if (rc < 0) {
        (void)error_wrap(err, "section [%s]", shown);
        return error_hint(err, "it needs aws_access_key_id and aws_secret_access_key; a role to "
                               "assume is the setting aws.role-arn");
    }
    *ret = credentials;
    credentials = (struct aws_keys){0};
    return 0;
}

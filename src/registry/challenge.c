/* The grammar of WWW-Authenticate: several challenges in one line, quoted values that hold commas,
 * token68 credentials. It does not decide which challenge is answered. */
#include "challenge.h"

#include <stdbool.h>

#include "regwarden/text.h"

struct cursor {
    const char *at;
};

static bool is_tchar(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_blanks(struct cursor *cursor)
{
    while (*cursor->at == ' ' || *cursor->at == '\t')
        cursor->at++;
}

static void skip_separators(struct cursor *cursor)
{
    while (*cursor->at == ' ' || *cursor->at == '\t' || *cursor->at == ',')
        cursor->at++;
}

/* Returns new; NULL when there is no token here. */
static char *read_token(struct cursor *cursor)
{
    const char *start = cursor->at;

    while (is_tchar(*cursor->at))
        cursor->at++;
    if (cursor->at == start)
        return NULL;
    return memory_copy_bytes(start, (size_t)(cursor->at - start));
}

/* Behind the opening quote. Returns new; NULL when the closing one is missing. */
static char *read_quoted(struct cursor *cursor)
{
    AUTO_TEXT struct text value = {0};

    for (; *cursor->at != '"'; cursor->at++) {
        if (*cursor->at == '\\')
            cursor->at++;
        if (*cursor->at == '\0')
            return NULL;
        text_add_char(&value, *cursor->at);
    }
    cursor->at++;
    return text_take(&value);
}

/* Is the rest, up to a comma or the end, a token68 ("abc==")? Steps over it then. */
static bool skip_token68(struct cursor *cursor)
{
    const char *c = cursor->at;

    while ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
           (*c && strchr("-._~+/", *c)))
        c++;
    if (c == cursor->at)
        return false;
    while (*c == '=')
        c++;
    while (*c == ' ' || *c == '\t')
        c++;
    if (*c && *c != ',')
        return false;
    cursor->at = c;
    return true;
}

static char **field_of(struct challenge *challenge, const char *name)
{
    if (text_equal_nocase(name, "realm"))
        return &challenge->realm;
    if (text_equal_nocase(name, "service"))
        return &challenge->service;
    if (text_equal_nocase(name, "scope"))
        return &challenge->scope;
    if (text_equal_nocase(name, "error"))
        return &challenge->error;
    return NULL;
}

/* Behind the name: "= value". */
static int read_parameter(struct cursor *cursor, struct challenge *challenge, const char *name,
                          struct error *err)
{
    AUTO_FREE char *value = NULL;
    char **field = field_of(challenge, name);

    cursor->at++;
    skip_blanks(cursor);
    if (*cursor->at == '"') {
        cursor->at++;
        value = read_quoted(cursor);
    } else {
        value = read_token(cursor);
    }
    if (!value)
        return error_set(err, FAILURE_INPUT, "a parameter of WWW-Authenticate has no value");
    skip_blanks(cursor);
    if (*cursor->at && *cursor->at != ',')
        return error_set(err, FAILURE_INPUT,
                         "parameters of WWW-Authenticate are not separated by commas");
    if (!field)
        return 0;
    if (*field)
        return error_set(err, FAILURE_INPUT, "WWW-Authenticate names a parameter twice");
    *field = TAKE(value);
    return 0;
}

static void lower(char *text)
{
    for (; *text; text++) {
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
    }
}

/* Behind the scheme's name. */
static int begin_challenge(struct cursor *cursor, struct challenges *challenges, char **scheme,
                           struct error *err)
{
    if (challenges->count >= CHALLENGES_MAX)
        return error_set(err, FAILURE_INPUT, "WWW-Authenticate offers too many schemes");
    lower(*scheme);
    challenges->items[challenges->count++] = (struct challenge){.scheme = TAKE(*scheme)};
    if (*cursor->at != ' ' && *cursor->at != '\t')
        return 0;
    skip_blanks(cursor);
    /* Credentials of the other kind ("Negotiate abc==") say nothing to us. */
    (void)skip_token68(cursor);
    return 0;
}

/* A challenge's beginning or one more parameter of the last. */
static int read_item(struct cursor *cursor, struct challenges *challenges, unsigned *parameters,
                     struct error *err)
{
    AUTO_FREE char *name = read_token(cursor);
    struct cursor behind = *cursor;

    if (!name)
        return error_set(err, FAILURE_INPUT, "WWW-Authenticate cannot be read");
    skip_blanks(&behind);
    if (*behind.at != '=')
        return begin_challenge(cursor, challenges, &name, err);
    if (challenges->count == 0)
        return error_set(err, FAILURE_INPUT, "WWW-Authenticate has a parameter but no scheme");
    if (++*parameters > CHALLENGE_PARAMETERS_MAX)
        return error_set(err, FAILURE_INPUT, "WWW-Authenticate has too many parameters");
    *cursor = behind;
    return read_parameter(cursor, &challenges->items[challenges->count - 1], name, err);
}

static int parse_line(struct challenges *challenges, const char *header, struct error *err)
{
    struct cursor cursor = {.at = header};
    unsigned parameters = 0;

    for (skip_separators(&cursor); *cursor.at; skip_separators(&cursor)) {
        int rc = read_item(&cursor, challenges, &parameters, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static void release_challenge(struct challenge *challenge)
{
    free(challenge->scheme);
    free(challenge->realm);
    free(challenge->service);
    free(challenge->scope);
    free(challenge->error);
    *challenge = (struct challenge){0};
}

int challenges_parse(struct challenges *challenges, const char *header, struct error *err)
{
    struct challenges line = {0};
    int rc;

    if (strlen(header) > CHALLENGE_HEADER_MAX)
        return error_set(err, FAILURE_INPUT, "WWW-Authenticate is too long");
    rc = parse_line(&line, header, err);
    if (rc == 0 && line.count > CHALLENGES_MAX - challenges->count)
        rc = error_set(err, FAILURE_INPUT, "WWW-Authenticate offers too many schemes");
    if (rc < 0) {
        challenges_release(&line);
        return rc;
    }
    for (size_t i = 0; i < line.count; i++)
        challenges->items[challenges->count++] = line.items[i];
    return 0;
}

const struct challenge *challenges_find(const struct challenges *challenges, const char *scheme)
{
    for (size_t i = 0; i < challenges->count; i++) {
        if (text_equal(challenges->items[i].scheme, scheme))
            return &challenges->items[i];
    }
    return NULL;
}

void challenges_release(struct challenges *challenges)
{
    for (size_t i = 0; i < challenges->count; i++)
        release_challenge(&challenges->items[i]);
    challenges->count = 0;
}

/* Secrets whose looks are more than a prefix and a run of characters: JWTs, private keys, passwords
 * in addresses, docker's logins. */
#include <string.h>

#include "secret_formats.h"

/* Three parts of base64url with dots, the first two of them JSON objects ("eyJ"). */
bool secret_jwt_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    enum { PART_MIN = 10 };
    /* Only at the start of a run: otherwise each dash in a long run would measure it again. */
    if (strncmp(scan->text + at, "eyJ", 3) != 0 ||
        (at > 0 && secret_set_has(SET_WORD, scan->text[at - 1])))
        return false;
    size_t first = secret_run_at(scan, SET_WORD, at);
    size_t second_at = at + first + 1;
    if (first < PART_MIN || scan->text[at + first] != '.' ||
        strncmp(scan->text + second_at, "eyJ", 3) != 0)
        return false;
    size_t second = secret_run_at(scan, SET_WORD, second_at);
    size_t third_at = second_at + second + 1;
    if (second < PART_MIN || scan->text[second_at + second] != '.')
        return false;
    size_t third = secret_run_at(scan, SET_WORD, third_at);
    if (third < PART_MIN)
        return false;
    *ret = (struct secret_match){
        .kind = "jwt", .start = at, .size = third_at + third - at, .weak = true};
    return true;
}

/* Enough of base64, and nothing that stands in templates, patterns and cut examples only. */
static bool is_key_body(const char *body, size_t size)
{
    enum { BODY_MIN = 60 };
    bool has_head = memchr(body, ':', size); /* "Version: 1.2", in front of the key */
    size_t count = 0;

    for (size_t i = 0; i < size; i++) {
        if (strchr("[]<{$%*`", body[i]) || (body[i] == '.' && (!has_head || body[i + 1] == '.')))
            return false;
        count += secret_set_has(SET_BASE64, body[i]);
    }
    return count >= BODY_MIN;
}

/* A private key in PEM armour. Without its end (a text that was cut) it reaches to the end of the
 * text, so that a second search for the end is never needed. */
bool secret_pem_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    static const char begin[] = "-----BEGIN", key[] = "PRIVATE KEY", end[] = "-----END";
    enum { LABEL_MAX = 100 };
    if (strncmp(scan->text + at, begin, strlen(begin)) != 0)
        return false;
    const char *label = scan->text + at + strlen(begin);
    size_t label_size = strspn(label, " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (label_size > LABEL_MAX + strlen(key) || !memmem(label, label_size, key, strlen(key)))
        return false;
    const char *body = label + label_size;
    const char *stop = strstr(body, end);
    size_t size = stop ? (size_t)(stop - (scan->text + at)) : scan->size - at;
    if (!is_key_body(body, size - (size_t)(body - (scan->text + at))))
        return false;
    if (stop)
        size += strlen(end) + strcspn(stop + strlen(end), "-\n\"'\\");
    while (stop && scan->text[at + size] == '-')
        size++;
    *ret = (struct secret_match){.kind = "private-key", .start = at, .size = size, .weak = true};
    return true;
}

static bool is_reference(const char *value, size_t size)
{
    static const char *const words[] = {"pass",  "passwd", "password", "pw",   "pwd",
                                        "token", "secret", "PASSWORD", "PASS", "xxx"};

    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (strlen(words[i]) == size && memcmp(words[i], value, size) == 0)
            return true;
    return size == 0 || *value == '$' || *value == '%' || *value == '<' || *value == '{' ||
           secret_is_repeated(value, size) || memmem(value, size, "****", 4); /* masked before */
}

/* The password of scheme://user:password@host. */
bool secret_url_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    enum { USERINFO_MAX = 512 };
    if (strncmp(scan->text + at, "://", 3) != 0 || at == 0 ||
        !secret_set_has(SET_ALNUM, scan->text[at - 1]))
        return false;
    const char *user = scan->text + at + 3;
    size_t size = 0;
    while (size < USERINFO_MAX && user[size] && !strchr("/?# \t\n\"'<>\\`", user[size]) &&
           user[size] != '@')
        size++;
    const char *colon = memchr(user, ':', size);
    if (user[size] != '@' || !colon)
        return false;
    size_t password = size - (size_t)(colon + 1 - user);
    if (is_reference(colon + 1, password))
        return false;
    *ret = (struct secret_match){.kind = "url-password",
                                 .start = (size_t)(colon + 1 - scan->text),
                                 .size = password,
                                 .weak = true};
    return true;
}

/* "auth": "<base64>" of a docker config file, with its quotes escaped or not. */
bool secret_docker_auth_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    enum { AUTH_MIN = 8 };
    const char *text = scan->text + at;
    if (strncmp(text, "auth", 4) != 0 || at == 0 || scan->text[at - 1] != '"')
        return false;
    const char *value = text + 4;
    value += *value == '\\';
    if (*value++ != '"')
        return false;
    value += strspn(value, " ");
    if (*value++ != ':')
        return false;
    value += strspn(value, " ");
    value += *value == '\\';
    if (*value++ != '"')
        return false;
    size_t start = (size_t)(value - scan->text);
    size_t run = secret_run_at(scan, SET_BASE64, start);
    if (run < AUTH_MIN || (value[run] != '"' && value[run] != '\\'))
        return false;
    *ret = (struct secret_match){.kind = "docker-auth", .start = start, .size = run, .weak = true};
    return true;
}

/* THE table of token formats: those whose looks alone say what they are. Generic values are judged
 * by name in secret_names.c; entropy alone never decides. */
#include <limits.h>
#include <string.h>

#include "secret_scan.h"

/* prefix, then between `min` and `max` characters of `set`; nothing of the set may follow. `inside`
 * is text that must be in the run. */
struct format {
    const char *kind;
    const char *prefix;
    size_t min;
    size_t max;
    const char *inside;
    const char *example_end; /* the ending of documented examples, which are no secrets */
    enum secret_set set;
    bool prefix_stays; /* the prefix is context and no part of the secret */
};

enum { ANY = 1 << 16 };

static const struct format formats[] = {
    {.kind = "aws-access-key",
     .prefix = "AKIA",
     .set = SET_BASE32,
     .min = 16,
     .max = 16,
     .example_end = "EXAMPLE"},
    {.kind = "aws-access-key",
     .prefix = "ASIA",
     .set = SET_BASE32,
     .min = 16,
     .max = 16,
     .example_end = "EXAMPLE"},
    {.kind = "aws-access-key",
     .prefix = "ABIA",
     .set = SET_BASE32,
     .min = 16,
     .max = 16,
     .example_end = "EXAMPLE"},
    {.kind = "aws-access-key",
     .prefix = "ACCA",
     .set = SET_BASE32,
     .min = 16,
     .max = 16,
     .example_end = "EXAMPLE"},
    {.kind = "aws-bedrock-key", .prefix = "ABSK", .set = SET_BASE64, .min = 109, .max = 269},
    {.kind = "github-token", .prefix = "ghp_", .set = SET_ALNUM, .min = 36, .max = 36},
    {.kind = "github-token", .prefix = "gho_", .set = SET_ALNUM, .min = 36, .max = 36},
    {.kind = "github-token", .prefix = "ghu_", .set = SET_ALNUM, .min = 36, .max = 36},
    {.kind = "github-token", .prefix = "ghs_", .set = SET_TOKEN, .min = 36, .max = 2048},
    {.kind = "github-token", .prefix = "ghr_", .set = SET_ALNUM, .min = 36, .max = 76},
    {.kind = "github-token", .prefix = "github_pat_", .set = SET_WORD, .min = 82, .max = 82},
    {.kind = "gitlab-token", .prefix = "glpat-", .set = SET_TOKEN, .min = 20, .max = 310},
    {.kind = "gitlab-token", .prefix = "gldt-", .set = SET_WORD, .min = 20, .max = 64},
    {.kind = "gitlab-token", .prefix = "glrt-", .set = SET_TOKEN, .min = 20, .max = 310},
    {.kind = "gitlab-token", .prefix = "glptt-", .set = SET_HEX, .min = 40, .max = 40},
    {.kind = "gitlab-token", .prefix = "glcbt-", .set = SET_WORD, .min = 20, .max = 64},
    {.kind = "gitlab-token", .prefix = "glsoat-", .set = SET_WORD, .min = 20, .max = 64},
    {.kind = "gitlab-token", .prefix = "GR1348941", .set = SET_WORD, .min = 20, .max = 20},
    {.kind = "slack-token", .prefix = "xoxb-", .set = SET_WORD, .min = 20, .max = 256},
    {.kind = "slack-token", .prefix = "xoxp-", .set = SET_WORD, .min = 20, .max = 256},
    {.kind = "slack-token", .prefix = "xoxa-", .set = SET_WORD, .min = 20, .max = 256},
    {.kind = "slack-token", .prefix = "xapp-", .set = SET_WORD, .min = 20, .max = 256},
    {.kind = "slack-token", .prefix = "xoxe.", .set = SET_TOKEN, .min = 20, .max = 512},
    {.kind = "slack-webhook",
     .prefix = "hooks.slack.com/services/",
     .set = SET_BASE64,
     .min = 40,
     .max = 60},
    {.kind = "google-api-key", .prefix = "AIza", .set = SET_WORD, .min = 35, .max = 35},
    {.kind = "google-oauth-secret", .prefix = "GOCSPX-", .set = SET_WORD, .min = 28, .max = 28},
    {.kind = "stripe-key", .prefix = "sk_live_", .set = SET_ALNUM, .min = 10, .max = 247},
    {.kind = "stripe-key", .prefix = "sk_test_", .set = SET_ALNUM, .min = 10, .max = 247},
    {.kind = "stripe-key", .prefix = "sk_prod_", .set = SET_ALNUM, .min = 10, .max = 247},
    {.kind = "stripe-key", .prefix = "rk_live_", .set = SET_ALNUM, .min = 10, .max = 247},
    {.kind = "stripe-key", .prefix = "rk_test_", .set = SET_ALNUM, .min = 10, .max = 247},
    {.kind = "stripe-key", .prefix = "rk_prod_", .set = SET_ALNUM, .min = 10, .max = 247},
    {.kind = "npm-token", .prefix = "npm_", .set = SET_ALNUM, .min = 36, .max = 36},
    {.kind = "pypi-token",
     .prefix = "pypi-AgEIcHlwaS5vcmc",
     .set = SET_WORD,
     .min = 50,
     .max = 1000},
    {.kind = "rubygems-token", .prefix = "rubygems_", .set = SET_HEX, .min = 48, .max = 48},
    {.kind = "huggingface-token", .prefix = "hf_", .set = SET_ALNUM, .min = 34, .max = 34},
    {.kind = "openai-key",
     .prefix = "sk-",
     .set = SET_WORD,
     .min = 40,
     .max = 300,
     .inside = "T3BlbkFJ"},
    {.kind = "anthropic-key", .prefix = "sk-ant-api03-", .set = SET_WORD, .min = 93, .max = 95},
    {.kind = "anthropic-key", .prefix = "sk-ant-admin01-", .set = SET_WORD, .min = 93, .max = 95},
    {.kind = "sendgrid-key", .prefix = "SG.", .set = SET_TOKEN, .min = 66, .max = 66},
    {.kind = "databricks-token", .prefix = "dapi", .set = SET_HEX, .min = 32, .max = 32},
    {.kind = "digitalocean-token", .prefix = "dop_v1_", .set = SET_HEX, .min = 64, .max = 64},
    {.kind = "digitalocean-token", .prefix = "doo_v1_", .set = SET_HEX, .min = 64, .max = 64},
    {.kind = "digitalocean-token", .prefix = "dor_v1_", .set = SET_HEX, .min = 64, .max = 64},
    {.kind = "shopify-token", .prefix = "shpat_", .set = SET_ALNUM, .min = 32, .max = 32},
    {.kind = "shopify-token", .prefix = "shpca_", .set = SET_ALNUM, .min = 32, .max = 32},
    {.kind = "shopify-token", .prefix = "shppa_", .set = SET_ALNUM, .min = 32, .max = 32},
    {.kind = "shopify-token", .prefix = "shpss_", .set = SET_ALNUM, .min = 32, .max = 32},
    {.kind = "vault-token", .prefix = "hvs.", .set = SET_WORD, .min = 24, .max = 400},
    {.kind = "vault-token", .prefix = "hvb.", .set = SET_WORD, .min = 24, .max = 400},
    {.kind = "pulumi-token", .prefix = "pul-", .set = SET_HEX, .min = 40, .max = 40},
    {.kind = "doppler-token", .prefix = "dp.pt.", .set = SET_ALNUM, .min = 43, .max = 43},
    {.kind = "doppler-token", .prefix = "dp.st.", .set = SET_TOKEN, .min = 40, .max = 80},
    {.kind = "grafana-token", .prefix = "glsa_", .set = SET_WORD, .min = 41, .max = 41},
    {.kind = "grafana-token", .prefix = "glc_", .set = SET_BASE64, .min = 32, .max = 400},
    {.kind = "age-secret-key",
     .prefix = "AGE-SECRET-KEY-1",
     .set = SET_UPPER_ALNUM,
     .min = 58,
     .max = 58},
    {.kind = "linear-key", .prefix = "lin_api_", .set = SET_ALNUM, .min = 40, .max = 40},
    {.kind = "docker-token", .prefix = "dckr_pat_", .set = SET_WORD, .min = 27, .max = 64},
    {.kind = "azure-storage-key",
     .prefix = "AccountKey=",
     .set = SET_BASE64,
     .min = 80,
     .max = 100,
     .prefix_stays = true},
    {.kind = "authorization-header",
     .prefix = "Authorization: Bearer ",
     .set = SET_BEARER,
     .min = 12,
     .max = ANY,
     .prefix_stays = true},
    {.kind = "authorization-header",
     .prefix = "Authorization: Basic ",
     .set = SET_BEARER,
     .min = 12,
     .max = ANY,
     .prefix_stays = true},
    {.kind = "authorization-header",
     .prefix = "Authorization: token ",
     .set = SET_BEARER,
     .min = 12,
     .max = ANY,
     .prefix_stays = true},
};

/* The first letters of the prefixes, and what may follow each: most words are left at the second. A
 * new prefix needs its two letters here; the test of every format says so. */
static const char *const second_letters[UCHAR_MAX + 1] = {
    ['A'] = "KSBCIGcu", ['G'] = "RO", ['S'] = "G",  ['d'] = "aopc", ['g'] = "hil", ['h'] = "ofv",
    ['l'] = "i",        ['n'] = "p",  ['p'] = "yu", ['r'] = "ku",   ['s'] = "kh",  ['x'] = "oa",
};

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool set_has(enum secret_set set, char c)
{
    bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
    switch (set) {
    case SET_ALNUM:
        return digit || lower || upper;
    case SET_UPPER_ALNUM:
        return digit || upper;
    case SET_LOWER_ALNUM:
        return digit || lower;
    case SET_BASE32:
        return upper || (c >= '2' && c <= '7');
    case SET_HEX:
        return digit || (c >= 'a' && c <= 'f');
    case SET_WORD:
        return digit || lower || upper || c == '-' || c == '_';
    case SET_TOKEN:
        return digit || lower || upper || c == '-' || c == '_' || c == '.';
    case SET_BASE64:
        return digit || lower || upper || c == '+' || c == '/' || c == '=';
    case SET_BEARER:
        return digit || lower || upper || (c && strchr("-_.~+/=", c));
    case SECRET_SET_COUNT:
        break;
    }
    return false;
}

void secret_text_init(struct secret_text *scan, const char *text)
{
    *scan = (struct secret_text){.text = text, .size = strlen(text)};
}

/* How many characters of the set stand at `at`. */
static size_t run_at(struct secret_text *scan, enum secret_set set, size_t at)
{
    size_t end = at;
    if (at >= scan->runs[set].start && at < scan->runs[set].end)
        return scan->runs[set].end - at;
    while (set_has(set, scan->text[end]))
        end++;
    scan->runs[set].start = at;
    scan->runs[set].end = end;
    return end - at;
}

/* All of one character, or counted up: a placeholder in a README, not a token. */
static bool is_dummy(const char *text, size_t size)
{
    size_t same = 1;
    while (same < size && text[same] == text[0])
        same++;
    return same == size;
}

static bool matches(struct secret_text *scan, size_t at, const struct format *format,
                    struct secret_match *ret)
{
    size_t prefix = strlen(format->prefix);
    if (strncmp(scan->text + at, format->prefix, prefix) != 0)
        return false;
    const char *body = scan->text + at + prefix;
    size_t run = run_at(scan, format->set, at + prefix);
    if (run > format->min && body[run - 1] == '.')
        run--; /* the full stop of a sentence */
    if (run < format->min || run > format->max || is_dummy(body, run))
        return false;
    if (format->inside && !memmem(body, run, format->inside, strlen(format->inside)))
        return false;
    size_t end = format->example_end ? strlen(format->example_end) : 0;
    if (end > 0 && memcmp(body + run - end, format->example_end, end) == 0)
        return false;
    ret->kind = format->kind;
    ret->start = format->prefix_stays ? at + prefix : at;
    ret->size = at + prefix + run - ret->start;
    return true;
}

/* Three parts of base64url with dots, the first two of them JSON objects ("eyJ"). */
static bool jwt_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    enum { PART_MIN = 10 };
    /* Only at the start of a run: otherwise each dash in a long run would measure it again. */
    if (strncmp(scan->text + at, "eyJ", 3) != 0 ||
        (at > 0 && set_has(SET_WORD, scan->text[at - 1])))
        return false;
    size_t first = run_at(scan, SET_WORD, at);
    size_t second_at = at + first + 1;
    if (first < PART_MIN || scan->text[at + first] != '.' ||
        strncmp(scan->text + second_at, "eyJ", 3) != 0)
        return false;
    size_t second = run_at(scan, SET_WORD, second_at);
    size_t third_at = second_at + second + 1;
    if (second < PART_MIN || scan->text[second_at + second] != '.')
        return false;
    size_t third = run_at(scan, SET_WORD, third_at);
    if (third < PART_MIN)
        return false;
    *ret = (struct secret_match){.kind = "jwt", .start = at, .size = third_at + third - at};
    return true;
}

/* "<digits or letters>{14}.atlasv1.<60 to 70>" */
static bool terraform_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    static const char middle[] = ".atlasv1.";
    enum { HEAD = 14 };
    if (scan->size - at <= HEAD || scan->text[at + HEAD] != '.' ||
        run_at(scan, SET_ALNUM, at) != HEAD ||
        strncmp(scan->text + at + HEAD, middle, strlen(middle)) != 0)
        return false;
    size_t run = run_at(scan, SET_WORD, at + HEAD + strlen(middle));
    if (run < 60 || run > 70)
        return false;
    *ret = (struct secret_match){
        .kind = "terraform-token", .start = at, .size = HEAD + strlen(middle) + run};
    return true;
}

/* A private key in PEM armour. Without its end (a text that was cut) it reaches to the end of the
 * text, so that a second search for the end is never needed. */
static bool pem_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    static const char begin[] = "-----BEGIN", key[] = "PRIVATE KEY", end[] = "-----END";
    enum { LABEL_MAX = 100, BODY_MIN = 64 };
    if (strncmp(scan->text + at, begin, strlen(begin)) != 0)
        return false;
    const char *label = scan->text + at + strlen(begin);
    size_t label_size = strspn(label, " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (label_size > LABEL_MAX + strlen(key) || !memmem(label, label_size, key, strlen(key)))
        return false;
    const char *body = label + label_size;
    const char *stop = strstr(body, end);
    size_t size = stop ? (size_t)(stop - (scan->text + at)) : scan->size - at;
    if (size < (size_t)(body - (scan->text + at)) + BODY_MIN)
        return false;
    if (stop)
        size += strlen(end) + strcspn(stop + strlen(end), "-\n\"'\\");
    while (stop && scan->text[at + size] == '-')
        size++;
    *ret = (struct secret_match){.kind = "private-key", .start = at, .size = size};
    return true;
}

static bool is_reference(const char *value, size_t size)
{
    return size == 0 || *value == '$' || *value == '%' || *value == '<' || *value == '{' ||
           is_dummy(value, size) || memmem(value, size, "****", 4); /* masked before */
}

/* The password of scheme://user:password@host. */
static bool url_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    enum { USERINFO_MAX = 512 };
    if (strncmp(scan->text + at, "://", 3) != 0 || at == 0 || !is_alnum(scan->text[at - 1]))
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
    *ret = (struct secret_match){
        .kind = "url-password", .start = (size_t)(colon + 1 - scan->text), .size = password};
    return true;
}

/* "auth": "<base64>" of a docker config file, with its quotes escaped or not. */
static bool docker_auth_at(struct secret_text *scan, size_t at, struct secret_match *ret)
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
    size_t run = run_at(scan, SET_BASE64, start);
    if (run < AUTH_MIN || (value[run] != '"' && value[run] != '\\'))
        return false;
    *ret = (struct secret_match){.kind = "docker-auth", .start = start, .size = run};
    return true;
}

static bool may_begin_format(const char *text)
{
    const char *second = second_letters[(unsigned char)text[0]];
    return second && text[1] && strchr(second, text[1]);
}

bool secret_format_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    char c = scan->text[at];
    if (c == ':')
        return url_at(scan, at, ret);
    if (c == '-')
        return pem_at(scan, at, ret);
    /* A token does not begin in the middle of a word. */
    if (!is_alnum(c) || (at > 0 && is_alnum(scan->text[at - 1])))
        return false;
    if (may_begin_format(scan->text + at))
        for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
            if (formats[i].prefix[0] == c && matches(scan, at, &formats[i], ret))
                return true;
    return (c == 'e' && jwt_at(scan, at, ret)) || (c == 'a' && docker_auth_at(scan, at, ret)) ||
           terraform_at(scan, at, ret);
}

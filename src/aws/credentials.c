/* Credentials as data, and reading them from JSON and from STS's XML. The file of the AWS tools is
 * read in ini.c. */
#include "credentials.h"

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/json.h"

#include "xml.h"

enum { KEY_ID_MAX = 128, SECRET_MAX = 256, TOKEN_MAX = 16 * 1024, MESSAGE_MAX = 120 };

static const struct json_limits document_limits = {
    .max_bytes = (size_t)64 * 1024, .max_depth = 8, .max_values = 200};

void aws_keys_erase_text(char **text)
{
    if (*text)
        crypto_erase(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void aws_keys_erase(struct text *text)
{
    if (text->data)
        crypto_erase(text->data, text->capacity);
    text_release(text);
}

void aws_keys_release(struct aws_keys *credentials)
{
    aws_keys_erase_text(&credentials->access_key_id);
    aws_keys_erase_text(&credentials->secret_access_key);
    aws_keys_erase_text(&credentials->session_token);
    credentials->expires_ms = 0;
}

void aws_keys_copy(struct aws_keys *to, const struct aws_keys *from)
{
    *to = (struct aws_keys){
        .access_key_id = memory_copy_text(from->access_key_id),
        .secret_access_key = memory_copy_text(from->secret_access_key),
        .session_token = memory_copy_text(from->session_token),
        .expires_ms = from->expires_ms,
    };
}

bool aws_keys_repeated(const struct aws_keys *credentials, const char *text)
{
    if (!credentials || !text)
        return false;
    return (credentials->secret_access_key && strstr(text, credentials->secret_access_key)) ||
           (credentials->session_token && strstr(text, credentials->session_token));
}

static int check_word(const char *what, const char *value, size_t max, struct error *err)
{
    if (!value || !*value)
        return error_set(err, FAILURE_INPUT, "%s is missing", what);
    if (strlen(value) > max)
        return error_set(err, FAILURE_INPUT, "%s is too long", what);
    for (; *value; value++) {
        if (*value <= ' ' || *value > '~')
            return error_set(err, FAILURE_INPUT, "%s holds what cannot be in it", what);
    }
    return 0;
}

int aws_keys_check(const struct aws_keys *credentials, struct error *err)
{
    int rc = check_word("the access key id", credentials->access_key_id, KEY_ID_MAX, err);

    /* It stands in the signature's header between these. */
    if (rc == 0 && strpbrk(credentials->access_key_id, "/,="))
        rc = error_set(err, FAILURE_INPUT, "the access key id holds what cannot be in it");
    if (rc == 0)
        rc = check_word("the secret access key", credentials->secret_access_key, SECRET_MAX, err);
    if (rc == 0 && credentials->session_token)
        rc = check_word("the session token", credentials->session_token, TOKEN_MAX, err);
    return rc;
}

/* The words of a document, borrowed from it. */
struct words {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token;
    const char *expiration;
};

static int take(const struct words *words, struct aws_keys *ret, struct error *err)
{
    struct aws_keys copy = {
        .access_key_id = memory_copy_text(words->access_key_id),
        .secret_access_key = memory_copy_text(words->secret_access_key),
        .session_token = memory_copy_text(words->session_token),
    };
    int rc = aws_keys_check(&copy, err);

    if (rc == 0 && !copy.session_token)
        rc = error_set(err, FAILURE_INPUT, "the session token is missing");
    if (rc == 0 &&
        clock_parse_rfc3339(words->expiration ? words->expiration : "", &copy.expires_ms, NULL) < 0)
        rc = error_set(err, FAILURE_INPUT, "the credentials do not say when they expire");
    if (rc < 0)
        aws_keys_release(&copy);
    else
        *ret = copy;
    return rc;
}

/* "Success" or nothing: anything else is the metadata's way to say that it has none now. */
static int check_code(const struct json *document, struct error *err)
{
    const char *code = json_get_string(document, "Code");
    const char *message = json_get_string(document, "Message");
    AUTO_FREE char *shown = NULL;

    if (!code || text_equal(code, "Success"))
        return 0;
    shown = text_printable(message ? message : code, MESSAGE_MAX);
    return error_set(err, FAILURE_LATER, "there are no credentials now: %s", shown);
}

int aws_keys_from_json(const char *bytes, size_t size, struct aws_keys *ret, struct error *err)
{
    AUTO_JSON struct json *document = NULL;
    int rc;

    if (json_parse(bytes, size, &document_limits, &document, NULL) < 0 ||
        !json_is(document, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "the credentials are not a JSON object");
    rc = check_code(document, err);
    if (rc < 0)
        return rc;
    return take(&(struct words){json_get_string(document, "AccessKeyId"),
                                json_get_string(document, "SecretAccessKey"),
                                json_get_string(document, "Token"),
                                json_get_string(document, "Expiration")},
                ret, err);
}

/* Of one action's answer. NULL: it is not there. */
static const char *sts_word(const struct text_pairs *leaves, const char *action, const char *name)
{
    AUTO_FREE char *path = text_new("%sResponse/%sResult/Credentials/%s", action, action, name);

    return text_pairs_get(leaves, path);
}

static void erase_leaves(struct text_pairs *leaves)
{
    for (size_t i = 0; i < leaves->count; i++)
        crypto_erase(leaves->items[i].value, strlen(leaves->items[i].value));
    text_pairs_release(leaves);
}

int aws_keys_from_sts(const char *bytes, size_t size, struct aws_keys *ret, struct error *err)
{
    static const char *const actions[] = {"AssumeRole", "AssumeRoleWithWebIdentity"};
    struct text_pairs leaves = {0};
    size_t i = 0;
    int rc = xml_read(bytes, size, &leaves, err);

    while (i < ARRAY_COUNT(actions) && !sts_word(&leaves, actions[i], "AccessKeyId"))
        i++;
    if (rc == 0 && i >= ARRAY_COUNT(actions))
        rc = error_set(err, FAILURE_INPUT, "the answer holds no credentials");
    else if (rc == 0)
        rc = take(&(struct words){sts_word(&leaves, actions[i], "AccessKeyId"),
                                  sts_word(&leaves, actions[i], "SecretAccessKey"),
                                  sts_word(&leaves, actions[i], "SessionToken"),
                                  sts_word(&leaves, actions[i], "Expiration")},
                  ret, err);
    erase_leaves(&leaves);
    return rc;
}

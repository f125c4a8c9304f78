/* The metadata of an EC2 instance, version 2: a token first, then the name of the role, then its
 * credentials. Version 1, which answers to anybody who can make us ask, is never used. */
#include "fetch.h"

enum { NAME_LENGTH_MAX = 128, TOKEN_LENGTH_MAX = 1024 };

static bool is_there(const struct config_aws *settings)
{
    (void)settings;
    return true; /* the last one that is tried */
}

/* Returns new. */
static char *address(struct fetch *fetch, const char *path, const char *name)
{
    const char *own = fetch_aws(fetch)->settings->metadata_endpoint;
    const char *base = own ? own : "http://169.254.169.254";
    size_t length = strlen(base);

    return text_new("%.*s%s%s", (int)(length - text_ends_with(base, "/")), base, path, name);
}

static void ask(struct fetch *fetch, const char *name, fetch_answer_f *then)
{
    AUTO_FREE char *url = address(fetch, "/latest/meta-data/iam/security-credentials/", name);

    fetch_ask(fetch,
              &(struct fetch_question){.method = "GET",
                                       .url = url,
                                       .header_name = "X-aws-ec2-metadata-token",
                                       .header_value = *fetch_note(fetch)},
              then);
}

static void on_credentials(struct fetch *fetch, const struct http_response *response)
{
    fetch_take_answer(fetch, response, "the metadata");
}

/* The first line, when it is the name of a role: it becomes part of a path. Returns new. */
static char *role_name(const struct http_response *response)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-";
    size_t length = strspn(response->body, allowed);

    if (length == 0 || length > NAME_LENGTH_MAX || !strchr("\r\n", response->body[length]))
        return NULL;
    return memory_copy_bytes(response->body, length);
}

static void on_role(struct fetch *fetch, const struct http_response *response)
{
    AUTO_FREE char *name = response->status == 200 ? role_name(response) : NULL;
    struct error error = {0};

    if (name) {
        ask(fetch, name, on_credentials);
        return;
    }
    if (response->status != 200 && response->status != 404) {
        fetch_fail_status(fetch, response, "the metadata");
        return;
    }
    (void)error_set(&error, FAILURE_DENIED, "the instance has no role");
    (void)error_hint(&error, "attach an instance profile, or set aws.credentials");
    fetch_fail(fetch, &error);
}

static void on_token(struct fetch *fetch, const struct http_response *response)
{
    size_t length = strspn(response->body, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789-_=+/.");
    struct error error = {0};

    if (response->status != 200) {
        fetch_fail_status(fetch, response, "the metadata, asked for a token,");
        return;
    }
    if (length == 0 || length > TOKEN_LENGTH_MAX || length != response->body_size) {
        (void)error_set(&error, FAILURE_INPUT, "the metadata's token is malformed");
        fetch_fail(fetch, &error);
        return;
    }
    *fetch_note(fetch) = memory_copy_text(response->body);
    ask(fetch, "", on_role);
}

static void begin(struct fetch *fetch)
{
    AUTO_FREE char *url = address(fetch, "/latest/api/token", "");

    fetch_ask(fetch,
              &(struct fetch_question){.method = "PUT",
                                       .url = url,
                                       .header_name = "X-aws-ec2-metadata-token-ttl-seconds",
                                       .header_value = "300"},
              on_token);
}

const struct source source_instance = {
    .name = "the instance's metadata",
    .hint = "outside EC2 set aws.credentials-file; in a container on EC2 the hop limit of the "
            "instance's metadata must be 2 or more",
    .kind = AWS_CREDENTIALS_INSTANCE,
    .is_there = is_there,
    .begin = begin,
};

/* The endpoint that ECS and EKS Pod Identity give to their containers. Its address and where its
 * token lies come from the platform through the environment. */
#include "fetch.h"

#include "endpoint.h"

static bool is_there(const struct config_aws *settings)
{
    (void)settings;
    return getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
           getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
}

static void on_credentials(struct fetch *fetch, const struct http_response *response)
{
    fetch_take_answer(fetch, response, "the endpoint");
}

/* token NULL: none is wanted. */
static void ask(struct fetch *fetch, const char *token)
{
    struct url url = {0};
    struct error error = {0};

    if (endpoint_of_container(getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                              getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), &url, &error) < 0) {
        fetch_fail(fetch, &error);
        return;
    }
    {
        AUTO_FREE char *address = text_new("%s://%s%s", url.scheme, url.host_port, url.path);

        fetch_ask(fetch,
                  &(struct fetch_question){.method = "GET",
                                           .url = address,
                                           .header_name = token ? "Authorization" : NULL,
                                           .header_value = token},
                  on_credentials);
    }
    url_release(&url);
}

static void take_token(struct fetch *fetch, const struct text *bytes)
{
    char *token = memory_copy_bytes(text_data(bytes), bytes->length);

    token[strcspn(token, "\r\n")] = '\0';
    ask(fetch, token);
    aws_keys_erase_text(&token);
}

static void begin(struct fetch *fetch)
{
    const char *path = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    struct error error = {0};

    if (!is_there(NULL)) {
        (void)error_set(&error, FAILURE_INPUT,
                        "$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
                        "$AWS_CONTAINER_CREDENTIALS_FULL_URI are not set");
        (void)error_hint(&error, "ECS and EKS set one of them when the task or the pod has a role");
        fetch_fail(fetch, &error);
        return;
    }
    if (path)
        fetch_read(fetch, path, take_token);
    else
        ask(fetch, getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
}

const struct source source_container = {
    .name = "the container's endpoint",
    .kind = AWS_CREDENTIALS_CONTAINER,
    .is_there = is_there,
    .begin = begin,
};

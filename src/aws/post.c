/* Headers, signature and sending. What an answer means is read elsewhere (answer.c). */
#include "post.h"

#include "endpoint.h"
#include "sigv4.h"

enum { HEADERS_MAX = 8 };

static void add_headers(const struct aws *aws, const struct post *post,
                        const struct aws_keys *credentials, struct text_pairs *headers)
{
    AUTO_FREE char *host = endpoint_host(post->url);
    char time[SIGV4_TIME_SIZE];

    text_pairs_add(headers, "Host", host);
    text_pairs_add(headers, "Content-Type", post->content_type);
    if (post->target)
        text_pairs_add(headers, "X-Amz-Target", post->target);
    if (!credentials)
        return;
    sigv4_time(aws_now_ms(aws), time);
    text_pairs_add(headers, "X-Amz-Date", time);
    if (credentials->session_token)
        text_pairs_add(headers, "X-Amz-Security-Token", credentials->session_token);
}

static void sign(const struct aws *aws, const struct post *post, const struct aws_keys *credentials,
                 struct text_pairs *headers)
{
    struct sigv4_request request = {.method = "POST",
                                    .path = "/",
                                    .headers = headers,
                                    .body = post->body->data,
                                    .body_size = post->body->length};
    struct sigv4_key key = {.access_key_id = credentials->access_key_id,
                            .secret_access_key = credentials->secret_access_key,
                            .time = text_pairs_get(headers, "X-Amz-Date"),
                            .region = aws->region,
                            .service = post->service};
    AUTO_FREE char *authorization = sigv4_authorization(&request, &key);

    text_pairs_add(headers, "Authorization", authorization);
}

static void release_headers(struct text_pairs *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        aws_keys_erase_text(&headers->items[i].value);
    text_pairs_release(headers);
}

uint64_t post_send(struct aws *aws, const struct post *post, const struct aws_keys *credentials,
                   http_done_f *done, void *argument)
{
    struct http_header lines[HEADERS_MAX] = {{0}};
    struct text_pairs headers = {0};
    AUTO_FREE char *url = text_new("%s://%s/", post->url->scheme, post->url->host_port);
    uint64_t id;

    add_headers(aws, post, credentials, &headers);
    if (credentials)
        sign(aws, post, credentials, &headers);
    for (size_t i = 0; i < headers.count && i + 1 < HEADERS_MAX; i++)
        lines[i] = (struct http_header){headers.items[i].key, headers.items[i].value};
    id = http_client_send(aws->http,
                          &(struct http_request){.method = "POST",
                                                 .url = url,
                                                 .headers = lines,
                                                 .body = text_data(post->body),
                                                 .body_size = post->body->length,
                                                 .idle_timeout_ms = post->idle_timeout_ms,
                                                 .total_timeout_ms = post->total_timeout_ms,
                                                 .max_body_bytes = post->max_body_bytes},
                          done, argument);
    release_headers(&headers);
    return id;
}

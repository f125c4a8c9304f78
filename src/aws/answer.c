/* Error documents of JSON services and of STS, and the table of error types. It decides nothing
 * about repeating. */
#include "answer.h"

#include "xml.h"

enum { TYPE_LENGTH_MAX = 96, MESSAGE_MAX = 200 };

static const struct json_limits error_limits = {
    .max_bytes = (size_t)64 * 1024, .max_depth = 16, .max_values = 2000};
static const struct json_limits body_limits = {
    .max_bytes = (size_t)16 * 1024 * 1024, .max_depth = 32, .max_values = 500 * 1000};

enum meaning { MEANS_THROTTLED = 1, MEANS_EXPIRED = 2, MEANS_CLOCK = 4 };

static const struct {
    const char *type;
    enum failure kind;
    unsigned meaning;
} types[] = {
    {"Throttling", FAILURE_LATER, MEANS_THROTTLED},
    {"ThrottlingException", FAILURE_LATER, MEANS_THROTTLED},
    {"ThrottledException", FAILURE_LATER, MEANS_THROTTLED},
    {"RequestThrottled", FAILURE_LATER, MEANS_THROTTLED},
    {"RequestThrottledException", FAILURE_LATER, MEANS_THROTTLED},
    {"TooManyRequestsException", FAILURE_LATER, MEANS_THROTTLED},
    {"RequestLimitExceeded", FAILURE_LATER, MEANS_THROTTLED},
    {"BandwidthLimitExceeded", FAILURE_LATER, MEANS_THROTTLED},
    {"PriorRequestNotComplete", FAILURE_LATER, MEANS_THROTTLED},
    {"SlowDown", FAILURE_LATER, MEANS_THROTTLED},
    {"OverLimit", FAILURE_LATER, MEANS_THROTTLED}, /* SQS: too many messages in flight */
    {"KmsThrottled", FAILURE_LATER, MEANS_THROTTLED},
    {"RequestTimeout", FAILURE_LATER, 0},
    {"RequestTimeoutException", FAILURE_LATER, 0},
    {"IDPCommunicationError", FAILURE_LATER, 0},
    {"ServiceUnavailable", FAILURE_LATER, 0},
    {"ExpiredToken", FAILURE_DENIED, MEANS_EXPIRED},
    {"ExpiredTokenException", FAILURE_DENIED, MEANS_EXPIRED},
    {"InvalidClientTokenId", FAILURE_DENIED, MEANS_EXPIRED},
    {"UnrecognizedClientException", FAILURE_DENIED, MEANS_EXPIRED},
    {"RequestExpired", FAILURE_DENIED, MEANS_CLOCK},
    {"RequestInTheFuture", FAILURE_DENIED, MEANS_CLOCK},
    {"RequestTimeTooSkewed", FAILURE_DENIED, MEANS_CLOCK},
    {"InvalidSignatureException", FAILURE_DENIED, MEANS_CLOCK},
    {"SignatureDoesNotMatch", FAILURE_DENIED, MEANS_CLOCK},
    {"AuthFailure", FAILURE_DENIED, MEANS_CLOCK},
    {"AccessDenied", FAILURE_DENIED, 0},
    {"AccessDeniedException", FAILURE_DENIED, 0},
    {"UnauthorizedOperation", FAILURE_DENIED, 0},
    {"NotAuthorized", FAILURE_DENIED, 0},
    {"IncompleteSignature", FAILURE_DENIED, 0},
    {"InvalidIdentityToken", FAILURE_DENIED, 0},
    {"MissingAuthenticationToken", FAILURE_DENIED, 0},
    {"MissingAuthenticationTokenException", FAILURE_DENIED, 0},
    {"OptInRequired", FAILURE_DENIED, 0},
    {"KmsAccessDenied", FAILURE_DENIED, 0},
    {"QueueDoesNotExist", FAILURE_ABSENT, 0},
    {"NonExistentQueue", FAILURE_ABSENT, 0},
};

/* The document's own name for it, without "com.amazonaws.sqs#" before and ":http://…" behind. */
static char *plain_type(const char *name)
{
    const char *hash = name ? strrchr(name, '#') : NULL;
    const char *start = hash ? hash + 1 : name;
    const char *dot;
    size_t length = start ? strcspn(start, ":") : 0;

    if (length == 0 || length > TYPE_LENGTH_MAX)
        return NULL;
    /* SQS's older names: "AWS.SimpleQueueService.NonExistentQueue". */
    dot = memrchr(start, '.', length);
    if (dot && dot + 1 < start + length) {
        length -= (size_t)(dot + 1 - start);
        start = dot + 1;
    }
    if (strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") < length)
        return NULL;
    return memory_copy_bytes(start, length);
}

static enum failure kind_of_status(int status)
{
    if (status == 401 || status == 403)
        return FAILURE_DENIED;
    if (status == 404)
        return FAILURE_ABSENT;
    if (status == 408 || status == 429 || status >= 500)
        return FAILURE_LATER;
    return FAILURE_INPUT;
}

static enum failure classify(struct answer *answer, int status)
{
    for (size_t i = 0; answer->type && i < ARRAY_COUNT(types); i++) {
        if (!text_equal(types[i].type, answer->type))
            continue;
        answer->is_throttled = types[i].meaning & MEANS_THROTTLED;
        answer->is_expired = types[i].meaning & MEANS_EXPIRED;
        answer->may_be_clock = types[i].meaning & MEANS_CLOCK;
        return types[i].kind;
    }
    if (status == 429)
        answer->is_throttled = true;
    if (answer->type && status < 500 && text_ends_with(answer->type, "NotFoundException"))
        return FAILURE_ABSENT;
    /* 503 is said before the work begins; of the others one cannot know. */
    answer->is_uncertain = status >= 500 && status != 503;
    return kind_of_status(status);
}

static void set_error(const struct http_response *response, const struct aws_keys *credentials,
                      const char *message, struct answer *ret)
{
    enum failure kind = classify(ret, response->status);
    AUTO_TEXT struct text words = {0};

    if (ret->type)
        text_format(&words, ": %s", ret->type);
    if (aws_keys_repeated(credentials, message)) {
        text_add(&words, " (its text is left out: it repeats credentials)");
    } else if (message && *message) {
        AUTO_FREE char *shown = text_printable(message, MESSAGE_MAX);

        text_format(&words, ": %s", shown);
    }
    (void)error_set(&ret->error, kind, "AWS answered %d%s", response->status, text_data(&words));
    /* A clock that is wrong has been set right by then. */
    if (ret->may_be_clock)
        (void)error_hint(&ret->error, "look at the secret access key");
    else if (ret->is_expired)
        (void)error_hint(&ret->error,
                         "look at the access key: AWS does not know it, or not any more");
    if (kind == FAILURE_LATER)
        ret->error.retry_after_ms = http_response_retry_after_ms(response);
}

/* No answer at all. True: it was so. */
static bool is_lost(const struct http_response *response, struct answer *ret)
{
    if (response->error.kind == FAILURE_NONE)
        return false;
    ret->error = response->error;
    ret->is_uncertain = response->sent;
    /* Whether a lost answer matters is known by the caller, not by the method. */
    if (ret->error.kind == FAILURE_UNCERTAIN)
        ret->error.kind = FAILURE_LATER;
    return true;
}

static bool is_success(const struct http_response *response)
{
    return response->status >= 200 && response->status <= 299;
}

void answer_read(const struct http_response *response, const struct aws_keys *credentials,
                 struct answer *ret)
{
    const char *type = http_response_header(response, "x-amzn-errortype");
    const char *message;
    struct error fault = {0};

    *ret = (struct answer){0};
    if (is_lost(response, ret))
        return;
    (void)json_parse(response->body, response->body_size,
                     is_success(response) ? &body_limits : &error_limits, &ret->body, &fault);
    if (is_success(response)) {
        if (fault.kind == FAILURE_LIMIT)
            ret->error = fault;
        else if (!json_is(ret->body, JSON_KIND_OBJECT))
            (void)error_set(&ret->error, FAILURE_INPUT, "AWS answered %d and no JSON object",
                            response->status);
        return;
    }
    if (json_get_string(ret->body, "__type"))
        type = json_get_string(ret->body, "__type");
    else if (!type)
        type = json_get_string(ret->body, "code");
    ret->type = plain_type(type);
    message = json_get_string(ret->body, "message");
    set_error(response, credentials, message ? message : json_get_string(ret->body, "Message"),
              ret);
}

void answer_read_sts(const struct http_response *response, const struct aws_keys *credentials,
                     struct answer *ret)
{
    struct text_pairs leaves = {0};

    *ret = (struct answer){0};
    if (is_lost(response, ret) || is_success(response))
        return;
    (void)xml_read(response->body, response->body_size, &leaves, NULL);
    ret->type = plain_type(text_pairs_get(&leaves, "ErrorResponse/Error/Code"));
    set_error(response, credentials, text_pairs_get(&leaves, "ErrorResponse/Error/Message"), ret);
    text_pairs_release(&leaves);
}

void answer_release(struct answer *answer)
{
    json_release(answer->body);
    free(answer->type);
    *answer = (struct answer){0};
}

/* Amazon ECR's events as EventBridge delivers them: one per body, detail-type "ECR Image Action".
 * Not for SNS or SQS envelopes around them. */
#include "decode.h"

#include "regwarden/http_client.h"

static bool ecr_recognises(const struct hook_message *message)
{
    const struct json *body = message->body;
    return text_equal(json_get_string(body, "source"), "aws.ecr") &&
           json_get_string(body, "detail-type") != NULL;
}

static bool is_account(const char *account)
{
    return account != NULL && strlen(account) == 12 && strspn(account, "0123456789") == 12;
}

static bool is_region(const char *region)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t length = region == NULL ? 0 : strlen(region);
    return length > 0 && length <= 32 && strspn(region, allowed) == length;
}

/* True when `host`, with or without a port, is `wanted`. */
static bool host_is(const char *host, const char *wanted)
{
    size_t length = strlen(wanted);
    return strncasecmp(host, wanted, length) == 0 && (host[length] == '\0' || host[length] == ':');
}

static bool registry_has_host(const struct config_registry *registry, const char *wanted)
{
    struct url url = {0};
    bool found = false;
    if (registry->url != NULL && url_parse(registry->url, &url, NULL) == 0)
        found = host_is(url.host_port, wanted);
    url_release(&url);
    for (size_t i = 0; !found && i < registry->hosts.count; i++)
        found = host_is(registry->hosts.items[i], wanted);
    return found;
}

/* An EventBridge rule may forward events of many accounts and regions: only those of the registry
 * that this hook belongs to are taken. */
static int check_origin(const struct json *body, const struct config_registry *registry,
                        struct error *err)
{
    const char *account = json_get_string(body, "account");
    const char *region = json_get_string(body, "region");
    if (!is_account(account) || !is_region(region))
        return error_set(err, FAILURE_INPUT, "the event has no valid account and region");
    AUTO_FREE char *host = text_new("%s.dkr.ecr.%s.amazonaws.com%s", account, region,
                                    text_starts_with(region, "cn-") ? ".cn" : "");
    if (registry_has_host(registry, host))
        return 0;
    error_set(err, FAILURE_INPUT, "the event is of %s, which is not the registry \"%s\"", host,
              registry->name);
    return error_hint(err, "If it is the same registry, add this host to its \"hosts\".");
}

static int read_detail(const struct json *detail, struct draft *draft, struct error *err)
{
    int r = decode_string(detail, "repository-name", &draft->repository, err);
    if (r == 0)
        r = decode_string(detail, "image-tag", &draft->tag, err);
    if (r == 0)
        r = decode_string(detail, "image-digest", &draft->digest, err);
    if (r == 0)
        draft->media_type = decode_hint(detail, "manifest-media-type");
    return r;
}

static bool action_of(const char *name, enum event_action *ret)
{
    if (text_equal(name, "PUSH"))
        *ret = EVENT_PUSH;
    else if (text_equal(name, "DELETE"))
        *ret = EVENT_DELETE;
    else
        return false;
    return true;
}

/* Pushes and deletes that failed, and actions of other names, are no news. */
static bool is_of_interest(const struct json *detail, enum event_action *ret_action)
{
    return text_equal(json_get_string(detail, "result"), "SUCCESS") &&
           action_of(json_get_string(detail, "action-type"), ret_action);
}

static int decode_action(const struct json *body, const struct config_registry *registry,
                         struct decoded *decoded, struct error *err)
{
    const struct json *detail = json_get(body, "detail");
    struct draft draft = {.source_id = decode_hint(body, "id")};
    if (json_get_string(detail, "result") == NULL || json_get_string(detail, "action-type") == NULL)
        return error_set(err, FAILURE_INPUT, "the event's detail has no result or action");
    if (!is_of_interest(detail, &draft.action)) {
        decoded->ignored++;
        return 0;
    }
    int r = check_origin(body, registry, err);
    if (r == 0)
        r = read_detail(detail, &draft, err);
    if (r == 0)
        decoded_add_event(decoded, &draft);
    return r;
}

static int ecr_decode(const struct hook_message *message, const struct config_registry *registry,
                      struct decoded *ret, struct error *err)
{
    const struct json *body = message->body;
    if (!ecr_recognises(message))
        return error_set(err, FAILURE_INPUT, "it is no event of the source aws.ecr");
    if (!text_equal(json_get_string(body, "detail-type"), "ECR Image Action")) {
        ret->ignored++;
        return 0;
    }
    struct error fault = {0};
    if (decode_action(body, registry, ret, &fault) != 0)
        decoded_add_fault(ret, &fault);
    return 0;
}

const struct decoder decoder_ecr = {
    .name = "ecr",
    .summary = "Amazon ECR through EventBridge",
    .proof = HOOK_PROOF_SECRET,
    .recognises = ecr_recognises,
    .decode = ecr_decode,
};

/* Addresses, messages and batches of SQS (JSON protocol, version 2012-11-05). It sends nothing. */
#include "sqs_wire.h"

#include "regwarden/http_client.h"

#include "sqs.h"

enum { RECEIPT_LENGTH_MAX = 8192, ID_SIZE = 16 };

char *sqs_origin(const char *queue_url)
{
    struct url url = {0};
    char *origin;

    if (url_parse(queue_url, &url, NULL) < 0)
        return NULL;
    origin = text_new("%s://%s", url.scheme, url.host_port);
    url_release(&url);
    return origin;
}

char *sqs_region(const char *queue_url)
{
    struct url url = {0};
    char *region = NULL;

    if (url_parse(queue_url, &url, NULL) < 0)
        return NULL;
    if (text_starts_with(url.host_port, "sqs.")) {
        const char *start = url.host_port + strlen("sqs.");
        size_t size = strcspn(start, ".");

        if (text_starts_with(start + size, ".amazonaws."))
            region = memory_copy_bytes(start, size);
    }
    url_release(&url);
    return region;
}

size_t sqs_message_count(const struct json *answer)
{
    return json_count(json_get(answer, "Messages"));
}

bool sqs_read_message(const struct json *answer, size_t index, struct sqs_message *ret)
{
    const struct json *message = json_at(json_get(answer, "Messages"), index);

    ret->receipt = json_get_string(message, "ReceiptHandle");
    ret->body = json_get_string(message, "Body");
    return ret->body && ret->receipt && *ret->receipt && strlen(ret->receipt) <= RECEIPT_LENGTH_MAX;
}

void sqs_add_entry(struct json *entries, const char *receipt, int visibility_s)
{
    struct json *entry = json_new_object();
    char id[ID_SIZE];

    (void)snprintf(id, sizeof(id), "%zu", json_count(entries));
    json_set_string(entry, "Id", id);
    json_set_string(entry, "ReceiptHandle", receipt);
    if (visibility_s >= 0)
        json_set_integer(entry, "VisibilityTimeout", visibility_s);
    json_append_take(entries, entry);
}

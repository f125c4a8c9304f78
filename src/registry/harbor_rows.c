/* Harbor's lists of artifacts, as rows of images. Pure; the bytes are hostile. */
#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/reference.h"

#include "harbor_api.h"

static int64_t read_time(const struct json *object, const char *key)
{
    const char *text = json_get_string(object, key);
    int64_t ms = 0;

    return text && clock_parse_rfc3339(text, &ms, NULL) == 0 && ms > 0 ? ms : 0;
}

static struct registry_row *add_row(struct harbor_rows *to)
{
    to->items = memory_grow(to->items, to->count, &to->capacity, sizeof(*to->items));
    to->items[to->count] = (struct registry_row){0};
    return &to->items[to->count++];
}

static void add_artifact(struct harbor_rows *to, const struct json *artifact)
{
    const struct json *tags = json_get(artifact, "tags");
    const struct json *labels = json_get(artifact, "labels");
    const char *text = json_get_string(artifact, "digest");
    struct text_list *names = &to->labels[to->label_count++];
    struct digest digest;
    size_t before = to->count;

    /* Nothing could be asked about what has no digest. */
    if (!text || digest_parse_verifiable(text, &digest, NULL) < 0)
        return;
    for (size_t i = 0; i < json_count(labels); i++) {
        const char *name = json_get_string(json_at(labels, i), "name");

        if (name)
            text_list_add(names, name);
    }
    for (size_t i = 0; i < json_count(tags); i++) {
        const struct json *tag = json_at(tags, i);
        const char *name = json_get_string(tag, "name");

        if (name && tag_is_valid(name))
            *add_row(to) = (struct registry_row){.tag = name,
                                                 .digest = digest,
                                                 .labels = names,
                                                 .pushed_ms = read_time(tag, "push_time")};
    }
    if (to->count == before)
        *add_row(to) = (struct registry_row){
            .digest = digest, .labels = names, .pushed_ms = read_time(artifact, "push_time")};
}

int harbor_rows_read(const struct http_response *response, struct harbor_rows *ret,
                     struct error *err)
{
    struct harbor_rows rows = {0};
    size_t count;
    int rc = harbor_read(response, JSON_KIND_ARRAY, &rows.document, err);

    if (rc < 0)
        return rc;
    count = json_count(rows.document);
    rows.labels = memory_new_array(count, sizeof(*rows.labels));
    for (size_t i = 0; i < count; i++)
        add_artifact(&rows, json_at(rows.document, i));
    *ret = rows;
    return 0;
}

void harbor_rows_release(struct harbor_rows *rows)
{
    for (size_t i = 0; i < rows->label_count; i++)
        text_list_release(&rows->labels[i]);
    free(rows->labels);
    free(rows->items);
    json_release(rows->document);
    *rows = (struct harbor_rows){0};
}

/* Where a walk stands, as text: written with each batch, read when the walk goes on. */
#include "sweep.h"

char *sweep_position_write(const struct sweep_position *position)
{
    AUTO_JSON struct json *json = json_new_object();
    struct text text = {0};

    json_set_string(json, "catalogue", position->catalogue);
    json_set_string(json, "repository", position->repository);
    json_set_string(json, "images", position->images);
    if (*position->last)
        json_set_string(json, "last", position->last);
    json_set_integer(json, "repositories", (int64_t)position->repositories);
    json_set_integer(json, "tags", (int64_t)position->tags);
    json_set_integer(json, "wanted", (int64_t)position->wanted);
    json_set_integer(json, "skipped", (int64_t)position->skipped);
    if (position->skipped)
        json_set_string(json, "reason", position->reason);
    json_set_bool(json, "lasting", position->lasting);
    json_write(json, JSON_COMPACT, &text);
    return text_take(&text);
}

static uint64_t count_of(const struct json *json, const char *key)
{
    int64_t count = json_get_integer(json, key, 0);

    return count > 0 ? (uint64_t)count : 0;
}

int sweep_position_read(const char *text, struct sweep_position *ret, struct error *err)
{
    AUTO_JSON struct json *json = NULL;
    const char *last;

    if (json_parse(text, strlen(text), NULL, &json, err) < 0)
        return FAILURE_INPUT;
    last = json_get_string(json, "last");
    *ret = (struct sweep_position){
        .catalogue = memory_copy_text(json_get_string(json, "catalogue")),
        .repository = memory_copy_text(json_get_string(json, "repository")),
        .images = memory_copy_text(json_get_string(json, "images")),
        .repositories = count_of(json, "repositories"),
        .tags = count_of(json, "tags"),
        .wanted = count_of(json, "wanted"),
        .skipped = count_of(json, "skipped"),
        .reason = memory_copy_text(json_get_string(json, "reason")),
        .lasting = json_bool(json_get(json, "lasting"), false),
    };
    snprintf(ret->last, sizeof ret->last, "%s", last ? last : "");
    return 0;
}

void sweep_position_release(struct sweep_position *position)
{
    free(position->catalogue);
    free(position->repository);
    free(position->images);
    free(position->reason);
    *position = (struct sweep_position){0};
}

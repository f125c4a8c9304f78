/* Probes of examples: whoever writes an example names paths and not the ids of what policies ask.
 */
#include "example_image.h"
#include "yaml_json.h"

#include "regwarden/memory.h"
#include "regwarden/probes.h"
#include "regwarden/text.h"

static void add_answer(const struct json *item, const char *id, struct json *to)
{
    AUTO_JSON struct json *over = json_new_object();

    json_set_string(over, "probe", id);
    json_append_take(to, json_overlay(item, over));
}

/* One answer for each probe whose pattern the path matches, as the scan of a layer gives it. */
static struct json *fill(const struct json *items, const struct scan_probes *asked)
{
    struct json *filled = json_new_array();

    for (size_t i = 0; i < json_count(items); i++) {
        struct json *item = json_at(items, i);
        const char *path = json_get_string(item, "path");

        if (json_get(item, "probe") || !path) {
            json_append_take(filled, json_retain(item));
            continue;
        }
        for (size_t k = 0; k < asked->count; k++) {
            if (text_glob_match(asked->items[k].path, path))
                add_answer(item, asked->items[k].id, filled);
        }
    }
    return filled;
}

struct json *example_fill_probes(struct json *facts, const struct policy_set *set)
{
    const struct json *files = json_get(facts, "files");
    AUTO_PROBES struct scan_probes asked = {0};
    AUTO_JSON struct json *over = json_new_object();
    struct json *ids = json_new_array();
    struct json *inner = json_new_object();

    policy_set_probes(set, NULL, &asked);
    for (size_t i = 0; i < asked.count; i++)
        json_append_take(ids, json_new_string(asked.items[i].id));
    json_set_take(inner, "probesAsked", ids);
    json_set_take(inner, "probes", fill(json_get(files, "probes"), &asked));
    json_set_take(over, "files", inner);
    if (!files || json_count(json_get(files, "probesAsked")) > 0)
        return json_retain(facts);
    return json_overlay(facts, over);
}

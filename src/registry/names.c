/* One answer of a list. Pages that follow are asked for elsewhere. */
#include "names.h"

#include "regwarden/json.h"
#include "regwarden/reference.h"

#include "link.h"
#include "location.h"

const struct names_kind names_of_tags = {.key = "tags", .is_name = tag_is_valid};
const struct names_kind names_of_repositories = {.key = "repositories",
                                                 .is_name = repository_is_valid};

/* Old registries send all tags at once, whatever is asked. */
static const struct json_limits page_limits = {
    .max_bytes = NAMES_BYTES_MAX, .max_depth = 8, .max_values = 300000};

int names_read(const struct names_kind *kind, const struct http_response *response,
               struct text_list *ret, struct error *err)
{
    AUTO_JSON struct json *page = NULL;
    const struct json *names;
    int rc = json_parse(response->body, response->body_size, &page_limits, &page, err);

    if (rc < 0)
        return error_wrap(err, "the list cannot be read");
    names = json_get(page, kind->key);
    if (!json_is(page, JSON_KIND_OBJECT) ||
        (names && !json_is(names, JSON_KIND_ARRAY) && !json_is(names, JSON_KIND_NULL)))
        return error_set(err, FAILURE_INPUT, "the list is not one: there is no \"%s\" in it",
                         kind->key);
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_string(json_at(names, i));

        if (name && kind->is_name(name))
            text_list_add(ret, name);
    }
    return 0;
}

static int find_link(const struct http_response *response, char **ret, struct error *err)
{
    *ret = NULL;
    for (size_t i = 0; i < response->headers.count && !*ret; i++) {
        const struct text_pair *header = &response->headers.items[i];

        if (text_equal(header->key, "link") && link_find_next(header->value, ret, err) < 0)
            return err->kind;
    }
    return 0;
}

int names_find_next(const struct registry *registry, const struct exchange_answer *answer,
                    char **ret, struct error *err)
{
    AUTO_FREE char *target = NULL;
    struct url url = {0};
    int rc = find_link(answer->response, &target, err);

    *ret = NULL;
    if (rc < 0 || !target)
        return rc;
    rc = location_resolve(answer->url, target, &url, err);
    if (rc < 0)
        return error_wrap(err, "the link to the next page");
    if (!url_same_origin(&registry->url, &url))
        rc = error_set(err, FAILURE_INPUT, "the next page is said to be on another host, %s",
                       url.host_port);
    else
        *ret = memory_copy_text(url.path);
    url_release(&url);
    return rc;
}

void names_note_catalog(struct registry *registry, const struct exchange_answer *answer)
{
    int status = exchange_status(answer);

    if (!answer->error)
        registry->abilities.catalog = ANSWER_YES;
    else if (status == 404 || status == 405 || status == 501)
        registry->abilities.catalog = ANSWER_NO;
}

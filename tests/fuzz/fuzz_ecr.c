/* Answers of Amazon ECR: tokens, pages, removals, findings; and its hosts. */
#include <stddef.h>
#include <stdint.h>

#include "ecr_host.h"
#include "ecr_read.h"
#include "regwarden/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_token(const struct json *body)
{
    struct ecr_token token = {0};

    /* It becomes a header of every request. */
    if (ecr_read_token(body, &token, NULL) == 0 &&
        (!text_starts_with(token.header, "Basic ") || strpbrk(token.header + 6, " \r\n")))
        abort();
    ecr_token_release(&token);
}

static void read_pages(const struct json *body)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    AUTO_FREE char *cursor = NULL;
    struct ecr_rows rows = {0};
    struct ecr_image image = {0};

    if (ecr_read_repositories(body, &names, NULL) == 0) {
        for (size_t i = 0; i < names.count; i++) {
            if (!repository_is_valid(names.items[i]))
                abort();
        }
    }
    (void)ecr_read_rows(body, &rows, NULL);
    for (size_t i = 0; i < rows.count; i++) {
        if (!digest_is_set(&rows.items[i].digest) ||
            (rows.items[i].tag && !tag_is_valid(rows.items[i].tag)) || rows.items[i].pushed_ms < 0)
            abort();
    }
    if (ecr_read_cursor(body, &cursor, NULL) == 0 && cursor && strpbrk(cursor, " \r\n"))
        abort();
    if (ecr_read_image(body, &image, NULL) == 0 && !digest_is_set(&image.digest))
        abort();
    ecr_rows_release(&rows);
    ecr_image_release(&image);
}

static void read_host(const char *text)
{
    struct ecr_host host;
    struct url url = {0};
    AUTO_FREE char *endpoint = NULL;

    if (!ecr_host_parse(text, &host))
        return;
    endpoint = ecr_host_endpoint(&host, NULL);
    if (url_parse(endpoint, &url, NULL) < 0 || strcmp(url.path, "/") != 0)
        abort();
    url_release(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = memory_copy_bytes(data, size);
    AUTO_JSON struct json *body = NULL;
    AUTO_JSON struct json *report = json_new_object();
    struct error error = {0};

    read_host(text);
    if (json_parse(text, size, NULL, &body, NULL) < 0)
        return 0;
    read_token(body);
    read_pages(body);
    if (ecr_read_removal(body, &error) != 0 && error.text[0] == '\0')
        abort();
    if (ecr_read_findings(body, report, NULL) == 0 && !json_get(report, "imageScanStatus"))
        abort();
    return 0;
}

/* Reading the answers of Amazon ECR about images and repositories. Those of its scanner are in
 * ecr_findings.c. */
#include "ecr_read.h"

#include <math.h>

#include "regwarden/crypto.h"
#include "regwarden/http_client.h"
#include "regwarden/reference.h"

enum { HEADER_MAX = 16 * 1024, CODE_MAX = 48, REASON_MAX = 200 };
#define SECONDS_MAX 253402300799.0 /* end of the year 9999 */

/* --- GetAuthorizationToken --- */

void ecr_token_release(struct ecr_token *token)
{
    if (token->header)
        crypto_erase(token->header, strlen(token->header));
    free(token->header);
    free(token->proxy_host);
    *token = (struct ecr_token){0};
}

/* Seconds since 1970, with a fraction. */
static int64_t read_time(const struct json *object, const char *key)
{
    double seconds = json_real(json_get(object, key), 0);

    return isfinite(seconds) && seconds > 0 && seconds <= SECONDS_MAX ? (int64_t)(seconds * 1000)
                                                                      : 0;
}

static bool is_base64(const char *text)
{
    return *text && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789+/=_-")] == '\0';
}

int ecr_read_token(const struct json *body, struct ecr_token *ret, struct error *err)
{
    const struct json *data = json_at(json_get(body, "authorizationData"), 0);
    const char *token = json_get_string(data, "authorizationToken");
    const char *proxy = json_get_string(data, "proxyEndpoint");
    struct url url = {0};
    int rc;

    if (!token || strlen(token) > HEADER_MAX || !is_base64(token))
        return error_set(err, FAILURE_INPUT, "the answer holds no token");
    rc = proxy ? url_parse(proxy, &url, err) : 0;
    if (rc < 0) {
        (void)error_wrap(err, "the registry that the token is for");
        return rc;
    }
    *ret = (struct ecr_token){.header = text_new("Basic %s", token),
                              .expires_ms = read_time(data, "expiresAt"),
                              .proxy_host = TAKE(url.host_port)};
    url_release(&url);
    return 0;
}

/* --- pages --- */

int ecr_read_cursor(const struct json *body, char **ret, struct error *err)
{
    const struct json *value = json_get(body, "nextToken");
    const char *cursor = json_string(value);

    *ret = NULL;
    if (json_is(value, JSON_KIND_NONE) || json_is(value, JSON_KIND_NULL))
        return 0;
    if (!cursor || strlen(cursor) > ECR_CURSOR_MAX)
        return error_set(err, FAILURE_INPUT, "the next page is not named in a way that is known");
    for (const char *c = cursor; *c; c++) {
        if (*c < '!' || *c > '~')
            return error_set(err, FAILURE_INPUT, "the name of the next page is not printable");
    }
    if (*cursor)
        *ret = memory_copy_text(cursor);
    return 0;
}

static int read_array(const struct json *body, const char *key, const struct json **ret,
                      struct error *err)
{
    *ret = json_get(body, key);
    if (!json_is(*ret, JSON_KIND_ARRAY))
        return error_set(err, FAILURE_INPUT, "there is no \"%s\" in the answer", key);
    if (json_count(*ret) > ECR_ROWS_MAX)
        return error_set(err, FAILURE_LIMIT, "the answer has more than %d rows", ECR_ROWS_MAX);
    return 0;
}

int ecr_read_repositories(const struct json *body, struct text_list *ret, struct error *err)
{
    const struct json *rows;
    int rc = read_array(body, "repositories", &rows, err);

    for (size_t i = 0; rc == 0 && i < json_count(rows); i++) {
        const char *name = json_get_string(json_at(rows, i), "repositoryName");

        if (name && repository_is_valid(name))
            text_list_add(ret, name);
    }
    return rc;
}

/* --- images --- */

void ecr_rows_release(struct ecr_rows *rows)
{
    free(rows->items);
    text_list_release(&rows->tags);
    *rows = (struct ecr_rows){0};
}

int ecr_read_status(const struct json *object, enum ecr_status *ret, struct error *err)
{
    static const char *const names[] = {[ECR_STATUS_ACTIVE] = "ACTIVE",
                                        [ECR_STATUS_ARCHIVED] = "ARCHIVED",
                                        [ECR_STATUS_ACTIVATING] = "ACTIVATING"};
    const char *name = json_get_string(object, "imageStatus");
    AUTO_FREE char *shown = text_printable(name ? name : "", CODE_MAX);

    /* It came later than the other fields. */
    if (!name) {
        *ret = ECR_STATUS_ACTIVE;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (text_equal(name, names[i])) {
            *ret = (enum ecr_status)i;
            return 0;
        }
    }
    return error_set(err, FAILURE_INPUT, "the image's status \"%s\" is not known", shown);
}

static void add_row(struct ecr_rows *rows, const struct registry_row *row, const char *tag)
{
    rows->items = memory_grow(rows->items, rows->count, &rows->capacity, sizeof(*rows->items));
    rows->items[rows->count] = *row;
    if (tag) {
        text_list_add(&rows->tags, tag);
        rows->items[rows->count].tag = rows->tags.items[rows->tags.count - 1];
    }
    rows->count++;
}

static int add_image(struct ecr_rows *rows, const struct json *image, struct error *err)
{
    const struct json *tags = json_get(image, "imageTags");
    const char *digest = json_get_string(image, "imageDigest");
    struct registry_row row = {.pushed_ms = read_time(image, "imagePushedAt")};
    enum ecr_status status = ECR_STATUS_ARCHIVED;

    if (!digest || digest_parse_verifiable(digest, &row.digest, NULL) < 0)
        return 0;
    if (ecr_read_status(image, &status, NULL) < 0 || status != ECR_STATUS_ACTIVE)
        return 0;
    if (json_count(tags) > ECR_ROWS_MAX - rows->count)
        return error_set(err, FAILURE_LIMIT, "the answer has more than %d tags", ECR_ROWS_MAX);
    if (json_count(tags) == 0)
        add_row(rows, &row, NULL);
    for (size_t i = 0; i < json_count(tags); i++) {
        const char *tag = json_string(json_at(tags, i));

        if (tag && tag_is_valid(tag))
            add_row(rows, &row, tag);
    }
    return 0;
}

int ecr_read_rows(const struct json *body, struct ecr_rows *ret, struct error *err)
{
    const struct json *images;
    int rc = read_array(body, "imageDetails", &images, err);

    for (size_t i = 0; rc == 0 && i < json_count(images); i++)
        rc = add_image(ret, json_at(images, i), err);
    return rc;
}

void ecr_image_release(struct ecr_image *image)
{
    text_list_release(&image->tags);
    *image = (struct ecr_image){0};
}

int ecr_read_image(const struct json *body, struct ecr_image *ret, struct error *err)
{
    const struct json *images;
    const struct json *image;
    const char *digest;
    int rc = read_array(body, "imageDetails", &images, err);

    if (rc < 0)
        return rc;
    image = json_at(images, 0);
    if (!image)
        return error_set(err, FAILURE_ABSENT, "the repository has no such image");
    if (json_count(images) > 1)
        return error_set(err, FAILURE_INPUT, "the answer is about more than one image");
    digest = json_get_string(image, "imageDigest");
    rc = digest_parse_verifiable(digest ? digest : "", &ret->digest, err);
    if (rc == 0)
        rc = ecr_read_status(image, &ret->status, err);
    if (rc == 0)
        rc = json_to_list(json_get(image, "imageTags"), "the image's tags", &ret->tags, err);
    return rc;
}

/* --- BatchDeleteImage --- */

static const struct {
    const char *code;
    enum failure kind;
    const char *why, *hint;
} failures[] = {
    {"ImageNotFound", FAILURE_ABSENT, "it is not there", NULL},
    {"ImageTagDoesNotMatchDigest", FAILURE_ABSENT, "the tag is on another image by now", NULL},
    {"InvalidImageDigest", FAILURE_INPUT, "ECR takes the digest for none", NULL},
    {"InvalidImageTag", FAILURE_INPUT, "ECR takes the tag for none", NULL},
    {"MissingDigestAndTag", FAILURE_INPUT, "ECR was told neither digest nor tag", NULL},
    {"ImageReferencedByManifestList", FAILURE_DENIED, "an image index names it",
     "remove the index first, or quarantine the index"},
    {"KmsError", FAILURE_LATER, "the repository's key cannot be used",
     "look at the KMS key that the repository is encrypted with"},
    {"UpstreamAccessDenied", FAILURE_LATER, "the upstream registry refused", NULL},
    {"UpstreamTooManyRequests", FAILURE_LATER, "the upstream registry is asked too often", NULL},
    {"UpstreamUnavailable", FAILURE_LATER, "the upstream registry is away", NULL},
    {"ImageInaccessible", FAILURE_LATER, "the image cannot be reached", NULL},
};

static int read_failure(const struct json *failure, struct error *err)
{
    const char *code = json_get_string(failure, "failureCode");
    const char *reason = json_get_string(failure, "failureReason");
    AUTO_FREE char *shown_code = text_printable(code ? code : "without a code", CODE_MAX);
    AUTO_FREE char *shown = text_printable(reason ? reason : "", REASON_MAX);

    for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
        if (!text_equal(code, failures[i].code))
            continue;
        (void)error_set(err, failures[i].kind, "%s (%s: %s)", failures[i].why, shown_code, shown);
        if (failures[i].hint)
            (void)error_hint(err, "%s", failures[i].hint);
        return failures[i].kind;
    }
    return error_set(err, FAILURE_DENIED, "ECR did not do it (%s: %s)", shown_code, shown);
}

int ecr_read_removal(const struct json *body, struct error *err)
{
    const struct json *failed = json_get(body, "failures");

    if (json_count(failed) > 0)
        return read_failure(json_at(failed, 0), err);
    if (json_is(json_get(body, "imageIds"), JSON_KIND_ARRAY) &&
        json_count(json_get(body, "imageIds")) > 0)
        return 0;
    return error_set(err, FAILURE_UNCERTAIN, "the answer does not say whether it was removed");
}

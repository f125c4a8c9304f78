/* One descriptor: media type, digest, size and what goes with it. `urls` and inline `data` are
 * deliberately not read: nothing from a payload is followed or trusted in place of the content. */
#include "descriptor.h"

#include <string.h>

#include "fields.h"
#include "media_types.h"

/* 8 TiB. Far above what any registry stores, low enough that a full manifest cannot overflow a
 * sum. */
static const int64_t size_limit = INT64_C(1) << 43;

static const char *const descriptor_fields[] = {
    "mediaType", "digest", "size", "platform", "annotations", "urls", "artifactType", "data", NULL};
static const char *const platform_fields[] = {"os",      "architecture", "os.version",
                                              "variant", "os.features",  NULL};

int platform_read(const struct json *object, const char *what, struct platform *ret,
                  struct error *err)
{
    int failure = fields_string(object, "os", what, &ret->os, err);
    if (!failure)
        failure = fields_string(object, "architecture", what, &ret->architecture, err);
    if (!failure)
        failure = fields_string(object, "variant", what, &ret->variant, err);
    if (!failure)
        failure = fields_string(object, "os.version", what, &ret->os_version, err);
    return failure;
}

static int read_digest(const struct json *json, const char *what, bool verifiable,
                       struct digest *ret, struct error *err)
{
    const char *text = json_get_string(json, "digest");
    if (!text)
        return error_set(err, FAILURE_INPUT, "%s: the digest is missing", what);
    int failure =
        verifiable ? digest_parse_verifiable(text, ret, err) : digest_parse(text, ret, err);
    if (failure)
        error_wrap(err, "%s", what);
    return failure;
}

static int read_size(const struct json *json, const char *what, uint64_t *ret, struct error *err)
{
    const struct json *size = json_get(json, "size");
    if (!json_is(size, JSON_KIND_INTEGER))
        return error_set(err, FAILURE_INPUT, "%s: the size is missing or not an integer", what);
    int64_t value = json_integer(size, -1);
    if (value < 0)
        return error_set(err, FAILURE_INPUT, "%s: the size is negative", what);
    if (value > size_limit)
        return error_set(err, FAILURE_INPUT, "%s: a size of %lld bytes is absurd", what,
                         (long long)value);
    *ret = (uint64_t)value;
    return 0;
}

static int read_platform(const struct json *json, const char *what, struct platform *ret,
                         struct error *err)
{
    const struct json *platform;
    int failure = fields_member(json, "platform", what, JSON_KIND_OBJECT, &platform, err);
    if (failure || !platform)
        return failure;
    failure = fields_refuse_variants(platform, platform_fields, what, err);
    return failure ? failure : platform_read(platform, what, ret, err);
}

int descriptor_read(const struct json *json, const char *what, bool verifiable,
                    struct descriptor *ret, struct error *err)
{
    if (!json_is(json, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "%s is not an object", what);
    int failure = fields_refuse_variants(json, descriptor_fields, what, err);
    if (!failure)
        failure = fields_string(json, "mediaType", what, &ret->media_type, err);
    if (!failure && !ret->media_type)
        ret->media_type = memory_copy_text("");
    if (!failure)
        failure = read_digest(json, what, verifiable, &ret->digest, err);
    if (!failure)
        failure = read_size(json, what, &ret->size, err);
    if (!failure)
        failure = read_platform(json, what, &ret->platform, err);
    if (!failure)
        failure = fields_string(json, "artifactType", what, &ret->artifact_type, err);
    if (!failure)
        failure = fields_pairs(json, "annotations", what, manifest_limits.max_annotations,
                               &ret->annotations, err);
    return failure;
}

void platform_release(struct platform *platform)
{
    free(platform->os);
    free(platform->architecture);
    free(platform->variant);
    free(platform->os_version);
    *platform = (struct platform){0};
}

char *platform_format(const struct platform *platform)
{
    struct text text = {0};
    if (platform->os || platform->architecture)
        text_format(&text, "%s/%s", platform->os ? platform->os : "",
                    platform->architecture ? platform->architecture : "");
    if (text.length > 0 && platform->variant && *platform->variant)
        text_format(&text, "/%s", platform->variant);
    return text_take(&text);
}

void descriptor_release(struct descriptor *descriptor)
{
    free(descriptor->media_type);
    free(descriptor->artifact_type);
    platform_release(&descriptor->platform);
    text_pairs_release(&descriptor->annotations);
    *descriptor = (struct descriptor){0};
}

/* Only the platform unknown/unknown takes a child out: no runtime matches it. BuildKit's annotation
 * vnd.docker.reference.type is deliberately not enough, nor is the media type, because runtimes do
 * not look at them: with one of them alone a runnable image could be passed off as something else.
 */
bool descriptor_is_runnable(const struct descriptor *child)
{
    return !(text_equal(child->platform.os, "unknown") &&
             text_equal(child->platform.architecture, "unknown"));
}

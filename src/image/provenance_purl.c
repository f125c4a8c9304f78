/* Materials: package URLs and other places that things come from.
 *
 * BuildKit's rule (util/purl/image.go): an image that was asked for by digest has the qualifier
 * "digest="; the digest beside the URL is there in both cases and says nothing. */
#include "provenance_read.h"

#include <string.h>

#include "regwarden/secret_text.h"

enum { TEXT_MAX = 2048 };

char *provenance_text(const char *text)
{
    AUTO_TEXT struct text bounded = {0};

    if (!text)
        return NULL;
    text_add_bytes(&bounded, text, strnlen(text, TEXT_MAX));
    return secret_text_redact(text_data(&bounded));
}

/* "https://user:token@host/x" becomes "https://host/x"; "git@host:x" stays. */
char *provenance_url(const char *url)
{
    AUTO_TEXT struct text clean = {0};
    const char *host = url ? strstr(url, "://") : NULL;
    const char *end;
    const char *at = NULL;

    if (!host)
        return provenance_text(url);
    host += 3;
    end = host + strcspn(host, "/?#");
    for (const char *c = host; c < end; c++)
        if (*c == '@')
            at = c;
    text_add_bytes(&clean, url, (size_t)(host - url));
    text_add(&clean, at ? at + 1 : host);
    return provenance_text(text_data(&clean));
}

static char *copy_span(const char *at, size_t size)
{
    AUTO_TEXT struct text text = {0};

    text_add_bytes(&text, at, size);
    return text_take(&text);
}

static const char *without_default_host(const char *name)
{
    static const char *const hosts[] = {"docker.io/library/", "index.docker.io/library/",
                                        "docker.io/", "index.docker.io/"};

    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++)
        if (text_starts_with(name, hosts[i]))
            return name + strlen(hosts[i]);
    return name;
}

void image_name_split(const char *text, struct image_name *ret)
{
    const char *name = without_default_host(text);
    size_t size = strcspn(name, "@");
    size_t tag = size;

    *ret = (struct image_name){0};
    if (name[size] == '@' && digest_parse(name + size + 1, &ret->digest, NULL))
        ret->digest = (struct digest){0};
    while (tag > 0 && name[tag - 1] != ':' && name[tag - 1] != '/')
        tag--;
    if (tag > 0 && name[tag - 1] == ':') {
        ret->tag = copy_span(name + tag, size - tag);
        size = tag - 1;
    }
    ret->name = copy_span(name, size);
}

void image_name_release(struct image_name *name)
{
    free(name->name);
    free(name->tag);
    *name = (struct image_name){0};
}

static const char *tag_or_latest(const char *tag, bool has_digest)
{
    return !tag && !has_digest ? "latest" : tag;
}

bool image_name_fits(const struct image_name *name, const struct material *material)
{
    bool by_digest = digest_is_set(&name->digest);
    bool pinned = material->pinned == ANSWER_YES;

    if (!text_equal(name->name, material->name) || by_digest != pinned)
        return false;
    if (by_digest)
        return digest_equal(&name->digest, &material->digest);
    return text_equal(tag_or_latest(name->tag, false), tag_or_latest(material->tag, false));
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "%2F" becomes "/". A zero byte stays written. */
static char *percent_decode(const char *at, size_t size)
{
    AUTO_TEXT struct text text = {0};

    for (size_t i = 0; i < size; i++) {
        int high = at[i] == '%' && i + 2 < size ? hex_value(at[i + 1]) : -1;
        int low = high >= 0 ? hex_value(at[i + 2]) : -1;

        if (low < 0 || high * 16 + low == 0) {
            text_add_char(&text, at[i]);
            continue;
        }
        text_add_char(&text, (char)(high * 16 + low));
        i += 2;
    }
    return text_take(&text);
}

/* The qualifier's value; NULL when it is not there. Returns new. */
static char *qualifier(const char *qualifiers, const char *name)
{
    size_t length = strlen(name);

    while (*qualifiers && *qualifiers != '#') {
        size_t size = strcspn(qualifiers, "&#");

        if (size > length && strncmp(qualifiers, name, length) == 0 && qualifiers[length] == '=')
            return percent_decode(qualifiers + length + 1, size - length - 1);
        qualifiers += size + (qualifiers[size] == '&');
    }
    return NULL;
}

/* "golang@1.20?digest=…&platform=…", behind "pkg:docker/". */
static void read_image(const char *purl, struct material *ret)
{
    const char *question = strchr(purl, '?');
    size_t size = question ? (size_t)(question - purl) : strlen(purl);
    const char *at = memchr(purl, '@', size);
    AUTO_FREE char *pin = question ? qualifier(question + 1, "digest") : NULL;
    AUTO_FREE char *kind = question ? qualifier(question + 1, "ref_type") : NULL;
    struct digest digest;

    if (kind)
        return; /* a blob or a bundle: files, no image */
    ret->name = percent_decode(purl, at ? (size_t)(at - purl) : size);
    if (at)
        ret->tag = percent_decode(at + 1, size - (size_t)(at - purl) - 1);
    if (!pin) {
        ret->pinned = ret->layout ? ANSWER_UNKNOWN : ANSWER_NO;
    } else if (digest_parse(pin, &digest, NULL) == 0) {
        ret->pinned = ANSWER_YES;
        ret->digest = digest;
    }
}

static void read_digest(const struct json *digests, struct digest *ret)
{
    static const char *const algorithms[] = {"sha256", "sha512"};

    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++) {
        const char *hex = json_get_string(digests, algorithms[i]);
        AUTO_FREE char *text = hex ? text_new("%s:%.130s", algorithms[i], hex) : NULL;

        if (text && digest_parse(text, ret, NULL) == 0)
            return;
    }
    *ret = (struct digest){0};
}

static bool looks_like_source(const char *uri, const struct json *digests)
{
    return text_starts_with(uri, "git+") || text_starts_with(uri, "git:") ||
           json_get(digests, "gitCommit") || json_get(digests, "sha1");
}

void material_read(const struct json *entry, struct material *ret)
{
    static const char docker[] = "pkg:docker/";
    static const char layout[] = "pkg:oci/";
    const char *uri = json_get_string(entry, "uri");

    if (!uri)
        uri = "";
    ret->uri = provenance_url(uri);
    read_digest(json_get(entry, "digest"), &ret->digest);
    if (text_starts_with(ret->uri, docker)) {
        read_image(ret->uri + strlen(docker), ret);
    } else if (text_starts_with(ret->uri, layout)) {
        ret->layout = true;
        read_image(ret->uri + strlen(layout), ret);
    } else if (looks_like_source(uri, json_get(entry, "digest"))) {
        ret->role = MATERIAL_CONTEXT;
    }
}

bool material_is_image(const struct material *material)
{
    return material->name != NULL;
}

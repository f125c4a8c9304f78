/* The headers of a hostile registry: challenges, links, locations, scopes, token answers. */
#include <stddef.h>
#include <stdint.h>

#include "challenge.h"
#include "link.h"
#include "location.h"
#include "token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void resolve(const char *target)
{
    struct url base = {0};
    struct url url = {0};

    if (url_parse("https://registry.example:5000/v2/a/tags/list?n=1", &base, NULL) < 0)
        abort();
    if (location_resolve(&base, target, &url, NULL) == 0) {
        AUTO_FREE char *host = location_host(&url);
        AUTO_FREE char *text = location_format(&url);
        struct url again = {0};

        /* What we send is what we judged. */
        if (url_parse(text, &again, NULL) < 0 || !url_same_origin(&url, &again) ||
            !text_starts_with(url.host_port, host))
            abort();
        (void)location_is_loopback(&url);
        url_release(&again);
    }
    url_release(&base);
    url_release(&url);
}

static void challenge(const char *text)
{
    struct challenges challenges = {0};

    if (challenges_parse(&challenges, text, NULL) < 0 && challenges.count > 0)
        abort();
    for (size_t i = 0; i < challenges.count; i++) {
        if (challenges.items[i].realm)
            resolve(challenges.items[i].realm);
    }
    challenges_release(&challenges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = memory_copy_bytes(data, size);
    AUTO_FREE char *next = NULL;
    AUTO_FREE char *scopes = token_merge_scopes("repository:a:pull,push repository:b:pull", text);
    struct token_grant grant = {0};

    challenge(text);
    if (link_find_next(text, &next, NULL) == 0 && next)
        resolve(next);
    resolve(text);
    if (!text_starts_with(scopes, "repository:a:pull,push repository:b:pull"))
        abort();
    if (token_read(text, size, &grant, NULL) == 0 && strpbrk(grant.value, " \r\n"))
        abort();
    free(grant.value);
    return 0;
}

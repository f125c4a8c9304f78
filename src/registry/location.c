/* Resolving of URL references. It does not judge whether a target may be followed. */
#include "location.h"

static bool has_scheme(const char *target)
{
    const char *c = target;

    while ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '+' || *c == '-' ||
           *c == '.' || (*c >= '0' && *c <= '9'))
        c++;
    return c > target && *c == ':';
}

/* The base's path up to and with its last slash, query taken off. */
static void add_directory(struct text *to, const char *path)
{
    size_t end = strcspn(path, "?");

    while (end > 0 && path[end - 1] != '/')
        end--;
    text_add_bytes(to, path, end);
}

static void add_origin(struct text *to, const struct url *base)
{
    text_format(to, "%s://%s", base->scheme, base->host_port);
}

int location_resolve(const struct url *base, const char *target, struct url *ret, struct error *err)
{
    AUTO_TEXT struct text whole = {0};

    if (!*target)
        return error_set(err, FAILURE_INPUT, "points to an empty address");
    if (strlen(target) > LOCATION_MAX)
        return error_set(err, FAILURE_INPUT, "points to an address that is too long");
    if (has_scheme(target)) {
        text_add(&whole, target);
    } else if (text_starts_with(target, "//")) {
        text_format(&whole, "%s:%s", base->scheme, target);
    } else {
        add_origin(&whole, base);
        if (*target == '?')
            text_add_bytes(&whole, base->path, strcspn(base->path, "?"));
        else if (*target != '/')
            add_directory(&whole, base->path);
        text_add(&whole, target);
    }
    return url_parse(text_data(&whole), ret, err);
}

char *location_format(const struct url *url)
{
    return text_new("%s://%s%s", url->scheme, url->host_port, url->path);
}

char *location_host(const struct url *url)
{
    const char *end = strchr(url->host_port, ']');

    end = strchr(end ? end : url->host_port, ':');
    if (!end)
        return memory_copy_text(url->host_port);
    return memory_copy_bytes(url->host_port, (size_t)(end - url->host_port));
}

bool location_is_loopback(const struct url *url)
{
    AUTO_FREE char *host = location_host(url);
    const char *c = host;
    unsigned dots = 0;

    if (text_equal(host, "localhost") || text_equal(host, "[::1]"))
        return true;
    if (!text_starts_with(host, "127."))
        return false;
    /* "127.example.org" is a name, not an address. */
    for (; (*c >= '0' && *c <= '9') || *c == '.'; c++)
        dots += *c == '.';
    return *c == '\0' && dots == 3;
}

/* Whether a host that a payload names is the registry that the hook is of. Payloads choose no
 * host: what is another's is refused, nothing more. */
#include "decode.h"

#include "regwarden/http_client.h"

/* Length of the name in "name", "name:port" or "[::1]:port". */
static size_t name_length(const char *host)
{
    if (host[0] == '[')
        return strcspn(host, "]") + (strchr(host, ']') != NULL ? 1 : 0);
    return strcspn(host, ":");
}

static const char *port_of(const char *host)
{
    const char *port = host + name_length(host);
    return port[0] == ':' ? port + 1 : NULL;
}

/* A port that one side leaves out is the usual one, or behind a proxy nobody's to know. */
static bool host_is(const char *own, const char *wanted)
{
    size_t length = name_length(own);
    if (length != name_length(wanted) || strncasecmp(own, wanted, length) != 0)
        return false;
    const char *port = port_of(wanted);
    if (port == NULL || port_of(own) == NULL)
        return port == NULL || text_equal(port, "443") || text_equal(port, "80");
    return text_equal(port_of(own), port);
}

bool registry_has_host(const struct config_registry *registry, const char *host)
{
    struct url url = {0};
    bool found = false;
    if (registry->url != NULL && url_parse(registry->url, &url, NULL) == 0)
        found = host_is(url.host_port, host);
    url_release(&url);
    for (size_t i = 0; !found && i < registry->hosts.count; i++)
        found = host_is(registry->hosts.items[i], host);
    return found;
}

bool registry_has_subdomain(const struct config_registry *registry, const char *label)
{
    size_t length = strlen(label);
    struct url url = {0};
    bool found = false;
    if (registry->url != NULL && url_parse(registry->url, &url, NULL) == 0)
        found = strncasecmp(url.host_port, label, length) == 0 && url.host_port[length] == '.';
    url_release(&url);
    return found;
}

int registry_refuse_host(const struct config_registry *registry, const char *host,
                         struct error *err)
{
    AUTO_FREE char *shown = text_printable(host, 120);
    error_set(err, FAILURE_INPUT, "the event is of %s, which is not the registry \"%s\"", shown,
              registry->name);
    return error_hint(err, "If it is the same registry, add this host to its \"hosts\".");
}

int registry_check_host(const struct config_registry *registry, const char *host, struct error *err)
{
    return registry_has_host(registry, host) ? 0 : registry_refuse_host(registry, host, err);
}

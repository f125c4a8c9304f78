/* "main/base/node:22", or with stars: which images of which configured registry are bases. */
#include "bases.h"

void base_hosts(const struct daemon_registry *registry, struct text_list *ret)
{
    const struct config_registry *settings = registry->settings;
    const char *host = strstr(settings->url, "://");

    host = host ? host + 3 : settings->url;
    text_list_add_take(ret, memory_copy_bytes(host, strcspn(host, "/")));
    for (size_t i = 0; i < settings->hosts.count; i++)
        if (!text_list_has(ret, settings->hosts.items[i]))
            text_list_add(ret, settings->hosts.items[i]);
}

static struct daemon_registry *find_by_host(struct daemon *daemon, const char *host)
{
    for (size_t i = 0; i < daemon->registry_count; i++) {
        AUTO_TEXT_LIST struct text_list hosts = {0};

        base_hosts(&daemon->registries[i], &hosts);
        if (text_list_has(&hosts, host))
            return &daemon->registries[i];
    }
    return NULL;
}

int base_pattern_read(struct daemon *daemon, const char *text, struct base_pattern *ret,
                      struct error *err)
{
    size_t length = strcspn(text, "/");
    AUTO_FREE char *first = memory_copy_bytes(text, length);
    const char *rest = text[length] ? text + length + 1 : "";
    const char *slash = strrchr(rest, '/');
    const char *colon = strchr(slash ? slash : rest, ':');
    struct daemon_registry *registry = daemon_find_registry(daemon, first);

    if (!registry)
        registry = find_by_host(daemon, first);
    if (!registry) {
        error_set(err, FAILURE_INPUT, "a base begins with the name of a configured registry");
        return error_hint(err, "For example main/base/node:22, or main/base/*:*.");
    }
    if (!*rest || colon == rest || (colon && !colon[1]) || strchr(rest, '@'))
        return error_set(err, FAILURE_INPUT, "a base is written registry/repository:tag");
    *ret = (struct base_pattern){
        .registry = registry,
        .repository =
            colon ? memory_copy_bytes(rest, (size_t)(colon - rest)) : memory_copy_text(rest),
        .tag = memory_copy_text(colon ? colon + 1 : "*"),
    };
    return 0;
}

void base_pattern_release(struct base_pattern *pattern)
{
    free(pattern->repository);
    free(pattern->tag);
    *pattern = (struct base_pattern){0};
}

bool base_pattern_is_exact(const struct base_pattern *pattern)
{
    return !strpbrk(pattern->repository, "*?") && !strpbrk(pattern->tag, "*?");
}

bool base_pattern_matches(const struct base_pattern *pattern,
                          const struct daemon_registry *registry, const char *repository,
                          const char *tag)
{
    return pattern->registry == registry && text_glob_match(pattern->repository, repository) &&
           text_glob_match(pattern->tag, tag);
}

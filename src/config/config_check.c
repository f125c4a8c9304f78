/* Checks that no single row of the tables can make: forms of values, and settings that need each
 * other. Messages never repeat a value that may hold a secret, such as a URL with a password. */
#include "config_private.h"
#include "params.h"

#include <arpa/inet.h>
#include <ctype.h>

enum { SHOWN_MAX = 80, NAME_MAX_LENGTH = 64, PORT_MAX = 65535, HOST_MAX = 255 };

const char config_name_pattern[] = "^[a-z0-9][a-z0-9-]{0,63}$";

bool config_name_is_valid(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= NAME_MAX_LENGTH && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* What is being checked: one map of settings, the whole file or one member of a section. */
struct checked {
    const struct yaml_document *document;
    const struct yaml_node *map;
    const struct config *config;
};

static int fault(const struct checked *checked, const char *name, struct error *err,
                 const char *message)
{
    const struct yaml_node *node = params_find_node(checked->map, name);
    return yaml_error(checked->document, node ? node : checked->map, err, "%s: %s", name, message);
}

/* At the list's item, which may be the only one, written without brackets. */
static int item_fault(const struct checked *checked, const char *name, size_t index,
                      struct error *err, const char *message)
{
    const struct yaml_node *node = params_find_node(checked->map, name);
    bool listed = node && node->kind == YAML_KIND_LIST && index < node->count;
    return yaml_error(checked->document, listed ? node->items[index] : node, err, "%s: %s", name,
                      message);
}

static bool is_port(const char *text)
{
    uint64_t port;
    return text_parse_uint(text, PORT_MAX, &port, NULL) == 0;
}

/* Splits "host:port" or "[v6]:port"; the host is copied without brackets. */
static bool split_address(const char *address, char host[static HOST_MAX + 1], bool *ret_v6,
                          const char **ret_port)
{
    bool v6 = address[0] == '[';
    const char *start = address + v6;
    const char *end = v6 ? strchr(start, ']') : strchrnul(start, ':');
    if (!end || end == start || end - start > HOST_MAX)
        return false;
    const char *rest = v6 ? end + 1 : end;
    if (*rest && *rest != ':')
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    *ret_v6 = v6;
    *ret_port = *rest ? rest + 1 : NULL;
    return true;
}

static bool is_host_and_port(const char *text)
{
    char host[HOST_MAX + 1];
    struct in6_addr address;
    const char *port;
    bool v6;
    if (!split_address(text, host, &v6, &port) || (port && !is_port(port)))
        return false;
    if (v6)
        return inet_pton(AF_INET6, host, &address) == 1;
    return isalnum((unsigned char)host[0]) &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
               strlen(host);
}

static bool is_numeric_listener(const char *text)
{
    char host[HOST_MAX + 1];
    struct in6_addr address;
    const char *port;
    bool v6;
    if (!split_address(text, host, &v6, &port) || !port || !is_port(port))
        return false;
    return inet_pton(v6 ? AF_INET6 : AF_INET, host, &address) == 1;
}

static bool is_listener(const char *text)
{
    if (text_equal(text, "systemd"))
        return true;
    if (text_starts_with(text, "unix:"))
        return text[strlen("unix:")] == '/' && text[strlen("unix:/")];
    return is_numeric_listener(text);
}

static int check_listen(const struct checked *checked, struct error *err)
{
    const struct text_list *listen = &checked->config->listen;
    if (listen->count == 0)
        return fault(checked, "listen", err, "names no address");
    for (size_t i = 0; i < listen->count; i++) {
        if (is_listener(listen->items[i]))
            continue;
        item_fault(checked, "listen", i, err, "this is not an address to listen on");
        error_hint(err, "Write a numeric address and a port (127.0.0.1:8080, [::1]:8080, "
                        "0.0.0.0:8080), unix:/path, or systemd.");
        return FAILURE_INPUT;
    }
    return 0;
}

static int check_tls(const struct checked *checked, struct error *err)
{
    const struct config *config = checked->config;
    if (!config->tls_certificate_file != !config->tls_key_file)
        return fault(checked, "tls", err, "certificate-file and key-file belong together");
    if (config->tls_client_ca_file && !config->tls_certificate_file)
        return fault(checked, "tls.client-ca-file", err, "needs certificate-file and key-file");
    return 0;
}

static int check_state_directory(const struct checked *checked, struct error *err)
{
    if (checked->config->state_directory[0] != '/')
        return fault(checked, "state-directory", err, "must be an absolute path");
    return 0;
}

/* A password in the URL would be in the file, in process lists of helpers and in status pages. */
static int check_store_url(const struct checked *checked, struct error *err)
{
    const char *url = checked->config->store_url;
    if (text_equal(url, "sqlite:") || text_starts_with(url, "sqlite:/"))
        return 0;
    if (!text_starts_with(url, "postgresql://"))
        return fault(checked, "store.url", err,
                     "expected sqlite:, sqlite:/path or postgresql://host/database");
    const char *authority = url + strlen("postgresql://");
    size_t length = strcspn(authority, "/?");
    const char *at = memchr(authority, '@', length);
    bool has_password = at && memchr(authority, ':', (size_t)(at - authority));
    if (!has_password && !strcasestr(url, "password="))
        return 0;
    fault(checked, "store.url", err, "a password does not belong here");
    error_hint(err, "Keep it in the database client's password file (PGPASSFILE).");
    return FAILURE_INPUT;
}

static int check_retry(const struct checked *checked, struct error *err)
{
    const struct config *config = checked->config;
    if (config->retry_first_ms > config->retry_max_ms)
        return fault(checked, "retry.max", err, "must not be less than retry.first");
    if (config->retry_max_ms > config->retry_give_up_ms)
        return fault(checked, "retry.give-up", err, "must not be less than retry.max");
    return 0;
}

static int check_tag_template(const struct checked *checked, struct error *err)
{
    if (!strchr(checked->config->tag_template, '{'))
        return fault(checked, "tag-template", err,
                     "would name every image alike; use {digest12} in it");
    return 0;
}

bool config_is_origin(const char *url)
{
    const char *rest = NULL;
    if (text_starts_with(url, "https://"))
        rest = url + strlen("https://");
    else if (text_starts_with(url, "http://"))
        rest = url + strlen("http://");
    if (!rest)
        return false;
    size_t length = strcspn(rest, "/");
    AUTO_FREE char *host = memory_copy_bytes(rest, length);
    bool bare = !rest[length] || text_equal(rest + length, "/");
    return bare && is_host_and_port(host);
}

static int check_hosts(const struct checked *checked, const char *name,
                       const struct text_list *hosts, struct error *err)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (!is_host_and_port(hosts->items[i]))
            return item_fault(checked, name, i, err, "this is not a host or host:port");
    }
    return 0;
}

static bool is_header_name(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return text[0] && strspn(text, allowed) == strlen(text);
}

static bool is_dialect(const char *name)
{
    for (size_t i = 0; hook_dialect_names[i]; i++)
        if (text_equal(hook_dialect_names[i], name))
            return true;
    return false;
}

/* An event of a dialect that nobody speaks would be taken for whatever it looks like. */
static int check_dialect(const struct checked *checked, const char *name, struct error *err)
{
    if (is_dialect(name))
        return 0;
    const char *near = text_suggest(name, hook_dialect_names);
    fault(checked, "dialect", err, "there is no such dialect");
    if (near)
        error_hint(err, "Did you mean \"%s\"?", near);
    else
        error_hint(err, "regwarden-registries(7) lists the dialects.");
    return FAILURE_INPUT;
}

/* The path may hold a token (chat services do that), so it is not shown and only its form is
 * checked. */
static bool is_notifier_url(const char *url)
{
    size_t scheme = text_starts_with(url, "https://")  ? strlen("https://")
                    : text_starts_with(url, "http://") ? strlen("http://")
                                                       : 0;
    if (scheme == 0)
        return false;
    size_t length = strcspn(url + scheme, "/?");
    AUTO_FREE char *host = memory_copy_bytes(url + scheme, length);
    if (!is_host_and_port(host))
        return false;
    for (const char *at = url; *at; at++) {
        if (*at <= ' ' || *at > '~' || *at == '#')
            return false;
    }
    return true;
}

/* "127.example.com" and "localhost.example.com" are somebody else's. */
static bool is_loopback_url(const char *url)
{
    static const char scheme[] = "http://";
    struct in_addr address = {0};
    if (!text_starts_with(url, scheme))
        return false;
    url += strlen(scheme);
    size_t length = url[0] == '[' ? strcspn(url, "/") : strcspn(url, ":/");
    AUTO_FREE char *host = memory_copy_bytes(url, length);
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return text_equal(host, "localhost") || text_equal(host, "[::1]") ||
           text_starts_with(host, "[::1]:");
}

/* What comes out of the queue is believed, so nobody on the way may write into it. */
static int check_queue(const struct checked *checked, const struct config_aws *aws,
                       struct error *err)
{
    static const char known[] = "https://sqs.";
    if (!is_notifier_url(aws->queue_url) ||
        (!text_starts_with(aws->queue_url, "https://") && !is_loopback_url(aws->queue_url)))
        return fault(checked, "aws.queue-url", err, "expected https://host/account/name");
    const char *region = aws->queue_url + strlen(known);
    if (aws->region || (text_starts_with(aws->queue_url, known) &&
                        text_starts_with(region + strcspn(region, "./"), ".amazonaws.")))
        return 0;
    fault(checked, "aws.queue-url", err, "does not tell the region");
    error_hint(err, "Set aws.region too.");
    return FAILURE_INPUT;
}

static int check_aws(const struct checked *checked, const struct config_aws *aws, struct error *err)
{
    const struct {
        const char *name;
        const char *value;
    } endpoints[] = {{"aws.ecr-endpoint", aws->ecr_endpoint},
                     {"aws.sts-endpoint", aws->sts_endpoint},
                     {"aws.sqs-endpoint", aws->sqs_endpoint},
                     {"aws.metadata-endpoint", aws->metadata_endpoint}};
    for (size_t i = 0; i < ARRAY_COUNT(endpoints); i++) {
        if (endpoints[i].value && !config_is_origin(endpoints[i].value))
            return fault(checked, endpoints[i].name, err,
                         "expected https://host[:port] and nothing behind it");
        bool is_plain = endpoints[i].value && endpoints[i].value != aws->metadata_endpoint &&
                        text_starts_with(endpoints[i].value, "http://");
        if (is_plain && !is_loopback_url(endpoints[i].value))
            return fault(checked, endpoints[i].name, err,
                         "expected https: tokens, passwords and messages go there");
    }
    if (aws->region &&
        (!aws->region[0] ||
         strspn(aws->region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(aws->region)))
        return fault(checked, "aws.region", err, "this is not a region, as eu-central-1 is one");
    if (aws->credentials == AWS_CREDENTIALS_FILE && !aws->credentials_file)
        return fault(checked, "aws.credentials", err, "file needs aws.credentials-file");
    return aws->queue_url ? check_queue(checked, aws, err) : 0;
}

static int check_registry(const struct checked *checked, const void *item, struct error *err)
{
    const struct config_registry *registry = item;
    if (!config_is_origin(registry->url)) {
        fault(checked, "url", err, "expected https://host[:port] and nothing behind it");
        error_hint(err, "A registry without TLS is http://host[:port]; an account goes into "
                        "username and password-file.");
        return FAILURE_INPUT;
    }
    if (!registry->username != !registry->password_file)
        return fault(checked, registry->username ? "username" : "password-file", err,
                     "username and password-file belong together");
    if (!registry->client_certificate_file != !registry->client_key_file)
        return fault(checked, "client-certificate-file", err,
                     "client-certificate-file and client-key-file belong together");
    if (!is_header_name(registry->hook_secret_header))
        return fault(checked, "hook-secret-header", err, "this is not a header name");
    int failure = check_dialect(checked, registry->dialect, err);
    if (failure)
        return failure;
    failure = check_hosts(checked, "token-realms", &registry->token_realms, err);
    if (!failure)
        failure = check_hosts(checked, "hosts", &registry->hosts, err);
    return failure ? failure : check_aws(checked, &registry->aws, err);
}

static int check_notifier(const struct checked *checked, const void *item, struct error *err)
{
    static const char *const verdicts[] = {"pass", "warn", "fail", "unknown"};
    const struct config_notifier *notifier = item;
    if (!is_notifier_url(notifier->url))
        return fault(checked, "url", err, "expected https://host[:port]/path");
    for (size_t i = 0; i < notifier->on.count; i++) {
        bool known = false;
        for (size_t j = 0; j < ARRAY_COUNT(verdicts) && !known; j++)
            known = text_equal(verdicts[j], notifier->on.items[i]);
        if (!known)
            return item_fault(checked, "on", i, err, "expected pass, warn, fail or unknown");
    }
    return 0;
}

typedef int section_check_f(const struct checked *checked, const void *item, struct error *err);

static int check_section(const struct checked *whole, const char *name, section_check_f *check,
                         struct error *err)
{
    const struct config_section *section = config_sections;
    while (!text_equal(section->name, name))
        section++;
    const struct yaml_node *node = yaml_get(whole->map, name);
    for (size_t i = 0; i < config_section_count(section, whole->config); i++) {
        const void *item = config_section_item(section, whole->config, i);
        struct checked part = {whole->document, yaml_get(node, config_item_name(item)),
                               whole->config};
        int failure = check(&part, item, err);
        if (failure)
            return failure;
    }
    return 0;
}

static int check_registries(const struct checked *checked, struct error *err)
{
    return check_section(checked, "registries", check_registry, err);
}

static int check_notifiers(const struct checked *checked, struct error *err)
{
    return check_section(checked, "notifiers", check_notifier, err);
}

/* The registry must be one of ours: nothing is asked elsewhere. */
static int check_bases(const struct checked *checked, struct error *err)
{
    const struct text_list *bases = &checked->config->bases;
    for (size_t i = 0; i < bases->count; i++) {
        size_t length = strcspn(bases->items[i], "/");
        AUTO_FREE char *name = memory_copy_bytes(bases->items[i], length);
        if (!bases->items[i][length] || !bases->items[i][length + 1])
            return item_fault(checked, "bases", i, err, "expected registry/repository:tag");
        if (!config_find_registry(checked->config, name))
            return item_fault(checked, "bases", i, err,
                              "this does not begin with the name of a configured registry");
    }
    return 0;
}

int config_check(const struct yaml_document *document, const struct config *config,
                 struct error *err)
{
    static int (*const checks[])(const struct checked *, struct error *) = {
        check_listen,       check_tls,        check_state_directory, check_store_url, check_retry,
        check_tag_template, check_registries, check_notifiers,       check_bases,
    };
    struct checked checked = {document, document ? document->root : NULL, config};
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
        int failure = checks[i](&checked, err);
        if (failure)
            return failure;
    }
    return 0;
}

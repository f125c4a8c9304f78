/* What to paste into the registry's own configuration. Only text; nothing is written anywhere. */
#include "regwarden/intake.h"

/* A double-quoted YAML scalar. */
static void add_quoted(struct text *to, const char *value)
{
    text_add_char(to, '"');
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            text_add_char(to, '\\');
        text_add_char(to, *c);
    }
    text_add_char(to, '"');
}

static char *hook_url(const struct config_registry *registry, const char *base_url)
{
    size_t length = strlen(base_url);
    while (length > 0 && base_url[length - 1] == '/')
        length--;
    return text_new("%.*s/hooks/%s", (int)length, base_url, registry->name);
}

static const char *header_of(const struct config_registry *registry)
{
    return registry->hook_secret_header == NULL ? "Authorization" : registry->hook_secret_header;
}

static void add_header(struct text *to, const struct config_registry *registry)
{
    const char *scheme = text_equal_nocase(header_of(registry), "Authorization") ? "Bearer " : "";
    AUTO_FREE char *value = text_new("%s<the content of %s>", scheme, registry->hook_secret_file);
    text_add(to, "      headers:\n        ");
    add_quoted(to, header_of(registry));
    text_add(to, ": [");
    add_quoted(to, value);
    text_add(to, "]\n");
}

/* Both spellings of what to leave out: releases up to 3.0 read ignore.actions only when
 * ignoredmediatypes is there too. Without them our own reads would come back as events. */
static void stanza_distribution(const struct config_registry *registry, const char *url,
                                struct text *to)
{
    text_add(to, "notifications:\n"
                 "  endpoints:\n"
                 "    - name: regwarden\n"
                 "      url: ");
    add_quoted(to, url);
    text_add_char(to, '\n');
    if (registry->hook_secret_file != NULL)
        add_header(to, registry);
    text_add(to, "      timeout: 2s\n"
                 "      threshold: 3\n"
                 "      backoff: 1s\n"
                 "      ignoredmediatypes:\n"
                 "        - application/octet-stream\n"
                 "      ignore:\n"
                 "        mediatypes:\n"
                 "          - application/octet-stream\n"
                 "        actions:\n"
                 "          - pull\n");
}

static void stanza_harbor(const struct config_registry *registry, const char *url, struct text *to)
{
    text_format(to,
                "In each Harbor project, under Webhooks, add one of type \"http\":\n"
                "  Event types      Artifact pushed, Artifact deleted\n"
                "  Payload format   Default\n"
                "  Endpoint URL     %s\n",
                url);
    if (registry->hook_secret_file != NULL)
        text_format(to, "  Auth header      <the content of %s>\n", registry->hook_secret_file);
    text_add(to, "Harbor sends nothing for tags that are added through its API: the sweep finds "
                 "them.\n");
}

static void stanza_ecr(const struct config_registry *registry, const char *url, struct text *to)
{
    text_format(to,
                "In EventBridge, add a rule with this event pattern:\n"
                "  {\"source\": [\"aws.ecr\"], \"detail-type\": [\"ECR Image Action\"]}\n"
                "Its target is an API destination (HTTPS only):\n"
                "  Method           POST\n"
                "  Endpoint         %s\n",
                url);
    if (registry->hook_secret_file != NULL)
        text_format(to, "  API key          %s = <the content of %s>\n", header_of(registry),
                    registry->hook_secret_file);
    text_add(to, "Give the rule a dead-letter queue: events are sent on a best-effort basis.\n");
}

static void stanza_zot(const struct config_registry *registry, const char *url, struct text *to)
{
    text_add(to, "In zot's configuration, whose build contains the extension events:\n"
                 "  \"extensions\": {\"events\": {\"enable\": true, \"sinks\": [{\n"
                 "    \"type\": \"http\", \"timeout\": \"5s\",\n"
                 "    \"address\": ");
    add_quoted(to, url);
    if (registry->hook_secret_file != NULL) {
        AUTO_FREE char *value = text_new("<the content of %s>", registry->hook_secret_file);
        text_add(to, ",\n    \"headers\": {");
        add_quoted(to, header_of(registry));
        text_add(to, ": ");
        add_quoted(to, value);
        text_add_char(to, '}');
    }
    text_add(to, "\n  }]}}\n"
                 "zot sends each event once: the sweep finds those that got lost.\n");
}

typedef void stanza_f(const struct config_registry *registry, const char *url, struct text *to);

static stanza_f *const stanzas[] = {
    [REGISTRY_TYPE_AUTO] = stanza_distribution, [REGISTRY_TYPE_DISTRIBUTION] = stanza_distribution,
    [REGISTRY_TYPE_HARBOR] = stanza_harbor,     [REGISTRY_TYPE_ECR] = stanza_ecr,
    [REGISTRY_TYPE_ZOT] = stanza_zot,           [REGISTRY_TYPE_OCI] = NULL,
};

static void stanza_none(const char *url, struct text *to)
{
    text_format(to,
                "Let the registry post its notifications to %s, if it sends any in a dialect that "
                "is understood here.\nWithout them the sweep finds what is new: set "
                "sweep-interval.\n",
                url);
}

char *intake_notification_stanza(const struct config_registry *registry, const char *base_url)
{
    AUTO_FREE char *url = hook_url(registry, base_url);
    AUTO_TEXT struct text text = {0};
    bool known = registry->type >= 0 && (size_t)registry->type < ARRAY_COUNT(stanzas);
    if (known && stanzas[registry->type] != NULL)
        stanzas[registry->type](registry, url, &text);
    else
        stanza_none(url, &text);
    return text_take(&text);
}

/* What to paste into the registry's own configuration. Only text; nothing is written anywhere. */
#include "proofs.h"

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
                "  Event types      Artifact pushed, Artifact deleted, Scanning finished\n"
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
                "  {\"source\": [\"aws.ecr\"], \"detail-type\": [\"ECR Image Action\",\n"
                "   \"ECR Referrer Action\", \"ECR Replication Action\",\n"
                "   \"ECR Pull Through Cache Action\", \"ECR Image Scan\"]}\n"
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

/* In GitLab's own file, which is Ruby; the settings are those of distribution. */
static void stanza_gitlab(const struct config_registry *registry, const char *url, struct text *to)
{
    text_add(to, "registry['notifications'] = [\n  {\n    'name' => 'regwarden',\n    'url' => ");
    add_quoted(to, url);
    text_add(to, ",\n    'timeout' => '2s',\n    'maxretries' => 5,\n    'backoff' => '1s'");
    if (registry->hook_secret_file != NULL) {
        AUTO_FREE char *value = text_new("<the content of %s>", registry->hook_secret_file);
        text_add(to, ",\n    'headers' => {");
        add_quoted(to, header_of(registry));
        text_add(to, " => [");
        add_quoted(to, value);
        text_add(to, "]}");
    }
    text_add(to, "\n  }\n]\n");
}

/* Senders that are told by hand; regwarden-registries(7) has each one's own words. */
static void stanza_by_hand(const struct config_registry *registry, const char *url, struct text *to)
{
    text_format(to,
                "Add a webhook with the address %s, as regwarden-registries(7) says for the "
                "dialect \"%s\".\n",
                url, registry->dialect);
    switch (proof_kind(registry)) {
    case HOOK_PROOF_AUTO:
        text_add(to, "Anybody who reaches it may send: set hook-secret-file, or another "
                     "hook-proof.\n");
        break;
    case HOOK_PROOF_SECRET:
        text_format(to,
                    "Its secret, as bearer token or as ?secret= in the address, is <the content "
                    "of %s>.\n",
                    registry->hook_secret_file);
        break;
    case HOOK_PROOF_HMAC:
        text_format(to, "The secret that it signs with is <the content of %s>.\n",
                    registry->hook_secret_file);
        break;
    case HOOK_PROOF_CERTIFICATE:
        text_add(to, "It shows a client certificate whose subject hook-clients lists.\n");
        break;
    case HOOK_PROOF_SNS:
        text_add(to, "The topic is one of hook-topics; its subscription is confirmed by itself.\n");
        break;
    case HOOK_PROOF_JWT:
        text_add(to, "It sends a token for hook-audience, of an account that hook-identities "
                     "lists.\n");
        break;
    }
}

static const struct {
    const char *dialect;
    stanza_f *write;
} dialect_stanzas[] = {
    {"distribution", stanza_distribution},
    {"harbor", stanza_harbor},
    {"ecr", stanza_ecr},
    {"zot", stanza_zot},
    {"gitlab", stanza_gitlab},
};

static stanza_f *const stanzas[] = {
    [REGISTRY_TYPE_AUTO] = stanza_distribution, [REGISTRY_TYPE_DISTRIBUTION] = stanza_distribution,
    [REGISTRY_TYPE_HARBOR] = stanza_harbor,     [REGISTRY_TYPE_ECR] = stanza_ecr,
    [REGISTRY_TYPE_ZOT] = stanza_zot,           [REGISTRY_TYPE_OCI] = NULL,
};

static void stanza_none(const char *url, struct text *to)
{
    text_format(to,
                "Let the registry post its notifications to %s, if it sends any in a dialect that "
                "is understood here: regwarden-registries(7) has the settings.\nWithout them the "
                "sweep finds what is new: set "
                "sweep-interval.\n",
                url);
}

/* By the dialect where one is set, else by the kind of registry. */
static stanza_f *stanza_of(const struct config_registry *registry)
{
    for (size_t i = 0; i < ARRAY_COUNT(dialect_stanzas); i++) {
        if (text_equal(dialect_stanzas[i].dialect, registry->dialect))
            return dialect_stanzas[i].write;
    }
    if (decoder_find(registry->dialect) != NULL)
        return stanza_by_hand;
    bool known = registry->type >= 0 && (size_t)registry->type < ARRAY_COUNT(stanzas);
    return known ? stanzas[registry->type] : NULL;
}

char *intake_notification_stanza(const struct config_registry *registry, const char *base_url)
{
    AUTO_FREE char *url = hook_url(registry, base_url);
    AUTO_TEXT struct text text = {0};
    stanza_f *write = stanza_of(registry);
    if (write != NULL)
        write(registry, url, &text);
    else
        stanza_none(url, &text);
    return text_take(&text);
}

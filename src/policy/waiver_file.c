/* Lists of waivers in YAML. What a waiver means is waivers.c. */
#include "policy_file.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

static const char *const file_keys[] = {"waivers", NULL};

struct waiver_texts {
    char *id, *rule, *policy, *repository, *tag, *path, *fingerprint, *digest;
    char *reason, *owner, *expires;
};

const struct param waiver_params[] = {
    {.name = "id",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, id),
     .required = true,
     .help = "Unique name of the waiver, such as a ticket."},
    {.name = "rule",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, rule),
     .required = true,
     .help = "The rule's name or its id in the policy; \"*\" for all."},
    {.name = "policy",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, policy),
     .help = "Findings of this policy only."},
    {.name = "repository",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, repository),
     .help = "Pattern of repositories."},
    {.name = "tag",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, tag),
     .help = "Pattern of tags."},
    {.name = "path",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, path),
     .help = "Pattern of the finding's path or key."},
    {.name = "fingerprint",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, fingerprint),
     .help = "One finding, by the fingerprint that reports show."},
    {.name = "digest",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, digest),
     .help = "One image."},
    {.name = "reason",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, reason),
     .required = true,
     .help = "Why this is accepted."},
    {.name = "owner",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, owner),
     .required = true,
     .help = "Who answers for it."},
    {.name = "expires",
     .type = PARAM_TEXT,
     .offset = offsetof(struct waiver_texts, expires),
     .required = true,
     .help = "Last day (UTC) or RFC 3339 time. An expired waiver is listed, never honoured."},
    {.name = NULL},
};

/* Borrows the texts. Names the member at fault. */
static int fill(const struct waiver_texts *texts, struct waiver *waiver, const char **ret_param,
                struct error *err)
{
    int rc;

    *waiver = (struct waiver){
        .id = texts->id,
        .rule = texts->rule,
        .policy = texts->policy,
        .repository = texts->repository,
        .tag = texts->tag,
        .path = texts->path,
        .fingerprint = texts->fingerprint,
        .reason = texts->reason,
        .owner = texts->owner,
    };
    *ret_param = "digest";
    rc = texts->digest ? digest_parse(texts->digest, &waiver->digest, err) : 0;
    if (rc < 0)
        return rc;
    *ret_param = "expires";
    rc = waiver_expires_parse(texts->expires, &waiver->expires_ms, err);
    if (rc < 0)
        return rc;
    *ret_param = NULL;
    return waiver_check(waiver, err);
}

static void read_waiver(const struct yaml_document *document, const struct yaml_node *node,
                        struct faults *faults, struct waiver_list *list)
{
    struct waiver_texts texts = {0};
    struct waiver waiver;
    const struct param_source source = {document, node, node, waiver_params, sizeof(texts)};
    const char *param = NULL;
    struct error why = {0};
    struct error err = {0};

    if (faults_read_params(faults, &source, &texts) < 0)
        return;
    if (fill(&texts, &waiver, &param, &why) == 0) {
        waiver_list_add(list, &waiver);
    } else {
        yaml_error(document, faults_place(node, param), &err, "%s", why.text);
        error_hint(&err, "%s", why.hint);
        faults_add(faults, &err);
    }
    params_release(waiver_params, &texts);
}

void waiver_file_read(const struct yaml_document *document, struct faults *faults,
                      struct waiver_list *list)
{
    const struct yaml_node *items = yaml_get(document->root, "waivers");
    struct error err = {0};

    faults_check_keys(faults, document, document->root, file_keys);
    if (items->kind != YAML_KIND_LIST && items->kind != YAML_KIND_NULL) {
        yaml_error(document, items, &err, "'waivers' is a list");
        faults_add(faults, &err);
        return;
    }
    for (size_t i = 0; i < items->count; i++)
        read_waiver(document, items->items[i], faults, list);
}

/* Harbor's own API (v2.0), beside the distribution API that it speaks too: what its files share.
 *
 * It is asked on the registry's own origin with name and password, which Harbor takes from people
 * and robots alike. Cookies are never kept: a request with a session's cookie would be held against
 * Harbor's protection from forged requests, and refused. Loop thread. */
#ifndef REGISTRY_HARBOR_API_H
#define REGISTRY_HARBOR_API_H

#include "regwarden/json.h"

#include "internal.h"

enum { HARBOR_PAGE_SIZE = 100 }; /* the most that it gives at once */

/* Lists may hold a whole image's config per entry. */
enum { HARBOR_PAGE_BYTES_MAX = 16 * 1024 * 1024 };
extern const struct json_limits harbor_limits;

/* Of vulnerability reports and of their summaries: newest form first. */
#define HARBOR_REPORT_TYPES                                        \
    "application/vnd.security.vulnerability.report; version=1.1, " \
    "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0"

/* "/api/v2.0/projects/<project>/repositories/<name>/artifacts<tail>". Repository names hold
 * slashes: Harbor wants them encoded twice, because the proxy before it decodes once. FAILURE_INPUT
 * for names that are against the grammar or without a project. Returns new. */
int harbor_path(const char *repository, const char *tail, char **ret, struct error *err);
/* The same with "/<digest><tail>". */
int harbor_path_of_artifact(const char *repository, const struct digest *digest, const char *tail,
                            char **ret, struct error *err);
/* The same with "/<tag>". */
int harbor_path_of_tag(const char *repository, const char *tag, char **ret, struct error *err);

struct harbor_request {
    const char *method;
    const char *path;        /* with query */
    const struct json *body; /* NULL: none */
    enum exchange_effect effect;
};
/* Starts the operation's next exchange. */
void harbor_send(struct operation *operation, const struct harbor_request *request,
                 exchange_done_f *done);
/* Is there a name and a password? Without, Harbor answers with what everybody may see, which looks
 * like the whole. FAILURE_DENIED. */
int harbor_check_account(const struct registry *registry, struct error *err);
/* Reads an answer's document of the kind. FAILURE_INPUT, FAILURE_LIMIT. Returns new. */
int harbor_read(const struct http_response *response, enum json_kind kind, struct json **ret,
                struct error *err);
/* Of X-Total-Count; FAILURE_INPUT when it is not there. */
int harbor_read_total(const struct http_response *response, uint64_t *ret, struct error *err);

/* A page of artifacts: a row per tag, and one for each artifact without tags. */
struct harbor_rows {
    struct registry_row *items; /* borrow from the rest */
    size_t count, capacity;
    struct text_list *labels; /* of each artifact */
    size_t label_count;
    struct json *document;
};
int harbor_rows_read(const struct http_response *response, struct harbor_rows *ret,
                     struct error *err);
void harbor_rows_release(struct harbor_rows *rows);
/* The id of the project's label of exactly this name, 0 when it is not on the page: Harbor's search
 * finds every name that holds it. */
int64_t harbor_find_label(const struct json *labels, const char *name, int64_t project_id);

/* The functions of the profile (profile.h), in harbor_remove.c, harbor_label.c, harbor_pages.c and
 * harbor_report.c. */
uint64_t harbor_delete_tag(struct registry *registry, const char *repository, const char *tag,
                           registry_done_f *done, void *argument);
uint64_t harbor_delete_manifest(struct registry *registry, const char *repository,
                                const struct digest *digest, registry_done_f *done, void *argument);
uint64_t harbor_add_label(struct registry *registry, const struct registry_label *label,
                          registry_done_f *done, void *argument);
uint64_t harbor_remove_label(struct registry *registry, const struct registry_label *label,
                             registry_done_f *done, void *argument);
uint64_t harbor_page_of_repositories(struct registry *registry, const char *cursor,
                                     registry_page_f *done, void *argument);
uint64_t harbor_page_of_images(struct registry *registry, const char *repository,
                               const char *cursor, registry_page_f *done, void *argument);
uint64_t harbor_fetch_scan_report(struct registry *registry, const char *repository,
                                  const struct digest *digest, registry_done_f *done,
                                  void *argument);

#endif

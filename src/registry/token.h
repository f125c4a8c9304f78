/* Bearer tokens: who may be asked for one, with which words, and what the answer means. Follows the
 * token authentication of the distribution project. Pure. */
#ifndef REGISTRY_TOKEN_H
#define REGISTRY_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/http_client.h"
#include "regwarden/text.h"

/* The realm comes from the registry, and our credentials go there: it has to be the registry's own
 * host or one of `allowed` ("host", any port, or "host:port"), over https unless the registry
 * itself is http or the realm is this machine. FAILURE_INPUT with a hint. */
int token_check_realm(const struct url *registry, const struct text_list *allowed,
                      const struct url *realm, struct error *err);

struct token_question {
    const char *service; /* NULL: not said */
    const char *scopes;  /* separated by blanks; may be "" */
    const char *account; /* NULL: anonymous */
};
/* Returns new. */
char *token_url(const struct url *realm, const struct token_question *question);

/* Our own scopes, and of the scopes that the registry names those that widen them for the same
 * repositories. Returns new. */
char *token_merge_scopes(const char *own, const char *named);

struct token_grant {
    char *value; /* new */
    int64_t lifetime_ms;
};
/* FAILURE_INPUT. */
int token_read(const char *body, size_t size, struct token_grant *ret, struct error *err);

#endif

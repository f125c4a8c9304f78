/* One POST to a service, signed or not. It tries once. */
#ifndef AWS_POST_H
#define AWS_POST_H

#include "internal.h"

struct post {
    const char *service; /* name for the signature */
    const struct url *url;
    const char *content_type;
    const char *target;      /* X-Amz-Target; NULL: none */
    const struct text *body; /* copied */
    int64_t idle_timeout_ms;
    int64_t total_timeout_ms; /* 0: none */
    uint64_t max_body_bytes;
};
/* credentials NULL: not signed. Returns the HTTP request's id. */
uint64_t post_send(struct aws *aws, const struct post *post, const struct aws_keys *credentials,
                   http_done_f *done, void *argument);

#endif

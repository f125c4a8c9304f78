/* What an answer of AWS means: the type of an error, its kind, and its words. Pure. */
#ifndef AWS_ANSWER_H
#define AWS_ANSWER_H

#include "regwarden/http_client.h"
#include "regwarden/json.h"

#include "credentials.h"

struct answer {
    struct error error; /* FAILURE_NONE: 2xx and JSON */
    struct json *body;  /* NULL: it was not JSON */
    char *type;         /* of the error, "ThrottlingException"; NULL: none */
    bool is_throttled;
    bool is_expired;   /* the credentials are not taken any more */
    bool may_be_clock; /* a wrong clock can be the reason */
    bool is_uncertain; /* a write may have happened all the same */
};

/* Of a JSON service. `credentials` are those of the request: what repeats them is not quoted. */
void answer_read(const struct http_response *response, const struct aws_keys *credentials,
                 struct answer *ret);
/* Of STS, which answers XML; a 2xx answer is not read. `credentials` may be NULL. */
void answer_read_sts(const struct http_response *response, const struct aws_keys *credentials,
                     struct answer *ret);
void answer_release(struct answer *answer);

#endif

/* Credentials: plain data, wiped when released, and the documents they come in. Pure. */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

struct aws_keys {
    char *access_key_id;
    char *secret_access_key;
    char *session_token; /* NULL: none */
    int64_t expires_ms;  /* wall clock; 0: not said */
};
void aws_keys_release(struct aws_keys *credentials);
void aws_keys_copy(struct aws_keys *to, const struct aws_keys *from);
#define AUTO_AWS_KEYS AUTO(aws_keys_release)

/* Wipes and frees; the pointer is NULL afterwards. */
void aws_keys_erase_text(char **text);
void aws_keys_erase(struct text *text);

/* Does the text repeat the secret key or the session's token? */
bool aws_keys_repeated(const struct aws_keys *credentials, const char *text);

/* A section of the file that the AWS tools write: "[name]" or "[profile name]". FAILURE_ABSENT: no
 * such section; FAILURE_INPUT. */
int aws_keys_from_file(const char *bytes, size_t size, const char *profile, struct aws_keys *ret,
                       struct error *err);
/* What the metadata of an instance and the endpoint of a container answer. FAILURE_INPUT;
 * FAILURE_LATER: the document says that it failed. */
int aws_keys_from_json(const char *bytes, size_t size, struct aws_keys *ret, struct error *err);
/* What STS answers to AssumeRole and AssumeRoleWithWebIdentity. FAILURE_INPUT. */
int aws_keys_from_sts(const char *bytes, size_t size, struct aws_keys *ret, struct error *err);

/* Keys and tokens go into header lines: nothing but visible ASCII may be in them. FAILURE_INPUT
 * names what is wrong, never a value. */
int aws_keys_check(const struct aws_keys *credentials, struct error *err);

#endif

/* Credentials: plain data, wiped when released, and the documents they come in. Pure. */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

struct credentials {
    char *access_key_id;
    char *secret_access_key;
    char *session_token; /* NULL: none */
    int64_t expires_ms;  /* wall clock; 0: not said */
};
void credentials_release(struct credentials *credentials);
void credentials_copy(struct credentials *to, const struct credentials *from);
#define AUTO_CREDENTIALS AUTO(credentials_release)

/* Wipes and frees; the pointer is NULL afterwards. */
void credentials_erase_text(char **text);
void credentials_erase(struct text *text);

/* Does the text repeat the secret key or the session's token? */
bool credentials_repeated(const struct credentials *credentials, const char *text);

/* A section of the file that the AWS tools write: "[name]" or "[profile name]". FAILURE_ABSENT: no
 * such section; FAILURE_INPUT. */
int credentials_from_file(const char *bytes, size_t size, const char *profile,
                          struct credentials *ret, struct error *err);
/* What the metadata of an instance and the endpoint of a container answer. FAILURE_INPUT;
 * FAILURE_LATER: the document says that it failed. */
int credentials_from_json(const char *bytes, size_t size, struct credentials *ret,
                          struct error *err);
/* What STS answers to AssumeRole and AssumeRoleWithWebIdentity. FAILURE_INPUT. */
int credentials_from_sts(const char *bytes, size_t size, struct credentials *ret,
                         struct error *err);

/* Keys and tokens go into header lines: nothing but visible ASCII may be in them. FAILURE_INPUT
 * names what is wrong, never a value. */
int credentials_check(const struct credentials *credentials, struct error *err);

#endif

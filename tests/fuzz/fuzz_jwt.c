/* Tokens and key sets from anybody. The first line is the token, the rest a key set. No key here
 * has signed anything, so that nothing may ever be proven. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_JWT struct jwt jwt = {0};
    AUTO_FREE char *token = memory_copy_bytes(data, size);
    AUTO_TEXT struct text set = {0};
    struct error err = {0};
    size_t line = strcspn(token, "\n");
    if (token[line] == '\n')
        text_add(&set, token + line + 1);
    token[line] = '\0';
    (void)key_set_check(&set, &err);
    if (jwt_parse(token, &jwt, &err) != 0) {
        assert(err.text[0] != '\0');
        return 0;
    }
    assert(json_is(jwt.header, JSON_KIND_OBJECT) && json_is(jwt.claims, JSON_KIND_OBJECT));
    assert(strchr(jwt.signed_text.data, '.') != NULL && jwt.signature.length > 0);
    err = (struct error){0};
    if (jwt_check(&jwt, &set, &err) != 0)
        assert(err.text[0] != '\0');
    return 0;
}

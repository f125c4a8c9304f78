/* The file of the AWS tools: whatever is taken from it can be sent in header lines, and an error
 * never holds what the file held as a secret. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_AWS_KEYS struct aws_keys keys = {0};
    AUTO_FREE char *bytes = memory_copy_bytes(data, size);
    struct error err = {0};
    int rc = aws_keys_from_file(bytes, size, "default", &keys, &err);

    if (rc == 0 && (aws_keys_check(&keys, NULL) < 0 || strpbrk(keys.secret_access_key, " \r\n")))
        abort();
    if (rc < 0 && (keys.access_key_id || err.kind != rc || !err.text[0]))
        abort();
    return 0;
}

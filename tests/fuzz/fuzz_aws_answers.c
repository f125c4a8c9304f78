/* What AWS and the endpoints for credentials answer, in JSON and XML, right and wrong: keys that
 * are taken can be sent in header lines, leaves of XML are bounded, types of errors are plain
 * words. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "answer.h"
#include "xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_keys(int rc, struct aws_keys *keys)
{
    if (rc == 0 && (aws_keys_check(keys, NULL) < 0 || !keys->session_token))
        abort();
    if (rc < 0 && keys->access_key_id)
        abort();
    aws_keys_release(keys);
}

static void check_answer(const char *bytes, size_t size, int status)
{
    struct http_response response = {.status = status, .body = bytes, .body_size = size};
    struct answer answers[2];

    answer_read(&response, NULL, &answers[0]);
    answer_read_sts(&response, NULL, &answers[1]);
    for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
        if (status != 200 && answers[i].error.kind == FAILURE_NONE)
            abort();
        for (const char *c = answers[i].type ? answers[i].type : ""; *c; c++) {
            if (*c <= ' ' || *c > '~')
                abort();
        }
        answer_release(&answers[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *bytes = memory_copy_bytes(data, size);
    struct aws_keys keys = {0};
    struct text_pairs leaves = {0};

    check_keys(aws_keys_from_json(bytes, size, &keys, NULL), &keys);
    check_keys(aws_keys_from_sts(bytes, size, &keys, NULL), &keys);
    if (xml_read(bytes, size, &leaves, NULL) < 0 ? leaves.count > 0 : leaves.count > 256)
        abort();
    text_pairs_release(&leaves);
    check_answer(bytes, size, 200);
    check_answer(bytes, size, 400);
    check_answer(bytes, size, 500);
    return 0;
}

/* One identity in one region: making it and taking it down. */
#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/file.h"

#include "endpoint.h"
#include "fetch.h"
#include "internal.h"
#include "keyring.h"

enum { FILE_BYTES_MAX = 256 * 1024 };

const struct aws_tuning aws_tuning_default = {
    .attempts = 4,
    .backoff_first_ms = 200,
    .backoff_max_ms = INT64_C(10) * 1000,
    .skew_min_ms = INT64_C(4) * 60 * 1000,
    .renew_before_ms = INT64_C(10) * 60 * 1000,
    .expired_before_ms = INT64_C(15) * 1000,
    .file_reread_ms = INT64_C(5) * 60 * 1000,
    .fetch_pause_ms = INT64_C(2) * 1000,
    .fetch_attempts = 3,
    .metadata_timeout_ms = INT64_C(2) * 1000,
};

int64_t aws_now_ms(const struct aws *aws)
{
    return clock_wall_ms() + aws->clock_offset_ms;
}

int64_t aws_backoff_ms(const struct aws *aws, unsigned attempt)
{
    int64_t top_ms = aws->tuning.backoff_first_ms;
    uint64_t random = 0;

    for (unsigned i = 1; i < attempt && top_ms < aws->tuning.backoff_max_ms; i++)
        top_ms *= 2;
    if (top_ms > aws->tuning.backoff_max_ms)
        top_ms = aws->tuning.backoff_max_ms;
    crypto_random(&random, sizeof(random));
    return 1 + (int64_t)(random % (uint64_t)(top_ms + 1));
}

/* A file that cannot be used is told at once, not at the first call. */
static int check_file(const struct config_aws *settings, struct error *err)
{
    AUTO_AWS_KEYS struct aws_keys credentials = {0};
    struct text bytes = {0};
    int rc;

    if (fetch_source(settings) != &source_file || !settings->credentials_file)
        return 0;
    rc = file_read(settings->credentials_file, FILE_BYTES_MAX, &bytes, err);
    if (rc == 0)
        rc = aws_keys_from_file(text_data(&bytes), bytes.length, settings->profile, &credentials,
                                err);
    aws_keys_erase(&bytes);
    return rc < 0 ? error_wrap(err, "%s", settings->credentials_file) : 0;
}

static int check_settings(const struct config_aws *settings, const char *region, struct error *err)
{
    int rc;

    if (!region) {
        (void)error_set(err, FAILURE_INPUT, "the region of AWS is not known");
        return error_hint(err, "set aws.region");
    }
    rc = endpoint_check_region(region, err);
    return rc < 0 ? rc : check_file(settings, err);
}

int aws_new_tuned(struct loop *loop, const struct config_aws *settings, const char *region,
                  const struct aws_tuning *tuning, struct aws **ret, struct error *err)
{
    const char *own = settings->region ? settings->region : region;
    struct aws *aws;
    int rc = check_settings(settings, own, err);

    if (rc < 0)
        return rc;
    aws = memory_new(sizeof(*aws));
    aws->loop = loop;
    aws->settings = settings;
    aws->tuning = *tuning;
    aws->region = memory_copy_text(own);
    TAILQ_INIT(&aws->calls);
    rc = http_client_new(loop, &(struct http_client_options){.ca_file = settings->ca_file},
                         &aws->http, err);
    if (rc < 0) {
        aws_free(aws);
        return error_wrap(err, "AWS client");
    }
    aws->keyring = keyring_new(aws);
    *ret = aws;
    return 0;
}

int aws_new(struct loop *loop, const struct config_aws *settings, const char *region,
            struct aws **ret, struct error *err)
{
    return aws_new_tuned(loop, settings, region, &aws_tuning_default, ret, err);
}

void aws_free(struct aws *aws)
{
    if (!aws)
        return;
    while (!TAILQ_EMPTY(&aws->calls))
        calls_end_first(aws);
    keyring_free(aws->keyring);
    if (aws->files)
        job_pool_free(aws->files);
    http_client_free(aws->http);
    free(aws->region);
    free(aws);
}

const char *aws_region(const struct aws *aws)
{
    return aws->region;
}

void aws_counters(const struct aws *aws, struct aws_counters *ret)
{
    *ret = aws->counters;
}

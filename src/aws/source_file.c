/* Keys in a file, as the AWS tools write it. */
#include "fetch.h"

static bool is_there(const struct config_aws *settings)
{
    return settings->credentials_file != NULL;
}

static void take_bytes(struct fetch *fetch, const struct text *bytes)
{
    const struct config_aws *settings = fetch_aws(fetch)->settings;
    AUTO_AWS_KEYS struct aws_keys credentials = {0};
    struct error error = {0};

    if (aws_keys_from_file(text_data(bytes), bytes->length, settings->profile, &credentials,
                           &error) < 0) {
        (void)error_wrap(&error, "%s", settings->credentials_file);
        fetch_fail(fetch, &error);
        return;
    }
    fetch_take(fetch, &credentials);
}

static void begin(struct fetch *fetch)
{
    const char *path = fetch_aws(fetch)->settings->credentials_file;

    if (!path) {
        struct error error = {0};

        (void)error_set(&error, FAILURE_INPUT, "there is no file");
        (void)error_hint(&error, "set aws.credentials-file");
        fetch_fail(fetch, &error);
        return;
    }
    fetch_read(fetch, path, take_bytes);
}

const struct source source_file = {
    .name = "the file",
    .kind = AWS_CREDENTIALS_FILE,
    .is_there = is_there,
    .begin = begin,
};

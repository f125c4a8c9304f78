/* Any bytes as a configuration file: refused with a message, or taken, written as JSON and taken
 * again with the same meaning. */
#include <stddef.h>
#include <stdint.h>

#include "regwarden/config.h"
#include "regwarden/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *written(const struct config *config)
{
    AUTO_TEXT struct text text = {0};
    AUTO_JSON struct json *json = params_to_json(config_params, config);
    json_write(json, JSON_COMPACT, &text);
    return text_take(&text);
}

static void check_again(const struct config *config)
{
    struct config *again = NULL;
    AUTO_TEXT_LIST struct text_list changed = {0};
    AUTO_FREE char *first = written(config);
    if (config_parse("again", first, strlen(first), &again, NULL))
        abort();
    AUTO_FREE char *second = written(again);
    if (!text_equal(first, second))
        abort();
    config_restart_needed(config, again, &changed);
    config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    struct error err = {0};
    int result = config_parse("fuzz", (const char *)data, size, &config, &err);
    if (result && (err.kind != (enum failure)result || !err.text[0] || config))
        abort();
    if (result == 0)
        check_again(config);
    config_free(config);
    return 0;
}

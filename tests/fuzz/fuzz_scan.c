/* Whole scans of hostile layers: whole and in pieces they give the same facts, and those can be
 * read back. */
#include <stdint.h>
#include <stdlib.h>

#include "regwarden/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool scan_all(const uint8_t *data, size_t size, size_t piece, struct text *ret)
{
    AUTO_PROBES struct scan_probes probes = {0};
    struct scan_options options = {
        .limits = scan_limits_default, .probes = &probes, .diff_id = true, .has_salt = true};
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL, *again = NULL;

    scan_probes_add(&probes, "**", NULL);
    scan_probes_add(&probes, "**/etc/*", "^root:|[a-c]+x$");
    options.limits.max_output_bytes = 1 << 22;
    options.limits.zstd_window_log = 20;
    AUTO_SCAN struct scan *scan = scan_new(&options);
    for (size_t at = 0; at < size; at += piece)
        if (scan_push(scan, data + at, size - at < piece ? size - at : piece, NULL) < 0)
            return false;
    if (scan_finish(scan, &facts, NULL) < 0)
        return false;
    AUTO_JSON struct json *json = layer_facts_to_json(facts);
    must(layer_facts_from_json(json, &again, NULL) == 0);
    json_write(json, JSON_COMPACT, ret);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT struct text whole = {0}, cut = {0};
    bool worked = scan_all(data, size, size + 1, &whole);

    must(scan_all(data, size, size > 0 ? data[0] % 64 + 1 : 1, &cut) == worked);
    must(strcmp(text_data(&whole), text_data(&cut)) == 0);
    return 0;
}

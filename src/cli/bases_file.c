/* A catalogue of bases in a file, as `regwarden base list --json` and `base scan` write it. */
#include "bases_file.h"

#include "regwarden/file.h"
#include "regwarden/json.h"

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

int bases_file_read(const char *path, struct base_catalogue **ret, struct error *err)
{
    static const struct json_limits limits = {
        .max_bytes = FILE_BYTES_MAX, .max_depth = 16, .max_values = 20 * 1000 * 1000};
    AUTO_TEXT struct text text = {0};
    AUTO_JSON struct json *json = NULL;

    if (file_read(path, FILE_BYTES_MAX, &text, err) < 0)
        return err->kind;
    if (json_parse(text_data(&text), text.length, &limits, &json, err) < 0 ||
        base_catalogue_from_json(json, ret, err) < 0) {
        error_wrap(err, "reading bases from %s", path);
        return error_hint(err, "`regwarden base list --json` and `base scan` write such files.");
    }
    return 0;
}

/* Whole facts documents, as they are stored and shown. A difference is either a mistake or a change
 * of FACTS_VERSION. REGWARDEN_UPDATE_GOLDEN=1 writes the documents anew, to be read before they are
 * committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "regwarden/facts_files.h"
#include "regwarden/file.h"
#include "schema_check.h"

static char *read_golden(const char *name, const char *part)
{
    AUTO_FREE char *path =
        text_new("%s/tests/image/golden/%s.%s.json", TEST_SOURCE_DIR, name, part);
    struct text text = {0};
    return file_read(path, 1 << 20, &text, NULL) ? NULL : text_take(&text);
}

enum { LAYERS_MAX = 8 };

/* Facts of the layers, bottom first, where there are any. */
static void add_layers(struct facts *facts, const char *name)
{
    AUTO_FREE char *text = read_golden(name, "layers");
    AUTO_JSON struct json *json = NULL;
    struct layer_facts *layers[LAYERS_MAX] = {0};
    struct layer_result results[LAYERS_MAX] = {0};
    struct facts_files *files = NULL;
    struct error err = {0};
    if (!text)
        return;
    assert_int_equal(json_parse(text, strlen(text), &layer_facts_limits, &json, NULL), 0);
    for (size_t i = 0; i < json_count(json); i++) {
        if (layer_facts_from_json(json_at(json, i), &layers[i], &err) < 0)
            fail_msg("layer %zu: %s", i, err.text);
        results[i].facts = layers[i];
    }
    if (facts_files_build(facts->manifest, facts->config, results, &files, &err) < 0)
        fail_msg("%s", err.text);
    facts_add_files_take(facts, files);
    for (size_t i = 0; i < LAYERS_MAX; i++)
        layer_facts_free(layers[i]);
}

static struct facts *facts_of(const char *name)
{
    static const unsigned char salt[32] = "a salt of thirty-two bytes here";
    AUTO_FREE char *manifest = read_golden(name, "manifest");
    AUTO_FREE char *config = read_golden(name, "config");
    struct facts *facts =
        facts_build_take(fixture_manifest(manifest), config ? fixture_config(config) : NULL,
                         "an index has no config", salt);
    add_layers(facts, name);
    return facts;
}

static void write_golden(const char *name, const char *document)
{
    AUTO_FREE char *path = text_new("%s/tests/image/golden/%s.facts.json", TEST_SOURCE_DIR, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(document, file);
    fclose(file);
}

static void matches(void **state)
{
    const char *name = *state;
    AUTO_FACTS struct facts *facts = facts_of(name);
    AUTO_JSON struct json *json = facts_to_json(facts);
    AUTO_JSON struct json *schema = facts_schema();
    struct text text = {0};
    char why[200] = "";
    json_write(json, JSON_INDENTED, &text);
    text_add(&text, "\n");
    if (getenv("REGWARDEN_UPDATE_GOLDEN"))
        write_golden(name, text_data(&text));
    AUTO_FREE char *expected = read_golden(name, "facts");
    assert_string_equal(text_data(&text), expected);
    if (!schema_check(schema, json, why))
        fail_msg("%s", why);
    text_release(&text);
}

#define GOLDEN(name)                                       \
    {                                                      \
        name, matches, NULL, NULL, (void *)(uintptr_t)name \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        GOLDEN("node-buildkit"),
        GOLDEN("go-buildah"),
        GOLDEN("index"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

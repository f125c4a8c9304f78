/* Schema of the member "files" of the facts document. Values that have names are taken from their
 * tables. */
#include <assert.h>
#include <string.h>

#include "regwarden/facts_files.h"

static const char schema[] =
    "{\n"
    " \"files\": {\"type\": \"object\", \"description\": \"What the layers hold, from the bottom "
    "one (0) up. In an example written by hand all may be left out but for what a thing is.\", "
    "\"properties\": {\n"
    "  \"layerFactsVersion\": {\"type\": \"integer\", \"description\": \"of what was looked for in "
    "the layers\"},\n"
    "  \"complete\": {\"type\": \"boolean\", \"description\": \"every layer was read whole, and "
    "what is hidden is known\"},\n"
    "  \"limits\": {\"$ref\": \"#/$defs/strings\", \"description\": \"what was left out because a "
    "bound was hit\"},\n"
    "  \"layers\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/fileLayer\"}},\n"
    "  \"fileCount\": {\"type\": \"integer\"},\n"
    "  \"visibleBytes\": {\"type\": \"integer\"},\n"
    "  \"wastedBytes\": {\"type\": \"integer\", \"description\": \"served and not visible\"},\n"
    "  \"hits\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/hit\"}},\n"
    "  \"passwd\": {\"$ref\": \"#/$defs/accountFile\"},\n"
    "  \"group\": {\"$ref\": \"#/$defs/accountFile\"},\n"
    "  \"shadow\": {\"$ref\": \"#/$defs/accountFile\"},\n"
    "  \"osReleaseFile\": {\"$ref\": \"#/$defs/accountFile\"},\n"
    "  \"users\": {\"type\": \"array\", \"description\": \"in the order of passwd\", \"items\": "
    "{\"$ref\": \"#/$defs/user\"}},\n"
    "  \"groups\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/userGroup\"}},\n"
    "  \"emptyPasswords\": {\"$ref\": \"#/$defs/strings\", \"description\": \"users of shadow who "
    "need no password\"},\n"
    "  \"osRelease\": {\"$ref\": \"#/$defs/map\"},\n"
    "  \"packages\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/package\"}},\n"
    "  \"largest\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/fileSize\"}},\n"
    "  \"wasted\": {\"type\": \"array\", \"description\": \"the largest that are served and not "
    "visible\", \"items\": {\"$ref\": \"#/$defs/fileSize\"}},\n"
    "  \"probesAsked\": {\"$ref\": \"#/$defs/strings\", \"description\": \"what is not in it was "
    "not looked for\"},\n"
    "  \"probes\": {\"type\": \"array\", \"description\": \"files that policies asked for\", "
    "\"items\": {\"$ref\": \"#/$defs/probe\"}}}},\n"
    " \"fileLayer\": {\"type\": \"object\", \"properties\": {\n"
    "  \"digest\": {\"$ref\": \"#/$defs/digest\"},\n"
    "  \"diffId\": {\"$ref\": \"#/$defs/digest\"},\n"
    "  \"state\": {\"enum\": [\"absent\", \"partial\", \"present\"]},\n"
    "  \"reason\": {\"type\": \"string\"},\n"
    "  \"compression\": {\"type\": \"string\"},\n"
    "  \"compressedBytes\": {\"type\": \"integer\"},\n"
    "  \"uncompressedBytes\": {\"type\": \"integer\"},\n"
    "  \"entries\": {\"type\": \"integer\"},\n"
    "  \"fileCount\": {\"type\": \"integer\"},\n"
    "  \"fileBytes\": {\"type\": \"integer\"},\n"
    "  \"hiddenBytes\": {\"type\": \"integer\", \"description\": \"of files that a later layer "
    "replaces or takes away\"},\n"
    "  \"duplicateBytes\": {\"type\": \"integer\"},\n"
    "  \"afterEndBytes\": {\"type\": \"integer\", \"description\": \"behind the end of the "
    "archive\"},\n"
    "  \"oddEntries\": {\"type\": \"integer\", \"description\": \"that no runtime unpacks as "
    "written\"}}},\n"
    " \"hit\": {\"type\": \"object\", \"required\": [\"kind\", \"path\"], \"properties\": {\n"
    "  \"kind\": {\"enum\": []},\n"
    "  \"runtime\": {\"enum\": []},\n"
    "  \"what\": {\"type\": \"string\", \"description\": \"the kind when it is left out\"},\n"
    "  \"path\": {\"type\": \"string\"},\n"
    "  \"detail\": {\"type\": \"string\", \"description\": \"version, mode, masked secret\"},\n"
    "  \"hash\": {\"type\": \"string\", \"description\": \"keyed with this installation's "
    "salt\"},\n"
    "  \"line\": {\"type\": \"integer\"},\n"
    "  \"files\": {\"type\": \"integer\", \"description\": \"1 when it is left out\"},\n"
    "  \"bytes\": {\"type\": \"integer\"},\n"
    "  \"visibleFiles\": {\"type\": \"integer\", \"description\": \"left out: all, or none with "
    "hiddenBy\"},\n"
    "  \"visibleBytes\": {\"type\": \"integer\", \"description\": \"left out: all, or none with "
    "hiddenBy\"},\n"
    "  \"layer\": {\"type\": \"integer\", \"description\": \"0 when it is left out\"},\n"
    "  \"hiddenBy\": {\"type\": \"integer\", \"description\": \"the layer that took the first of "
    "it away\"}}},\n"
    " \"accountFile\": {\"type\": \"object\", \"description\": \"Left out: it is there when what "
    "it holds is in the document.\", \"properties\": {\n"
    "  \"there\": {\"$ref\": \"#/$defs/answer\"},\n"
    "  \"layer\": {\"type\": \"integer\"},\n"
    "  \"reason\": {\"type\": \"string\"}}},\n"
    " \"user\": {\"type\": \"object\", \"required\": [\"name\", \"uid\"], \"properties\": {\n"
    "  \"name\": {\"type\": \"string\"},\n"
    "  \"uid\": {\"type\": \"integer\"},\n"
    "  \"gid\": {\"type\": \"integer\", \"description\": \"the uid when it is left out\"},\n"
    "  \"home\": {\"type\": \"string\"},\n"
    "  \"shell\": {\"type\": \"string\"},\n"
    "  \"noPassword\": {\"type\": \"boolean\", \"description\": \"nothing stands in the password's "
    "place of passwd\"}}},\n"
    " \"userGroup\": {\"type\": \"object\", \"required\": [\"name\", \"gid\"], \"properties\": {\n"
    "  \"name\": {\"type\": \"string\"},\n"
    "  \"gid\": {\"type\": \"integer\"},\n"
    "  \"members\": {\"type\": \"string\", \"description\": \"with commas between them\"}}},\n"
    " \"package\": {\"type\": \"object\", \"required\": [\"manager\", \"name\"], \"properties\": "
    "{\n"
    "  \"manager\": {\"enum\": []},\n"
    "  \"name\": {\"type\": \"string\"},\n"
    "  \"version\": {\"type\": \"string\"},\n"
    "  \"path\": {\"type\": \"string\", \"description\": \"of the file that tells of it\"},\n"
    "  \"layer\": {\"type\": \"integer\"}}},\n"
    " \"fileSize\": {\"type\": \"object\", \"required\": [\"path\"], \"properties\": {\n"
    "  \"path\": {\"type\": \"string\"},\n"
    "  \"bytes\": {\"type\": \"integer\"},\n"
    "  \"layer\": {\"type\": \"integer\"},\n"
    "  \"hiddenBy\": {\"type\": \"integer\"}}},\n"
    " \"probe\": {\"type\": \"object\", \"required\": [\"probe\", \"path\"], \"properties\": {\n"
    "  \"probe\": {\"type\": \"string\", \"description\": \"id of what was asked for\"},\n"
    "  \"path\": {\"type\": \"string\"},\n"
    "  \"kind\": {\"enum\": [\"file\", \"directory\", \"symlink\", \"hard-link\", \"special\", "
    "\"whiteout\", \"opaque\"]},\n"
    "  \"mode\": {\"type\": \"string\", \"pattern\": \"^[0-7]{1,4}$\"},\n"
    "  \"uid\": {\"type\": \"integer\"},\n"
    "  \"gid\": {\"type\": \"integer\"},\n"
    "  \"bytes\": {\"type\": \"integer\"},\n"
    "  \"sha256\": {\"$ref\": \"#/$defs/digest\"},\n"
    "  \"content\": {\"$ref\": \"#/$defs/answer\"},\n"
    "  \"layer\": {\"type\": \"integer\"},\n"
    "  \"hiddenBy\": {\"type\": \"integer\"}}}}\n";

static void fill_kinds(struct json *to)
{
    for (unsigned i = 0; i < SIGNAL_KIND_COUNT; i++)
        json_append_take(to, json_new_string(signal_kind_name((enum signal_kind)i)));
}

static void fill_managers(struct json *to)
{
    for (unsigned i = 0; i < PACKAGE_MANAGER_COUNT; i++)
        json_append_take(to, json_new_string(package_manager_name((enum package_manager)i)));
}

static void fill_runtimes(struct json *to)
{
    for (const char *const *name = runtime_names; *name; name++)
        json_append_take(to, json_new_string(*name));
}

static struct json *names_of(const struct json *defs, const char *def, const char *member)
{
    return json_get(json_get(json_get(json_get(defs, def), "properties"), member), "enum");
}

struct json *facts_files_schema(void)
{
    struct json *defs = NULL;
    int failure = json_parse(schema, strlen(schema), NULL, &defs, NULL);

    assert(!failure);
    (void)failure;
    fill_kinds(names_of(defs, "hit", "kind"));
    fill_runtimes(names_of(defs, "hit", "runtime"));
    fill_managers(names_of(defs, "package", "manager"));
    return defs;
}

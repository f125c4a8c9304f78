/* The JSON schema (2020-12) of `check -o json`, for those who read it by program. */
#include "regwarden/report.h"

#include <assert.h>

static const char schema_text[] =
    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\","
    " \"title\": \"Results of regwarden check\","
    " \"description\": \"Fields are only ever added: a reader ignores those that it does not "
    "know.\","
    " \"type\": \"object\", \"required\": [\"schemaVersion\", \"results\"], \"properties\": {"
    "  \"schemaVersion\": {\"const\": 1},"
    "  \"results\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/result\"}}},"
    " \"$defs\": {"
    "  \"digest\": {\"type\": \"string\", \"pattern\": "
    "\"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$\"},"
    "  \"answer\": {\"enum\": [\"unknown\", \"no\", \"yes\"]},"
    "  \"actions\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}},"
    "  \"result\": {\"type\": \"object\","
    "   \"required\": [\"reference\", \"facts\", \"verdict\", \"findings\"], \"properties\": {"
    "    \"reference\": {\"type\": \"string\", \"description\": \"As it was given.\"},"
    "    \"digest\": {\"$ref\": \"#/$defs/digest\"},"
    "    \"platform\": {\"type\": \"string\", \"description\": \"os/architecture[/variant]; not "
    "there"
    " for an index.\"},"
    "    \"facts\": {\"oneOf\": [{\"type\": \"null\"}, {\"$ref\": \"#/$defs/facts\"}]},"
    "    \"verdict\": {\"enum\": [\"pass\", \"warn\", \"unknown\", \"fail\"]},"
    "    \"findings\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/finding\"}},"
    "    \"actions\": {\"$ref\": \"#/$defs/actions\"},"
    "    \"auditActions\": {\"$ref\": \"#/$defs/actions\"},"
    "    \"enforced\": {\"type\": \"boolean\"},"
    "    \"retry\": {\"type\": \"boolean\"},"
    "    \"policies\": {\"type\": \"integer\", \"minimum\": 0, \"description\": \"How many "
    "applied.\"},"
    "    \"policyRevision\": {\"type\": \"string\"}}},"
    "  \"facts\": {\"type\": \"object\", \"required\": [\"runtime\", \"base\"], \"properties\": {"
    "    \"runtime\": {\"type\": \"string\"},"
    "    \"runtimeVersion\": {\"type\": \"string\"},"
    "    \"compressedBytes\": {\"type\": \"integer\", \"minimum\": 0},"
    "    \"base\": {\"type\": \"object\", \"required\": [\"pinned\", \"evidence\"], "
    "\"properties\": {"
    "     \"name\": {\"type\": \"string\"},"
    "     \"digest\": {\"$ref\": \"#/$defs/digest\"},"
    "     \"pinned\": {\"$ref\": \"#/$defs/answer\"},"
    "     \"evidence\": {\"type\": \"string\"}}}}},"
    "  \"finding\": {\"type\": \"object\","
    "   \"required\": [\"rule\", \"id\", \"policy\", \"severity\", \"status\", \"message\", "
    "\"origin\","
    " \"fingerprint\"], \"properties\": {"
    "    \"rule\": {\"type\": \"string\"},"
    "    \"id\": {\"type\": \"string\", \"description\": \"Of the rule in its policy.\"},"
    "    \"policy\": {\"type\": \"string\"},"
    "    \"severity\": {\"enum\": [\"info\", \"low\", \"medium\", \"high\", \"critical\"]},"
    "    \"status\": {\"enum\": [\"warn\", \"unknown\", \"fail\", \"waived\"]},"
    "    \"message\": {\"type\": \"string\"},"
    "    \"remedy\": {\"type\": \"string\"},"
    "    \"evidence\": {\"type\": \"string\", \"description\": \"How it is known.\"},"
    "    \"layer\": {\"type\": \"string\"},"
    "    \"origin\": {\"enum\": [\"unknown\", \"own\", \"base\"]},"
    "    \"step\": {\"type\": \"integer\", \"minimum\": 0, \"description\": \"Of the build "
    "history.\"},"
    "    \"path\": {\"type\": \"string\"},"
    "    \"bytes\": {\"type\": \"integer\", \"minimum\": 1},"
    "    \"platform\": {\"type\": \"string\", \"description\": \"Child of an index.\"},"
    "    \"waiver\": {\"type\": \"string\"},"
    "    \"fingerprint\": {\"type\": \"string\", \"pattern\": \"^[0-9a-f]{32}$\","
    " \"description\": \"Stays the same over time and rebuilds.\"}}}}}";

struct json *check_schema(void)
{
    struct json *schema = NULL;
    int r = json_parse(schema_text, sizeof(schema_text) - 1, NULL, &schema, NULL);
    assert(r == 0);
    (void)r;
    return schema;
}

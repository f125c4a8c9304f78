/* The published JSON schema of the facts document. Members are only ever added; a change of meaning
 * raises FACTS_VERSION. */
#include <assert.h>
#include <string.h>

#include "provenance_json.h"
#include "regwarden/facts.h"
#include "regwarden/facts_files.h"

static const char schema[] =
    "{\n"
    "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
    "\"title\": \"regwarden facts\",\n"
    "\"description\": \"Everything known about one image, by digest. What depends on the moment "
    "(tag, time, pusher) is not in it.\",\n"
    "\"type\": \"object\",\n"
    "\"required\": [\"factsVersion\"],\n"
    "\"properties\": {\n"
    " \"factsVersion\": {\"const\": 2},\n"
    " \"groups\": {\"type\": \"object\", \"description\": \"Which groups of facts are there; a "
    "group without data says why.\", \"additionalProperties\": {\"$ref\": \"#/$defs/group\"}},\n"
    " \"manifest\": {\"$ref\": \"#/$defs/manifest\"},\n"
    " \"config\": {\"$ref\": \"#/$defs/config\"},\n"
    " \"history\": {\"$ref\": \"#/$defs/history\"},\n"
    " \"base\": {\"$ref\": \"#/$defs/base\"},\n"
    " \"runtime\": {\"$ref\": \"#/$defs/runtime\"},\n"
    " \"provenance\": {\"$ref\": \"#/$defs/provenance\"},\n"
    " \"referrers\": {\"$ref\": \"#/$defs/referrers\"},\n"
    " \"secrets\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/secret\"}},\n"
    " \"files\": {\"$ref\": \"#/$defs/files\"}\n"
    "},\n"
    "\"$defs\": {\n"
    " \"group\": {\"type\": \"object\", \"properties\": {\n"
    "  \"state\": {\"enum\": [\"absent\", \"partial\", \"present\"]},\n"
    "  \"reason\": {\"type\": \"string\"}}},\n"
    " \"digest\": {\"type\": \"string\", \"pattern\": \"^[a-z0-9+._-]+:[A-Za-z0-9=_-]+$\"},\n"
    " \"strings\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}},\n"
    " \"map\": {\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}},\n"
    " \"namedValues\": {\"type\": \"array\", \"items\": {\"type\": \"object\", \"required\": "
    "[\"name\", \"value\"], \"properties\": {\"name\": {\"type\": \"string\"}, \"value\": "
    "{\"type\": \"string\"}}}},\n"
    " \"values\": {\"oneOf\": [{\"$ref\": \"#/$defs/namedValues\"}, {\"$ref\": "
    "\"#/$defs/map\"}]},\n"
    " \"answer\": {\"enum\": [\"unknown\", \"no\", \"yes\"]},\n"
    " \"evidence\": {\"enum\": [\"none\", \"history\", \"environment\", \"label\", \"layers\", "
    "\"annotation\", \"provenance\", \"signed-provenance\"]},\n"
    " \"platform\": {\"type\": \"object\", \"properties\": {\n"
    "  \"os\": {\"type\": \"string\"}, \"architecture\": {\"type\": \"string\"},\n"
    "  \"variant\": {\"type\": \"string\"}, \"osVersion\": {\"type\": \"string\"}}},\n"
    " \"descriptor\": {\"type\": \"object\", \"properties\": {\n"
    "  \"mediaType\": {\"type\": \"string\"}, \"digest\": {\"$ref\": \"#/$defs/digest\"},\n"
    "  \"size\": {\"type\": \"integer\", \"description\": \"bytes, compressed as stored\"},\n"
    "  \"platform\": {\"$ref\": \"#/$defs/platform\"},\n"
    "  \"artifactType\": {\"type\": \"string\"}, \"annotations\": {\"$ref\": \"#/$defs/map\"}}},\n"
    " \"manifest\": {\"type\": \"object\", \"properties\": {\n"
    "  \"kind\": {\"enum\": [\"image\", \"index\", \"attestation\", \"artifact\"]},\n"
    "  \"mediaType\": {\"type\": \"string\"}, \"digest\": {\"$ref\": \"#/$defs/digest\"},\n"
    "  \"size\": {\"type\": \"integer\"}, \"config\": {\"$ref\": \"#/$defs/descriptor\"},\n"
    "  \"layers\": {\"type\": \"array\", \"description\": \"base first\", \"items\": {\"$ref\": "
    "\"#/$defs/descriptor\"}},\n"
    "  \"children\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/descriptor\"}},\n"
    "  \"artifactType\": {\"type\": \"string\"}, \"subject\": {\"$ref\": \"#/$defs/descriptor\"},\n"
    "  \"annotations\": {\"$ref\": \"#/$defs/map\"}}},\n"
    " \"healthcheck\": {\"type\": \"object\", \"properties\": {\n"
    "  \"test\": {\"$ref\": \"#/$defs/strings\"}, \"intervalMs\": {\"type\": \"integer\"},\n"
    "  \"timeoutMs\": {\"type\": \"integer\"}, \"startPeriodMs\": {\"type\": \"integer\"},\n"
    "  \"retries\": {\"type\": \"integer\"}}},\n"
    " \"config\": {\"type\": \"object\", \"properties\": {\n"
    "  \"platform\": {\"$ref\": \"#/$defs/platform\"},\n"
    "  \"created\": {\"type\": \"string\", \"format\": \"date-time\"},\n"
    "  \"author\": {\"type\": \"string\"},\n"
    "  \"user\": {\"type\": \"string\", \"description\": \"as written; empty is root\"},\n"
    "  \"env\": {\"$ref\": \"#/$defs/values\"},\n"
    "  \"entrypoint\": {\"$ref\": \"#/$defs/strings\"},\n"
    "  \"entrypointIsShell\": {\"type\": \"boolean\"},\n"
    "  \"cmd\": {\"$ref\": \"#/$defs/strings\"}, \"cmdIsShell\": {\"type\": \"boolean\"},\n"
    "  \"exposedPorts\": {\"$ref\": \"#/$defs/strings\"},\n"
    "  \"volumes\": {\"$ref\": \"#/$defs/strings\"}, \"workingDir\": {\"type\": \"string\"},\n"
    "  \"labels\": {\"$ref\": \"#/$defs/map\"}, \"onBuild\": {\"$ref\": \"#/$defs/strings\"},\n"
    "  \"shell\": {\"$ref\": \"#/$defs/strings\"},\n"
    "  \"healthcheck\": {\"$ref\": \"#/$defs/healthcheck\"},\n"
    "  \"stopSignal\": {\"type\": \"string\"},\n"
    "  \"diffIds\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/digest\"}}}},\n"
    " \"step\": {\"type\": \"object\", \"required\": [\"kind\"], \"properties\": {\n"
    "  \"kind\": {\"enum\": [\"other\", \"RUN\", \"COPY\", \"ADD\", \"ENV\", \"ARG\", \"USER\", "
    "\"WORKDIR\", \"CMD\", \"ENTRYPOINT\", \"EXPOSE\", \"VOLUME\", \"LABEL\", \"HEALTHCHECK\", "
    "\"SHELL\", \"STOPSIGNAL\", \"ONBUILD\", \"MAINTAINER\"]},\n"
    "  \"text\": {\"type\": \"string\"}, \"args\": {\"$ref\": \"#/$defs/values\"},\n"
    "  \"empty\": {\"type\": \"boolean\", \"description\": \"made no layer\"},\n"
    "  \"layer\": {\"type\": \"integer\", \"description\": \"index into the manifest's layers\"},\n"
    "  \"origin\": {\"enum\": [\"unknown\", \"own\", \"base\"]},\n"
    "  \"shellForm\": {\"type\": \"boolean\"},\n"
    "  \"created\": {\"type\": \"string\", \"format\": \"date-time\"},\n"
    "  \"createdBy\": {\"type\": \"string\"}, \"comment\": {\"type\": \"string\"},\n"
    "  \"author\": {\"type\": \"string\"}}},\n"
    " \"history\": {\"type\": \"object\", \"properties\": {\n"
    "  \"builder\": {\"enum\": [\"unknown\", \"classic\", \"buildkit\", \"buildah\", \"kaniko\", "
    "\"jib\", \"ko\", \"apko\", \"bazel\", \"nix\", \"buildpacks\"]},\n"
    "  \"aligned\": {\"type\": \"boolean\", \"description\": \"the steps that made layers match "
    "the layers one to one\"},\n"
    "  \"steps\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/step\"}}}},\n"
    " \"base\": {\"type\": \"object\", \"properties\": {\n"
    "  \"name\": {\"type\": \"string\"}, \"digest\": {\"$ref\": \"#/$defs/digest\"},\n"
    "  \"pinned\": {\"$ref\": \"#/$defs/answer\"},\n"
    "  \"layerCount\": {\"type\": \"integer\", \"description\": \"leading layers that belong to "
    "the "
    "base\"},\n"
    "  \"evidence\": {\"$ref\": \"#/$defs/evidence\"},\n"
    "  \"layerEvidence\": {\"$ref\": \"#/$defs/evidence\"}}},\n"
    " \"runtime\": {\"type\": \"object\", \"properties\": {\n"
    "  \"name\": {\"enum\": [\"unknown\", \"node\", \"go\", \"python\", \"dotnet\", \"java\", "
    "\"ruby\", \"rust\", \"php\", \"static\"]},\n"
    "  \"version\": {\"type\": \"string\"}, \"sdk\": {\"$ref\": \"#/$defs/answer\"},\n"
    "  \"evidence\": {\"$ref\": \"#/$defs/evidence\"}}},\n"
    " \"secret\": {\"type\": \"object\", \"required\": [\"place\"], \"properties\": {\n"
    "  \"kind\": {\"type\": \"string\"},\n"
    "  \"place\": {\"enum\": [\"env\", \"label\", \"annotation\", \"arg\", \"history\", "
    "\"command\", \"healthcheck\"]},\n"
    "  \"key\": {\"type\": \"string\"}, \"step\": {\"type\": \"integer\"},\n"
    "  \"masked\": {\"type\": \"string\"},\n"
    "  \"hash\": {\"type\": \"string\", \"description\": \"keyed with this installation's "
    "salt\"}}}\n"
    "}}\n";

static struct json *parse(const char *text)
{
    struct json *document = NULL;
    int failure = json_parse(text, strlen(text), NULL, &document, NULL);
    assert(!failure);
    (void)failure;
    return document;
}

/* Definitions that stand in the file of their group. */
static void add_definitions_take(struct json *document, struct json *taken)
{
    AUTO_JSON struct json *definitions = taken;
    struct json *all = json_get(document, "$defs");
    for (void *i = json_iterate(definitions); i; i = json_next(definitions, i))
        json_set_take(all, json_iterator_key(i), json_retain(json_iterator_value(i)));
}

struct json *facts_schema(void)
{
    struct json *document = parse(schema);
    add_definitions_take(document, parse(provenance_schema));
    add_definitions_take(document, facts_files_schema());
    return document;
}

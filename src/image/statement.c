/* In-toto statements out of their wrappings: bare, in a DSSE envelope, in a sigstore bundle. No
 * signature is looked at. */
#include "fields.h"
#include "provenance_read.h"
#include "regwarden/crypto.h"
#include "regwarden/vulnerabilities.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/"
#define PAYLOAD_TYPE "application/vnd.in-toto+json"

/* Of each object that readers in Go may read otherwise than we do. */
static const char *const envelope_names[] = {"payload", "payloadType", "signatures", NULL};
static const char *const bundle_names[] = {"mediaType", "dsseEnvelope", "messageSignature", NULL};
static const char *const statement_names[] = {"_type", "predicateType", "subject", "predicate",
                                              NULL};

static int parse(const char *bytes, size_t size, struct json **ret, struct error *err)
{
    /* of what may come as a statement, that is the longest */
    static const struct json_limits limits = {
        .max_bytes = VULNERABILITY_REPORT_BYTES_MAX, .max_depth = 64, .max_values = 200000};

    return json_parse(bytes, size, &limits, ret, err);
}

static int check_statement(const struct json *json, struct error *err)
{
    const char *type = json_get_string(json, "_type");
    int failure = fields_refuse_variants(json, statement_names, "the statement", err);

    if (failure)
        return failure;
    if (!type || !text_starts_with(type, STATEMENT_TYPE))
        return error_set(err, FAILURE_INPUT, "it is not an in-toto statement");
    return 0;
}

/* An envelope with no signature in it says no more than a bare statement. */
static bool has_signature(const struct json *envelope)
{
    const struct json *signatures = json_get(envelope, "signatures");

    for (size_t i = 0; i < json_count(signatures); i++) {
        const char *signature = json_get_string(json_at(signatures, i), "sig");

        if (signature && *signature)
            return true;
    }
    return false;
}

static int open_envelope(const struct json *envelope, struct statement *ret, struct error *err)
{
    const char *type = json_get_string(envelope, "payloadType");
    const char *payload = json_get_string(envelope, "payload");
    AUTO_TEXT struct text bytes = {0};
    int failure = fields_refuse_variants(envelope, envelope_names, "the envelope", err);

    if (failure)
        return failure;
    if (!payload || !type)
        return error_set(err, FAILURE_INPUT, "the envelope has no payload");
    if (!text_equal_nocase(type, PAYLOAD_TYPE))
        return error_set(err, FAILURE_INPUT, "what the envelope holds is not an in-toto statement");
    if (crypto_from_base64(payload, &bytes, err))
        return error_wrap(err, "the envelope's payload");
    failure = parse(text_data(&bytes), bytes.length, &ret->json, err);
    if (failure)
        return error_wrap(err, "the envelope's payload");
    ret->enveloped = has_signature(envelope);
    return 0;
}

static int open_bundle(const struct json *bundle, struct statement *ret, struct error *err)
{
    const struct json *envelope = json_get(bundle, "dsseEnvelope");
    int failure = fields_refuse_variants(bundle, bundle_names, "the bundle", err);

    if (failure)
        return failure;
    if (!envelope)
        return error_set(err, FAILURE_INPUT, "the bundle holds a signature and no statement");
    return open_envelope(envelope, ret, err);
}

int statement_read(const char *bytes, size_t size, struct statement *ret, struct error *err)
{
    AUTO_JSON struct json *outer = NULL;
    int failure = parse(bytes, size, &outer, err);

    *ret = (struct statement){0};
    if (failure)
        return failure;
    if (json_get(outer, "payload"))
        failure = open_envelope(outer, ret, err);
    else if (json_get(outer, "dsseEnvelope") || json_get(outer, "messageSignature"))
        failure = open_bundle(outer, ret, err);
    else
        ret->json = TAKE(outer);
    if (!failure)
        failure = check_statement(ret->json, err);
    if (failure) {
        json_release(ret->json);
        *ret = (struct statement){0};
    }
    return failure;
}

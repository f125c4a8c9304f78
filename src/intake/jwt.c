/* Reading tokens and key sets strictly, and the signature. What the claims mean is the business of
 * proof_jwt.c. */
#include "jwt.h"

enum { TOKEN_MAX = 8 << 10, KEYS_MAX = 64, KEY_ID_MAX = 256 };

static const struct json_limits part_limits = {
    .max_bytes = 8 << 10, .max_depth = 6, .max_values = 512};
static const struct json_limits set_limits = {
    .max_bytes = 64 << 10, .max_depth = 6, .max_values = 8192};

static const struct {
    const char *name;
    enum public_key_kind kind;
    const char *type; /* of keys */
} algorithms[] = {
    {"RS256", PUBLIC_KEY_RSA, "RSA"},
    {"ES256", PUBLIC_KEY_P256, "EC"},
};

/* --- tokens --- */

/* base64url without padding, as tokens are written, and nothing else. */
static int part_decode(const char *part, size_t length, struct text *to, struct error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    AUTO_FREE char *copy = memory_copy_bytes(part, length);
    if (length == 0 || strspn(copy, digits) != length)
        return error_set(err, FAILURE_INPUT, "the token is not made of three parts in base64url");
    return crypto_from_base64(copy, to, err);
}

static int part_parse(const char *part, size_t length, struct json **ret, struct error *err)
{
    AUTO_TEXT struct text bytes = {0};
    int r = part_decode(part, length, &bytes, err);
    if (r == 0)
        r = json_parse(text_data(&bytes), bytes.length, &part_limits, ret, err);
    if (r == 0 && !json_is(*ret, JSON_KIND_OBJECT))
        r = error_set(err, FAILURE_INPUT, "a part of the token is no JSON object");
    return r;
}

static int take_algorithm(struct jwt *jwt, struct error *err)
{
    const char *name = json_get_string(jwt->header, "alg");
    if (json_get(jwt->header, "crit") != NULL)
        return error_set(err, FAILURE_INPUT, "the token asks for an extension");
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++) {
        if (text_equal(name, algorithms[i].name)) {
            jwt->kind = algorithms[i].kind;
            return 0;
        }
    }
    return error_set(err, FAILURE_INPUT, "the token is signed neither with RS256 nor with ES256");
}

int jwt_parse(const char *token, struct jwt *ret, struct error *err)
{
    AUTO_JWT struct jwt jwt = {0};
    if (strlen(token) > TOKEN_MAX)
        return error_set(err, FAILURE_LIMIT, "the token is longer than %d bytes", TOKEN_MAX);
    size_t header = strcspn(token, ".");
    const char *claims = token + header + (token[header] == '.' ? 1 : 0);
    size_t claims_length = strcspn(claims, ".");
    const char *signature = claims + claims_length + (claims[claims_length] == '.' ? 1 : 0);
    int r = part_parse(token, header, &jwt.header, err);
    if (r == 0)
        r = part_parse(claims, claims_length, &jwt.claims, err);
    if (r == 0)
        r = part_decode(signature, strlen(signature), &jwt.signature, err);
    if (r == 0)
        r = take_algorithm(&jwt, err);
    if (r != 0)
        return r;
    text_add_bytes(&jwt.signed_text, token, (size_t)(claims + claims_length - token));
    *ret = jwt;
    jwt = (struct jwt){0};
    return 0;
}

void jwt_release(struct jwt *jwt)
{
    json_release(jwt->header);
    json_release(jwt->claims);
    text_release(&jwt->signed_text);
    text_release(&jwt->signature);
    *jwt = (struct jwt){0};
}

/* --- key sets --- */

static int number_of(const struct json *key, const char *name, struct text *to, struct error *err)
{
    const char *digits = json_get_string(key, name);
    if (digits == NULL)
        return error_set(err, FAILURE_INPUT, "the key has no \"%s\"", name);
    return crypto_from_base64(digits, to, err);
}

static int key_read(const struct json *key, enum public_key_kind kind, struct public_key **ret,
                    struct error *err)
{
    AUTO_TEXT struct text first = {0};
    AUTO_TEXT struct text second = {0};
    bool rsa = kind == PUBLIC_KEY_RSA;
    if (!rsa && !text_equal(json_get_string(key, "crv"), "P-256"))
        return error_set(err, FAILURE_INPUT, "the key is not on P-256");
    int r = number_of(key, rsa ? "n" : "x", &first, err);
    if (r == 0)
        r = number_of(key, rsa ? "e" : "y", &second, err);
    if (r != 0)
        return r;
    return rsa ? public_key_from_rsa(&first, &second, ret, err)
               : public_key_from_p256(&first, &second, ret, err);
}

/* May this key check that algorithm? Keys for encryption and of other algorithms may not. */
static bool key_serves(const struct json *key, enum public_key_kind kind)
{
    const char *use = json_get_string(key, "use");
    const char *algorithm = json_get_string(key, "alg");
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++) {
        if (algorithms[i].kind == kind)
            return text_equal(json_get_string(key, "kty"), algorithms[i].type) &&
                   (use == NULL || text_equal(use, "sig")) &&
                   (algorithm == NULL || text_equal(algorithm, algorithms[i].name));
    }
    return false;
}

static int set_parse(const struct text *text, struct json **ret, struct error *err)
{
    int r = json_parse(text_data(text), text->length, &set_limits, ret, err);
    if (r != 0)
        return error_wrap(err, "the key set"), r;
    const struct json *keys = json_get(*ret, "keys");
    if (!json_is(keys, JSON_KIND_ARRAY) || json_count(keys) > KEYS_MAX)
        return error_set(err, FAILURE_INPUT, "the key set has no array \"keys\" of at most %d keys",
                         KEYS_MAX);
    return 0;
}

/* Without an id in the token only a set with one key of the kind is not ambiguous. */
static const struct json *set_find(const struct json *set, const struct jwt *jwt)
{
    const struct json *keys = json_get(set, "keys");
    const struct json *id = json_get(jwt->header, "kid");
    const struct json *found = NULL;
    if (id != NULL && json_string(id) == NULL)
        return NULL;
    for (size_t i = 0; i < json_count(keys); i++) {
        const struct json *key = json_at(keys, i);
        if (!key_serves(key, jwt->kind) ||
            (id != NULL && !text_equal(json_get_string(key, "kid"), json_string(id))))
            continue;
        if (found != NULL)
            return NULL;
        found = key;
    }
    return found;
}

int jwt_check(const struct jwt *jwt, const struct text *key_set, struct error *err)
{
    AUTO_JSON struct json *set = NULL;
    AUTO_PUBLIC_KEY struct public_key *key = NULL;
    int r = set_parse(key_set, &set, err);
    if (r != 0)
        return r;
    const struct json *found = set_find(set, jwt);
    if (found == NULL)
        return error_set(err, FAILURE_ABSENT, "the issuer has no key of the token's id");
    r = key_read(found, jwt->kind, &key, err);
    if (r != 0)
        return error_wrap(err, "the issuer's key"), r;
    if (!public_key_verifies(key, HASH_SHA256, &jwt->signed_text, &jwt->signature))
        return error_set(err, FAILURE_DENIED, "the token's signature is wrong");
    return 0;
}

int key_set_check(const struct text *text, struct error *err)
{
    AUTO_JSON struct json *set = NULL;
    int r = set_parse(text, &set, err);
    const struct json *keys = json_get(set, "keys");
    for (size_t i = 0; r == 0 && i < json_count(keys); i++) {
        for (size_t k = 0; k < ARRAY_COUNT(algorithms); k++) {
            AUTO_PUBLIC_KEY struct public_key *key = NULL;
            if (key_serves(json_at(keys, i), algorithms[k].kind) &&
                key_read(json_at(keys, i), algorithms[k].kind, &key, NULL) == 0)
                return 0;
        }
    }
    return r != 0 ? r : error_set(err, FAILURE_INPUT, "no key of it is for RS256 or ES256");
}

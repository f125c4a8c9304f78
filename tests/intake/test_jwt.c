/* Signed tokens: the form, the signature, the claims. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jwt.h"
#include "proofs.h"
#include "signer.h"

#define NOW_S INT64_C(1700000000)
#define GOOGLE "https://accounts.google.com"
#define TENANT "https://login.microsoftonline.com/6ba7b810-9dad-11d1-80b4-00c04fd430c8/v2.0"

static char name[] = "main", dialect[] = "auto", audience[] = "https://warden.example/hooks/main";

struct world {
    struct signer *rsa, *ec;
    struct config_registry registry;
    struct hook hook;
    struct error err;
};

static int setup(void **state)
{
    struct world *world = memory_new(sizeof(*world));
    world->rsa = signer_new_rsa(2048);
    world->ec = signer_new_p256();
    world->registry =
        (struct config_registry){.name = name, .dialect = dialect, .hook_audience = audience};
    text_list_add(&world->registry.hook_identities, "push@project.iam.gserviceaccount.com");
    text_list_add(&world->registry.hook_identities, "4962773b-9cdb-44cf-a8bf-237846a00ab7");
    world->hook = (struct hook){.registry = &world->registry, .proof = &proof_jwt};
    world->hook.issuer = memory_copy_text(GOOGLE);
    text_add(&world->hook.key_set, "{\"keys\":[");
    signer_jwk(world->rsa, "rsa", &world->hook.key_set);
    text_add(&world->hook.key_set, ",");
    signer_jwk(world->ec, "ec", &world->hook.key_set);
    text_add(&world->hook.key_set, "]}");
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    signer_free(world->rsa);
    signer_free(world->ec);
    text_list_release(&world->registry.hook_identities);
    hook_release(&world->hook);
    free(world);
    return 0;
}

static enum proof_state prove(struct world *world, const char *header)
{
    AUTO_PAIRS struct text_pairs headers = {0};
    if (header != NULL)
        text_pairs_add(&headers, "authorization", header);
    struct hook_message message = {.headers = &headers, .bytes = "{}", .size = 2};
    struct proof_input input = {.hook = &world->hook, .message = &message, .now_ms = NOW_S * 1000};
    struct proof_outcome outcome = {0};
    world->err = (struct error){0};
    enum proof_state state = proof_jwt.prove(&input, &outcome, &world->err);
    proof_outcome_release(&outcome);
    return state;
}

static enum proof_state prove_token(struct world *world, const char *token)
{
    AUTO_FREE char *header = text_new("Bearer %s", token);
    return prove(world, header);
}

static char *claims_of(const char *more)
{
    return text_new("{\"iss\":\"" GOOGLE "\",\"aud\":\"%s\",\"exp\":%lld,\"iat\":%lld,"
                    "\"email\":\"push@project.iam.gserviceaccount.com\",\"email_verified\":true%s}",
                    audience, (long long)NOW_S + 3600, (long long)NOW_S, more);
}

static enum proof_state prove_signed(struct world *world, const char *header, const char *claims)
{
    AUTO_TEXT struct text token = {0};
    bool ec = strstr(header, "ES256") != NULL;
    signer_token(ec ? world->ec : world->rsa, header, claims, &token);
    return prove_token(world, token.data);
}

/* --- header and signature --- */

static void algorithms(void **state)
{
    static const struct {
        const char *header;
        bool proven;
    } table[] = {
        {"{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"JWT\"}", true},
        {"{\"alg\":\"ES256\",\"kid\":\"ec\"}", true},
        {"{\"alg\":\"RS256\"}", true}, /* the only key of its kind */
        {"{\"alg\":\"RS256\",\"kid\":\"ec\"}", false},
        {"{\"alg\":\"ES256\",\"kid\":\"rsa\"}", false},
        {"{\"alg\":\"RS256\",\"kid\":\"other\"}", false},
        {"{\"alg\":\"RS256\",\"kid\":7}", false},
        {"{\"alg\":\"none\",\"kid\":\"rsa\"}", false},
        {"{\"alg\":\"None\"}", false},
        {"{\"alg\":\"HS256\",\"kid\":\"rsa\"}", false},
        {"{\"alg\":\"RS512\",\"kid\":\"rsa\"}", false},
        {"{\"alg\":\"PS256\",\"kid\":\"rsa\"}", false},
        {"{\"alg\":\"rs256\",\"kid\":\"rsa\"}", false},
        {"{\"kid\":\"rsa\"}", false},
        {"{\"alg\":[\"RS256\"],\"kid\":\"rsa\"}", false},
        {"{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}", false},
        {"{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"exp\"]}", false},
        {"[]", false},
        {"x", false},
    };
    AUTO_FREE char *claims = claims_of("");
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        enum proof_state got = prove_signed(*state, table[i].header, claims);
        if (got != (table[i].proven ? PROOF_PROVEN : PROOF_REFUSED))
            fail_msg("%s", table[i].header);
    }
}

/* The old trick: the public key, which everybody has, taken as the secret of an HMAC. */
static void the_public_key_is_no_secret(void **state)
{
    struct world *world = *state;
    uint8_t mac[HASH_SIZE_MAX];
    AUTO_FREE char *claims = claims_of("");
    static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"rsa\"}";
    AUTO_TEXT struct text token = {0};
    signer_base64url(header, strlen(header), &token);
    text_add(&token, ".");
    signer_base64url(claims, strlen(claims), &token);
    crypto_hmac(HASH_SHA256, world->hook.key_set.data, world->hook.key_set.length, token.data,
                token.length, mac);
    text_add(&token, ".");
    signer_base64url(mac, hash_size(HASH_SHA256), &token);
    assert_int_equal(prove_token(world, token.data), PROOF_REFUSED);
}

static void damaged_tokens(void **state)
{
    struct world *world = *state;
    AUTO_FREE char *claims = claims_of("");
    AUTO_FREE char *large = memory_new(10000);
    memset(large, 'A', 9999);
    AUTO_TEXT struct text token = {0};
    signer_token(world->rsa, "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", claims, &token);
    assert_int_equal(prove_token(world, token.data), PROOF_PROVEN);
    AUTO_FREE char *padded = text_new("%s==", token.data);
    AUTO_FREE char *longer = text_new("%s.x", token.data);
    AUTO_FREE char *unsigned_token = memory_copy_text(token.data);
    strrchr(unsigned_token, '.')[1] = '\0';
    const char *const table[] = {"",     ".",    "..", "...", "a.b.c", "e30.e30.", unsigned_token,
                                 padded, longer, large};
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (prove_token(world, table[i]) != PROOF_REFUSED)
            fail_msg("row %zu", i);
    }
    for (size_t i = 0; i < token.length; i += 7) {
        AUTO_FREE char *changed = memory_copy_text(token.data);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(prove_token(world, changed), PROOF_REFUSED);
    }
    assert_int_equal(prove(world, NULL), PROOF_REFUSED);
    assert_int_equal(prove(world, token.data), PROOF_REFUSED);
    AUTO_FREE char *basic = text_new("Basic %s", token.data);
    assert_int_equal(prove(world, basic), PROOF_REFUSED);
}

/* --- claims --- */

#define AUD "\"aud\":\"https://warden.example/hooks/main\""
#define ISS "\"iss\":\"" GOOGLE "\""
#define TIMES "\"exp\":1700003600,\"iat\":1700000000"
#define WHO "\"email\":\"push@project.iam.gserviceaccount.com\",\"email_verified\":true"

static void claims(void **state)
{
    static const struct {
        const char *claims;
        bool proven;
    } table[] = {
        {ISS "," AUD "," TIMES "," WHO, true},
        {ISS ",\"aud\":[\"other\",\"https://warden.example/hooks/main\"]," TIMES "," WHO, true},
        {"\"iss\":\"accounts.google.com\"," AUD "," TIMES "," WHO, false},
        {"\"iss\":\"https://evil.example\"," AUD "," TIMES "," WHO, false},
        {AUD "," TIMES "," WHO, false},
        {ISS "," TIMES "," WHO, false},
        {ISS ",\"aud\":\"https://warden.example/hooks/other\"," TIMES "," WHO, false},
        {ISS ",\"aud\":{\"a\":\"https://warden.example/hooks/main\"}," TIMES "," WHO, false},
        {ISS "," AUD ",\"iat\":1700000000," WHO, false},
        {ISS "," AUD ",\"exp\":1700003600," WHO, false},
        {ISS "," AUD ",\"exp\":\"1700003600\",\"iat\":1700000000," WHO, false},
        {ISS "," AUD ",\"exp\":1e300,\"iat\":1700000000," WHO, false},
        {ISS "," AUD ",\"exp\":1699999950,\"iat\":1699990000," WHO, true}, /* within the skew */
        {ISS "," AUD ",\"exp\":1699999900,\"iat\":1699990000," WHO, false},
        {ISS "," AUD ",\"exp\":1700003600,\"iat\":1700000100," WHO, false},
        {ISS "," AUD "," TIMES ",\"nbf\":1700000100," WHO, false},
        {ISS "," AUD "," TIMES ",\"nbf\":\"0\"," WHO, false},
        {ISS "," AUD "," TIMES ",\"email\":\"push@project.iam.gserviceaccount.com\"", false},
        {ISS "," AUD "," TIMES ",\"email\":\"push@project.iam.gserviceaccount.com\","
             "\"email_verified\":\"true\"",
         false},
        {ISS "," AUD "," TIMES ",\"email\":\"evil@example.com\",\"email_verified\":true", false},
        {ISS "," AUD "," TIMES ",\"sub\":\"4962773b-9cdb-44cf-a8bf-237846a00ab7\"", true},
        {ISS "," AUD "," TIMES ",\"azp\":\"4962773b-9cdb-44cf-a8bf-237846a00ab7\"", false},
        {ISS "," AUD "," TIMES, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_FREE char *object = text_new("{%s}", table[i].claims);
        enum proof_state got = prove_signed(*state, "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", object);
        if (got != (table[i].proven ? PROOF_PROVEN : PROOF_REFUSED))
            fail_msg("%s", table[i].claims);
    }
}

/* Entra ID names applications. */
static void applications(void **state)
{
    static const struct {
        const char *claims;
        bool proven;
    } table[] = {
        {"\"azp\":\"4962773b-9cdb-44cf-a8bf-237846a00ab7\"", true},
        {"\"appid\":\"4962773b-9cdb-44cf-a8bf-237846a00ab7\"", true},
        {"\"appid\":\"00000000-9cdb-44cf-a8bf-237846a00ab7\"", false},
        {"\"oid\":\"4962773b-9cdb-44cf-a8bf-237846a00ab7\"", false},
    };
    struct world *world = *state;
    free(world->hook.issuer);
    world->hook.issuer = memory_copy_text(TENANT);
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_FREE char *object =
            text_new("{\"iss\":\"" TENANT "\"," AUD "," TIMES ",%s}", table[i].claims);
        enum proof_state got = prove_signed(world, "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", object);
        if (got != (table[i].proven ? PROOF_PROVEN : PROOF_REFUSED))
            fail_msg("%s", table[i].claims);
    }
}

/* --- key sets --- */

static void key_sets(void **state)
{
    struct world *world = *state;
    static const char *const table[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[7]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct error err = {0};
        AUTO_TEXT struct text set = {0};
        text_add(&set, table[i]);
        if (key_set_check(&set, &err) == 0)
            fail_msg("%s", table[i]);
    }
    assert_int_equal(key_set_check(&world->hook.key_set, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(algorithms, setup, teardown),
        cmocka_unit_test_setup_teardown(the_public_key_is_no_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(claims, setup, teardown),
        cmocka_unit_test_setup_teardown(applications, setup, teardown),
        cmocka_unit_test_setup_teardown(key_sets, setup, teardown),
    };
    return cmocka_run_group_tests_name("jwt", tests, NULL, NULL);
}

/* The configuration file: defaults, environment, paths, checks, reload comparison, schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "regwarden/config.h"
#include "regwarden/file.h"
#include "regwarden/json.h"
#include "regwarden/log.h"

static void auto_free_config(struct config **config)
{
    config_free(*config);
}
#define AUTO_CONFIG AUTO(auto_free_config)

static int clear_environment(void **state)
{
    static const char *const names[] = {"RUNTIME_DIRECTORY", "STATE_DIRECTORY",
                                        "CREDENTIALS_DIRECTORY", "LISTEN_FDS", "LISTEN_PID"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        unsetenv(names[i]);
    return 0;
}

static struct config *parse(const char *text)
{
    struct config *config = NULL;
    struct error err = {0};
    if (config_parse("/etc/regwarden/c.yaml", text, strlen(text), &config, &err))
        fail_msg("%s: %s", text, err.text);
    return config;
}

static void an_empty_file_gives_good_defaults(void **state)
{
    AUTO_CONFIG struct config *config = parse("");
    (void)state;
    assert_int_equal(config->listen.count, 1);
    assert_string_equal(config->listen.items[0], "127.0.0.1:8080");
    assert_string_equal(config->state_directory, "/var/lib/regwarden");
    assert_string_equal(config->store_url, "sqlite:");
    assert_int_equal(config->policies.count, 0);
    assert_int_equal(config->log_level, LEVEL_INFO);
    assert_int_equal(config->log_format, LOG_AUTO);
    assert_int_equal(config->max_reviews, 32);
    assert_true(config->sweep_at_start);
    assert_int_equal(config->retention_ms, INT64_C(90) * 86400000);
    assert_int_equal(config->registry_count, 0);
    assert_string_equal(config->tag_template, "policy-fail-{digest12}");
    assert_string_equal(config->path, "/etc/regwarden/c.yaml");
}

static void the_service_managers_directories_are_used(void **state)
{
    (void)state;
    setenv("RUNTIME_DIRECTORY", "/run/regwarden:/run/other", 1);
    setenv("STATE_DIRECTORY", "/var/lib/private/regwarden", 1);
    AUTO_CONFIG struct config *config = parse("");
    AUTO_CONFIG struct config *explicit =
        parse("listen: [\"unix:/x\"]\nstate-directory: /srv/state\n");
    assert_int_equal(config->listen.count, 2);
    assert_string_equal(config->listen.items[0], "127.0.0.1:8080");
    assert_string_equal(config->listen.items[1], "unix:/run/regwarden/regwarden.sock");
    assert_string_equal(config->state_directory, "/var/lib/private/regwarden");
    assert_int_equal(explicit->listen.count, 1);
    assert_string_equal(explicit->state_directory, "/srv/state");
    setenv("RUNTIME_DIRECTORY", "relative", 1);
    AUTO_CONFIG struct config *ignored = parse("");
    assert_int_equal(ignored->listen.count, 1);
}

static const char full[] =
    "listen: [\"0.0.0.0:8443\", \"[::1]:8080\", \"unix:/run/x.sock\", systemd]\n"
    "tls: {certificate-file: tls/cert.pem, key-file: /abs/key.pem}\n"
    "store: {url: \"sqlite:/srv/db\", retention: 30d}\n"
    "policies: [policies, /srv/policies]\n"
    "waivers: waivers.yaml\n"
    "api: {token-file: token}\n"
    "log: {level: debug, format: json}\n"
    "registries:\n"
    "  prod:\n"
    "    url: https://Registry.Example:5000/\n"
    "    type: harbor\n"
    "    username: robot\n"
    "    password-file: prod.password\n"
    "    hook-secret-file: prod.hook\n"
    "    token-realms: [auth.example, \"auth.example:8443\"]\n"
    "    hosts: harbor.example\n"
    "    sweep-interval: 0\n"
    "  edge-2: {url: \"http://[::1]:5001\"}\n"
    "notifiers:\n"
    "  chat: {url: \"https://chat.example/hook?x=1\", format: slack, on: fail,\n"
    "         secret-file: chat.key}\n";

static void a_full_file_is_read(void **state)
{
    AUTO_CONFIG struct config *config = parse(full);
    (void)state;
    assert_int_equal(config->listen.count, 4);
    assert_string_equal(config->tls_certificate_file, "/etc/regwarden/tls/cert.pem");
    assert_string_equal(config->tls_key_file, "/abs/key.pem");
    assert_string_equal(config->policies.items[0], "/etc/regwarden/policies");
    assert_string_equal(config->policies.items[1], "/srv/policies");
    assert_string_equal(config->waivers.items[0], "/etc/regwarden/waivers.yaml");
    assert_int_equal(config->log_level, LEVEL_DEBUG);
    assert_int_equal(config->log_format, LOG_JSON);
    assert_int_equal(config->registry_count, 2);
    const struct config_registry *prod = config_find_registry(config, "prod");
    assert_string_equal(prod->url, "https://registry.example:5000");
    assert_int_equal(prod->type, REGISTRY_TYPE_HARBOR);
    assert_string_equal(registry_type_names[prod->type], "harbor");
    assert_string_equal(prod->password_file, "/etc/regwarden/prod.password");
    assert_string_equal(prod->hook_secret_header, "Authorization");
    assert_string_equal(prod->dialect, "auto");
    assert_string_equal(prod->quarantine_prefix, "quarantine");
    assert_int_equal(prod->sweep_interval_ms, 0);
    assert_int_equal(prod->token_realms.count, 2);
    assert_int_equal(config_find_registry(config, "edge-2")->sweep_interval_ms, 6 * 3600000);
    assert_null(config_find_registry(config, "missing"));
    assert_int_equal(config->notifier_count, 1);
    assert_string_equal(config->notifiers[0].name, "chat");
    assert_int_equal(config->notifiers[0].format, 1);
    assert_string_equal(config->notifiers[0].secret_file, "/etc/regwarden/chat.key");
    assert_int_equal(config->notifiers[0].on.count, 1);
}

static void credentials_come_from_the_service_manager(void **state)
{
    (void)state;
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/regwarden.service", 1);
    AUTO_CONFIG struct config *config = parse(full);
    assert_string_equal(config->api_token_file, "/run/credentials/regwarden.service/token");
    assert_string_equal(config->registries[0].password_file,
                        "/run/credentials/regwarden.service/prod.password");
    assert_string_equal(config->tls_key_file, "/abs/key.pem");
    assert_string_equal(config->policies.items[0], "/etc/regwarden/policies");
}

static void faults_are_named_at_their_place(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"lisen: x", "c:1:1: unknown key 'lisen', did you mean 'listen'?"},
        {"registrys: {}", "c:1:1: unknown key 'registrys', did you mean 'registries'?"},
        {"listen: []", "c:1:9: listen: names no address"},
        {"listen: [\"127.0.0.1:1\", \"localhost:8080\"]", "c:1:25: listen: this is not an address"},
        {"listen: 127.0.0.1", "c:1:9: listen: this is not an address"},
        {"listen: \"127.0.0.1:99999\"", "c:1:9: listen: this is not an address"},
        {"listen: \"::1:8080\"", "c:1:9: listen: this is not an address"},
        {"listen: \"[::1]\"", "c:1:9: listen: this is not an address"},
        {"listen: \"[127.0.0.1]:80\"", "c:1:9: listen: this is not an address"},
        {"listen: \"unix:relative\"", "c:1:9: listen: this is not an address"},
        {"listen: \"unix:/\"", "c:1:9: listen: this is not an address"},
        {"listen: \":8080\"", "c:1:9: listen: this is not an address"},
        {"tls: {key-file: k}", "c:1:6: tls: certificate-file and key-file belong together"},
        {"tls: {client-ca-file: k}", "c:1:23: tls.client-ca-file: needs certificate-file"},
        {"state-directory: var", "c:1:18: state-directory: must be an absolute path"},
        {"store: {url: mysql://x}", "c:1:14: store.url: expected sqlite:"},
        {"store: {url: \"sqlite:relative\"}", "c:1:14: store.url: expected sqlite:"},
        {"store: {url: \"postgresql://u:pw@h/db\"}", "c:1:14: store.url: a password does not"},
        {"store: {url: \"postgresql://h/db?Password=pw\"}", "c:1:14: store.url: a password does"},
        {"bases: [main/base]", "c:1:9: bases: this does not begin with the name of a configured"},
        {"registries: {m: {url: 'http://r'}}\nbases: [m/a, m]",
         "c:2:14: bases: expected registry/"},
        {"retry: {first: 20m}", "c:1:1: retry.max: must not be less than retry.first"},
        {"retry: {max: 2h, give-up: 1h}", "c:1:27: retry.give-up: must not be less than"},
        {"tag-template: always-this", "c:1:15: tag-template: would name every image alike"},
        {"max-reviews: 0", "c:1:14: max-reviews: 0 is less than the least allowed, 1"},
        {"max-body: 5MiB", "c:1:11: max-body: 5.2 MB is more than the most allowed, 4.2 MB"},
        {"log: {level: loud}", "c:1:14: log.level: 'loud' is not one of error, warning"},
        {"registries: [a]", "c:1:13: registries: expected a map from names to settings"},
        {"registries: {Prod: {url: \"http://h\"}}", "c:1:14: 'Prod' cannot be a name here"},
        {"registries: {a.b: {url: \"http://h\"}}", "c:1:14: 'a.b' cannot be a name here"},
        {"registries: {-a: {url: \"http://h\"}}", "c:1:14: '-a' cannot be a name here"},
        {"registries: {a: }", "c:1:17: 'url' is missing"},
        {"registries: {a: {}}", "c:1:17: 'url' is missing"},
        {"registries: {a: {url: \"http://h\"}, a: {url: \"http://h\"}}",
         "c:1:36: 'a' stands here a"},
        {"registries: {a: {url: h}}", "c:1:23: url: expected https://host[:port]"},
        {"registries: {a: {url: \"ftp://h\"}}", "c:1:23: url: expected https://host[:port]"},
        {"registries: {a: {url: \"https://u:p@h\"}}", "c:1:23: url: expected https://host[:port]"},
        {"registries: {a: {url: \"https://h/path\"}}", "c:1:23: url: expected https://host[:port]"},
        {"registries: {a: {url: \"https://h//\"}}", "c:1:23: url: expected https://host[:port]"},
        {"registries: {a: {url: \"https://h?q\"}}", "c:1:23: url: expected https://host[:port]"},
        {"registries: {a: {url: \"https://\"}}", "c:1:23: url: expected https://host[:port]"},
        {"registries: {a: {url: \"https://h:x\"}}", "c:1:23: url: expected https://host[:port]"},
        {"registries: {a: {url: \"https://h\", username: u}}", "c:1:46: username: username and"},
        {"registries: {a: {url: \"https://h\", password-file: u}}", "c:1:51: password-file: user"},
        {"registries: {a: {url: \"https://h\", client-key-file: u}}",
         "c:1:17: client-certificate-file: client-certificate-file and"},
        {"registries: {a: {url: \"https://h\", hook-secret-header: \"a b\"}}",
         "c:1:56: hook-secret-header: this is not a header name"},
        {"registries: {a: {url: \"https://h\", token-realms: [h, \"https://h\"]}}",
         "c:1:54: token-realms: this is not a host"},
        {"registries: {a: {url: \"https://h\", hosts: \"h/x\"}}",
         "c:1:43: hosts: this is not a host"},
        {"registries: {a: {url: \"https://h\", dialect: habor}}",
         "c:1:45: dialect: there is no such dialect"},
        {"registries: {a: {url: \"https://h\", aws: {queue-url: "
         "\"http://sqs.eu-central-1.amazonaws.com/1/q\"}}}",
         "c:1:53: aws.queue-url: expected https"},
        {"registries: {a: {url: \"https://h\", aws: {queue-url: "
         "\"https://queue.example.com/1/q\"}}}",
         "c:1:53: aws.queue-url: does not tell the region"},
        {"registries: {a: {url: \"https://h\", aws: {queue-url: "
         "\"https://u:p@sqs.eu-central-1.amazonaws.com/1/q\"}}}",
         "c:1:53: aws.queue-url: expected https"},
        {"registries: {a: {url: \"https://h\", aws: {region: \"eu/../x\"}}}",
         "c:1:50: aws.region: this is not a region"},
        {"registries: {a: {url: \"https://h\", aws: {credentials: file}}}",
         "c:1:55: aws.credentials: file needs aws.credentials-file"},
        {"registries: {a: {url: \"https://h\", aws: {sts-endpoint: sts.example.com}}}",
         "c:1:56: aws.sts-endpoint: expected https"},
        {"registries: {a: {url: \"https://h\", aws: {sqs-endpoint: \"http://sqs.example.com\"}}}",
         "c:1:56: aws.sqs-endpoint: expected https"},
        {"registries: {a: {url: \"https://h\", aws: {sts-endpoint: \"http://127.example.com\"}}}",
         "c:1:56: aws.sts-endpoint: expected https"},
        {"registries: {a: {url: \"https://h\", aws: {ecr-endpoint: \"http://localhost.io:1\"}}}",
         "c:1:56: aws.ecr-endpoint: expected https"},
        {"registries: {a: {url: \"https://h\", aws: {region: eu-central-1, queue-url: "
         "\"http://127.example.com/1/q\"}}}",
         "c:1:75: aws.queue-url: expected https"},
        {"registries: {a: {url: \"https://h\", concurrency: 0}}", "c:1:49: concurrency: 0 is less"},
        {"notifiers: {a: {url: h}}", "c:1:22: url: expected https://host[:port]/path"},
        {"notifiers: {a: {url: \"https://u:p@h/\"}}", "c:1:22: url: expected https://host"},
        {"notifiers: {a: {url: \"https://h/ x\"}}", "c:1:22: url: expected https://host"},
        {"notifiers: {a: {url: \"https://h/#f\"}}", "c:1:22: url: expected https://host"},
        {"notifiers: {a: {url: \"https://h/\", on: [pass, fails]}}", "c:1:47: on: expected pass"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct config *config = NULL;
        struct error err = {0};
        int result = config_parse("c", cases[i].text, strlen(cases[i].text), &config, &err);
        if (result != FAILURE_INPUT || config || !text_starts_with(err.text, cases[i].message))
            fail_msg("%s: %d %s", cases[i].text, result, err.text);
    }
}

static void messages_repeat_no_password(void **state)
{
    static const char *const cases[] = {
        "registries: {a: {url: \"https://u:hunter2@h\"}}",
        "notifiers: {a: {url: \"https://u:hunter2@h/\"}}",
        "notifiers: {a: {url: \"https://h/hunter2 x\"}}",
        "store: {url: \"postgresql://u:hunter2@h/db\"}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct config *config = NULL;
        struct error err;
        assert_int_equal(config_parse("c", cases[i], strlen(cases[i]), &config, &err),
                         FAILURE_INPUT);
        assert_null(strstr(err.text, "hunter2"));
        assert_null(strstr(err.hint, "hunter2"));
    }
}

static void files_are_loaded(void **state)
{
    char path[] = "/tmp/regwarden-config-XXXXXX";
    struct error err;
    AUTO_CONFIG struct config *config = NULL;
    (void)state;
    close(mkstemp(path));
    assert_int_equal(file_write(path, "policies: p\n", 12, 0600, NULL), 0);
    assert_int_equal(config_load(path, &config, &err), 0);
    assert_string_equal(config->policies.items[0], "/tmp/p");
    unlink(path);
    struct config *missing = NULL;
    assert_int_equal(config_load(path, &missing, &err), FAILURE_ABSENT);
    assert_null(missing);
}

static void a_url_alone_is_a_configuration(void **state)
{
    AUTO_CONFIG struct config *config = NULL;
    struct error err;
    (void)state;
    assert_int_equal(config_for_registry("http://localhost:5000/", &config, &err), 0);
    assert_int_equal(config->registry_count, 1);
    assert_string_equal(config->registries[0].name, "registry");
    assert_string_equal(config->registries[0].url, "http://localhost:5000");
    assert_null(config->path);
    static const char *const refused[] = {"localhost:5000", "", "http://h\"\nlisten: x",
                                          "https://h\\", "https://u:p@h"};
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        struct config *none = NULL;
        assert_int_equal(config_for_registry(refused[i], &none, &err), FAILURE_INPUT);
        assert_null(none);
    }
}

static void reload_names_what_needs_a_restart(void **state)
{
    static const struct {
        const char *before, *after, *names;
    } cases[] = {
        {"", "", ""},
        {"", "max-reviews: 5\nlog: {level: debug}\npolicies: [x]", ""},
        {"", "scan: {max-layer: 1GB}", ""},
        {"", "scan: {workers: 2, memory: 100MB}", "scan.workers scan.memory "},
        {"", "listen: \"127.0.0.1:9\"\nstore: {url: \"sqlite:/x\"}", "listen store.url "},
        {"tls: {certificate-file: a, key-file: b}", "", "tls.certificate-file tls.key-file "},
        {"registries: {a: {url: \"http://h\"}}", "registries: {a: {url: \"http://g\", hosts: x}}",
         "registries.a.url "},
        {"registries: {a: {url: \"http://h\"}}", "registries: {b: {url: \"http://h\"}}",
         "registries.a registries.b "},
        {"registries: {a: {url: \"http://h\"}, b: {url: \"http://h\", timeout: 1s}}",
         "registries: {b: {url: \"http://h\", timeout: 2s}, a: {url: \"http://h\"}}",
         "registries.b.timeout "},
        {"notifiers: {a: {url: \"http://h/\"}}", "notifiers: {b: {url: \"http://h/\"}}", ""},
        {"notifiers: {a: {url: \"http://h/\"}}", "notifiers: {a: {url: \"http://g/\"}}", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_CONFIG struct config *before = parse(cases[i].before);
        AUTO_CONFIG struct config *after = parse(cases[i].after);
        AUTO_TEXT_LIST struct text_list names = {0};
        AUTO_TEXT struct text joined = {0};
        config_restart_needed(before, after, &names);
        for (size_t j = 0; j < names.count; j++)
            text_format(&joined, "%s ", names.items[j]);
        assert_string_equal(text_data(&joined), cases[i].names);
    }
}

static void tables_are_complete(void **state)
{
    static const struct param *const tables[] = {config_params, config_registry_params,
                                                 config_notifier_params};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
        for (const struct param *param = tables[i]; param->name; param++) {
            bool counted = param->type == PARAM_INTEGER || param->type == PARAM_BYTES ||
                           param->type == PARAM_DURATION;
            assert_non_null(param->help);
            assert_true(text_ends_with(param->help, "."));
            if (counted) {
                assert_non_null(param->unit);
                assert_non_null(param->fallback);
                assert_true(param->max > param->min);
            }
            if (param->type == PARAM_CHOICE)
                assert_non_null(param->choices);
            for (const struct param *other = param + 1; other->name; other++)
                assert_string_not_equal(param->name, other->name);
        }
    }
}

static void the_schema_covers_the_file(void **state)
{
    AUTO_JSON struct json *schema = config_schema();
    const struct json *properties = json_get(schema, "properties");
    (void)state;
    assert_non_null(json_get_string(schema, "$schema"));
    assert_non_null(json_get(properties, "listen"));
    assert_non_null(json_get(json_get(json_get(properties, "tls"), "properties"), "key-file"));
    const struct json *registry =
        json_get(json_get(properties, "registries"), "additionalProperties");
    assert_non_null(json_get(json_get(registry, "properties"), "url"));
    assert_string_equal(json_string(json_at(json_get(registry, "required"), 0)), "url");
    assert_non_null(json_get(json_get(properties, "notifiers"), "propertyNames"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_file_gives_good_defaults, clear_environment),
        cmocka_unit_test_setup(the_service_managers_directories_are_used, clear_environment),
        cmocka_unit_test_setup(a_full_file_is_read, clear_environment),
        cmocka_unit_test_setup(credentials_come_from_the_service_manager, clear_environment),
        cmocka_unit_test_setup(faults_are_named_at_their_place, clear_environment),
        cmocka_unit_test_setup(messages_repeat_no_password, clear_environment),
        cmocka_unit_test_setup(files_are_loaded, clear_environment),
        cmocka_unit_test_setup(a_url_alone_is_a_configuration, clear_environment),
        cmocka_unit_test_setup(reload_names_what_needs_a_restart, clear_environment),
        cmocka_unit_test_setup(tables_are_complete, clear_environment),
        cmocka_unit_test_setup(the_schema_covers_the_file, clear_environment),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}

/* How images are fetched and looked into: options that several commands share. */
#include "session.h"

#include <argp.h>

enum option_key {
    OPTION_PLAIN_HTTP = 0x500,
    OPTION_USERNAME,
    OPTION_PASSWORD_FILE,
    OPTION_CA_FILE,
    OPTION_NO_LAYERS,
    OPTION_BASES
};

static const struct argp_option option_table[] = {
    {"no-layers", OPTION_NO_LAYERS, NULL, 0,
     "Do not look into layers: what only they tell is not known", 1},
    {"bases", OPTION_BASES, "FILE", 0,
     "Known bases, as `regwarden base list --json` or `base scan` write them: tells what the "
     "image "
     "is built on",
     1},
    {"plain-http", OPTION_PLAIN_HTTP, NULL, 0,
     "Talk HTTP to the registry (loopback addresses always do)", 1},
    {"username", OPTION_USERNAME, "NAME", 0,
     "Registry user (default: what docker or podman login left)", 1},
    {"password-file", OPTION_PASSWORD_FILE, "FILE", 0,
     "File with the password; - is standard input", 1},
    {"ca-file", OPTION_CA_FILE, "FILE", 0, "Certificates to trust for the registry", 1},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct session_options *options = state->input;

    switch (key) {
    case OPTION_NO_LAYERS:
        options->no_layers = true;
        return 0;
    case OPTION_BASES:
        options->bases_file = value;
        return 0;
    case OPTION_PLAIN_HTTP:
        options->plain_http = true;
        return 0;
    case OPTION_USERNAME:
        options->username = value;
        return 0;
    case OPTION_PASSWORD_FILE:
        options->password_file = text_equal(value, "-") ? "/dev/stdin" : value;
        return 0;
    case OPTION_CA_FILE:
        options->ca_file = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp session_argp = {.options = option_table, .parser = parse_option};

/* `regwarden harbor connect|status`: sets up a Harbor for the daemon, and looks whether all of it
 * is covered. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "regwarden/http_client.h"

#include "harbor_setup.h"
#include "session.h"

enum {
    OPTION_URL = 256,
    OPTION_USER,
    OPTION_PASSWORD_FILE,
    OPTION_CA_FILE,
    OPTION_HOOK_URL,
    OPTION_PROJECTS,
    OPTION_ALL_PROJECTS,
    OPTION_ACTIONS,
    OPTION_SECRETS,
    OPTION_NAME,
    OPTION_LABEL,
    OPTION_QUARANTINE,
    OPTION_NEW_SECRET,
    OPTION_DRY_RUN,
    OPTION_PLAIN_HTTP,
};

struct input {
    struct harbor_options options;
    const char *verb;
    bool plain_http;
};

static const struct argp_option option_table[] = {
    {"url", OPTION_URL, "URL", 0, "Harbor's address, https://host", 1},
    {"user", OPTION_USER, "NAME", 0, "an administrator of Harbor; admin", 1},
    {"password-file", OPTION_PASSWORD_FILE, "FILE", 0, "with its password; - is standard input", 1},
    {"ca-file", OPTION_CA_FILE, "FILE", 0, "authorities that vouch for Harbor (PEM)", 1},
    {"plain-http", OPTION_PLAIN_HTTP, NULL, 0,
     "let secrets travel over http (loopback addresses always do)", 1},
    {"hook-url", OPTION_HOOK_URL, "URL", 0,
     "where Harbor reaches the daemon: https://regwarden.example.com/hooks/harbor", 2},
    {"projects", OPTION_PROJECTS, "A,B", 0, "cover these projects", 2},
    {"all-projects", OPTION_ALL_PROJECTS, NULL, 0, "cover all projects that there are", 2},
    {"actions", OPTION_ACTIONS, "A|B", 0,
     "what the daemon will do: audit, label, tag, quarantine, rollback, remove; audit", 2},
    {"secrets", OPTION_SECRETS, "DIR", 0, "directory for the files with secrets; .", 3},
    {"name", OPTION_NAME, "NAME", 0, "of the robot and the webhooks; regwarden", 3},
    {"label", OPTION_LABEL, "NAME", 0, "of the label; policy-fail", 3},
    {"quarantine-project", OPTION_QUARANTINE, "NAME", 0, "quarantine", 3},
    {"new-secret", OPTION_NEW_SECRET, NULL, 0,
     "give the robot a new secret; the old one stops working", 3},
    {"dry-run", OPTION_DRY_RUN, NULL, 0, "say what would be done, change nothing", 3},
    {NULL, 0, NULL, 0, NULL, 0},
};

static void split(const char *value, const char *separators, struct text_list *to)
{
    while (*value) {
        size_t length = strcspn(value, separators);

        if (length > 0)
            text_list_add_take(to, memory_copy_bytes(value, length));
        value += length + (value[length] != '\0');
    }
}

static void parse_actions(struct harbor_options *options, const char *value,
                          struct argp_state *state)
{
    AUTO_TEXT_LIST struct text_list words = {0};

    split(value, "|,", &words);
    for (size_t i = 0; i < words.count; i++) {
        int found = -1;

        for (int k = 0; harbor_action_names[k]; k++) {
            if (text_equal(harbor_action_names[k], words.items[i]))
                found = k;
        }
        if (found >= 0)
            options->actions |= 1U << found;
        /* These need nothing of Harbor. */
        else if (!text_equal(words.items[i], "hold") && !text_equal(words.items[i], "notify"))
            argp_error(state, "there is no action \"%s\"; see --help", words.items[i]);
    }
}

/* Both addresses get secrets: the administrator's password, and the webhooks' own. */
static void check_url(const char *option, const char *value, const struct input *input,
                      struct argp_state *state)
{
    struct url url = {0};
    struct error error = {0};

    if (!value) {
        argp_error(state, "%s is needed", option);
        return;
    }
    if (url_parse(value, &url, &error) < 0) {
        argp_error(state, "%s: %s", option, error.text);
        return;
    }
    if (text_equal(url.scheme, "http") && !session_host_is_loopback(url.host_port) &&
        !input->plain_http)
        argp_error(state,
                   "%s: secrets would be sent in the clear; use https, or allow it with "
                   "--plain-http",
                   option);
    /* Harbor would leave it out. */
    if (strchr(value, '?'))
        argp_error(state, "%s: an address without a query is needed", option);
    url_release(&url);
}

/* Anywhere else events would come to nothing, and nobody would be told. */
static void check_hook(const char *value, struct argp_state *state)
{
    const char *hooks = strstr(value, "/hooks/");

    if (!hooks || !hooks[strlen("/hooks/")] || strchr(hooks + strlen("/hooks/"), '/'))
        argp_error(state,
                   "--hook-url: events are taken at /hooks/NAME, where NAME is the registry's in "
                   "regwarden.yaml");
}

static void check_verb(const char *verb, struct argp_state *state)
{
    if (!verb)
        argp_error(state, "say what to do: connect or status");
    else if (!text_equal(verb, "connect") && !text_equal(verb, "status"))
        argp_error(state, "harbor cannot \"%s\"; it can connect and status", verb);
}

static void check(const struct input *input, struct argp_state *state)
{
    const struct harbor_options *options = &input->options;

    check_verb(input->verb, state);
    check_url("--url", options->url, input, state);
    if (!options->password_file)
        argp_error(state, "--password-file is needed");
    if (!text_equal(input->verb, "connect"))
        return;
    check_url("--hook-url", options->hook_url, input, state);
    check_hook(options->hook_url, state);
    if (options->all_projects == (options->projects.count > 0))
        argp_error(state, "give either --projects or --all-projects");
}

static error_t parse_place(int key, char *value, struct harbor_options *options)
{
    switch (key) {
    case OPTION_URL:
        options->url = value;
        return 0;
    case OPTION_USER:
        options->user = value;
        return 0;
    case OPTION_PASSWORD_FILE:
        options->password_file = value;
        return 0;
    case OPTION_CA_FILE:
        options->ca_file = value;
        return 0;
    case OPTION_HOOK_URL:
        options->hook_url = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_setting(int key, char *value, struct harbor_options *options)
{
    switch (key) {
    case OPTION_PROJECTS:
        split(value, ",", &options->projects);
        return 0;
    case OPTION_ALL_PROJECTS:
        options->all_projects = true;
        return 0;
    case OPTION_SECRETS:
        options->directory = value;
        return 0;
    case OPTION_NAME:
        options->robot = value;
        return 0;
    case OPTION_LABEL:
        options->label = value;
        return 0;
    case OPTION_QUARANTINE:
        options->quarantine = value;
        return 0;
    case OPTION_NEW_SECRET:
        options->new_secret = true;
        return 0;
    case OPTION_DRY_RUN:
        options->dry_run = true;
        return 0;
    default:
        return parse_place(key, value, options);
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct input *input = state->input;

    switch (key) {
    case OPTION_ACTIONS:
        parse_actions(&input->options, value, state);
        return 0;
    case OPTION_PLAIN_HTTP:
        input->plain_http = true;
        return 0;
    case ARGP_KEY_ARG:
        if (input->verb)
            return ARGP_ERR_UNKNOWN;
        input->verb = value;
        return 0;
    case ARGP_KEY_END:
        check(input, state);
        return 0;
    default:
        return parse_setting(key, value, &input->options);
    }
}

static const struct argp argp = {
    .options = option_table,
    .parser = parse_option,
    .args_doc = "connect\nstatus",
    .doc = "Set up a Harbor for the daemon: a robot account with the rights that the actions take, "
           "webhooks of the projects, the label, the quarantine project. Every step is told; what "
           "is there already is kept, and the robot's rights become those that are given: name all "
           "projects and actions each time. Secrets go into files and are never shown. At the end "
           "stands "
           "what to put into regwarden.yaml, and what is not covered.\v"
           "status lists the projects that have no webhook, and exits with 1 when there are any.\n"
           "regwarden-harbor(7) tells the rights of each action.\n\n"
           "Examples:\n"
           "  regwarden harbor connect --url https://harbor.example.com \\\n"
           "    --password-file admin.pass --all-projects --actions 'label|quarantine' \\\n"
           "    --hook-url https://regwarden.example.com/hooks/harbor --dry-run\n"
           "  regwarden harbor status --url https://harbor.example.com \\\n"
           "    --password-file admin.pass",
};

static int run(int argc, char **argv)
{
    struct input input = {.options = {.user = "admin",
                                      .directory = ".",
                                      .robot = "regwarden",
                                      .label = "policy-fail",
                                      .quarantine = "quarantine"}};
    struct harbor_session *session = NULL;
    struct error error = {0};
    int rc;

    command_parse(&command_harbor, &argp, argc, argv, &input);
    rc = harbor_session_new(&input.options, &session, &error);
    if (rc == 0)
        rc = text_equal(input.verb, "connect") ? harbor_connect(session, &error)
                                               : harbor_status(session, &error);
    harbor_session_free(session);
    text_list_release(&input.options.projects);
    if (rc < 0)
        return command_fail(&error);
    return rc > 0 ? EXIT_VIOLATIONS : EXIT_PASSED;
}

const struct command command_harbor = {
    .name = "harbor",
    .arguments = "connect|status",
    .summary = "set up a Harbor for the daemon, and see that all of it is covered",
    .group = "serve",
    .run = run,
};

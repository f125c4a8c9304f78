/* Asking the running daemon: its local socket, or --server. And tables of what it answers. */
#ifndef REGWARDEN_CLIENT_H
#define REGWARDEN_CLIENT_H

#include <argp.h>

#include "command.h"
#include "regwarden/json.h"
#include "regwarden/text.h"

struct client_options { /* filled by client_argp, a child of every such command */
    const char
        *server; /* unix:/path, http://host:port; NULL: where the daemon listens by default */
    const char *token_file;
    const char *ca_file;
    bool json;
};
extern const struct argp client_argp;

/* Sends, waits, and gives the answer's document; an error answer becomes an error. body may be
 * NULL. Returns new. */
int client_request(const struct client_options *options, const char *method, const char *path,
                   const struct json *body, struct json **ret, struct error *err);
/* The same for answers that are no JSON. */
int client_fetch(const struct client_options *options, const char *path, struct text *ret,
                 struct error *err);
/* Adds "?name=value" or "&name=value", encoded; nothing when value is NULL. */
void client_parameter(struct text *path, const char *name, const char *value);

struct column {
    const char *heading;
    const char *key; /* of the row's object; dots go deeper */
};
/* Prints rows under headings, as wide as they need; digests are shortened, times shown as they are.
 * columns ends with a NULL heading. */
void client_print_table(const struct json *rows, const struct column *columns);
void client_print_json(const struct json *json);

#endif

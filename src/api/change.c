/* What changes something: waivers and dead letters in the store, release, retry and sweep by the
 * daemon, which answers through api_answer. */
#include "call.h"

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/policy.h"

enum { BY_MAX = 128, WAIVER_ID_BYTES = 6 };

/* Who does it, for the record: as the request says, else how it came. Returns new. */
static char *by_of(const struct call *call, const char *said)
{
    if (said != NULL && said[0] != '\0')
        return text_printable(said, BY_MAX);
    bool local = http_exchange_is_local_socket(call->exchange);
    return memory_copy_text(local ? "unix socket" : "API token");
}

/* --- waivers --- */

static void set_waiver_id(struct waiver *waiver)
{
    uint8_t bytes[WAIVER_ID_BYTES];
    char hex[2 * WAIVER_ID_BYTES + 1];
    if (waiver->id != NULL)
        return;
    crypto_random(bytes, sizeof(bytes));
    crypto_hex(bytes, sizeof(bytes), hex);
    waiver->id = text_new("w-%s", hex);
}

/* The id is made up before the waiver is read, since a waiver without id is none. */
static int read_waiver(struct json *body, struct waiver *ret, struct error *err)
{
    struct waiver made = {0};
    if (json_get(body, "id") == NULL) {
        set_waiver_id(&made);
        json_set_string(body, "id", made.id);
        waiver_release(&made);
    }
    int r = waiver_from_json(body, ret, err);
    if (r != 0)
        return r;
    if (ret->expires_ms > clock_wall_ms())
        return 0;
    waiver_release(ret);
    return error_set(err, FAILURE_INPUT, "the waiver has expired before it began");
}

void handle_add_waiver(struct call *call)
{
    struct waiver waiver = {0};
    struct error err = {0};
    if (read_waiver(call->body, &waiver, &err) != 0) {
        reply_error(call->exchange, &err);
        return;
    }
    struct pending *pending = pending_new(call);
    pending->body = waiver_to_json(&waiver);
    pending->waivers_changed = true;
    store_add_waiver(call->api->options.store, &waiver, pending_done, pending);
    waiver_release(&waiver);
}

void handle_revoke_waiver(struct call *call)
{
    AUTO_FREE char *by = by_of(call, call->query.by);
    struct pending *pending = pending_new(call);
    pending->body = json_new_object();
    json_set_string(pending->body, "id", call->id_text);
    json_set_string(pending->body, "state", "revoked");
    pending->waivers_changed = true;
    store_revoke_waiver(call->api->options.store, call->id_text, clock_wall_ms(), by, pending_done,
                        pending);
}

/* --- dead letters --- */

void handle_remove_dead_letter(struct call *call)
{
    struct pending *pending = pending_new(call);
    pending->body = json_new_object();
    json_set_integer(pending->body, "id", call->id);
    json_set_string(pending->body, "state", "removed");
    store_remove_dead_letter(call->api->options.store, call->id, pending_done, pending);
}

/* --- what the daemon does --- */

void handle_retry_dead_letter(struct call *call)
{
    const struct api_options *options = &call->api->options;
    options->retry_dead_letter(options->argument, http_exchange_id(call->exchange), call->id);
}

void handle_release(struct call *call)
{
    const struct api_options *options = &call->api->options;
    AUTO_FREE char *by = by_of(call, json_get_string(call->body, "by"));
    bool force = json_bool(json_get(call->body, "force"), false);
    options->release(options->argument, http_exchange_id(call->exchange), call->id, force, by);
}

void handle_sweep(struct call *call)
{
    const struct api_options *options = &call->api->options;
    options->sweep(options->argument, http_exchange_id(call->exchange),
                   json_get_string(call->body, "registry"));
}

/* --- bases --- */

void handle_bases(struct call *call)
{
    const struct api_options *options = &call->api->options;
    AUTO_JSON struct json *document = options->bases(options->argument);
    reply_json(call->exchange, 200, document);
}

void handle_add_base(struct call *call)
{
    const struct api_options *options = &call->api->options;
    AUTO_FREE char *by = by_of(call, json_get_string(call->body, "by"));
    options->add_base(options->argument, http_exchange_id(call->exchange),
                      json_get_string(call->body, "reference"), by);
}

void handle_remove_base(struct call *call)
{
    const struct api_options *options = &call->api->options;
    options->remove_base(options->argument, http_exchange_id(call->exchange),
                         call->query.reference);
}

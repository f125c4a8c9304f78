/* The HTTP client as a whole: who waits, who runs, who has ended; and the one place where results
 * are told. How libcurl is driven is in http_glue.c, one request in http_transfer.c.
 *
 * A caller may do anything from within its callbacks, even free the client, so nothing here holds a
 * transfer across a callback unless the lists still do: transfers leave them in sweep() only. */
#include "http_client_private.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include <event2/event.h>

#include "regwarden/loop.h"

enum { CONNECTIONS = 64 };

static void quiet(struct transfer *transfer)
{
    timer_disarm(transfer->idle);
    if (transfer->total != NULL)
        timer_disarm(transfer->total);
}

static void fill_answer(struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->response.status = (int)status;
    transfer->response.body = text_data(&transfer->collected);
    transfer->response.body_size = transfer->collected.length;
}

static void tell(struct transfer *transfer)
{
    struct http_client *client = transfer->client;
    quiet(transfer);
    id_table_remove(&client->ids, transfer->id);
    transfer->phase = TRANSFER_CANCELLED; /* from here on nobody waits for it */
    transfer->response.body = "";
    if (!transfer->has_failed && transfer->curl_code == CURLE_OK && !transfer->headers_ended)
        transfer_fail(transfer, FAILURE_LATER,
                      "the answer was cut short before its head was whole");
    if (transfer->has_failed || transfer->curl_code != CURLE_OK)
        transfer_explain(transfer);
    else
        fill_answer(transfer);
    client->depth++;
    transfer->done(transfer->argument, &transfer->response);
    client->depth--;
}

static void collect_ended(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        char *private = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct transfer *transfer = (struct transfer *)(void *)private;
        if (transfer->phase != TRANSFER_RUNNING)
            continue;
        transfer->phase = TRANSFER_ENDED;
        transfer->curl_code = message->data.result;
        client->is_dirty = true;
    }
}

static void resume(struct transfer *transfer)
{
    transfer->resume_wanted = false;
    if (transfer->phase != TRANSFER_RUNNING)
        return;
    transfer->send_held = false;
    if (!transfer->receive_paused)
        transfer->receive_held = false;
    transfer_watch_idle(transfer);
    curl_easy_pause(transfer->easy, transfer->receive_held ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

static void sweep(struct http_client *client, struct transfer_list *list)
{
    struct transfer *next;
    for (struct transfer *transfer = TAILQ_FIRST(list); transfer != NULL; transfer = next) {
        if (transfer->resume_wanted)
            resume(transfer); /* may call back */
        if (transfer->phase == TRANSFER_ENDED)
            tell(transfer);
        next = TAILQ_NEXT(transfer, entry);
        if (transfer->phase != TRANSFER_CANCELLED)
            continue;
        TAILQ_REMOVE(list, transfer, entry);
        if (list == &client->running)
            client->running_count--;
        transfer_free(transfer);
    }
}

static void start_waiting(struct http_client *client)
{
    struct transfer *transfer;
    while (!client->is_dying && client->running_count < client->options.max_connections &&
           (transfer = TAILQ_FIRST(&client->waiting)) != NULL) {
        TAILQ_REMOVE(&client->waiting, transfer, entry);
        TAILQ_INSERT_TAIL(&client->running, transfer, entry);
        client->running_count++;
        if (transfer->phase == TRANSFER_WAITING && !transfer_start(transfer))
            transfer->phase = TRANSFER_ENDED;
        if (transfer->phase != TRANSFER_RUNNING)
            http_client_kick(client);
    }
}

static void destroy(struct http_client *client)
{
    sweep(client, &client->waiting);
    sweep(client, &client->running);
    http_glue_close(client);
    id_table_release(&client->ids);
    text_list_release(&client->texts);
    free(client);
    curl_global_cleanup();
}

void http_client_work(struct http_client *client)
{
    assert(client->depth == 0);
    client->depth++;
    collect_ended(client);
    if (client->is_dirty) {
        client->is_dirty = false;
        sweep(client, &client->running);
        sweep(client, &client->waiting);
    }
    start_waiting(client);
    client->depth--;
    if (client->is_dying)
        destroy(client);
}

void http_client_kick(struct http_client *client)
{
    static const struct timeval now = {0};
    client->is_dirty = true;
    evtimer_add(client->kick, &now);
}

static int check_file(const char *path, const char *what, struct error *err)
{
    if (path == NULL || access(path, R_OK) == 0)
        return 0;
    return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot read the %s %s", what, path);
}

static int check_files(const struct http_client_options *options, struct error *err)
{
    int result = check_file(options->ca_file, "CA file", err);
    if (result == 0)
        result = check_file(options->client_certificate_file, "client certificate", err);
    if (result == 0)
        result = check_file(options->client_key_file, "client key", err);
    return result;
}

static const char *keep_text(struct http_client *client, const char *text)
{
    if (text == NULL)
        return NULL;
    text_list_add(&client->texts, text);
    return client->texts.items[client->texts.count - 1];
}

static void set_options(struct http_client *client, const struct http_client_options *options)
{
    client->options = (struct http_client_options){
        .ca_file = keep_text(client, options->ca_file),
        .client_certificate_file = keep_text(client, options->client_certificate_file),
        .client_key_file = keep_text(client, options->client_key_file),
        .unix_socket = keep_text(client, options->unix_socket),
        .proxy = keep_text(client, options->proxy),
        .max_connections = options->max_connections > 0 ? options->max_connections : CONNECTIONS,
        .user_agent = keep_text(client, options->user_agent == NULL ? "regwarden/" REGWARDEN_VERSION
                                                                    : options->user_agent),
    };
}

int http_client_new(struct loop *loop, const struct http_client_options *options,
                    struct http_client **ret, struct error *err)
{
    int result = check_files(options, err);
    if (result != 0)
        return result;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(err, FAILURE_SYSTEM, "cannot set up the HTTP client");
    struct http_client *client = memory_new(sizeof(*client));
    client->loop = loop;
    TAILQ_INIT(&client->waiting);
    TAILQ_INIT(&client->running);
    set_options(client, options);
    result = http_glue_open(client, err);
    if (result != 0) {
        destroy(client);
        return result;
    }
    *ret = client;
    return 0;
}

static void tell_cancelled(struct transfer_list *list)
{
    struct transfer *transfer;
    TAILQ_FOREACH(transfer, list, entry)
    {
        if (transfer->phase == TRANSFER_CANCELLED)
            continue;
        transfer_fail(transfer, FAILURE_LATER, "cancelled");
        tell(transfer);
    }
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    assert(!client->is_dying);
    client->is_dying = true;
    client->depth++;
    tell_cancelled(&client->running);
    tell_cancelled(&client->waiting); /* also what the callbacks send meanwhile */
    client->depth--;
    if (client->depth == 0)
        destroy(client);
}

uint64_t http_client_send(struct http_client *client, const struct http_request *request,
                          http_done_f *done, void *argument)
{
    struct transfer *transfer = transfer_new(client, request);
    transfer->done = done;
    transfer->argument = argument;
    transfer->id = id_table_add(&client->ids, transfer);
    TAILQ_INSERT_TAIL(&client->waiting, transfer, entry);
    http_client_kick(client);
    return transfer->id;
}

void http_client_cancel(struct http_client *client, uint64_t id)
{
    struct transfer *transfer = id_table_find(&client->ids, id);
    if (transfer == NULL)
        return;
    quiet(transfer);
    id_table_remove(&client->ids, id);
    transfer->phase = TRANSFER_CANCELLED;
    http_client_kick(client);
}

void http_client_pause(struct http_client *client, uint64_t id)
{
    struct transfer *transfer = id_table_find(&client->ids, id);
    if (transfer != NULL)
        transfer->receive_paused = true; /* the next piece is held */
}

void http_client_resume(struct http_client *client, uint64_t id)
{
    struct transfer *transfer = id_table_find(&client->ids, id);
    if (transfer == NULL)
        return;
    transfer->receive_paused = false;
    transfer->resume_wanted = true;
    http_client_kick(client);
}

size_t http_client_active(const struct http_client *client)
{
    return client->ids.in_use;
}

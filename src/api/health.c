/* For those who watch the process: alive, ready, metrics. */
#include "call.h"

#define PLAIN "text/plain; charset=utf-8"

void handle_health(struct call *call)
{
    AUTO_TEXT struct text text = {0};
    text_add(&text, "ok\n");
    reply_text(call->exchange, &(struct reply_text){200, PLAIN, &text});
}

void handle_ready(struct call *call)
{
    const struct api_options *options = &call->api->options;
    AUTO_TEXT struct text text = {0};
    bool ready = options->ready(options->argument, &text);
    if (ready) {
        text_clear(&text);
        text_add(&text, "ready");
    } else if (text.length == 0) {
        text_add(&text, "not ready");
    }
    text_add_char(&text, '\n');
    reply_text(call->exchange, &(struct reply_text){ready ? 200 : 503, PLAIN, &text});
}

void handle_metrics(struct call *call)
{
    const struct api_options *options = &call->api->options;
    AUTO_TEXT struct text text = {0};
    options->metrics(options->argument, &text);
    metric_end(&text);
    reply_text(call->exchange, &(struct reply_text){200, call->route->media_type, &text});
}

/* Which registries are polled, and how their pollers reach the intake. */
#include "queues.h"

#include "sqs.h"

struct queues {
    struct intake *intake;
    void (*trouble)(void *argument, const char *registry, const struct error *error);
    void *argument;
    struct sqs **items;
    size_t count;
};

static void take(void *argument, const struct intake_body *body, store_done_f *done,
                 void *done_argument)
{
    struct queues *queues = argument;

    intake_take_message(queues->intake, body, done, done_argument);
}

static void tell_trouble(void *argument, const struct config_registry *registry,
                         const struct error *error)
{
    struct queues *queues = argument;

    if (queues->trouble)
        queues->trouble(queues->argument, registry->name, error);
}

int queues_new(struct intake *intake, const struct intake_options *options,
               const struct config *config, struct queues **ret, struct error *err)
{
    struct queues *queues = memory_new(sizeof(*queues));

    queues->intake = intake;
    queues->trouble = options->queue_trouble;
    queues->argument = options->argument;
    queues->items = memory_new_array(config->registry_count, sizeof(*queues->items));
    for (size_t i = 0; options->loop && i < config->registry_count; i++) {
        struct sqs_options own = {.loop = options->loop,
                                  .registry = &config->registries[i],
                                  .take = take,
                                  .trouble = tell_trouble,
                                  .argument = queues};

        if (!own.registry->aws.queue_url)
            continue;
        if (sqs_new(&own, &queues->items[queues->count], err) < 0) {
            queues_free(queues);
            return err ? err->kind : FAILURE_INPUT;
        }
        queues->count++;
    }
    *ret = queues;
    return 0;
}

void queues_start(struct queues *queues)
{
    for (size_t i = 0; i < queues->count; i++)
        sqs_start(queues->items[i]);
}

void queues_free(struct queues *queues)
{
    if (!queues)
        return;
    for (size_t i = 0; i < queues->count; i++)
        sqs_free(queues->items[i]);
    free(queues->items);
    free(queues);
}

bool queues_status(const struct queues *queues, size_t index, struct intake_queue *ret)
{
    if (!queues || index >= queues->count)
        return false;
    sqs_status(queues->items[index], ret);
    return true;
}

/* Image configs as plain data: limits and release. Reading them is image_config_parse.c. */
#include "regwarden/image_config.h"

const struct image_config_limits image_config_limits = {
    .max_bytes = 4 << 20,
    .max_history = 4096,
    .max_values = 50000,
};

static void release_history(struct history_entry *history, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(history[i].created_by);
        free(history[i].comment);
        free(history[i].author);
    }
    free(history);
}

void image_config_free(struct image_config *config)
{
    if (!config)
        return;
    platform_release(&config->platform);
    free(config->author);
    free(config->user);
    text_pairs_release(&config->env);
    text_list_release(&config->entrypoint);
    text_list_release(&config->cmd);
    text_list_release(&config->exposed_ports);
    text_list_release(&config->volumes);
    free(config->working_dir);
    text_pairs_release(&config->labels);
    text_list_release(&config->on_build);
    text_list_release(&config->shell);
    text_list_release(&config->healthcheck.test);
    free(config->stop_signal);
    free(config->diff_ids);
    release_history(config->history, config->history_count);
    free(config);
}

void image_config_auto_free(struct image_config **config)
{
    image_config_free(*config);
    *config = NULL;
}

/* Settings of the rule files: what is asked of layers, and how it must be. */
#ifndef REGWARDEN_POLICY_FILE_SETTINGS_H
#define REGWARDEN_POLICY_FILE_SETTINGS_H

#include "rule.h"

#include "regwarden/text.h"

struct file_ids {
    char **ids; /* of the probes, one per pattern */
    size_t count;
};

struct file_settings {
    struct text_list required;
    struct text_list forbidden;
    struct text_list paths;
    char *content;
    char *not_content;
    char *mode;
    char *not_mode;
    struct text_list sha256;
    struct text_list uid;
    struct text_list gid;
    bool hidden;
    bool include_base;
    uint32_t mode_bits, not_mode_bits;
    bool has_mode, has_not_mode;
    struct file_ids required_ids, forbidden_ids, path_ids, content_ids, not_content_ids;
};

int file_settings_prepare(void *block, const char **ret_param, struct error *err);
void file_settings_release(void *block);

#endif

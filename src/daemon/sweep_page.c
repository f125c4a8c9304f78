/* One page of images, as small as it can be held: an old registry sends all of a repository's tags
 * in one answer. */
#include "sweep.h"

#include "regwarden/reference.h"

static bool is_usable(const struct registry_row *row)
{
    if (row->tag)
        return tag_is_valid(row->tag);
    return digest_is_set(&row->digest);
}

static enum answer find_label(const struct registry_row *row, const char *label)
{
    if (!row->labels || !label || !*label)
        return ANSWER_UNKNOWN;
    return text_list_has(row->labels, label) ? ANSWER_YES : ANSWER_NO;
}

void sweep_page_fill(struct sweep_page *page, const struct registry_page *answer, const char *label)
{
    bool digests = false, labels = false;

    sweep_page_release(page);
    for (size_t i = 0; i < answer->row_count; i++) {
        digests = digests || digest_is_set(&answer->rows[i].digest);
        labels = labels || answer->rows[i].labels;
    }
    if (digests)
        page->digests = memory_new_array(answer->row_count, sizeof *page->digests);
    if (labels)
        page->labels = memory_new_array(answer->row_count, sizeof *page->labels);
    for (size_t i = 0; i < answer->row_count; i++) {
        const struct registry_row *row = &answer->rows[i];
        const char *name = row->tag ? row->tag : "";

        if (!is_usable(row))
            continue;
        text_add_bytes(&page->names, name, strlen(name) + 1);
        if (digests)
            page->digests[page->count] = row->digest;
        if (labels)
            page->labels[page->count] = (uint8_t)find_label(row, label);
        page->count++;
    }
}

bool sweep_page_take(struct sweep_page *page, struct sweep_row *ret)
{
    const char *name;

    if (page->next == page->count)
        return false;
    name = page->names.data + page->offset;
    *ret = (struct sweep_row){.tag = *name ? name : NULL, .has_label = ANSWER_UNKNOWN};
    if (page->digests)
        ret->digest = page->digests[page->next];
    if (page->labels)
        ret->has_label = (enum answer)page->labels[page->next];
    page->offset += strlen(name) + 1;
    page->next++;
    return true;
}

const char *sweep_row_name(const struct sweep_row *row, char buffer[static DIGEST_TEXT_SIZE])
{
    return row->tag ? row->tag : digest_format(&row->digest, buffer);
}

void sweep_page_go_past(struct sweep_page *page, const char *last)
{
    struct sweep_row row;
    char buffer[DIGEST_TEXT_SIZE];

    while (sweep_page_take(page, &row))
        if (text_equal(sweep_row_name(&row, buffer), last))
            return;
    page->next = page->offset = 0;
}

void sweep_page_release(struct sweep_page *page)
{
    text_release(&page->names);
    free(page->digests);
    free(page->labels);
    *page = (struct sweep_page){0};
}

/* YAML text to a tree (the home of libyaml). A careful subset: what could mean two things to two
 * readers, or grow out of few bytes, is refused. Not a writer. */
#include "regwarden/yaml.h"

#include <yaml.h>

#include "yaml_place.h"

enum {
    YAML_MAX_BYTES = 1024 * 1024,
    YAML_MAX_DEPTH = 32,
    YAML_MAX_NODES = 100000,
    SHOWN_KEY_MAX = 60
};

/* A list or map that is still open. In a map, a last member without value waits for it. */
struct frame {
    struct yaml_node *node;
    size_t capacity;
};

struct builder {
    struct yaml_document *document;
    yaml_parser_t parser;
    struct frame frames[YAML_MAX_DEPTH];
    size_t depth;
    size_t node_count;
    size_t document_count;
};

static struct yaml_place place_of(yaml_mark_t mark)
{
    return (struct yaml_place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static void node_free(struct yaml_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == YAML_KIND_LIST) {
            node_free(node->items[i]);
        } else {
            free(node->members[i].key);
            node_free(node->members[i].value);
        }
    }
    free(node->items);
    free(node->members);
    free(node->scalar);
    free(node);
}

void yaml_document_free(struct yaml_document *document)
{
    if (!document)
        return;
    node_free(document->root);
    free(document->name);
    free(document);
}

void yaml_document_auto_free(struct yaml_document **document)
{
    yaml_document_free(*document);
}

static struct yaml_node *node_new(enum yaml_kind kind, struct yaml_place place)
{
    struct yaml_node *node = memory_new(sizeof(*node));
    node->kind = kind;
    node->line = place.line;
    node->column = place.column;
    return node;
}

static bool is_null_word(const char *word)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (text_equal(words[i], word))
            return true;
    }
    return false;
}

static struct frame *top_frame(struct builder *builder)
{
    return builder->depth > 0 ? &builder->frames[builder->depth - 1] : NULL;
}

static bool wants_key(const struct frame *frame)
{
    const struct yaml_node *node = frame ? frame->node : NULL;
    return node && node->kind == YAML_KIND_MAP &&
           (node->count == 0 || node->members[node->count - 1].value);
}

/* Hangs a value into the tree at once, so that whatever fails later, one free finds it. */
static void attach(struct builder *builder, struct yaml_node *value)
{
    struct frame *frame = top_frame(builder);
    if (!frame) {
        node_free(builder->document->root);
        builder->document->root = value;
        return;
    }
    struct yaml_node *parent = frame->node;
    if (parent->kind == YAML_KIND_MAP) {
        parent->members[parent->count - 1].value = value;
        return;
    }
    parent->items =
        memory_grow(parent->items, parent->count, &frame->capacity, sizeof(*parent->items));
    parent->items[parent->count++] = value;
}

static int refuse(struct builder *builder, yaml_mark_t mark, struct error *err, const char *what)
{
    return yaml_fault(builder->document->name, place_of(mark), FAILURE_INPUT, err, "%s", what);
}

static int add_key(struct builder *builder, const yaml_event_t *event, struct error *err)
{
    struct frame *frame = top_frame(builder);
    struct yaml_node *map = frame->node;
    const char *key = (const char *)event->data.scalar.value;
    struct yaml_place place = place_of(event->start_mark);
    if (event->data.scalar.length == 0)
        return refuse(builder, event->start_mark, err, "a key is empty");
    if (text_equal(key, "<<") && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return refuse(builder, event->start_mark, err, "merge keys are not supported");
    map->members = memory_grow(map->members, map->count, &frame->capacity, sizeof(*map->members));
    map->members[map->count++] = (struct yaml_member){
        .key = memory_copy_text(key),
        .key_line = place.line,
        .key_column = place.column,
    };
    return 0;
}

/* "!" and "!!str" say: text, whatever it looks like. */
static bool is_text_tag(const yaml_char_t *tag)
{
    const char *name = (const char *)tag;
    return name && (text_equal(name, "!") || text_equal(name, YAML_STR_TAG));
}

static void add_value(struct builder *builder, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    bool quoted =
        event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || is_text_tag(event->data.scalar.tag);
    bool nothing = !quoted && is_null_word(text);
    struct yaml_node *node =
        node_new(nothing ? YAML_KIND_NULL : YAML_KIND_SCALAR, place_of(event->start_mark));
    node->quoted = quoted;
    node->scalar = nothing ? NULL : memory_copy_text(text);
    attach(builder, node);
}

/* Tags would ask us to make something else of a node than what stands there; the core ones only
 * repeat the obvious, and the typed getters check it anyway. */
static const char *const scalar_tags[] = {
    "!", YAML_STR_TAG, YAML_INT_TAG, YAML_BOOL_TAG, YAML_NULL_TAG, YAML_FLOAT_TAG, NULL};
static const char *const list_tags[] = {"!", YAML_SEQ_TAG, NULL};
static const char *const map_tags[] = {"!", YAML_MAP_TAG, NULL};

static int check_tag(struct builder *builder, const yaml_event_t *event, const yaml_char_t *tag,
                     const char *const *allowed, struct error *err)
{
    if (!tag)
        return 0;
    for (; *allowed; allowed++) {
        if (text_equal((const char *)tag, *allowed))
            return 0;
    }
    refuse(builder, event->start_mark, err, "tags are not supported");
    error_hint(err, "Write the value without the tag; put it in quotes to make it text.");
    return FAILURE_INPUT;
}

static int check_anchor(struct builder *builder, const yaml_event_t *event,
                        const yaml_char_t *anchor, struct error *err)
{
    return anchor ? refuse(builder, event->start_mark, err, "anchors are not supported") : 0;
}

static int on_scalar(struct builder *builder, const yaml_event_t *event, struct error *err)
{
    const yaml_char_t *value = event->data.scalar.value;
    int failure = check_anchor(builder, event, event->data.scalar.anchor, err);
    if (!failure)
        failure = check_tag(builder, event, event->data.scalar.tag, scalar_tags, err);
    if (failure)
        return failure;
    if (memchr(value, '\0', event->data.scalar.length))
        return refuse(builder, event->start_mark, err, "a NUL character is not allowed");
    if (wants_key(top_frame(builder)))
        return add_key(builder, event, err);
    add_value(builder, event);
    return 0;
}

static int open_collection(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind,
                           struct error *err)
{
    if (wants_key(top_frame(builder)))
        return refuse(builder, event->start_mark, err, "a key must be a single word or text");
    if (builder->depth == YAML_MAX_DEPTH)
        return yaml_fault(builder->document->name, place_of(event->start_mark), FAILURE_LIMIT, err,
                          "nested deeper than %d levels", YAML_MAX_DEPTH);
    struct yaml_node *node = node_new(kind, place_of(event->start_mark));
    attach(builder, node);
    builder->frames[builder->depth++] = (struct frame){.node = node};
    return 0;
}

static int on_list(struct builder *builder, const yaml_event_t *event, struct error *err)
{
    int failure = check_anchor(builder, event, event->data.sequence_start.anchor, err);
    if (!failure)
        failure = check_tag(builder, event, event->data.sequence_start.tag, list_tags, err);
    return failure ? failure : open_collection(builder, event, YAML_KIND_LIST, err);
}

static int on_map(struct builder *builder, const yaml_event_t *event, struct error *err)
{
    int failure = check_anchor(builder, event, event->data.mapping_start.anchor, err);
    if (!failure)
        failure = check_tag(builder, event, event->data.mapping_start.tag, map_tags, err);
    return failure ? failure : open_collection(builder, event, YAML_KIND_MAP, err);
}

static int compare_members(const void *a, const void *b)
{
    const struct yaml_member *left = *(const struct yaml_member *const *)a;
    const struct yaml_member *right = *(const struct yaml_member *const *)b;
    int order = strcmp(left->key, right->key);
    if (order != 0)
        return order;
    bool before = left->key_line < right->key_line ||
                  (left->key_line == right->key_line && left->key_column < right->key_column);
    return before ? -1 : 1;
}

/* Sorted, because a map of fifty thousand keys must not cost their square. */
static int refuse_duplicates(const struct builder *builder, const struct yaml_node *map,
                             struct error *err)
{
    AUTO_FREE const struct yaml_member **sorted = memory_new_array(map->count, sizeof(*sorted));
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = &map->members[i];
    qsort(sorted, map->count, sizeof(*sorted), compare_members);
    for (size_t i = 1; i < map->count; i++) {
        const struct yaml_member *first = sorted[i - 1], *second = sorted[i];
        if (!text_equal(first->key, second->key))
            continue;
        AUTO_FREE char *shown = text_printable(second->key, SHOWN_KEY_MAX);
        return yaml_fault(builder->document->name,
                          (struct yaml_place){second->key_line, second->key_column}, FAILURE_INPUT,
                          err, "'%s' stands here a second time, the first is in line %u", shown,
                          first->key_line);
    }
    return 0;
}

static int close_collection(struct builder *builder, struct error *err)
{
    const struct yaml_node *node = top_frame(builder)->node;
    builder->depth--;
    return node->kind == YAML_KIND_MAP ? refuse_duplicates(builder, node, err) : 0;
}

static int count_node(struct builder *builder, const yaml_event_t *event, struct error *err)
{
    if (++builder->node_count <= YAML_MAX_NODES)
        return 0;
    return yaml_fault(builder->document->name, place_of(event->start_mark), FAILURE_LIMIT, err,
                      "more than %d values", YAML_MAX_NODES);
}

static int on_event(struct builder *builder, const yaml_event_t *event, struct error *err)
{
    int failure = count_node(builder, event, err);
    if (failure)
        return failure;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(builder, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return on_list(builder, event, err);
    case YAML_MAPPING_START_EVENT:
        return on_map(builder, event, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_collection(builder, err);
    case YAML_ALIAS_EVENT:
        return refuse(builder, event->start_mark, err, "aliases are not supported");
    case YAML_DOCUMENT_START_EVENT:
        if (++builder->document_count > 1)
            return refuse(builder, event->start_mark, err, "only one document is allowed");
        return 0;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return 0;
    }
    return 0;
}

/* What the reader refuses (bytes that are not UTF-8, control characters) has an offset only. */
static struct yaml_place place_of_offset(const char *bytes, size_t size, size_t offset)
{
    struct yaml_place place = {1, 1};
    for (size_t i = 0; i < offset && i < size; i++) {
        place.column++;
        if (bytes[i] == '\n')
            place = (struct yaml_place){place.line + 1, 1};
    }
    return place;
}

static int parser_failure(const struct builder *builder, const char *bytes, size_t size,
                          struct error *err)
{
    const yaml_parser_t *parser = &builder->parser;
    struct yaml_place place = parser->error == YAML_READER_ERROR
                                  ? place_of_offset(bytes, size, parser->problem_offset)
                                  : place_of(parser->problem_mark);
    const char *problem = parser->problem ? parser->problem : "this is not YAML";
    if (parser->context && parser->error != YAML_READER_ERROR)
        return yaml_fault(builder->document->name, place, FAILURE_INPUT, err, "%s %s", problem,
                          parser->context);
    return yaml_fault(builder->document->name, place, FAILURE_INPUT, err, "%s", problem);
}

static int build(struct builder *builder, const char *bytes, size_t size, struct error *err)
{
    bool ended = false;
    while (!ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(&builder->parser, &event))
            return parser_failure(builder, bytes, size, err);
        int failure = on_event(builder, &event, err);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (failure)
            return failure;
    }
    return 0;
}

int yaml_parse(const char *name, const char *bytes, size_t size, struct yaml_document **ret,
               struct error *err)
{
    if (size > YAML_MAX_BYTES)
        return yaml_fault(name, (struct yaml_place){0}, FAILURE_LIMIT, err, "larger than %d bytes",
                          YAML_MAX_BYTES);
    AUTO_YAML struct yaml_document *document = memory_new(sizeof(*document));
    struct builder builder = {.document = document};
    document->name = memory_copy_text(name);
    document->root = node_new(YAML_KIND_NULL, (struct yaml_place){1, 1});
    if (!yaml_parser_initialize(&builder.parser))
        return error_set(err, FAILURE_SYSTEM, "out of memory");
    /* Fixed, or two first bytes could turn the file into another one. */
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)(size > 0 ? bytes : ""),
                                 size);
    int failure = build(&builder, bytes, size, err);
    yaml_parser_delete(&builder.parser);
    if (!failure)
        *ret = TAKE(document);
    return failure;
}

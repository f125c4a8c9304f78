/* A strict reader of small XML documents. It knows no service. */
#include "xml.h"

#include "credentials.h"

enum { BYTES_MAX = 64 * 1024, DEPTH_MAX = 8, LEAVES_MAX = 256, NAME_LENGTH_MAX = 64 };

struct reader {
    const char *at;
    const char *end;
    struct text path;         /* "Root/Child" */
    size_t starts[DEPTH_MAX]; /* of each open element's name in `path` */
    bool has_elements[DEPTH_MAX];
    unsigned depth;
    struct text content; /* of the innermost element */
    struct text_pairs *leaves;
};

static int fault(struct error *err)
{
    return error_set(err, FAILURE_INPUT, "the answer is not XML as it is expected");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
}

static bool skip_word(struct reader *reader, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
        return false;
    reader->at += size;
    return true;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

/* Its length; 0: there is none. */
static size_t name_length(const struct reader *reader)
{
    size_t length = 0;

    while (reader->at + length < reader->end && is_name_byte(reader->at[length]))
        length++;
    return length <= NAME_LENGTH_MAX ? length : 0;
}

static bool skip_attribute(struct reader *reader)
{
    size_t length = name_length(reader);
    const char *close;
    char quote;

    reader->at += length;
    if (length == 0 || !skip_word(reader, "=") || reader->at == reader->end)
        return false;
    quote = *reader->at++;
    if (quote != '"' && quote != '\'')
        return false;
    close = memchr(reader->at, quote, (size_t)(reader->end - reader->at));
    if (!close || memchr(reader->at, '<', (size_t)(close - reader->at)))
        return false;
    reader->at = close + 1;
    return true;
}

static int take_reference(struct reader *reader, struct error *err)
{
    static const struct {
        const char *word;
        char byte;
    } references[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

    for (size_t i = 0; i < ARRAY_COUNT(references); i++) {
        if (skip_word(reader, references[i].word)) {
            text_add_char(&reader->content, references[i].byte);
            return 0;
        }
    }
    return fault(err);
}

/* Begins an element: behind its "<". */
static int open_element(struct reader *reader, struct error *err)
{
    size_t length = name_length(reader);

    if (length == 0)
        return fault(err);
    if (reader->depth == DEPTH_MAX)
        return error_set(err, FAILURE_LIMIT, "the answer is nested too deeply");
    if (reader->depth > 0) {
        reader->has_elements[reader->depth - 1] = true;
        text_add_char(&reader->path, '/');
    }
    reader->starts[reader->depth] = reader->path.length;
    reader->has_elements[reader->depth] = false;
    reader->depth++;
    text_add_bytes(&reader->path, reader->at, length);
    text_clear(&reader->content);
    reader->at += length;
    return 0;
}

static int close_element(struct reader *reader, struct error *err)
{
    size_t start;

    reader->depth--;
    start = reader->starts[reader->depth];
    if (!reader->has_elements[reader->depth]) {
        if (reader->leaves->count == LEAVES_MAX)
            return error_set(err, FAILURE_LIMIT, "the answer has too many elements");
        text_pairs_add(reader->leaves, text_data(&reader->path), text_data(&reader->content));
    }
    text_clear(&reader->content);
    reader->path.length = start > 0 ? start - 1 : 0;
    reader->path.data[reader->path.length] = '\0';
    return 0;
}

/* <name attribute="…"> or <name/> */
static int take_start(struct reader *reader, struct error *err)
{
    int rc = open_element(reader, err);

    while (rc == 0) {
        bool parted = reader->at < reader->end && is_blank(*reader->at);

        skip_blanks(reader);
        if (skip_word(reader, ">"))
            return 0;
        if (skip_word(reader, "/>"))
            return close_element(reader, err);
        if (!parted || !skip_attribute(reader))
            return fault(err);
    }
    return rc;
}

/* Behind "</". */
static int take_end(struct reader *reader, struct error *err)
{
    const char *name = text_data(&reader->path) + reader->starts[reader->depth - 1];

    if (!skip_word(reader, name))
        return fault(err);
    skip_blanks(reader);
    if (!skip_word(reader, ">"))
        return fault(err);
    return close_element(reader, err);
}

static int take_next(struct reader *reader, struct error *err)
{
    if (reader->at == reader->end || *reader->at == '\0')
        return fault(err);
    if (skip_word(reader, "</"))
        return take_end(reader, err);
    if (skip_word(reader, "<"))
        return take_start(reader, err);
    if (*reader->at == '&')
        return take_reference(reader, err);
    text_add_char(&reader->content, *reader->at++);
    return 0;
}

static int read_document(struct reader *reader, struct error *err)
{
    int rc;

    if (skip_word(reader, "<?xml")) {
        const char *close =
            memmem(reader->at, (size_t)(reader->end - reader->at), "?>", strlen("?>"));
        if (!close)
            return fault(err);
        reader->at = close + strlen("?>");
    }
    skip_blanks(reader);
    if (!skip_word(reader, "<"))
        return fault(err);
    rc = take_start(reader, err);
    while (rc == 0 && reader->depth > 0)
        rc = take_next(reader, err);
    skip_blanks(reader);
    if (rc == 0 && reader->at != reader->end)
        rc = fault(err);
    return rc;
}

int xml_read(const char *bytes, size_t size, struct text_pairs *ret, struct error *err)
{
    struct reader reader = {.at = bytes, .end = bytes + size, .leaves = ret};
    int rc;

    if (size == 0)
        return fault(err);
    if (size > BYTES_MAX)
        return error_set(err, FAILURE_LIMIT, "the answer is too large");
    rc = read_document(&reader, err);
    text_release(&reader.path);
    aws_keys_erase(&reader.content); /* the last leaf may have been a secret */
    if (rc < 0)
        text_pairs_release(ret);
    return rc;
}

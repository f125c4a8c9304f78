/* Maps of sparse files, of GNU headers and of the PAX formats: checked, counted and not kept. */
#include <string.h>

#include "tar_header.h"
#include "tar_pax.h"

int tar_sparse_add(struct tar_sparse *sparse, uint64_t offset, uint64_t size, struct error *err)
{
    if (offset < sparse->end || offset > INT64_MAX || size > INT64_MAX - offset)
        return error_set(err, FAILURE_INPUT, "sparse fragments out of order");
    if (offset + size > sparse->real_size)
        return error_set(err, FAILURE_INPUT, "a sparse fragment behind the end of its file");
    sparse->end = offset + size;
    sparse->stored += size;
    return 0;
}

int tar_sparse_add_fields(struct tar_sparse *sparse, const uint8_t *fields, size_t count,
                          struct error *err)
{
    enum { NUMBER = 12 };

    for (size_t i = 0; i < count; i++, fields += 2 * NUMBER) {
        int64_t offset, size;
        if (fields[0] == 0)
            return 0;
        if (tar_number(fields, NUMBER, &offset, err) < 0 ||
            tar_number(fields + NUMBER, NUMBER, &size, err) < 0)
            return FAILURE_INPUT;
        if (offset < 0 || size < 0)
            return error_set(err, FAILURE_INPUT, "a negative sparse fragment");
        int failure = tar_sparse_add(sparse, (uint64_t)offset, (uint64_t)size, err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

bool tar_map_done(const struct tar_map_reader *reader)
{
    return reader->counted && reader->left == 0;
}

static int take_number(struct tar_map_reader *reader, struct tar_sparse *sparse, struct error *err)
{
    uint64_t number = reader->number;
    bool first = !reader->counted;

    if (reader->digits == 0)
        return error_set(err, FAILURE_INPUT, "a sparse map without a number");
    reader->number = 0;
    reader->digits = 0;
    if (first && number > TAR_SPARSE_FRAGMENTS_MAX)
        return error_set(err, FAILURE_LIMIT, "a sparse file of more than %d fragments",
                         TAR_SPARSE_FRAGMENTS_MAX);
    reader->counted = true;
    if (first) {
        reader->left = 2 * number;
        return 0;
    }
    if (reader->left-- % 2 == 0) {
        reader->offset = number;
        return 0;
    }
    return tar_sparse_add(sparse, reader->offset, number, err);
}

int tar_map_read(struct tar_map_reader *reader, const uint8_t *block, struct tar_sparse *sparse,
                 struct error *err)
{
    enum { DIGITS_MAX = 18 };

    for (size_t i = 0; i < TAR_BLOCK && !tar_map_done(reader); i++) {
        bool digit = block[i] >= '0' && block[i] <= '9';
        int failure = 0;
        if (digit && ++reader->digits <= DIGITS_MAX)
            reader->number = reader->number * 10 + (uint64_t)(block[i] - '0');
        else if (block[i] == '\n')
            failure = take_number(reader, sparse, err);
        else
            failure = error_set(err, FAILURE_INPUT, "a sparse map's number is none");
        if (failure < 0)
            return failure;
    }
    return 0;
}

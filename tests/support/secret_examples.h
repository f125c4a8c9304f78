/* Made-up secrets of every format in the table, so that no token stands in the tests. */
#ifndef TEST_SECRET_EXAMPLES_H
#define TEST_SECRET_EXAMPLES_H

#include "secret_formats.h"

/* A text that holds one secret of this format, of its shortest or a long form. `ret_start` and
 * `ret_size` tell where it stands. Returns new. */
char *secret_example(const struct secret_format *format, bool is_long, size_t *ret_start,
                     size_t *ret_size);

#endif

/* Literal results that the tests of all formats write out. */
#ifndef TEST_SAMPLES_H
#define TEST_SAMPLES_H

#include "regwarden/report.h"

#define SAMPLE_FINGERPRINT "0123456789abcdef0123456789abcdef"
#define SAMPLE_DIGEST "sha256:3f2a9c81d0ab3f2a9c81d0ab3f2a9c81d0ab3f2a9c81d0ab3f2a9c81d0ab0000"

/* An image that fails, with findings of every status; one that passes; one without facts. */
extern const struct check_result samples[];
enum { SAMPLE_COUNT = 3 };

/* An image whose every text is hostile. */
extern const struct check_result sample_hostile;
/* "\033]0;x\007<script>…" and so on: nothing of it may come out raw. */
extern const char sample_evil[];

void samples_write(const char *format, const struct check_result *results, size_t count, bool color,
                   struct text *to);

#endif

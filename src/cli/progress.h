/* One line on the terminal that says how far long work is. Written to standard error, and only
 * where that is a terminal; gone when the work is done. */
#ifndef REGWARDEN_PROGRESS_H
#define REGWARDEN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on;
    char *what;       /* that is worked on */
    int64_t shown_ms; /* when the line was written last */
};

void progress_begin(struct progress *progress, const char *what);
/* `how_far` follows what is worked on. Too soon after the last one nothing is written. */
void progress_tell(struct progress *progress, const char *how_far);
void progress_end(struct progress *progress);

#endif

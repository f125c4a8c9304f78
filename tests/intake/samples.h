/* What must come out of each recorded or documented payload. The files themselves are not ours to
 * ship: they are found through REGWARDEN_SHARED_DATA. */
#ifndef TEST_SAMPLES_H
#define TEST_SAMPLES_H

struct sample {
    const char *file;
    const char *dialect; /* that recognises it; NULL: none */
    const char *url; /* of the registry whose hook it comes to; NULL: one that no payload names */
    /* As outcome.h says it, of all of the file's bodies in order; or "not understood: TEXT". */
    const char *outcome;
};
extern const struct sample samples[]; /* ends with a NULL file */

#endif

/* Reading a catalogue of bases from a file. */
#ifndef REGWARDEN_BASES_FILE_H
#define REGWARDEN_BASES_FILE_H

#include "regwarden/bases.h"

/* FAILURE_ABSENT, FAILURE_INPUT, FAILURE_LIMIT. Returns new. */
int bases_file_read(const char *path, struct base_catalogue **ret, struct error *err);

#endif

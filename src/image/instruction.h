/* Dockerfile instructions as builders write them into history. Private to the room. */
#ifndef IMAGE_INSTRUCTION_H
#define IMAGE_INSTRUCTION_H

#include <stdbool.h>

#include "regwarden/facts.h"

/* "COPY a b": sets kind and text, takes the forms "[a b]" and "map[a:{}]" of ports and volumes
 * apart and puts the commas back into ["a" "b"]. False, and nothing is set, when no instruction's
 * name stands there. */
bool instruction_read(const char *line, struct step *ret);

/* The command line of a RUN: takes "|2 A=b C=d" and the shell off. */
void instruction_read_run(const char *line, struct step *ret);

#endif

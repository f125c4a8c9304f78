/* Functions that this project does not use, made compile errors. Force-included into every source
 * file. Each has a safer word: text.h, clock.h, memory.h. */
#ifndef REGWARDEN_BANNED_H
#define REGWARDEN_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef alloca
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atof system gmtime \
    localtime alloca

#endif

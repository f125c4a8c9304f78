/* cmocka and what it wants included before it. */
#ifndef TESTS_POLICY_CMOCKA_ALL_H
#define TESTS_POLICY_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif

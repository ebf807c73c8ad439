/* unit.h - cmocka with what it needs before it, and table tests. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "converters/base/str.h"

/* One row of a table test becomes one line of TAP: `ok 3 - quoted comma`. */
#define ROW(fn, case_)                                                     \
    {                                                                      \
        .name = (case_)->name, .test_func = (fn), .initial_state = (case_) \
    }

#endif

/*
 * shim.h - the two halves of shim.so: shim.c stands between the program and
 * the disk, server.c runs the program again and again.
 */
#ifndef TESTS_CRASH_SHIM_H
#define TESTS_CRASH_SHIM_H

#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "tests/crash/page.h"

/* NULL: nothing is counted. */
extern struct page *page;

#endif

/* kernels.h - as if the kernel had no seccomp, or it did nothing. */
#ifndef TESTS_UNIT_KERNELS_H
#define TESTS_UNIT_KERNELS_H

#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "converters/base/str.h"

static enum { AS_IT_IS, WITHOUT_SECCOMP, SECCOMP_LEAKS } kernel;

/* In the place of the C library's: the other walls must stand alone, too. */
int prctl(int option, ...)
{
    unsigned long a[4];
    va_list ap;

    va_start(ap, option);
    for (size_t i = 0; i < COUNT(a); i++)
        a[i] = va_arg(ap, unsigned long);
    va_end(ap);
    if (option == PR_SET_SECCOMP && kernel == SECCOMP_LEAKS)
        return 0;
    if (option == PR_SET_SECCOMP && kernel == WITHOUT_SECCOMP) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
}

#endif

#include "courier/outcome.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const outcome_names[N_OUTCOMES] = {
#define X(id, what) #id,
    OUTCOMES(X)
#undef X
};

/* Others' words may be among ours: one line, and nothing that a terminal
 * obeys. Bytes above ASCII stay; who prints them cleans them as UTF-8. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = ' ';
}

int failed(struct failure *f, enum outcome how, const char *fmt, ...)
{
    va_list ap;

    f->how = how;
    f->fingerprint[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof(f->text), fmt, ap);
    va_end(ap);
    clean(f->text);
    return -1;
}

int failed_sys(struct failure *f, enum outcome how, const char *fmt, ...)
{
    int error = errno;
    va_list ap;
    size_t len;

    f->how = how;
    f->fingerprint[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof(f->text), fmt, ap);
    va_end(ap);
    len = strlen(f->text);
    snprintf(f->text + len, sizeof(f->text) - len, ": %s", strerror(error));
    clean(f->text);
    return -1;
}

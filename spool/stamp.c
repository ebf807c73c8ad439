#include "spool/stamp.h"

#include <string.h>

#include "converters/base/date.h"

/* A number with its leading zeros. */
static char *digits(char *out, unsigned n, int width)
{
    for (int i = width; i-- > 0; n /= 10)
        out[i] = (char)('0' + n % 10);
    return out + width;
}

static char *print_day(const struct date *d, char sep, char *out)
{
    out = digits(out, (unsigned)d->year, 4);
    *out++ = sep;
    out = digits(out, d->month, 2);
    *out++ = sep;
    return digits(out, d->day, 2);
}

void stamp_of(int64_t t, char out[STAMP_LEN + 1])
{
    struct date d = date_from_unix(t);

    if (t) {
        out = print_day(&d, '-', out);
        *out++ = 'T';
        out = digits(out, d.hour, 2);
        *out++ = ':';
        out = digits(out, d.minute, 2);
        *out++ = ':';
        out = digits(out, d.second, 2);
        *out++ = 'Z';
    }
    *out = '\0';
}

void stamp_for_people(int64_t t, char out[STAMP_LEN + 1])
{
    stamp_of(t, out);
    if (t)
        out[10] = ' ';
}

int64_t stamp_read(const char *text)
{
    struct date d;

    if (!text || !date_from_canon(str_of(text), &d))
        return 0;
    return date_to_unix(d);
}

void stamp_folder(int64_t t, char out[11])
{
    struct date d = date_from_unix(t);

    *print_day(&d, '/', out) = '\0';
}

/* t_date.c - base/date.c and date_text.c: calendar, patterns, canonical text.
 * Zones have t_zone.c. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <time.h>

#include "converters/base/date.h"

#define USUAL "YYYY-MM-DD hh:mm:ss"

static void check_text(int line, struct str got, const char *want)
{
    if (!str_is(got, want))
        fail_msg("%s:%d: got \"%.*s\", not \"%s\"", __FILE__, line,
                 STR_ARGS(got), want);
}

/* ---- reading ---- */

static struct read_case {
    int line;
    const char *name, *pattern, *in, *want; /* canonical; NULL: refused */
} reads[] = {
    { __LINE__, "the usual pattern", USUAL, "2024-02-29 23:59:58",
      "2024-02-29T23:59:58" },
    { __LINE__, "the usual pattern and a date alone", USUAL, "2024-03-01",
      "2024-03-01" },
    { __LINE__, "the usual pattern and two blanks", USUAL,
      "2024-03-01  07:08:09", "2024-03-01T07:08:09" },
    { __LINE__, "the usual pattern and a letter", USUAL, "2024-03-01 07:O8:09",
      NULL },
    { __LINE__, "the usual pattern and one digit", USUAL, "2024-3-01 07:08:09",
      NULL },
    { __LINE__, "the usual pattern and a T", USUAL, "2024-03-01T07:08:09",
      NULL },
    { __LINE__, "the usual pattern and more", USUAL, "2024-03-01 07:08:09 x",
      NULL },
    { __LINE__, "the usual pattern cut", USUAL, "2024-03-01 07:08", NULL },
    { __LINE__, "the usual pattern with a bad day", USUAL,
      "2023-02-29 00:00:00", NULL },
    { __LINE__, "the usual pattern with hour 24", USUAL, "2024-03-01 24:00:00",
      NULL },
    { __LINE__, "blanks around", USUAL, "  2024-03-01 07:08:09\r\n",
      "2024-03-01T07:08:09" },
    { __LINE__, "midnight is a known time", USUAL, "2024-03-01 00:00:00",
      "2024-03-01T00:00:00" },

    { __LINE__, "T stands for itself", "YYYY-MM-DDThh:mm:ss",
      "2024-03-01T07:08:09", "2024-03-01T07:08:09" },
    { __LINE__, "another letter stands for itself", "YYYY-MM-DDThh:mm:ss",
      "2024-03-01t07:08:09", NULL },
    { __LINE__, "Z is offset 0", "YYYY-MM-DDThh:mm:ssZ", "2024-03-01T07:08:09Z",
      "2024-03-01T07:08:09Z" },
    { __LINE__, "an offset east", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09+02:00", "2024-03-01T07:08:09+02:00" },
    { __LINE__, "an offset west", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09-05:30", "2024-03-01T07:08:09-05:30" },
    { __LINE__, "an offset without a colon", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09+0300", "2024-03-01T07:08:09+03:00" },
    { __LINE__, "an offset of hours", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09-03", "2024-03-01T07:08:09-03:00" },
    { __LINE__, "an offset of -00:00", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09-00:00", "2024-03-01T07:08:09Z" },
    { __LINE__, "a missing offset", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09", NULL },
    { __LINE__, "an offset of too many hours", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09+16:00", NULL },
    { __LINE__, "an offset of 60 minutes", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09+01:60", NULL },
    { __LINE__, "an offset that is cut", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-01T07:08:09+02:", NULL },
    { __LINE__, "a blank before an offset", "YYYY-MM-DD hh:mm:ss Z",
      "2024-03-01 07:08:09 +0100", "2024-03-01T07:08:09+01:00" },
    { __LINE__, "a date with an offset has none", "YYYY-MM-DDZ",
      "2024-03-01+02:00", "2024-03-01" },
    { __LINE__, "milliseconds are ignored", "YYYY-MM-DDThh:mm:ss.SSSZ",
      "2024-03-01T07:08:09.987Z", "2024-03-01T07:08:09Z" },
    { __LINE__, "seven digits of a fraction", "YYYY-MM-DD hh:mm:ss.SSS",
      "2024-03-01 07:08:09.9870001", "2024-03-01T07:08:09" },
    { __LINE__, "one digit of a fraction", "YYYY-MM-DD hh:mm:ss,SSS",
      "2024-03-01 07:08:09,9", "2024-03-01T07:08:09" },
    { __LINE__, "no digit of a fraction", "YYYY-MM-DD hh:mm:ss.SSS",
      "2024-03-01 07:08:09.", NULL },

    { __LINE__, "Czech with blanks", "D. M. YYYY", "5. 3. 2024", "2024-03-05" },
    { __LINE__, "D and M take two digits", "D.M.YYYY", "15.12.2024",
      "2024-12-15" },
    { __LINE__, "D and M take a zero", "D.M.YYYY", "05.03.2024", "2024-03-05" },
    { __LINE__, "D takes no third digit", "D.M.YYYY", "005.3.2024", NULL },
    { __LINE__, "DD takes no single digit", "DD.MM.YYYY", "5.03.2024", NULL },
    { __LINE__, "MM takes no single digit", "DD.MM.YYYY", "05.3.2024", NULL },
    { __LINE__, "h, m and s take one digit", "D.M.YYYY h:m:s", "5.3.2024 7:8:9",
      "2024-03-05T07:08:09" },
    { __LINE__, "hh takes no single digit", "D.M.YYYY hh:mm", "5.3.2024 7:08",
      NULL },
    { __LINE__, "no seconds in the pattern", "DD.MM.YYYY hh:mm",
      "05.03.2024 07:08", "2024-03-05T07:08:00" },
    { __LINE__, "an hour alone", "DD.MM.YYYY h", "05.03.2024 7",
      "2024-03-05T07:00:00" },
    { __LINE__, "Hungarian", "YYYY. MM. DD.", "2024. 03. 05.", "2024-03-05" },
    { __LINE__, "a full stop is not optional", "YYYY. MM. DD.", "2024. 03. 05",
      NULL },
    { __LINE__, "Hungarian with a time", "YYYY. MM. DD. h:mm",
      "2024. 03. 05. 7:08", "2024-03-05T07:08:00" },
    { __LINE__, "Hungarian without its time", "YYYY. MM. DD. h:mm",
      "2024. 03. 05.", "2024-03-05" },
    { __LINE__, "Turkish", "DD/MM/YYYY", "05/03/2024", "2024-03-05" },
    { __LINE__, "month first", "MM/DD/YYYY", "03/05/2024", "2024-03-05" },
    { __LINE__, "digits only", "YYYYMMDD", "20240305", "2024-03-05" },
    { __LINE__, "digits only with a time", "YYYYMMDDhhmmss", "20240305070809",
      "2024-03-05T07:08:09" },
    { __LINE__, "digits only and a date alone", "YYYYMMDDhhmm", "20240305",
      "2024-03-05" },
    { __LINE__, "a time before the date", "hh:mm DD.MM.YYYY",
      "07:08 05.03.2024", "2024-03-05T07:08:00" },
    { __LINE__, "a time alone", "hh:mm DD.MM.YYYY", "07:08", NULL },
    { __LINE__, "other bytes stand for themselves", "YYYY\xE5\xB9\xB4MM-DD",
      "2024\xE5\xB9\xB4"
      "03-05",
      "2024-03-05" },

    { __LINE__, "MM before the hour is a month", "MM/DD/YYYY hh:mm",
      "03/05/2024 07:08", "2024-03-05T07:08:00" },
    { __LINE__, "MM after hh: is a minute", "YYYY-MM-DD hh:MM:ss",
      "2024-03-05 07:08:09", "2024-03-05T07:08:09" },
    { __LINE__, "M after h: is a minute", "D.M.YYYY h:M", "5.3.2024 7:8",
      "2024-03-05T07:08:00" },
    { __LINE__, "MM after a time is a month", "hh:mm:ss MM/DD/YYYY",
      "07:08:09 03/05/2024", "2024-03-05T07:08:09" },
    { __LINE__, "MM after hh and a blank is a month", "hh MM/DD/YYYY",
      "07 03/05/2024", "2024-03-05T07:00:00" },
    { __LINE__, "mm after hh without a colon", "YYYYMMDD hhmm", "20240305 0708",
      "2024-03-05T07:08:00" },

    { __LINE__, "YY 70 is 1970", "DD.MM.YY", "05.03.70", "1970-03-05" },
    { __LINE__, "YY 99 is 1999", "DD.MM.YY", "05.03.99", "1999-03-05" },
    { __LINE__, "YY 00 is 2000", "DD.MM.YY", "05.03.00", "2000-03-05" },
    { __LINE__, "YY 69 is 2069", "YYMMDD", "690305", "2069-03-05" },
    { __LINE__, "YY takes no four digits", "DD.MM.YY", "05.03.2024", NULL },
    { __LINE__, "YYYY takes no two digits", "DD.MM.YYYY", "05.03.24", NULL },
    { __LINE__, "YYYY takes no five digits", "DD.MM.YYYY", "05.03.20245",
      NULL },

    { __LINE__, "29 February 2024", "YYYY-MM-DD", "2024-02-29", "2024-02-29" },
    { __LINE__, "29 February 2023", "YYYY-MM-DD", "2023-02-29", NULL },
    { __LINE__, "29 February 2000", "YYYY-MM-DD", "2000-02-29", "2000-02-29" },
    { __LINE__, "29 February 2100", "YYYY-MM-DD", "2100-02-29", NULL },
    { __LINE__, "29 February 1900", "YYYY-MM-DD", "1900-02-29", NULL },
    { __LINE__, "30 February", "YYYY-MM-DD", "2024-02-30", NULL },
    { __LINE__, "31 April", "YYYY-MM-DD", "2024-04-31", NULL },
    { __LINE__, "31 December", "YYYY-MM-DD", "2024-12-31", "2024-12-31" },
    { __LINE__, "day 0", "YYYY-MM-DD", "2024-04-00", NULL },
    { __LINE__, "month 0", "YYYY-MM-DD", "2024-00-10", NULL },
    { __LINE__, "month 13", "YYYY-MM-DD", "2024-13-10", NULL },
    { __LINE__, "the first year", "YYYY-MM-DD", "1900-01-01", "1900-01-01" },
    { __LINE__, "before the first year", "YYYY-MM-DD", "1899-12-31", NULL },
    { __LINE__, "the last year", "YYYY-MM-DD", "9999-12-31", "9999-12-31" },
    { __LINE__, "for ever", "DD.MM.YYYY", "31.12.9999", "9999-12-31" },
    { __LINE__, "after the last year", "YYYY-MM-DD", "10000-01-01", NULL },
    { __LINE__, "zeros of a database", "YYYY-MM-DD", "0000-00-00", NULL },
    { __LINE__, "minute 60", "YYYY-MM-DD hh:mm", "2024-01-01 10:60", NULL },
    { __LINE__, "second 60", "YYYY-MM-DD hh:mm:ss", "2016-12-31 23:59:60",
      NULL },

    { __LINE__, "a date and midnight", "YYYY-MM-DD", "2024-03-05 00:00:00",
      "2024-03-05" },
    { __LINE__, "a date, T and midnight", "YYYY-MM-DD", "2024-03-05T00:00:00",
      "2024-03-05" },
    { __LINE__, "a date and a short midnight", "D.M.YYYY", "5.3.2024 0:00:00",
      "2024-03-05" },
    { __LINE__, "a date and midnight with a fraction", "YYYY-MM-DD",
      "2024-03-05 00:00:00.000", "2024-03-05" },
    { __LINE__, "a date and a second", "YYYY-MM-DD", "2024-03-05 00:00:01",
      NULL },
    { __LINE__, "a date and a tenth", "YYYY-MM-DD", "2024-03-05 00:00:00.1",
      NULL },
    { __LINE__, "a date and half of midnight", "YYYY-MM-DD", "2024-03-05 00:00",
      NULL },
    { __LINE__, "a date and midnight without a blank", "YYYY-MM-DD",
      "2024-03-0500:00:00", NULL },
    { __LINE__, "a date and midnight and more", "YYYY-MM-DD",
      "2024-03-05 00:00:00 x", NULL },
    { __LINE__, "a date and something else", "YYYY-MM-DD", "2024-03-05x",
      NULL },
    { __LINE__, "a time needs no midnight", "YYYY-MM-DD hh:mm",
      "2024-03-05 00:00:00", NULL },
    { __LINE__, "a date and the end of a pattern only", "DD.MM.YYYY hh:mm",
      "05.03.2024 07", NULL },

    { __LINE__, "a tab for a blank", "YYYY-MM-DD hh:mm", "2024-03-05\t07:08",
      "2024-03-05T07:08:00" },
    { __LINE__, "a no-break blank for a blank", "D. M. YYYY",
      "5.\xC2\xA0"
      "3.\xE2\x80\xAF"
      "2024",
      "2024-03-05" },
    { __LINE__, "no blank for a blank", "D. M. YYYY", "5.3.2024", NULL },
    { __LINE__, "a blank for no blank", "D.M.YYYY", "5. 3. 2024", NULL },
    { __LINE__, "nothing", "YYYY-MM-DD", "", NULL },
    { __LINE__, "blanks", "YYYY-MM-DD", "   ", NULL },
    { __LINE__, "a sign in a number", "YYYY-MM-DD", "2024-+3-05", NULL },
    { __LINE__, "a pattern without a day", "YYYY-MM", "2024-03", NULL },
    { __LINE__, "a pattern that is refused", "YYYY-MM-dd", "2024-03-05", NULL },

    { __LINE__, "unix 0", "unix", "0", "1970-01-01T00:00:00Z" },
    { __LINE__, "unix seconds", "unix", "1711846800", "2024-03-31T01:00:00Z" },
    { __LINE__, "unix before 1970", "unix", "-1", "1969-12-31T23:59:59Z" },
    { __LINE__, "a fraction of a unix second", "unix", "1711846800.75",
      "2024-03-31T01:00:00Z" },
    { __LINE__, "unix of 1900", "unix", "-2208988800", "1900-01-01T00:00:00Z" },
    { __LINE__, "unix of 1899", "unix", "-2208988801", NULL },
    { __LINE__, "unix of 9999", "unix", "253402300799",
      "9999-12-31T23:59:59Z" },
    { __LINE__, "unix after 9999", "unix", "253402300800", NULL },
    { __LINE__, "milliseconds are no unix seconds", "unix", "1711846800000",
      NULL },
    { __LINE__, "unix of 18 digits", "unix", "999999999999999999", NULL },
    { __LINE__, "unix with a trailing minus", "unix", "1711846800-", NULL },
    { __LINE__, "unix with a letter", "unix", "171184680O", NULL },
    { __LINE__, "unix of nothing", "unix", "", NULL },

    { __LINE__, "excel", "excel", "45356", "2024-03-05" },
    { __LINE__, "excel with a time", "excel", "45356.5",
      "2024-03-05T12:00:00" },
    { __LINE__, "excel with a comma", "excel", "45356,25",
      "2024-03-05T06:00:00" },
    { __LINE__, "excel rounds to a second", "excel", "45356.297326389",
      "2024-03-05T07:08:09" },
    { __LINE__, "excel rounds to the next day", "excel", "45291.999999",
      "2024-01-01T00:00:00" },
    { __LINE__, "excel with zeros", "excel", "45356.000", "2024-03-05" },
    { __LINE__, "excel day 1", "excel", "1", "1900-01-01" },
    { __LINE__, "excel day 59", "excel", "59", "1900-02-28" },
    { __LINE__, "excel day 60 never was", "excel", "60", NULL },
    { __LINE__, "excel day 61", "excel", "61", "1900-03-01" },
    { __LINE__, "excel day 0", "excel", "0.5", NULL },
    { __LINE__, "a negative excel day", "excel", "-1", NULL },
    { __LINE__, "the last excel day", "excel", "2958465", "9999-12-31" },
    { __LINE__, "excel after the last year", "excel", "2958466", NULL },
    { __LINE__, "excel rounds past the last year", "excel", "2958465.9999999",
      NULL },
    { __LINE__, "excel of 18 digits", "excel", "999999999999999999", NULL },
};

static void test_read(void **state)
{
    const struct read_case *c = *state;
    struct date before = { .year = 1234, .day = 5 }, d = before;
    size_t n = strlen(c->in);
    char *copy = malloc(n ? n : 1); /* so that ASan sees a step too far */
    struct arena a = { 0 };
    bool ok;

    assert_non_null(copy);
    memcpy(copy, c->in, n);
    ok = date_read((struct str){ copy, n }, str_of(c->pattern), NULL, &d);
    if (ok && !c->want)
        fail_msg("%s:%d: accepted", __FILE__, c->line);
    check_text(c->line, ok ? date_canon(&a, d) : STR("refused"),
               c->want ? c->want : "refused");
    if (!ok && (d.year != before.year || d.day != before.day))
        fail_msg("%s:%d: *out changed", __FILE__, c->line);
    free(copy);
    arena_release(&a);
}

/* ---- patterns that are refused ---- */

static struct refuse_case {
    int line;
    const char *name, *pattern;
    const char *why;  /* a part of the reason; NULL: fine */
    const char *read; /* the same for date_pattern_read_ok() */
} refusals[] = {
    { __LINE__, "a full pattern", USUAL, NULL, NULL },
    { __LINE__, "unix alone", "unix", NULL, NULL },
    { __LINE__, "excel alone", "excel", NULL, NULL },
    { __LINE__, "unix not alone", "unix YYYY", NULL, "year, month" },
    { __LINE__, "everything", "D.M.YY h:m:s.SSS Z", NULL, NULL },
    { __LINE__, "milliseconds behind seconds", "YYYYMMDDhhmmssSSS", NULL,
      NULL },
    { __LINE__, "a year alone is for writing", "YYYY", NULL, "year, month" },
    { __LINE__, "a time alone is for writing", "hh:mm", NULL, "year, month" },
    { __LINE__, "no year is for writing", "DD.MM.", NULL, "year, month" },
    { __LINE__, "D before a number", "DMMYYYY", NULL, "separator" },
    { __LINE__, "M before a number", "YYYY-MDD", NULL, "separator" },
    { __LINE__, "h before a number", "YYYY-MM-DD hmm", NULL, "separator" },
    { __LINE__, "SSS before a number", "YYYY-MM-DDhhmmssSSSZ", NULL, NULL },
    { __LINE__, "SSS before the date", "hhmmssSSSYYYYMMDD", NULL, "separator" },
    { __LINE__, "nothing", "", "empty", "empty" },
    { __LINE__, "no letter of a date", "--", "no YYYY", "no YYYY" },
    { __LINE__, "65 characters",
      "YYYY-MM-DD.......................................................", "64",
      "64" },
    { __LINE__, "three Y", "YYY-MM-DD", "YYYY or YY", "YYYY or YY" },
    { __LINE__, "five Y", "YYYYY-MM-DD", "YYYY or YY", "YYYY or YY" },
    { __LINE__, "a name of a month", "DD-MMM-YYYY", "MM or M", "MM or M" },
    { __LINE__, "a name of a day", "DDD D.M.YYYY", "DD or D", "DD or D" },
    { __LINE__, "a small y", "yyyy-MM-DD", "capitals", "capitals" },
    { __LINE__, "a small d", "YYYY-MM-dd", "capitals", "capitals" },
    { __LINE__, "a capital H", "YYYY-MM-DD HH:mm", "small", "small" },
    { __LINE__, "capital SS", "YYYY-MM-DD hh:mm:SS", "SSS", "SSS" },
    { __LINE__, "four S", "YYYY-MM-DD hh:mm:ss.SSSS", "SSS", "SSS" },
    { __LINE__, "two Z", "YYYY-MM-DDThh:mm:ssZZ", "one Z", "one Z" },
    { __LINE__, "mm without an hour", "YYYY-mm-DD", "hour before",
      "hour before" },
    { __LINE__, "minutes alone are written, not read", "mm:ss", NULL,
      "year, month and day" },
    { __LINE__, "seconds of no hour are written, not read", "YYYY-MM-DD ss",
      NULL, "hour" },
    { __LINE__, "two years", "YYYY-MM-DD YY", "twice", "twice" },
    { __LINE__, "two months", "YYYY-MM-DD hhMM", "twice", "twice" },
    { __LINE__, "two minutes", "YYYY-MM-DD hh:mm:mm", "twice", "twice" },
    { __LINE__, "two offsets", "hhZ-Z", "twice", "twice" },
    { __LINE__, "a 100-letter run",
      "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD",
      "DD or D", "DD or D" },
};

static bool says(const char *got, const char *want)
{
    return want ? got && strstr(got, want) : !got;
}

static void test_refuse(void **state)
{
    const struct refuse_case *c = *state;
    const char *why = date_pattern_ok(str_of(c->pattern));
    const char *why_read = date_pattern_read_ok(str_of(c->pattern));

    if (!says(why, c->why) || !says(why_read, c->read))
        fail_msg("%s:%d: \"%s\": %s; to read: %s", __FILE__, c->line,
                 c->pattern, why ? why : "fine", why_read ? why_read : "fine");
}

/* ---- writing ---- */

static struct write_case {
    int line;
    const char *name, *in, *pattern, *want;
} writes[] = {
    { __LINE__, "the usual pattern", "2024-03-05T07:08:09", USUAL,
      "2024-03-05 07:08:09" },
    { __LINE__, "digits only", "2024-03-05", "YYYYMMDD", "20240305" },
    { __LINE__, "Czech", "2024-03-05", "D. M. YYYY", "5. 3. 2024" },
    { __LINE__, "Hungarian", "2024-12-25", "YYYY. MM. DD.", "2024. 12. 25." },
    { __LINE__, "single letters", "2024-12-25T07:08:09", "D.M.YY h:m:s",
      "25.12.24 7:8:9" },
    { __LINE__, "YY of 2005", "2005-01-02", "DDMMYY", "020105" },
    { __LINE__, "an unknown time is zeros", "2024-03-05", USUAL,
      "2024-03-05 00:00:00" },
    { __LINE__, "a time is left out", "2024-03-05T07:08:09", "DD/MM/YYYY",
      "05/03/2024" },
    { __LINE__, "MM after hh: is a minute", "2024-03-05T07:08:09", "hh:MM",
      "07:08" },
    { __LINE__, "Z at offset 0", "2024-03-05T07:08:09Z", "YYYY-MM-DDThh:mm:ssZ",
      "2024-03-05T07:08:09Z" },
    { __LINE__, "Z at another offset", "2024-03-05T07:08:09-09:30", "hh:mmZ",
      "07:08-09:30" },
    { __LINE__, "Z when not known", "2024-03-05T07:08:09", "hh:mmZ", "07:08" },
    { __LINE__, "milliseconds", "2024-03-05T07:08:09Z", "hh:mm:ss.SSSZ",
      "07:08:09.000Z" },
    { __LINE__, "several blanks stay", "2024-03-05", "DD  MM   YYYY",
      "05  03   2024" },
    { __LINE__, "unix with an offset", "2024-03-31T03:00:00+02:00", "unix",
      "1711846800" },
    { __LINE__, "unix without an offset", "1970-01-02", "unix", "86400" },
    { __LINE__, "excel", "2024-03-05", "excel", "45356" },
    { __LINE__, "excel with a time", "2024-03-05T18:00:00+01:00", "excel",
      "45356.75" },
    { __LINE__, "excel of a second", "2024-03-05T00:00:01", "excel",
      "45356.000011574074" },
    { __LINE__, "excel of 28 February 1900", "1900-02-28", "excel", "59" },
    { __LINE__, "excel of 1 March 1900", "1900-03-01", "excel", "61" },
    { __LINE__, "excel of the last day", "9999-12-31", "excel", "2958465" },
    { __LINE__, "excel of the last noon", "9999-12-31T12:00:00", "excel",
      "2958465.5" },
    { __LINE__, "a pattern that is refused", "2024-03-05", "DD.MM.yyyy", "" },
    { __LINE__, "growing parts", "2024-12-25T17:18:19-09:30",
      "ZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZMZM",
      "-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012"
      "-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012"
      "-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012"
      "-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012-09:3012" },
    { __LINE__, "a pattern that is too long", "2024-03-05",
      "YYYY-MM-DD.......................................................", "" },
};

static void test_write(void **state)
{
    const struct write_case *c = *state;
    struct arena a = { 0 };
    struct date d;

    assert_true(date_from_canon(str_of(c->in), &d));
    check_text(c->line, date_format(&a, d, str_of(c->pattern)), c->want);
    arena_release(&a);
}

/* ---- canonical text ---- */

static struct canon_case {
    int line;
    const char *name, *in;
    bool ok; /* then writing gives `in` again */
} canons[] = {
    { __LINE__, "a date", "2024-02-29", true },
    { __LINE__, "a time", "2024-02-29T23:59:59", true },
    { __LINE__, "a time in UTC", "2024-02-29T00:00:00Z", true },
    { __LINE__, "a time east", "2024-02-29T00:00:00+14:00", true },
    { __LINE__, "a time west", "2024-02-29T00:00:00-00:30", true },
    { __LINE__, "an offset behind a date", "2024-02-29Z", false },
    { __LINE__, "a blank for T", "2024-02-29 23:59:59", false },
    { __LINE__, "no seconds", "2024-02-29T23:59", false },
    { __LINE__, "a fraction", "2024-02-29T23:59:59.5", false },
    { __LINE__, "a small z", "2024-02-29T23:59:59z", false },
    { __LINE__, "an offset without a colon", "2024-02-29T23:59:59+0100",
      false },
    { __LINE__, "an offset of 60 minutes", "2024-02-29T23:59:59+01:60", false },
    { __LINE__, "an offset too large", "2024-02-29T23:59:59+16:00", false },
    { __LINE__, "something behind Z", "2024-02-29T23:59:59Z ", false },
    { __LINE__, "a blank before", " 2024-02-29", false },
    { __LINE__, "no such day", "2023-02-29", false },
    { __LINE__, "no such hour", "2024-02-29T24:00:00", false },
    { __LINE__, "no such year", "1899-12-31", false },
    { __LINE__, "one digit", "2024-2-29", false },
    { __LINE__, "a date cut short", "2024-02-2", false },
    { __LINE__, "T alone", "2024-02-29T", false },
    { __LINE__, "nothing", "", false },
};

static void test_canon(void **state)
{
    const struct canon_case *c = *state;
    struct arena a = { 0 };
    struct date d = { 0 };

    if (date_from_canon(str_of(c->in), &d) != c->ok)
        fail_msg("%s:%d: %s", __FILE__, c->line,
                 c->ok ? "refused" : "accepted");
    if (c->ok)
        check_text(c->line, date_canon(&a, d), c->in);
    arena_release(&a);
}

/* ---- arithmetic ---- */

static struct add_case {
    int line;
    const char *name, *in;
    char unit; /* 'd' or 'm' */
    int64_t n;
    const char *want; /* NULL: outside */
} adds[] = {
    { __LINE__, "no day", "2024-02-29", 'd', 0, "2024-02-29" },
    { __LINE__, "a day over a month's end", "2024-02-28", 'd', 1,
      "2024-02-29" },
    { __LINE__, "14 days", "2023-12-25", 'd', 14, "2024-01-08" },
    { __LINE__, "a day back over a year", "2024-01-01", 'd', -1, "2023-12-31" },
    { __LINE__, "299 years of days", "1900-01-01", 'd', 109208, "2199-01-01" },
    { __LINE__, "time and offset stay", "2024-03-30T12:00:00+01:00", 'd', 1,
      "2024-03-31T12:00:00+01:00" },
    { __LINE__, "the day after the last", "9999-12-31", 'd', 1, NULL },
    { __LINE__, "all days there are", "1900-01-01", 'd', 2958463,
      "9999-12-31" },
    { __LINE__, "the day before the first", "1900-01-01", 'd', -1, NULL },
    { __LINE__, "more days than there are", "2024-01-01", 'd', INT64_MAX,
      NULL },
    { __LINE__, "fewer days than there are", "2024-01-01", 'd', INT64_MIN,
      NULL },
    { __LINE__, "a month", "2024-03-15", 'm', 1, "2024-04-15" },
    { __LINE__, "a month from 31 January", "2024-01-31", 'm', 1, "2024-02-29" },
    { __LINE__, "a month from 31 January 2023", "2023-01-31", 'm', 1,
      "2023-02-28" },
    { __LINE__, "twelve months from a leap day", "2024-02-29", 'm', 12,
      "2025-02-28" },
    { __LINE__, "a month back over a year", "2024-01-15", 'm', -1,
      "2023-12-15" },
    { __LINE__, "13 months back", "2024-03-31T01:02:03", 'm', -13,
      "2023-02-28T01:02:03" },
    { __LINE__, "a month too many", "9999-12-01", 'm', 1, NULL },
    { __LINE__, "a month too few", "1900-01-31", 'm', -1, NULL },
    { __LINE__, "more months than there are", "2024-01-01", 'm', INT64_MAX,
      NULL },
    { __LINE__, "fewer months than there are", "2024-01-01", 'm', INT64_MIN,
      NULL },
};

static void test_add(void **state)
{
    const struct add_case *c = *state;
    struct arena a = { 0 };
    struct date d;
    bool ok;

    assert_true(date_from_canon(str_of(c->in), &d));
    ok = c->unit == 'd' ? date_add_days(d, c->n, &d)
                        : date_add_months(d, c->n, &d);
    check_text(c->line, ok ? date_canon(&a, d) : STR("outside"),
               c->want ? c->want : "outside");
    arena_release(&a);
}

static struct cmp_case {
    int line;
    const char *name, *a, *b;
    int want;
} cmps[] = {
    { __LINE__, "a day earlier", "2024-03-04", "2024-03-05", -1 },
    { __LINE__, "the same day", "2024-03-05", "2024-03-05", 0 },
    { __LINE__, "a date is its midnight", "2024-03-05", "2024-03-05T00:00:00",
      0 },
    { __LINE__, "a time is after its date", "2024-03-05T00:00:01", "2024-03-05",
      1 },
    { __LINE__, "the same instant", "2024-03-05T10:00:00+02:00",
      "2024-03-05T08:00:00Z", 0 },
    { __LINE__, "instants, not walls", "2024-03-05T10:00:00+02:00",
      "2024-03-05T09:00:00+00:00", -1 },
    { __LINE__, "walls when one has no offset", "2024-03-05T10:00:00+02:00",
      "2024-03-05T09:00:00", 1 },
};

static void test_cmp(void **state)
{
    const struct cmp_case *c = *state;
    struct date a, b;

    assert_true(date_from_canon(str_of(c->a), &a));
    assert_true(date_from_canon(str_of(c->b), &b));
    if (date_cmp(a, b) != c->want || date_cmp(b, a) != -c->want)
        fail_msg("%s:%d: got %d", __FILE__, c->line, date_cmp(a, b));
}

/* Each day of the valid years, against a calendar that counts day by day. */
static void test_every_day(void **state)
{
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    int64_t t = -2208988800; /* 1900-01-01 */

    (void)state;
    for (int y = 1900; y <= 9999; y++)
        for (int m = 1; m <= 12; m++) {
            bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
            int last = days[m - 1] + (m == 2 && leap);

            for (int day = 1; day <= last; day++, t += 86400) {
                struct date d = date_from_unix(t + 86399);

                if (d.year != y || d.month != m || d.day != day ||
                    d.hour != 23 || d.minute != 59 || d.second != 59 ||
                    date_to_unix(d) != t + 86399 || !date_valid(&d))
                    fail_msg("%d-%d-%d", y, m, day);
            }
        }
    assert_int_equal(t, 253402300800);
}

static void test_far_instants(void **state)
{
    (void)state;
    assert_int_equal(date_from_unix(INT64_MAX).year, 9999);
    assert_int_equal(date_from_unix(INT64_MIN).year, 1);
    assert_int_equal(date_from_unix(INT64_MIN).day, 1);
}

static void test_clock(void **state)
{
    int64_t now = time(NULL);

    (void)state;
    setenv("KERVAN_NOW", "5", 1); /* nothing reads it */
    assert_in_range(clock_now(), now, now + 5);
    clock_freeze(1711846800);
    assert_int_equal(clock_now(), 1711846800);
    clock_freeze(-1);
    assert_int_equal(clock_now(), -1);
}

static struct CMUnitTest tests[COUNT(reads) + COUNT(refusals) + COUNT(writes) +
                               COUNT(canons) + COUNT(adds) + COUNT(cmps) + 3];
static size_t n_tests;

#define ADD_ROWS(fn, rows)                   \
    for (size_t i = 0; i < COUNT(rows); i++) \
    tests[n_tests++] = (struct CMUnitTest)ROW(fn, &(rows)[i])

int main(void)
{
    ADD_ROWS(test_read, reads);
    ADD_ROWS(test_refuse, refusals);
    ADD_ROWS(test_write, writes);
    ADD_ROWS(test_canon, canons);
    ADD_ROWS(test_add, adds);
    ADD_ROWS(test_cmp, cmps);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_every_day);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_far_instants);
    tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_clock);
    return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}

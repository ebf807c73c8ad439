#include "formats/input.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "converters/base/limits.h"
#include "converters/base/utf8.h"

static const struct kind {
    struct str magic;
    const char *name;
} kinds[] = {
    { { "PK\3\4", 4 }, "a ZIP file (XLSX and DOCX are ZIP files, too)" },
    { { "PK\5\6", 4 }, "an empty ZIP file" },
    { { "\x1F\x8B", 2 }, "a gzip file" },
    { { "%PDF-", 5 }, "a PDF file" },
    { { "\xD0\xCF\x11\xE0", 4 }, "an old Excel or Word file" },
    { { "7z\xBC\xAF", 4 }, "a 7z file" },
    { { "Rar!", 4 }, "a RAR file" },
    { { "BZh", 3 }, "a bzip2 file" },
    { { "\xFD"
        "7zXZ",
        5 },
      "an xz file" },
    { { "\x89PNG", 4 }, "a picture (PNG)" },
    { { "\xFF\xD8\xFF", 3 }, "a picture (JPEG)" },
    { { "{\\rtf", 5 }, "an RTF file" },
    { { "MZ\x90", 3 }, "a Windows program" },
    { { "\x7F"
        "ELF",
        4 },
      "a program" },
    { { "UNA:", 4 }, "an EDIFACT file" },
    { { "UNB+", 4 }, "an EDIFACT file" },
    { { "\x4C\x6F\xA7\x94", 4 }, "an XML file in EBCDIC" },
    { { "\xFF\xFE\0\0", 4 }, "a text in UTF-32" },
    { { "\0\0\xFE\xFF", 4 }, "a text in UTF-32" },
};

/* What the looks at a file's beginning see of it. */
enum { HEAD_SIZE = INPUT_CHUNK / 2 };

ptrdiff_t input_pull_fd(void *fd, char *buf, size_t n)
{
    const int *in = fd;
    ssize_t got;

    do
        got = read(*in, buf, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* People write CSV and XML, maps write csv and xml. */
static void upper(char to[INPUT_FORMAT], const char *from)
{
    size_t n = 0;

    for (; from[n] && n + 1 < INPUT_FORMAT; n++)
        to[n] = from[n] >= 'a' && from[n] <= 'z' ? (char)(from[n] - 'a' + 'A')
                                                 : from[n];
    to[n] = '\0';
}

void input_init(struct input *in, ptrdiff_t (*pull)(void *, char *, size_t),
                void *ctx, const struct charset *cs, uint64_t max_bytes,
                const char *format)
{
    /* Not *in = {0}: that would clear 16 KB, and a ZIP has many members. */
    in->pull = pull;
    in->ctx = ctx;
    in->cs = cs;
    in->max_bytes = max_bytes;
    upper(in->format, format);
    in->cs_from = "the map says so";
    in->declared = NULL;
    in->n_raw = 0;
    in->n_bytes = 0;
    in->started = in->ended = in->failed = false;
    in->fault_line = in->fault_col = 0;
    in->n_fault_args = 0;
    buf_init(&in->out, charset_room(INPUT_CHUNK) + charset_room(8));
}

void input_release(struct input *in)
{
    buf_release(&in->out);
}

/* ---- faults ------------------------------------------------------------- */

static int fail(struct input *in, enum diag_id id)
{
    in->failed = true;
    in->fault = id;
    in->n_fault_args = 0;
    return -1;
}

/* Adds an argument, copied; a long one is cut between two characters. */
static void add_arg(struct input *in, struct str s)
{
    size_t i = in->n_fault_args++;
    char *to = in->fault_text[i];

    if (s.len > sizeof(in->fault_text[i])) {
        s.len = sizeof(in->fault_text[i]);
        while (s.len && ((unsigned char)s.p[s.len] & 0xC0) == 0x80)
            s.len--;
    }
    str_copy(to, s);
    in->fault_args[i] = (struct str){ to, s.len };
}

static void add_bytes_arg(struct input *in, const struct decoder *d)
{
    char text[32] = "";
    size_t len = 0;

    for (unsigned i = 0; i < d->n_bad; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s0x%02X",
                                i ? " " : "", d->bad[i]);
    add_arg(in, (struct str){ text, len });
}

static int limit_fault(struct input *in)
{
    char value[32];

    snprintf(value, sizeof(value), "%llu", (unsigned long long)in->max_bytes);
    fail(in, DIAG_LIMIT);
    add_arg(in, STR("the size of the file"));
    add_arg(in, str_of(value));
    add_arg(in, str_of(limit_table[LIMIT_INPUT].name));
    return -1;
}

/* What is the file, if not in in->cs? `raw` is where the bad byte stands. */
static void add_advice(struct input *in, struct str raw)
{
    const struct charset *guess;
    char text[120];

    if (in->cs->kind == CS_UTF8) {
        add_arg(in, STR("the rest is UTF-8: the file is damaged or mixed"));
        return;
    }
    if (in->cs->kind == CS_UTF16) {
        add_arg(in, STR("the file is not in it, or damaged"));
        return;
    }
    guess = charset_guess(raw, STR(""));
    if (!guess || guess == in->cs || guess->utf8_len[in->dec.bad[0]] == 0) {
        add_arg(in, STR("the file is damaged, or in another charset"));
        return;
    }
    snprintf(text, sizeof(text),
             "the file looks like %s: set charset %s in the map", guess->name,
             guess->name);
    add_arg(in, str_of(text));
}

static int charset_fault(struct input *in, enum charset_fault fault,
                         struct str raw)
{
    static const enum diag_id ids[] = {
        [CHARSET_INVALID] = DIAG_CHARSET_INVALID,
        [CHARSET_CUT] = DIAG_CHARSET_CUT,
        [CHARSET_NUL] = DIAG_CHARSET_NUL,
        [CHARSET_IS_UTF8] = DIAG_CHARSET_IS_UTF8,
        [CHARSET_IS_UTF16] = DIAG_CHARSET_IS_UTF16,
        [CHARSET_NOT_UTF8] = DIAG_CHARSET_NOT_UTF8,
    };
    const struct charset *guess;

    fail(in, ids[fault]);
    in->fault_line = (uint32_t)in->dec.line;
    in->fault_col = (uint32_t)in->dec.col;
    if (fault == CHARSET_INVALID || fault == CHARSET_NOT_UTF8)
        add_bytes_arg(in, &in->dec);
    if (fault == CHARSET_NOT_UTF8) {
        guess = charset_guess(raw, STR(""));
        add_arg(in, str_of(guess ? guess->name : "windows-1250"));
    } else if (fault != CHARSET_NUL) {
        add_arg(in, str_of(in->cs->name));
    }
    if (fault == CHARSET_INVALID)
        add_advice(in, raw);
    if (fault == CHARSET_NOT_UTF8 || fault == CHARSET_IS_UTF8 ||
        fault == CHARSET_IS_UTF16)
        add_arg(in, str_of(in->cs_from));
    return -1;
}

/* ---- bytes -------------------------------------------------------------- */

/* Fills in->raw up to `want` bytes or the end of the file. */
static int fill(struct input *in, size_t want)
{
    while (in->n_raw < want && !in->ended) {
        ptrdiff_t got =
            in->pull(in->ctx, in->raw + in->n_raw, INPUT_CHUNK - in->n_raw);

        if (got < 0) {
            const char *why = strerror(errno);

            fail(in, DIAG_FILE_READ);
            add_arg(in, str_of(why));
            return -1;
        }
        in->ended = got == 0;
        in->n_raw += (size_t)got;
        in->n_bytes += (uint64_t)got;
        if (in->n_bytes > in->max_bytes)
            return limit_fault(in);
    }
    return 0;
}

/* ---- the head of the file ----------------------------------------------- */

static struct str skip_blank(struct str s)
{
    while (s.len && strchr(" \t\r\n", s.p[0]) && s.p[0])
        s = str_from(s, 1);
    return s;
}

static bool skip_from_to(struct str *s, struct str from, struct str to)
{
    ptrdiff_t end;

    if (!str_starts(*s, from))
        return false;
    end = str_find(*s, to);
    *s = end < 0 ? STR("") : str_from(*s, (size_t)end + to.len);
    return true;
}

static bool starts_tag(struct str s, struct str tag)
{
    return s.len > tag.len && str_eq_nocase(str_first(s, tag.len), tag) &&
           strchr(" \t\r\n/>", s.p[tag.len]) && s.p[tag.len];
}

/* A whole page, a piece of one, or what PHP says when it fails: "<br />" and
 * "<b>Fatal error</b>". No XML file for accounting begins like these. */
static bool is_web_page(struct str s)
{
    static const char *const tags[] = {
        "<!doctype html", "<html",   "<head", "<body",
        "<meta",          "<script", "<br",   "<b",
        "<div",           "<p",      "<h1",   "<center",
    };

    do
        s = skip_blank(s);
    while (skip_from_to(&s, STR("<?xml"), STR("?>")) ||
           skip_from_to(&s, STR("<!--"), STR("-->")));
    for (size_t i = 0; i < COUNT(tags); i++)
        if (starts_tag(s, str_of(tags[i])))
            return true;
    return false;
}

/* The value of encoding="..." in an XML declaration; p == NULL: none. */
static struct str declared_charset(struct str head)
{
    struct str s = head;
    ptrdiff_t at;

    if (!starts_tag(s, STR("<?xml")))
        return (struct str){ NULL, 0 };
    at = str_find(s, STR("?>"));
    if (at < 0 && head.len < HEAD_SIZE)
        return (struct str){ NULL, 0 }; /* the file is cut in it */
    s = at < 0 ? s : str_first(s, (size_t)at);
    at = str_find(s, STR("encoding"));
    if (at < 0)
        return (struct str){ NULL, 0 };
    s = skip_blank(str_from(s, (size_t)at + strlen("encoding")));
    if (!str_starts(s, STR("=")))
        return (struct str){ NULL, 0 };
    s = skip_blank(str_from(s, 1));
    if (s.len == 0 || (s.p[0] != '"' && s.p[0] != '\''))
        return (struct str){ NULL, 0 };
    at = str_find_char(str_from(s, 1), s.p[0]);
    return at < 0 ? str_from(s, 1) : (struct str){ s.p + 1, (size_t)at };
}

static int unknown_charset(struct input *in, struct str name)
{
    struct buf known;

    buf_init(&known, sizeof(in->fault_text[0]));
    charset_names(&known);
    fail(in, DIAG_XML_ENCODING);
    in->fault_line = in->fault_col = 1;
    add_arg(in, name);
    add_arg(in, buf_str(&known));
    buf_release(&known);
    return -1;
}

/* UTF-16 without a BOM, as its first character shows when it is ASCII. */
static const struct charset *bare_utf16(struct str head)
{
    if (head.len < 2 || (head.p[0] == '\0') == (head.p[1] == '\0'))
        return NULL;
    return head.p[0] == '\0' ? &charset_utf16be : &charset_utf16;
}

/*
 * ASCII, which Python's libraries declare, is a part of UTF-8. A declaration
 * that can be read byte by byte is not UTF-16, whatever it says.
 */
static const struct charset *charset_declared(struct str name)
{
    const struct charset *cs = charset_find(name);

    if (str_eq_nocase(name, STR("US-ASCII")) ||
        str_eq_nocase(name, STR("ASCII")) || (cs && cs->kind == CS_UTF16))
        return &charset_utf8;
    return cs;
}

static int choose_charset(struct input *in, struct str head)
{
    bool is_xml = strcmp(in->format, "XML") == 0;
    struct str name;

    in->cs = &charset_utf8;
    in->cs_from = "its BOM says so";
    if (str_starts(head, charset_bom(&charset_utf8)))
        return 0;
    if (str_starts(head, charset_bom(&charset_utf16)) ||
        str_starts(head, charset_bom(&charset_utf16be))) {
        in->cs = &charset_utf16;
        return 0;
    }
    in->cs_from = "nothing says otherwise";
    if (!is_xml)
        return 0;
    if (bare_utf16(head)) {
        in->cs = bare_utf16(head);
        return 0;
    }
    name = declared_charset(head);
    if (!name.p)
        return 0;
    in->cs_from = "its XML declaration says so";
    in->cs = charset_declared(name);
    return in->cs ? 0 : unknown_charset(in, name);
}

/* What the map says counts; that the file says something else is told. */
static void compare_declared(struct input *in, struct str head)
{
    struct str name = declared_charset(head);
    const struct charset *declared = name.p ? charset_declared(name) : NULL;

    if (strcmp(in->format, "XML") == 0 && declared != in->cs)
        in->declared = declared;
}

static int is_kind(struct input *in, const char *kind)
{
    fail(in, DIAG_FILE_KIND);
    add_arg(in, str_of(kind));
    add_arg(in, str_of(in->format));
    return -1;
}

static int refuse_kind(struct input *in, struct str head)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_starts(head, kinds[i].magic))
            return is_kind(in, kinds[i].name);
    return 0;
}

static bool starts_element(struct str s)
{
    return s.len > 1 && s.p[0] == '<' &&
           ((s.p[1] >= 'a' && s.p[1] <= 'z') ||
            (s.p[1] >= 'A' && s.p[1] <= 'Z') || s.p[1] == '!' ||
            starts_tag(s, STR("<?xml")));
}

/* Text of another format. No header of a CSV file begins like these. */
static int refuse_text(struct input *in, struct str head)
{
    head = skip_blank(head);
    if (strcmp(in->format, "XML") != 0 && starts_element(head))
        return is_kind(in, "an XML file");
    if (str_starts(head, STR("{\"")) || str_starts(head, STR("[{\"")))
        return is_kind(in, "a JSON file");
    return 0;
}

/* Nothing but a BOM, or white space to the end. */
static bool is_blank(const struct input *in, struct str head)
{
    return (in->ended && skip_blank(head).len == 0) ||
           str_eq(head, charset_bom(&charset_utf8)) ||
           str_eq(head, charset_bom(&charset_utf16)) ||
           str_eq(head, charset_bom(&charset_utf16be));
}

/* The ASCII of a head that is UTF-16; empty: it is not. */
static struct str narrow(struct str head, char to[256])
{
    size_t n = 0;

    if (!str_starts(head, charset_bom(&charset_utf16)) &&
        !str_starts(head, charset_bom(&charset_utf16be)))
        return STR("");
    for (size_t i = 2; i < head.len && n < 256; i++)
        if (head.p[i] > 0)
            to[n++] = head.p[i];
    return (struct str){ to, n };
}

static int start(struct input *in)
{
    struct str head, bom = charset_bom(&charset_utf8);
    char ascii[256];

    in->started = true;
    if (fill(in, HEAD_SIZE) != 0)
        return -1;
    head = (struct str){ in->raw, in->n_raw };
    if (is_blank(in, head))
        return fail(in, DIAG_FILE_EMPTY);
    if (refuse_kind(in, head) != 0)
        return -1;
    if (str_starts(head, bom))
        head = str_from(head, bom.len);
    if (is_web_page(head) || is_web_page(narrow(head, ascii))) {
        fail(in, DIAG_FILE_HTML);
        in->fault_line = in->fault_col = 1;
        add_arg(in, str_of(in->format));
        return -1;
    }
    if (refuse_text(in, head) != 0)
        return -1;
    head = (struct str){ in->raw, in->n_raw };
    if (in->cs)
        compare_declared(in, head);
    else if (choose_charset(in, head) != 0)
        return -1;
    decoder_init(&in->dec, in->cs);
    return 0;
}

int input_next(struct input *in, struct str *chunk)
{
    enum charset_fault fault;
    struct str raw;

    if (in->failed || (!in->started && start(in) != 0))
        return -1;
    buf_clear(&in->out);
    while (in->out.len == 0) {
        if (in->n_raw == 0 && in->ended)
            return 0;
        if (in->n_raw == 0 && fill(in, 1) != 0)
            return -1;
        raw = (struct str){ in->raw, in->n_raw };
        fault = decoder_feed(&in->dec, raw, in->ended, &in->out);
        in->n_raw = 0;
        if (fault != CHARSET_OK)
            return charset_fault(in, fault, raw);
    }
    *chunk = buf_str(&in->out);
    return 1;
}

#include "formats/xml_guard.h"

/* ---- what the parser waits for ------------------------------------------- */

static const struct kind {
    const char *begin;
    enum limit_id limit;
    const char *what;
} kinds[] = {
    { "<!--", LIMIT_XML_COMMENT, "an XML comment" },
    { "<!", LIMIT_XML_TAG, "a DOCTYPE" },
    { "<?", LIMIT_XML_PI, "an XML processing instruction" },
    { "<", LIMIT_XML_TAG, "an XML tag" },
    { "", LIMIT_XML_TEXT, "an XML text" },
};

static const struct kind *kind_of(struct str unread, bool in_cdata)
{
    const struct kind *k = kinds;

    if (in_cdata)
        return &kinds[COUNT(kinds) - 1];
    while (!str_starts(unread, str_of(k->begin)))
        k++;
    return k;
}

/* Waiting for the ';' of a reference is in vain as soon as something comes
 * that cannot stand in a name. */
static bool is_bare_ampersand(struct str unread, uint64_t max_name)
{
    size_t n = 1;

    if (!str_starts(unread, STR("&")))
        return false;
    while (n < unread.len && !strchr(" \t\r\n<>&\"'=,", unread.p[n]))
        n++;
    return n < unread.len || n > max_name;
}

/* libxml2 tells each -- of a comment, and copies all of the comment for that:
 * a long one with many takes ten seconds. */
static bool is_bad_comment(struct str unread)
{
    ptrdiff_t at;

    if (!str_starts(unread, STR("<!--")))
        return false;
    unread = str_from(unread, 4);
    at = str_find(unread, STR("--"));
    return at >= 0 && (size_t)at + 2 < unread.len && unread.p[at + 2] != '>';
}

const char *xml_guard_unread(const struct limits *limits, struct str unread,
                             bool in_cdata, enum limit_id *limit)
{
    const struct kind *k = kind_of(unread, in_cdata);

    if (!in_cdata && is_bare_ampersand(unread, limits->v[LIMIT_XML_NAME])) {
        *limit = N_LIMITS;
        return "'&' without ';'; in text it is written &amp;";
    }
    if (!in_cdata && is_bad_comment(unread)) {
        *limit = N_LIMITS;
        return "-- stands inside a comment";
    }
    *limit = k->limit;
    return unread.len > limits->v[k->limit] ? k->what : NULL;
}

/* ---- long CDATA sections ---------------------------------------------------
 */

enum { LONG_CDATA = 64 * 1024 };

enum xml_held xml_hold_cdata(struct xml_hold *h, struct str unread,
                             bool in_cdata, struct str *chunk)
{
    size_t from;

    if (h->text.len == 0) {
        if (!in_cdata || unread.len < LONG_CDATA)
            return XML_FEED;
        /* The end may have begun in what the parser has. */
        if (buf_add(&h->text, str_from(unread, unread.len - 2)) != 0)
            return XML_TOO_LONG;
        h->n_seam = h->text.len;
    }
    from = h->text.len - 2;
    if (buf_add(&h->text, *chunk) != 0)
        return XML_TOO_LONG;
    if (str_find(str_from(buf_str(&h->text), from), STR("]]>")) < 0)
        return XML_WAIT;
    *chunk = xml_hold_rest(h);
    return XML_FEED;
}

struct str xml_hold_rest(const struct xml_hold *h)
{
    return str_from(buf_str(&h->text), h->text.len ? h->n_seam : 0);
}

/* ---- the head of a file ----------------------------------------------------
 */

/* The head as ASCII, so that UTF-16 shows itself as well. */
static struct str squeeze(struct str head, char *to, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < head.len && n < size; i++)
        if (head.p[i] > 0)
            to[n++] = head.p[i];
    return str_trim((struct str){ to, n });
}

int xml_guard_sniff(struct str head)
{
    char text[256];
    struct str s = squeeze(head, text, sizeof(text));

    if (str_starts(s, STR("<?xml")))
        return 100;
    if (s.len < 2 || s.p[0] != '<' || strchr(" \t\r\n=", s.p[1]) ||
        str_eq_nocase(str_first(s, 5), STR("<html")) ||
        str_eq_nocase(str_first(s, 14), STR("<!doctype html")))
        return 0;
    return 60;
}

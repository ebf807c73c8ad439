#include "formats/xml_library.h"

#include <libxml/parser.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "converters/base/utf8.h"

/* libxml2 tells its callbacks more than they need. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* ---- plain words -------------------------------------------------------- */

/* Others are told as libxml2 does. */
static const struct plain_words {
    int code;
    const char *text;
} plain_words[] = {
    { XML_ERR_DOCUMENT_EMPTY, "it does not begin with '<'" },
    { XML_ERR_DOCUMENT_END,
      "something stands behind the end of the outermost element" },
    { XML_ERR_TAG_NAME_MISMATCH, "element %1 (line %3) is closed by </%2>" },
    { XML_ERR_LT_IN_ATTRIBUTE,
      "'<' inside an attribute; is a closing quote missing before it?" },
    { XML_ERR_NAME_REQUIRED,
      "'&' or '<' without a name behind it; in text they are written &amp; "
      "and &lt;" },
    { XML_ERR_ENTITYREF_SEMICOL_MISSING,
      "'&' without ';'; in text it is written &amp;" },
    { XML_ERR_ATTRIBUTE_REDEFINED, "attribute %1 stands twice in a tag" },
    { XML_ERR_ATTRIBUTE_WITHOUT_VALUE, "attribute %1 has no value" },
    { XML_ERR_ATTRIBUTE_NOT_STARTED,
      "the value of an attribute has no quotes" },
    { XML_ERR_SPACE_REQUIRED, "a blank is missing inside a tag" },
    { XML_ERR_GT_REQUIRED, "'>' is missing at the end of a tag" },
    { XML_ERR_RESERVED_XML_NAME,
      "the XML declaration is not the very first thing in the file" },
    { XML_ERR_MISPLACED_CDATA_END,
      "]]> stands in text; there it is written ]]&gt;" },
    { XML_ERR_INTERNAL_ERROR, "a declaration that cannot stand here" },
    { XML_ERR_PI_NOT_STARTED,
      "an instruction without a name; '<?' begins one" },
    { XML_ERR_COMMENT_NOT_FINISHED, "a comment is not closed by -->" },
    { XML_ERR_HYPHEN_IN_COMMENT, "-- stands inside a comment" },
    { XML_NS_ERR_UNDEFINED_NAMESPACE, "the prefix %1 is not declared" },
    { XML_NS_ERR_ATTRIBUTE_REDEFINED, "attribute %1 stands twice in a tag" },
};

const char *xml_plain_words(int code)
{
    for (size_t i = 0; i < sizeof(plain_words) / sizeof(*plain_words); i++)
        if (plain_words[i].code == code)
            return plain_words[i].text;
    return NULL;
}

struct str xml_clip(const void *text)
{
    struct str s = str_first(str_of(text), 200);

    return str_trim(str_first(s, utf8_valid_len(s)));
}

/* ---- silence ------------------------------------------------------------ */

static void quiet(void *ctx, xmlErrorPtr e)
{
}

static void quiet_text(void *ctx, const char *text, ...)
{
}

static xmlParserInputPtr load_nothing(const char *url, const char *id,
                                      xmlParserCtxtPtr ctxt)
{
    return NULL;
}

/* Out of memory is the end of the process (mem.h), not bad XML. */
static void *take(size_t size)
{
    return xrealloc(NULL, size ? size : 1);
}

static char *take_text(const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(take(n), text, n);
}

/* The line that Debian 12 has, and all tests ran with: 2.9. */
bool xml_library_is_known(void)
{
    return strncmp(xmlParserVersion, "209", 3) == 0;
}

void xml_library_init(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    (void)xmlMemSetup(free, take, xrealloc, take_text);
    xmlInitParser();
    xmlSetExternalEntityLoader(load_nothing);
    xmlSetStructuredErrorFunc(NULL, quiet);
    xmlSetGenericErrorFunc(NULL, quiet_text);
}

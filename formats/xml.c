/*
 * xml.c - the XML reader.
 *
 * How a byte travels:
 *
 *   input.c      decodes it: chunks of valid UTF-8
 *   feed()       hands a chunk to libxml2's SAX2 push parser, then
 *   xml_guard.c  measures what the parser holds back
 *   on_start(), on_end(), on_text()
 *                are told what the parser has read, and begin
 *   read_plain() that looks at what follows: elements like those before are
 *                read by xml_plain.c, three of four in most files, and the
 *                parser's cursor is put behind them
 *   start_element(), end_element(), take_text()
 *                get it from both, at the same places: limits, then
 *   xml_match.c  which keeps what the map wants, as items, until
 *   end_record() hands a record to the sink
 *
 * Places are counted by xml_at.c, from what the parser has in its buffer.
 *
 * libxml2 is given nothing that it could load, and none of its own ideas of
 * defaults: the handler is zeroed but for what stands below. Measured facts
 * that shaped this (libxml2 2.9.14):
 *
 *   - It expands entities even in a SAX parse, so the first declaration of
 *     one ends the file, and so does every reference but the five of XML
 *     (xml_refuse.c). A DOCTYPE without declarations is harmless: nothing is
 *     loaded.
 *   - It knows no limit of depth or attributes, and needs quadratic time for
 *     them. What spans chunks is measured by xml_guard.c before it is parsed,
 *     what fits into one (and so is harmless) by the callbacks.
 *   - Behind a start or end tag it keeps no pointer into its buffer: there,
 *     in the callback, its cursor may be moved. No contract says so: with any
 *     other version no tag is learnt, and libxml2 reads everything.
 *   - Without XML_PARSE_NOENT, an & in an attribute arrives as "&#38;".
 *   - Columns are sometimes bytes, sometimes characters: we count ourselves.
 *     Lines are exact.
 */
#include "formats/xml_reader.h"

#include <libxml/parser.h>

#include <stdlib.h>

#include "formats/input.h"
#include "formats/xml_library.h"

/* libxml2 tells its callbacks more than they need. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

extern const struct write_ops xml_write_ops;
extern const struct opt_spec xml_write_opts[];

/* ---- faults ------------------------------------------------------------- */

static void fail_limit(struct xml *x, enum limit_id id, const char *what)
{
    if (!x->rc)
        x->rc = reader_limit(x->r, id, what, x->at.line, x->at.col);
}

static void stop_limit(struct xml *x, enum limit_id id, const char *what)
{
    fail_limit(x, id, what);
    xmlStopParser(x->ctxt);
}

static struct str error_text(const struct xml *x, const xmlError *e)
{
    const char *plain = xml_plain_words(e->code);

    if (e->code == XML_ERR_INVALID_CHAR && e->int1)
        return arena_fmt(x->r->names, "character U+%04X cannot stand in XML",
                         (unsigned)e->int1);
    if (plain)
        return xml_fill_in(x->r->names, plain, e->str1, e->str2, e->int1);
    return arena_str(x->r->names,
                     xml_clip(e->message ? e->message : "not XML"));
}

/* The end came too early; says in what. */
static void fail_truncated(struct xml *x)
{
    if (x->depth && x->ctxt->name)
        XML_FAIL(x, FILE_TRUNCATED,
                 arena_fmt(x->r->names, "element %.*s is not closed",
                           STR_ARGS(xml_clip(x->ctxt->name))));
    else if (x->ctxt->instate == XML_PARSER_EPILOG)
        XML_FAIL(x, FILE_TRUNCATED,
                 STR("what stands behind the outermost element is cut"));
    else
        XML_FAIL(x, FILE_TRUNCATED, STR("the outermost element is missing"));
}

/* Warnings do not, nor some errors of namespaces. */
static bool matters(const struct xml *x, const xmlError *e)
{
    if (e->level == XML_ERR_FATAL)
        return true;
    if (e->level != XML_ERR_ERROR || e->domain != XML_FROM_NAMESPACE)
        return false;
    /* `namespaces ignore` is for files that misuse them. A URI that is none
     * does no harm. */
    return e->code != XML_WAR_NS_URI &&
           !(e->code == XML_NS_ERR_UNDEFINED_NAMESPACE &&
             x->match.ignores_uris);
}

/* Nothing stops the parser in here: it may hold pointers into its buffer. */
static void on_error(void *ctx, xmlErrorPtr e)
{
    struct xml *x = ctx;

    if (x->rc || !matters(x, e))
        return;
    xml_move_to(x, x->ctxt->input->cur);
    if (e->code == XML_ERR_INTERNAL_ERROR && strstr(e->message, "Huge input"))
        XML_FAIL(x, XML_SYNTAX,
                 STR("a CDATA section of more than 10,000,000 bytes"));
    else if (e->code == XML_ERR_NAME_TOO_LONG && x->ctxt->nameNr == 0 &&
             strstr(e->message, "Literal"))
        XML_FAIL(
            x, XML_SYNTAX,
            STR("an address of more than 50,000 characters in the DOCTYPE"));
    else if (e->code == XML_ERR_NAME_TOO_LONG)
        fail_limit(x, LIMIT_XML_NAME, "an XML name");
    else if (x->at_end && !x->junk && e->code != XML_ERR_LT_IN_ATTRIBUTE)
        fail_truncated(x);
    else
        XML_FAIL(x, XML_SYNTAX, error_text(x, e));
}

/* ---- tags --------------------------------------------------------------- */

/* The '<' of the start tag that the parser has just read: a tag's values hold
 * no other one. */
static const char *tag_begin(const struct xml *x)
{
    const char *base = (const char *)x->ctxt->input->base;
    const char *cur = (const char *)x->ctxt->input->cur;
    const char *p = memrchr(base, '<', (size_t)(cur - base));

    return p ? p : cur;
}

static const char *tag_end(const struct xml *x)
{
    const char *cur = (const char *)x->ctxt->input->cur;

    return cur + (*cur == '/' ? 2 : 1);
}

static bool name_too_long(const struct xml *x, const void *name)
{
    return name && strlen(name) > x->max[LIMIT_XML_NAME];
}

static bool tag_over(struct xml *x, enum limit_id id, const char *what)
{
    xml_move_to(x, tag_begin(x));
    stop_limit(x, id, what);
    return false;
}

/* Called only when the tag may be over a limit. */
static bool check_tag(struct xml *x, const char *name, int n_namespaces,
                      int n_attributes, const xmlChar **attributes)
{
    const xmlParserCtxt *ctxt = x->ctxt;
    size_t size = (size_t)(tag_end(x) - tag_begin(x));
    bool long_name = name_too_long(x, name);

    if (size > x->max[LIMIT_XML_TAG])
        return tag_over(x, LIMIT_XML_TAG, "an XML tag");
    for (int i = 0; i < n_attributes && !long_name; i++)
        long_name = name_too_long(x, attributes[(size_t)i * 5]);
    for (int i = 1; i <= n_namespaces && !long_name; i++)
        long_name = name_too_long(x, ctxt->nsTab[ctxt->nsNr - 2 * i]);
    return !long_name || tag_over(x, LIMIT_XML_NAME, "an XML name");
}

/*
 * Namespaces of open elements are searched one by one for each prefixed name,
 * so their sum has a limit too: a few elements around a record may declare
 * all that one may. nsNr counts prefix and URI.
 */
static bool namespaces_over(const struct xml *x, int n)
{
    uint64_t max = x->max[LIMIT_XML_NAMESPACES];

    return (uint32_t)n > max || (uint32_t)x->ctxt->nsNr / 16 > max;
}

static bool check_start(struct xml *x, const char *name, int n_namespaces,
                        int n_attributes, const xmlChar **attributes)
{
    const uint64_t *max = x->max;
    uint64_t offset = XML_OFFSET(x, x->ctxt->input->cur);

    if (offset - x->last_tag > x->small_tag &&
        !check_tag(x, name, n_namespaces, n_attributes, attributes))
        return false;
    x->last_tag = offset;
    x->text_run = 0;
    if (++x->depth > max[LIMIT_XML_DEPTH])
        return tag_over(x, LIMIT_XML_DEPTH, "the nesting of XML elements");
    if ((uint32_t)n_attributes > max[LIMIT_XML_ATTRIBUTES])
        return tag_over(x, LIMIT_XML_ATTRIBUTES,
                        "the number of attributes of an element");
    if (n_namespaces && namespaces_over(x, n_namespaces))
        return tag_over(x, LIMIT_XML_NAMESPACES,
                        "the number of namespaces of an element");
    return true;
}

/* ---- attributes --------------------------------------------------------- */

static struct xml_name name_of(const xmlChar *local, const xmlChar *prefix,
                               const xmlChar *uri)
{
    return (struct xml_name){ (const char *)local, (const char *)uri,
                              prefix && !uri };
}

static void on_attributes(struct xml *x, int n, const xmlChar **attributes)
{
    const char *p = tag_begin(x);
    const xmlChar **a = attributes;

    while (!xml_is_blank(*p))
        p++;
    for (int i = 0; i < n; i++, a += 5) {
        struct str v = { (const char *)a[3], (size_t)(a[4] - a[3]) };
        struct xml_name name;

        while (xml_next_value(&p))
            p = xml_value_end(p);
        xml_move_to(x, p);
        p = xml_value_end(p);
        name = name_of(a[0], a[1], a[2]);
        xml_match_attribute(&x->match, &name, xml_value_decode(&x->value, v),
                            x->at.line, x->at.col);
    }
}

/* ---- elements and text -------------------------------------------------- */

static void begin_record(struct xml *x)
{
    struct item *it = x->match.item;

    xml_move_to(x, tag_begin(x));
    it->line = x->at.line;
    it->col = x->at.col;
    it->raw_offset = xml_raw_offset(x, tag_begin(x));
    if (x->r->n_records >= x->max[LIMIT_RECORDS])
        stop_limit(x, LIMIT_RECORDS, "the number of records");
}

/* Many small items in one record, or a plan whose absolute paths fit half of
 * the file, must not eat all memory. */
static void check_memory(struct xml *x)
{
    uint64_t max = x->max[LIMIT_MEMORY];

    if (xml_match_bytes(&x->match) > max / 2)
        stop_limit(x, LIMIT_MEMORY, "twice what one record needs");
}

/* What stands outside the records matters when some of them are cut out. */
static void cut_open(struct xml *x)
{
    uint64_t from;

    if (!x->r->cut)
        return;
    from = xml_raw_offset(x, tag_begin(x));
    xml_cut_open(&x->cut, from, xml_raw_offset(x, tag_end(x)));
}

static void cut_pass(struct xml *x)
{
    if (x->r->cut && !x->match.item)
        xml_cut_pass(&x->cut, xml_raw_offset(x, x->ctxt->input->cur));
}

static void start_element(struct xml *x, const struct xml_name *name,
                          int n_namespaces, int n_attributes,
                          const xmlChar **attributes)
{
    enum xml_started started;

    if (!check_start(x, name->local, n_namespaces, n_attributes, attributes))
        return;
    if (xml_match_skips_start(&x->match))
        return;
    started = xml_match_start(&x->match, name);
    if (started == XML_SKIPPED)
        return;
    if (started == XML_RECORD)
        begin_record(x);
    if (x->rc)
        return;
    if (!x->match.item)
        cut_open(x);
    if (n_attributes && xml_match_wants_attributes(&x->match))
        on_attributes(x, n_attributes, attributes);
    if (x->match.n_pairs > x->match.frames[x->match.n_frames - 1].first_pair) {
        xml_move_behind_tag(x);
        xml_match_place(&x->match, x->at.line, x->at.col);
        check_memory(x);
    }
}

static void end_record(struct xml *x)
{
    struct item *it = x->match.item;

    it->raw_len = xml_raw_offset(x, x->ctxt->input->cur) - it->raw_offset;
    x->match.item = NULL;
    x->r->n_records++;
    if (x->r->cut)
        xml_cut_record(&x->cut, it->raw_offset, it->raw_len);
    x->rc = x->r->sink(x->r->ctx, it);
    if (x->rc)
        xmlStopParser(x->ctxt);
}

static void end_element(struct xml *x)
{
    const struct item *late;

    x->last_tag = XML_OFFSET(x, x->ctxt->input->cur);
    x->text_run = 0;
    x->depth--;
    if (xml_match_skips_end(&x->match))
        return;
    switch (xml_match_end(&x->match, &late)) {
    case XML_GOES_ON:
        if (x->r->cut && !x->match.item)
            xml_cut_close(&x->cut, xml_raw_offset(x, x->ctxt->input->cur));
        break;
    case XML_RECORD_ENDS:
        end_record(x);
        break;
    case XML_IS_LATE:
        x->at.line = late->line;
        x->at.col = late->col;
        XML_STOP(x, XML_LATE,
                 arena_fmt(x->r->names, "element %.*s", STR_ARGS(late->name)));
        break;
    }
}

static void take_text(struct xml *x, struct str piece)
{
    x->text_run += piece.len;
    if (x->text_run <= x->match.max_text &&
        (!x->match.keeps_text || xml_match_text(&x->match, piece)))
        return;
    xml_move_to(x, x->ctxt->input->cur);
    stop_limit(x, LIMIT_XML_TEXT, "an XML text");
}

static struct str unread(const struct xml *x)
{
    xmlParserInputPtr in = x->ctxt->input;

    return (struct str){ (const char *)in->cur, (size_t)(in->end - in->cur) };
}

/* ---- plain elements ------------------------------------------------------ */

/* Text in pieces, as libxml2 hands it over: CR goes, a reference is one. */
static void take_coded_text(struct xml *x, struct str s)
{
    while (s.len && !x->rc) {
        size_t n = 0;
        char c;

        while (n < s.len && s.p[n] != '&' && s.p[n] != '\r')
            n++;
        if (n)
            take_text(x, str_first(s, n));
        s = str_from(s, n);
        if (x->rc || !s.len)
            return;
        n = xml_plain_reference(s, &c);
        if (n)
            take_text(x, (struct str){ &c, 1 });
        s = str_from(s, n ? n : 1);
    }
}

/* Over a '>'. The column must never be too high: see xml_line_is_plain(). */
static void step(xmlParserInputPtr in, int n)
{
    in->cur += n;
    in->col += n;
}

/* What libxml2 would tell of the token that begins where it is, at the same
 * place. */
static void read_token(struct xml *x, const struct xml_token *t)
{
    xmlParserInputPtr in = x->ctxt->input;
    struct str text = str_between((const char *)in->cur, t->end);

    in->line += (int)t->lines;
    in->col = (t->lines ? 1 : in->col) + (int)t->last_line;
    in->cur = (const xmlChar *)t->end;
    switch (t->kind) {
    case XML_TEXT:
        take_text(x, text);
        return;
    case XML_TEXT_CODED:
        take_coded_text(x, text);
        return;
    case XML_OPENS: /* libxml2 tells of it while it stands at the '>' */
        step(in, -1);
        start_element(x, &t->opens->name, 0, 0, NULL);
        if (!x->rc) /* else the parser has stopped and dropped its text */
            step(in, 1);
        return;
    case XML_CLOSES:
        end_element(x);
        return;
    }
}

/*
 * libxml2 stands behind a tag: reads the plain elements that follow, and lets
 * it go on behind them. What may be over the limit of a text is left to it.
 */
static void read_plain(struct xml *x)
{
    xmlParserInputPtr in = x->ctxt->input;
    struct xml_plain *plain = &x->plain;

    while (!x->rc && x->depth && xml_plain_find(plain, unread(x)) &&
           (uint64_t)(plain->tokens[plain->n_tokens - 1].end -
                      (const char *)in->cur) <= x->match.max_text)
        for (size_t i = 0; i < plain->n_tokens && !x->rc; i++)
            read_token(x, &plain->tokens[i]);
}

/* ---- what the parser tells ----------------------------------------------- */

static void on_start(void *ctx, const xmlChar *local, const xmlChar *prefix,
                     const xmlChar *uri, int n_namespaces,
                     const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
    struct xml *x = ctx;
    xmlParserInputPtr in = x->ctxt->input;
    struct xml_name name = name_of(local, prefix, uri);

    if (x->rc) {
        xmlStopParser(x->ctxt);
        return;
    }
    if (n_namespaces)
        xml_plain_declare(&x->plain, x->depth + 1);
    else if (!n_attributes && x->learns)
        xml_plain_learn(&x->plain, (const char *)in->base,
                        (const char *)in->cur, &name, (const char *)prefix);
    start_element(x, &name, n_namespaces, n_attributes, attributes);
    if (x->rc || *in->cur != '>')
        return;
    /* libxml2 goes on at this tag's '>': that of the last tag will do. */
    step(in, 1);
    read_plain(x);
    if (!x->rc)
        step(in, -1);
}

static void on_end(void *ctx, const xmlChar *local, const xmlChar *prefix,
                   const xmlChar *uri)
{
    struct xml *x = ctx;

    if (x->rc)
        return;
    xml_plain_close(&x->plain, x->depth);
    end_element(x);
    read_plain(x);
}

static void on_text(void *ctx, const xmlChar *text, int len)
{
    struct xml *x = ctx;

    if (!x->rc)
        take_text(x, (struct str){ (const char *)text, (size_t)len });
}

/* The size of a comment or an instruction. */
static void check_size(struct xml *x, const char *open, enum limit_id id,
                       const char *what)
{
    const char *p = xml_begin_of(x, open);

    if ((uint64_t)((const char *)x->ctxt->input->cur - p) <= x->max[id])
        return;
    xml_move_to(x, p);
    stop_limit(x, id, what);
}

static void on_comment(void *ctx, const xmlChar *text)
{
    struct xml *x = ctx;

    if (!x->rc)
        check_size(x, "<!--", LIMIT_XML_COMMENT, "an XML comment");
    cut_pass(x);
}

static void on_instruction(void *ctx, const xmlChar *target,
                           const xmlChar *data)
{
    struct xml *x = ctx;

    if (!x->rc)
        check_size(x, "<?", LIMIT_XML_PI, "an XML processing instruction");
    cut_pass(x);
}

/* ---- the parser --------------------------------------------------------- */

static const char *intern(void *ctx, struct str name)
{
    struct xml *x = ctx;

    return (const char *)xmlDictLookup(x->ctxt->dict, (const xmlChar *)name.p,
                                       (int)name.len);
}

static void parser_open(struct xml *x)
{
    xmlSAXHandler sax = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .comment = on_comment,
        .processingInstruction = on_instruction,
        .serror = on_error,
    };

    xml_refuse(&sax);
    xml_library_init();
    x->ctxt = xmlCreatePushParserCtxt(&sax, x, NULL, 0, NULL);
    xmlCtxtUseOptions(x->ctxt, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
}

static void parser_close(struct xml *x)
{
    /* A DOCTYPE with declarations leaves a document behind. */
    if (x->ctxt->myDoc)
        xmlFreeDoc(x->ctxt->myDoc);
    xmlFreeParserCtxt(x->ctxt);
}

static bool in_cdata(const struct xml *x)
{
    return x->ctxt->instate == XML_PARSER_CDATA_SECTION;
}

static void guard(struct xml *x)
{
    enum limit_id limit;
    const char *what =
        xml_guard_unread(x->r->limits, unread(x), in_cdata(x), &limit);

    /* It waits for the end of an internal subset. */
    if (x->ctxt->instate == XML_PARSER_DTD &&
        unread(x).len > x->max[LIMIT_XML_TAG])
        fail_limit(x, LIMIT_XML_TAG, "a DOCTYPE");
    else if (what && limit == N_LIMITS)
        XML_FAIL(x, XML_SYNTAX, str_of(what));
    else if (what)
        fail_limit(x, limit, what);
}

static int feed(struct xml *x, struct str chunk)
{
    xmlParseChunk(x->ctxt, chunk.p, (int)chunk.len, 0);
    if (x->rc)
        return x->rc;
    xml_move_to(x, x->ctxt->input->cur);
    xml_raw_offset(x, x->ctxt->input->cur);
    guard(x);
    if ((uint64_t)xmlDictSize(x->ctxt->dict) > x->max[LIMIT_XML_NAMES])
        fail_limit(x, LIMIT_XML_NAMES, "the number of different XML names");
    if (!x->rc && !x->ctxt->wellFormed)
        XML_FAIL(x, XML_SYNTAX, STR("it cannot be parsed"));
    return x->rc;
}

static int feed_or_hold(struct xml *x, struct str chunk)
{
    switch (xml_hold_cdata(&x->held, unread(x), in_cdata(x), &chunk)) {
    case XML_FEED:
        feed(x, chunk);
        buf_clear(&x->held.text);
        break;
    case XML_WAIT:
        break;
    case XML_TOO_LONG:
        fail_limit(x, LIMIT_XML_TEXT, "an XML text");
        break;
    }
    return x->rc;
}

/* The text has ended: was that the end of the document? */
static int finish(struct xml *x)
{
    struct str rest = unread(x);

    if (rest.len && x->at.offset == 0 && rest.p[0] != '<')
        return XML_FAIL(x, XML_SYNTAX, STR("it does not begin with '<'"));
    /* Behind the outermost element only what begins with '<' can be cut. */
    x->junk =
        x->ctxt->instate == XML_PARSER_EPILOG && rest.len && rest.p[0] != '<';
    x->at_end = true;
    xmlParseChunk(x->ctxt, NULL, 0, 1);
    if (!x->rc && !x->ctxt->wellFormed)
        fail_truncated(x);
    return x->rc;
}

static int pull_chunks(struct xml *x)
{
    struct input *in = x->r->in;
    struct str chunk;
    int more;

    while ((more = input_next(in, &chunk)) > 0) {
        if (!x->cs) {
            /* What the first chunk does not explain is the BOM. */
            x->cs = in->dec.cs;
            x->raw = in->dec.raw_done - charset_raw_size(x->cs, chunk);
            reader_compare_charset(x->r);
        }
        if (feed_or_hold(x, chunk))
            return x->rc;
    }
    if (more < 0)
        return x->rc =
                   reader_fail(x->r, in->fault, in->fault_line, in->fault_col,
                               in->fault_args, in->n_fault_args);
    if (x->held.text.len)
        feed(x, xml_hold_rest(&x->held));
    return x->rc ? x->rc : finish(x);
}

static int xml_read(struct reader *r)
{
    const uint64_t *max = r->limits->v;
    struct xml x = { .r = r, .max = max, .at = { .line = 1, .col = 1 } };

    x.small_tag = max[LIMIT_XML_NAME] < max[LIMIT_XML_TAG] ? max[LIMIT_XML_NAME]
                                                           : max[LIMIT_XML_TAG];
    buf_init(&x.value, SIZE_MAX / 4);
    buf_init(&x.held.text,
             max[LIMIT_XML_TEXT] < MB(512) ? max[LIMIT_XML_TEXT] : MB(512));
    parser_open(&x);
    xml_match_init(&x.match, r, intern, &x);
    xml_plain_init(&x.plain);
    x.learns = xml_library_is_known();
    xml_cut_begin(&x.cut, r->cut);
    if (pull_chunks(&x) == 0 && r->cut)
        xml_cut_end(&x.cut);
    xml_cut_release(&x.cut);
    xml_match_release(&x.match);
    parser_close(&x);
    buf_release(&x.value);
    buf_release(&x.held.text);
    return x.rc;
}

/* ---- the format --------------------------------------------------------- */

static const char *const suffixes[] = { "xml", NULL };

static const struct opt_spec read_opts[] = {
    { "record", OPT_PATH, NULL, NULL,
      "which elements are the records: /a/b from the outermost element, //b "
      "anywhere" },
    { "namespace", OPT_NAMESPACE, NULL, NULL,
      "prefix = URI, for the names in this map; without prefix: for names "
      "without one" },
    { "namespaces", OPT_CHOICE, "declared", "declared|ignore",
      "ignore: names fit whatever their namespace" },
    { 0 },
};

const struct format format_xml = {
    .name = "xml",
    .title = "XML",
    .help = "XML, read by elements that repeat; DTDs and entities are refused",
    .suffixes = suffixes,
    .read_opts = read_opts,
    .write_opts = xml_write_opts,
    .sniff = xml_guard_sniff,
    .read = xml_read,
    .write = &xml_write_ops,
};

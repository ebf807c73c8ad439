/* xml_at.c - where the parser is: lines, characters, offsets in the file. */
#include "formats/xml_reader.h"

#include <libxml/parser.h>

#include "formats/input.h"

/* The text between `offset` and p, a place in the parser's buffer. Empty if
 * there is none, or if the parser was stopped and has dropped it. */
static struct str text_since(const struct xml *x, uint64_t offset,
                             const void *p)
{
    xmlParserInputPtr in = x->ctxt->input;
    const char *from = (const char *)in->base, *to = p;

    if (!x->cs || offset < in->consumed ||
        offset - in->consumed > (uint64_t)(in->end - in->base))
        return STR("");
    from += offset - in->consumed;
    return to <= from ? STR("") : (struct str){ from, (size_t)(to - from) };
}

/* libxml2 may drop what it has parsed within a chunk, too: behind a long
 * comment, for one. Then the text since a place is not there any more. */
static bool is_dropped(const struct xml *x, uint64_t offset)
{
    return x->cs && !x->rc && offset < x->ctxt->input->consumed;
}

/* Begins anew at the start of p's line, or at what libxml2 says of p. */
static void place_anew(struct xml *x, const char *p, uint32_t line)
{
    const char *base = (const char *)x->ctxt->input->base;
    const char *lf = p > base ? memrchr(base, '\n', (size_t)(p - base)) : NULL;

    x->at.line = line;
    x->at.col = lf ? 1 : (uint32_t)x->ctxt->input->col;
    x->at.offset = XML_OFFSET(x, lf ? lf + 1 : p);
}

void xml_move_to(struct xml *x, const void *p)
{
    xmlParserInputPtr in = x->ctxt->input;
    const char *to = p, *cur = (const char *)in->cur;
    bool dropped = is_dropped(x, x->at.offset);
    struct str text = text_since(x, x->at.offset, p);
    uint32_t line = (uint32_t)in->line;

    if (text.len == 0 && !dropped)
        return;
    if (to < cur)
        line -= xml_count_lines((struct str){ to, (size_t)(cur - to) });
    if (dropped) {
        place_anew(x, p, line);
        text = text_since(x, x->at.offset, p);
    }
    xml_place_move(&x->at, text, line);
}

void xml_move_behind_tag(struct xml *x)
{
    xmlParserInputPtr in = x->ctxt->input;
    const char *end = (const char *)in->cur + (*in->cur == '/' ? 2 : 1);
    size_t n = (size_t)in->col - 1 + (size_t)(end - (const char *)in->cur);

    if (n >= XML_LOOK_BACK || end - (const char *)in->base < XML_LOOK_BACK ||
        !xml_line_is_plain(end, n)) {
        xml_move_to(x, end);
        return;
    }
    x->at.offset = in->consumed + (uint64_t)(end - (const char *)in->base);
    x->at.line = (uint32_t)in->line;
    x->at.col = (uint32_t)n + 1;
}

uint64_t xml_raw_offset(struct xml *x, const void *p)
{
    struct str text = text_since(x, x->raw_text, p);

    if (is_dropped(x, x->raw_text)) { /* from the end of what it was given */
        x->raw_text = XML_OFFSET(x, p);
        text.p = p;
        text.len = (size_t)((const char *)x->ctxt->input->end - text.p);
        x->raw = x->r->in->dec.raw_done - xml_raw_size(x->cs, text);
        return x->raw;
    }
    x->raw_text += text.len;
    x->raw += xml_raw_size(x->cs, text);
    return x->raw;
}

const char *xml_begin_of(const struct xml *x, const char *open)
{
    const char *base = (const char *)x->ctxt->input->base;
    const char *p = (const char *)x->ctxt->input->cur;

    while (p > base && strncmp(p, open, strlen(open)) != 0)
        p--;
    return p;
}

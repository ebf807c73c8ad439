/*
 * f_xml.c - the XML reader and its guard: whatever the pieces in which a file
 * comes, the same items and places must come out, or all are refused.
 *
 * Input: a byte that picks a plan, one for the pieces, the file.
 */
#include "converters/base/utf8.h"
#include "formats/format.h"
#include "formats/input.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/xml_want.h"

extern const struct format format_xml;

struct reading {
    struct reader r;
    struct input in;
    struct fuzz_pull from;
    struct arena names;
    struct buf out;
    bool faulted, over_limit;
};

static const struct setup {
    const char *record, *wants, *root;
} setups[] = {
    { "/a/b", "x y/z @id y/@k . I* p:q flag?", NULL },
    { "//b", "x @id b/x ./ I*/y", NULL },
    { "/a/b", ".", "a/@v a/h/x" },
    { "//p:b", "!x y/z @id", "a/@v p:a/x" },
    { "//*", "x @*", "a/x" },
    { "/a", "b/x b/@id b/b/x *", NULL },
};

static int sink(void *ctx, struct item *record)
{
    struct reading *rd = ctx;

    if (rd->r.root)
        for (const struct item *c = rd->r.root->child; c; c = c->next)
            show_item(&rd->out, c, true, 0);
    buf_addf(&rd->out, "|%llu %llu:", (unsigned long long)record->raw_offset,
             (unsigned long long)record->raw_len);
    show_item(&rd->out, record, true, 0);
    arena_reset(&rd->r.arena);
    return 0;
}

static void fault(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                  uint32_t col, const struct str *args, size_t n)
{
    struct reading *rd = ctx;

    FUZZ_CHECK(fatal);
    FUZZ_CHECK(id < N_DIAGS && n <= DIAG_ARGS);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(utf8_valid_len(args[i]) == args[i].len);
    (void)line;
    (void)col;
    rd->faulted = true;
    rd->over_limit = id == DIAG_LIMIT;
}

static void make_plan(struct arena *a, struct plan *plan, const struct setup *s)
{
    struct want *top = arena_alloc(a, sizeof(*top));

    plan->anywhere = s->record[1] == '/';
    want_parse(a, top, s->record + (plan->anywhere ? 2 : 1));
    plan->path = top->child;
    plan->record = arena_alloc(a, sizeof(*plan->record));
    if (str_is(str_of(s->wants), "."))
        plan->record->needs_text = true;
    else
        want_parse(a, plan->record, s->wants);
    if (!s->root)
        return;
    plan->root = arena_alloc(a, sizeof(*plan->root));
    want_parse(a, plan->root, s->root);
}

static void read_xml(struct reading *rd, uint8_t how, uint32_t seed,
                     struct str text)
{
    struct plan plan = { 0 };
    int rc;

    make_plan(&rd->names, &plan, &setups[(how & 15) % COUNT(setups)]);
    rd->from = (struct fuzz_pull){ text, seed };
    buf_init(&rd->out, MB(256));
    input_init(&rd->in, fuzz_pull, &rd->from, &charset_utf8, MB(512), "XML");
    rd->in.started = true; /* see f_csv.c */
    decoder_init(&rd->in.dec, &charset_utf8);
    rd->r = (struct reader){ .format = &format_xml,
                             .plan = &plan,
                             .in = &rd->in,
                             .limits = &fuzz_limits,
                             .names = &rd->names,
                             .trim = (how & 16) != 0,
                             .sink = sink,
                             .fault = fault,
                             .ctx = rd };
    rc = format_xml.read(&rd->r);
    if (rc == -1 && !rd->faulted)
        fault(rd, rd->in.fault, true, rd->in.fault_line, rd->in.fault_col,
              rd->in.fault_args, rd->in.n_fault_args);
    FUZZ_CHECK(rc == (rd->faulted ? -1 : 0));
}

static void release(struct reading *rd)
{
    arena_release(&rd->r.arena);
    arena_release(&rd->names);
    input_release(&rd->in);
    buf_release(&rd->out);
}

/*
 * What libxml2 finds wrong first, and where, may differ; and a limit is only
 * sure to be seen where markup lies in two pieces. Then as many records came
 * out of one as of the other, or fewer.
 */
static void compare(const struct reading *whole, const struct reading *pieces)
{
    size_t n = SIZE_MAX;

    if (!whole->over_limit && !pieces->over_limit)
        FUZZ_CHECK(whole->faulted == pieces->faulted);
    if (whole->faulted && whole->out.len < n)
        n = whole->out.len;
    if (pieces->faulted && pieces->out.len < n)
        n = pieces->out.len;
    fuzz_same(str_first(buf_str(&whole->out), n),
              str_first(buf_str(&pieces->out), n));
}

/* libxml2 2.9 looks for the end of a DOCTYPE in its literals, too, if it comes
 * in pieces; then it refuses the file. */
static bool ends_in_a_literal(struct str s)
{
    ptrdiff_t at = str_find(s, STR("<!DOCTYPE")), end;
    size_t quotes = 0;

    if (at < 0)
        return false;
    s = str_from(s, (size_t)at);
    end = str_find_char(s, '>');
    for (ptrdiff_t i = 0; i < end; i++)
        quotes += s.p[i] == '"' || s.p[i] == '\'';
    return quotes % 2;
}

void fuzz_one(struct str data)
{
    static struct reading whole, pieces;
    uint8_t how = fuzz_byte(&data);
    uint32_t seed = fuzz_byte(&data);

    /* What cannot be decoded is f_decode.c's: such a fault hides those of its
     * whole chunk. */
    data = str_first(data, utf8_valid_len(data));
    data = str_first(data, strnlen(data.p, data.len));
    whole = pieces = (struct reading){ 0 };
    read_xml(&whole, how, 0, data);
    /* libxml2 2.9 takes <!--> and <!---> for whole comments if a piece ends
     * behind it; then it refuses the file. */
    if (data.len <= INPUT_CHUNK && str_find(data, STR("<!-->")) < 0 &&
        str_find(data, STR("<!--->")) < 0 && !ends_in_a_literal(data)) {
        read_xml(&pieces, how, (seed + 1) << 16, data);
        compare(&whole, &pieces);
    }
    release(&whole);
    release(&pieces);
}

/*
 * csv_rows.c - what becomes of a row: the header, a record, a fault.
 */
#include <stdio.h>

#include "converters/base/text.h"
#include "formats/csv.h"

static int field_too_long(struct csv *c)
{
    struct str text = csv_row_text(c);
    uint32_t line, col;

    csv_place_of(c, text,
                 csv_field_start(c->cols->dialect, text, c->long_field), &line,
                 &col);
    return reader_limit(c->r, LIMIT_CSV_FIELD, "the field", line, col);
}

struct str csv_without_break(struct str s)
{
    if (s.len && s.p[s.len - 1] == '\n')
        s.len--;
    if (s.len && s.p[s.len - 1] == '\r')
        s.len--;
    return s;
}

static int header_row(struct csv *c, struct str text)
{
    struct arena *a = c->r->names;
    uint32_t n = (uint32_t)c->n_fields;
    struct str *titles = arena_alloc(a, n * sizeof(*titles));
    struct str raw = arena_str(a, text);
    struct str unescaped = arena_str(a, buf_str(&c->unescaped));

    for (uint32_t i = 0; i < n; i++) {
        const struct span *s = &c->spans[i];

        titles[i].p = (s->unescaped ? unescaped.p : raw.p) + s->at;
        titles[i].len = s->len;
    }
    c->cols->open_end = n > 1 && text_trim(titles[n - 1]).len == 0;
    c->has_columns = c->has_first = true;
    return csv_resolve(c->r, c->cols, titles, n, c->row_line);
}

/* Without header the first row says how many columns there are. */
static int first_row(struct csv *c)
{
    c->has_first = true;
    c->cols->n = (uint32_t)c->n_fields;
    return csv_check_places(c->r, c->cols->n, c->row_line);
}

/* As many fields as the header. Some programs end each row with a delimiter,
 * or each but the header: an empty field at the end may be there or not. */
static bool count_fits(struct csv *c)
{
    struct csv_columns *k = c->cols;

    if (c->n_fields == k->n)
        return true;
    if (c->n_fields == k->n + 1)
        return !k->open_end && c->last_empty;
    if (c->n_fields + 1 != k->n || !k->open_end)
        return false;
    if (k->slot_of[k->n - 1] != CSV_UNWANTED)
        c->spans[k->slot_of[k->n - 1]] = (struct span){ 0 };
    return true;
}

static int push(struct csv *c, struct str text, uint64_t raw_len,
                bool is_ragged)
{
    struct reader *r = c->r;
    struct arena_mark mark = arena_mark(&r->arena);
    size_t n = c->cols->n_slots;
    struct item *item =
        arena_alloc(&r->arena, sizeof(*item) + n * sizeof(struct str));
    struct str raw = arena_str(&r->arena, text), unescaped = { 0 };
    struct str *cells = (struct str *)(item + 1);

    if (c->unescaped.len)
        unescaped = arena_str(&r->arena, buf_str(&c->unescaped));
    for (size_t i = 0; i < n; i++) {
        const struct span *s = &c->spans[i];

        cells[i].p = (s->unescaped ? unescaped.p : raw.p) + s->at;
        cells[i].len = s->len;
        if (r->trim)
            cells[i] = text_trim(cells[i]);
    }
    item->want = r->plan->record;
    item->line = c->row_line;
    item->col = 1;
    item->n_fields = is_ragged ? (uint32_t)c->n_fields : 0;
    item->mark = mark;
    item->cells = cells;
    item->raw = raw;
    item->raw_offset = c->offset;
    item->raw_len = raw_len;
    return r->sink(r->ctx, item);
}

static int ragged(struct csv *c, struct str text, uint64_t raw_len)
{
    struct reader *r = c->r;
    char is[24], should[24];
    struct str args[2] = { { is, 0 }, { should, 0 } };

    r->n_fields = c->cols->n - c->cols->open_end;
    r->ragged = c->cols->header ? DIAG_CSV_RAGGED : DIAG_CSV_RAGGED_FIRST;
    if (r->keeps_ragged) {
        for (size_t i = c->n_fields; i < c->cols->n_slot_of; i++)
            if (c->cols->slot_of[i] != CSV_UNWANTED)
                c->spans[c->cols->slot_of[i]] = (struct span){ 0 };
        return push(c, text, raw_len, true);
    }
    args[0].len = (size_t)snprintf(is, sizeof(is), "%zu", c->n_fields);
    args[1].len = (size_t)snprintf(should, sizeof(should), "%u", r->n_fields);
    r->fault(r->ctx, r->ragged, false, c->row_line, 1, args, COUNT(args));
    return 0;
}

/* Its sender is still writing, or stopped in the middle of a row. */
static int cut_short(struct csv *c)
{
    return READER_FAIL(
        c->r, FILE_TRUNCATED, c->row_line, 1,
        arena_fmt(c->r->names,
                  "the last row has %zu of %u fields and no line end",
                  c->n_fields, c->cols->n - c->cols->open_end));
}

static int data_row(struct csv *c, struct str text, uint64_t raw_len)
{
    struct reader *r = c->r;

    if (!c->has_first && first_row(c) != 0)
        return -1;
    if (r->n_records >= r->limits->v[LIMIT_RECORDS])
        return reader_limit(r, LIMIT_RECORDS, "the number of rows", c->row_line,
                            1);
    r->n_records++;
    if (c->at_end && c->n_fields < c->cols->n && !count_fits(c))
        return cut_short(c);
    return count_fits(c) ? push(c, text, raw_len, false)
                         : ragged(c, text, raw_len);
}

void csv_next_row(struct csv *c)
{
    c->row = NULL;
    c->row_len = c->next = c->n_fields = 0;
    c->breaks = 0;
    c->row_done = false;
    buf_clear(&c->unescaped);
    c->row_line = c->line;
}

/* A row that ends before `end`, in a reading that copies rows. Whatever stands
 * before the first one, BOM and header, is theirs. */
static void cut_row(struct csv *c, uint64_t end)
{
    const struct cut *cut = c->r->cut;

    if (c->r->n_records == 1)
        cut->add(cut->ctx, 0, c->offset);
    if (cut->wants(cut->ctx, c->offset))
        cut->add(cut->ctx, c->offset, end);
}

int csv_end_row(struct csv *c)
{
    const struct charset *cs = c->r->in->dec.cs;
    struct str whole = csv_row_text(c), text = csv_without_break(whole);
    uint64_t size = charset_raw_size(cs, text), end;
    bool is_header = !c->has_columns;
    int rc;

    if (c->n_fields > c->max_columns)
        return reader_limit(c->r, LIMIT_CSV_COLUMNS, "the number of columns",
                            c->row_line, 1);
    if (c->long_field != SIZE_MAX)
        return field_too_long(c);
    rc = is_header ? header_row(c, text) : data_row(c, text, size);
    end = c->offset + size + charset_raw_size(cs, str_from(whole, text.len));
    if (c->r->cut && !is_header)
        cut_row(c, end);
    c->offset = end;
    csv_next_row(c);
    return rc;
}

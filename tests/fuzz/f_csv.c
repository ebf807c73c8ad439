/*
 * f_csv.c - the CSV reader: whatever the pieces in which a file comes, the
 * same cells, places and faults must come out.
 *
 * Input: a byte that picks the dialect, one for the pieces, the file.
 */
#include "converters/base/utf8.h"
#include "formats/format.h"
#include "formats/input.h"
#include "tests/fuzz/fuzz.h"

extern const struct format format_csv;

struct reading {
    struct reader r;
    struct input in;
    struct fuzz_pull from;
    struct arena names;
    struct plan plan;
    struct want record, wants[6];
    struct buf out;
    size_t size; /* of the file */
    bool faulted;
};

static const struct opt_value dialects[][3] = {
    { { .text = { ";", 1 } }, { .text = { "\"", 1 } }, { .yes = true } },
    { { .text = { ",", 1 } }, { .text = { "\"", 1 } }, { .yes = true } },
    { { .text = { "tab", 3 } }, { .text = { "none", 4 } }, { .yes = true } },
    { { .text = { ";", 1 } }, { .text = { "'", 1 } }, { .yes = false } },
    { { .text = { "space", 5 } }, { .text = { "\"", 1 } }, { .yes = true } },
    { { .text = { "|", 1 } }, { .text = { "none", 4 } }, { .yes = false } },
};

static int sink(void *ctx, struct item *item)
{
    struct reading *rd = ctx;

    buf_addf(&rd->out, "\n%u %llu %llu:", item->line,
             (unsigned long long)item->raw_offset,
             (unsigned long long)item->raw_len);
    for (const struct want *w = rd->record.child; w; w = w->next)
        for (uint32_t i = 0; i < w->n_cells; i++) {
            uint32_t line, col;

            FUZZ_CHECK(w->cells[i] < rd->r.n_cells);
            format_csv.locate(&rd->r, item, w->cells[i], &line, &col);
            FUZZ_CHECK(line >= item->line && col >= 1);
            buf_addf(&rd->out, " %u:%u=", line, col);
            buf_add(&rd->out, item->cells[w->cells[i]]);
        }
    arena_drop_before(&rd->r.arena, item->mark);
    return 0;
}

static void fault(void *ctx, enum diag_id id, bool fatal, uint32_t line,
                  uint32_t col, const struct str *args, size_t n)
{
    struct reading *rd = ctx;

    rd->faulted = rd->faulted || fatal;
    /* A row over the limit may have another fault as well: one is seen first.
     */
    if (fatal && rd->size > fuzz_limits.v[LIMIT_CSV_RECORD]) {
        buf_addc(&rd->out, '!');
        return;
    }
    buf_addf(&rd->out, "\n!%d %d %u:%u", id, fatal, line, col);
    for (size_t i = 0; i < n; i++)
        buf_add(&rd->out, args[i]);
}

static void set_wants(struct reading *rd, bool header)
{
    static const struct want names[] = {
        { .name = { "a", 1 } },
        { .name = { "b", 1 } },
        { .name = { "x*", 2 }, .is_glob = true },
        { .kind = WANT_NTH, .nth = 2 },
        { .kind = WANT_NTH, .nth = 5 },
    };
    size_t first = header ? 0 : 3, n = header ? 4 : 2;
    struct want **last = &rd->record.child;

    for (size_t i = 0; i < n; i++) {
        rd->wants[i] = names[first + i];
        rd->wants[i].needs_text = true;
        *last = &rd->wants[i];
        last = &rd->wants[i].next;
    }
}

static void read_csv(struct reading *rd, uint8_t how, uint32_t seed,
                     struct str text)
{
    const struct opt_value *opts = dialects[(how & 15) % COUNT(dialects)];
    int rc;

    rd->from = (struct fuzz_pull){ text, seed };
    rd->size = text.len;
    buf_init(&rd->out, MB(256));
    rd->plan.record = &rd->record;
    set_wants(rd, opts[2].yes);
    input_init(&rd->in, fuzz_pull, &rd->from, &charset_utf8, MB(512), "CSV");
    /* As if its head had been gathered: pieces are chunks then. */
    rd->in.started = true;
    decoder_init(&rd->in.dec, &charset_utf8);
    rd->r = (struct reader){ .format = &format_csv,
                             .opts = opts,
                             .plan = &rd->plan,
                             .in = &rd->in,
                             .limits = &fuzz_limits,
                             .names = &rd->names,
                             .trim = (how & 16) != 0,
                             .sink = sink,
                             .fault = fault,
                             .ctx = rd };
    rc = format_csv.read(&rd->r);
    if (rc == -1 && !rd->faulted)
        fault(rd, rd->in.fault, true, rd->in.fault_line, rd->in.fault_col,
              rd->in.fault_args, rd->in.n_fault_args);
    FUZZ_CHECK(rc == (rd->faulted ? -1 : 0));
    buf_addf(&rd->out, "\n=%llu", (unsigned long long)rd->r.n_records);
}

static void release(struct reading *rd)
{
    arena_release(&rd->r.arena);
    arena_release(&rd->names);
    input_release(&rd->in);
    buf_release(&rd->out);
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
    read_csv(&whole, how, 0, data);
    if (data.len <= INPUT_CHUNK) {
        read_csv(&pieces, how, (seed + 1) << 16, data);
        fuzz_same(buf_str(&whole.out), buf_str(&pieces.out));
    }
    release(&whole);
    release(&pieces);
}

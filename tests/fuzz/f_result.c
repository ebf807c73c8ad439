/* f_result.c - the file by which a job tells the keeper how it went, and what
 * it has learnt. */
#include <fcntl.h>
#include <unistd.h>

#include "spool/facts_file.h"
#include "spool/files.h"
#include "spool/result.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_OUTPUTS = 20 };

static void check_value(struct str s)
{
    FUZZ_CHECK(str_find_char(s, '\n') < 0 && str_find_char(s, '\t') < 0);
}

/* What was read is written, and read again: it must be the same. */
static void write_again(int dir, const struct result *r)
{
    struct arena a = { 0 };
    struct result again;
    struct facts_map m;
    struct err e;

    FUZZ_CHECK(unlinkat(dir, "result", 0) == 0);
    FUZZ_CHECK(result_write(dir, r) == 0);
    FUZZ_CHECK(facts_map(dir, &m, &e) == 0);
    FUZZ_CHECK(result_read(m.text, MAX_OUTPUTS, &a, &again));
    FUZZ_CHECK(again.verdict == r->verdict && again.err.next == r->err.next &&
               again.n_outputs == r->n_outputs &&
               again.n_counters == r->n_counters &&
               again.n.n_read == r->n.n_read);
    facts_unmap(&m);
    arena_release(&a);
}

/* Rows that were read are written as the same bytes. */
static void check_facts(int dir)
{
    struct facts_map m;
    struct fact_row row;
    struct str rest;
    struct buf b;
    struct err e;

    if (facts_map(dir, &m, &e) == -1)
        return;
    buf_init(&b, m.whole.len + 1);
    rest = m.facts;
    while (fact_read(&rest, &row))
        FUZZ_CHECK(fact_write(&b, row.fact, row.seq, row.column) == 0);
    FUZZ_CHECK(!rest.len && str_eq(buf_str(&b), m.facts));
    buf_release(&b);
    facts_unmap(&m);
}

void fuzz_one(struct str data)
{
    static int dir = -1;
    struct arena a = { 0 };
    struct facts_map m;
    struct result r;
    struct err e;

    if (dir == -1)
        dir = open(fuzz_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)unlinkat(dir, "result", 0);
    FUZZ_CHECK(file_write(dir, "result", data, 0600) == 0);
    check_facts(dir);
    if (facts_map(dir, &m, &e) == 0 &&
        result_read(m.text, MAX_OUTPUTS, &a, &r)) {
        check_value(r.summary);
        check_value(r.first_error);
        for (size_t i = 0; i < r.n_outputs; i++) {
            check_value(r.outputs[i].path);
            check_value(r.outputs[i].name);
        }
        write_again(dir, &r);
    }
    facts_unmap(&m);
    arena_release(&a);
}

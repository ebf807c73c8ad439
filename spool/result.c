#include "spool/result.h"

#include <stdio.h>

#include "spool/facts_file.h"
#include "spool/files.h"

/* Names have their limit; this is for lines of any size that they allow. */
enum { OTHER_LINES = 10000, LINE_SIZE = 4096 };

static const char *const verdicts[] = { "done", "rejected", "failed" };

/* A value must not end its line or its column. */
static void add_value(struct buf *b, struct str s)
{
    buf_addc(b, '\t');
    for (size_t i = 0; i < s.len; i++)
        buf_addc(b, (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
}

static void add_number(struct buf *b, uint64_t n)
{
    char z[24];

    snprintf(z, sizeof(z), "\t%llu", (unsigned long long)n);
    buf_addz(b, z);
}

int result_write(int dir_fd, const struct result *r)
{
    const uint64_t n[] = { r->n.n_read,     r->n.n_written,  r->n.n_aside,
                           r->n.n_skipped,  r->n.n_filtered, r->n.n_warnings,
                           r->n.n_replaced, r->n_errors,     r->has_report,
                           r->truncated,    r->returns_file };
    struct buf b;
    int rc;

    buf_init(&b, (r->n_outputs + r->n_counters + OTHER_LINES) * LINE_SIZE);
    buf_addz(&b, "verdict");
    add_value(&b, str_of(verdicts[r->verdict]));
    buf_addz(&b, "\nerror");
    add_number(&b, r->err.next);
    add_value(&b, str_of(r->err.text));
    buf_addz(&b, "\ncounts");
    for (size_t i = 0; i < COUNT(n); i++)
        add_number(&b, n[i]);
    buf_addz(&b, "\nsummary");
    add_value(&b, r->summary);
    buf_addz(&b, "\nfirst");
    add_value(&b, r->first_error);
    for (size_t i = 0; i < r->n_outputs; i++) {
        const struct result_output *o = &r->outputs[i];

        buf_addz(&b, "\noutput");
        add_number(&b, o->read);
        add_number(&b, o->write);
        add_number(&b, o->bytes);
        add_number(&b, o->n_documents);
        add_value(&b, o->path);
        add_value(&b, o->name);
    }
    for (size_t i = 0; i < r->n_faulty; i++) {
        buf_addz(&b, "\nfaulty");
        add_number(&b, r->faulty[i].n_documents);
        add_value(&b, r->faulty[i].path);
    }
    for (size_t i = 0; i < r->n_counters; i++) {
        buf_addz(&b, "\ncounter");
        add_number(&b, (uint64_t)r->counters[i].value);
        add_value(&b, r->counters[i].name);
    }
    rc = buf_addz(&b, "\nend\n");
    if (rc == 0)
        rc = file_append(dir_fd, RESULT_FILE, buf_str(&b), 0600);
    buf_release(&b);
    return rc;
}

/* The next column of a line; false at its end. */
static bool column(struct str *line, struct str *out)
{
    ptrdiff_t tab;

    if (!line->p)
        return false;
    tab = str_find_char(*line, '\t');
    *out = str_first(*line, tab < 0 ? line->len : (size_t)tab);
    *line =
        tab < 0 ? (struct str){ NULL, 0 } : str_from(*line, (size_t)tab + 1);
    return true;
}

static bool number(struct str *line, uint64_t *out)
{
    struct str s;

    return column(line, &s) && str_to_uint(s, INT64_MAX, out);
}

static bool r_verdict(struct str line, struct result *r)
{
    struct str s;

    if (!column(&line, &s))
        return false;
    for (size_t i = 0; i < COUNT(verdicts); i++)
        if (str_is(s, verdicts[i])) {
            r->verdict = (enum job_verdict)i;
            return true;
        }
    return false;
}

static bool r_error(struct str line, struct result *r)
{
    struct str text;
    uint64_t next;

    if (!number(&line, &next) || next > ERR_STOP || !column(&line, &text))
        return false;
    err_set(&r->err, (enum err_next)next, "%.*s", STR_ARGS(text));
    return true;
}

static bool r_counts(struct str line, struct result *r)
{
    uint64_t report = 0, truncated = 0, returns_file = 0;
    uint64_t *const n[] = {
        &r->n.n_read,     &r->n.n_written,  &r->n.n_aside,    &r->n.n_skipped,
        &r->n.n_filtered, &r->n.n_warnings, &r->n.n_replaced, &r->n_errors,
        &report,          &truncated,       &returns_file
    };

    for (size_t i = 0; i < COUNT(n); i++)
        if (!number(&line, n[i]))
            return false;
    r->has_report = report != 0;
    r->truncated = truncated != 0;
    r->returns_file = returns_file != 0;
    return true;
}

static bool r_summary(struct str line, struct result *r)
{
    return column(&line, &r->summary);
}

static bool r_first(struct str line, struct result *r)
{
    return column(&line, &r->first_error);
}

static bool r_output(struct str line, struct result *r)
{
    struct result_output *o = &r->outputs[r->n_outputs++];

    return number(&line, &o->read) && number(&line, &o->write) &&
           number(&line, &o->bytes) && number(&line, &o->n_documents) &&
           column(&line, &o->path) && column(&line, &o->name);
}

static bool r_faulty(struct str line, struct result *r)
{
    struct result_faulty *f = &r->faulty[r->n_faulty++];

    return number(&line, &f->n_documents) && column(&line, &f->path);
}

static bool r_counter(struct str line, struct result *r)
{
    struct job_counter *c = &r->counters[r->n_counters++];
    uint64_t value;

    if (!number(&line, &value) || !column(&line, &c->name))
        return false;
    c->value = (int64_t)value;
    return true;
}

static const struct {
    const char *word;
    bool (*parse)(struct str line, struct result *r);
} words[] = {
    { "verdict", r_verdict }, { "error", r_error },   { "counts", r_counts },
    { "summary", r_summary }, { "first", r_first },   { "output", r_output },
    { "counter", r_counter }, { "faulty", r_faulty },
};

static bool parse_line(struct str line, struct result *r)
{
    struct str word;

    if (!column(&line, &word))
        return false;
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_is(word, words[i].word))
            return words[i].parse(line, r);
    return false;
}

static bool parse_all(struct str text, uint64_t max_outputs, struct arena *a,
                      struct result *r)
{
    size_t n_lines = 0;

    for (size_t i = 0; i < text.len; i++)
        n_lines += text.p[i] == '\n';
    if (n_lines > max_outputs + OTHER_LINES)
        return false;
    r->outputs = arena_alloc(a, (n_lines + 1) * sizeof(*r->outputs));
    r->faulty = arena_alloc(a, (n_lines + 1) * sizeof(*r->faulty));
    r->counters = arena_alloc(a, (n_lines + 1) * sizeof(*r->counters));
    while (text.len) {
        ptrdiff_t nl = str_find_char(text, '\n');
        struct str line = str_first(text, nl < 0 ? 0 : (size_t)nl);

        if (str_is(line, "end"))
            return true;
        if (nl < 0 || !parse_line(line, r))
            return false;
        text = str_from(text, (size_t)nl + 1);
    }
    return false;
}

bool result_read(struct str text, uint64_t max_outputs, struct arena *a,
                 struct result *out)
{
    *out = (struct result){ 0 };
    if (max_outputs > INT32_MAX)
        max_outputs = INT32_MAX;
    return text.len <= (max_outputs + OTHER_LINES) * LINE_SIZE &&
           parse_all(arena_str(a, text), max_outputs, a, out);
}

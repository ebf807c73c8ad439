/*
 * t_fn.c - converters/lang/fn_*.c: what each function of the language gives.
 *
 * A row is an expression, parsed as in a map, and the text of its value. Bare
 * names in it stand for the values of `sources`, read in a column of that
 * name.
 */
#include "tests/unit/unit.h"

#include "converters/lang/func.h"
#include "converters/lang/parse.h"
#include "converters/lang/run.h"

static const struct {
    const char *name;
    enum val_kind kind;
    const char *text; /* canonical for numbers and dates */
} sources[] = {
    { "none", V_EMPTY, "" },
    { "price", V_TEXT, "1 234,50" },
    { "small", V_TEXT, "9,5" },
    { "typo", V_TEXT, "12 50O,00" },
    { "day", V_TEXT, "5.3.2026" },
    { "later", V_TEXT, "20.2.2027" },
    { "net2", V_DEC, "399.90" },
    { "whole", V_DEC, "-7" },
    { "date", V_DATE, "2026-08-22" },
    { "time", V_DATE, "2026-01-31T23:30:15Z" },
    { "paid", V_BOOL, "yes" },
    { "open", V_BOOL, "no" },
    { "tr", V_TEXT, "istanbul" },
    { "vat", V_TEXT, "27%" },
    { "email", V_TEXT, "Jana" },
};

enum map_kind {
    DOT,   /* a write map without options */
    COMMA, /* a read map: decimal , thousands " ", dates D.M.YYYY, Prague */
    TURKEY /* a write map: decimal , dates DD.MM.YYYY, country tr */
};

static struct fn_case {
    int line;
    enum map_kind map;
    const char *name, *want; /* name: the expression */
    const char *fault;       /* the message's name */
} cases[] = {
    /* choice */
    { __LINE__, DOT, "if(paid, \"a\", \"b\")", "a", NULL },
    { __LINE__, DOT, "if(open, \"a\", \"b\")", "b", NULL },
    { __LINE__, DOT, "if(none, \"a\", \"b\")", "b", NULL },
    { __LINE__, DOT, "if(open, \"a\")", "", NULL },
    { __LINE__, DOT, "if(contains(tr, \"tan\"), 1, 2)", "1", NULL },
    { __LINE__, DOT, "if(open, number(\"x\"), 2)", "2", NULL },
    { __LINE__, DOT, "first(none, \"\", tr, email)", "istanbul", NULL },
    { __LINE__, DOT, "first(none, none)", "", NULL },
    { __LINE__, DOT, "first(net2, number(\"x\"))", "399.90", NULL },
    { __LINE__, DOT, "last(tr, email, none)", "Jana", NULL },
    { __LINE__, DOT, "counter(\"docs\")", "42", NULL },
    { __LINE__, COMMA, "name(price)", "price", NULL },
    { __LINE__, COMMA, "name(none)", "none", NULL },
    { __LINE__, COMMA, "name(\"x\")", "", NULL },
    /* several values */
    { __LINE__, DOT, "join(\" \", tr, none, email)", "istanbul Jana", NULL },
    { __LINE__, DOT, "join(\", \", none)", "", NULL },
    { __LINE__, COMMA, "join(\";\", net2, date)", "399,90;22.8.2026", NULL },
    { __LINE__, DOT, "count(none, tr, \"\", 0)", "2", NULL },
    { __LINE__, DOT, "count(none)", "0", NULL },
    { __LINE__, DOT, "sum(0.1, 0.2, none)", "0.3", NULL },
    { __LINE__, DOT, "sum(1.50, 1)", "2.50", NULL },
    { __LINE__, DOT, "sum(none, \"\")", "", NULL },
    { __LINE__, COMMA, "sum(price, small)", "1244,00", NULL },
    { __LINE__, COMMA, "sum(price, typo)", "", "number-syntax" },
    { __LINE__, DOT, "sum(999999999999999999, 1)", "", "number-overflow" },
    { __LINE__, DOT, "max(0, whole)", "0", NULL },
    { __LINE__, DOT, "min(0, whole, none)", "-7", NULL },
    { __LINE__, DOT, "max(none)", "", NULL },
    { __LINE__, DOT, "max(\"9\", \"10\")", "10", NULL },
    { __LINE__, DOT, "max(\"9a\", \"10\")", "9a", NULL },
    { __LINE__, DOT, "max(1.0, 1)", "1.0", NULL },
    { __LINE__, COMMA, "max(small, price)", "1 234,50", NULL },
    { __LINE__, COMMA, "min(small, price)", "9,5", NULL },
    { __LINE__, COMMA, "max(0, typo)", "", "number-syntax" },
    { __LINE__, COMMA, "max(day, later)", "20.2.2027", NULL },
    { __LINE__, COMMA, "min(day, later)", "5.3.2026", NULL },
    { __LINE__, COMMA, "min(date, day)", "5.3.2026", NULL },
    { __LINE__, COMMA, "max(date, tr)", "", "date-syntax" },
    { __LINE__, TURKEY, "max(day, \"20.02.2026\")", "5.3.2026", NULL },
    { __LINE__, TURKEY, "max(date, \"20.02.2027\")", "20.02.2027", NULL },
    /* texts */
    { __LINE__, DOT, "upper(\"i\",\"tr\")", "İ", NULL },
    { __LINE__, DOT, "upper(tr)", "ISTANBUL", NULL },
    { __LINE__, DOT, "lower(\"I\", \"tr\")", "ı", NULL },
    { __LINE__, DOT, "lower(\"ŽIŽKA\")", "žižka", NULL },
    { __LINE__, DOT, "title(tr, \"tr\")", "İstanbul", NULL },
    { __LINE__, DOT, "trim(\"  a  b \")", "a  b", NULL },
    { __LINE__, DOT, "squeeze(\"  a  b \")", "a b", NULL },
    { __LINE__, DOT, "left(\"Žluťoučký\", 3)", "Žlu", NULL },
    { __LINE__, DOT, "left(\"ab\", 3)", "ab", NULL },
    { __LINE__, DOT, "left(\"ab\", 0)", "", NULL },
    { __LINE__, DOT, "left(\"ab\", 1.5)", "", "whole-number" },
    { __LINE__, DOT, "left(\"ab\", whole)", "", "whole-number" },
    { __LINE__, DOT, "left(\"ab\", none)", "", "whole-number" },
    { __LINE__, DOT, "left(\"ab\", tr)", "", "number-syntax" },
    { __LINE__, DOT, "right(\"kůň\", 2)", "ůň", NULL },
    { __LINE__, DOT, "right(\"kůň\", 9)", "kůň", NULL },
    { __LINE__, DOT, "mid(\"příliš\", 2, 3)", "říl", NULL },
    { __LINE__, DOT, "mid(\"abc\", 3, 9)", "c", NULL },
    { __LINE__, DOT, "mid(\"abc\", 4, 9)", "", NULL },
    { __LINE__, DOT, "mid(\"abc\", 0, 1)", "", "whole-number" },
    { __LINE__, DOT, "length(\"kůň\")", "3", NULL },
    { __LINE__, DOT, "length(none)", "0", NULL },
    { __LINE__, DOT, "replace(\"a;b;c\", \";\", \", \")", "a, b, c", NULL },
    { __LINE__, DOT, "replace(none, \"a\", \"b\")", "", NULL },
    { __LINE__, DOT, "before(\"123.45 RON\", \" \")", "123.45", NULL },
    { __LINE__, DOT, "before(\"123\", \" \")", "123", NULL },
    { __LINE__, DOT, "after(\"variant:Barva\", \":\")", "Barva", NULL },
    { __LINE__, DOT, "after(\"Barva\", \":\")", "", NULL },
    { __LINE__, DOT, "piece(\"a>b>c\", \">\", 1)", "a", NULL },
    { __LINE__, DOT, "piece(\"a>b>c\", \">\", 3)", "c", NULL },
    { __LINE__, DOT, "piece(\"a>b>c\", \">\", 4)", "", NULL },
    { __LINE__, DOT, "piece(\"a>b>c\", \">\", -1)", "c", NULL },
    { __LINE__, DOT, "piece(\"a>b>c\", \">\", -3)", "a", NULL },
    { __LINE__, DOT, "piece(\"a>b>c\", \">\", -4)", "", NULL },
    { __LINE__, DOT, "piece(\"a>b>c\", \">\", 0)", "", NULL },
    { __LINE__, DOT, "piece(\"a>>c\", \">\", 2)", "", NULL },
    { __LINE__, DOT, "piece(\"abc\", \"\", 1)", "abc", NULL },
    { __LINE__, DOT, "contains(tr, \"tan\")", "true", NULL },
    { __LINE__, DOT, "contains(none, \"x\")", "false", NULL },
    { __LINE__, DOT, "starts(tr, \"ist\")", "true", NULL },
    { __LINE__, DOT, "starts(tr, \"bul\")", "false", NULL },
    { __LINE__, TURKEY, "ends(tr, \"bul\")", "evet", NULL },
    { __LINE__, TURKEY, "ends(tr, \"ist\")", "hayır", NULL },
    { __LINE__, DOT, "digits(\"CZ 27-082\")", "27082", NULL },
    { __LINE__, DOT, "strip_html(\"<p>a&amp;b</p>\")", "a&b", NULL },
    { __LINE__, DOT, "one_line(left(\"ab\", 2))", "ab", NULL },
    { __LINE__, DOT, "ascii(\"Žluťoučký\")", "Zlutoucky", NULL },
    { __LINE__, DOT, "nfc(\"e\xcc\x81\")", "é", NULL },
    { __LINE__, DOT, "text(net2, \"0.00\")", "399.90", NULL },
    { __LINE__, DOT, "text(net2, \"0\")", "400", NULL },
    { __LINE__, COMMA, "text(price, \"# ##0,0\")", "1 234,5", NULL },
    { __LINE__, DOT, "text(date, \"DD.MM.YYYY\")", "22.08.2026", NULL },
    { __LINE__, DOT, "text(date, \"hh\")", "00", NULL },
    { __LINE__, COMMA, "text(time, \"YYYYMMDD hh\")", "20260201 00", NULL },
    { __LINE__, COMMA, "text(day, \"YYYY-MM-DD\")", "2026-03-05", NULL },
    { __LINE__, COMMA, "text(typo, \"0\")", "", "number-syntax" },
    { __LINE__, COMMA, "text(tr, \"YYYY\")", "", "date-syntax" },
    { __LINE__, DOT, "text(none, \"0.00\")", "", NULL },
    /* numbers */
    { __LINE__, COMMA, "number(price)", "1234,50", NULL },
    { __LINE__, COMMA, "number(\"1234.5\", \".\")", "1234,5", NULL },
    { __LINE__, DOT, "number(\"1234,5\", \",\")", "1234.5", NULL },
    { __LINE__, DOT, "number(\"1234,5\")", "", "number-syntax" },
    { __LINE__, DOT, "number(\"1,5\", \";\")", "", "choice-value" },
    { __LINE__, DOT, "number(none)", "", NULL },
    { __LINE__, DOT, "number(\"007\")", "7", NULL },
    { __LINE__, DOT, "number(text(time, \"hh\"))", "23", NULL },
    { __LINE__, DOT, "number(\"9999999999999999999\")", "", "number-overflow" },
    { __LINE__, DOT, "number(paid)", "", "number-syntax" },
    { __LINE__, DOT, "round(2.345, 2)", "2.35", NULL },
    { __LINE__, DOT, "round(-2.345, 2)", "-2.35", NULL },
    { __LINE__, DOT, "round(2.5)", "3", NULL },
    { __LINE__, DOT, "round(1, 2)", "1.00", NULL },
    { __LINE__, DOT, "round(1234.5, -2)", "1200", NULL },
    { __LINE__, DOT, "round(1250, -2)", "1300", NULL },
    { __LINE__, DOT, "round(4, -1)", "0", NULL },
    { __LINE__, DOT, "round(0.123456789012345678, -17)", "0", NULL },
    { __LINE__, DOT, "round(999999999999999999, -1)", "", "number-overflow" },
    { __LINE__, DOT, "round(none, 2)", "", NULL },
    { __LINE__, DOT, "round(1, 19)", "", "whole-number" },
    { __LINE__, DOT, "floor(-1.5)", "-2", NULL },
    { __LINE__, DOT, "ceil(-1.5)", "-1", NULL },
    { __LINE__, DOT, "ceil(1.01)", "2", NULL },
    { __LINE__, DOT, "abs(whole)", "7", NULL },
    { __LINE__, DOT, "abs(none)", "", NULL },
    /* dates */
    { __LINE__, DOT, "date(\"20260822\", \"YYYYMMDD\")", "2026-08-22", NULL },
    { __LINE__, DOT, "date(20260822, \"YYYYMMDD\")", "2026-08-22", NULL },
    { __LINE__, DOT, "date(\"22.8.26\", \"YYYYMMDD\")", "", "date-syntax" },
    { __LINE__, DOT, "date(none, \"YYYYMMDD\")", "", NULL },
    { __LINE__, DOT, "date(\"2026-08-22\")", "2026-08-22", NULL },
    { __LINE__, COMMA, "date(day)", "5.3.2026", NULL },
    { __LINE__, COMMA, "date(tr)", "", "date-syntax" },
    { __LINE__, DOT, "time", "2026-01-31T23:30:15", NULL },
    { __LINE__, COMMA, "time", "1.2.2026", NULL },
    { __LINE__, DOT, "today()", "2026-08-22", NULL },
    { __LINE__, DOT, "now()", "2026-08-22T13:45:10", NULL },
    { __LINE__, DOT, "add_days(today(), 14)", "2026-09-05", NULL },
    { __LINE__, DOT, "add_days(date, -22)", "2026-07-31", NULL },
    { __LINE__, DOT, "add_months(date, 1000000)", "", "date-range" },
    { __LINE__, DOT, "add_days(date, \"x\")", "", "number-syntax" },
    { __LINE__, DOT, "add_days(none, 1)", "", NULL },
    { __LINE__, DOT, "add_months(\"2026-01-31\", 1)", "2026-02-28", NULL },
    { __LINE__, COMMA, "text(add_days(time, 60), \"M-D hh:mmZ\")",
      "4-2 00:30+02:00", NULL },
    /* VAT */
    { __LINE__, DOT, "net(121, 21)", "100.00", NULL },
    { __LINE__, DOT, "net(100, 21)", "82.6446", NULL },
    { __LINE__, DOT, "net(100, 21, 2)", "82.64", NULL },
    { __LINE__, DOT, "net(100, vat)", "78.7402", NULL },
    { __LINE__, DOT, "net(none, 21)", "", NULL },
    { __LINE__, DOT, "net(100, none)", "", NULL },
    { __LINE__, DOT, "net(100, -100)", "", "number-overflow" },
    { __LINE__, DOT, "gross(100, 21)", "121.00", NULL },
    { __LINE__, COMMA, "gross(price, 21, 0)", "1494", NULL },
    /* names */
    { __LINE__, DOT, "split_street(\"Dlouhá 12/3\", \"street\", \"cz\")",
      "Dlouhá", NULL },
    { __LINE__, DOT, "split_street(\"Dlouhá 12/3\", \"number\", \"cz\")",
      "12/3", NULL },
    { __LINE__, DOT, "split_street(\"Na kopci\", \"street\")", "Na kopci",
      "split" },
    { __LINE__, DOT, "split_street(\"Na kopci\", \"number\")", "", NULL },
    { __LINE__, DOT, "split_street(\"A 1\", \"town\")", "", "choice-value" },
    { __LINE__, DOT, "split_name(\"Jan Novák\", \"first\")", "Jan", NULL },
    { __LINE__, DOT, "split_name(\"Jan Novák\", \"last\")", "Novák", NULL },
    { __LINE__, DOT, "split_name(email, \"first\")", "Jana", "split" },
    { __LINE__, DOT, "split_name(none, \"first\")", "", NULL },
    { __LINE__, DOT, "country_code(\"Česká republika\")", "CZ", NULL },
    { __LINE__, DOT, "country_code(\"Atlantis\")", "Atlantis", "not-known" },
    { __LINE__, DOT, "country_code(none)", "", NULL },
    { __LINE__, DOT, "phone(\"777 000 111\", \"cz\")", "+420777000111", NULL },
    { __LINE__, DOT, "phone(\"777 000 111\", \"Česko\")", "+420777000111",
      NULL },
    { __LINE__, TURKEY, "phone(\"0532 000 11 22\")", "+905320001122", NULL },
    { __LINE__, DOT, "phone(tr)", "istanbul", "not-known" },
};

/* ---- a run made by hand ----------------------------------------------------
 */

struct world {
    struct arena arena;
    struct map map;
    struct source src;
    struct oline line;
    struct diags diags;
    struct run_info info;
    struct limits limits;
    struct reader reader;
    struct str titles[COUNT(sources)];
    struct item row;
    struct run run;
    enum diag_id fault;
    int n_faults;
    struct str where;
};

static void raise_fault(void *ctx, const struct fault *f)
{
    struct world *w = ctx;

    w->fault = f->id;
    w->n_faults++;
    w->where = f->args[1];
}

static int64_t next_of(void *ctx, struct str name)
{
    (void)ctx;
    return str_is(name, "docs") ? 42 : 1;
}

static void use_options(struct map *m, enum map_kind kind)
{
    struct err e;

    m->is_write = kind != COMMA;
    m->num = (struct numfmt){ kind == DOT ? '.' : ',', STR("") };
    if (kind == COMMA) {
        m->num.thousands = STR(" ");
        m->dates[m->n_dates++] = STR("D.M.YYYY");
        m->zone = zone_load(&m->arena, STR("Europe/Prague"), &e);
        assert_non_null(m->zone);
    }
    if (kind == TURKEY) {
        m->dates[m->n_dates++] = STR("DD.MM.YYYY");
        m->country = STR("tr");
        m->yes = STR("evet");
        m->no = STR("hayır");
    }
}

static void world_init(struct world *w, enum map_kind kind)
{
    *w = (struct world){ .src = { .name = STR("x.map") } };
    use_options(&w->map, kind);
    diags_init(&w->diags, &w->arena, 0);
    limits_default(&w->limits);
    w->info.limits = &w->limits;
    w->info.run_time = (struct date){ .year = 2026,
                                      .month = 8,
                                      .day = 22,
                                      .hour = 13,
                                      .minute = 45,
                                      .second = 10,
                                      .has_time = true,
                                      .has_offset = true,
                                      .offset = 120 };
    for (size_t i = 0; i < COUNT(sources); i++)
        w->titles[i] = str_of(sources[i].name);
    w->reader.titles = w->titles;
    w->run = (struct run){ .map = &w->map,
                           .a = &w->arena,
                           .info = &w->info,
                           .reader = kind == COMMA ? &w->reader : NULL,
                           .counter = next_of,
                           .raise = raise_fault,
                           .ctx_of = w };
}

static void world_release(struct world *w)
{
    arena_release(&w->arena);
    arena_release(&w->map.arena);
}

static struct val source_value(struct world *w, size_t i)
{
    return (struct val){
        .kind = sources[i].kind,
        .yes = strcmp(sources[i].text, "yes") == 0,
        .s = str_of(sources[i].text),
        .item = w->map.is_write ? NULL : &w->row,
        .cell = w->map.is_write ? -1 : (int32_t)i,
    };
}

/* Names become the values that they stand for. */
static void bind(struct world *w, struct expr *e)
{
    for (struct expr *x = e->args; x; x = x->next)
        bind(w, x);
    if (e->kind != E_PATH)
        return;
    for (size_t i = 0; i < COUNT(sources); i++)
        if (str_is(e->steps->name, sources[i].name)) {
            e->kind = E_CONST;
            e->value = source_value(w, i);
        }
    assert_int_equal(e->kind, E_CONST);
}

static struct expr *parse(struct world *w, const char *text)
{
    struct parser p;
    struct expr *e;

    w->line = (struct oline){ .src = &w->src, .text = str_of(text), .line = 1 };
    parser_init(&p, &w->map, &w->line, w->line.text, &w->diags);
    e = parse_expr(&p);
    assert_non_null(e);
    assert_true(parse_end(&p));
    return e;
}

static void test_case(void **state)
{
    const struct fn_case *c = *state;
    struct str got = STR("");
    struct world w;
    struct expr *e;
    struct val v;
    bool ok, is_error;

    world_init(&w, c->map);
    e = parse(&w, c->name);
    bind(&w, e);
    ok = eval(&w.run, e, &v);
    if (ok)
        got = val_str(&w.run, &v);
    is_error = w.n_faults && diag_table[w.fault].level == DIAG_ERROR;
    if (!str_is(got, c->want) || ok == is_error || w.run.failed != is_error ||
        w.n_faults != (c->fault != NULL) ||
        (c->fault && strcmp(diag_table[w.fault].name, c->fault) != 0))
        fail_msg("%s:%d: %s is \"%.*s\", %d faults, the last %s", __FILE__,
                 c->line, c->name, STR_ARGS(got), w.n_faults,
                 w.n_faults ? diag_table[w.fault].name : "none");
    world_release(&w);
}

/* ---- what no row can show -------------------------------------------------
 */

static void test_fault_names_the_column(void **state)
{
    struct world w;
    struct expr *e;
    struct val v;

    (void)state;
    world_init(&w, COMMA);
    e = parse(&w, "round(trim(typo), 2)");
    bind(&w, e);
    assert_false(eval(&w.run, e, &v));
    assert_true(str_is(w.where, " in column typo"));
    world_release(&w);
}

enum { LONG = 9 << 20 };

static void test_join_has_a_limit(void **state)
{
    struct world w;
    struct expr *e;
    struct val v;
    struct str big;
    char *text;

    (void)state;
    world_init(&w, DOT);
    text = arena_text(&w.arena, LONG);
    memset(text, 'x', LONG);
    big = (struct str){ text, LONG };
    e = parse(&w, "join(\"\", tr, tr)");
    bind(&w, e);
    e->args->next->value.s = e->args->next->next->value.s = big;
    assert_false(eval(&w.run, e, &v));
    assert_int_equal(w.fault, DIAG_LIMIT);
    world_release(&w);
}

/* share(amount, weight) over a list; the parts of all members, joined. */
static struct share_case {
    int line;
    const char *name, *amount;
    const char *weights[5]; /* "-x": x is left out by the each; NULL ends */
    const char *want, *fault;
} shares[] = {
    { __LINE__,
      "thirds add up",
      "10",
      { "1", "1", "1" },
      "3.33 3.34 3.33 ",
      NULL },
    { __LINE__,
      "a negative coupon",
      "-100.00",
      { "200.5", "99.5", "1" },
      "-66.61 -33.06 -0.33 ",
      NULL },
    { __LINE__,
      "an empty weight counts as nothing",
      "5",
      { "1", "", "4" },
      "1.00 0.00 4.00 ",
      NULL },
    { __LINE__,
      "no weights at all give equal parts",
      "1",
      { "0", "", "0" },
      "0.33 0.34 0.33 ",
      NULL },
    { __LINE__, "an empty amount has no parts", "", { "1", "2" }, "  ", NULL },
    { __LINE__,
      "members that the each leaves out weigh nothing",
      "9",
      { "1", "!5", "2" },
      "3.00 6.00 ",
      NULL },
    { __LINE__,
      "large numbers do not overflow",
      "9999999999999999.99",
      { "99999999999999.9999", "0.0001" },
      "9999999999999999.99 0.00 ",
      NULL },
    { __LINE__,
      "a weight that is no number",
      "9",
      { "1", "x" },
      "",
      "number-syntax" },
};

/* An order with a line per weight: quantity is it, note "no" leaves it out. */
static struct doc *make_order(struct world *w, const struct share_case *c,
                              int list, int quantity, int note)
{
    struct shape *s = shape_new(&w->arena, document_find(STR("order")));
    struct doc *order = doc_new(&w->arena, s);

    for (size_t i = 0; c->weights[i]; i++) {
        struct str text = str_of(c->weights[i]);
        bool out = str_starts(text, STR("!"));
        struct doc *line = doc_add(&w->arena, order, list);

        line->f[quantity] = str_from(text, out);
        line->f[note] = out ? STR("no") : STR("yes");
    }
    return order;
}

static struct expr *field_expr(struct world *w, int index)
{
    struct expr *e = arena_alloc(&w->arena, sizeof(*e));

    e->kind = E_FIELD;
    e->at = (struct place){ .src = &w->src, .line = 1 };
    e->depth = 1;
    e->index = index;
    return e;
}

/* As resolve_write.c leaves share(AMOUNT, name) in `each line where note`. */
static struct expr *share_expr(struct world *w, const struct share_case *c,
                               int list, int quantity, int note)
{
    struct expr *e = parse(w, "share(tr, none)");

    bind(w, e);
    e->args->value = val_text(str_of(c->amount));
    e->args->next = field_expr(w, quantity);
    e->where = field_expr(w, note);
    e->depth = 1;
    e->index = list;
    e->slot = 0;
    return e;
}

static void test_share(void **state)
{
    const struct share_case *c = *state;
    const struct level *order = document_find(STR("order"));
    struct shape *s;
    struct share share = { 0 };
    struct world w;
    struct buf got;
    struct expr *e;
    int list, quantity, note;
    struct val v;

    world_init(&w, DOT);
    s = shape_new(&w.arena, order);
    list = shape_list(s, STR("line"));
    quantity = shape_field(s->lists[list], STR("name"), false);
    note = shape_field(s->lists[list], STR("sku"), false);
    assert_true(list >= 0 && quantity >= 0 && note >= 0);
    buf_init(&got, 1000);
    w.run.shares = &share;
    w.run.scope[0] = make_order(&w, c, list, quantity, note);
    e = share_expr(&w, c, list, quantity, note);
    for (struct doc *m = w.run.scope[0]->lists[list].first; m; m = m->next) {
        struct str text = STR("");

        w.run.scope[1] = m;
        if (!str_is(m->f[note], "yes"))
            continue;
        for (int twice = 0; twice < 2; twice++)
            text = eval(&w.run, e, &v) ? val_str(&w.run, &v) : STR("");
        if (w.n_faults)
            break;
        assert_int_equal(buf_add(&got, text) | buf_addc(&got, ' '), 0);
    }
    if (w.n_faults ? !c->fault || strcmp(diag_table[w.fault].name, c->fault)
                   : !str_is(buf_str(&got), c->want))
        fail_msg("%s:%d: got %.*s, %s", __FILE__, c->line,
                 STR_ARGS(buf_str(&got)),
                 w.n_faults ? diag_table[w.fault].name : "no fault");
    buf_release(&got);
    world_release(&w);
}

/* The next document lies where this one lay: nothing of it may be left. */
static void test_share_begins_with_each_document(void **state)
{
    static const struct share_case c = { .amount = "10",
                                         .weights = { "1", "1" } };
    struct share share = { 0 };
    struct doc *order, *member;
    struct world w;
    struct expr *e;
    struct val v;

    (void)state;
    world_init(&w, DOT);
    w.run.shares = &share;
    order = make_order(&w, &c, 0, 0, 1);
    member = order->lists[0].first;
    e = share_expr(&w, &c, 0, 0, 1);
    w.run.scope[0] = order;
    w.run.scope[1] = member;
    assert_true(eval(&w.run, e, &v));
    assert_true(str_is(val_str(&w.run, &v), "5.00"));
    order->seq++;
    member->f[0] = STR("3");
    assert_true(eval(&w.run, e, &v));
    assert_true(str_is(val_str(&w.run, &v), "7.50"));
    world_release(&w);
}

static void test_every_function_is_described(void **state)
{
    const char *names[128];
    size_t n = func_names(names, COUNT(names));

    (void)state;
    assert_in_range(n, 50, 127);
    for (size_t i = 0; i < n; i++) {
        const struct func *f = func_find(str_of(names[i]));

        assert_non_null(f);
        assert_string_equal(f->name, names[i]);
        assert_true(f->help[0] && f->args && f->eval);
        assert_true(f->max == -1 || f->min <= f->max);
        assert_true(f->const_arg < 0 || f->const_arg < f->max);
    }
    assert_null(func_find(STR("vlookup")));
}

int main(void)
{
    struct CMUnitTest tests[COUNT(cases) + COUNT(shares) + 4];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(shares); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_share, &shares[i]);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(test_fault_names_the_column);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_join_has_a_limit);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(
        test_share_begins_with_each_document);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(test_every_function_is_described);
    return cmocka_run_group_tests_name("fn", tests, NULL, NULL);
}

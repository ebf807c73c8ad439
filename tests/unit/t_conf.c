/* t_conf.c - kervan.conf: what is understood, and every mistake with its
 * place. */
#include "tests/unit/tree.h"

#include "spool/conf.h"

#define SHOP "partner eshop\n  folder eshop\n"
#define ERP  "partner erp\n  folder erp\n"
#define ROUTE                                                            \
    "route orders\n  from eshop inbox/*.csv\n  read r\n  write w\n  to " \
    "erp in\n"

/* ---- mistakes ------------------------------------------------------------ */

static struct conf_case {
    int line;
    const char *name, *in;
    const char *want; /* "LINE:COL name; ..." */
} cases[] = {
    { __LINE__, "a whole configuration", SHOP ERP ROUTE, "" },
    { __LINE__, "routes may stand before partners", ROUTE SHOP ERP, "" },
    { __LINE__, "unknown word", "spol x\n", "1:1 conf-unknown; " },
    { __LINE__, "all mistakes at once",
      "spol x\nledger mysql\nlimit csv-colums 3\n",
      "1:1 conf-unknown; 2:8 conf-value; 3:7 conf-unknown; " },
    { __LINE__, "no job at all", "limit jobs 0\n", "1:12 conf-value; " },
    { __LINE__, "a limit without a number", "limit input big\n",
      "1:13 conf-value; " },
    { __LINE__, "postgresql and console are to come",
      "ledger postgresql://k@db/k\nconsole 127.0.0.1:8642\n",
      "1:8 not-built; 2:1 not-built; " },
    { __LINE__, "spool twice", "spool a\nspool b\n", "2:1 conf-twice; " },
    { __LINE__, "a value with blanks wants quotes", "spool my spool\n",
      "1:10 syntax; " },
    { __LINE__, "in quotes it may have them", "spool \"my spool\"\n", "" },
    { __LINE__, "no block below a plain line", "spool a\n  b\n",
      "2:3 no-block; " },
    { __LINE__, "a partner without a way to him", "partner eshop\n",
      "1:9 conf-missing; " },
    { __LINE__, "a partner twice", SHOP SHOP, "3:9 conf-twice; " },
    { __LINE__, "a mode with execute bits", SHOP "  mode 0777\n",
      "3:8 conf-value; " },
    { __LINE__, "a country is two letters", SHOP "  country czech\n",
      "3:11 conf-value; " },
    { __LINE__, "an unknown group", SHOP "  group no-such-group-here\n",
      "3:9 conf-value; " },
    { __LINE__, "an unknown partner",
      SHOP ERP
      "route o\n  from eshpo *.csv\n  read r\n  write w\n  to erp in\n",
      "6:8 conf-no-partner; " },
    { __LINE__, "what a route needs", "route o\n",
      "1:7 conf-missing; 1:7 conf-missing; " },
    { __LINE__, "a write without to", SHOP ERP ROUTE "  write x\n",
      "5:7 conf-missing; " },
    { __LINE__, "to before a write",
      SHOP ERP
      "route o\n  from eshop *.csv\n  read r\n  to erp in\n  write w\n",
      "5:7 conf-missing; 8:3 conf-value; " },
    { __LINE__, "a star in a folder", SHOP ERP ROUTE "  from eshop in*/x\n",
      "10:14 conf-value; " },
    { __LINE__, "a way out of the folder",
      SHOP ERP ROUTE "  from eshop ../x/*.csv\n  to erp ../etc\n",
      "10:14 conf-value; 11:10 conf-value; " },
    { __LINE__, "two schedules",
      SHOP ERP ROUTE "  every 15 minutes\n  at 02:30\n", "11:3 conf-twice; " },
    { __LINE__, "no such time", SHOP ERP ROUTE "  at 25:00\n",
      "10:6 conf-value; " },
    { __LINE__, "every needs a unit", SHOP ERP ROUTE "  every 15 parsecs\n",
      "10:12 conf-value; " },
    { __LINE__, "after an unknown route", SHOP ERP ROUTE "  after stock\n",
      "10:9 conf-no-route; " },
    { __LINE__, "a setting without a value", SHOP ERP ROUTE "  set ico\n",
      "10:3 conf-value; " },
    { __LINE__, "a setting twice",
      SHOP ERP ROUTE "  set ico = 1\n  set ico = 2\n", "11:7 conf-twice; " },
    { __LINE__, "an open quote", SHOP ERP ROUTE "  set ico = \"1\n",
      "10:13 open-string; " },
    { __LINE__, "report has three forms", SHOP ERP ROUTE "  report sometimes\n",
      "10:10 conf-value; " },
    { __LINE__, "report once only",
      SHOP ERP ROUTE "  report never\n  report always\n", "11:3 conf-twice; " },
    { __LINE__, "on error has two forms",
      SHOP ERP ROUTE "  on error skip file\n", "10:12 conf-value; " },
    { __LINE__, "words of the design that are to come",
      "console 127.0.0.1:8642\n", "1:1 not-built; " },
    { __LINE__, "rules have one line each, and what they need",
      SHOP ERP ROUTE "  prefix \"CZ-\"\n  prefix SK-\n  start at order\n"
                     "  warehouse A B\n",
      "11:3 conf-twice; 12:3 conf-value; 13:15 conf-value; " },
    { __LINE__, "a VAT map is a table of the outermost level",
      "table hu\n  27 = 27\n" SHOP ERP ROUTE "  vat map hu\n", "" },
    { __LINE__, "a table that no line names, and one that is not there",
      "table hu\n  27 = 27\n" SHOP ERP ROUTE "  vat map huu\n",
      "1:1 unused; 12:11 conf-value; " },
    { __LINE__, "a route delivers by sftp",
      SHOP "partner erp\n  sftp k@erp:22/in\n  agent\n" ROUTE, "" },
    { __LINE__, "no such file to include", "include more.conf\n",
      "1:9 include; " },
    { __LINE__, "a pattern may find nothing", "include routes.d/*.conf\n", "" },
    { __LINE__, "a file that includes itself ends", "include kervan.conf\n",
      "1:1 include; " },
};

static void describe(const struct diags *d, struct buf *out)
{
    for (const struct diag *x = d->first; x; x = x->next) {
        char place[40];

        snprintf(place, sizeof(place), "%u:%u ", x->at.line, x->at.col);
        buf_addz(out, place);
        buf_addz(out, diag_table[x->id].name);
        buf_addz(out, "; ");
    }
    buf_addc(out, '\0');
}

static void load(const char *text, struct conf *c, struct diags *d)
{
    struct err e;

    *c = (struct conf){ 0 };
    diags_init(d, &c->arena, 0);
    put("kervan.conf", text);
    if (conf_load(c, at("kervan.conf"), d, &e) == -1)
        fail_msg("%s", e.text);
}

static void test_case(void **state)
{
    const struct conf_case *c = *state;
    struct conf conf;
    struct diags d;
    struct buf got;

    tree_make();
    buf_init(&got, 4096);
    load(c->in, &conf, &d);
    describe(&d, &got);
    if (strcmp(got.p, c->want) != 0)
        fail_msg("%s:%d: got %s", __FILE__, c->line, got.p);
    buf_release(&got);
    conf_free(&conf);
    tree_drop();
}

/* ---- what is understood -------------------------------------------------- */

static const char whole[] =
    "spool spool\n"
    "limit input 3M\n"
    "partner eshop\n"
    "  folder \"the shop\"\n"
    "  country CZ\n"
    "  mode 0660\n" ERP "route orders\n"
    "  from eshop inbox/orders*.csv \"inbox/more orders*.zip\"\n"
    "  from erp back/x.csv\n"
    "  read a b\n"
    "  read c\n"
    "  write w1 when status = paid\n"
    "  write w2\n"
    "  to erp in\n"
    "  to eshop outbox\n"
    "  write w3\n"
    "  to erp other/\n"
    "  set ico = 12345678\n"
    "  set name = \"a b\"\n"
    "  when status in (paid, \"x\")   # a remark\n"
    "  at 2:30 and 14:00\n"
    "  on error reject file\n"
    "  report always\n"
    "  expect every 24 hours\n"
    "  mode test\n"
    "route hand\n"
    "  from eshop x\n"
    "  read r\n"
    "  write w\n"
    "  to erp .\n"
    "  by hand\n";

static void partners_and_limits(void **state)
{
    const struct partner *p;
    struct conf c;
    struct diags d;

    (void)state;
    tree_make();
    load(whole, &c, &d);
    assert_int_equal(d.n_errors, 0);
    assert_string_equal(c.spool, at("spool"));
    assert_int_equal(c.limits.v[LIMIT_INPUT], MB(3));
    p = conf_partner(&c, STR("eshop"));
    assert_string_equal(p->folder, at("the shop"));
    assert_true(str_is(p->country, "cz"));
    assert_int_equal(p->mode, 0660);
    assert_null(conf_partner(&c, STR("nobody")));
    conf_free(&c);
    tree_drop();
}

static void a_partner_by_sftp(void **state)
{
    const struct partner *p;
    const struct remote *r;
    struct conf c;
    struct diags d;

    (void)state;
    tree_make();
    load("partner erp\n"
         "  sftp k@x@[2001:db8::1]:2222/import/\n"
         "  key credential:erp\n"
         "  passphrase secrets/phrase\n"
         "  allow ssh-rsa ssh-rsa\n"
         "  exists keep both\n"
         "  after fetch move done\n"
         "  look every 2 minutes\n"
         "  rest 0 seconds\n"
         "limit sftp-connect 1\n"
         "limit sftp-handshake 2\n"
         "limit sftp-login 99999999999\n"
         "limit sftp-operation 4\n"
         "limit sftp-rate 5k\n",
         &c, &d);
    assert_int_equal(d.n_errors, 0);
    p = conf_partner(&c, STR("erp"));
    r = p->remote;
    assert_null(p->folder);
    assert_int_equal(p->exists, EXISTS_KEEP_BOTH);
    assert_true(str_is(r->address, "k@x@[2001:db8::1]:2222/import"));
    assert_true(str_is(r->base, "/import"));
    assert_string_equal(r->login.partner, "erp");
    assert_string_equal(r->login.user, "k@x");
    assert_string_equal(r->login.host, "2001:db8::1");
    assert_int_equal(r->login.port, 2222);
    assert_string_equal(r->login.key, "credential:erp");
    assert_string_equal(r->login.passphrase, at("secrets/phrase"));
    assert_string_equal(r->login.known_hosts, at("known_hosts"));
    assert_int_equal(r->login.n_weak, 1);
    assert_int_equal(r->login.connect_s, 1);
    assert_int_equal(r->login.handshake_s, 2);
    assert_int_equal(r->login.login_s, 24 * 60 * 60);
    assert_int_equal(r->login.operation_s, 4);
    assert_int_equal(r->login.rate, KB(5));
    assert_int_equal(r->after, AFTER_MOVE);
    assert_true(str_is(r->moved_to, "done"));
    assert_int_equal(r->look_s, 120);
    assert_int_equal(r->rest_s, 0);
    assert_int_equal(r->n_lines, 1);
    conf_free(&c);
    tree_drop();
}

static void a_partner_through_a_program(void **state)
{
    const struct remote *r;
    struct conf c;
    struct diags d;

    (void)state;
    tree_make();
    load("partner erp\n"
         "  through /bin/cat -u \"a word\"\n"
         "  sftp /import\n",
         &c, &d);
    assert_int_equal(d.n_errors, 0);
    r = conf_partner(&c, STR("erp"))->remote;
    assert_true(str_is(r->address, "through /bin/cat -u a word /import"));
    assert_true(str_is(r->base, "/import"));
    assert_string_equal(r->login.through[0], "/bin/cat");
    assert_string_equal(r->login.through[2], "a word");
    assert_null(r->login.through[3]);
    assert_null(r->login.known_hosts);
    assert_int_equal(r->look_s, 60);
    assert_int_equal(r->rest_s, 30);
    conf_free(&c);
    tree_drop();
}

static void writes_share_the_destinations_below_them(void **state)
{
    const struct conf_write *w;
    struct conf c;
    struct diags d;

    (void)state;
    tree_make();
    load(whole, &c, &d);
    w = conf_route(&c, STR("orders"))->writes;
    assert_true(str_is(w->when.text, "status = paid"));
    assert_true(str_is(w->to->folder, "in"));
    assert_true(str_is(w->to->next->folder, "outbox"));
    assert_null(w->to->next->next);
    assert_ptr_equal(w->next->to, w->to);
    assert_null(w->next->when.line);
    w = w->next->next;
    assert_true(str_is(w->to->folder, "other"));
    assert_null(w->to->next);
    assert_true(str_is(conf_route(&c, STR("hand"))->writes->to->folder, ""));
    conf_free(&c);
    tree_drop();
}

static void a_route_and_its_words(void **state)
{
    const struct route *r;
    struct conf c;
    struct diags d;

    (void)state;
    tree_make();
    load(whole, &c, &d);
    r = conf_route(&c, STR("orders"));
    assert_true(str_is(r->reads->next->next->name, "c"));
    assert_int_equal(r->n_set, 2);
    assert_true(str_is(r->set[1].value, "a b"));
    assert_true(str_is(r->when.text, "status in (paid, \"x\")"));
    assert_int_equal(r->schedule.kind, SCHEDULE_AT);
    assert_int_equal(r->schedule.n_at, 2);
    assert_int_equal(r->schedule.at[0], 150);
    assert_int_equal(r->schedule.at[1], 840);
    assert_int_equal(r->expect_minutes, 1440);
    assert_true(r->test && r->reject_file);
    assert_int_equal(r->report, REPORT_ALWAYS);
    assert_int_equal(conf_route(&c, STR("hand"))->schedule.kind, SCHEDULE_HAND);
    conf_free(&c);
    tree_drop();
}

static void which_files_a_route_takes(void **state)
{
    const struct str shop = STR("eshop"), inbox = STR("inbox");
    const struct route *r;
    struct conf c;
    struct diags d;

    (void)state;
    tree_make();
    load(whole, &c, &d);
    r = conf_route(&c, STR("orders"));
    assert_true(route_takes(r, shop, inbox, STR("orders_1.csv")));
    assert_true(route_takes(r, shop, inbox, STR("ORDERS.CSV")));
    assert_true(route_takes(r, shop, inbox, STR("more orders 2.zip")));
    assert_true(route_takes(r, STR("erp"), STR("back"), STR("x.csv")));
    assert_false(route_takes(r, shop, inbox, STR("orders.xml")));
    assert_false(route_takes(r, shop, STR("outbox"), STR("orders.csv")));
    assert_false(route_takes(r, STR("erp"), inbox, STR("orders.csv")));
    conf_free(&c);
    tree_drop();
}

static void included_files_count(void **state)
{
    struct conf c;
    struct diags d;

    (void)state;
    tree_make();
    assert_int_equal(mkdir(at("routes.d"), 0700), 0);
    put("routes.d/b.conf", ROUTE);
    put("routes.d/a.conf", ERP);
    load("include routes.d/*.conf\n" SHOP, &c, &d);
    assert_int_equal(d.n_errors, 0);
    assert_non_null(conf_route(&c, STR("orders")));
    conf_free(&c);
    tree_drop();
}

/* ---- maps ---------------------------------------------------------------- */

static const char read_orders[] = "read order from csv\n\nsetting shop\n\n"
                                  "number = $shop & code\n";
static const char write_orders[] = "write order to csv\n\nrow\n"
                                   "  number = number\n";
static const char write_stock[] = "write stock to csv\n\nrow\n  sku = sku\n";

static struct maps_case {
    int line;
    const char *name, *words; /* below `from` */
    const char *want;
} maps_cases[] = {
    { __LINE__, "maps beside the configuration",
      "  read r\n  write w\n  to erp in\n  set shop = 1\n", "" },
    { __LINE__, "a map that is not there",
      "  read r\n  write no/where\n  to erp in\n", "8:9 conf-no-map; " },
    { __LINE__, "a write map where a read map belongs",
      "  read w\n  write w\n  to erp in\n", "7:8 wrong-half; " },
    { __LINE__, "other documents", "  read r\n  write s\n  to erp in\n",
      "8:9 conf-documents; " },
    { __LINE__, "a setting that no map has",
      "  read r\n  write w\n  to erp in\n  set shpo = 1\n",
      "10:7 setting-unknown; " },
    { __LINE__, "a condition on the documents",
      "  read r\n  write w when status = paid\n  to erp in\n"
      "  when number <> \"1\"\n",
      "" },
    { __LINE__, "a condition on an unknown field",
      "  read r\n  write w\n  to erp in\n  when numbr <> \"1\"\n",
      "10:8 unknown-field; " },
};

static void test_maps(void **state)
{
    const struct maps_case *m = *state;
    char text[1024];
    struct conf c;
    struct diags d;
    struct buf got;

    tree_make();
    put("r.map", read_orders);
    put("w.map", write_orders);
    put("s.map", write_stock);
    snprintf(text, sizeof(text), "%sroute o\n  from eshop inbox/*\n%s",
             SHOP ERP, m->words);
    load(text, &c, &d);
    assert_int_equal(d.n_errors, 0);
    conf_load_maps(&c, &d);
    buf_init(&got, 4096);
    describe(&d, &got);
    if (strcmp(got.p, m->want) != 0)
        fail_msg("%s:%d: got %s", __FILE__, m->line, got.p);
    if (!*m->want) {
        const struct conf_read *x = conf_route(&c, STR("o"))->reads;

        assert_int_equal(x->n_writes, 1);
        assert_ptr_equal(x->write_confs[0], conf_route(&c, STR("o"))->writes);
    }
    buf_release(&got);
    conf_free(&c);
    tree_drop();
}

static void missing_folders_are_named(void **state)
{
    struct conf c;
    struct diags d;
    struct buf got;

    (void)state;
    tree_make();
    assert_int_equal(mkdir(at("eshop"), 0700), 0);
    assert_int_equal(mkdir(at("erp"), 0700), 0);
    assert_int_equal(mkdir(at("erp/in"), 0700), 0);
    load(SHOP ERP "route o\n  from eshop inbox/*.csv\n  read r\n  write w\n"
                  "  to erp in\n  to erp out\n",
         &c, &d);
    conf_check_folders(&c, &d);
    assert_int_equal(d.n_errors, 0);
    assert_int_equal(d.first->id, DIAG_CONF_FOLDER);
    buf_init(&got, 4096);
    describe(&d, &got);
    assert_string_equal(got.p, "6:14 conf-folder; 10:10 conf-folder; ");
    buf_release(&got);
    conf_free(&c);
    tree_drop();
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(partners_and_limits),
        cmocka_unit_test(a_partner_by_sftp),
        cmocka_unit_test(a_partner_through_a_program),
        cmocka_unit_test(writes_share_the_destinations_below_them),
        cmocka_unit_test(a_route_and_its_words),
        cmocka_unit_test(which_files_a_route_takes),
        cmocka_unit_test(included_files_count),
        cmocka_unit_test(missing_folders_are_named),
    };
    struct CMUnitTest tests[COUNT(cases) + COUNT(facts) + COUNT(maps_cases)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_case, &cases[i]);
    for (size_t i = 0; i < COUNT(facts); i++)
        tests[n++] = facts[i];
    for (size_t i = 0; i < COUNT(maps_cases); i++)
        tests[n++] = (struct CMUnitTest)ROW(test_maps, &maps_cases[i]);
    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}

/* conf_maps.c - the maps of the routes: found, loaded, joined, checked. */
#include "converters/trade/rules.h"
#include "spool/conf.h"
#include "spool/conf_inside.h"

struct map_loader {
    struct conf *conf;
    struct diags *diags;
};

/* Of no use, but messages may point into it. */
static void set_aside(struct map_loader *ld, struct map *m)
{
    struct conf_spare *s = arena_alloc(&ld->conf->arena, sizeof(*s));

    *s = (struct conf_spare){ m, ld->conf->spares };
    ld->conf->spares = s;
}

/* Loads a map of that half. NULL: reported. One with mistakes is returned:
 * its name and document may still be wrong for the route. */
static struct map *load(struct map_loader *ld, struct str name, struct place at,
                        bool is_write)
{
    struct arena *a = &ld->conf->arena;
    struct buf looked;
    struct map *m;
    char *path;

    buf_init(&looked, KB(64));
    path = map_find(a, name, ld->conf->beside, &looked);
    if (!path)
        DIAG(ld->diags, CONF_NO_MAP, at, name, arena_str(a, buf_str(&looked)));
    buf_release(&looked);
    if (!path)
        return NULL;
    m = map_load(path, name, &ld->conf->limits, ld->diags);
    if (m && !m->shape) {
        set_aside(ld, m); /* not even its header was understood */
        return NULL;
    }
    if (m && m->is_write != is_write) {
        DIAG(ld->diags, WRONG_HALF, at,
             m->is_write ? STR("write") : STR("read"),
             is_write ? STR("write") : STR("read"));
        set_aside(ld, m);
        return NULL;
    }
    return m;
}

static struct expr *compile_when(struct map_loader *ld, struct map *read,
                                 const struct conf_when *w)
{
    return w->line ? map_compile_when(read, w->line, w->text, ld->diags) : NULL;
}

/* A setting that only the other map of the route knows is no mistake here;
 * job_settings_unused() finds what no map knows. */
static struct str *settings_of(struct map_loader *ld, struct route *r,
                               const struct map *m)
{
    return job_settings(&ld->conf->arena, m, r->at, r->set, r->n_set,
                        ld->diags);
}

/* Puts the write map m under the read map x, whose documents it takes. */
static void join(struct map_loader *ld, struct route *r, struct conf_read *x,
                 const struct conf_write *w, struct map *m)
{
    if (!maps_join(x->map, m))
        DIAG(ld->diags, SYNTAX, w->at,
             arena_fmt(&ld->conf->arena,
                       "the maps name more than %d x.* fields together",
                       MAX_X));
    if (w->is_reply && shape_field(x->map->shape, STR("sender"), false) < 0) {
        DIAG(ld->diags, CONF_VALUE, w->at, STR("also reply"),
             arena_fmt(&ld->conf->arena, "%s documents answer no orders",
                       x->map->document->name));
        set_aside(ld, m);
        return;
    }
    x->writes[x->n_writes] = (struct job_write){
        .map = m,
        .settings = settings_of(ld, r, m),
        .when = compile_when(ld, x->map, &w->when),
    };
    x->write_confs[x->n_writes++] = w;
}

/* A write is loaded anew for each read: joining fixes the fields of a pair. */
static void load_write(struct map_loader *ld, struct route *r,
                       const struct conf_write *w)
{
    struct map *m = load(ld, w->name, w->at, true);
    const struct level *document = m ? m->document : NULL;
    const struct map *other = NULL;
    bool joined = false;

    for (struct conf_read *x = r->reads; x && document; x = x->next) {
        if (x->map && x->map->document != document)
            other = x->map;
        if (!x->map || x->map->document != document)
            continue;
        if (!m)
            m = load(ld, w->name, w->at, true);
        if (m)
            join(ld, r, x, w, m);
        m = NULL;
        joined = true;
    }
    if (!joined && document && other && other->document)
        DIAG(ld->diags, CONF_DOCUMENTS, w->at, str_of(other->document->name),
             str_of(document->name));
    if (m)
        set_aside(ld, m);
}

/* The map of an earlier card of the route: methods of payment and shipping are
 * services of one file. */
static bool share_map(struct route *r, struct trade_card *c)
{
    for (const struct trade_card *x = r->trade.creates; x != c; x = x->next)
        if (x->map && str_eq(x->map_name, c->map_name) &&
            (x->kind == CARD_CUSTOMER) == (c->kind == CARD_CUSTOMER)) {
            c->map = x->map;
            c->settings = x->settings;
            return c->shared = true;
        }
    return false;
}

/* The maps of `create` lines write cards of the program's own making. */
static void load_cards(struct map_loader *ld, struct route *r)
{
    for (struct trade_card *c = r->trade.creates; c; c = c->next) {
        const char *wanted = c->kind == CARD_CUSTOMER ? "customer" : "product";

        if (share_map(r, c))
            continue;
        c->map = load(ld, c->map_name, c->at, true);
        if (!c->map)
            continue;
        if (strcmp(c->map->document->name, wanted) != 0) {
            DIAG(ld->diags, CONF_VALUE, c->at, STR("create"),
                 arena_fmt(&ld->conf->arena,
                           "a %s wants a map that writes %s documents, and "
                           "this one writes %s documents",
                           card_kind_names[c->kind], wanted,
                           c->map->document->name));
            set_aside(ld, c->map);
            c->map = NULL;
            continue;
        }
        c->settings = settings_of(ld, r, c->map);
        /* They are written as they come. */
        if (c->map->two_passes)
            DIAG(ld->diags, CONF_VALUE, c->at, STR("create"),
                 STR("a map of cards cannot look over all of them"));
    }
}

static size_t count_cards(const struct route *r)
{
    size_t n = 0;

    for (const struct trade_card *c = r->trade.creates; c; c = c->next)
        n++;
    return n;
}

/* Cards stand behind the writes, for maps of orders. */
static void add_cards(struct route *r, struct conf_read *x)
{
    struct trade_site *s = &x->site;

    if (strcmp(x->map->document->name, "order") != 0)
        return;
    for (struct trade_card *c = r->trade.creates; c; c = c->next) {
        size_t n = s->n_cards;

        if (!c->map || n == MAX_CARDS)
            continue;
        for (size_t i = 0; c->shared && i < n; i++)
            if (s->cards[i]->map == c->map)
                s->card_write[n] = s->card_write[i];
        s->cards[s->n_cards++] = c;
        if (c->shared)
            continue;
        s->card_write[n] = x->n_cards;
        x->writes[x->n_writes + x->n_cards++] =
            (struct job_write){ .map = c->map, .settings = c->settings };
    }
}

/* What goes back to shops comes behind what goes on. */
static const struct conf_to *first_to(const struct conf_read *x)
{
    for (int replies = 0; replies <= 1; replies++)
        for (size_t i = 0; i < x->n_writes; i++)
            if (x->write_confs[i]->to && x->write_confs[i]->is_reply == replies)
                return x->write_confs[i]->to;
    return NULL;
}

static void set_replies(struct map_loader *ld, const struct conf_read *x,
                        struct trade_site *s)
{
    struct str *names =
        arena_alloc(&ld->conf->arena, (x->n_writes + 1) * sizeof(*names));

    for (size_t i = 0; i < x->n_writes; i++)
        if (x->write_confs[i]->is_reply)
            names[s->n_replies++] = x->write_confs[i]->to->partner->name;
    s->replies = names;
}

static bool takes_from(const struct route *r, const struct partner *from)
{
    for (const struct conf_from *f = r->from; f; f = f->next)
        if (!from || f->partner == from)
            return true;
    return false;
}

/* Does it send documents of that kind, of one of their senders, there? */
static bool is_sibling(const struct route *r, const struct route *of,
                       const struct trade_site *s, const struct conf_to *to)
{
    bool shares = false;

    for (const struct conf_from *f = of->from; f; f = f->next)
        shares = shares || takes_from(r, f->partner);
    for (const struct conf_read *x = r->reads; x && shares; x = x->next) {
        const struct conf_to *first = x->map ? first_to(x) : NULL;

        if (first && x->map->document == s->document &&
            first->partner == to->partner && str_eq(first->folder, to->folder))
            return true;
    }
    return false;
}

static void set_siblings(struct map_loader *ld, const struct route *r,
                         const struct conf_to *to, struct trade_site *s)
{
    struct str *names;
    size_t n = 0;

    for (const struct route *x = ld->conf->routes; x; x = x->next)
        n++;
    names = arena_alloc(&ld->conf->arena, n * sizeof(*names));
    for (const struct route *x = ld->conf->routes; x && to; x = x->next)
        if (x != r && is_sibling(x, r, s, to))
            names[s->n_siblings++] = x->name;
    s->siblings = names;
}

/* Does a route send orders of `from` (NULL: anybody's) to that partner? */
static bool sends_orders(const struct conf *c, const struct partner *from,
                         const struct partner *to)
{
    for (const struct route *r = c->routes; r; r = r->next)
        for (const struct conf_read *x = r->reads; x; x = x->next) {
            const struct conf_to *first = x->map ? first_to(x) : NULL;

            if (first && first->partner == to && takes_from(r, from) &&
                strcmp(x->map->document->name, "order") == 0)
                return true;
        }
    return false;
}

static bool is_constant(const struct piece *p)
{
    for (; p; p = p->next)
        if (p->rule && p->rule->e->kind != E_CONST &&
            p->rule->e->kind != E_SETTING)
            return false;
    return true;
}

static bool replaces_files(const struct conf_write *w)
{
    for (const struct conf_to *to = w->to; to; to = to->next)
        if (to->partner->exists == EXISTS_REPLACE)
            return true;
    return false;
}

/* Changes never take the place of others that nobody has taken yet. */
static void check_names(struct map_loader *ld, const struct conf_read *x)
{
    for (size_t i = 0; i < x->n_writes; i++) {
        const struct map *m = x->writes[i].map;

        if (!m->file || !is_constant(m->file))
            continue;
        if (replaces_files(x->write_confs[i]))
            DIAG(ld->diags, CONF_VALUE, x->write_confs[i]->at,
                 STR("only changes"),
                 STR("files of one name would take each other's place "
                     "(exists replace), and changes be lost"));
        else
            DIAG0(ld->diags, SAME_NAME, x->write_confs[i]->at);
    }
}

/* What the rules are to know of a read map and its place. */
static void set_site(struct map_loader *ld, struct route *r,
                     struct conf_read *x)
{
    const struct conf_to *to = first_to(x);
    struct trade_site *s = &x->site;

    s->conf = &r->trade;
    s->document = x->map->document;
    s->shape = x->map->shape;
    s->route = r->name;
    for (const struct conf_read *y = r->reads; y != x; y = y->next)
        s->read++;
    s->test = r->test;
    s->receiver = to ? to->partner->name : STR("");
    s->output =
        to ? arena_fmt(&ld->conf->arena, "%.*s/%.*s",
                       STR_ARGS(to->partner->name), STR_ARGS(to->folder))
           : STR("");
    set_replies(ld, x, s);
    set_siblings(ld, r, to, s);
    s->receiver_asked = to ? to->partner->asked : 0;
    for (const struct conf_from *f = r->from; f; f = f->next) {
        s->sender_asked |= f->partner->asked;
        s->answers_orders =
            s->answers_orders || sends_orders(ld->conf, NULL, f->partner);
        s->follows_orders =
            s->follows_orders ||
            (to && sends_orders(ld->conf, f->partner, to->partner));
    }
    trade_site_check(s, ld->diags);
    if (trade_serves(s, &rule_only_changes))
        check_names(ld, x);
}

/* Which kinds of cards anybody asks of whom: before the first rule decides
 * whether it has to learn them. */
static void set_asked(struct conf *c)
{
    for (struct partner *p = c->partners; p; p = p->next)
        for (const struct route *r = c->routes; r; r = r->next)
            for (const struct conf_write *w = r->writes; w; w = w->next)
                if (w->to && w->to->partner == p)
                    p->asked |= trade_asks(&r->trade);
}

/* A reply goes to whose order it is about, and this route's sender is told
 * of orders by other routes. Those of a route with mistakes are not known. */
static void check_replies(struct map_loader *ld, const struct route *r)
{
    for (const struct conf_write *w = r->writes; w; w = w->next) {
        bool any = !w->is_reply || !r->from || ld->diags->n_errors;

        for (const struct conf_from *f = r->from; f && !any; f = f->next)
            any = sends_orders(ld->conf, w->to->partner, f->partner);
        if (!any)
            DIAG(ld->diags, REPLY_TO_NOBODY, w->at, w->to->partner->name,
                 r->from->partner->name);
    }
}

static bool tells_products(const struct conf *c, const struct partner *p)
{
    for (const struct route *r = c->routes; r; r = r->next)
        for (const struct conf_read *x = r->reads; x; x = x->next)
            if (x->map && takes_from(r, p) &&
                (strcmp(x->map->document->name, "product") == 0 ||
                 strcmp(x->map->document->name, "stock") == 0))
                return true;
    return false;
}

/* Rules that do nothing but harm as long as the receiver's list is not known.
 */
static void check_lists(struct map_loader *ld, const struct route *r)
{
    const struct trade_rule *rule =
        trade_lines_of(&r->trade, &rule_unknown)         ? &rule_unknown
        : trade_asks(&r->trade) & (ASKS_EAN | ASKS_NAME) ? &rule_match
                                                         : NULL;
    const struct conf_to *to =
        r->reads && r->reads->map ? first_to(r->reads) : NULL;

    if (rule && to && !ld->diags->n_errors &&
        !tells_products(ld->conf, to->partner))
        DIAG(ld->diags, NO_LIST, trade_place_of(&r->trade, rule),
             to->partner->name);
}

static void set_sites(struct map_loader *ld)
{
    set_asked(ld->conf);
    for (struct route *r = ld->conf->routes; r; r = r->next) {
        bool served[MAX_RULES] = { false }, all = true;

        for (struct conf_read *x = r->reads; x; x = x->next) {
            all = all && x->map;
            if (!x->map)
                continue;
            set_site(ld, r, x);
            for (size_t i = 0; i < MAX_RULES; i++)
                served[i] = served[i] || x->site.serves[i];
        }
        if (all)
            trade_conf_check(&r->trade, served, ld->diags);
        if (all && r->learns && !conf_has_rules(r))
            DIAG(ld->diags, CONF_VALUE, r->learns_at, STR("learn"),
                 STR("no rule of any route wants to know what these documents "
                     "say"));
        check_replies(ld, r);
        check_lists(ld, r);
    }
}

bool conf_has_rules(const struct route *r)
{
    for (const struct conf_read *x = r->reads; x; x = x->next)
        if (x->site.any)
            return true;
    return false;
}

/* Answers may be for nobody but us; everything else goes somewhere. */
static void check_writes(struct map_loader *ld, const struct route *r)
{
    bool only_answers = r->reads != NULL;

    for (const struct conf_read *x = r->reads; x; x = x->next)
        only_answers = only_answers && x->map &&
                       strcmp(x->map->document->name, "order_status") == 0;
    if (!r->writes && !r->learns && !only_answers)
        DIAG(ld->diags, CONF_MISSING, r->at,
             arena_fmt(&ld->conf->arena, "route %.*s", STR_ARGS(r->name)),
             STR("write"));
}

static void load_route(struct map_loader *ld, struct route *r)
{
    const struct map *maps[3] = { NULL }; /* that settings are looked up in */
    size_t n = 0;

    for (const struct conf_write *w = r->writes; w; w = w->next)
        n++;
    n += count_cards(r);
    for (struct conf_read *x = r->reads; x; x = x->next) {
        x->writes = arena_alloc(&ld->conf->arena, (n + 1) * sizeof(*x->writes));
        x->write_confs =
            arena_alloc(&ld->conf->arena, (n + 1) * sizeof(*x->write_confs));
        x->map = load(ld, x->name, x->at, false);
    }
    for (const struct conf_write *w = r->writes; w; w = w->next)
        load_write(ld, r, w);
    load_cards(ld, r);
    check_writes(ld, r);
    for (struct conf_read *x = r->reads; x; x = x->next) {
        if (!x->map)
            continue;
        add_cards(r, x);
        maps[0] = x->map;
        maps[1] = x->n_writes ? x->writes[0].map : NULL;
        x->settings = settings_of(ld, r, x->map);
        x->when = compile_when(ld, x->map, &r->when);
        if (x->n_writes == 0 && r->writes && ld->diags->n_errors == 0)
            DIAG(ld->diags, CONF_MISSING, x->at,
                 arena_fmt(&ld->conf->arena, "%.*s (it makes %s documents)",
                           STR_ARGS(x->name), x->map->document->name),
                 STR("write"));
    }
    /* Files alone would forget yesterday's orders on a busy day. */
    if (maps[0] && r->keep.files && !r->keep.days && conf_happens_once(r))
        DIAG(ld->diags, CONF_VALUE, r->keep.at, STR("keep"),
             arena_fmt(&ld->conf->arena,
                       "wants days for %ss: a file that comes again is known "
                       "as long as it is kept",
                       maps[0]->document->name));
    if (maps[0])
        job_settings_unused(&ld->conf->arena, maps, r->set, r->n_set,
                            ld->diags);
}

bool conf_is_state(const struct conf_read *read)
{
    const char *name = read->map ? read->map->document->name : "";

    return strcmp(name, "stock") == 0 || strcmp(name, "price") == 0;
}

bool conf_is_snapshot(const struct conf_read *read)
{
    return conf_is_state(read) &&
           !trade_serves(&read->site, &rule_only_changes);
}

/* Half of a stock is worse than the last one; an order stands for itself. */
bool conf_rejects_file(const struct route *r, const struct conf_read *read)
{
    return r->error_given ? r->reject_file : conf_is_state(read);
}

void conf_load_maps(struct conf *c, struct diags *diags)
{
    struct map_loader ld = { .conf = c, .diags = diags };

    for (struct route *r = c->routes; r; r = r->next)
        load_route(&ld, r);
    set_sites(&ld);
    diags_sort(diags);
}

bool conf_comes_once(const struct route *r)
{
    for (const struct conf_read *x = r->reads; x; x = x->next)
        if (x->map && strcmp(x->map->document->name, "order_status") == 0)
            return false;
    return conf_happens_once(r);
}

bool conf_happens_once(const struct route *r)
{
    static const char *const states[] = { "stock", "price", "product",
                                          "customer" };

    for (const struct conf_read *x = r->reads; x; x = x->next)
        for (size_t i = 0; x->map && i < COUNT(states); i++)
            if (strcmp(x->map->document->name, states[i]) == 0)
                return false;
    return true;
}

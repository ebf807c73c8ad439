/* conf_route.c - the words of a route's block. */
#include "converters/base/text.h"
#include "spool/conf_inside.h"
#include "spool/files.h"

/* ---- from, read, write, to ---------------------------------------------- */

/* "inbox/orders*.csv": a folder, and a pattern for names in it. */
static bool split_pattern(struct conf_parser *p, const struct oline *l,
                          struct str word, struct conf_from *f)
{
    size_t slash = word.len;

    while (slash > 0 && word.p[slash - 1] != '/')
        slash--;
    f->folder = slash ? str_first(word, slash - 1) : STR("");
    f->pattern = str_from(word, slash);
    if ((f->folder.len && !path_is_safe(f->folder)) || !f->pattern.len) {
        conf_value(p, l, word, "from",
                   "wants a folder below the partner's and a name pattern");
        return false;
    }
    if (glob_is(f->folder)) {
        conf_value(p, l, word, "from", "only the name may have a *");
        return false;
    }
    return true;
}

static void r_from(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    struct arena *a = &p->conf->arena;
    struct conf_from **last = &p->route->from;
    const struct partner *partner;
    struct str word;
    bool any = false;

    p->route->from_given = true;
    if (!conf_need(p, l, &rest, "from", "needs a partner and a pattern", &word))
        return;
    partner = conf_need_partner(p, l, word);
    while (*last)
        last = &(*last)->next;
    while (oline_word(a, l, &rest, &word, p->diags)) {
        struct conf_from *f = arena_alloc(a, sizeof(*f));

        any = true;
        f->partner = partner;
        f->at = oline_place(l, word);
        if (!split_pattern(p, l, word, f) || !partner)
            continue;
        *last = f;
        last = &f->next;
    }
    if (!any)
        conf_value(p, l, l->text, "from",
                   "needs a pattern such as inbox/*.csv");
}

static void r_read(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    struct conf_read **last = &p->route->reads;
    struct str word;

    if (!conf_need(p, l, &rest, "read", "needs a map", &word))
        return;
    while (*last)
        last = &(*last)->next;
    do {
        *last = arena_alloc(&p->conf->arena, sizeof(**last));
        (*last)->name = word;
        (*last)->at = oline_place(l, word);
        last = &(*last)->next;
    } while (oline_word(&p->conf->arena, l, &rest, &word, p->diags));
}

static struct conf_when when_of(const struct oline *l, struct str text)
{
    return (struct conf_when){ .line = l, .text = str_trim(text) };
}

static void add_write(struct route *r, struct conf_write *w)
{
    struct conf_write **last = &r->writes;

    while (*last)
        last = &(*last)->next;
    *last = w;
}

static void r_write(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    struct conf_write *w;
    struct str word;

    if (!conf_need(p, l, &rest, "write", "needs a map", &word))
        return;
    w = arena_alloc(&p->conf->arena, sizeof(*w));
    *w = (struct conf_write){ .name = word, .at = oline_place(l, word) };
    if (oline_word(&p->conf->arena, l, &rest, &word, p->diags)) {
        if (str_is(word, "when") && str_trim(rest).len)
            w->when = when_of(l, rest);
        else
            conf_value(p, l, word, "write",
                       "wants a map, or a map and when EXPR");
    }
    add_write(p->route, w);
    if (!p->group || p->group_closed) {
        p->group = w;
        p->group_closed = false;
    }
}

/* Destinations of all writes since the last group of `to` lines. */
static void r_to(struct conf_parser *p, const struct oline *l, struct str rest)
{
    struct conf_to *to = arena_alloc(&p->conf->arena, sizeof(*to));
    struct str word, folder;

    for (struct conf_write *w = p->group; w; w = w->next)
        w->to_given = true; /* replies have it already */
    if (!conf_need(p, l, &rest, "to", "needs a partner and a folder", &word))
        return;
    to->partner = conf_need_partner(p, l, word);
    if (!conf_need(p, l, &rest, "to", "needs a folder", &folder))
        return;
    conf_end(p, l, rest);
    to->at = oline_place(l, folder);
    while (folder.len > 1 && folder.p[folder.len - 1] == '/')
        folder.len--;
    to->folder = str_is(folder, ".") ? STR("") : folder;
    if (to->folder.len && !path_is_safe(to->folder))
        conf_value(p, l, folder, "to", "wants a folder below the partner's");
    if (!p->group) {
        conf_value(p, l, l->text, "to", "stands below the write that it is of");
        return;
    }
    if (!to->partner)
        return;
    /* The writes of a group share one list: the first `to` opens it. */
    for (struct conf_write *w = p->group; w && !p->group_closed; w = w->next)
        w->to = w->is_reply ? w->to : to;
    if (p->group_closed)
        p->last_to->next = to;
    p->group_closed = true;
    p->last_to = to;
}

static void r_learn(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    p->route->learns = true;
    p->route->learns_at = oline_whole(l);
    conf_end(p, l, rest);
}

/* "to PARTNER [FOLDER] with MAP": a write of its own, for the documents that
 * are about that partner's orders. */
static void r_reply(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    struct arena *a = &p->conf->arena;
    struct conf_write *w = arena_alloc(a, sizeof(*w));
    struct conf_to *to = arena_alloc(a, sizeof(*to));
    struct str word, folder = STR("outbox");

    if (!conf_need(p, l, &rest, "also reply", "wants to PARTNER with MAP",
                   &word))
        return;
    if (!str_is(word, "to")) {
        conf_value(p, l, word, "also reply", "wants to PARTNER with MAP");
        return;
    }
    if (!conf_need(p, l, &rest, "also reply", "needs a partner", &word))
        return;
    to->partner = conf_need_partner(p, l, word);
    to->at = oline_place(l, word);
    w->when = (struct conf_when){
        .line = l,
        .text = arena_fmt(a, "sender = \"%.*s\"", STR_ARGS(word)),
    };
    if (!conf_need(p, l, &rest, "also reply", "needs with MAP", &word))
        return;
    if (!str_is(word, "with")) {
        folder = word;
        to->at = oline_place(l, word);
        if (!conf_need(p, l, &rest, "also reply", "needs with MAP", &word))
            return;
    }
    if (!path_is_safe(folder)) {
        conf_value(p, l, folder, "also reply",
                   "wants a folder below the partner's");
        return;
    }
    if (!str_is(word, "with")) {
        conf_value(p, l, word, "also reply",
                   "wants to PARTNER FOLDER with MAP");
        return;
    }
    if (!conf_need(p, l, &rest, "also reply", "needs a map", &word))
        return;
    conf_end(p, l, rest);
    if (!to->partner)
        return;
    to->folder = folder;
    w->name = word;
    w->at = oline_place(l, word);
    w->to = to;
    w->to_given = w->is_reply = true;
    add_write(p->route, w);
}

/* ---- values ------------------------------------------------------------- */

static void r_set(struct conf_parser *p, const struct oline *l, struct str rest)
{
    struct arena *a = &p->conf->arena;
    struct route *r = p->route;
    struct setting_pair pair = { 0 };
    ptrdiff_t eq = str_find_char(rest, '=');
    struct str value;

    if (eq < 0 || !str_trim(str_first(rest, (size_t)eq)).len) {
        conf_value(p, l, l->text, "set", "wants NAME = VALUE");
        return;
    }
    pair.name = str_trim(str_first(rest, (size_t)eq));
    rest = str_from(rest, (size_t)eq + 1);
    if (!conf_need(p, l, &rest, "set", "needs a value behind the =", &value))
        return;
    conf_end(p, l, rest);
    pair.value = value;
    pair.at = oline_place(l, pair.name);
    for (size_t i = 0; i < r->n_set; i++)
        if (str_eq(r->set[i].name, pair.name))
            DIAG(p->diags, CONF_TWICE, pair.at, pair.name);
    if (r->n_set == r->cap_set) {
        size_t cap = r->cap_set ? r->cap_set * 2 : 8;
        struct setting_pair *grown = arena_alloc(a, cap * sizeof(*grown));

        if (r->n_set)
            memcpy(grown, r->set, r->n_set * sizeof(*grown));
        r->set = grown;
        r->cap_set = cap;
    }
    r->set[r->n_set++] = pair;
}

static void r_when(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    if (p->route->when.line)
        DIAG(p->diags, CONF_TWICE, oline_whole(l), STR("when"));
    if (!str_trim(rest).len)
        conf_value(p, l, l->text, "when", "needs a condition");
    else
        p->route->when = when_of(l, rest);
}

static void r_mode(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "mode", "wants test", &word))
        return;
    if (!str_is(word, "test"))
        conf_value(p, l, word, "mode", "wants test, or the line is left out");
    p->route->test = true;
    conf_end(p, l, rest);
}

static void r_on_error(struct conf_parser *p, const struct oline *l,
                       struct str rest)
{
    struct str what = str_trim(rest);

    if (str_is(what, "reject file"))
        p->route->reject_file = true;
    else if (str_is(what, "set aside record"))
        p->route->reject_file = false;
    else
        conf_value(p, l, what.len ? what : l->text, "on error",
                   "wants \"set aside record\" or \"reject file\"");
    p->route->error_given = true;
}

static void r_report(struct conf_parser *p, const struct oline *l,
                     struct str rest)
{
    static const char *const modes[] = { [REPORT_FAULTS] = "faults",
                                         [REPORT_ALWAYS] = "always",
                                         [REPORT_NEVER] = "never" };
    struct route *r = p->route;
    struct str word;
    size_t i = 0;

    if (r->report_given)
        DIAG(p->diags, CONF_TWICE, oline_whole(l), STR("report"));
    r->report_given = true;
    if (!conf_need(p, l, &rest, "report", "wants always, faults or never",
                   &word))
        return;
    while (i < COUNT(modes) && !str_is(word, modes[i]))
        i++;
    if (i == COUNT(modes))
        conf_value(p, l, word, "report", "wants always, faults or never");
    else
        r->report = (enum report_mode)i;
    conf_end(p, l, rest);
}

/* ---- when it runs ------------------------------------------------------- */

static bool one_schedule(struct conf_parser *p, const struct oline *l,
                         enum schedule_kind kind)
{
    if (p->route->schedule.kind != SCHEDULE_FILE) {
        DIAG(p->diags, CONF_TWICE, oline_whole(l),
             STR("the line that says when the route runs"));
        return false;
    }
    p->route->schedule.kind = kind;
    return true;
}

static void r_every(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    if (one_schedule(p, l, SCHEDULE_EVERY) &&
        conf_interval(p, l, "every", &rest, &p->route->schedule.minutes))
        conf_end(p, l, rest);
}

/* "02:30" in minutes after midnight. */
static bool read_time(struct str s, uint16_t *minutes)
{
    ptrdiff_t colon = str_find_char(s, ':');
    uint64_t h, m;

    if (colon < 1 || colon > 2 || s.len - (size_t)colon != 3 ||
        !str_to_uint(str_first(s, (size_t)colon), 23, &h) ||
        !str_to_uint(str_from(s, (size_t)colon + 1), 59, &m))
        return false;
    *minutes = (uint16_t)(h * 60 + m);
    return true;
}

/* "in Europe/Prague", behind the times. */
static void at_zone(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    struct str name;

    if (!conf_need(p, l, &rest, "at", "needs a time zone behind in", &name))
        return;
    p->route->schedule.zone = conf_zone(p, l, name);
    conf_end(p, l, rest);
}

static void r_at(struct conf_parser *p, const struct oline *l, struct str rest)
{
    struct schedule *s = &p->route->schedule;
    struct str word;

    if (!one_schedule(p, l, SCHEDULE_AT))
        return;
    for (;;) {
        if (!conf_need(p, l, &rest, "at", "needs a time such as 02:30", &word))
            return;
        if (s->n_at == MAX_TIMES) {
            conf_value(p, l, word, "at", "too many times; use every");
            return;
        }
        if (!read_time(word, &s->at[s->n_at++])) {
            conf_value(p, l, word, "at", "wants a time such as 02:30");
            return;
        }
        if (!oline_word(&p->conf->arena, l, &rest, &word, p->diags))
            return;
        if (str_is(word, "in")) {
            at_zone(p, l, rest);
            return;
        }
        if (!str_is(word, "and")) {
            conf_value(p, l, word, "at", "times are joined by \"and\"");
            return;
        }
    }
}

static void r_after(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    struct str word;

    if (!one_schedule(p, l, SCHEDULE_AFTER) ||
        !conf_need(p, l, &rest, "after", "needs a route", &word))
        return;
    p->route->schedule.after = word;
    p->route->after_at = oline_place(l, word);
    conf_end(p, l, rest);
}

static void r_by_hand(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    one_schedule(p, l, SCHEDULE_HAND);
    conf_end(p, l, rest);
}

static void r_expect(struct conf_parser *p, const struct oline *l,
                     struct str rest)
{
    if (conf_interval(p, l, "expect every", &rest, &p->route->expect_minutes))
        conf_end(p, l, rest);
}

static void r_keep(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    conf_keep(p, l, rest, &p->route->keep);
}

static void r_trouble(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    p->route->on_trouble = conf_program(p, l, rest);
}

static void r_trigger(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    (void)conf_ending(p, l, rest, &p->route->trigger);
}

/* ---- the block ---------------------------------------------------------- */

static const struct conf_word route_words[] = {
    { .name = "from", .parse = r_from },
    { .name = "read", .parse = r_read },
    { .name = "write", .parse = r_write },
    { .name = "to", .parse = r_to },
    { .name = "learn", .parse = r_learn },
    { .name = "also reply", .parse = r_reply },
    { .name = "set", .parse = r_set },
    { .name = "when", .parse = r_when },
    { .name = "mode", .parse = r_mode },
    { .name = "on error", .parse = r_on_error },
    { .name = "report", .parse = r_report },
    { .name = "every", .parse = r_every },
    { .name = "at", .parse = r_at },
    { .name = "after", .parse = r_after },
    { .name = "by hand", .parse = r_by_hand },
    { .name = "expect every", .parse = r_expect },
    { .name = "keep", .parse = r_keep },
    { .name = "on trouble", .parse = r_trouble },
    { .name = "trigger", .parse = r_trigger },
    { .name = NULL },
};

/* Names of routes become names of folders (mode test) and of commands. */
static bool is_route_name(struct str s)
{
    return name_is_safe(s) && str_find_char(s, ' ') < 0 && s.len <= 64 &&
           s.p[0] != '-';
}

void conf_parse_route(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    struct route **last = &p->conf->routes;
    struct route *r;
    struct str name;

    if (!conf_need(p, l, &rest, "route", "needs a name", &name))
        return;
    if (conf_route(p->conf, name))
        DIAG(p->diags, CONF_TWICE, oline_place(l, name),
             arena_fmt(&p->conf->arena, "route %.*s", STR_ARGS(name)));
    if (!is_route_name(name))
        conf_value(p, l, name, "route",
                   "a name has no blanks or slashes and no leading dot");
    conf_end(p, l, rest);
    r = arena_alloc(&p->conf->arena, sizeof(*r));
    *r = (struct route){ .name = name, .at = oline_place(l, name) };
    r->trade.arena = &p->conf->arena;
    r->trade.tables = &p->conf->tables;
    p->route = r;
    p->group = NULL;
    p->group_closed = false;
    for (const struct oline *x = l->child; x; x = x->next)
        if (!trade_line(&r->trade, x, p->diags))
            conf_line(p, x, route_words);
    p->route = NULL;
    while (*last)
        last = &(*last)->next;
    *last = r;
}

static void missing(struct conf_parser *p, const struct route *r,
                    const char *word)
{
    DIAG(p->diags, CONF_MISSING, r->at,
         arena_fmt(&p->conf->arena, "route %.*s", STR_ARGS(r->name)),
         str_of(word));
}

/* Does the route wait for itself, over one other or more? */
static bool waits_for_itself(const struct conf *conf, const struct route *r)
{
    const struct route *x = r;

    for (const struct route *turn = conf->routes; turn; turn = turn->next) {
        if (x->schedule.kind != SCHEDULE_AFTER)
            return false;
        x = conf_route(conf, x->schedule.after);
        if (!x || x == r)
            return x != NULL;
    }
    return false;
}

static void check_after(struct conf_parser *p, const struct route *r)
{
    const char *names[64];
    size_t n = 0;

    if (r->schedule.kind != SCHEDULE_AFTER || !r->schedule.after.len)
        return;
    if (waits_for_itself(p->conf, r))
        DIAG(p->diags, CONF_VALUE, r->after_at, STR("after"),
             STR("the route would wait for itself, and never run"));
    if (conf_route(p->conf, r->schedule.after))
        return;
    for (const struct route *x = p->conf->routes; x && n < COUNT(names);
         x = x->next)
        names[n++] = arena_cstr(&p->conf->arena, x->name);
    DIAG(p->diags, CONF_NO_ROUTE, r->after_at, r->schedule.after,
         did_you_mean(&p->conf->arena, r->schedule.after, names, n));
}

/* Times without a zone are those of the configuration, else of the machine
 * (/etc/localtime), else UTC; never of the process. */
static const struct zone *machine_zone(struct conf_parser *p)
{
    struct err ignored;

    if (!p->conf->zone)
        p->conf->zone = zone_load(&p->conf->arena, STR("localtime"), &ignored);
    return p->conf->zone;
}

void conf_check_route(struct conf_parser *p, struct route *r)
{
    bool has_to = true;

    if (!r->from && !r->from_given)
        missing(p, r, "from");
    if (!r->reads)
        missing(p, r, "read");
    if (r->writes && r->learns)
        DIAG(p->diags, CONF_VALUE, r->learns_at, STR("learn"),
             STR("stands in place of write and to"));
    for (const struct conf_write *w = r->writes; w; w = w->next)
        has_to = has_to && w->to_given;
    if (!has_to)
        missing(p, r, "to");
    check_after(p, r);
    if (r->schedule.kind == SCHEDULE_AT && !r->schedule.zone)
        r->schedule.zone = machine_zone(p);
}

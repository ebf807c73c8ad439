/*
 * conf_partner.c - the words of a partner's block.
 *
 * A partner is reached in one of three ways: a folder of this machine, SFTP by
 * a line of ours, or SFTP through a program. Most words go with some of these
 * only; the table says with which, and check_lines() looks when the whole block
 * is read. `remote` is filled from the first line on and taken away again if
 * the partner turns out to have a folder.
 */
#include <grp.h>
#include <unistd.h>

#include "converters/base/text.h"
#include "spool/conf_inside.h"
#include "spool/files.h"

enum { MAX_NAMES = 64, MAX_PAUSE_S = 24 * 60 * 60, MAX_CONNECTIONS = 8 };

/* The ways to reach a partner. */
enum {
    FOLDER = 1,
    SFTP = 2,
    THROUGH = 4,
    REMOTE = SFTP | THROUGH,
    ANY = FOLDER | REMOTE
};

/* ---- all partners ------------------------------------------------------- */

static void p_folder(struct conf_parser *p, const struct oline *l,
                     struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "folder", "needs a path", &word))
        return;
    p->partner->folder = conf_path(p, word);
    conf_end(p, l, rest);
}

static void p_country(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "country", "needs a code such as cz", &word))
        return;
    if (word.len != 2)
        conf_value(p, l, word, "country", "wants a code of two letters");
    else
        p->partner->country =
            text_lower(&p->conf->arena, word, (struct str){ NULL, 0 });
    conf_end(p, l, rest);
}

static void p_mode(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    struct str word;
    unsigned mode = 0;
    bool ok;

    if (!conf_need(p, l, &rest, "mode", "needs a number such as 0660", &word))
        return;
    ok = word.len == 3 || (word.len == 4 && word.p[0] == '0');
    for (size_t i = 0; i < word.len; i++) {
        ok = ok && word.p[i] >= '0' && word.p[i] <= '7';
        mode = mode * 8 + ((unsigned)word.p[i] & 7);
    }
    if (!ok || (mode & 0111))
        conf_value(p, l, word, "mode",
                   "wants three octal digits without execute bits, as 0660");
    else
        p->partner->mode = mode;
    conf_end(p, l, rest);
}

static void p_group(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    struct str word;
    struct group *g;
    uint64_t id;

    if (!conf_need(p, l, &rest, "group", "needs a name", &word))
        return;
    g = getgrnam(arena_cstr(&p->conf->arena, word));
    if (g)
        p->partner->group = g->gr_gid;
    else if (str_to_uint(word, UINT32_MAX - 1, &id))
        p->partner->group = (gid_t)id;
    else
        conf_value(p, l, word, "group", "this machine has no such group");
    conf_end(p, l, rest);
}

static void p_mounted(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "mounted", "needs a folder", &word))
        return;
    p->partner->mounted = conf_path(p, word);
    conf_end(p, l, rest);
}

static void p_shared(struct conf_parser *p, const struct oline *l,
                     struct str rest)
{
    p->partner->shared = true;
    conf_end(p, l, rest);
}

static void p_exists(struct conf_parser *p, const struct oline *l,
                     struct str rest)
{
    static const struct {
        const char *name;
        enum exists exists;
    } forms[] = { { "replace", EXISTS_REPLACE },
                  { "keep both", EXISTS_KEEP_BOTH },
                  { "fail", EXISTS_FAIL } };

    rest = str_trim(rest);
    for (size_t i = 0; i < COUNT(forms); i++)
        if (str_is(rest, forms[i].name)) {
            p->partner->exists = forms[i].exists;
            return;
        }
    conf_value(p, l, rest.len ? rest : l->text, "exists",
               "wants replace, keep both or fail");
}

static void p_unconfirmed(struct conf_parser *p, const struct oline *l,
                          struct str rest)
{
    static const struct {
        const char *name;
        enum unconfirmed rule;
    } rules[] = { { "hold", UNCONFIRMED_HOLD },
                  { "resend", UNCONFIRMED_RESEND },
                  { "accept", UNCONFIRMED_ACCEPT } };

    rest = str_trim(rest);
    for (size_t i = 0; i < COUNT(rules); i++)
        if (str_is(rest, rules[i].name)) {
            p->partner->unconfirmed = rules[i].rule;
            return;
        }
    conf_value(p, l, rest.len ? rest : l->text, "unconfirmed",
               "wants hold, resend or accept");
}

bool conf_ending(struct conf_parser *p, const struct oline *l, struct str rest,
                 struct str *ending)
{
    struct str word;

    if (!conf_need(p, l, &rest, "trigger", "needs an ending such as .done",
                   &word))
        return false;
    conf_end(p, l, rest);
    if (word.len < 2 || word.p[0] != '.' || !name_is_safe(str_from(word, 1))) {
        conf_value(p, l, word, "trigger", "wants an ending such as .done");
        return false;
    }
    *ending = word;
    return true;
}

static void p_trigger(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    struct str ending;

    if (conf_ending(p, l, rest, &ending))
        p->partner->trigger = arena_str(&p->conf->arena, ending);
}

/* ---- where a server is -------------------------------------------------- */

/* Why the port cannot be used; NULL: it can, and is in *out. */
static const char *read_port(struct str s, uint32_t *out)
{
    uint64_t port;

    if (!str_to_uint(s, 65535, &port) || port == 0)
        return "wants a port from 1 to 65535 behind the colon";
    *out = (uint32_t)port;
    return NULL;
}

static bool is_host(struct str s, const char *also)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
            (c < '0' || c > '9') && (!c || !strchr(also, c)))
            return false;
    }
    return s.len > 0 && s.p[0] != '-';
}

/* "erp.example", "erp.example:2222", "[2001:db8::1]:22". */
static const char *read_host(struct arena *a, struct str s, struct login *login)
{
    bool v6 = str_starts(s, STR("["));
    ptrdiff_t end = str_find_char(s, v6 ? ']' : ':');
    struct str host, behind;

    if (v6 && end < 0)
        return "wants a ] behind the IPv6 address";
    host = end < 0 ? s : str_first(s, (size_t)end);
    behind = end < 0 ? STR("") : str_from(s, (size_t)end + (v6 ? 1 : 0));
    if (v6)
        host = str_from(host, 1);
    else if (behind.len && str_find_char(str_from(behind, 1), ':') >= 0)
        return "wants an IPv6 address in brackets: USER@[2001:db8::1]:22";
    if (!is_host(host, v6 ? ":.%" : ".-_"))
        return "wants the server's name or address behind the @";
    login->host = arena_cstr(a, host);
    if (!behind.len)
        return NULL;
    if (behind.p[0] != ':')
        return "wants a colon and the port behind the ]";
    return read_port(str_from(behind, 1), &login->port);
}

/* "kervan@erp.example:22/import". Users' names may have an @ of their own. A
 * program that is spoken through needs only the folder. */
static const char *read_address(struct arena *a, struct str s,
                                struct remote *out)
{
    ptrdiff_t slash = str_find_char(s, '/');
    struct str who = slash < 0 ? s : str_first(s, (size_t)slash);
    struct str folder = slash < 0 ? STR("") : str_from(s, (size_t)slash);
    size_t at = who.len;

    if (str_starts(s, STR("sftp://")))
        return "wants USER@HOST/FOLDER, without sftp:// in front";
    while (folder.len > 1 && folder.p[folder.len - 1] == '/')
        folder.len--;
    if (folder.len > 1 && !path_is_safe(str_from(folder, 1)))
        return "wants a folder without . and .. in it";
    out->base = arena_str(a, folder);
    if (!who.len)
        return NULL;
    while (at > 0 && who.p[at - 1] != '@')
        at--;
    if (at > 1)
        out->login.user = arena_cstr(a, str_first(who, at - 1));
    return read_host(a, str_from(who, at), &out->login);
}

static void p_sftp(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    const char *wrong;
    struct str word;

    p->address_wrong = true;
    if (!conf_need(p, l, &rest, "sftp", "needs USER@HOST, and perhaps a folder",
                   &word))
        return;
    conf_end(p, l, rest);
    wrong = read_address(&p->conf->arena, word, p->partner->remote);
    if (wrong)
        conf_value(p, l, word, "sftp", wrong);
    p->address_wrong = wrong != NULL;
}

static void p_through(struct conf_parser *p, const struct oline *l,
                      struct str rest)
{
    struct login *login = &p->partner->remote->login;
    struct str word;
    size_t n = 0;

    if (!conf_need(p, l, &rest, "through", "needs a program", &word))
        return;
    login->through[n++] = conf_path(p, word);
    if (access(login->through[0], X_OK) == -1)
        conf_value(p, l, word, "through",
                   "there is no such program, or we may not run it");
    while (oline_word(&p->conf->arena, l, &rest, &word, p->diags)) {
        if (n == MAX_THROUGH - 1) {
            conf_value(p, l, word, "through", "has too many words");
            return;
        }
        login->through[n++] = arena_cstr(&p->conf->arena, word);
    }
}

/* ---- who we are, and who he is ------------------------------------------ */

/* A file, or what systemd hands over: "credential:NAME" stays as it is. */
static const char *secret(struct conf_parser *p, const struct oline *l,
                          struct str rest, const char *what, struct place *at)
{
    const struct str kept = STR("credential:");
    struct str word;

    if (!conf_need(p, l, &rest, what, "needs a file", &word))
        return NULL;
    conf_end(p, l, rest);
    *at = oline_place(l, word);
    if (!str_starts(word, kept))
        return conf_path(p, word);
    if (name_is_safe(str_from(word, kept.len)))
        return arena_cstr(&p->conf->arena, word);
    conf_value(p, l, word, what, "wants a name behind credential:");
    return NULL;
}

static void p_key(struct conf_parser *p, const struct oline *l, struct str rest)
{
    struct remote *r = p->partner->remote;

    r->login.key = secret(p, l, rest, "key", &r->key_at);
}

static void p_passphrase(struct conf_parser *p, const struct oline *l,
                         struct str rest)
{
    struct remote *r = p->partner->remote;

    r->login.passphrase = secret(p, l, rest, "passphrase", &r->passphrase_at);
}

static void p_password(struct conf_parser *p, const struct oline *l,
                       struct str rest)
{
    struct remote *r = p->partner->remote;

    r->login.password = secret(p, l, rest, "password", &r->password_at);
}

static void p_agent(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    p->partner->remote->login.agent = true;
    conf_end(p, l, rest);
}

static void p_known_hosts(struct conf_parser *p, const struct oline *l,
                          struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "known_hosts", "needs a file", &word))
        return;
    p->partner->remote->login.known_hosts = conf_path(p, word);
    conf_end(p, l, rest);
}

bool conf_is_fingerprint(struct str s)
{
    const struct str kind = STR("SHA256:");
    struct str hash = str_from(s, kind.len);

    if (!str_starts(s, kind) || hash.len != 43)
        return false;
    for (size_t i = 0; i < hash.len; i++) {
        char c = hash.p[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
            (c < '0' || c > '9') && c != '+' && c != '/')
            return false;
    }
    return true;
}

static void p_fingerprint(struct conf_parser *p, const struct oline *l,
                          struct str rest)
{
    struct login *login = &p->partner->remote->login;
    struct str word;

    if (!conf_need(p, l, &rest, "fingerprint", "needs SHA256:...", &word))
        return;
    conf_end(p, l, rest);
    if (!conf_is_fingerprint(word))
        conf_value(p, l, word, "fingerprint",
                   "wants SHA256: and 43 characters, as ssh-keygen -l prints "
                   "it");
    else if (login->n_pins == MAX_PINS)
        conf_value(p, l, word, "fingerprint", "there are 16 already");
    else
        login->pins[login->n_pins++] = arena_cstr(&p->conf->arena, word);
}

/* What is off because it is weak: a partner may need it. */
static const char *const weak[] = {
    "ssh-rsa",
    "ssh-dss",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group1-sha1",
    "aes128-cbc",
    "aes192-cbc",
    "aes256-cbc",
    "3des-cbc",
    "hmac-sha1",
};

static void allow_one(struct conf_parser *p, const struct oline *l,
                      struct str name)
{
    struct login *login = &p->partner->remote->login;
    size_t i = 0;

    _Static_assert(COUNT(weak) <= MAX_WEAK, "a partner may need them all");
    while (i < COUNT(weak) && !str_is(name, weak[i]))
        i++;
    if (i == COUNT(weak)) {
        DIAG(p->diags, CONF_UNKNOWN, oline_place(l, name), name,
             did_you_mean(&p->conf->arena, name, weak, COUNT(weak)));
        return;
    }
    DIAG(p->diags, CONF_WEAK, oline_place(l, name), name);
    for (size_t k = 0; k < login->n_weak; k++)
        if (login->weak[k] == weak[i])
            return;
    login->weak[login->n_weak++] = weak[i];
}

static void p_allow(struct conf_parser *p, const struct oline *l,
                    struct str rest)
{
    struct str word;

    if (!conf_need(p, l, &rest, "allow", "needs names of algorithms", &word))
        return;
    do
        allow_one(p, l, word);
    while (oline_word(&p->conf->arena, l, &rest, &word, p->diags));
}

/* ---- what is done there ------------------------------------------------- */

/* A folder below the partner's own. */
static bool folder_below(struct conf_parser *p, const struct oline *l,
                         struct str *rest, const char *what, struct str *out)
{
    struct str word;

    if (!conf_need(p, l, rest, what, "needs a folder", &word))
        return false;
    while (word.len > 1 && word.p[word.len - 1] == '/')
        word.len--;
    if (!path_is_safe(word)) {
        conf_value(p, l, word, what, "wants a folder below the partner's");
        return false;
    }
    *out = arena_str(&p->conf->arena, word);
    return true;
}

static void p_temp(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    if (folder_below(p, l, &rest, "temp", &p->partner->remote->temp))
        conf_end(p, l, rest);
}

static void p_after_fetch(struct conf_parser *p, const struct oline *l,
                          struct str rest)
{
    static const char usage[] = "wants delete, move FOLDER or keep";
    struct remote *r = p->partner->remote;
    struct str word;

    if (!conf_need(p, l, &rest, "after fetch", usage, &word))
        return;
    if (str_is(word, "delete")) {
        r->after = AFTER_DELETE;
    } else if (str_is(word, "keep")) {
        r->after = AFTER_KEEP;
    } else if (str_is(word, "move")) {
        r->after = AFTER_MOVE;
        if (!folder_below(p, l, &rest, "after fetch move", &r->moved_to))
            return;
    } else {
        conf_value(p, l, word, "after fetch", usage);
        return;
    }
    conf_end(p, l, rest);
}

/* "30 seconds", "2 minutes", at least `min` seconds. */
static void pause_of(struct conf_parser *p, const struct oline *l,
                     struct str rest, const char *what, uint32_t min,
                     uint32_t *out)
{
    static const char usage[] = "wants a number of seconds or minutes";
    struct str number, unit;
    uint64_t n;

    if (!conf_need(p, l, &rest, what, usage, &number) ||
        !conf_need(p, l, &rest, what, usage, &unit))
        return;
    conf_end(p, l, rest);
    if (!str_to_uint(number, MAX_PAUSE_S, &n)) {
        conf_value(p, l, number, what, usage);
        return;
    }
    if (str_is(unit, "minutes") || str_is(unit, "minute")) {
        n *= 60;
    } else if (!str_is(unit, "seconds") && !str_is(unit, "second")) {
        conf_value(p, l, unit, what, usage);
        return;
    }
    if (n < min || n > MAX_PAUSE_S)
        conf_value(p, l, number, what,
                   min ? "wants at least 10 seconds, and at most a day"
                       : "wants at most a day");
    else
        *out = (uint32_t)n;
}

static void p_look(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    pause_of(p, l, rest, "look every", 10, &p->partner->remote->look_s);
}

static void p_rest(struct conf_parser *p, const struct oline *l,
                   struct str rest)
{
    pause_of(p, l, rest, "rest", 0, &p->partner->remote->rest_s);
}

static void p_connections(struct conf_parser *p, const struct oline *l,
                          struct str rest)
{
    struct str word;
    uint64_t n;

    if (!conf_need(p, l, &rest, "connections", "needs a number", &word))
        return;
    conf_end(p, l, rest);
    if (!str_to_uint(word, MAX_CONNECTIONS, &n) || n == 0)
        conf_value(p, l, word, "connections", "wants a number from 1 to 8");
    else
        p->partner->remote->n_lines = (uint32_t)n;
}

/* ---- the block ---------------------------------------------------------- */

static const struct conf_word partner_words[] = {
    { .name = "folder", .parse = p_folder, .ways = ANY },
    { .name = "sftp", .parse = p_sftp, .ways = ANY },
    { .name = "through", .parse = p_through, .ways = ANY },
    { .name = "country", .parse = p_country, .ways = ANY },
    { .name = "exists", .parse = p_exists, .ways = ANY },
    { .name = "unconfirmed", .parse = p_unconfirmed, .ways = ANY },
    { .name = "trigger", .parse = p_trigger, .ways = ANY },
    { .name = "mounted", .parse = p_mounted, .ways = FOLDER },
    { .name = "shared", .parse = p_shared, .ways = FOLDER },
    { .name = "mode", .parse = p_mode, .ways = FOLDER },
    { .name = "group", .parse = p_group, .ways = FOLDER },
    { .name = "key", .parse = p_key, .ways = SFTP },
    { .name = "passphrase", .parse = p_passphrase, .ways = SFTP },
    { .name = "password", .parse = p_password, .ways = SFTP },
    { .name = "agent", .parse = p_agent, .ways = SFTP },
    { .name = "known_hosts", .parse = p_known_hosts, .ways = SFTP },
    { .name = "fingerprint",
      .parse = p_fingerprint,
      .ways = SFTP,
      .may_repeat = true },
    { .name = "allow", .parse = p_allow, .ways = SFTP, .may_repeat = true },
    { .name = "temp", .parse = p_temp, .ways = REMOTE },
    { .name = "after fetch", .parse = p_after_fetch, .ways = REMOTE },
    { .name = "look every", .parse = p_look, .ways = REMOTE },
    { .name = "rest", .parse = p_rest, .ways = REMOTE },
    { .name = "connections", .parse = p_connections, .ways = REMOTE },
    { .name = NULL },
};

/* The first line with that word, before `end` (NULL: of all). */
static const struct oline *line_of(const struct oline *first, const char *word,
                                   const struct oline *end)
{
    struct str rest;

    for (const struct oline *l = first; l && l != end; l = l->next)
        if (conf_begins(l->text, word, &rest))
            return l;
    return NULL;
}

static const char *out_of_place(unsigned ways, unsigned way)
{
    if (way == FOLDER)
        return "is for a partner by SFTP, and this one has a folder";
    if (ways == FOLDER)
        return "is for a partner with a folder, and this one is reached by "
               "SFTP";
    return "does nothing here: the program of the line \"through\" logs in";
}

/* Lines that stand twice, or do not go with the way to the partner. */
static void check_lines(struct conf_parser *p, const struct oline *block,
                        unsigned way)
{
    struct str rest;

    for (const struct oline *l = block; l; l = l->next)
        for (const struct conf_word *w = partner_words; w->name; w++) {
            if (!conf_begins(l->text, w->name, &rest))
                continue;
            if (!(w->ways & way))
                conf_value(p, l, str_first(l->text, strlen(w->name)), w->name,
                           out_of_place(w->ways, way));
            if (!w->may_repeat && line_of(block, w->name, l))
                DIAG(p->diags, CONF_TWICE, oline_whole(l), str_of(w->name));
        }
}

/* What a line of ours cannot do without. */
static void check_login(struct conf_parser *p, const struct oline *block)
{
    const struct oline *sftp = line_of(block, "sftp", NULL), *l;
    struct login *login = &p->partner->remote->login;

    if (!p->address_wrong && (!login->user || !login->host))
        conf_value(p, sftp, sftp->text, "sftp",
                   "wants USER@HOST, USER@HOST:PORT or USER@HOST/FOLDER");
    if (!line_of(block, "key", NULL) && !line_of(block, "password", NULL) &&
        !line_of(block, "agent", NULL))
        conf_value(p, sftp, sftp->text, "sftp",
                   "needs something to log in with: a line key, password or "
                   "agent");
    l = line_of(block, "passphrase", NULL);
    if (l && !line_of(block, "key", NULL))
        conf_value(p, l, l->text, "passphrase",
                   "there is no key that it opens");
    if (!login->known_hosts && !login->n_pins &&
        !line_of(block, "fingerprint", NULL))
        login->known_hosts = conf_path(p, STR("known_hosts"));
}

static struct str address_of(struct arena *a, const struct remote *r)
{
    const struct login *l = &r->login;
    bool v6 = l->host && strchr(l->host, ':');

    if (l->through[0]) {
        struct str text = STR("through");

        for (size_t i = 0; l->through[i]; i++)
            text = arena_fmt(a, "%.*s %s", STR_ARGS(text), l->through[i]);
        return arena_fmt(a, "%.*s%s%.*s", STR_ARGS(text),
                         r->base.len ? " " : "", STR_ARGS(r->base));
    }
    return arena_fmt(a, "%s@%s%s%s:%u%.*s", l->user ? l->user : "",
                     v6 ? "[" : "", l->host ? l->host : "", v6 ? "]" : "",
                     (unsigned)l->port, STR_ARGS(r->base));
}

/* When the block is read: by which way is he reached, and is all there? */
static void check_partner(struct conf_parser *p, const struct oline *block)
{
    struct partner *x = p->partner;
    bool has_folder = line_of(block, "folder", NULL);
    bool has_through = line_of(block, "through", NULL);
    bool has_sftp = line_of(block, "sftp", NULL);
    unsigned way = has_through ? THROUGH : has_sftp ? SFTP : FOLDER;

    if (has_folder && way != FOLDER) {
        DIAG(p->diags, CONF_TWICE, x->at,
             STR("the way to the partner (folder or sftp)"));
        way = ANY;
    } else if (!has_folder && way == FOLDER) {
        DIAG(p->diags, CONF_MISSING, x->at,
             arena_fmt(&p->conf->arena, "partner %.*s", STR_ARGS(x->name)),
             line_of(block, "key", NULL) ? STR("sftp") : STR("folder"));
        way = ANY;
    }
    check_lines(p, block, way);
    if (way == SFTP)
        check_login(p, block);
    if (has_sftp || has_through)
        x->remote->address = address_of(&p->conf->arena, x->remote);
    else
        x->remote = NULL;
}

static void partner_init(struct conf_parser *p, struct partner *x,
                         const struct oline *l, struct str name)
{
    struct arena *a = &p->conf->arena;

    *x = (struct partner){ .name = arena_str(a, name),
                           .mode = 0640,
                           .group = (gid_t)-1,
                           .at = oline_place(l, name) };
    x->remote = arena_alloc(a, sizeof(*x->remote));
    *x->remote = (struct remote){
        .login = { .partner = arena_cstr(a, name),
                   .transport = "",
                   .port = 22 },
        .base = STR(""),
        .temp = STR(""),
        .moved_to = STR(""),
        .look_s = 60,
        .rest_s = 30,
        .n_lines = 1,
    };
}

void conf_parse_partner(struct conf_parser *p, const struct oline *l,
                        struct str rest)
{
    struct partner **last = &p->conf->partners;
    struct partner *x;
    struct str name;

    if (!conf_need(p, l, &rest, "partner", "needs a name", &name))
        return;
    if (conf_partner(p->conf, name))
        DIAG(p->diags, CONF_TWICE, oline_place(l, name),
             arena_fmt(&p->conf->arena, "partner %.*s", STR_ARGS(name)));
    conf_end(p, l, rest);
    x = arena_alloc(&p->conf->arena, sizeof(*x));
    partner_init(p, x, l, name);
    p->partner = x;
    p->address_wrong = false;
    conf_block(p, l->child, partner_words);
    check_partner(p, l->child);
    while (*last)
        last = &(*last)->next;
    *last = x;
}

static uint32_t seconds(const struct conf *c, enum limit_id id)
{
    uint64_t n = c->limits.v[id];

    return n < MAX_PAUSE_S ? (uint32_t)n : MAX_PAUSE_S;
}

/* Limits may stand below the partners. */
void conf_set_limits(struct conf *c)
{
    for (struct partner *x = c->partners; x; x = x->next) {
        struct login *l = x->remote ? &x->remote->login : NULL;

        if (!l)
            continue;
        l->connect_s = seconds(c, LIMIT_SFTP_CONNECT);
        l->handshake_s = seconds(c, LIMIT_SFTP_HANDSHAKE);
        l->login_s = seconds(c, LIMIT_SFTP_LOGIN);
        l->operation_s = seconds(c, LIMIT_SFTP_OPERATION);
        l->rate = c->limits.v[LIMIT_SFTP_RATE];
    }
}

const struct partner *conf_partner(const struct conf *c, struct str name)
{
    for (const struct partner *x = c->partners; x; x = x->next)
        if (str_eq(x->name, name))
            return x;
    return NULL;
}

const struct partner *conf_need_partner(struct conf_parser *p,
                                        const struct oline *l, struct str name)
{
    const struct partner *x = conf_partner(p->conf, name);
    const char *names[MAX_NAMES];
    size_t n = 0;

    if (x)
        return x;
    for (x = p->conf->partners; x && n < COUNT(names); x = x->next)
        names[n++] = arena_cstr(&p->conf->arena, x->name);
    DIAG(p->diags, CONF_NO_PARTNER, oline_place(l, name), name,
         did_you_mean(&p->conf->arena, name, names, n));
    return NULL;
}

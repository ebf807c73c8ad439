/*
 * manual.c - `kervan manual TOPIC`: the tables of the code as mdoc(7), for
 * the manual pages (converters/make-manual puts them in).
 *
 * The tables are those that the program itself works by, so a page cannot
 * name a function or an option that does not exist, or forget one.
 */
#include <stdio.h>
#include <string.h>

#include "converters/base/idcheck.h"
#include "converters/base/utf8.h"
#include "converters/cmd/cmd.h"
#include "converters/lang/func.h"
#include "converters/lang/options.h"
#include "formats/format.h"

extern const struct cmd cmd_manual;

/* ---- roff --------------------------------------------------------------- */

/*
 * Text that roff shows as it stands. `\&` in front keeps a dot from being a
 * request and a bracket from being taken for punctuation of the sentence.
 */
static void text(const char *z)
{
    struct str s = str_of(z);
    int32_t cp;

    fputs("\\&", stdout);
    for (size_t at = 0; at < s.len;) {
        cp = utf8_next(s, &at);
        if (cp < 0)
            return; /* our own texts are UTF-8 */
        if (cp >= 0x80)
            printf("\\[u%04X]", (unsigned)cp);
        else if (cp == '\\')
            fputs("\\e", stdout);
        else if (cp == '"')
            fputs("\\(dq", stdout);
        else if (cp == '-')
            fputs("\\-", stdout);
        else
            putchar((int)cp);
    }
}

static void heading(const char *s)
{
    fputs(".Ss ", stdout);
    text(s);
    putchar('\n');
}

/* The widest tag decides how far its text is indented. */
static void list_begin(const char *widest)
{
    printf(".Bl -tag -width \"%s\"\n", widest);
}

static void list_end(void)
{
    puts(".El");
}

/* A tag: a word of the language, and what stands behind it. */
static void item(const char *name, const char *more)
{
    fputs(".It Ic \"", stdout);
    text(name);
    putchar('"');
    if (more && more[0]) {
        fputs(" No \"", stdout);
        text(more);
        putchar('"');
    }
    putchar('\n');
}

/* What the table says, and what holds when nothing is said. */
static void help(const char *s, const char *fallback)
{
    text(s);
    if (fallback) {
        fputs("; default: ", stdout);
        text(fallback);
    }
    putchar('\n');
}

/* ---- the topics --------------------------------------------------------- */

static void literal(const char *s)
{
    puts(".Bd -literal");
    for (const char *end; *s; s = *end ? end + 1 : end) {
        char line[200];

        end = strchr(s, '\n');
        if (!end)
            end = s + strlen(s);
        snprintf(line, sizeof(line), "%.*s", (int)(end - s), s);
        if (line[0])
            text(line);
        putchar('\n');
    }
    puts(".Ed");
}

static void commands(void)
{
    const struct cmd *c;

    for (size_t i = 0; (c = cmd_number(i)) != NULL; i++) {
        if (!c->help)
            continue;
        fputs(".Ss kervan ", stdout);
        text(c->name);
        printf("\n.Nm\n.Ic %s\n", c->name);
        text(c->args);
        puts("\n.Pp");
        text(c->help);
        putchar('\n');
        if (c->more && c->more[0])
            literal(c->more);
    }
}

static void functions(void)
{
    char call[200];

    list_begin("split_street");
    for (size_t i = 0; func_tables[i]; i++)
        for (const struct func *f = func_tables[i]; f->name; f++) {
            snprintf(call, sizeof(call), "%s%s%s%s", f->name,
                     f->flags & FN_BARE ? "" : "(", f->args,
                     f->flags & FN_BARE ? "" : ")");
            item(call, NULL);
            help(f->help, NULL);
            if (f->flags & FN_SEVERAL)
                puts("(takes several values, and\n.Ic where )");
        }
    list_end();
}

static void field(const struct field_spec *f)
{
    item(f->name, NULL);
    printf(".Em %s%s :\n", field_type_name(f->type), f->key ? ", key" : "");
    text(f->help);
    if (f->choices)
        fputs("; one of ", stdout);
    for (const char *c = f->choices; c && *c; c++)
        if (*c == '|')
            fputs(", ", stdout);
        else
            putchar(*c);
    putchar('\n');
}

static void level_fields(const struct level *l, const char *outer)
{
    char name[100], title[240];

    snprintf(name, sizeof(name), "%s%s%s", outer ? outer : "",
             outer ? ", each " : "", l->name);
    snprintf(title, sizeof(title), "%s: %s", name, l->help);
    heading(title);
    puts(".Bl -tag -width \"delivery.house_number\" -compact");
    for (const struct field_spec *f = l->fields; f->name; f++)
        field(f);
    list_end();
    for (int i = 0; l->lists && l->lists[i]; i++)
        level_fields(l->lists[i], name);
}

static void fields(void)
{
    for (size_t i = 0; documents[i]; i++)
        level_fields(documents[i], NULL);
}

static void common_options(const char *title, const struct common_option *o)
{
    heading(title);
    list_begin("timezone ZONE");
    for (; o->name; o++) {
        item(o->name, o->value);
        help(o->help, o->fallback);
    }
    list_end();
}

static const char *option_value(const struct opt_spec *o)
{
    static const char *const values[] = {
        [OPT_WORD] = "WORD",
        [OPT_CHAR] = "CHARACTER",
        [OPT_YESNO] = "yes or no",
        [OPT_TEXT] = "TEXT",
        [OPT_EXPRS] = "EXPR, ...",
        [OPT_PATH] = "PATH",
        [OPT_NAMESPACE] = "PREFIX = URI",
    };

    return o->kind == OPT_CHOICE ? o->choices : values[o->kind];
}

static void own_options(const char *half, const struct format *f,
                        const struct opt_spec *o)
{
    char title[100];

    if (!o || !o->name)
        return;
    snprintf(title, sizeof(title), "%s %s", half, f->name);
    heading(title);
    list_begin("timezone ZONE");
    for (; o->name; o++) {
        item(o->name, option_value(o));
        help(o->help, o->fallback);
    }
    list_end();
}

static void options(void)
{
    common_options("Reading, every format", read_options);
    common_options("Writing, every format", write_options);
    for (size_t i = 0; formats[i]; i++) {
        own_options("Reading", formats[i], formats[i]->read_opts);
        own_options("Writing", formats[i], formats[i]->write_opts);
    }
}

static void formats_list(void)
{
    list_begin("edifact");
    for (size_t i = 0; formats[i]; i++) {
        item(formats[i]->name, NULL);
        help(formats[i]->help, NULL);
    }
    list_end();
}

static void checks(void)
{
    list_begin("adoszam");
    for (size_t i = 0; idchecks[i].name; i++) {
        item(idchecks[i].name, NULL);
        help(idchecks[i].help, NULL);
    }
    list_end();
}

static void charsets_list(void)
{
    struct buf names;

    buf_init(&names, KB(4));
    charset_names(&names);
    printf("%.*s.\n", (int)names.len, names.p);
    buf_release(&names);
}

static void messages_of(const char *title, const enum diag_id *id, size_t n)
{
    static const char *const levels[] = { "note", "warning", "error" };

    heading(title);
    list_begin("charset-not");
    for (size_t i = 0; i < n; i++) {
        const struct diag_info *d = &diag_table[id[i]];

        item(d->name, NULL);
        printf(".Em %s :\n", levels[d->level]);
        text(d->text);
        putchar('\n');
    }
    list_end();
}

static void messages(void)
{
#define X(id, name, level, text) DIAG_##id,
    static const enum diag_id input[] = { DIAGS_INPUT(X) },
                              csv[] = { DIAGS_CSV(X) },
                              xml[] = { DIAGS_XML(X) },
                              zip[] = { DIAGS_ZIP(X) },
                              data[] = { DIAGS_DATA(X) },
                              trade[] = { DIAGS_TRADE(X) },
                              map[] = { DIAGS_MAP(X) },
                              conf[] = { DIAGS_CONF(X) };
#undef X

    messages_of("Files", input, COUNT(input));
    messages_of("CSV", csv, COUNT(csv));
    messages_of("XML", xml, COUNT(xml));
    messages_of("ZIP", zip, COUNT(zip));
    messages_of("Data", data, COUNT(data));
    messages_of("Trade rules", trade, COUNT(trade));
    messages_of("Maps", map, COUNT(map));
    messages_of("The configuration", conf, COUNT(conf));
}

/* "512M", "120 s", "1000": as one would write the default. */
static void limit_default(const struct limit_info *l, char *out, size_t size)
{
    bool bytes = strcmp(l->unit, "bytes") == 0;
    const char *unit = bytes && l->value % MB(1) == 0   ? "M"
                       : bytes && l->value % KB(1) == 0 ? "k"
                                                        : l->unit;
    uint64_t factor = *unit == 'M' ? MB(1) : *unit == 'k' ? KB(1) : 1;

    snprintf(out, size, "%llu%s%s", (unsigned long long)(l->value / factor),
             factor == 1 && *unit ? " " : "", unit);
}

static void limits(void)
{
    char value[40];

    list_begin("zip-ratio-all");
    for (size_t i = 0; i < N_LIMITS; i++) {
        limit_default(&limit_table[i], value, sizeof(value));
        item(limit_table[i].name, NULL);
        help(limit_table[i].help, value);
    }
    list_end();
}

/* ---- the command -------------------------------------------------------- */

static const struct {
    const char *name;
    void (*print)(void);
} topics[] = {
    { "commands", commands },      { "functions", functions },
    { "fields", fields },          { "options", options },
    { "formats", formats_list },   { "checks", checks },
    { "charsets", charsets_list }, { "messages", messages },
    { "limits", limits },
};

static int manual_main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < COUNT(topics); i++)
        if (strcmp(argv[1], topics[i].name) == 0) {
            topics[i].print();
            return EXIT_DONE;
        }
    return cmd_usage(&cmd_manual,
                     argc == 2 ? "unknown topic %s" : "one topic is needed%s",
                     argc == 2 ? argv[1] : "");
}

const struct cmd cmd_manual = {
    .name = "manual",
    .args = "commands | functions | fields | options | formats | checks | "
            "charsets | "
            "messages | limits",
    .help = NULL, /* only the build asks for it */
    .more = "A table of the program as mdoc(7), for its manual pages.\n",
    .run = manual_main,
};

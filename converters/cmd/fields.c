/* fields.c - `kervan fields`: the table of documents, for people. */
#include <stdio.h>
#include <string.h>

#include "converters/base/diag.h"
#include "converters/base/text.h"
#include "converters/cmd/cmd.h"
#include "converters/document/document.h"

extern const struct cmd cmd_fields;

static void print_field(const struct field_spec *f, int indent)
{
    char name[64];

    snprintf(name, sizeof(name), "%*s%s", indent, "", f->name);
    printf("  %-26s %-9s %s%s\n", name, field_type_name(f->type), f->help,
           f->key ? " [key]" : "");
    if (f->choices) {
        printf("  %26s           ", "");
        for (const char *c = f->choices; *c; c++) {
            if (*c == '|')
                fputs(", ", stdout);
            else
                putchar(*c);
        }
        putchar('\n');
    }
}

static void print_level(const struct level *l, int indent)
{
    for (const struct field_spec *f = l->fields; f->name; f++)
        print_field(f, indent);
    for (int i = 0; l->lists && l->lists[i]; i++) {
        printf("\n  %*seach %s: %s\n", indent, "", l->lists[i]->name,
               l->lists[i]->help);
        print_level(l->lists[i], indent + 2);
    }
}

static void print_json_level(const struct level *l)
{
    struct buf b;

    buf_init(&b, MB(1));
    (void)buf_addf(&b, "{\"name\":\"%s\",\"help\":", l->name);
    json_string(&b, str_of(l->help));
    (void)buf_addz(&b, ",\"fields\":[");
    for (const struct field_spec *f = l->fields; f->name; f++) {
        (void)buf_addf(&b, "%s{\"name\":\"%s\",\"type\":\"%s\",\"key\":%s",
                       f == l->fields ? "" : ",", f->name,
                       field_type_name(f->type), f->key ? "true" : "false");
        (void)buf_addz(&b, ",\"help\":");
        json_string(&b, str_of(f->help));
        if (f->choices)
            (void)buf_addf(&b, ",\"choices\":\"%s\"", f->choices);
        (void)buf_addc(&b, '}');
    }
    (void)buf_addz(&b, "],\"lists\":[");
    if (b.len)
        fwrite(b.p, 1, b.len, stdout);
    buf_release(&b);
    for (int i = 0; l->lists && l->lists[i]; i++) {
        if (i)
            putchar(',');
        print_json_level(l->lists[i]);
    }
    fputs("]}", stdout);
}

static void print_overview(void)
{
    for (size_t i = 0; documents[i]; i++)
        printf("  %-14s %s\n", documents[i]->name, documents[i]->help);
    printf("\n`kervan fields DOCUMENT` lists the fields of one.\n");
}

static void print_one(const struct level *l)
{
    printf("%s (%s)\n\n", l->name, l->help);
    print_level(l, 0);
    printf("\nEvery document and line also has x.NAME for anything else.\n"
           "[key]: others match by it; it is never silently changed.\n");
}

static void print_json(const struct level *only)
{
    const char *comma = "";

    putchar('[');
    for (size_t i = 0; documents[i]; i++) {
        if (only && documents[i] != only)
            continue;
        fputs(comma, stdout);
        print_json_level(documents[i]);
        comma = ",";
    }
    puts("]");
}

static int unknown_document(const char *name)
{
    const char *names[32], *best;
    size_t n = 0;

    for (; documents[n] && n < COUNT(names); n++)
        names[n] = documents[n]->name;
    best = nearest(str_of(name), names, n);
    if (!best)
        return cmd_usage(&cmd_fields, "no document is called %s", name);
    return cmd_usage(&cmd_fields, "no document is called %s; did you mean %s?",
                     name, best);
}

static int fields_main(int argc, char **argv)
{
    const struct level *l = NULL;

    if (argc > 2)
        return cmd_usage(&cmd_fields, "one document at a time");
    if (argc == 2 && argv[1][0] == '-')
        return cmd_usage(&cmd_fields, "unknown option %s", argv[1]);
    if (argc == 2 && !(l = document_find(str_of(argv[1]))))
        return unknown_document(argv[1]);
    if (cmd_globals.json)
        print_json(l);
    else if (l)
        print_one(l);
    else
        print_overview();
    return EXIT_DONE;
}

const struct cmd cmd_fields = {
    .name = "fields",
    .args = "[DOCUMENT]",
    .help = "list the documents, or the fields of one",
    .more =
        "  kervan fields            which documents there are\n"
        "  kervan fields order      names, types and meaning of its fields\n",
    .run = fields_main,
};

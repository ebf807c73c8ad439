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

static int print_one(const char *name)
{
    const struct level *l = document_find(str_of(name));
    const char *names[32], *best;
    size_t n = 0;

    if (l) {
        printf("%s (%s)\n\n", l->name, l->help);
        print_level(l, 0);
        printf("\nEvery document and line also has x.NAME for anything else.\n"
               "[key]: others match by it; it is never silently changed.\n");
        return EXIT_DONE;
    }
    for (; documents[n] && n < COUNT(names); n++)
        names[n] = documents[n]->name;
    best = nearest(str_of(name), names, n);
    return cmd_usage(&cmd_fields, "no document is called %s%s%s", name,
                     best ? "; did you mean " : "", best ? best : "");
}

static int fields_main(int argc, char **argv)
{
    const struct level *l;

    if (argc > 2)
        return cmd_usage(&cmd_fields, "one document at a time");
    if (argc == 2 && argv[1][0] == '-')
        return cmd_usage(&cmd_fields, "unknown option %s", argv[1]);
    if (!cmd_globals.json) {
        if (argc == 2)
            return print_one(argv[1]);
        print_overview();
        return EXIT_DONE;
    }
    putchar('[');
    for (size_t i = 0, n = 0; (l = documents[i]) != NULL; i++) {
        if (argc == 2 && strcmp(l->name, argv[1]) != 0)
            continue;
        if (n++)
            putchar(',');
        print_json_level(l);
    }
    puts("]");
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

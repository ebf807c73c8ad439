/*
 * charset_gen.c - makes the tables of the single-byte charsets, at build time.
 *
 *   charset_gen converters/base >charset_tables.c
 *
 * Most charsets are asked of the C library's iconv, byte by byte; those that
 * it lacks are read from the *.tsv files in the folder given. A charset that
 * neither knows stops the build: a program that lacks one would refuse good
 * files later, where nobody expects it.
 *
 * The control characters U+0080 to U+009F, which iconv sees in the ISO 8859
 * charsets, are left out: in a shop's file such a byte always means that the
 * file is in another charset, and that has to be told, not converted.
 */
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converters/base/str.h"

static const struct source {
    const char *name;
    const char *iconv, *tsv; /* one of the two */
    const char *aliases[8];
} sources[] = {
    { "windows-1250",
      "WINDOWS-1250",
      NULL,
      { "cp1250", "win1250", "x-cp1250", "ms-ee" } },
    { "windows-1252",
      "WINDOWS-1252",
      NULL,
      { "cp1252", "win1252", "x-cp1252", "ms-ansi" } },
    { "windows-1254",
      "WINDOWS-1254",
      NULL,
      { "cp1254", "win1254", "x-cp1254", "ms-turk" } },
    { "ISO-8859-1",
      "ISO-8859-1",
      NULL,
      { "latin1", "l1", "iso-ir-100", "iso_8859-1:1987" } },
    { "ISO-8859-2",
      "ISO-8859-2",
      NULL,
      { "latin2", "l2", "iso-ir-101", "iso_8859-2:1987" } },
    { "ISO-8859-9",
      "ISO-8859-9",
      NULL,
      { "latin5", "l5", "iso-ir-148", "iso_8859-9:1989", "ecma-128" } },
    { "ISO-8859-16",
      "ISO-8859-16",
      NULL,
      { "latin10", "l10", "iso-ir-226", "iso_8859-16:2001" } },
    { "CP852", "CP852", NULL, { "ibm852", "852", "cspcp852", "pclatin2" } },
    { "CP857", "CP857", NULL, { "ibm857", "857", "csibm857" } },
    { "KEYBCS2", NULL, "keybcs2.tsv", { "kamenicky", "cp895", "895" } },
    { "CWI-2", NULL, "cwi2.tsv", { "cwi", "cp-hu", "hucwi" } },
};

/* A charset: the code point of each byte, 0 where there is none. */
struct table {
    uint32_t cp[256];
};

static void die(const char *what, const char *name)
{
    fprintf(stderr, "charset_gen: %s: %s\n", name, what);
    exit(1);
}

static void from_iconv(const char *name, struct table *t)
{
    iconv_t cd = iconv_open("UCS-4LE", name);

    if (cd == (iconv_t)-1)
        die("the C library does not know this charset (is it glibc, with its "
            "gconv modules?)",
            name);
    for (unsigned b = 0; b < 256; b++) {
        char in = (char)b, *from = &in, out[16], *to = out;
        size_t n_in = 1, n_out = sizeof(out);

        iconv(cd, NULL, NULL, NULL, NULL);
        if (iconv(cd, &from, &n_in, &to, &n_out) == (size_t)-1) {
            if (errno != EILSEQ)
                die("no single-byte charset", name);
            continue;
        }
        iconv(cd, NULL, NULL, &to, &n_out);
        if (to - out != 4)
            die("a byte that is not one character", name);
        for (unsigned i = 0; i < 4; i++)
            t->cp[b] |= (uint32_t)(unsigned char)out[i] << (8 * i);
    }
    iconv_close(cd);
}

static void from_tsv(const char *folder, const char *name, struct table *t)
{
    char path[4096], line[256];
    unsigned n = 0;
    FILE *f;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >=
        (int)sizeof(path))
        die("the path is too long", name);
    f = fopen(path, "r");
    if (!f)
        die(strerror(errno), path);
    for (unsigned b = 0; b < 128; b++)
        t->cp[b] = b;
    while (fgets(line, sizeof(line), f)) {
        unsigned byte, cp;

        if (line[0] == '#')
            continue;
        if (sscanf(line, "0x%2X U+%4X", &byte, &cp) != 2 || byte < 128 ||
            byte > 255 || t->cp[byte] || cp == 0)
            die("not a line of the form 0x80 U+0106", path);
        t->cp[byte] = cp;
        n++;
    }
    if (fclose(f) != 0 || n == 0)
        die("no lines", path);
}

static void check(const char *name, struct table *t)
{
    for (unsigned b = 0; b < 256; b++) {
        if (b < 128 && t->cp[b] != b)
            die("not ASCII below 0x80", name);
        if (t->cp[b] > 0xFFFF)
            die("a code point above U+FFFF", name);
        if (t->cp[b] >= 0x80 && t->cp[b] < 0xA0)
            t->cp[b] = 0;
        for (unsigned c = 0; c < b; c++)
            if (t->cp[b] && t->cp[b] == t->cp[c])
                die("two bytes are the same character", name);
    }
}

static unsigned put_utf8(unsigned char to[4], uint32_t cp)
{
    memset(to, 0, 4);
    if (cp < 0x80) {
        to[0] = (unsigned char)cp;
        return 1;
    }
    if (cp < 0x800) {
        to[0] = (unsigned char)(0xC0 | cp >> 6);
        to[1] = (unsigned char)(0x80 | (cp & 0x3F));
        return 2;
    }
    to[0] = (unsigned char)(0xE0 | cp >> 12);
    to[1] = (unsigned char)(0x80 | (cp >> 6 & 0x3F));
    to[2] = (unsigned char)(0x80 | (cp & 0x3F));
    return 3;
}

static bool has(const struct table *t, unsigned b)
{
    return b == 0 || t->cp[b];
}

static void print_to_utf8(unsigned id, const struct table *t)
{
    unsigned char u[4];

    printf("static const char utf8_%u[256][4] = {\n", id);
    for (unsigned b = 0; b < 256; b++) {
        if (!has(t, b))
            continue;
        put_utf8(u, t->cp[b]);
        printf("    [0x%02X] = { '\\x%02X', '\\x%02X', '\\x%02X' },\n", b, u[0],
               u[1], u[2]);
    }
    printf("};\nstatic const uint8_t len_%u[256] = {", id);
    for (unsigned b = 0; b < 256; b++)
        printf("%s%u,", b % 32 ? "" : "\n    ",
               has(t, b) ? put_utf8(u, t->cp[b]) : 0);
    printf("\n};\n");
}

static void print_pages(unsigned id, const struct table *t)
{
    bool used[256] = { false };

    for (unsigned b = 1; b < 256; b++)
        if (t->cp[b])
            used[t->cp[b] >> 8] = true;
    for (unsigned page = 0; page < 256; page++) {
        if (!used[page])
            continue;
        printf("static const uint8_t page_%u_%02X[256] = {\n", id, page);
        for (unsigned b = 1; b < 256; b++)
            if (t->cp[b] && t->cp[b] >> 8 == page)
                printf("    [0x%02X] = 0x%02X,\n", t->cp[b] & 255, b);
        printf("};\n");
    }
    printf("static const uint8_t *const pages_%u[256] = {\n", id);
    for (unsigned page = 0; page < 256; page++)
        if (used[page])
            printf("    [0x%02X] = page_%u_%02X,\n", page, id, page);
    printf("};\n");
}

static void print_charset(unsigned id, const struct source *s)
{
    printf("static const char *const names_%u[] = { ", id);
    for (size_t i = 0; i < COUNT(s->aliases) && s->aliases[i]; i++)
        printf("\"%s\", ", s->aliases[i]);
    printf("NULL };\n"
           "static const struct charset charset_%u = {\n"
           "    .name = \"%s\",\n"
           "    .aliases = names_%u,\n"
           "    .kind = CS_SINGLE_BYTE,\n"
           "    .to_utf8 = utf8_%u,\n"
           "    .utf8_len = len_%u,\n"
           "    .pages = pages_%u,\n"
           "};\n\n",
           id, s->name, id, id, id, id);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage: charset_gen FOLDER-WITH-TSV-FILES", "arguments");
    printf("/* Made by charset_gen; do not edit. */\n"
           "#include \"converters/base/charset.h\"\n\n");
    for (unsigned i = 0; i < COUNT(sources); i++) {
        const struct source *s = &sources[i];
        struct table t = { { 0 } };

        if (s->iconv)
            from_iconv(s->iconv, &t);
        else
            from_tsv(argv[1], s->tsv, &t);
        check(s->name, &t);
        print_to_utf8(i, &t);
        print_pages(i, &t);
        print_charset(i, s);
    }
    printf("const struct charset *const charsets[] = {\n"
           "    &charset_utf8, &charset_utf16, &charset_utf16be,\n");
    for (unsigned i = 0; i < COUNT(sources); i++)
        printf("    &charset_%u,\n", i);
    printf("    NULL,\n};\n");
    if (fflush(stdout) != 0 || ferror(stdout))
        die(strerror(errno), "standard output");
    return 0;
}

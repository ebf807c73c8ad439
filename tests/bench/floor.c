/*
 * floor.c - the least that parsing a file can cost, for the benchmarks.
 *
 *   floor csv FILE            libcsv alone, nothing is done with the fields
 *   floor sax FILE            SAX2 events of libxml2, the file is UTF-8
 *   floor sax FILE CHARSET    the same, a single-byte charset is decoded first
 *
 * A converter that uses these libraries cannot be faster, so its time is told
 * as a multiple of this one. Prints how many rows or elements there were.
 */
#include <csv.h>
#include <iconv.h>
#include <libxml/parser.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    CSV_CHUNK = 64 * 1024,
    SAX_CHUNK = 16 * 1024,
    WIDEST = 4 /* bytes of a character in UTF-8 */
};

struct seen {
    size_t things;
    size_t bytes;
};

struct table {
    char text[256][WIDEST];
    unsigned char width[256];
};

static char in[CSV_CHUNK], utf8[SAX_CHUNK * WIDEST];

/* ---- CSV ---------------------------------------------------------------- */

static void on_field(void *text, size_t n, void *ctx)
{
    struct seen *seen = ctx;

    (void)text;
    seen->bytes += n;
}

static void on_row(int end, void *ctx)
{
    struct seen *seen = ctx;

    (void)end;
    seen->things++;
}

static int read_csv(FILE *f, struct seen *seen)
{
    struct csv_parser p;
    size_t n;

    if (csv_init(&p, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return 1;
    csv_set_delim(&p, ';');
    while ((n = fread(in, 1, sizeof(in), f)) > 0) {
        if (csv_parse(&p, in, n, on_field, on_row, seen) != n)
            return 1;
    }
    if (csv_fini(&p, on_field, on_row, seen) != 0)
        return 1;
    csv_free(&p);
    return 0;
}

/* ---- XML ---------------------------------------------------------------- */

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *uri, int n_ns, const xmlChar **ns,
                     int n_attr, int n_default, const xmlChar **attr)
{
    struct seen *seen = ctx;

    (void)name, (void)prefix, (void)uri, (void)n_ns, (void)ns;
    (void)n_attr, (void)n_default, (void)attr;
    seen->things++;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix,
                   const xmlChar *uri)
{
    (void)ctx, (void)name, (void)prefix, (void)uri;
}

static void on_text(void *ctx, const xmlChar *text, int n)
{
    struct seen *seen = ctx;

    (void)text;
    seen->bytes += (size_t)n;
}

/* Bytes that the charset does not use stay empty: no workload has them. */
static int make_table(struct table *t, const char *charset)
{
    iconv_t cd = iconv_open("UTF-8", charset);

    if (cd == (iconv_t)-1)
        return 1;
    for (int i = 0; i < 256; i++) {
        char byte = (char)i, *from = &byte, *to = t->text[i];
        size_t from_left = 1, to_left = WIDEST;

        if (iconv(cd, &from, &from_left, &to, &to_left) == (size_t)-1)
            iconv(cd, NULL, NULL, NULL, NULL);
        t->width[i] = (unsigned char)(WIDEST - to_left);
    }
    return iconv_close(cd);
}

/* in[] to utf8[]; eight ASCII letters at once. Returns the new length. */
static size_t decode(const struct table *t, size_t n)
{
    char *out = utf8;

    for (size_t i = 0; i < n;) {
        uint64_t eight;

        while (i + 8 <= n) {
            memcpy(&eight, in + i, 8);
            if (eight & 0x8080808080808080U)
                break;
            memcpy(out, &eight, 8);
            out += 8;
            i += 8;
        }
        if (i < n) {
            unsigned char byte = (unsigned char)in[i++];

            memcpy(out, t->text[byte], WIDEST);
            out += t->width[byte];
        }
    }
    return (size_t)(out - utf8);
}

static int read_xml(FILE *f, struct seen *seen, const char *charset)
{
    static struct table table;
    xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC,
                          .startElementNs = on_start,
                          .endElementNs = on_end,
                          .characters = on_text,
                          .cdataBlock = on_text };
    xmlParserCtxtPtr p = xmlCreatePushParserCtxt(&sax, seen, NULL, 0, NULL);
    size_t n;

    if (!p || (charset && make_table(&table, charset) != 0))
        return 1;
    xmlCtxtUseOptions(p, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    while ((n = fread(in, 1, SAX_CHUNK, f)) > 0) {
        const char *chunk = charset ? utf8 : in;

        if (charset)
            n = decode(&table, n);
        if (xmlParseChunk(p, chunk, (int)n, 0) != 0)
            return 1;
    }
    if (xmlParseChunk(p, utf8, 0, 1) != 0)
        return 1;
    xmlFreeParserCtxt(p);
    return 0;
}

int main(int argc, char **argv)
{
    struct seen seen = { 0 };
    FILE *f = argc >= 3 ? fopen(argv[2], "rb") : NULL;
    int bad;

    if (!f) {
        fputs("usage: floor csv FILE | floor sax FILE [CHARSET]\n", stderr);
        return 2;
    }
    if (strcmp(argv[1], "csv") == 0)
        bad = read_csv(f, &seen);
    else
        bad = read_xml(f, &seen, argc > 3 ? argv[3] : NULL);
    if (bad)
        fprintf(stderr, "floor: %s: cannot be parsed\n", argv[2]);
    else
        printf("%zu things, %zu bytes\n", seen.things, seen.bytes);
    fclose(f);
    return bad;
}

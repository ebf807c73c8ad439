/*
 * f_decode.c - bytes to text, in every charset: input.c and the decoder.
 *
 * What comes out is UTF-8 whatever came in, does not depend on the pieces, and
 * goes back into the same bytes.
 *
 * Input: a byte for the charset (past the last one: the file decides), one
 * for the pieces, the file.
 */
#include "converters/base/utf8.h"
#include "formats/input.h"
#include "tests/fuzz/fuzz.h"

static bool decode(const struct charset *cs, struct str file, uint32_t seed,
                   const struct charset **used, struct buf *out)
{
    static struct input in;
    struct fuzz_pull from = { file, seed };
    struct str chunk;
    int rc;

    buf_init(out, MB(64));
    input_init(&in, fuzz_pull, &from, cs, MB(512), seed & 1 ? "XML" : "CSV");
    while ((rc = input_next(&in, &chunk)) == 1) {
        FUZZ_CHECK(chunk.len > 0);
        FUZZ_CHECK(utf8_valid_len(chunk) == chunk.len);
        buf_add(out, chunk);
    }
    if (rc == -1) {
        FUZZ_CHECK(input_next(&in, &chunk) == -1);
        buf_addf(out, "!%d %u:%u", in.fault, in.fault_line, in.fault_col);
        for (size_t i = 0; i < in.n_fault_args; i++)
            buf_add(out, in.fault_args[i]);
    }
    *used = in.cs;
    input_release(&in);
    return rc == 0;
}

/* The same by the decoder alone, in small pieces. It judges a file by its
 * head, which input.c gathers. */
static void decode_slowly(const struct charset *cs, struct str file,
                          uint32_t seed, struct str want)
{
    struct str head = str_first(file, 64);
    struct fuzz_pull from = { str_from(file, head.len), seed };
    enum charset_fault rc;
    struct decoder d;
    struct buf out;
    char raw[64];

    buf_init(&out, MB(64));
    decoder_init(&d, cs);
    rc = decoder_feed(&d, head, !from.rest.len, &out);
    while (rc == CHARSET_OK && from.rest.len) {
        ptrdiff_t n = fuzz_pull(&from, raw, sizeof(raw));

        rc = decoder_feed(&d, (struct str){ raw, (size_t)n }, !from.rest.len,
                          &out);
    }
    FUZZ_CHECK(rc == CHARSET_OK);
    FUZZ_CHECK(str_eq(buf_str(&out), want));
    buf_release(&out);
}

static void encode(const struct charset *cs, struct str text, struct str file)
{
    struct str bom = charset_bom(cs);
    struct buf out;

    buf_init(&out, MB(64));
    for (size_t at = 0; at < text.len;)
        FUZZ_CHECK(charset_put(cs, (uint32_t)utf8_next(text, &at), &out));
    FUZZ_CHECK(out.len == charset_raw_size(cs, text));
    if (bom.len && str_starts(file, bom))
        file = str_from(file, bom.len);
    FUZZ_CHECK(cs->kind == CS_UTF16 || str_eq(buf_str(&out), file));
    buf_release(&out);
}

void fuzz_one(struct str data)
{
    const struct charset *cs = NULL, *used, *again;
    uint8_t which = fuzz_byte(&data);
    uint32_t seed = ((uint32_t)fuzz_byte(&data) + 1) << 16;
    struct buf whole, pieces;

    for (size_t i = 0; charsets[i] && !cs; i++)
        cs = i == which ? charsets[i] : NULL;
    if (decode(cs, data, 0, &used, &whole) && data.len) {
        decode_slowly(used, data, seed, buf_str(&whole));
        encode(used, buf_str(&whole), data);
    }
    (void)decode(cs, data, seed, &again, &pieces);
    FUZZ_CHECK(used == again);
    fuzz_same(buf_str(&whole), buf_str(&pieces));
    (void)charset_guess(data, STR("cz"));
    buf_release(&whole);
    buf_release(&pieces);
}

/*
 * f_zip.c - a ZIP's directory (ours and libzip's) and its members' data.
 *
 * Input: the archive; or, behind a first byte that is not 'P', a recipe: the
 * method (even: stored, odd: deflated), what is added to the declared size, a
 * byte that spoils the CRC, and the packed data of the one member.
 */
#include "formats/zip.h"
#include "tests/fuzz/fuzz.h"

static void put(struct buf *b, uint32_t v, int n_bytes)
{
    for (; n_bytes; n_bytes--, v >>= 8)
        buf_addc(b, (char)(v & 0xff));
}

static uint32_t crc_of(struct str s)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < s.len; i++) {
        crc ^= (unsigned char)s.p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* What both headers have: from "version needed" to the length of "extra". */
static void put_common(struct buf *b, bool deflated, uint32_t crc,
                       uint32_t packed, uint32_t size)
{
    put(b, 20, 2);
    put(b, 0, 2);
    put(b, deflated ? 8 : 0, 2);
    put(b, 0x00210000, 4);
    put(b, crc, 4);
    put(b, packed, 4);
    put(b, size, 4);
    put(b, 1, 2);
    put(b, 0, 2);
}

static void make(struct buf *b, struct str recipe)
{
    bool deflated = fuzz_byte(&recipe) & 1;
    uint32_t more = fuzz_byte(&recipe);
    uint32_t crc = fuzz_byte(&recipe) ^ crc_of(recipe);
    uint32_t n = (uint32_t)recipe.len, size = n + (deflated ? more * 64 : more);
    uint32_t at;

    buf_addz(b, "PK\3\4");
    put_common(b, deflated, crc, n, size);
    buf_addc(b, 'a');
    buf_add(b, recipe);
    at = (uint32_t)b->len;
    buf_addz(b, "PK\1\2");
    put(b, 20, 2);
    put_common(b, deflated, crc, n, size);
    put(b, 0, 2); /* comment */
    put(b, 0, 4);
    put(b, 0, 4);
    put(b, 0, 4);
    buf_addc(b, 'a');
    put(b, 0x06054b50, 4);
    put(b, 0, 4);
    put(b, 1, 2);
    put(b, 1, 2);
    put(b, (uint32_t)b->len - at - 12, 4);
    put(b, at, 4);
    put(b, 0, 2);
}

static void read_members(struct zip_in *z, struct str pattern)
{
    static char room[8192];
    uint64_t total = 0;

    while (zipin_next(z, pattern) == 1) {
        uint64_t size = 0;
        ptrdiff_t n;

        while ((n = zipin_pull(z, room, sizeof(room))) > 0)
            size += (uint64_t)n;
        FUZZ_CHECK(n == 0 ? size == z->member->size : z->fault.set);
        total += size;
        if (n < 0)
            break;
    }
    FUZZ_CHECK(total <= fuzz_limits.v[LIMIT_ZIP_TOTAL]);
}

void fuzz_one(struct str data)
{
    struct arena a = { 0 };
    struct zip_in z;
    struct buf b;

    buf_init(&b, MB(1));
    if (!str_starts(data, STR("P"))) {
        make(&b, data);
        data = buf_str(&b);
    }
    if (zipin_open(&z, fuzz_file(0, data), &fuzz_limits, &a) == 0)
        read_members(&z, data.len & 1 ? STR("") : STR("*.csv"));
    else
        FUZZ_CHECK(z.fault.set);
    zipin_close(&z);
    arena_release(&a);
    buf_release(&b);
}

/*
 * f_pipe.c - a reader that was taken over: it sends whatever it likes.
 *
 * Input: its frames. To let them change freely, a frame is a byte for its
 * type (7: raw bytes), two for its length, its payload; END gets the count of
 * records that it needs, unless that byte is high.
 */
#include "converters/document/frame.h"
#include "tests/fuzz/convert.h"
#include "tests/fuzz/fuzz.h"

static const char read_text[] = "read order from csv\n"
                                "number = N\n"
                                "date = D\n"
                                "currency = C\n"
                                "x.a = A\n"
                                "each line\n"
                                "  sku = S\n"
                                "  quantity = Q\n"
                                "  price.net = P\n"
                                "skip when N = \"x\" \"x\"\n";
static const char write_text[] = "write order to xml\n"
                                 "  file \"{file.base}.xml\"\n"
                                 "  attachments *.jpg *.xml\n"
                                 "orders\n"
                                 "  each order\n"
                                 "    order\n"
                                 "      @number = number\n"
                                 "      date = date as \"DD.MM.YYYY\"\n"
                                 "      a = x.a\n"
                                 "      total = total.gross\n"
                                 "      each line\n"
                                 "        line\n"
                                 "          sku = sku required\n"
                                 "          q = quantity\n"
                                 "          p = price.gross as \"0.00\"\n";

static void put_frame(struct buf *out, uint8_t type, struct str payload)
{
    uint32_t len = (uint32_t)payload.len;

    buf_addc(out, (char)type);
    buf_add(out, (struct str){ "\0\0\0", 3 });
    buf_add(out, (struct str){ (const char *)&len, sizeof(len) });
    buf_add(out, payload);
}

static void unfold(struct str data, struct buf *out)
{
    uint64_t n_records = 0;

    while (data.len) {
        uint8_t kind = fuzz_byte(&data), type = kind & 15;
        size_t len = (size_t)fuzz_byte(&data) | (size_t)fuzz_byte(&data) << 8;
        struct str payload = str_first(data, len);

        data = str_from(data, len);
        if (type == 7) {
            buf_add(out, payload);
        } else if (type == FRAME_END && kind < 128) {
            struct end_frame e = { .n_documents = n_records };
            uint64_t all[sizeof(e) / 8 + 1] = { 0 };

            memcpy(all, &e, sizeof(e));
            put_frame(out, type,
                      (struct str){ (const char *)all, sizeof(all) });
        } else {
            put_frame(out, type, payload);
        }
        n_records += type == FRAME_RECORD;
        if (type == FRAME_RESTART)
            n_records = 0;
    }
}

void fuzz_one(struct str data)
{
    struct fuzz_map read, write;
    struct buf frames;

    buf_init(&frames, MB(4));
    unfold(data, &frames);
    fuzz_map_load(&read, (struct str){ read_text, sizeof(read_text) - 1 }, 0);
    fuzz_map_load(&write, (struct str){ write_text, sizeof(write_text) - 1 },
                  1);
    if (!read.m || !write.m)
        fuzz_print(read.m ? &write.diags : &read.diags);
    FUZZ_CHECK(read.m && write.m && maps_join(read.m, write.m));
    fuzz_take_frames(&read, &write, buf_str(&frames));
    fuzz_map_free(&read);
    fuzz_map_free(&write);
    buf_release(&frames);
}

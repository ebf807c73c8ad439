/* t_room.c - when the spool's disk is too full to take a file. Each limit just
 * below and just above its edge. */
#include "tests/unit/unit.h"

#include "spool/room.h"

#define DEFAULTS         \
    {                    \
        5, 5, MB(256), 2 \
    }

static struct case_room {
    const char *name;
    uint64_t limits[4];        /* disk, files, bytes, times */
    uint64_t disk, free, size; /* bytes */
    uint64_t all_files, free_files;
    const char *text; /* "": there is room */
} rooms[] = {
    { "256 MB beside twice the file", DEFAULTS, MB(4000), MB(276), MB(10), 100,
      100, "" },
    { "a byte less", DEFAULTS, MB(4000), MB(276) - 1, MB(10), 100, 100,
      "275 MB are free, 276 MB are needed (limit free-bytes of 268435456 "
      "bytes)" },
    { "a byte more to take", DEFAULTS, MB(4000), MB(276), MB(10) + 1, 100, 100,
      "276 MB are free, 277 MB are needed (limit free-bytes of 268435456 "
      "bytes)" },
    { "twice a large file", DEFAULTS, MB(4000), MB(1256), MB(500), 100, 100,
      "" },
    { "not twice a large file", DEFAULTS, MB(4000), MB(1256) - 1, MB(500), 100,
      100, "1255 MB are free, 1256 MB are needed (limit free-times of 2)" },
    { "a twentieth of a large disk", DEFAULTS, MB(20000), MB(1000), 1, 100, 100,
      "" },
    { "less of a large disk", DEFAULTS, MB(20000), MB(1000) - 1, 1, 100, 100,
      "999 MB are free, 1000 MB are needed (limit free-disk of 5 %)" },
    { "a twentieth of the files", DEFAULTS, MB(4000), MB(2000), 1, 1000, 50,
      "" },
    { "a file less", DEFAULTS, MB(4000), MB(2000), 1, 1000, 49,
      "49 files can be made, 50 are needed (limit free-files of 5 %)" },
    { "a disk that counts no files", DEFAULTS, MB(4000), MB(2000), 1, 0, 0,
      "" },
    { "limits of one's own",
      { 50, 0, 0, 3 },
      MB(10),
      MB(6),
      MB(2),
      100,
      0,
      "" },
    { "free-times",
      { 50, 0, 0, 3 },
      MB(10),
      MB(6) - 1,
      MB(2),
      100,
      0,
      "5 MB are free, 6 MB are needed (limit free-times of 3)" },
    { "free-disk",
      { 70, 0, 0, 3 },
      MB(10),
      MB(6),
      MB(2),
      100,
      0,
      "6 MB are free, 7 MB are needed (limit free-disk of 70 %)" },
    { "free-files",
      { 0, 51, 0, 0 },
      MB(10),
      0,
      MB(2),
      100,
      50,
      "50 files can be made, 51 are needed (limit free-files of 51 %)" },
    { "a number beyond all disks",
      { 0, 0, 0, UINT64_MAX },
      MB(10),
      MB(10),
      2,
      0,
      0,
      "10 MB are free, 17592186044416 MB are needed (limit free-times of "
      "18446744073709551615)" },
};

static void test_room(void **state)
{
    const struct case_room *c = *state;
    const struct statvfs disk = { .f_frsize = 1,
                                  .f_blocks = c->disk,
                                  .f_bavail = c->free,
                                  .f_files = c->all_files,
                                  .f_favail = c->free_files };
    struct arena a = { 0 };
    struct limits l;
    struct room r;

    limits_default(&l);
    l.v[LIMIT_FREE_DISK] = c->limits[0];
    l.v[LIMIT_FREE_FILES] = c->limits[1];
    l.v[LIMIT_FREE_BYTES] = c->limits[2];
    l.v[LIMIT_FREE_TIMES] = c->limits[3];
    r = room_on(&disk, c->size, &l);
    assert_string_equal(r.enough ? "" : room_text(&a, &r, &l).p, c->text);
    arena_release(&a);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(rooms)];

    for (size_t i = 0; i < COUNT(rooms); i++)
        tests[i] = (struct CMUnitTest)ROW(test_room, &rooms[i]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * t_sftp_time.c - courier/sftp.c and time: a clock that the test turns, and a
 * line that says only what the test lets it say.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "courier/sftp.h"

static struct sftp s;
static struct stream stream;
static unsigned char from_server[SFTP_CHUNK * 2], to_server[SFTP_OUT];
static size_t from_len, to_len, takes; /* takes: bytes that the line takes */
static unsigned n_replies;

static ssize_t line_read(struct stream *line, void *buf, size_t len)
{
    size_t n = from_len < len ? from_len : len;

    (void)line;
    if (n == 0) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(buf, from_server, n);
    from_len -= n;
    memmove(from_server, from_server + n, from_len);
    return (ssize_t)n;
}

static ssize_t line_write(struct stream *line, const void *buf, size_t len)
{
    size_t n = len < takes ? len : takes;

    (void)line;
    if (n == 0) {
        errno = EAGAIN;
        return -1;
    }
    assert_true(n <= sizeof(to_server) - to_len);
    memcpy(to_server + to_len, buf, n);
    to_len += n;
    takes -= n;
    return (ssize_t)n;
}

static short line_events(const struct stream *line, bool wants_write)
{
    (void)line;
    return wants_write ? POLLOUT : POLLIN;
}

static const struct stream_kind line_kind = { .name = "test",
                                              .read = line_read,
                                              .write = line_write,
                                              .events = line_events };

static void on_reply(const struct asked *a, struct reply *r)
{
    (void)a;
    (void)r;
    n_replies++;
}

static uint64_t now;

static void at_ms(uint64_t ms)
{
    now = 5000000 + ms; /* machines do not start at 0 */
    sftp_clock(&s, now);
    (void)sftp_receive(&s);
    sftp_check_time(&s);
    (void)sftp_send(&s);
}

static void at_second(uint64_t second)
{
    at_ms(second * 1000);
}

static void says(const void *bytes, size_t len)
{
    memcpy(from_server + from_len, bytes, len);
    from_len += len;
}

static int begin(void **state)
{
    (void)state;
    from_len = to_len = n_replies = 0;
    takes = SIZE_MAX;
    now = 5000000;
    stream = (struct stream){ .kind = &line_kind };
    sftp_begin(&s, &stream, now, on_reply);
    says("\0\0\0\5\2\0\0\0\3", 9);
    at_second(0);
    assert_true(s.is_ready);
    to_len = 0;
    return 0;
}

static const struct asker me = { &now, 0 };
static const struct str handle = { "h", 1 };

/* An OK to the question that was asked last. */
static void says_ok(void)
{
    unsigned char ok[13] = { 0, 0, 0, 9, FXP_STATUS };

    memcpy(ok + 5, to_server + 5, 4);
    says(ok, sizeof(ok));
    to_len = 0;
}

static void write_bytes(uint32_t len)
{
    assert_true(sftp_has_room_to_write(&s, len));
    memset(sftp_write_begin(&s, handle, 0, len), 'x', len);
    sftp_write_end(&s, me, 0, len);
}

/* ---- tests --------------------------------------------------------------- */

static void a_mute_server_is_given_up(void **state)
{
    (void)state;
    at_second(30);
    sftp_ask_path(&s, me, FXP_LSTAT, STR("x"));
    at_second(30);
    at_second(89);
    assert_false(s.is_lost);
    at_second(90);
    assert_true(s.is_lost);
    assert_int_equal(s.lost.how, OUTCOME_LOST);
    assert_string_equal(s.lost.text, "the server is mute: nothing in 60 s");
}

static void a_server_that_never_begins_is_given_up(void **state)
{
    (void)state;
    sftp_begin(&s, &stream, now, on_reply);
    at_second(0);
    at_second(59);
    assert_false(s.is_lost);
    assert_int_equal(sftp_timeout_ms(&s), 1000);
    at_second(60);
    assert_true(s.is_lost);
}

static void a_line_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    takes = 0;
    sftp_ask_path(&s, me, FXP_LSTAT, STR("x"));
    at_second(59);
    assert_int_equal(sftp_events(&s), POLLOUT);
    assert_false(s.is_lost);
    at_second(60);
    assert_true(s.is_lost);
}

static void a_byte_now_and_then_is_too_slow(void **state)
{
    (void)state;
    sftp_ask_path(&s, me, FXP_LSTAT, STR("x"));
    for (uint64_t i = 1; !s.is_lost && i < 1000; i++) {
        says("\0", from_len == 0 && i < 4 ? 1 : 0);
        if (i == 4)
            says("\xff", 1);
        if (i > 4)
            says("\0", i % 20 == 0);
        at_second(i);
    }
    assert_true(s.is_lost);
    assert_non_null(strstr(s.lost.text, "too slow"));
    assert_in_range(now, 5000000 + 110000, 5000000 + 140000);
}

static void data_that_is_too_slow(void **state)
{
    (void)state;
    write_bytes(SFTP_CHUNK);
    write_bytes(SFTP_CHUNK);
    for (uint64_t i = 1; !s.is_lost && i < 1000; i++) {
        takes = 500;
        at_second(i);
    }
    assert_true(s.is_lost);
    assert_non_null(strstr(s.lost.text, "too slow"));
    assert_in_range(now, 5000000 + 119000, 5000000 + 122000);
}

/* 6 KB a second on the line, 100 bytes of the file. */
static void a_byte_of_the_file_at_a_time(void **state)
{
    unsigned char byte[14] = { 0, 0, 0, 10, FXP_DATA };
    uint64_t i;

    (void)state;
    byte[12] = 1;
    sftp_ask_read(&s, me, handle, 0, SFTP_CHUNK);
    for (i = 1; !s.is_lost && i < 100000; i++) {
        const struct asked a = { .by = me, .len = SFTP_CHUNK };

        at_ms(i * 10);
        memcpy(byte + 5, to_server + 5, 4);
        to_len = 0;
        if (s.n_asked == 1)
            says(byte, sizeof(byte));
        sftp_clock(&s, now);
        (void)sftp_receive(&s);
        sftp_ask_rest(&s, &a, handle, 1);
    }
    assert_true(s.is_lost);
    assert_non_null(strstr(s.lost.text, "too slow"));
    assert_in_range(i, 11900, 12200);
}

static void data_that_is_just_fast_enough(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 600; i++) {
        takes = 1100;
        if (sftp_has_room_to_write(&s, SFTP_CHUNK))
            write_bytes(SFTP_CHUNK);
        to_len = 0;
        at_second(i);
    }
    assert_false(s.is_lost);
}

/* One file of 100 bytes after the other, an answer every half a minute. */
static void small_files_are_not_slow(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        write_bytes(100);
        at_second(i * 30);
        says_ok();
        at_second(i * 30 + 29);
    }
    assert_false(s.is_lost);
    assert_int_equal(n_replies, 100);
    assert_int_equal(s.flight, 0);
    assert_int_equal(s.n_asked, 0);
}

static void an_idle_line_is_kept_alive(void **state)
{
    (void)state;
    assert_int_equal(sftp_timeout_ms(&s), 60000);
    at_second(59);
    assert_int_equal(to_len, 0);
    at_second(60);
    assert_int_equal(to_server[4], FXP_REALPATH);
    says_ok(); /* no OK to that */
    at_second(61);
    assert_true(s.is_lost);

    begin(state);
    at_second(60);
    says("\0\0\0\x09\x68\0\0\0\0\0\0\0\0", 13);
    at_second(61);
    assert_false(s.is_lost);
    assert_int_equal(n_replies, 0);
    to_len = 0;
    at_second(120);
    assert_int_equal(to_len, 0);
    at_second(121);
    assert_int_equal(to_server[4], FXP_REALPATH);
    at_second(180);
    assert_false(s.is_lost);
    at_second(181);
    assert_true(s.is_lost);
}

static void room_is_bounded(void **state)
{
    size_t n = 0;

    (void)state;
    takes = 0;
    while (sftp_has_room_to_write(&s, SFTP_CHUNK)) {
        write_bytes(SFTP_CHUNK);
        n++;
    }
    assert_in_range(n, 20, 32);
    assert_false(sftp_has_room(&s, 3) && s.out_len > SFTP_OUT - SFTP_RESERVE);
    takes = SIZE_MAX;
    at_second(1);
    to_len = 0;
    while (sftp_has_room_to_write(&s, SFTP_CHUNK)) {
        write_bytes(SFTP_CHUNK);
        n++;
        at_second(1);
        to_len = 0;
    }
    assert_int_equal(n, SFTP_FLIGHT / SFTP_CHUNK);
    assert_false(sftp_has_room_to_read(&s, SFTP_CHUNK));
    while (sftp_has_room(&s, 1)) {
        sftp_ask_path(&s, me, FXP_LSTAT, STR("x"));
        at_second(1);
        to_len = 0;
    }
    assert_int_equal(s.n_asked, SFTP_ASKED);
}

/* A machine that slept finds what came in the meantime. */
static void what_has_come_is_in_time(void **state)
{
    (void)state;
    sftp_ask_path(&s, me, FXP_REMOVE, STR("x"));
    at_second(1);
    says_ok();
    at_second(1000);
    assert_false(s.is_lost);
    assert_int_equal(n_replies, 1);
}

/* What is built behind what waits comes out as it was built. */
static void a_line_that_takes_bits(void **state)
{
    static const char path[] = "a path of some length";
    size_t at = 0, n = 0;

    (void)state;
    for (uint64_t i = 1; i < 3000; i++) {
        takes = 777;
        if (sftp_has_room(&s, 1)) {
            sftp_ask_path(&s, me, FXP_LSTAT, STR(path));
            n++;
        }
        at_second(1);
    }
    assert_true(n >= SFTP_ASKED);
    for (size_t i = 0; i < n; i++, at += 9 + 4 + sizeof(path) - 1) {
        assert_memory_equal(to_server + at, "\0\0\0\x1e\7", 5);
        assert_memory_equal(to_server + at + 13, path, sizeof(path) - 1);
    }
    assert_int_equal(at, to_len);
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_mute_server_is_given_up),
        TEST(a_server_that_never_begins_is_given_up),
        TEST(a_line_that_takes_nothing_is_given_up),
        TEST(a_byte_now_and_then_is_too_slow),
        TEST(data_that_is_too_slow),
        TEST(a_byte_of_the_file_at_a_time),
        TEST(data_that_is_just_fast_enough),
        TEST(small_files_are_not_slow),
        TEST(an_idle_line_is_kept_alive),
        TEST(room_is_bounded),
        TEST(what_has_come_is_in_time),
        TEST(a_line_that_takes_bits),
    };

    return cmocka_run_group_tests_name("sftp_time", tests, NULL, NULL);
}

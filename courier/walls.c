#include "courier/walls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "courier/watchdog.h"
#include "courier/wire.h"
#include "spool/jail.h"

enum { MAX_MEMORY = 512 << 20, MAX_FILES = 256 };

/* Of descriptors that are there, or that the keeper sends. */
static const unsigned allowed[] = {
    SYS_write,
    SYS_pwrite64,
    SYS_writev,
    SYS_readv,
    SYS_ftruncate,
    SYS_fsync,
    SYS_fdatasync,
    SYS_fstat,
    SYS_close,
    SYS_fadvise64,
    SYS_munlock,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_shutdown,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_ppoll,
#ifdef SYS_poll
    SYS_poll,
#endif
    /* The watchdog. */
    SYS_setitimer,
    SYS_rt_sigreturn,
    /* Rests, and a C library without a vdso. */
    SYS_clock_nanosleep,
    SYS_clock_getres,
};

/* The C library asks for a file's status with an empty path. A path beside
 * that flag would tell whether a file is there, and no more. */
static const struct jail_narrow narrow[] = {
    { SYS_newfstatat, 3, UINT32_MAX, AT_EMPTY_PATH },
    { SYS_fcntl, 1, UINT32_MAX, F_GETFL },
    { SYS_fcntl, 1, UINT32_MAX, F_SETFL },
    { SYS_fcntl, 1, UINT32_MAX, F_GETFD },
};

/* libssh looks for known_hosts files, whatever it is told, and does without
 * them; and it asks who we are. */
static const unsigned refused_libssh[] = {
    SYS_openat,  SYS_getuid, SYS_geteuid,    SYS_socket,
    SYS_connect, SYS_uname,  SYS_readlinkat,
#ifdef SYS_open
    SYS_open,    SYS_access, SYS_readlink,
#endif
};

static struct wire last_word;

/* In a signal handler: only calls of the kernel, and memory. */
static void tell_broken(int wire_fd, uint32_t call)
{
    char name[JAIL_CALL_NAME], text[160] = "its walls forbid the courier ";
    size_t len = strlen(text);
    const char *known = jail_call_name(call, name);

    for (size_t i = 0; known[i] && len < sizeof(text) - 1; i++)
        text[len++] = known[i];
    wire_begin(&last_word, WIRE_DONE, 0);
    wire_put(&last_word, OUTCOME_LOST);
    wire_put_str(&last_word, (struct str){ text, len });
    wire_put_str(&last_word, STR(""));
    wire_put(&last_word, call);
    (void)wire_send(wire_fd, &last_word);
    /* Who leaves with mail unread takes his last letter with him: the other
     * end would read ECONNRESET first. */
    while (recv(wire_fd, name, sizeof(name), MSG_DONTWAIT) > 0)
        ;
}

int walls_up(const struct stream *s, int wire_fd, struct failure *f)
{
    bool is_libssh = s->kind == &stream_libssh;
    const struct jail_more more = {
        .allowed = allowed,
        .n_allowed = COUNT(allowed),
        .narrow = narrow,
        .n_narrow = COUNT(narrow),
        .refused = refused_libssh,
        .n_refused = is_libssh ? COUNT(refused_libssh) : 0,
        .n_files = MAX_FILES,
        .keeps_alarm = true,
    };
    int kept[2];
    size_t n = 0;

    if (s->fd != -1)
        kept[n++] = s->fd;
    if (s->agent_fd != -1)
        kept[n++] = s->agent_fd;
    watchdog_ready();
    if (!JAIL_IS_OPEN)
        (void)setrlimit(RLIMIT_AS, &(struct rlimit){ MAX_MEMORY, MAX_MEMORY });
    if (jail_enter(&(struct jail){ .inputs = kept,
                                   .n_inputs = n,
                                   .spill_fd = -1,
                                   .pipe_fd = wire_fd,
                                   .broken = tell_broken,
                                   .more = &more }) == -1)
        return failed_sys(f, OUTCOME_LOCAL, "the walls do not stand");
    return 0;
}

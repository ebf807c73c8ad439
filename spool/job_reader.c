/*
 * job_reader.c - the reader process: started, listened to, buried. Whoever
 * parses hostile bytes may die of them; then the job says what happened, or,
 * when several files shared the reader, that each has to be read alone.
 */
#include "spool/job_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool/jail.h"

static void die_with_parent(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

static void reader_limit_hit(struct job *j, struct place at, const char *what,
                             enum limit_id id)
{
    (void)DIAG(&j->out->diags, LIMIT, at, str_of(what),
               limit_text(&j->out->arena, j->spec->limits, id),
               str_of(limit_table[id].name));
}

bool job_ended_from_outside(int status)
{
    static const int signals[] = { SIGKILL, SIGTERM, SIGINT, SIGHUP };

    for (size_t i = 0; WIFSIGNALED(status) && i < COUNT(signals); i++)
        if (WTERMSIG(status) == signals[i])
            return true;
    return false;
}

/* No END came: says what became of the reader. */
static void reader_died(struct job *j, int status, enum job_pumped how)
{
    struct place at = { .src = job_source_at(j, j->n_sources ? j->n_sources - 1
                                                             : 0) };
    struct str why = STR("it stopped without a word");
    char call[JAIL_CALL_NAME];

    j->failed = true;
    if (how == READER_LATE) {
        reader_limit_hit(j, at, "the time to read the file", LIMIT_WALL);
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
        reader_limit_hit(j, at, "the processor time to read the file",
                         LIMIT_CPU);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == READER_NO_MEMORY) {
        reader_limit_hit(j, at, "the memory to read the file", LIMIT_MEMORY);
    } else if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
               (WIFEXITED(status) && WEXITSTATUS(status) == JAIL_BROKEN)) {
        (void)DIAG(&j->out->diags, READER_JAILED, at,
                   j->forbidden == NO_CALL
                       ? STR("an unknown system call")
                       : arena_fmt(&j->out->arena, "system call %s",
                                   jail_call_name(j->forbidden, call)));
    } else {
        if (WIFSIGNALED(status))
            why = arena_fmt(&j->out->arena, "signal %d, %s", WTERMSIG(status),
                            strsignal(WTERMSIG(status)));
        (void)DIAG(&j->out->diags, READER_DIED, at, why);
    }
}

int job_machine_failed(struct job *j, const char *what)
{
    j->out->verdict = JOB_FAILED;
    err_sys(&j->out->err, ERR_RETRY, "%s", what);
    return -1;
}

int job_spill(struct job *j)
{
    int fd = docfile_temporary(j->spec->staging);

    if (fd == -1)
        (void)job_machine_failed(j, "cannot make a temporary file");
    return fd;
}

int job_start_reader(struct job *j, const struct job_spec *specs, size_t n,
                     int spill_fd, const struct questions *ask, pid_t *pid,
                     int *fd)
{
    pid_t parent = getpid();
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) == -1)
        return job_machine_failed(j, "pipe");
    (void)fcntl(fds[0], F_SETPIPE_SZ, 1 << 18);
    *pid = fork();
    if (*pid == -1) {
        close(fds[0]);
        close(fds[1]);
        return job_machine_failed(j, "fork");
    }
    if (*pid == 0) {
        die_with_parent(parent);
        close(fds[0]);
        _exit(reader_main(specs, n, fds[1], spill_fd, ask, j->scattered));
    }
    close(fds[1]);
    *fd = fds[0];
    return 0;
}

int job_wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        continue;
    return status;
}

/* The machine's doing, or somebody's on it: not a word against the file. A
 * reader that has begun a file was locked in, whatever it says. */
static int reader_was_hindered(struct job *j, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == READER_NO_JAIL &&
        !j->n_sources)
        return err_set(&j->out->err, ERR_RETRY,
                       "the kernel does not lock the reading process in "
                       "(seccomp); nothing is read without that");
    if (job_ended_from_outside(status))
        return err_set(&j->out->err, ERR_HOLD,
                       "the reading process was ended from outside (signal %d)",
                       WTERMSIG(status));
    return 0;
}

static int run_alone(struct job *j, int spill_fd)
{
    enum job_pumped how;
    struct frame_in in;
    int fd, status;
    pid_t pid;

    if (job_start_reader(j, j->spec, 1, spill_fd, NULL, &pid, &fd) == -1)
        return -1;
    job_listen(j->spec, &in, fd);
    how = job_pump(j, &in);
    frame_in_release(&in);
    close(fd);
    /* After END it has nothing more to do; whoever holds it may think so. */
    if (how != READER_OK || j->ended)
        (void)kill(pid, SIGKILL);
    status = job_wait_for(pid);
    if (how == READER_IO) {
        j->out->verdict =
            j->out->err.next == ERR_REJECT ? JOB_REJECTED : JOB_FAILED;
        return -1;
    }
    if (!j->ended && how == READER_OK && reader_was_hindered(j, status) == -1) {
        j->out->verdict = JOB_FAILED;
        return -1;
    }
    if (!j->ended)
        reader_died(j, status, how);
    return 0;
}

/* ---- one for several conversions ----------------------------------------- */

struct job_sharing {
    pid_t pid;
    int fd;
    struct frame_in in;
    bool lost;
};

static int start_sharing(struct job *j, struct job_reader *r)
{
    struct job_sharing *s = xcalloc(1, sizeof(*s));
    int spill_fd = job_spill(j), rc = -1;

    if (spill_fd != -1) {
        rc = job_start_reader(j, r->specs, r->n, spill_fd, NULL, &s->pid,
                              &s->fd);
        close(spill_fd);
    }
    if (rc == -1) {
        free(s);
        return -1;
    }
    job_listen(j->spec, &s->in, s->fd);
    r->sharing = s;
    return 0;
}

/* Without END, the file that it died of may be another one. */
static int run_shared(struct job *j, struct job_reader *r)
{
    if (!r->sharing && start_sharing(j, r) == -1)
        return -1;
    if (!r->sharing->lost &&
        (job_pump(j, &r->sharing->in) != READER_OK || !j->ended))
        r->sharing->lost = true;
    if (!r->sharing->lost)
        return 0;
    j->out->verdict = JOB_FAILED;
    return err_set(&j->out->err, ERR_RETRY,
                   "the reading process of several files failed");
}

void job_reader_end(struct job_reader *r)
{
    struct job_sharing *s = r->sharing;

    if (!s)
        return;
    (void)kill(s->pid, SIGKILL);
    (void)job_wait_for(s->pid);
    close(s->fd);
    frame_in_release(&s->in);
    free(s);
    r->sharing = NULL;
}

int job_run_reader(struct job *j)
{
    int spill_fd, rc;

    if (j->spec->reader)
        return run_shared(j, j->spec->reader);
    spill_fd = job_spill(j);
    if (spill_fd == -1)
        return -1;
    rc = run_alone(j, spill_fd);
    close(spill_fd);
    return rc;
}

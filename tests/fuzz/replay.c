/*
 * replay.c - runs a target without libFuzzer. Prints TAP.
 *
 *   f_NAME FOLDER     every file of a corpus, each byte of it as it stands
 *   f_NAME -h         inputs of 64 KB that hostile.c makes up, each in a
 *                     process of its own: at most 1 s and 64 MB
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool/files.h"
#include "tests/fuzz/fuzz.h"

/* Exactly as large as its text, so that each byte behind it is noticed. */
static void run_exactly(struct str text)
{
    char *p = xrealloc(NULL, text.len ? text.len : 1);

    str_copy(p, text);
    fuzz_one((struct str){ p, text.len });
    free(p);
}

/* ---- a corpus ----------------------------------------------------------- */

static int visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int replay(const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, visible, alphasort);
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (n < 0 || at == -1) {
        printf("Bail out! cannot read %s\n", folder);
        return 1;
    }
    printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        struct buf b;

        /* Known before it runs: it may be the last word. */
        fprintf(stderr, "%s\n", names[i]->d_name);
        buf_init(&b, MB(1));
        if (file_read(at, names[i]->d_name, &b) == -1)
            printf("not ok %d - %s: cannot be read\n", i + 1, names[i]->d_name);
        run_exactly(buf_str(&b));
        printf("ok %d - %s\n", i + 1, names[i]->d_name);
        (void)fflush(stdout);
        buf_release(&b);
        free(names[i]);
    }
    free(names);
    close(at);
    return 0;
}

/* ---- hostile inputs ----------------------------------------------------- */

enum { MAX_MS = 1000, MAX_MB = 64 };

struct hostile_run {
    int n, n_bad;
};

static void time_one(void *ctx, const char *name, struct str text)
{
    struct hostile_run *h = ctx;
    struct rusage used;
    long ms, mb;
    int status;
    pid_t pid;

    (void)fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct rlimit most = { 30, 31 };

        (void)setrlimit(RLIMIT_CPU, &most);
        run_exactly(text);
        _exit(0);
    }
    if (pid == -1 || wait4(pid, &status, 0, &used) != pid)
        status = -1;
    ms = used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000 +
         used.ru_stime.tv_sec * 1000 + used.ru_stime.tv_usec / 1000;
    mb = used.ru_maxrss / 1024;
    if (status == 0 && ms <= MAX_MS && mb <= MAX_MB) {
        printf("ok %d - %s # %ld ms, %ld MB\n", ++h->n, name, ms, mb);
        return;
    }
    printf("not ok %d - %s\n# %ld ms, %ld MB, status %d\n", ++h->n, name, ms,
           mb, status);
    h->n_bad++;
}

int main(int argc, char **argv)
{
    const char *target = strrchr(argv[0], '_');
    struct hostile_run h = { 0 };

    if (argc != 2 || !target) {
        fprintf(stderr, "usage: %s FOLDER|-h\n", argv[0]);
        return 2;
    }
    fuzz_begin();
    if (strcmp(argv[1], "-h") != 0)
        return replay(argv[1]);
    fuzz_use_real_limits();
    hostile_inputs(target + 1, time_one, &h);
    printf("1..%d\n", h.n);
    return h.n_bad > 0;
}

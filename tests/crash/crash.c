/*
 * crash.c - brings flows through trouble, at every call, in every way.
 *
 *   crash [OPTION...] -p PROGRAM -s SHIM -t FOLDER FLOW...
 *
 *   -c CHOICES   random states of the disk at every call (22)
 *   -d           the program stays: end it when nothing more happens
 *   -j WORKERS   at a time (2)
 *   -k COMMAND   of the program (once)
 *   -l MINUTES   no longer than that
 *   -n SHARE     of 1,000 points, always the same ones
 *   -o KIND      only points of that kind
 *   -r POINT     this one, and tell what it does
 *   -t FOLDER    to work in, in memory
 *   -x           stop at the first that is wrong
 *
 * A point is written as it is printed when it fails:
 *
 *   kill:FLOW:RECEIVER:WHOM:MOMENT:CALL     killed, then recovery
 *   error:FLOW:RECEIVER:ERROR:HOW:CALL      a call fails, then recovery
 *   power:FLOW:RECEIVER:CALL:CHOICE         power lost, then recovery
 *   pair:FLOW:RECEIVER:CALL:CALL            killed, and again in the recovery
 *   twice:FLOW:RECEIVER:CALL:CHOICE:CALL    power lost, and again; with the
 *                                           choice -1, killed, then power lost
 *
 * Exit status: 0 all is well, 1 something was lost, doubled, half-written or
 * else wrong, 2 the harness itself cannot work.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/look.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum kind { KILL, ERROR, POWER, PAIR, TWICE, N_KINDS };

static const char *const kinds[] = { "kill", "error", "power", "pair",
                                     "twice" };
static const char *const receivers[] = { "later", "at-once" };
static const char *const whoms[] = { "all", "keeper" };
static const char *const moments[] = { "before", "torn", "after" };
static const char *const hows[] = { "once", "for-ever" };
static const char *const wrongs[] = { "", "LOST", "DOUBLED", "HALF-WRITTEN",
                                      "WRONG" };
static const struct {
    const char *name;
    int number;
} errors[] = {
    { "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EROFS", EROFS }, { "short", 0 }
};

struct task {
    uint8_t kind, flow, receiver, a, b;
    uint32_t call, second;
    int64_t choice;
};

enum { MAX_FLOWS = 32, SEEN_SIZE = 1 << 22, MAX_FAILURES = 20 };

/* What the workers share. */
struct shared {
    uint64_t next;
    uint64_t n_kill, n_error, n_power, n_distinct, n_pair, n_twice, n_runs;
    uint64_t n_patient; /* needed a second run after an error */
    uint64_t wrong[N_WRONG];
    uint64_t n_failures;
    uint64_t seen[SEEN_SIZE];
};

static struct shared *shared;
static struct flow flows[MAX_FLOWS];
static uint32_t n_flows;
static struct task *tasks;
static uint32_t n_tasks, cap_tasks;
static struct worker options;
static bool stop_at_first, tell;
static int64_t n_choices = 22;
static unsigned per_mille = 1000;
static time_t end_at;
static enum kind only = N_KINDS;

/* ---- points -------------------------------------------------------------- */

static void point_text(const struct task *t, char *out, size_t size)
{
    int n = snprintf(out, size, "%s:%s:%s", kinds[t->kind], flows[t->flow].name,
                     receivers[t->receiver]);

    out += n;
    size -= (size_t)n;
    if (t->kind == KILL)
        snprintf(out, size, ":%s:%s:%u", whoms[t->a], moments[t->b], t->call);
    else if (t->kind == ERROR)
        snprintf(out, size, ":%s:%s:%u", errors[t->a].name, hows[t->b],
                 t->call);
    else if (t->kind == POWER)
        snprintf(out, size, ":%u:%lld", t->call, (long long)t->choice);
    else if (t->kind == PAIR)
        snprintf(out, size, ":%u:%u", t->call, t->second);
    else
        snprintf(out, size, ":%u:%lld:%u", t->call, (long long)t->choice,
                 t->second);
}

static uint8_t word_in(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return (uint8_t)i;
    die("unknown word in the point: %s", word);
}

static struct task point_read(const char *text)
{
    char copy[256], *part[7] = { 0 }, *rest = copy;
    struct task t = { 0 };
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", text);
    while (n < 6 && (part[n] = strsep(&rest, ":")))
        n++;
    if (n < 5)
        die("a point has more parts: %s", text);
    t.kind = word_in(part[0], kinds, N_KINDS);
    while (t.flow < n_flows && strcmp(flows[t.flow].name, part[1]) != 0)
        t.flow++;
    if (t.flow == n_flows)
        die("no flow %s is given", part[1]);
    t.receiver = word_in(part[2], receivers, N_RECEIVERS);
    if (t.kind == KILL && n == 6) {
        t.a = word_in(part[3], whoms, COUNT(whoms));
        t.b = word_in(part[4], moments, COUNT(moments));
    } else if (t.kind == ERROR && n == 6) {
        while (t.a < COUNT(errors) && strcmp(errors[t.a].name, part[3]) != 0)
            t.a++;
        t.b = word_in(part[4], hows, COUNT(hows));
    }
    t.call =
        (uint32_t)strtoul(t.kind <= ERROR ? part[n - 1] : part[3], NULL, 10);
    if (t.kind == POWER || t.kind == TWICE)
        t.choice = strtoll(part[4], NULL, 10);
    if (t.kind == PAIR || t.kind == TWICE)
        t.second = (uint32_t)strtoul(part[n - 1], NULL, 10);
    return t;
}

static void add_task(struct task t)
{
    tasks = grow(tasks, n_tasks, &cap_tasks, sizeof(*tasks));
    tasks[n_tasks++] = t;
}

static void list_kills(uint8_t i, uint8_t r)
{
    const struct flow *f = &flows[i];

    for (uint32_t call = 1; call <= f->disk[r].n_calls; call++)
        for (uint8_t whom = 0; whom < COUNT(whoms); whom++)
            for (uint8_t m = BEFORE; m <= AFTER; m++)
                if (m != TORN || f->op_of_call[r][call] == OP_WRITE + 1)
                    add_task((struct task){ .kind = KILL,
                                            .flow = i,
                                            .receiver = r,
                                            .a = whom,
                                            .b = m,
                                            .call = call });
}

static void list_errors(uint8_t i, uint8_t r)
{
    const struct flow *f = &flows[i];

    for (uint32_t call = 1; call <= f->disk[r].n_calls; call++)
        for (uint8_t e = 0; e < COUNT(errors); e++)
            for (uint8_t how = 0; how < COUNT(hows); how++)
                if (errors[e].number ||
                    (how == 0 && f->op_of_call[r][call] == OP_WRITE + 1))
                    add_task((struct task){ .kind = ERROR,
                                            .flow = i,
                                            .receiver = r,
                                            .a = e,
                                            .b = how,
                                            .call = call });
}

static void list_power(uint8_t i, uint8_t r)
{
    for (uint32_t call = 0; call <= flows[i].disk[r].n_calls; call++)
        for (int64_t c = 0; c <= n_choices; c++)
            add_task((struct task){ .kind = POWER,
                                    .flow = i,
                                    .receiver = r,
                                    .call = call,
                                    .choice = c });
}

/* A recovery makes some calls of its own before it goes on. */
static void list_second(uint8_t i, uint8_t r)
{
    uint32_t n = (uint32_t)flows[i].disk[r].n_calls;

    for (uint32_t call = 0; call <= n; call++)
        for (uint32_t second = 1; second <= n + 40; second++) {
            uint64_t chance = mix64(call * 1000 + second);

            if (chance % 8 == 0)
                add_task((struct task){ .kind = PAIR,
                                        .flow = i,
                                        .receiver = r,
                                        .call = call,
                                        .second = second });
            if (chance % 32 == 1 || chance % 32 == 2)
                add_task((struct task){ .kind = TWICE,
                                        .flow = i,
                                        .receiver = r,
                                        .call = call,
                                        .choice = chance % 32 == 1
                                                      ? (int64_t)second % 5
                                                      : EVERYTHING,
                                        .second = second });
        }
}

static void list_tasks(void)
{
    for (uint8_t i = 0; i < n_flows; i++)
        for (uint8_t r = 0; r < N_RECEIVERS; r++) {
            list_kills(i, r);
            if (r == LATER)
                list_errors(i, r);
            list_power(i, r);
            if (r == LATER && (flows[i].pairs || only == PAIR || only == TWICE))
                list_second(i, r);
        }
    for (uint32_t i = n_tasks; only != N_KINDS && i-- > 0;)
        if (tasks[i].kind != only)
            tasks[i] = tasks[--n_tasks];
    /* Mixed, always the same way: a part of it is a sample. */
    for (uint32_t i = n_tasks; i > 1; i--) {
        uint32_t j = (uint32_t)(mix64(i) % i);
        struct task t = tasks[i - 1];

        tasks[i - 1] = tasks[j];
        tasks[j] = t;
    }
    n_tasks = (uint32_t)((uint64_t)n_tasks * per_mille / 1000);
}

/* ---- one point ----------------------------------------------------------- */

static void add(uint64_t *n)
{
    __atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/* Is it new? */
static bool first_time(uint64_t hash)
{
    for (uint64_t i = hash;; i++) {
        uint64_t *at = &shared->seen[i % SEEN_SIZE], none = 0;

        if (__atomic_load_n(at, __ATOMIC_RELAXED) == hash)
            return false;
        if (__atomic_compare_exchange_n(at, &none, hash, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return true;
        if (none == hash)
            return false;
    }
}

/* `number` of something, or with it. */
static void blame(struct verdict *v, const char *text, int number)
{
    if (v->wrong)
        return;
    v->wrong = OTHERWISE;
    snprintf(v->text, sizeof(v->text), "%s (%d)", text, number);
}

static struct answer run(struct worker *w)
{
    add(&shared->n_runs);
    return worker_run(w);
}

/* It may say that something waits, but not that it cannot go on. */
static void must_end_well(struct answer a, int most, struct verdict *v)
{
    if (a.status == SIGALRM)
        blame(v, "it hangs", 0);
    else if (WIFSIGNALED(a.status))
        blame(v, "it dies of a signal", WTERMSIG(a.status));
    else if (WEXITSTATUS(a.status) > most)
        blame(v, "it ends with a status", WEXITSTATUS(a.status));
    if (a.n_orphans)
        blame(v, "processes live on without their keeper", a.n_orphans);
}

static void show_output(const struct worker *w, const char *when)
{
    struct bytes b;

    if (!tell)
        return;
    b = file_bytes(w->output);
    printf("# %s, %llu calls; it says:\n%.*s", when,
           (unsigned long long)w->page->calls, (int)b.len, (char *)b.p);
    free(b.p);
}

/* Runs it again, and looks. */
static struct verdict go_on(const struct task *t, struct worker *w,
                            uint64_t seed)
{
    struct verdict v = { 0 };

    worker_ready(w, t->receiver, seed);
    must_end_well(run(w), 1, &v);
    show_output(w, "recovery");
    if (!v.wrong)
        look_at_end(&flows[t->flow], t->receiver, w, t->kind == ERROR, &v);
    return v;
}

static struct worker as_once(const struct worker *w)
{
    struct worker out = *w;

    out.command = "once";
    out.daemon = false;
    return out;
}

/*
 * One run must do. After an error there may be one more, for what failed in a
 * run waits for the next. What is wrong after two is worse than what one left
 * undone.
 */
static void recover(const struct task *t, struct worker *w, uint64_t seed,
                    struct verdict *v)
{
    const struct flow *f = &flows[t->flow];
    struct verdict first = go_on(t, w, mix64(seed)), second = { 0 };
    struct worker patient = *w;

    if (first.wrong) {
        /* One that stays waits a while before it tries again. */
        if (t->kind == ERROR)
            patient = as_once(w);
        second = go_on(t, &patient, mix64(seed) + 1);
        if (t->kind == ERROR && !second.wrong)
            add(&shared->n_patient);
        else if (!v->wrong)
            *v = second.wrong ? second : first;
    }
    if (v->wrong || !f->again || seed % 8)
        return;
    worker_drop(w, f);
    worker_ready(w, t->receiver, mix64(seed) + 7);
    must_end_well(run(w), 1, v);
    show_output(w, "the same files again");
    if (!v->wrong)
        look_again(f, t->receiver, w, v);
}

static void lay_first(const struct task *t, struct worker *w)
{
    const struct disk *d = &flows[t->flow].disk[t->receiver];
    struct state s;

    state_make(d, 0, EVERYTHING, &s);
    worker_lay(w, &flows[t->flow], d, &s);
    state_free(d, &s);
}

static void try_kill(const struct task *t, struct worker *w, uint64_t seed,
                     struct verdict *v)
{
    struct page *p = w->page;
    struct answer a;

    lay_first(t, w);
    worker_ready(w, t->receiver, 2);
    p->act = ACT_KILL;
    p->whom = t->a;
    p->moment = t->b;
    p->at = t->call;
    a = run(w);
    show_output(w, "killed");
    if (!p->happened && w->daemon)
        return; /* jobs beside each other do not always come this far */
    add(&shared->n_kill);
    if (!p->happened || !WIFSIGNALED(a.status))
        blame(v, "the call was not reached", (int)t->call);
    if (a.n_orphans)
        blame(v, "processes live on without their keeper", a.n_orphans);
    /* A child may be inside of one call when death reaches it. */
    if (p->calls > a.calls_end + 1)
        blame(v, "a child went on with its calls after its keeper had died",
              (int)(p->calls - a.calls_end));
    look_now(&flows[t->flow], t->receiver, w, v);
    recover(t, w, seed, v);
}

static void try_error(const struct task *t, struct worker *w, uint64_t seed,
                      struct verdict *v)
{
    struct page *p = w->page;

    lay_first(t, w);
    worker_ready(w, t->receiver, 2);
    p->act = errors[t->a].number ? ACT_ERROR : ACT_SHORT;
    p->error = errors[t->a].number;
    p->forever = t->b;
    p->at = t->call;
    must_end_well(run(w), 3, v);
    show_output(w, "a call failed");
    add(&shared->n_error);
    look_now(&flows[t->flow], t->receiver, w, v);
    recover(t, w, seed, v);
}

/* The receiver has what he took. */
static void lay_taken(const struct task *t, struct worker *w, uint64_t call)
{
    const struct flow *f = &flows[t->flow];
    const struct disk *d = &f->disk[t->receiver];

    for (uint32_t i = 0; i < d->n_steps && d->steps[i].call <= call; i++) {
        const struct step *s = &d->steps[i];
        char path[2 * PATH_SIZE];
        struct bytes b;
        uint32_t box = 0;
        int fd;

        if (s->op != OP_TAKE)
            continue;
        while (f->outbox_nodes[t->receiver][box] != s->dir)
            box++;
        snprintf(path, sizeof(path), "%s/%06llu.%u.%s", w->taken,
                 (unsigned long long)w->page->n_taken++, box,
                 d->names[s->name]);
        b = disk_content(d, s->node, s->call);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd == -1 || write(fd, b.p, b.len) != (ssize_t)b.len ||
            fchmod(fd, d->nodes[s->node].mode) == -1)
            die("cannot write %s", path);
        for (uint32_t j = 0; j < i; j++)
            if (d->steps[j].op == OP_MODE && d->steps[j].node == s->node)
                fchmod(fd, d->steps[j].mode);
        close(fd);
        free(b.p);
    }
}

/* false: that state was there before. */
static bool lay_state(const struct task *t, struct worker *w, int64_t choice)
{
    const struct disk *d = &flows[t->flow].disk[t->receiver];
    struct state s;
    bool is_new;

    state_make(d, t->call, choice, &s);
    is_new = t->kind != POWER || tell ||
             first_time(mix64(s.hash ^ (t->flow * 2u + t->receiver)) | 1);
    if (is_new) {
        worker_lay(w, &flows[t->flow], d, &s);
        lay_taken(t, w, t->call);
    }
    state_free(d, &s);
    return is_new;
}

static void try_power(const struct task *t, struct worker *w, uint64_t seed,
                      struct verdict *v)
{
    add(&shared->n_power);
    if (!lay_state(t, w, t->choice))
        return;
    add(&shared->n_distinct);
    look_now(&flows[t->flow], t->receiver, w, v);
    recover(t, w, seed, v);
}

static void try_pair(const struct task *t, struct worker *w, uint64_t seed,
                     struct verdict *v)
{
    lay_state(t, w, EVERYTHING);
    worker_ready(w, t->receiver, seed);
    w->page->act = ACT_KILL;
    w->page->at = t->second;
    run(w);
    show_output(w, "recovery, killed");
    if (!w->page->happened)
        return; /* it makes fewer calls */
    add(&shared->n_pair);
    look_now(&flows[t->flow], t->receiver, w, v);
    recover(t, w, seed + 1, v);
}

/*
 * Power lost in the recovery from a loss of power; or from a kill, when what
 * the first run did not sync is still not owed.
 */
static void try_twice(const struct task *t, struct worker *w, uint64_t seed,
                      struct verdict *v)
{
    uint64_t before;
    struct disk d;
    struct state s;

    lay_state(t, w, t->choice);
    if (t->choice == EVERYTHING)
        disk_cut(&d, &flows[t->flow].disk[t->receiver], t->call);
    else
        disk_scan(&d, w->root, w->page);
    before = d.n_calls;
    worker_ready(w, t->receiver, seed);
    w->page->record = true;
    run(w);
    show_output(w, "recovery, recorded");
    disk_log(&d, w->page);
    if (before + t->second <= d.n_calls) {
        state_make(&d, before + t->second, (int64_t)(seed % 4), &s);
        worker_lay(w, &flows[t->flow], &d, &s);
        state_free(&d, &s);
        add(&shared->n_twice);
        look_now(&flows[t->flow], t->receiver, w, v);
        recover(t, w, seed + 1, v);
    }
    disk_free(&d);
}

static void try_one(const struct task *t, struct worker *w)
{
    static void (*const ways[])(const struct task *t, struct worker *w,
                                uint64_t seed, struct verdict *v) = {
        try_kill, try_error, try_power, try_pair, try_twice
    };
    uint64_t seed = mix64((uint64_t)t->kind << 56 | (uint64_t)t->flow << 48 |
                          (uint64_t)t->receiver << 40 | (uint64_t)t->a << 36 |
                          (uint64_t)t->b << 32 | t->call) +
                    mix64((uint64_t)t->choice << 32 | t->second);
    struct verdict v = { 0 };
    char point[256];

    ways[t->kind](t, w, seed, &v);
    if (!v.wrong)
        return;
    point_text(t, point, sizeof(point));
    printf("%s: %s\n    again: tests/crash/run -r %s\n", wrongs[v.wrong],
           v.text, point);
    fflush(stdout);
    add(&shared->wrong[v.wrong]);
    add(&shared->n_failures);
}

/* ---- all of them --------------------------------------------------------- */

static void work(const char *folder, unsigned number)
{
    struct worker w = options;
    char place[PATH_SIZE];
    uint64_t i;

    snprintf(place, sizeof(place), "%s/%u", folder, number);
    worker_start(&w, place);
    while ((i = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED)) <
               n_tasks &&
           shared->n_failures < (stop_at_first ? 1 : MAX_FAILURES) &&
           (!end_at || time(NULL) < end_at))
        try_one(&tasks[i], &w);
    worker_end(&w);
}

static bool work_together(const char *folder, unsigned n)
{
    bool fine = true;
    int status;

    fflush(stdout);
    for (unsigned i = 1; i <= n; i++)
        if (fork() == 0) {
            work(folder, i);
            exit(0);
        }
    while (wait(&status) > 0)
        fine = fine && status == 0;
    return fine;
}

static void record_all(const char *folder)
{
    struct worker w = options;
    char place[PATH_SIZE];

    snprintf(place, sizeof(place), "%s/0", folder);
    worker_start(&w, place);
    for (uint32_t i = 0; i < n_flows; i++) {
        for (int r = 0; r < N_RECEIVERS; r++)
            flow_record(&flows[i], (enum receiver)r, &w);
        printf("# flow %s: %llu mutating calls\n", flows[i].name,
               (unsigned long long)flows[i].disk[LATER].n_calls);
    }
    worker_end(&w);
}

static void print_figures(void)
{
    printf(
        "# %llu of %u points; %llu runs of the program; %llu errors needed "
        "two runs\n",
        (unsigned long long)(shared->next < n_tasks ? shared->next : n_tasks),
        n_tasks, (unsigned long long)shared->n_runs,
        (unsigned long long)shared->n_patient);
    printf("%llu kill points (and %llu killed again in recovery), %llu error "
           "points, %llu power-loss states (%llu distinct, and %llu lost "
           "again in recovery); %llu lost, %llu doubled, %llu half-written, "
           "%llu else wrong\n",
           (unsigned long long)shared->n_kill,
           (unsigned long long)shared->n_pair,
           (unsigned long long)shared->n_error,
           (unsigned long long)shared->n_power,
           (unsigned long long)shared->n_distinct,
           (unsigned long long)shared->n_twice,
           (unsigned long long)shared->wrong[LOST_FILE],
           (unsigned long long)shared->wrong[DOUBLED],
           (unsigned long long)shared->wrong[HALF_WRITTEN],
           (unsigned long long)shared->wrong[OTHERWISE]);
}

static void repeat(const char *folder, const char *point)
{
    struct task t = point_read(point);
    struct worker w = options;
    char place[PATH_SIZE];

    tell = w.keep = true;
    snprintf(place, sizeof(place), "%s/again", folder);
    worker_start(&w, place);
    try_one(&t, &w);
    printf("# what is left lies in %s\n", w.place);
    worker_end(&w);
}

int main(int argc, char **argv)
{
    const char *folder = NULL, *point = NULL;
    unsigned n_workers = 2;
    char repo[PATH_SIZE];
    bool fine = true;
    int option;

    options.command = "once";
    while ((option = getopt(argc, argv, "c:dj:k:l:n:o:p:r:s:t:x")) != -1)
        switch (option) {
        case 'c':
            n_choices = strtol(optarg, NULL, 10);
            break;
        case 'd':
            options.daemon = true;
            break;
        case 'j':
            n_workers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'k':
            options.command = optarg;
            break;
        case 'l':
            end_at = time(NULL) + 60 * strtol(optarg, NULL, 10);
            break;
        case 'n':
            per_mille = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'o':
            only = (enum kind)word_in(optarg, kinds, N_KINDS);
            break;
        case 'p':
            options.program = optarg;
            break;
        case 'r':
            point = optarg;
            break;
        case 's':
            options.shim = optarg;
            break;
        case 't':
            folder = optarg;
            break;
        case 'x':
            stop_at_first = true;
            break;
        default:
            return 2;
        }
    options.repo = getcwd(repo, sizeof(repo));
    if (!options.program || !options.shim || !folder || optind == argc)
        die("options are missing");
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    for (; optind < argc && n_flows < MAX_FLOWS; optind++)
        flow_load(&flows[n_flows++], argv[optind]);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED)
        die("no memory");
    record_all(folder);
    if (point) {
        repeat(folder, point);
    } else {
        list_tasks();
        fine = work_together(folder, n_workers);
        print_figures();
    }
    return !fine ? 2 : shared->n_failures ? 1 : 0;
}

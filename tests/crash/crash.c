/*
 * crash.c - brings flows through trouble, at every call, in every way.
 *
 *   crash [OPTION...] -p PROGRAM -s SHIM -t FOLDER FLOW...
 *
 *   -c CHOICES   random states of the disk at every call (22)
 *   -j WORKERS   at a time (2)
 *   -l MINUTES   no longer than that
 *   -n SHARE     of 1,000 points, always the same ones
 *   -o KIND      only points of that kind
 *   -r POINT     this one (see plan.h), and tell what it does
 *   -t FOLDER    to work in, in memory
 *   -x           stop at the first that is wrong
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
#include "tests/crash/plan.h"

static const char *const wrongs[] = { "", "LOST", "DOUBLED", "HALF-WRITTEN",
                                      "WRONG" };
enum { MAX_FLOWS = 64, SEEN_SIZE = 1 << 22, MAX_FAILURES = 20 };

/* What the workers share. */
struct shared {
    uint64_t next;
    uint64_t n_kill, n_error, n_power, n_distinct, n_pair, n_twice, n_runs;
    uint64_t n_missed;  /* calls that a daemon did not come to */
    uint64_t n_patient; /* needed a second run after an error */
    uint64_t wrong[N_WRONG];
    uint64_t n_failures;
    uint64_t seen[SEEN_SIZE];
};

static struct shared *shared;
static struct flow flows[MAX_FLOWS];
static struct plan plan = {
    .only = N_KINDS, .n_choices = 22, .per_mille = 1000, .flows = flows
};
static struct worker options;
static bool stop_at_first, tell;
static time_t end_at;

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

/* After whatever happened, the ledger must say so itself. */
static void look_with_fsck(const struct task *t, const struct worker *w,
                           uint64_t seed, struct verdict *v)
{
    struct worker fsck = worker_with(w, "fsck");
    struct answer a;

    worker_ready(&fsck, t->receiver, seed);
    a = run(&fsck);
    show_output(w, "kervan fsck");
    if (a.status)
        blame(v, "kervan fsck ends with a status", WEXITSTATUS(a.status));
}

/* Runs it again, does what comes after it, and looks. */
static struct verdict go_on(const struct task *t, struct worker *w,
                            uint64_t seed)
{
    const struct flow *f = &flows[t->flow];
    struct verdict v = { 0 };
    struct answer a;

    worker_ready(w, t->receiver, seed);
    must_end_well(run(w), 1, &v);
    show_output(w, "recovery");
    if (!v.wrong && !flow_go_on(f, t->receiver, w, seed + 10, &a))
        must_end_well(a, 1, &v);
    if (f->n_prepare < f->n_actions)
        show_output(w, "what is done after it");
    if (!v.wrong)
        look_at_end(f, t->receiver, w, &v);
    if (!v.wrong && (f->by_hand || seed % 8 == 1))
        look_with_fsck(t, w, seed + 9, &v);
    return v;
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

    if (first.wrong && f->by_hand) {
        if (!v->wrong)
            *v = first;
    } else if (first.wrong) {
        /* One that stays waits a while before it tries again. */
        if (t->kind == ERROR && w->stays) {
            worker_drop_late(w);
            patient = worker_with(w, "once");
        }
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

/* A daemon that is asked to end leaves what the next one goes on with. */
static void try_asking(const struct task *t, struct worker *w, uint64_t seed,
                       struct verdict *v)
{
    lay_first(t, w);
    worker_ready(w, t->receiver, 2);
    w->page->act = ACT_ASK;
    w->page->at = t->call;
    must_end_well(run(w), 0, v);
    show_output(w, "asked to end");
    add(w->page->happened ? &shared->n_kill : &shared->n_missed);
    look_now(&flows[t->flow], t->receiver, w, v);
    recover(t, w, seed, v);
}

static void try_kill(const struct task *t, struct worker *w, uint64_t seed,
                     struct verdict *v)
{
    struct page *p = w->page;
    struct answer a;

    if (t->a == WHOM_ASKED) {
        try_asking(t, w, seed, v);
        return;
    }
    lay_first(t, w);
    worker_ready(w, t->receiver, 2);
    p->act = ACT_KILL;
    p->whom = t->a;
    p->moment = t->b;
    p->at = t->call;
    a = run(w);
    show_output(w, "killed");
    if (!p->happened && w->stays) {
        add(&shared->n_missed);
        return; /* jobs beside each other do not always come this far */
    }
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

    w->command = flows[t->flow].command;
    w->stays = flows[t->flow].stays;
    ways[t->kind](t, w, seed, &v);
    if (!v.wrong)
        return;
    point_text(&plan, t, point, sizeof(point));
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
               plan.n_tasks &&
           shared->n_failures < (stop_at_first ? 1 : MAX_FAILURES) &&
           (!end_at || time(NULL) < end_at))
        try_one(&plan.tasks[i], &w);
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
    for (uint32_t i = 0; i < plan.n_flows; i++) {
        for (int r = 0; r < N_RECEIVERS; r++)
            flow_record(&flows[i], (enum receiver)r, &w);
        printf("# flow %s: %llu mutating calls\n", flows[i].name,
               (unsigned long long)flows[i].disk[LATER].n_calls);
    }
    worker_end(&w);
}

static void load(const char *folder)
{
    struct flow *f = &flows[plan.n_flows++];

    flow_load(f, folder);
    if (f->by_hand || f->only_daemon || f->only_once)
        return;
    flow_load(++f, folder);
    flow_by_daemon(f);
    plan.n_flows++;
}

static void print_figures(void)
{
    printf("# %llu of %u points; %llu runs of the program; %llu errors needed "
           "two runs; %llu calls were not reached\n",
           (unsigned long long)(shared->next < plan.n_tasks ? shared->next
                                                            : plan.n_tasks),
           plan.n_tasks, (unsigned long long)shared->n_runs,
           (unsigned long long)shared->n_patient,
           (unsigned long long)shared->n_missed);
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
    struct task t = point_read(&plan, point);
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

    while ((option = getopt(argc, argv, "c:j:l:n:o:p:r:s:t:x")) != -1)
        switch (option) {
        case 'c':
            plan.n_choices = strtol(optarg, NULL, 10);
            break;
        case 'j':
            n_workers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'l':
            end_at = time(NULL) + 60 * strtol(optarg, NULL, 10);
            break;
        case 'n':
            plan.per_mille = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'o':
            plan.only = kind_read(optarg);
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
    for (; optind < argc && plan.n_flows + 2 <= MAX_FLOWS; optind++)
        load(argv[optind]);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED)
        die("no memory");
    record_all(folder);
    if (point) {
        repeat(folder, point);
    } else {
        plan_make(&plan);
        fine = work_together(folder, n_workers);
        print_figures();
    }
    return !fine ? 2 : shared->n_failures ? 1 : 0;
}

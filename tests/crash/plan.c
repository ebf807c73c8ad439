#include "tests/crash/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { "kill", "error", "power", "pair",
                                     "twice" };
static const char *const receivers[] = { "later", "at-once" };
static const char *const whoms[] = { "all", "keeper", "asked" };
static const char *const moments[] = { "before", "torn", "after" };
static const char *const hows[] = { "once", "for-ever" };
const struct error errors[] = {
    { "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EROFS", EROFS }, { "short", 0 }
};

void point_text(const struct plan *p, const struct task *t, char *out,
                size_t size)
{
    int n = snprintf(out, size, "%s:%s:%s", kinds[t->kind],
                     p->flows[t->flow].name, receivers[t->receiver]);

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

enum kind kind_read(const char *word)
{
    return (enum kind)word_in(word, kinds, N_KINDS);
}

struct task point_read(const struct plan *p, const char *text)
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
    while (t.flow < p->n_flows && strcmp(p->flows[t.flow].name, part[1]) != 0)
        t.flow++;
    if (t.flow == p->n_flows)
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

static void add_task(struct plan *p, struct task t)
{
    p->tasks = grow(p->tasks, p->n_tasks, &p->cap_tasks, sizeof(*p->tasks));
    p->tasks[p->n_tasks++] = t;
}

static void list_kills(struct plan *p, uint8_t i, uint8_t r)
{
    const struct flow *f = &p->flows[i];

    for (uint32_t call = 1; call <= f->disk[r].n_calls; call++)
        for (uint8_t whom = 0; whom <= WHOM_KEEPER; whom++)
            for (uint8_t m = BEFORE; m <= AFTER; m++)
                if (m != TORN || f->op_of_call[r][call] == OP_WRITE + 1)
                    add_task(p, (struct task){ .kind = KILL,
                                               .flow = i,
                                               .receiver = r,
                                               .a = whom,
                                               .b = m,
                                               .call = call });
}

/* Whoever is asked makes the call first. */
static void list_asked(struct plan *p, uint8_t i, uint8_t r)
{
    for (uint32_t call = 1; call <= p->flows[i].disk[r].n_calls; call++)
        add_task(p, (struct task){ .kind = KILL,
                                   .flow = i,
                                   .receiver = r,
                                   .a = WHOM_ASKED,
                                   .b = AFTER,
                                   .call = call });
}

static void list_errors(struct plan *p, uint8_t i, uint8_t r)
{
    const struct flow *f = &p->flows[i];

    for (uint32_t call = 1; call <= f->disk[r].n_calls; call++)
        for (uint8_t e = 0; e < COUNT(errors); e++)
            for (uint8_t how = 0; how < COUNT(hows); how++)
                if (errors[e].number ||
                    (how == 0 && f->op_of_call[r][call] == OP_WRITE + 1))
                    add_task(p, (struct task){ .kind = ERROR,
                                               .flow = i,
                                               .receiver = r,
                                               .a = e,
                                               .b = how,
                                               .call = call });
}

static void list_power(struct plan *p, uint8_t i, uint8_t r)
{
    for (uint32_t call = 0; call <= p->flows[i].disk[r].n_calls; call++)
        for (int64_t c = 0; c <= p->n_choices; c++)
            add_task(p, (struct task){ .kind = POWER,
                                       .flow = i,
                                       .receiver = r,
                                       .call = call,
                                       .choice = c });
}

/* A recovery makes some calls of its own before it goes on. Of a person's
 * commands, whose recoveries are several runs each, a fourth of the pairs. */
static void list_second(struct plan *p, uint8_t i, uint8_t r)
{
    uint32_t n = (uint32_t)p->flows[i].disk[r].n_calls;
    uint32_t one_of = p->flows[i].by_hand ? 32 : 8;

    for (uint32_t call = 0; call <= n; call++)
        for (uint32_t second = 1; second <= n + 40; second++) {
            uint64_t chance = mix64(call * 1000 + second) % (4 * one_of);

            if (chance % one_of == 0)
                add_task(p, (struct task){ .kind = PAIR,
                                           .flow = i,
                                           .receiver = r,
                                           .call = call,
                                           .second = second });
            if (chance == 1 || chance == 2)
                add_task(p, (struct task){ .kind = TWICE,
                                           .flow = i,
                                           .receiver = r,
                                           .call = call,
                                           .choice = chance == 1
                                                         ? (int64_t)second % 5
                                                         : EVERYTHING,
                                           .second = second });
        }
}

/*
 * Of the daemon, which does the same steps as `kervan once`, all kills; the
 * rest of it in the smallest flow, and in those that only a daemon can do.
 */
static bool is_short(const struct flow *f)
{
    return f->stays && !f->only_daemon && !f->pairs;
}

static void list_flow(struct plan *p, uint8_t i, uint8_t r)
{
    const struct flow *f = &p->flows[i];

    list_kills(p, i, r);
    if (f->stays)
        list_asked(p, i, r);
    if (r == LATER && !is_short(f))
        list_errors(p, i, r);
    if (!f->stays || (r == LATER && !is_short(f)))
        list_power(p, i, r);
    if (r == LATER && !f->stays &&
        (f->pairs || p->only == PAIR || p->only == TWICE))
        list_second(p, i, r);
}

void plan_make(struct plan *p)
{
    for (uint8_t i = 0; i < p->n_flows; i++)
        for (uint8_t r = 0; r < N_RECEIVERS; r++)
            list_flow(p, i, r);
    for (uint32_t i = p->n_tasks; p->only != N_KINDS && i-- > 0;)
        if (p->tasks[i].kind != p->only)
            p->tasks[i] = p->tasks[--p->n_tasks];
    /* Mixed, always the same way: a part of it is a sample. */
    for (uint32_t i = p->n_tasks; i > 1; i--) {
        uint32_t j = (uint32_t)(mix64(i) % i);
        struct task t = p->tasks[i - 1];

        p->tasks[i - 1] = p->tasks[j];
        p->tasks[j] = t;
    }
    p->n_tasks = (uint32_t)((uint64_t)p->n_tasks * p->per_mille / 1000);
}

/* job_settings.c - the values of a map's settings, and ids for runs. */
#include <stdio.h>
#include <sys/random.h>

#include "converters/base/date.h"
#include "spool/job.h"

static void report_unknown(struct arena *a, const struct map *const *maps,
                           const struct setting_pair *p, struct diags *diags)
{
    const char *names[64];
    size_t n = 0;

    for (; *maps; maps++)
        for (const struct setting *s = (*maps)->settings; s && n < COUNT(names);
             s = s->next)
            names[n++] = arena_cstr(a, s->name);
    DIAG(diags, SETTING_UNKNOWN, p->at, p->name,
         did_you_mean(a, p->name, names, n));
}

struct str *job_settings(struct arena *a, const struct map *m, struct place at,
                         struct setting_pair *pairs, size_t n,
                         struct diags *diags)
{
    struct str *values =
        arena_alloc(a, (size_t)(m->n_settings + 1) * sizeof(*values));

    for (size_t i = 0; i < n; i++) {
        const struct setting *s = map_setting(m, pairs[i].name);

        if (!s)
            continue;
        values[s->slot] = pairs[i].value;
        pairs[i].used = true;
    }
    for (const struct setting *s = m->settings; s; s = s->next)
        if (s->required && !values[s->slot].len)
            DIAG(diags, SETTING_MISSING, at.src ? at : s->at, s->name, s->help);
    return values;
}

void job_settings_unused(struct arena *a, const struct map *const *maps,
                         const struct setting_pair *pairs, size_t n,
                         struct diags *diags)
{
    for (size_t i = 0; i < n; i++)
        if (!pairs[i].used)
            report_unknown(a, maps, &pairs[i], diags);
}

/* Crockford's letters: no I, L, O, U, so that ids can be read aloud. */
void job_id_text(uint64_t id, char out[JOB_ID_LEN])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

    for (int i = JOB_ID_LEN; i > 0; i--, id >>= 5)
        out[i - 1] = letters[id & 31];
}

struct str job_new_id(struct arena *a)
{
    char *p = arena_text(a, JOB_ID_LEN);
    uint64_t id = (uint64_t)clock_now() << JOB_ID_BITS;
    uint16_t noise = 0;

    if (!clock_is_frozen() &&
        getrandom(&noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
        noise = 0;
    job_id_text(id | (noise & ((1u << JOB_ID_BITS) - 1)), p);
    return (struct str){ p, JOB_ID_LEN };
}

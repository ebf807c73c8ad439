#include "converters/base/limits.h"

#include "converters/base/mem.h"

const struct limit_info limit_table[N_LIMITS] = {
#define X(id, name, value, unit, help) \
    [LIMIT_##id] = { name, value, unit, help },
    LIMITS(X)
#undef X
};

void limits_default(struct limits *l)
{
    for (size_t i = 0; i < N_LIMITS; i++)
        l->v[i] = limit_table[i].value;
}

/* What a closing k, M or G multiplies with; 1 for none. Cuts it off. */
static uint64_t take_factor(struct str *value)
{
    char last = value->len ? value->p[value->len - 1] : '\0';
    uint64_t factor = last == 'k'   ? KB(1)
                      : last == 'M' ? MB(1)
                      : last == 'G' ? MB(1024)
                                    : 1;

    if (factor > 1)
        value->len--;
    return factor;
}

static const char *wanted(const char *unit)
{
    switch (*unit) {
    case 'b':
        return "wants bytes, or a number with k, M or G, such as 64M";
    case 's':
        return "wants a number of seconds, without a unit";
    case '%':
        return "wants a number up to 100, without a sign";
    default:
        return "wants a number, or one with k, M or G";
    }
}

/* With 0 nothing would run. */
static bool needs_one(size_t id)
{
    return id == LIMIT_JOBS || id == LIMIT_OPEN_FILES ||
           id == LIMIT_SFTP_CONNECT || id == LIMIT_SFTP_HANDSHAKE ||
           id == LIMIT_SFTP_LOGIN || id == LIMIT_SFTP_OPERATION;
}

int limits_set(struct limits *l, struct str name, struct str value,
               const char **wants)
{
    uint64_t factor = take_factor(&value), n;

    for (size_t i = 0; i < N_LIMITS; i++) {
        const char *unit = limit_table[i].unit;
        uint64_t max = *unit == '%' ? 100 : UINT64_MAX;

        if (!str_is(name, limit_table[i].name))
            continue;
        *wants = wanted(unit);
        if (!str_to_uint(value, max / factor, &n))
            return -2;
        *wants = "wants a number from 1";
        if (n == 0 && needs_one(i))
            return -2;
        l->v[i] = n * factor;
        return 0;
    }
    return -1;
}

struct str limit_text(struct arena *a, const struct limits *l, enum limit_id id)
{
    const char *unit = limit_table[id].unit;

    return arena_fmt(a, "%llu%s%s", (unsigned long long)l->v[id],
                     *unit ? " " : "", unit);
}

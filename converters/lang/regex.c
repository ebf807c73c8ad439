#include "converters/lang/regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { BYTES_PER_STEP = 16 };

/* ---- compiling ---------------------------------------------------------- */

static void *take(PCRE2_SIZE size, void *arena)
{
    return arena_alloc(arena, size);
}

static void give_back(void *p, void *arena)
{
    (void)p;
    (void)arena;
}

/*
 * PCRE2's own limit of steps begins anew at every character of the text, and
 * does not see how far a * runs. A callout before every item of the pattern
 * sees both.
 */
void *regex_compile(struct arena *a, struct str pattern, struct str *why)
{
    pcre2_general_context *memory =
        pcre2_general_context_create(take, give_back, a);
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    PCRE2_UCHAR text[128];
    PCRE2_SIZE at;
    int error;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.len,
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_AUTO_CALLOUT,
                                     &error, &at, context);

    if (code)
        return code;
    pcre2_get_error_message(error, text, sizeof(text));
    *why = arena_str(a, str_of((const char *)text));
    return NULL;
}

/* ---- matching ----------------------------------------------------------- */

struct count {
    uint64_t left; /* in BYTES_PER_STEP */
    PCRE2_SIZE pos;
};

static int count_step(pcre2_callout_block *b, void *ctx)
{
    struct count *c = ctx;
    PCRE2_SIZE pos = b->current_position;
    uint64_t cost =
        BYTES_PER_STEP + (pos > c->pos ? pos - c->pos : (PCRE2_SIZE)0);

    c->pos = pos;
    if (cost > c->left)
        return PCRE2_ERROR_CALLOUT;
    c->left -= cost;
    return 0;
}

static uint32_t at_most(uint64_t n, uint64_t max)
{
    return (uint32_t)(n < max ? n : max);
}

int regex_match(void *regex, struct str s, const struct limits *limits,
                enum limit_id *hit)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    uint64_t steps = limits->v[LIMIT_MATCH_STEPS];
    struct count count = { 0 };
    int rc;

    if (!context || !data)
        abort(); /* out of memory */
    count.left = steps < UINT64_MAX / BYTES_PER_STEP ? steps * BYTES_PER_STEP
                                                     : UINT64_MAX;
    pcre2_set_callout(context, count_step, &count);
    pcre2_set_match_limit(context, UINT32_MAX);
    pcre2_set_depth_limit(context,
                          at_most(limits->v[LIMIT_MATCH_DEPTH], UINT32_MAX));
    rc = pcre2_match(regex, (PCRE2_SPTR)(s.p ? s.p : ""), s.len, 0,
                     PCRE2_NO_UTF_CHECK, data, context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
        return rc >= 0;
    *hit = rc == PCRE2_ERROR_DEPTHLIMIT ? LIMIT_MATCH_DEPTH : LIMIT_MATCH_STEPS;
    return -1;
}

/* fn.h - what the fn_*.c files share; only they include it. */
#ifndef LANG_FN_H
#define LANG_FN_H

#include "converters/lang/func.h"
#include "converters/lang/run.h"

extern const struct func fn_choice[], fn_text[], fn_number[], fn_several[],
    fn_date[], fn_vat[], fn_names[];

/* Reports a text over TEXT_MAX, the most that one may grow to. False. */
bool fn_too_long(struct run *r, const struct expr *call);
/*
 * Argument i as a number. *has is false, without a fault, when it is empty or
 * missing.
 */
bool fn_dec(struct run *r, const struct expr *call, int i, struct dec *out,
            bool *has);
bool fn_overflow(struct run *r, const struct expr *call);

/* A text made of v: messages about it still name v's place. */
static inline struct val fn_text_from(const struct val *v, struct str s)
{
    struct val out = val_text(s);

    out.item = v->item;
    out.cell = v->cell;
    return out;
}

static inline struct val fn_dec_from(const struct val *v, struct dec d)
{
    struct val out = val_dec(d);

    out.item = v->item;
    out.cell = v->cell;
    return out;
}

#endif

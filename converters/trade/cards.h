/*
 * cards.h - the keys of cards: how products and customers of a partner are
 * found in what is known of him.
 */
#ifndef TRADE_CARDS_H
#define TRADE_CARDS_H

#include "converters/trade/trade.h"

enum card_key {
    KEY_SKU,
    KEY_EAN,
    KEY_NAME,
    KEY_CODE,
    KEY_GLN,
    KEY_TAX,
    KEY_VAT,
    KEY_EMAIL
};

/* A file may ask about so many one by one, before all cards are read. */
enum { FEW_CARDS = 10000 };

/* "email:a@b.cz" of " A@B.cz"; "" of nothing. */
struct str card_key(struct arena *a, enum card_key key, struct str value);
/* The receiver is sent it: learnt unless he has it. */
void card_sent(struct trade *t, enum card_kind kind, enum card_key key,
               struct str value, const struct card *card);
/* Its key leads to several cards, and so to none. */
static inline bool card_is_ambiguous(const struct card *c)
{
    return c->found && str_find_char(c->code, '\n') >= 0;
}

#endif

/* rules.c - the table of rules: a document meets them in this order. */
#include "converters/trade/rules.h"

/* What the sender said is learnt before it is changed; what changes a document
 * stands before once, which compares what the receiver would get. */
const struct trade_rule *const trade_rules[] = {
    &rule_answers,      /* what receivers say of orders */
    &rule_cards,        /* what the sender has, and the receiver gets */
    &rule_start,        /* skips what was before */
    &rule_price,        /* which prices */
    &rule_warehouses,   /* several as one */
    &rule_reserve,      /* of the sender's articles and warehouses */
    &rule_warehouse,    /* of its own, if it names none */
    &rule_match,        /* the receiver's own articles */
    &rule_unknown,      /* products that the receiver does not have */
    &rule_vat,          /* keys of the receiver */
    &rule_prefix,       /* the receiver's number */
    &rule_once,         /* was it sent before */
    &rule_only_changes, /* is it what the receiver got */
    &rule_create,       /* cards that an order needs, when it travels */
    NULL,
};

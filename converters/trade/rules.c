/* rules.c - the table of rules: a document meets them in this order. */
#include "converters/trade/rules.h"

/*
 * What the sender said is learnt before it is changed. only_changes compares
 * what the receiver would get, so what changes stock stands before it. once
 * compares what the sender says: orders get the receiver's own words behind it,
 * for another warehouse, VAT key or title there is no change of an order.
 */
const struct trade_rule *const trade_rules[] = {
    &rule_answers,             /* what receivers say of orders */
    &rule_cards,               /* what the sender has, and the receiver gets */
    &rule_start,               /* skips what was before */
    &rule_price,               /* which prices */
    &rule_warehouses,          /* several as one */
    &rule_reserve,             /* of the sender's articles and warehouses */
    &rule_warehouse,           /* of stock that names none */
    &rule_match,               /* the receiver's own articles */
    &rule_unknown,             /* products that the receiver does not have */
    &rule_only_changes,        /* is it what the receiver got */
    &rule_prefix,              /* the receiver's number */
    &rule_once,                /* was it sent before */
    &rule_warehouse_of_orders, /* of orders that name none */
    &rule_match_of_lines,      /* the receiver's own articles */
    &rule_vat,                 /* keys of the receiver */
    &rule_create,              /* cards that an order needs, when it travels */
    NULL,
};

/* rules.h - one rule a file; rules.c has their order. */
#ifndef TRADE_RULES_H
#define TRADE_RULES_H

#include "converters/trade/trade.h"

extern const struct trade_rule rule_answers;
extern const struct trade_rule rule_cards;
extern const struct trade_rule rule_create;
extern const struct trade_rule rule_match;
extern const struct trade_rule rule_match_of_lines;
extern const struct trade_rule rule_once;
extern const struct trade_rule rule_only_changes;
extern const struct trade_rule rule_warehouses;
/* The text of a `prefix` line; "": there is none. */
struct str prefix_of(const struct trade_conf *c);
extern const struct trade_rule rule_prefix;
extern const struct trade_rule rule_price;
extern const struct trade_rule rule_reserve;
extern const struct trade_rule rule_start;
extern const struct trade_rule rule_unknown;
extern const struct trade_rule rule_vat;
extern const struct trade_rule rule_warehouse;
extern const struct trade_rule rule_warehouse_of_orders;

#endif

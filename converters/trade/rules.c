/* rules.c - the table of rules: a document meets them in this order. */
#include "converters/trade/rules.h"

const struct trade_rule *const trade_rules[] = {
    &rule_warehouses,
    &rule_only_changes,
    &rule_once,
    NULL,
};

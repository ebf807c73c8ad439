/*
 * ship.h - deliveries to partners' servers, up to 64 together.
 */
#ifndef SPOOL_SHIP_H
#define SPOOL_SHIP_H

#include "spool/keeper.h"

/* Takes every shipment as far as the answers allow, and begins others. */
int keeper_ship(struct keeper *k, struct err *e);
/* Is it in one of them? Its partner may have a folder by now. */
bool ship_has(const struct keeper *k, const struct delivery *d);
bool ship_has_job(const struct keeper *k, uint64_t job);
/* Some are on their way. */
bool ship_busy(const struct keeper *k);
/* The couriers have ended: what was on its way is as the ledger has it. */
void ship_end(struct keeper *k);
/* A name on his server; with folder and name "": his own folder. */
struct str remote_path(struct arena *a, const struct remote *r,
                       struct str folder, struct str name);

#endif

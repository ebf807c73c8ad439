/* partner.h - what the parts of `kervan partner` share. */
#ifndef CMD_PARTNER_H
#define CMD_PARTNER_H

#include "converters/cmd/view.h"

extern const struct cmd cmd_partner;

int partner_test(struct view *v, const struct partner *p);
/* fingerprint: "SHA256:...", or NULL: a person is asked. */
int partner_trust(struct view *v, const struct partner *p,
                  const char *fingerprint);

#endif

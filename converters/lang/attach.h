/* attach.h - files of a ZIP that go along with what its data becomes. */
#ifndef LANG_ATTACH_H
#define LANG_ATTACH_H

#include "converters/lang/map.h"

/* Does the write map want this member of the ZIP, besides the data? */
bool map_attaches(const struct map *m, struct str member);
/* The name that it gets at the receiver's: its own, without folders, made safe.
 * Empty: there is none. */
struct str attachment_name(struct arena *a, struct str member);

#endif

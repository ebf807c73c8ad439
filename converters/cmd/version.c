#include "converters/cmd/cmd.h"

/* The build passes both; only this file is made again when they change. */
const char kervan_version[] = KERVAN_VERSION;
const char kervan_share[] = KERVAN_SHARE;

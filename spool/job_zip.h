/* job_zip.h - the files of a write as one ZIP, when its map says `zip`. */
#ifndef SPOOL_JOB_ZIP_H
#define SPOOL_JOB_ZIP_H

#include "converters/lang/write_run.h"

/* Packs what w wrote, when its map says so. False: reported, or w->err. */
bool job_pack(struct write_run *w, struct diags *diags);

#endif

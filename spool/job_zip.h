/* job_zip.h - the files of a write as one ZIP, when its map says `zip`. */
#ifndef SPOOL_JOB_ZIP_H
#define SPOOL_JOB_ZIP_H

#include "converters/lang/write_run.h"
#include "formats/zip.h"

/* Packs what w wrote and n_more other files, when its map says so. False:
 * reported, or w->err. */
bool job_pack(struct write_run *w, const struct zip_part *more, size_t n_more,
              struct diags *diags);

#endif

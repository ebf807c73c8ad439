#include "spool/job_zip.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converters/lang/output.h"
#include "formats/zip.h"

static bool take_size(struct output *zip, struct err *e)
{
    struct stat st;

    if (stat(zip->path.p, &st) == -1) {
        err_sys(e, ERR_RETRY, "look at the ZIP");
        return false;
    }
    zip->bytes = (uint64_t)st.st_size;
    return true;
}

bool job_pack(struct write_run *w, const struct zip_part *more, size_t n_more,
              struct diags *diags)
{
    struct zip_part *parts;
    struct output *zip;
    struct str name;

    if (!w->map->zip || !w->n_outputs)
        return true;
    if (!w->staging) {
        (void)DIAG0(
            diags, SEVERAL_FILES,
            ((struct place){ .src = w->map->src, .line = 1, .col = 1 }));
        return false;
    }
    if (!output_name(w, "zip", w->map->zip, &name))
        return false;
    parts = xcalloc(w->n_outputs + n_more, sizeof(*parts));
    for (size_t i = 0; i < w->n_outputs; i++)
        parts[i] = (struct zip_part){
            .name = arena_cstr(&w->own, w->outputs[i]->name),
            .path = arena_cstr(&w->own, w->outputs[i]->path),
            .fd = -1,
        };
    for (size_t i = 0; i < n_more; i++)
        parts[w->n_outputs + i] = more[i];
    zip = arena_alloc(&w->own, sizeof(*zip));
    zip->name = name;
    zip->path = arena_fmt(&w->own, "%s/%u.zip", w->staging, w->number);
    zip->n_documents = w->n_written;
    if (zipout_write(arena_cstr(&w->own, zip->path), parts,
                     w->n_outputs + n_more, &w->err) == -1 ||
        !take_size(zip, &w->err))
        w->io_failed = true;
    for (size_t i = 0; i < w->n_outputs; i++)
        (void)unlink(parts[i].path);
    free(parts);
    w->outputs[0] = zip;
    w->n_outputs = 1;
    return !w->io_failed;
}

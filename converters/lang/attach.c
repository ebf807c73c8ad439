#include "converters/lang/attach.h"

#include "converters/base/text.h"
#include "converters/lang/output.h"

/* Some programs of Windows pack folders with a backslash. */
static struct str last_part(struct str name)
{
    size_t at = name.len;

    while (at > 0 && name.p[at - 1] != '/' && name.p[at - 1] != '\\')
        at--;
    return str_from(name, at);
}

bool map_attaches(const struct map *m, struct str member)
{
    for (int i = 0; i < m->n_attachments; i++) {
        struct str pattern = m->attachments[i];
        bool whole = str_find_char(pattern, '/') >= 0;

        if (glob_match_nocase(pattern, whole ? member : last_part(member)))
            return true;
    }
    return false;
}

struct str attachment_name(struct arena *a, struct str member)
{
    return output_safe_name(a, last_part(member));
}

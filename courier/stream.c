#include "courier/stream.h"

void stream_close(struct stream *s)
{
    if (s->kind)
        s->kind->close(s);
    s->kind = NULL;
}

#include "courier/stream.h"

static const struct stream_kind *choose(const struct login *l)
{
    return l->through[0] ? &stream_program : NULL;
}

int stream_prepare(struct stream *s, const struct login *l, struct failure *f)
{
    const struct stream_kind *kind = choose(l);

    *s = (struct stream){ .fd = -1 };
    if (!kind)
        return failed(f, OUTCOME_SETUP, "no transport");
    if (kind->prepare(s, l, f) == -1)
        return -1;
    s->kind = kind;
    return 0;
}

int stream_open(struct stream *s, const struct login *l, struct failure *f)
{
    return s->kind->open(s, l, f);
}

void stream_close(struct stream *s)
{
    if (s->kind)
        s->kind->close(s);
    s->kind = NULL;
}

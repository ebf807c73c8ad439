#include "courier/stream.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "converters/base/str.h"
#include "courier/ssh.h"

static const struct stream_kind *const kinds[] = {
    &stream_libssh2,
    &stream_libssh,
    &stream_program,
};

static const struct stream_kind *by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

static const struct stream_kind *pick(const struct login *l, char *why,
                                      size_t size)
{
    if (l->through[0]) {
        snprintf(why, size, "the partner is reached through a program");
        return &stream_program;
    }
    if (l->transport && *l->transport) {
        snprintf(why, size, "asked for by name");
        return by_name(l->transport);
    }
    return ssh_wants_libssh(l, why, size) ? &stream_libssh : &stream_libssh2;
}

int stream_prepare(struct stream *s, const struct login *l, struct failure *f)
{
    *s = (struct stream){ .fd = -1, .agent_fd = -1 };
    s->kind = pick(l, s->line.why, sizeof(s->line.why));
    if (!s->kind)
        return failed(f, OUTCOME_SETUP, "there is no transport %.40s",
                      l->transport);
    return s->kind->prepare(s, l, f);
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

#include "courier/packet.h"

#include <sys/stat.h>

const char *fxp_name(unsigned type)
{
    switch (type) {
#define X(name, number) \
    case number:        \
        return #name;
        FXPS(X)
#undef X
    default:
        return "";
    }
}

const char *fx_name(uint32_t code)
{
    switch (code) {
#define X(name, number) \
    case number:        \
        return #name;
        FX_CODES(X)
#undef X
    default:
        return "";
    }
}

/* ---- build --------------------------------------------------------------- */

enum { LENGTH = 4 };

static void store_u32(unsigned char *p, uint32_t number)
{
    p[0] = (unsigned char)(number >> 24);
    p[1] = (unsigned char)(number >> 16);
    p[2] = (unsigned char)(number >> 8);
    p[3] = (unsigned char)number;
}

static unsigned char *grow(struct packet *k, size_t n)
{
    unsigned char *p = k->p + k->len;

    if (k->bad || n > k->cap - k->len) {
        k->bad = true;
        return NULL;
    }
    k->len += n;
    return p;
}

void packet_begin(struct packet *k, void *room, size_t cap, enum fxp type)
{
    unsigned char *p;

    *k = (struct packet){ .p = room, .cap = cap };
    p = grow(k, LENGTH + 1);
    if (p)
        p[LENGTH] = (unsigned char)type;
}

void packet_u32(struct packet *k, uint32_t number)
{
    unsigned char *p = grow(k, 4);

    if (p)
        store_u32(p, number);
}

void packet_u64(struct packet *k, uint64_t number)
{
    packet_u32(k, (uint32_t)(number >> 32));
    packet_u32(k, (uint32_t)number);
}

unsigned char *packet_room(struct packet *k, size_t n)
{
    if (n > PACKET_MAX)
        k->bad = true;
    packet_u32(k, (uint32_t)n);
    return grow(k, n);
}

void packet_str(struct packet *k, struct str text)
{
    unsigned char *p = packet_room(k, text.len);

    if (p)
        str_copy((char *)p, text);
}

size_t packet_end(struct packet *k)
{
    if (k->bad || k->len - LENGTH > PACKET_MAX)
        return 0;
    store_u32(k->p, (uint32_t)(k->len - LENGTH));
    return k->len;
}

/* ---- read ---------------------------------------------------------------- */

static const unsigned char *take(struct cursor *c, size_t n)
{
    const unsigned char *p = c->p;

    if (c->bad || n > c->len) {
        c->bad = true;
        c->len = 0;
        return NULL;
    }
    c->p += n;
    c->len -= n;
    return p;
}

static uint8_t get_u8(struct cursor *c)
{
    const unsigned char *p = take(c, 1);

    return p ? *p : 0;
}

static uint32_t get_u32(struct cursor *c)
{
    const unsigned char *p = take(c, 4);

    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
                   (uint32_t)p[2] << 8 | p[3]
             : 0;
}

static uint64_t get_u64(struct cursor *c)
{
    uint64_t high = get_u32(c);

    return high << 32 | get_u32(c);
}

static struct str get_str(struct cursor *c)
{
    size_t len = get_u32(c);
    const unsigned char *p = take(c, len);

    return p ? (struct str){ (const char *)p, len } : STR("");
}

/* Pairs of type and data behind the attributes are nothing that we know. Each
 * takes eight bytes at least, so a count that lies ends soon. */
static void skip_pairs(struct cursor *c)
{
    uint32_t n = get_u32(c);

    while (n-- && !c->bad) {
        (void)get_str(c);
        (void)get_str(c);
    }
}

#define ATTR_EXTENDED 0x80000000u /* too large for an enum */

static struct attrs get_attrs(struct cursor *c)
{
    struct attrs a = { .has = get_u32(c) };

    if (a.has & ATTR_SIZE)
        a.size = get_u64(c);
    if (a.has & ATTR_OWNER) {
        a.uid = get_u32(c);
        a.gid = get_u32(c);
    }
    if (a.has & ATTR_MODE)
        a.mode = get_u32(c);
    if (a.has & ATTR_TIMES) {
        a.atime = get_u32(c);
        a.mtime = get_u32(c);
    }
    if (a.has & ATTR_EXTENDED)
        skip_pairs(c);
    a.has &= ATTR_SIZE | ATTR_OWNER | ATTR_MODE | ATTR_TIMES;
    return a;
}

bool attrs_is_file(const struct attrs *a)
{
    return a->has & ATTR_MODE && S_ISREG(a->mode);
}

bool attrs_is_folder(const struct attrs *a)
{
    return a->has & ATTR_MODE && S_ISDIR(a->mode);
}

static struct entry get_entry(struct cursor *c)
{
    struct entry e;

    e.name = get_str(c);
    e.longname = get_str(c);
    e.attrs = get_attrs(c);
    return e;
}

bool reply_name(struct reply *r, struct entry *e)
{
    if (r->n_names == 0)
        return false;
    r->n_names--;
    *e = get_entry(&r->names);
    return true;
}

/* Reads over all entries once, so that nothing is used of a list that turns
 * out to be cut. An entry has 12 bytes at least: a count that lies ends soon.
 */
static void get_names(struct cursor *c, struct reply *r)
{
    r->n_names = get_u32(c);
    r->names = *c;
    for (uint32_t i = 0; i < r->n_names && !c->bad; i++)
        (void)get_entry(c);
}

static int finish(const struct cursor *c, const char **wrong)
{
    if (c->bad)
        *wrong = "is cut";
    else if (c->len)
        *wrong = "is too long";
    else
        return 0;
    return -1;
}

int reply_read(struct str body, struct reply *r, const char **wrong)
{
    struct cursor c = { (const unsigned char *)body.p, body.len, false };

    *r = (struct reply){ .type = (enum fxp)get_u8(&c) };
    r->id = get_u32(&c);
    switch (r->type) {
    case FXP_STATUS:
        r->code = get_u32(&c);
        /* The first drafts had no words here, and there are servers of then. */
        if (c.len) {
            r->text = get_str(&c);
            if (c.len)
                (void)get_str(&c); /* its language */
        }
        break;
    case FXP_HANDLE:
        r->bytes = get_str(&c);
        if (!c.bad && (r->bytes.len == 0 || r->bytes.len > PACKET_HANDLE)) {
            *wrong = "has an empty handle, or one of more than 256 bytes";
            return -1;
        }
        break;
    case FXP_DATA:
        r->bytes = get_str(&c);
        break;
    case FXP_NAME:
        get_names(&c, r);
        break;
    case FXP_ATTRS:
        r->attrs = get_attrs(&c);
        break;
    case FXP_EXTENDED_REPLY:
        r->text = (struct str){ (const char *)c.p, c.len };
        c.len = 0;
        break;
    default:
        *wrong = "is of a type that no answer has";
        return -1;
    }
    return finish(&c, wrong);
}

bool reply_numbers(const struct reply *r, uint64_t *numbers, size_t n)
{
    struct cursor c = { (const unsigned char *)r->text.p, r->text.len, false };

    for (size_t i = 0; i < n; i++)
        numbers[i] = get_u64(&c);
    return !c.bad;
}

/* ---- VERSION ------------------------------------------------------------- */

static const struct {
    const char *name, *version, *brief;
    unsigned bit;
} extensions[] = {
    { "posix-rename@openssh.com", "1", "posix-rename", EXT_POSIX_RENAME },
    { "fsync@openssh.com", "1", "fsync", EXT_FSYNC },
    { "hardlink@openssh.com", "1", "hardlink", EXT_HARDLINK },
    { "statvfs@openssh.com", "2", "statvfs", EXT_STATVFS },
    { "limits@openssh.com", "1", "limits", EXT_LIMITS },
};

int version_read(struct str body, struct version *v, const char **wrong)
{
    struct cursor c = { (const unsigned char *)body.p, body.len, false };

    *v = (struct version){ 0 };
    if (get_u8(&c) != FXP_VERSION) {
        *wrong = "is not the VERSION that SFTP begins with";
        return -1;
    }
    v->number = get_u32(&c);
    while (c.len) {
        struct str name = get_str(&c), data = get_str(&c);

        for (size_t i = 0; i < COUNT(extensions) && !c.bad; i++)
            if (str_is(name, extensions[i].name) &&
                str_is(data, extensions[i].version))
                v->extensions |= extensions[i].bit;
    }
    return finish(&c, wrong);
}

size_t version_text(const struct version *v, char *to, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < COUNT(extensions); i++) {
        struct str brief = str_of(extensions[i].brief);

        if (!(v->extensions & extensions[i].bit) || cap - len < brief.len + 2)
            continue;
        if (len)
            to[len++] = ' ';
        str_copy(to + len, brief);
        len += brief.len;
    }
    to[len] = '\0';
    return len;
}

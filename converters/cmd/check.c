/*
 * check.c - `kervan check`: every mistake of maps and configurations at once.
 *
 * With --sample, also what a map names but the sample does not have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converters/cmd/cmd.h"
#include "converters/cmd/sample.h"
#include "converters/cmd/view.h"
#include "converters/lang/map.h"
#include "spool/conf.h"
#include "spool/jail.h"
#include "spool/scan.h"

extern const struct cmd cmd_check;

struct check {
    struct arena arena;
    struct diags diags;
    struct limits limits;
    struct map *maps[256]; /* kept: messages point into their texts */
    struct conf confs[8];
    size_t n_maps, n_confs, n_checked, n_names;
    const char *sample;
    bool sample_used;
};

static void print(const struct diags *d)
{
    struct buf b;

    buf_init(&b, MB(64));
    if (cmd_globals.json)
        diags_print_json(d, &b);
    else
        diags_print(d, isatty(STDOUT_FILENO), &b);
    if (b.len)
        fwrite(b.p, 1, b.len, stdout);
    buf_release(&b);
}

static void check_map(struct check *c, const char *path)
{
    uint64_t n_errors = c->diags.n_errors;
    struct map *m = map_load(path, str_of(path), &c->limits, &c->diags);

    c->n_checked++;
    if (!m)
        return;
    /* A map with mistakes names the wrong things. */
    if (c->sample && !m->is_write && c->diags.n_errors == n_errors) {
        sample_check(m, c->sample, &c->limits, &c->diags);
        c->sample_used = true;
    }
    if (c->n_maps < COUNT(c->maps))
        c->maps[c->n_maps++] = m;
}

static int check_conf(struct check *c, const char *path)
{
    struct conf *conf = &c->confs[c->n_confs];
    struct err e;

    if (c->n_confs == COUNT(c->confs))
        return cmd_usage(&cmd_check, "too many configurations at once");
    if (conf_load(conf, path, &c->diags, &e) == -1) {
        fprintf(stderr, "kervan: %s\n", e.text);
        return EXIT_USAGE;
    }
    c->n_confs++;
    conf_load_maps(conf, &c->diags);
    conf_check_folders(conf, &c->diags);
    c->n_checked++;
    return 0;
}

static bool is_conf(const char *name)
{
    size_t n = strlen(name);

    return n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

static int check_one(struct check *c, const char *name)
{
    struct buf looked;
    char *path;

    if (is_conf(name))
        return check_conf(c, name);
    buf_init(&looked, KB(16));
    path = map_find(&c->arena, str_of(name), NULL, &looked);
    if (path)
        check_map(c, path);
    else
        DIAG(&c->diags, CONF_NO_MAP, ((struct place){ 0 }), str_of(name),
             arena_str(&c->arena, buf_str(&looked)));
    buf_release(&looked);
    return 0;
}

/* Fills names, which has room for all arguments. */
static int take_arguments(struct check *c, int argc, char **argv, char **names)
{
    bool ended = false;

    for (int i = 1; i < argc; i++) {
        if (ended || argv[i][0] != '-') {
            names[c->n_names++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (strcmp(argv[i], "--sample") == 0) {
            if (i + 1 == argc)
                return cmd_usage(&cmd_check, "--sample wants a file");
            c->sample = argv[++i];
        } else {
            return cmd_usage(&cmd_check, "unknown option %s", argv[i]);
        }
    }
    if (c->sample && !c->n_names)
        return cmd_usage(&cmd_check, "--sample: which read map?");
    return EXIT_DONE;
}

static int check_all(struct check *c, char *const *names)
{
    int rc = EXIT_DONE;

    if (!c->n_names) {
        const char *path = view_conf_path();

        return path ? check_conf(c, path) : EXIT_USAGE;
    }
    for (size_t i = 0; i < c->n_names && rc == EXIT_DONE; i++)
        rc = check_one(c, names[i]);
    if (rc == EXIT_DONE && c->sample && !c->sample_used && !c->diags.n_errors)
        return cmd_usage(&cmd_check, "--sample: no read map was named");
    return rc;
}

static int conclude(struct check *c)
{
    diags_sort(&c->diags);
    print(&c->diags);
    if (!cmd_globals.json && !c->diags.n_errors)
        printf("%zu checked: no errors%s\n", c->n_checked,
               c->diags.n_warnings ? ", but warnings" : "");
    else if (!cmd_globals.json)
        printf("%llu error%s, %llu warning%s\n",
               (unsigned long long)c->diags.n_errors,
               c->diags.n_errors == 1 ? "" : "s",
               (unsigned long long)c->diags.n_warnings,
               c->diags.n_warnings == 1 ? "" : "s");
    return c->diags.n_errors ? EXIT_USAGE : EXIT_DONE;
}

/* Matters of the machine: for people, and not with every conversion. */
static void note_machine(const struct check *c)
{
    if (!c->n_confs || !isatty(STDERR_FILENO))
        return;
    if (!jail_landlock())
        fputs("kervan: note: this kernel has no landlock; the process that "
              "reads files is locked in by the other means (seccomp)\n",
              stderr);
    if (!scan_can_lease())
        fputs("kervan: note: without CAP_LEASE, files of other users are "
              "taken 10 s after their last change, not at once; the systemd "
              "unit grants it\n",
              stderr);
}

static int check_main(int argc, char **argv)
{
    struct check *c = xcalloc(1, sizeof(*c));
    char **names;
    int status;

    limits_default(&c->limits);
    diags_init(&c->diags, &c->arena, 0);
    names = arena_alloc(&c->arena, (size_t)argc * sizeof(*names));
    status = take_arguments(c, argc, argv, names);
    if (status == EXIT_DONE)
        status = check_all(c, names);
    if (status == EXIT_DONE)
        status = conclude(c);
    note_machine(c);
    for (size_t i = 0; i < c->n_maps; i++)
        map_free(c->maps[i]);
    for (size_t i = 0; i < c->n_confs; i++)
        conf_free(&c->confs[i]);
    arena_release(&c->arena);
    free(c);
    return status;
}

const struct cmd cmd_check = {
    .name = "check",
    .args = "[CONF | MAP...] [--sample FILE]",
    .help = "find all mistakes in maps and the configuration",
    .more =
        "  kervan check                       ./kervan.conf and all its maps\n"
        "  kervan check my.map other.map      these maps\n"
        "  kervan check my.map --sample FILE  and what does not fit the "
        "sample\n"
        "\n"
        "Exit status: 0 no errors, 2 errors.\n",
    .run = check_main,
};

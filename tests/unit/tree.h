/* tree.h - a folder of its own for a test, and small questions about files. */
#ifndef TESTS_UNIT_TREE_H
#define TESTS_UNIT_TREE_H

#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/files.h"

static char tree_root[64];

static inline void tree_make(void)
{
    snprintf(tree_root, sizeof(tree_root), "%s/kervan-test-XXXXXX", "/tmp");
    assert_non_null(mkdtemp(tree_root));
}

static inline void tree_drop(void)
{
    assert_int_equal(tree_remove(AT_FDCWD, tree_root), 0);
}

/* A path below the root; a few of them may be in use at once. */
static inline const char *at(const char *below)
{
    static char paths[8][512];
    static int next;
    char *p = paths[next++ % 8];

    snprintf(p, sizeof(paths[0]), "%s/%s", tree_root, below);
    return p;
}

static inline void put(const char *below, const char *text)
{
    int fd = open(at(below), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd != -1);
    assert_int_equal(file_put(fd, str_of(text)), 0);
    close(fd);
}

/* The file's text, or "(none)". */
static inline const char *text_of(const char *below)
{
    static char texts[4][8192];
    static int next;
    char *out = texts[next++ % 4];
    int fd = open(at(below), O_RDONLY);
    ssize_t n;

    if (fd == -1)
        return "(none)";
    n = read(fd, out, sizeof(texts[0]) - 1);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return out;
}

static inline bool is_there(const char *below)
{
    return access(at(below), F_OK) == 0;
}

/* How many names a folder has, without . and .. */
static inline int n_names(const char *below)
{
    DIR *dir = opendir(at(below));
    struct dirent *d;
    int n = 0;

    if (!dir)
        return -1;
    while ((d = readdir(dir)))
        n += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
    closedir(dir);
    return n;
}

#endif

/*
 * limits.h - how large everything may get. One table: the defaults, the
 * manual, `--limit NAME=VALUE` and `limit NAME VALUE` all read it.
 * A limit that is hit is an error that names limit and value.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include "converters/base/str.h"

#define KB(n) ((uint64_t)(n)*1024)
#define MB(n) ((uint64_t)(n)*1024 * 1024)

/*     id               name               default    unit   help */
#define LIMITS(X)                                                              \
    X(INPUT, "input", MB(512), "bytes", "size of an input file")               \
    X(OUTPUT, "output", MB(4096), "bytes", "all outputs of one input")         \
    X(OUTPUT_RATIO, "output-ratio", 10, "",                                    \
      "outputs above output-base, by size of the unpacked input")              \
    X(OUTPUT_BASE, "output-base", MB(64), "bytes",                             \
      "outputs of one input that output-ratio does not count")                 \
    X(RECORDS, "records", 10000000, "", "records (rows, elements) in a file")  \
    X(ERRORS, "errors", 1000, "", "errors listed per file; all are counted")   \
    X(DOCUMENT, "document", MB(16), "bytes", "one document")                   \
    X(LINES, "lines", 100000, "", "lines of one document, all lists together") \
    X(MEMORY, "memory", MB(512), "bytes", "memory of a reader process")        \
    X(CPU, "cpu", 120, "s", "processor time of a reader process")              \
    X(WALL, "wall", 300, "s", "time of a reader process, waiting not counted") \
    X(GROUP_KEYS, "group-keys", MB(4), "bytes",                                \
      "keys of closed groups kept in memory before they go to disk")           \
    X(CSV_COLUMNS, "csv-columns", 4096, "", "columns of a CSV row")            \
    X(CSV_FIELD, "csv-field", MB(1), "bytes", "one CSV field")                 \
    X(CSV_RECORD, "csv-record", MB(4), "bytes", "one CSV row")                 \
    X(CSV_BREAKS, "csv-breaks", 10000, "",                                     \
      "line breaks in one quoted CSV field: more is an open quote")            \
    X(XML_DEPTH, "xml-depth", 128, "", "nesting of XML elements")              \
    X(XML_TAG, "xml-tag", KB(64), "bytes", "one XML start tag")                \
    X(XML_ATTRIBUTES, "xml-attributes", 1000, "", "attributes of an element")  \
    X(XML_NAMESPACES, "xml-namespaces", 64, "",                                \
      "namespace declarations of an element")                                  \
    X(XML_NAMES, "xml-names", 20000, "", "distinct XML names in a file")       \
    X(XML_NAME, "xml-name", 1024, "bytes", "one XML name")                     \
    X(XML_TEXT, "xml-text", MB(10), "bytes", "one XML text or CDATA section")  \
    X(XML_COMMENT, "xml-comment", KB(256), "bytes", "one XML comment")         \
    X(XML_PI, "xml-pi", KB(64), "bytes", "one XML processing instruction")     \
    X(ZIP_ENTRIES, "zip-entries", 1000, "", "entries of a ZIP")                \
    X(ZIP_NAME, "zip-name", 255, "bytes", "the name of a ZIP entry")           \
    X(ZIP_DEPTH, "zip-depth", 8, "", "parts of the name of a ZIP entry")       \
    X(ZIP_ENTRY, "zip-entry", MB(512), "bytes", "one ZIP entry, unpacked")     \
    X(ZIP_TOTAL, "zip-total", MB(1024), "bytes", "a ZIP, unpacked")            \
    X(ZIP_RATIO, "zip-ratio", 200, "",                                         \
      "unpacked size by packed size of an entry above 1 MB")                   \
    X(ZIP_RATIO_ALL, "zip-ratio-all", 100, "",                                 \
      "unpacked size by packed size of a ZIP above 1 MB")                      \
    X(MAP_SIZE, "map-size", MB(1), "bytes", "a map or configuration file")     \
    X(MAP_DEPTH, "map-depth", 32, "", "nesting of blocks in a map")            \
    X(STEPS, "steps", 10000000, "",                                            \
      "lines or elements that the sums and filters of one value look at")      \
    X(MATCH_STEPS, "match-steps", 20000000, "",                                \
      "tried items of a pattern, on one text, and each 16 bytes passed")       \
    X(MATCH_DEPTH, "match-depth", 1000, "",                                    \
      "repeats of a group in a pattern that wait for the rest")                \
    X(NAME, "name", 200, "bytes", "a file name that is delivered")             \
    X(OUTPUTS, "outputs", 100000, "", "output files of one input")             \
    X(OPEN_FILES, "open-files", 64, "", "outputs that are open at once")       \
    X(JOBS, "jobs", 4, "", "files that are converted at once")                 \
    X(JOB_MEMORY, "job-memory", MB(512), "bytes",                              \
      "memory of a process that writes outputs")                               \
    X(FREE_DISK, "free-disk", 5, "%",                                          \
      "part of the spool's disk that stays free")                              \
    X(FREE_FILES, "free-files", 5, "%",                                        \
      "part of the files that its file system can hold that stays free")       \
    X(FREE_BYTES, "free-bytes", MB(256), "bytes",                              \
      "free on the spool's disk beside what the files to be taken need")       \
    X(FREE_TIMES, "free-times", 2, "",                                         \
      "of their size that the files to be taken need")                         \
    X(SFTP_CONNECT, "sftp-connect", 15, "s", "reaching a partner's server")    \
    X(SFTP_HANDSHAKE, "sftp-handshake", 30, "s", "agreeing on keys with it")   \
    X(SFTP_LOGIN, "sftp-login", 30, "s", "logging in there")                   \
    X(SFTP_OPERATION, "sftp-operation", 60, "s",                               \
      "waiting for a server's next answer")                                    \
    X(SFTP_RATE, "sftp-rate", KB(1), "bytes",                                  \
      "of a file in a second: a slower line is given up")

enum limit_id {
#define X(id, name, value, unit, help) LIMIT_##id,
    LIMITS(X)
#undef X
        N_LIMITS
};

struct limits {
    uint64_t v[N_LIMITS];
};

struct limit_info {
    const char *name;
    uint64_t value; /* the default */
    const char *unit, *help;
};

extern const struct limit_info limit_table[N_LIMITS];

void limits_default(struct limits *l);
/*
 * "NAME=VALUE": VALUE is a number, with k, M or G for bytes. Returns 0, -1 for
 * an unknown name, -2 for a value that cannot be; *wants then says which can.
 */
int limits_set(struct limits *l, struct str name, struct str value,
               const char **wants);

struct arena;
/* "512 bytes": what a message tells of a limit that was hit. */
struct str limit_text(struct arena *a, const struct limits *l,
                      enum limit_id id);

#endif

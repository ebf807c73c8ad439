/*
 * xml_cut.h - which bytes of an XML file make a file of some of its records.
 *
 * The prolog, the elements around those records from their start tags to the
 * first record inside (there stands what a map reads by absolute paths), the
 * records, the blanks before them, and the closing tags: all as they stand.
 * Elements around other records alone are left out.
 *
 * Offsets are those of the file; formats/xml.c tells them in their order.
 */
#ifndef FORMATS_XML_CUT_H
#define FORMATS_XML_CUT_H

#include "formats/format.h"

/* An element around records, perhaps; [0] is the document. */
struct xml_cut_open {
    uint64_t lead;  /* where the blanks before it begin */
    uint64_t start; /* its '<' */
    uint64_t head;  /* where the first record inside, or an element around that
                       one, begins */
    bool has_record, kept;
};

struct xml_cut {
    const struct cut *to;
    struct xml_cut_open *open;
    size_t n, cap;
    uint64_t mark; /* behind the last tag, comment or record */
};

void xml_cut_begin(struct xml_cut *c, const struct cut *to);
/* An element that is no record opens; `behind` its start tag. */
void xml_cut_open(struct xml_cut *c, uint64_t start, uint64_t behind);
void xml_cut_record(struct xml_cut *c, uint64_t start, uint64_t len);
/* The innermost element was closed; a comment or an instruction ended. */
void xml_cut_close(struct xml_cut *c, uint64_t behind);
void xml_cut_pass(struct xml_cut *c, uint64_t behind);
void xml_cut_end(struct xml_cut *c);
void xml_cut_release(struct xml_cut *c);

#endif

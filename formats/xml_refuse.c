/* xml_refuse.c - what a DTD can hold, and references to it: refused. */
#include "formats/xml_library.h"
#include "formats/xml_reader.h"

#include <libxml/parser.h>

/* libxml2 tells its callbacks more than they need. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void on_reference(void *ctx, const xmlChar *name)
{
    struct xml *x = ctx;

    xml_move_to(x, xml_begin_of(x, "&"));
    XML_STOP(x, XML_ENTITY,
             arena_fmt(x->r->names, "&%.*s;", STR_ARGS(xml_clip(name))));
}

static xmlEntityPtr on_entity(void *ctx, const xmlChar *name)
{
    on_reference(ctx, name);
    return NULL;
}

/* open: how it begins, "<!ENTITY". */
static void refuse_declaration(struct xml *x, const char *open,
                               const xmlChar *name)
{
    xml_move_to(x, xml_begin_of(x, open));
    XML_STOP(
        x, XML_DTD,
        arena_fmt(x->r->names, "%s %.*s", open + 2, STR_ARGS(xml_clip(name))));
}

static xmlEntityPtr on_parameter_entity(void *ctx, const xmlChar *name)
{
    struct xml *x = ctx;

    xml_move_to(x, xml_begin_of(x, "%"));
    XML_STOP(x, XML_DTD,
             arena_fmt(x->r->names, "parameter entity %.*s",
                       STR_ARGS(xml_clip(name))));
    return NULL;
}

static void on_entity_decl(void *ctx, const xmlChar *name, int type,
                           const xmlChar *public_id, const xmlChar *system_id,
                           xmlChar *content)
{
    refuse_declaration(ctx, "<!ENTITY", name);
}

static void on_unparsed_entity(void *ctx, const xmlChar *name,
                               const xmlChar *public_id,
                               const xmlChar *system_id,
                               const xmlChar *notation)
{
    refuse_declaration(ctx, "<!ENTITY", name);
}

static void on_notation(void *ctx, const xmlChar *name,
                        const xmlChar *public_id, const xmlChar *system_id)
{
    refuse_declaration(ctx, "<!NOTATION", name);
}

static void on_attribute_decl(void *ctx, const xmlChar *element,
                              const xmlChar *name, int type, int def,
                              const xmlChar *value, xmlEnumerationPtr tree)
{
    xmlFreeEnumeration(tree); /* the handler owns it */
    refuse_declaration(ctx, "<!ATTLIST", name);
}

static void on_element_decl(void *ctx, const xmlChar *name, int type,
                            xmlElementContentPtr content)
{
    refuse_declaration(ctx, "<!ELEMENT", name);
}

void xml_refuse(xmlSAXHandler *sax)
{
    sax->reference = on_reference;
    sax->getEntity = on_entity;
    sax->getParameterEntity = on_parameter_entity;
    sax->entityDecl = on_entity_decl;
    sax->unparsedEntityDecl = on_unparsed_entity;
    sax->notationDecl = on_notation;
    sax->attributeDecl = on_attribute_decl;
    sax->elementDecl = on_element_decl;
}

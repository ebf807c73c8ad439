/*
 * fields.c - the table of documents: the one truth about names and types.
 *
 * To add a field: one line here. To add a document: its fields, its level and
 * a line in documents[]. No list shares its name with a field of its level.
 */
#include "converters/document/document.h"

#define T(name, help)                    \
    {                                    \
        name, FT_TEXT, false, NULL, help \
    }
#define KEY(name, help)                 \
    {                                   \
        name, FT_TEXT, true, NULL, help \
    }
#define DEC(name, help)                     \
    {                                       \
        name, FT_DECIMAL, false, NULL, help \
    }
#define PCT(name, help)                     \
    {                                       \
        name, FT_PERCENT, false, NULL, help \
    }
#define DATE(name, help)                 \
    {                                    \
        name, FT_DATE, false, NULL, help \
    }
#define TIME(name, help)                     \
    {                                        \
        name, FT_DATETIME, false, NULL, help \
    }
#define YES(name, help)                  \
    {                                    \
        name, FT_BOOL, false, NULL, help \
    }
#define ONE(name, words, help)              \
    {                                       \
        name, FT_CHOICE, false, words, help \
    }
#define END \
    {       \
        0   \
    }

/* clang-format off */
#define ADDRESS(which, what) \
    T(which ".name", what ": person"), \
    T(which ".company", what ": company"), \
    T(which ".street", what ": street, with the house number unless that stands apart"), \
    T(which ".house_number", what ": house number"), \
    T(which ".city", what ": town"), \
    T(which ".zip", what ": postal code"), \
    T(which ".region", what ": county or province"), \
    T(which ".country", what ": country, ISO 3166 alpha-2"), \
    T(which ".phone", what ": phone"), \
    T(which ".gln", what ": GS1 location number")

#define STATUS "new|confirmed|paid|processing|shipped|completed|cancelled|returned"

#define ORDER_FIELDS \
    ONE("action", "create|change|cancel", "what the receiver shall do; set by the rules"), \
    KEY("number", "number that the customer sees"), \
    TIME("date", "date and time of the order"), \
    DATE("delivery_date", "wanted delivery"), \
    ONE("status", STATUS, "where the order stands"), \
    T("status_text", "the same in the sender's words"), \
    T("currency", "ISO 4217 code"), \
    DEC("exchange_rate", "home currency for one unit"), \
    T("reference", "the customer's own number"), \
    T("note", "the customer's words"), \
    T("internal_note", "the shop's words, not for the customer"), \
    T("language", "ISO 639 code"), \
    T("warehouse", "warehouse it is served from"), \
    KEY("customer.id", "the shop's id of the customer"), \
    KEY("customer.code", "the ERP's code of the customer"), \
    KEY("customer.gln", "GS1 location number"), \
    KEY("customer.email", "e-mail"), \
    T("customer.phone", "phone"), \
    ONE("customer.kind", "person|company", "person or company"), \
    T("customer.tax_id", "tax number at home (I\xc4\x8cO, CUI, VKN, ad\xc3\xb3sz\xc3\xa1m)"), \
    T("customer.vat_id", "VAT number with country prefix"), \
    T("customer.group", "customer group"), \
    ADDRESS("billing", "billing address"), \
    ADDRESS("delivery", "delivery address"), \
    T("payment.method", "name of the payment method"), \
    T("payment.code", "its code"), \
    YES("payment.paid", "is it paid"), \
    DATE("payment.paid_date", "when it was paid"), \
    DATE("payment.due", "when it is due"), \
    T("payment.reference", "what the bank transfer carries"), \
    T("shipping.method", "name of the shipping method"), \
    T("shipping.code", "its code"), \
    T("shipping.point", "pick-up point"), \
    T("shipping.tracking", "tracking number"), \
    T("shipping.carrier", "carrier"), \
    DEC("total.net", "sum without VAT"), \
    DEC("total.vat", "VAT"), \
    DEC("total.gross", "sum with VAT"), \
    DEC("total.rounding", "rounding of the sum to pay"), \
    DEC("total.to_pay", "what the customer pays")

static const struct field_spec attribute_fields[] = {
    T("name", "axis: colour, size, ..."),
    T("value", "red, XL, ..."),
    END,
};
static const struct level attribute = {
    .name = "attribute", .help = "a property of the product or variant",
    .fields = attribute_fields,
};

static const struct field_spec image_fields[] = {
    T("url", "address or file name"),
    T("text", "alternative text"),
    END,
};
static const struct level image = {
    .name = "image", .help = "a picture", .fields = image_fields,
};

static const struct field_spec line_fields[] = {
    T("number", "number of the line"),
    ONE("kind", "item|shipping|payment|discount|coupon|gift|service|deposit|rounding", "what the line is"),
    KEY("sku", "article code"),
    KEY("ean", "GTIN"),
    T("name", "name of the article"),
    T("variant", "variant in words"),
    DEC("quantity", "quantity; negative for returns"),
    T("unit", "unit of measure"),
    DEC("price.net", "paid per unit, without VAT, after the discount"),
    DEC("price.gross", "paid per unit, with VAT, after the discount"),
    DEC("price.regular", "price before the discount"),
    PCT("vat.rate", "VAT in percent"),
    T("vat.code", "VAT key of the partner"),
    PCT("discount.rate", "discount in percent; explains the price"),
    DEC("discount.amount", "discount per line; explains the price"),
    DEC("total.net", "line without VAT"),
    DEC("total.gross", "line with VAT"),
    T("warehouse", "warehouse it is served from"),
    DATE("delivery_date", "wanted delivery"),
    T("note", "remark"),
    END,
};
static const struct level line = {
    .name = "line", .help = "what is ordered, and what it costs",
    .fields = line_fields,
    .lists = (const struct level *const[]){ &attribute, NULL },
};

static const struct field_spec tax_fields[] = {
    PCT("rate", "VAT in percent"),
    T("code", "VAT key"),
    DEC("base", "sum without VAT"),
    DEC("amount", "VAT"),
    END,
};
static const struct level tax = {
    .name = "tax", .help = "sum per VAT rate", .fields = tax_fields,
};

static const struct field_spec order_fields[] = { ORDER_FIELDS, END };
static const struct level order = {
    .name = "order", .noun = "order", .plural = "orders", .help = "shop to ERP", .fields = order_fields,
    .lists = (const struct level *const[]){ &line, &tax, NULL },
};

static const struct field_spec invoice_fields[] = {
    ORDER_FIELDS,
    KEY("series", "series of the invoice number"),
    DATE("due", "when it is due"),
    DATE("tax_date", "date of the tax point"),
    ONE("kind", "invoice|credit|proforma|advance", "what it is"),
    KEY("order", "number of the order it belongs to"),
    T("sender", "the shop that sent the order; set by the rules"),
    KEY("cancels", "number of the invoice that it cancels"),
    T("file", "its PDF"),
    END,
};
static const struct level invoice = {
    .name = "invoice", .noun = "invoice", .plural = "invoices", .help = "ERP to shop", .fields = invoice_fields,
    .lists = (const struct level *const[]){ &line, &tax, NULL },
};

static const struct field_spec level_fields[] = {
    T("warehouse", "warehouse"),
    DEC("quantity", "physical stock"),
    DEC("reserved", "of it reserved"),
    DEC("free", "of it free"),
    END,
};
static const struct level stock_level = {
    .name = "level", .help = "stock of one warehouse", .fields = level_fields,
};

static const struct field_spec stock_fields[] = {
    KEY("sku", "article code"),
    KEY("ean", "GTIN"),
    T("name", "name"),
    T("warehouse", "warehouse"),
    DEC("quantity", "physical stock"),
    DEC("reserved", "of it reserved"),
    DEC("free", "of it free"),
    DEC("incoming", "ordered from suppliers"),
    T("unit", "unit of measure"),
    DEC("price.purchase", "purchase price"),
    DEC("price.net", "selling price without VAT"),
    DEC("price.gross", "selling price with VAT"),
    PCT("vat.rate", "VAT in percent"),
    TIME("updated", "when the ERP knew this"),
    END,
};
static const struct level stock = {
    .name = "stock", .noun = "stock record", .plural = "stock records", .help = "ERP to shop", .fields = stock_fields,
    .lists = (const struct level *const[]){ &stock_level, NULL },
};

static const struct field_spec price_fields[] = {
    KEY("sku", "article code"),
    T("list", "price list"),
    T("currency", "ISO 4217 code"),
    DEC("net", "without VAT"),
    DEC("gross", "with VAT"),
    PCT("vat.rate", "VAT in percent"),
    DEC("purchase", "purchase price"),
    DEC("regular", "price before the sale"),
    DEC("sale", "sale price"),
    DATE("from", "valid from"),
    DATE("to", "valid to"),
    DEC("min_quantity", "from this quantity on"),
    END,
};
static const struct level price = {
    .name = "price", .noun = "price", .plural = "prices", .help = "ERP to shop", .fields = price_fields,
};

#define PRICES \
    DEC("price.purchase", "purchase price"), \
    DEC("price.net", "selling price without VAT"), \
    DEC("price.gross", "selling price with VAT"), \
    DEC("price.regular", "price before the sale"), \
    DEC("price.sale", "sale price")

static const struct field_spec variant_fields[] = {
    KEY("sku", "article code of the variant"),
    KEY("ean", "GTIN"),
    T("name", "name"),
    PRICES,
    DEC("quantity", "stock"),
    END,
};
static const struct level variant = {
    .name = "variant", .help = "a colour, a size, ...",
    .fields = variant_fields,
    .lists = (const struct level *const[]){ &attribute, &image, NULL },
};

static const struct field_spec path_fields[] = {
    T("path", "levels joined by \" > \""),
    END,
};
static const struct level other_category = {
    .name = "other_category", .help = "a further category",
    .fields = path_fields,
};

static const struct field_spec product_fields[] = {
    ONE("action", "create|change", "what the receiver shall do; set by the rules"),
    KEY("sku", "article code"),
    KEY("parent", "article code that groups variants"),
    KEY("ean", "GTIN"),
    T("name", "name"),
    T("brand", "brand"),
    T("category", "levels joined by \" > \""),
    T("description", "long text, may be HTML"),
    T("short_description", "short text"),
    T("unit", "unit of measure"),
    PCT("vat.rate", "VAT in percent"),
    DEC("weight", "kg"),
    YES("visible", "is it shown in the shop"),
    PRICES,
    DEC("quantity", "stock"),
    END,
};
static const struct level product = {
    .name = "product", .noun = "product", .plural = "products", .help = "both ways", .fields = product_fields,
    .lists = (const struct level *const[]){ &image, &other_category,
                                            &attribute, &variant, NULL },
};

static const struct field_spec customer_fields[] = {
    ONE("action", "create|change", "what the receiver shall do; set by the rules"),
    KEY("code", "code in the ERP"),
    T("name", "person"),
    T("company", "company"),
    ONE("kind", "person|company", "person or company"),
    T("tax_id", "tax number at home"),
    T("vat_id", "VAT number with country prefix"),
    KEY("gln", "GS1 location number"),
    KEY("email", "e-mail"),
    T("phone", "phone"),
    ADDRESS("billing", "billing address"),
    ADDRESS("delivery", "delivery address"),
    T("group", "customer group"),
    T("price_list", "price list"),
    END,
};
static const struct level customer = {
    .name = "customer", .noun = "customer", .plural = "customers", .help = "both ways", .fields = customer_fields,
};

static const struct field_spec shipment_line_fields[] = {
    T("number", "number of the line"),
    KEY("sku", "article code"),
    KEY("ean", "GTIN"),
    T("name", "name"),
    DEC("quantity", "quantity sent"),
    T("unit", "unit of measure"),
    END,
};
static const struct level shipment_line = {
    .name = "line", .help = "what is sent", .fields = shipment_line_fields,
};
static const struct field_spec package_fields[] = {
    KEY("sscc", "GS1 serial shipping container code"),
    T("number", "number of the package"),
    T("tracking", "tracking number"),
    DEC("weight", "kg"),
    END,
};
static const struct level package = {
    .name = "package", .help = "a parcel", .fields = package_fields,
};
static const struct field_spec shipment_fields[] = {
    KEY("order", "number of the order"),
    T("sender", "the shop that sent the order; set by the rules"),
    KEY("number", "despatch number"),
    TIME("date", "when it left"),
    T("carrier", "carrier"),
    T("tracking", "tracking number"),
    T("url", "where to follow it"),
    ADDRESS("delivery", "delivery address"),
    END,
};
static const struct level shipment = {
    .name = "shipment", .noun = "shipment", .plural = "shipments", .help = "ERP to shop", .fields = shipment_fields,
    .lists = (const struct level *const[]){ &shipment_line, &package, NULL },
};

static const struct field_spec message_fields[] = {
    ONE("level", "ok|warning|error", "how bad it is"),
    T("code", "the receiver's number of the message"),
    T("text", "the message"),
    T("field", "what it is about"),
    END,
};
static const struct level message = {
    .name = "message", .help = "what the receiver says",
    .fields = message_fields,
};
static const struct field_spec order_status_fields[] = {
    KEY("order", "number of the order; empty: all of `file`"),
    T("sender", "the shop that sent the order; set by the rules"),
    KEY("number", "the receiver's own number"),
    KEY("id", "the receiver's own id"),
    ONE("status", STATUS, "where the order stands"),
    TIME("date", "since when"),
    KEY("invoice.series", "series of its invoice"),
    KEY("invoice.number", "number of its invoice"),
    T("carrier", "carrier"),
    T("tracking", "tracking number"),
    YES("ok", "was it accepted"),
    T("text", "in the receiver's words"),
    T("file", "the file that is answered"),
    END,
};
static const struct level order_status = {
    .name = "order_status", .noun = "order status", .plural = "order statuses", .help = "ERP to shop",
    .fields = order_status_fields,
    .lists = (const struct level *const[]){ &message, NULL },
};

static const struct field_spec entry_fields[] = {
    DATE("date", "date of the entry"),
    T("kind", "invoice, payment, ..."),
    KEY("number", "number of its document"),
    DATE("due", "when it is due"),
    T("text", "what it is for"),
    DEC("debit", "the customer owes"),
    DEC("credit", "the customer paid"),
    DEC("balance", "after this entry"),
    END,
};
static const struct level entry = {
    .name = "entry", .help = "an invoice, a payment", .fields = entry_fields,
};
static const struct field_spec statement_fields[] = {
    KEY("customer.code", "code in the ERP"),
    T("customer.name", "name"),
    KEY("customer.email", "e-mail"),
    DATE("from", "first day"),
    DATE("to", "last day"),
    T("currency", "ISO 4217 code"),
    DEC("opening", "balance before the first entry"),
    DEC("closing", "balance after the last entry"),
    END,
};
static const struct level statement = {
    .name = "statement", .noun = "statement", .plural = "statements", .help = "ERP to shop", .fields = statement_fields,
    .lists = (const struct level *const[]){ &entry, NULL },
};
/* clang-format on */

const struct level *const documents[] = {
    &order,   &stock,    &price,        &product,   &customer,
    &invoice, &shipment, &order_status, &statement, NULL,
};

const struct level *document_find(struct str name)
{
    for (size_t i = 0; documents[i]; i++)
        if (str_is(name, documents[i]->name))
            return documents[i];
    return NULL;
}

const char *field_type_name(enum field_type t)
{
    static const char *const names[] = {
        [FT_TEXT] = "text",         [FT_DECIMAL] = "decimal",
        [FT_PERCENT] = "percent",   [FT_DATE] = "date",
        [FT_DATETIME] = "datetime", [FT_BOOL] = "yes/no",
        [FT_CHOICE] = "choice",
    };

    return names[t];
}

/*
 * messages.h - every message about a user's file: stable name, level, text.
 *
 * %1 %2 %3 are the arguments. Sections by where a message is born; add yours
 * to its section and a case that shows it under tests/ (the test fails until
 * there is one).
 */
#ifndef BASE_MESSAGES_H
#define BASE_MESSAGES_H

/* clang-format off */
#define DIAGS_INPUT(X) \
    X(FILE_OPEN, "file-open", ERROR, "cannot open %1: %2") \
    X(FILE_READ, "file-read", ERROR, "cannot read: %1") \
    X(FILE_EMPTY, "file-empty", ERROR, "the file is empty") \
    X(FILE_HTML, "file-html", ERROR, "this is a web page (HTML), not %1; the shop probably answered with a login or error page") \
    X(FILE_KIND, "file-kind", ERROR, "this is %1, not %2") \
    X(READER_DIED, "reader-died", ERROR, "the process that read the file died (%1); the file is kept and nothing of it was written") \
    X(READER_JAILED, "reader-jailed", ERROR, "the process that read the file was stopped: it did what its jail forbids (%1). The file is an attack, or kervan has a fault; it is kept and nothing of it was written") \
    X(NO_RECORDS, "no-records", WARNING, "the file has no %1; is it the right file for this map?") \
    X(FILE_TRUNCATED, "file-truncated", ERROR, "the file ends too early: %1") \
    X(LIMIT, "limit", ERROR, "%1 is over the limit of %2 (change it with --limit %3)") \
    X(CHARSET_INVALID, "charset-invalid", ERROR, "byte %1 is not in charset %2; %3") \
    X(CHARSET_CUT, "charset-cut", ERROR, "the file ends inside a character (charset %1)") \
    X(CHARSET_NUL, "charset-nul", ERROR, "a NUL character; text files have none") \
    X(CHARSET_IS_UTF8, "charset-is-utf8", ERROR, "the file is UTF-8, but it is read as %1 (%2); set charset UTF-8 in the map, or correct the export") \
    X(CHARSET_IS_UTF16, "charset-is-utf16", ERROR, "the file is UTF-16, but it is read as %1 (%2); set charset UTF-16 in the map") \
    X(CHARSET_NOT_UTF8, "charset-not-utf8", ERROR, "byte %1 is not UTF-8, and the file is read as that (%3); it looks like %2: set charset %2 in the map") \
    X(CHARSET_DIFFERS, "charset-differs", WARNING, "the XML declaration names charset %1; the file is read as %2, as the map says") \
    X(CHARSET_UNKNOWN, "charset-unknown", ERROR, "unknown charset %1; known are %2") \

#define DIAGS_CSV(X) \
    X(CSV_OPEN_QUOTE, "csv-open-quote", ERROR, "a quote opens here and never closes") \
    X(CSV_QUOTE, "csv-quote", ERROR, "a quote in the middle of a field; inside a quoted field it would be doubled (if quotes are plain text here, set quote none in the map)") \
    X(CSV_RAGGED, "csv-ragged", ERROR, "fields in this row: %1, in the header: %2") \
    X(CSV_RAGGED_FIRST, "csv-ragged-first", ERROR, "fields in this row: %1, in the first row: %2") \
    X(CSV_NO_COLUMN, "csv-no-column", ERROR, "no column %1 in the header%2") \
    X(CSV_NO_PLACE, "csv-no-place", ERROR, "no column [%1]; columns in the first row: %2") \
    X(CSV_TWICE, "csv-twice", ERROR, "two columns are called %1; name one by its place: %2") \
    X(CSV_SEP, "csv-sep", ERROR, "the line sep= says that %1 stands between two fields; the map says delimiter %2") \
    X(CSV_NO_QUOTE, "csv-no-quote", ERROR, "%1 in a value needs quotes, and the map says quote none") \

#define DIAGS_XML(X) \
    X(XML_SYNTAX, "xml-syntax", ERROR, "not well-formed XML: %1") \
    X(XML_ENTITY, "xml-entity", ERROR, "entity %1: entities other than &amp; &lt; &gt; &quot; &apos; are refused") \
    X(XML_DTD, "xml-dtd", ERROR, "declarations in a DOCTYPE are refused (%1)") \
    X(XML_ENCODING, "xml-encoding", ERROR, "the XML declaration names charset %1, which is not supported; known are %2") \
    X(XML_LATE, "xml-late", ERROR, "%1 comes after the record that needs it; absolute paths reach what stood before") \

#define DIAGS_ZIP(X) \
    X(ZIP_BROKEN, "zip-broken", ERROR, "broken ZIP: %1") \
    X(ZIP_OVERLAP, "zip-overlap", ERROR, "ZIP entries overlap (a ZIP bomb): %1") \
    X(ZIP_SIZE, "zip-size", ERROR, "ZIP entry %1 unpacks to another size than it says") \
    X(ZIP_NAME, "zip-name", ERROR, "unsafe name in the ZIP: %1") \
    X(ZIP_METHOD, "zip-method", ERROR, "ZIP entry %1 is %2; only plain stored and deflated entries are read") \
    X(ZIP_NO_MEMBER, "zip-no-member", ERROR, "no member of the ZIP fits %1") \
    X(ZIP_NESTED, "zip-nested", ERROR, "ZIP entry %1 is itself a ZIP") \

/* Faults in data, found while a map runs. */
#define DIAGS_DATA(X) \
    X(NUMBER_SYNTAX, "number-syntax", ERROR, "not a number: \"%1\"%2") \
    X(NUMBER_OVERFLOW, "number-overflow", ERROR, "the number has more than 18 digits: %1%2") \
    X(WHOLE_NUMBER, "whole-number", ERROR, "\"%1\" is no whole number from %2 to %3") \
    X(DIVIDE_ZERO, "divide-zero", ERROR, "division by zero") \
    X(DATE_SYNTAX, "date-syntax", ERROR, "not a date as the map describes (%3): \"%1\"%2") \
    X(DATE_RANGE, "date-range", ERROR, "the date leaves the years 1900 to 9999") \
    X(BOOL_SYNTAX, "bool-syntax", ERROR, "neither %3: \"%1\"%2") \
    X(CHOICE_VALUE, "choice-value", ERROR, "\"%1\" is no %2; it is one of %3") \
    X(SEVERAL_VALUES, "several-values", ERROR, "one value is asked for, but there are different ones: \"%1\" and \"%2\"%3") \
    X(REQUIRED, "required", ERROR, "%1 is required and empty") \
    X(TOO_LONG, "too-long", ERROR, "\"%1\" has %2 characters, more than %3") \
    X(CUT, "cut", WARNING, "\"%1\" is cut to %2") \
    X(TABLE_KEY, "table-key", ERROR, "table %2 has no entry for \"%1\"%3") \
    X(TABLE_ERROR, "table-error", ERROR, "%2: \"%1\"") \
    X(CHECK_FAILED, "check-failed", WARNING, "\"%1\" is no valid %2") \
    X(CHECK_REJECT, "check-reject", ERROR, "\"%1\" is no valid %2") \
    X(REJECTED, "rejected", ERROR, "%1") \
    X(WARNED, "warned", WARNING, "%1") \
    X(NOT_KNOWN, "not-known", WARNING, "\"%1\" is no %2 that is known; it stays as it is%3") \
    X(SPLIT, "split", WARNING, "\"%1\" cannot be split into %2; it stays whole") \
    X(UNMAPPABLE, "unmappable", ERROR, "character %1 is not in charset %2%3") \
    X(UNMAPPABLE_KEY, "unmappable-key", ERROR, "character %1 is not in charset %2, and %3 is a key that must not change") \
    X(FORMULA_KEY, "formula-key", ERROR, "a spreadsheet would take the value for a formula (%1), and %2 is a key that must not change") \
    X(CONTROL_CHAR, "control-char", ERROR, "control character %1 cannot stand in %2") \
    X(REGEX_LIMIT, "regex-limit", ERROR, "the pattern takes too long on \"%1\": over the limit of %2 (change it with --limit %3)") \
    X(ATTRIBUTE_TWICE, "attribute-twice", ERROR, "attribute %1 would stand twice in its element; only one of its lines may hold") \
    X(TOTALS_DIFFER, "totals-differ", WARNING, "%1 is %2 in the file, but %3 by its parts") \
    X(NO_ROOT, "no-root", ERROR, "no outermost element would be written; an XML file has one") \
    X(FILE_NAME, "file-name", ERROR, "no usable file name comes out of %1: \"%2\"") \
    X(SEVERAL_FILES, "several-files", ERROR, "the map makes several files; give a folder for them: -o FOLDER/") \
    X(FILE_NAME_TWICE, "file-name-twice", ERROR, "two files of this run would be called %1") \

/* Mistakes in maps (and the outline they share with the configuration). */
#define DIAGS_MAP(X) \
    X(NOT_UTF8, "not-utf8", ERROR, "the file is not UTF-8 (byte %1); it looks like %2: save it as UTF-8") \
    X(TAB_INDENT, "tab-indent", ERROR, "a tab in the indentation; use spaces") \
    X(BAD_INDENT, "bad-indent", ERROR, "this column is not one that an open block has") \
    X(NO_BLOCK, "no-block", ERROR, "this line stands deeper than the one above, below which nothing can stand") \
    X(EMPTY_BLOCK, "empty-block", ERROR, "a block is missing below this line") \
    X(OPEN_STRING, "open-string", ERROR, "the text has no closing quote on this line") \
    X(SYNTAX, "syntax", ERROR, "%1") \
    X(NO_HEADER, "no-header", ERROR, "a map begins with \"read DOCUMENT from FORMAT\" or \"write DOCUMENT to FORMAT\"") \
    X(WRONG_HALF, "wrong-half", ERROR, "this is a %1 map, a %2 map is needed here") \
    X(UNKNOWN_DOCUMENT, "unknown-document", ERROR, "unknown document: %1%2") \
    X(UNKNOWN_FORMAT, "unknown-format", ERROR, "unknown format: %1%2") \
    X(UNKNOWN_OPTION, "unknown-option", ERROR, "unknown option: %1%2") \
    X(OPTION_VALUE, "option-value", ERROR, "option %1: %2") \
    X(OPTION_TWICE, "option-twice", ERROR, "option %1 stands twice") \
    X(UNKNOWN_FIELD, "unknown-field", ERROR, "unknown field: %1%2") \
    X(UNKNOWN_LIST, "unknown-list", ERROR, "%1 has no list %2%3") \
    X(UNKNOWN_NAME, "unknown-name", ERROR, "unknown name: %1%2") \
    X(UNKNOWN_FUNCTION, "unknown-function", ERROR, "unknown function: %1%2") \
    X(UNKNOWN_TABLE, "unknown-table", ERROR, "no table %1 in this map%2") \
    X(UNKNOWN_PART, "unknown-part", ERROR, "no part %1 in this map%2") \
    X(UNKNOWN_SETTING, "unknown-setting", ERROR, "no setting or name $%1 here%2") \
    X(UNKNOWN_CHECK, "unknown-check", ERROR, "unknown check: %1%2") \
    X(UNKNOWN_PREFIX, "unknown-prefix", ERROR, "no namespace is declared for the prefix %1") \
    X(UNKNOWN_CLAUSE, "unknown-clause", ERROR, "unexpected \"%1\" after the expression%2") \
    X(ARGUMENTS, "arguments", ERROR, "%1 takes %2, not %3") \
    X(PATTERN, "pattern", ERROR, "pattern \"%1\": %2") \
    X(SET_TWICE, "set-twice", ERROR, "%1 is set twice; give the first line a `when`") \
    X(NAME_TWICE, "name-twice", ERROR, "%1 is named twice") \
    X(TABLE_KEY_TWICE, "table-key-twice", WARNING, "key %1 stands twice; the first line counts") \
    X(TABLE_FILE, "table-file", ERROR, "table %1: %2") \
    X(NOT_HERE, "not-here", ERROR, "%1 cannot stand here; %2") \
    X(ATTRIBUTE_LATE, "attribute-late", ERROR, "attribute %1 must stand before the elements of its block") \
    X(ONE_ROOT, "one-root", ERROR, "an XML file has one outermost element; %1") \
    X(CONSTANT_VALUE, "constant-value", ERROR, "\"%1\" is no %2; it is one of %3") \
    X(SETTING_MISSING, "setting-missing", ERROR, "setting %1 is required: %2") \
    X(SETTING_UNKNOWN, "setting-unknown", ERROR, "no map here has a setting %1%2") \
    X(UNUSED, "unused", WARNING, "%1 is never used") \
    X(CUT_KEY, "cut-key", WARNING, "%1 is a key that others match by; cutting it can join two into one") \
    X(NOT_BUILT, "not-built", ERROR, "%1 is not built yet") \
    X(INCLUDE, "include", ERROR, "include %1: %2") \
    X(NO_BODY, "no-body", ERROR, "the map has no body: nothing would be %1") \
    X(SAMPLE_NO_MATCH, "sample-no-match", WARNING, "%1 fits nothing in the sample") \

#define DIAGS_CONF(X) \
    X(CONF_UNKNOWN, "conf-unknown", ERROR, "unknown word: %1%2") \
    X(CONF_VALUE, "conf-value", ERROR, "%1: %2") \
    X(CONF_MISSING, "conf-missing", ERROR, "%1 has no line \"%2\"") \
    X(CONF_TWICE, "conf-twice", ERROR, "%1 stands twice") \
    X(CONF_NO_PARTNER, "conf-no-partner", ERROR, "no partner is called %1%2") \
    X(CONF_NO_ROUTE, "conf-no-route", ERROR, "no route is called %1%2") \
    X(CONF_NO_MAP, "conf-no-map", ERROR, "no map %1; looked in %2") \
    X(CONF_DOCUMENTS, "conf-documents", ERROR, "the read map makes %1 documents, the write map takes %2") \
    X(CONF_WEAK, "conf-weak", WARNING, "%1 is weak; allow it only as long as the partner's server knows nothing better") \
    X(CONF_FOLDER, "conf-folder", WARNING, "folder %1: %2") \
    X(CONF_FILE, "conf-file", WARNING, "file %1: %2") \

#define DIAGS_TRADE(X) \
    X(CHANGES_UNSEEN, "changes-unseen", WARNING, "no write map of this route looks at action or status: a cancellation would look like a new one") \
    X(DOCUMENT_CHANGED, "document-changed", WARNING, "changed after job %1 had sent it, and not sent again: %2 (\"changes send\" sends changes)") \
    X(DOCUMENT_LOCKED, "document-locked", WARNING, "changed after its invoice %1, and not sent again: %2") \
    X(ORDER_UNKNOWN, "order-unknown", WARNING, "order %1 was never sent to %2: nobody waits for what is said of it") \
    X(ORDER_AMBIGUOUS, "order-ambiguous", ERROR, "%1 is the number of orders of %2 and of %3: nobody knows which one is meant (\"prefix\" keeps them apart)") \
    X(FILE_UNKNOWN, "answered-file-unknown", ERROR, "no file %1 was delivered to %2: nobody knows which orders this answers") \
    X(ITEMS_VANISHED, "items-vanished", WARNING, "in the source no more: %1; the receiver keeps what he got last") \
    X(SOURCE_EMPTY, "source-empty", WARNING, "not one record came: what the receiver got before is not taken for vanished") \
    X(ZERO_FIELD, "zero-field", WARNING, "the write map also looks at %1, which is empty in what \"missing zero\" sends") \
    X(NO_LIST, "no-list", WARNING, "no route takes products or stock of %1: nobody knows what %1 has (a route with \"learn\" takes a list)") \
    X(REPLY_TO_NOBODY, "reply-to-nobody", WARNING, "no route takes orders of %1 to %2: nothing is ever replied to %1") \
    X(SAME_NAME, "same-name", WARNING, "the map gives all files one name: changes wait until the receiver has taken the last file; {run.id} in its name avoids that") \
    X(PRODUCT_NONE, "product-none", ERROR, "%1 has no product with the %2 \"%3\", as far as its exports show") \
    X(PRODUCT_SEVERAL, "product-several", ERROR, "%1 has several products with the %2 \"%3\"") \

#define DIAGS(X) \
    DIAGS_INPUT(X) DIAGS_CSV(X) DIAGS_XML(X) DIAGS_ZIP(X) DIAGS_DATA(X) \
    DIAGS_TRADE(X) DIAGS_MAP(X) DIAGS_CONF(X)
/* clang-format on */

#endif

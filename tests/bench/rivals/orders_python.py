"""orders_python.py FILE - order CSV to POHODA XML with csv and xml.etree.

Rows of one order must follow each other; nothing is checked.
"""
import csv
import itertools
import sys
import xml.etree.ElementTree as ET

BASE = "http://www.stormware.cz/schema/version_2/"
SPACES = {p: BASE + name + ".xsd"
          for p, name in (("dat", "data"), ("ord", "order"), ("typ", "type"))}
RATES = {"21": "high", "12": "low", "0": "none"}


def add(parent, name, text):
    """Elements by their prefixed names: cheaper than ElementTree's namespaces."""
    if text:
        ET.SubElement(parent, name).text = text


def address(parent, row):
    a = ET.SubElement(parent, "typ:address")
    add(a, "typ:company", row["billCompany"][:255])
    add(a, "typ:name", row["billFullName"][:64])
    add(a, "typ:city", row["billCity"][:45])
    add(a, "typ:street", row["billStreet"][:64])
    add(a, "typ:zip", row["billZip"][:15])
    add(a, "typ:ico", row["companyId"][:15])
    add(a, "typ:dic", row["vatId"][:18])
    if row["billCountryCode"]:
        add(ET.SubElement(a, "typ:country"), "typ:ids", row["billCountryCode"])
    add(a, "typ:phone", row["phone"][:40])
    add(a, "typ:email", row["email"])


def line(parent, row):
    item = ET.SubElement(parent, "ord:orderItem")
    add(item, "ord:text", ", ".join(
        t for t in (row["itemName"], row["itemVariantName"]) if t)[:90])
    add(item, "ord:quantity", row["itemAmount"].replace(",", "."))
    add(item, "ord:unit", row["itemUnit"][:10])
    add(item, "ord:payVAT", "true")
    add(item, "ord:rateVAT", RATES[row["itemPriceVatRate"]])
    add(ET.SubElement(item, "ord:homeCurrency"), "typ:unitPrice",
        row["itemPriceWithVat"].replace(",", "."))
    add(item, "ord:code", row["itemCode"])
    stock = ET.SubElement(item, "ord:stockItem")
    add(ET.SubElement(stock, "typ:stockItem"), "typ:ids", row["itemCode"])


def order(code, rows):
    row = rows[0]
    pack = ET.Element("dat:dataPackItem", version="2.0", id=code)
    top = ET.SubElement(pack, "ord:order", version="2.0")
    head = ET.SubElement(top, "ord:orderHeader")
    add(head, "ord:orderType", "receivedOrder")
    add(head, "ord:numberOrder", code)
    add(head, "ord:date", row["date"][:10])
    add(head, "ord:text", ("Objednávka z e-shopu č. " + code)[:240])
    address(ET.SubElement(head, "ord:partnerIdentity"), row)
    add(head, "ord:note", row["customerRemark"])
    detail = ET.SubElement(top, "ord:orderDetail")
    for row in rows:
        line(detail, row)
    add(ET.SubElement(top, "ord:orderSummary"), "ord:roundingDocument", "none")
    return ET.tostring(pack, encoding="unicode")


def main():
    out = open(sys.stdout.fileno(), "w", encoding="cp1250", closefd=False)
    spaces = "".join(f' xmlns:{p}="{uri}"' for p, uri in SPACES.items())
    out.write(f'<?xml version="1.0" encoding="windows-1250"?>\n<dat:dataPack'
              f'{spaces} version="2.0" id="kervan-orders" ico="12345678" '
              'application="Kervan" note="">\n')
    with open(sys.argv[1], encoding="cp1250", newline="") as f:
        reader = csv.DictReader(f, delimiter=";")
        for code, rows in itertools.groupby(reader, lambda row: row["code"]):
            out.write(order(code, list(rows)) + "\n")
    out.write("</dat:dataPack>\n")
    out.flush()


main()

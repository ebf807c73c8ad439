"""products_python.py FILE - the catalogue to CSV with xml.etree and csv."""
import csv
import re
import sys
import xml.etree.ElementTree as ET

COLUMNS = ("code group barcode name brand category description summary image "
           "images colour size stock unit price cost vat").split()
TAG = re.compile("<[^>]*>")


def main():
    out = csv.writer(open(sys.stdout.fileno(), "w", encoding="cp1254",
                          newline="", closefd=False), delimiter=";")
    out.writerow(COLUMNS)
    parse = ET.iterparse(sys.argv[1], events=("start", "end"))
    _, top = next(parse)
    for event, p in parse:
        if event != "end" or p.tag != "Product":
            continue
        images = [i.text for i in p.iterfind("Images/Image")]
        for v in p.iterfind("Variants/Variant"):
            axes = {a.get("name"): a.text for a in v.iterfind("Attribute")}
            row = (v.get("id"), p.get("id"), v.findtext("Barcode"),
                   p.findtext("Name"), p.findtext("Brand"),
                   " > ".join(c.text for c in p.iterfind("Category/Level")),
                   p.findtext("Description"),
                   TAG.sub("", p.findtext("Summary")), images[0], len(images),
                   axes.get("Renk"), axes.get("Beden"), v.findtext("Stock"),
                   p.findtext("Unit"), v.findtext("Price"), v.findtext("Cost"),
                   p.findtext("VatRate"))
            # The one character of this file that windows-1254 lacks.
            out.writerow([c.replace("\u2116", "No") if isinstance(c, str) else c
                          for c in row])
        top.clear()


main()

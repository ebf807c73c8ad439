"""stock_lxml.py FILE - stock XML to CSV with lxml, as one writes such a script."""
import csv
import sys
from decimal import Decimal

from lxml import etree

BASE = "http://www.stormware.cz/schema/version_2/"
STOCK = "{" + BASE + "list_stock.xsd}stock"
STK = "{" + BASE + "stock.xsd}"
RATES = {"high": "21", "low": "12", "none": "0"}


def money(text):
    return f"{Decimal(text):.2f}".replace(".", ",")


def main():
    out = csv.writer(open(sys.stdout.fileno(), "w", encoding="cp1250",
                          newline="", closefd=False), delimiter=";")
    out.writerow("code ean stock purchasePrice price percentVat".split())
    for _, card in etree.iterparse(sys.argv[1], tag=STOCK):
        head = card.find(STK + "stockHeader")
        if head.findtext(STK + "stockType") == "card":
            free = Decimal(head.findtext(STK + "count")) - \
                Decimal(head.findtext(STK + "countReceivedOrders"))
            out.writerow((
                head.findtext(STK + "code").strip(),
                head.findtext(STK + "EAN").strip(),
                f"{max(free, Decimal(0)).normalize():f}".replace(".", ","),
                money(head.findtext(STK + "purchasingPrice")),
                money(head.findtext(STK + "sellingPrice")),
                RATES[head.findtext(STK + "sellingRateVAT")]))
        card.clear()
        while card.getprevious() is not None:
            del card.getparent()[0]


main()

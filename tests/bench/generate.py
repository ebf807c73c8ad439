"""Makes the benchmark's files: always the same ones for the same sizes.

A file has a head, a body of lines and a foot. Every record's key holds the mark
of its kind, "A0-" for one; enlarge() repeats the body and gives each
repetition another mark, so that a file of eight times the size has eight times
as many different records.
"""
import hashlib
import json
import os
import random
import zipfile

CHUNK = 16 << 20
PILES = 64
ORDER_MARK, STOCK_MARK, PRODUCT_MARK = b"A0-", b"B0-", b"C0-"

PEOPLE = ["Jiří Dvořák", "Žaneta Nováková", "Čeněk Říha", "Jana Hřebíčková",
          "Ludmila Šťastná", "Ondřej Kůň", "Růžena Ďásková"]
STREETS = ["Příčná 12", "U Železné lávky 568/10", "Na Příkopě 33",
           "Čs. armády 7; zadní vchod", 'Školní "dům" 4']
TOWNS = [("Praha", "11000"), ("České Budějovice", "37001"),
         ("Ústí nad Labem", "40001"), ("Žďár nad Sázavou", "59101")]
STATES = ["Nevyřízená", "Vyřizuje se", "Vyřízena", "Stornována"]
REMARKS = ["", "", "Prosím zavolat předem; děkuji", 'Zvonek "Novák"']
COMPANIES = ["", "", "", "Řeznictví Šebesta s.r.o."]
ARTICLES = ["Tričko bílé dámské", "Kožený pásek, hnědý",
            'Dětské boty "Krteček"', "Svíčka vonná - levandule",
            "Hrnek 0,33 l", "Šroubovák křížový PH2"]
VARIANTS = ["", "Velikost: M, Barva: bílá"]
VAT = {21: "high", 12: "low"}

ORDER_COLUMNS = (
    "code;date;statusName;currency;exchangeRate;email;phone;billFullName;"
    "billCompany;billStreet;billCity;billZip;billCountryCode;companyId;vatId;"
    "customerRemark;itemName;itemAmount;itemUnit;itemCode;itemVariantName;"
    "itemEan;itemPriceWithVat;itemPriceWithoutVat;itemPriceVatRate;"
    "orderPriceWithVat\r\n")


def quoted(texts):
    """As CSV: in quotes where needed."""
    return ['"' + t.replace('"', '""') + '"' if any(c in t for c in ';"') else t
            for t in texts]


def amount(hundredths, sign=","):
    return f"{hundredths // 100}{sign}{hundredths % 100:02d}"


# ---- orders, CSV, windows-1250 -------------------------------------------------

Q_STREETS, Q_REMARKS = quoted(STREETS), quoted(REMARKS)
Q_ARTICLES, Q_VARIANTS = quoted(ARTICLES), quoted(VARIANTS)


def order(r, number, n_lines):
    """The rows of one order."""
    town, post_code = r.choice(TOWNS)
    head = (f"{ORDER_MARK.decode()}{number:09d};2026-{r.randint(1, 12):02d}-"
            f"{r.randint(1, 28):02d} {r.randint(0, 23):02d}:"
            f"{r.randint(0, 59):02d}:00;{r.choice(STATES)};CZK;1;"
            f"zakaznik{number}@example.cz;+420{r.randint(600000000, 799999999)};"
            f"{r.choice(PEOPLE)};{r.choice(COMPANIES)};{r.choice(Q_STREETS)};"
            f"{town};{post_code};CZ;;;{r.choice(Q_REMARKS)};")
    lines, total = [], 0
    for _ in range(n_lines):
        count, price = r.randint(1, 9), r.randint(1000, 500000)
        rate = 21 if r.random() < 0.8 else 12
        net = (price * 200 + 100 + rate) // (2 * (100 + rate))
        total += count * price
        lines.append(
            f"{r.choice(Q_ARTICLES)};{count};ks;SKU-{r.randint(1, 200000):06d};"
            f"{r.choice(Q_VARIANTS)};{r.randint(8590000000000, 8599999999999)};"
            f"{amount(price)};{amount(net)};{rate};")
    foot = amount(total) + "\r\n"
    return [head + line + foot for line in lines]


def orders(path, rows):
    r = random.Random(1)
    number = written = 0
    with open(path, "w", encoding="cp1250", newline="") as f:
        f.write(ORDER_COLUMNS)
        while written < rows:
            number += 1
            n = min(r.choice((1, 1, 2, 2, 3, 4, 5)), rows - written)
            f.writelines(order(r, number, n))
            written += n
    return {"records": number, "rows": rows, "head": 1, "foot": 0}


def small_orders(folder, files, lines=(1, 2, 3, 4, 5)):
    """One order each, of one of so many lines; returns the names."""
    r = random.Random(2)
    os.makedirs(folder, exist_ok=True)
    for i in range(files):
        with open(f"{folder}/orders-{i:06d}.csv", "w", encoding="cp1250",
                  newline="") as f:
            f.write(ORDER_COLUMNS)
            f.writelines(order(r, 700000000 + i, r.choice(lines)))
    return sorted(os.listdir(folder))


def scatter(src, dst):
    """Deals the rows at random to piles and puts these behind each other."""
    r = random.Random(3)
    names = [f"{dst}.{i}" for i in range(PILES)]
    piles = [open(name, "wb", 1 << 18) for name in names]
    pick = [p.write for p in piles]
    with open(src, "rb") as f, open(dst, "wb") as out:
        out.write(f.readline())
        for row in f:
            pick[int(r.random() * PILES)](row)
        for name, pile in zip(names, piles):
            pile.close()
            with open(name, "rb") as f:
                out.write(f.read())
            os.unlink(name)


# ---- stock, XML, windows-1250 --------------------------------------------------

SCHEMA = "http://www.stormware.cz/schema/version_2/"
STOCK_HEAD = f"""<?xml version="1.0" encoding="Windows-1250"?>
<rsp:responsePack version="2.0" id="1" state="ok" note="" \
xmlns:rsp="{SCHEMA}response.xsd" xmlns:lStk="{SCHEMA}list_stock.xsd" \
xmlns:stk="{SCHEMA}stock.xsd" xmlns:typ="{SCHEMA}type.xsd">
 <rsp:responsePackItem version="2.0" id="Stk001" state="ok">
  <lStk:listStock version="2.0" dateTimeStamp="2026-11-21T02:00:00" state="ok">
"""
STOCK_FOOT = """  </lStk:listStock>
 </rsp:responsePackItem>
</rsp:responsePack>
"""
SERVICE_EVERY = 100  # that card is a service and does not travel


def card(r, i):
    rate = r.choice(("high", "high", "high", "low"))
    kind = "service" if i % SERVICE_EVERY == 0 else "card"
    name = r.choice(ARTICLES).replace('"', "&quot;")
    return f"""   <lStk:stock version="2.0">
    <stk:stockHeader>
     <stk:id>{i}</stk:id>
     <stk:stockType>{kind}</stk:stockType>
     <stk:code>{STOCK_MARK.decode()}{i:07d}</stk:code>
     <stk:EAN>{8590000000000 + i}</stk:EAN>
     <stk:isSales>true</stk:isSales>
     <stk:isInternet>true</stk:isInternet>
     <stk:purchasingRateVAT>{rate}</stk:purchasingRateVAT>
     <stk:sellingRateVAT>{rate}</stk:sellingRateVAT>
     <stk:name>{name} č. {i}</stk:name>
     <stk:unit>ks</stk:unit>
     <stk:storage><typ:id>1</typ:id><typ:ids>ESHOP</typ:ids></stk:storage>
     <stk:purchasingPrice>{amount(r.randint(1000, 400000), ".")}\
</stk:purchasingPrice>
     <stk:sellingPrice>{amount(r.randint(1000, 500000), ".")}</stk:sellingPrice>
     <stk:count>{r.randint(0, 500)}.0</stk:count>
     <stk:countReceivedOrders>{r.randint(0, 20)}.0</stk:countReceivedOrders>
     <stk:description>Popis zboží &amp; údaje: příliš žluťoučký kůň úpěl \
ďábelské ódy.</stk:description>
    </stk:stockHeader>
   </lStk:stock>
"""


def stock(path, cards):
    r = random.Random(4)
    with open(path, "w", encoding="cp1250", newline="") as f:
        f.write(STOCK_HEAD)
        for i in range(1, cards + 1):
            f.write(card(r, i))
        f.write(STOCK_FOOT)
    return {"records": cards - cards // SERVICE_EVERY, "head": 4, "foot": 3}


def changed_stock(src, dst):
    """The same cards, of which one in a hundred has another count."""
    count, n, changed = b"<stk:count>", 0, 0
    with open(src, "rb") as f, open(dst, "wb") as out:
        for row in f:
            if row.lstrip().startswith(count):
                n += 1
                if n % 100 == 50:
                    row = row.replace(count, count + b"7")
                    changed += 1
            out.write(row)
    return {"changed": changed}


def zipped(src, dst):
    with zipfile.ZipFile(dst, "w", zipfile.ZIP_DEFLATED) as z:
        z.write(src, os.path.basename(src).rsplit("-", 1)[0] + ".xml")


# ---- products, XML, UTF-8 ------------------------------------------------------

BRANDS = ["İpekyolu", "Güneş", "Şölen Ev", "Çınar"]
LEVELS = ["Giyim", "Kadın", "Tişört", "Aksesuar", "Çanta", "Ayakkabı"]
COLOURS = ["Kırmızı", "Yeşil", "Gümüş", "Açık mavi"]
SIZES = ["S", "M", "L", "XL"]
PARAGRAPHS = [
    "<p>Yumuşak dokulu kumaşı ile <b>gün boyu</b> rahatlık sağlar; içeriği %100 "
    "pamuktur.</p>",
    '<p style="margin:0">Ölçüler için <a href="https://shop.example/olcu?a=1&b=2">'
    'beden tablosu</a> &ndash; şüpheniz varsa bize yazın.</p>',
    "<ul><li>30&deg; yıkanabilir</li><li>Ütü gerektirmez</li>"
    "<li>Türkiye'de üretilmiştir</li></ul>",
    '<img src="/img/ürün.jpg" alt="Ürün görseli" width="600"><br/>',
    "<table><tr><td>Boy</td><td>68 cm</td></tr><tr><td>Göğüs</td><td>52 cm</td>"
    "</tr></table>"]


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def product(r, i):
    html = "\n".join(r.choice(PARAGRAPHS) for _ in range(r.randint(3, 12)))
    # Exports wrap HTML one way or the other.
    html = f"<![CDATA[{html}]]>" if i % 2 else escaped(html)
    key = f"{PRODUCT_MARK.decode()}{i:07d}"
    out = [f"""  <Product id="{key}">
    <Name>{r.choice(BRANDS)} ürün № {i} &amp; çanta</Name>
    <Brand>{r.choice(BRANDS)}</Brand>
    <Category><Level>{r.choice(LEVELS)}</Level><Level>{r.choice(LEVELS)}</Level>\
</Category>
    <Summary>&lt;b&gt;Yeni sezon&lt;/b&gt; ürün {i}</Summary>
    <Description>{html}</Description>
    <Unit>Adet</Unit><VatRate>{r.choice((10, 20))}</VatRate>\
<Weight>0,{r.randint(10, 99)}</Weight><Visible>true</Visible>
    <Images>
"""]
    for n in range(r.randint(1, 5)):
        out.append(f"      <Image>https://shop.example/p/{i}/{n}.jpg</Image>\n")
    out.append("    </Images>\n    <Variants>\n")
    n_variants = r.randint(1, 6)
    for n in range(n_variants):
        price = r.randint(1000, 500000)
        out.append(f"""      <Variant id="{key}-{n}">
        <Barcode>{8690000000000 + i * 8 + n}</Barcode><Stock>{r.randint(0, 90)}\
</Stock>
        <Price>{amount(price)}</Price><Cost>{amount(price // 2)}</Cost>
        <Attribute name="Renk">{r.choice(COLOURS)}</Attribute>
        <Attribute name="Beden">{r.choice(SIZES)}</Attribute>
      </Variant>
""")
    out.append("    </Variants>\n  </Product>\n")
    return "".join(out), n_variants


def products(path, n):
    r = random.Random(5)
    rows = 0
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write('<?xml version="1.0" encoding="UTF-8"?>\n<Products>\n')
        for i in range(1, n + 1):
            text, n_variants = product(r, i)
            f.write(text)
            rows += n_variants
        f.write("</Products>\n")
    return {"records": n, "rows": rows, "head": 2, "foot": 1}


# ---- larger ones, and keeping them ---------------------------------------------

def enlarge(src, dst, times, facts, mark):
    """`times` bodies, each with another mark in its keys."""
    with open(src, "rb") as f:
        head = b"".join(f.readline() for _ in range(facts["head"]))
        f.seek(0, os.SEEK_END)
        f.seek(max(0, f.tell() - 4096))
        last = f.read().splitlines(keepends=True)[-facts["foot"]:]
        foot = b"".join(last) if facts["foot"] else b""
        end = os.path.getsize(src) - len(foot)
        with open(dst, "wb") as out:
            out.write(head)
            for i in range(times):
                f.seek(len(head))
                while f.tell() < end:
                    chunk = f.read(min(CHUNK, end - f.tell()))
                    if f.tell() < end:
                        chunk += f.readline()
                    out.write(chunk.replace(mark, mark[:1] + b"%d-" % i))
            out.write(foot)
    return {**facts, **{key: facts[key] * times for key in ("records", "rows")
                        if key in facts}}


def version():
    """Files of another version of this program are made again."""
    with open(__file__, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()[:12]


def kept(path, make, *args):
    """The facts of a file, which is made unless it is there."""
    note = path + ".json"
    try:
        with open(note) as f:
            facts = json.load(f)
        if facts["version"] == version() and os.path.exists(path):
            return facts
    except (OSError, ValueError, KeyError):
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    facts = make(path, *args) or {}
    facts.update(version=version(), bytes=os.path.getsize(path))
    with open(note, "w") as f:
        json.dump(facts, f)
    return facts

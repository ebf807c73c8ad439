"""Quantities and prices: T4, T10."""
from xml.sax.saxutils import escape

from check import Check, D, comma, number, same, same_keys, table

POHODA = ('<?xml version="1.0" encoding="Windows-1250"?>'
          '<rsp:responsePack version="2.0" id="1" state="ok" note="" '
          'xmlns:rsp="http://www.stormware.cz/schema/version_2/response.xsd" '
          'xmlns:lStk="http://www.stormware.cz/schema/version_2/list_stock.xsd"'
          ' xmlns:stk="http://www.stormware.cz/schema/version_2/stock.xsd" '
          'xmlns:typ="http://www.stormware.cz/schema/version_2/type.xsd">'
          '<rsp:responsePackItem version="2.0" id="1" state="ok">'
          '<lStk:listStock version="2.0">%s</lStk:listStock>'
          '</rsp:responsePackItem></rsp:responsePack>')


def pohoda(cards):
    """POHODA's answer for (code, physical, reserved, purchase, net, rate)."""
    text = ''
    for code, physical, reserved, purchase, price, rate in cards:
        text += ('<lStk:stock version="2.0"><stk:stockHeader>'
                 '<stk:stockType>card</stk:stockType>'
                 f'<stk:code>{escape(code)}</stk:code>'
                 f'<stk:sellingRateVAT value="{rate}">high</stk:sellingRateVAT>'
                 '<stk:name>Svetr žluťoučký</stk:name>')
        if purchase is not None:
            text += (f'<stk:weightedPurchasePrice>{purchase}'
                     '</stk:weightedPurchasePrice>')
        text += (f'<stk:sellingPrice>{price}</stk:sellingPrice>'
                 f'<stk:count>{physical}</stk:count>'
                 f'<stk:reservation>{reserved}</stk:reservation>'
                 '</stk:stockHeader></lStk:stock>\n')
    return (POHODA % text).encode('cp1250')


class Shelf(Check):
    """What both have: articles with quantities."""

    def codes(self, letters):
        return [f'{self.r.choice(letters)}-{n:04}'
                for n in range(self.r.randrange(1, 60))]

    def quantity(self, low=0):
        return D(self.r.randrange(low, 3 * 10**6)) / self.r.choice([1, 10, 100])


def free(levels):
    return max(D(0), sum(q - reserved for _, q, reserved in levels))


class Quantities(Shelf):
    """Four countries at once."""
    scenario = 'T04'

    def levels(self, names):
        r = self.r
        return [(name, self.quantity(-50), self.quantity() if r.randrange(2)
                 else D(0)) for name in r.sample(names, r.randrange(
                     1, len(names) + 1))]

    def files(self):
        r = self.r
        self.tr = {c: self.levels(['Merkez Ambar', 'Beylikdüzü', 'İzmir'])
                   for c in self.codes(['KMŞ', 'ÇRP', 'GMLK'])}
        self.hu = {c: self.levels(['Győr', 'Kőbánya'])
                   for c in self.codes(['TÜKÖR', 'FŰ'])}
        self.ro = {c: self.levels(['DEP22']) for c in self.codes(['BLT', 'ŢEA'])}
        self.cz = {c: self.levels(['ESHOP']) for c in self.codes(['SV/Ž', 'MED'])}
        tr = [{'Stok Kodu': c, 'Ambar Adı': w, 'Eldeki': comma(q, '.'),
               'Rezerve': comma(v, '.'), 'Stok Adı': 'İpek; kumaş',
               'Birim': 'ADET'} for c in self.tr for w, q, v in self.tr[c]]
        r.shuffle(tr)
        tr.append({'Stok Adı': 'TOPLAM', 'Eldeki': '1,00'})
        hu = [{'Cikkszám': c, 'Raktár': w, 'Készlet': comma(q, ' '),
               'Foglalt': comma(v, ' '), 'Megnevezés': 'Fűmag', 'Me.': 'db'}
              for c in self.hu for w, q, v in self.hu[c]]
        ro = [{'Cod': c, 'Gestiune': w, 'Stoc': comma(q), 'Rezervat': comma(v),
               'Denumire': 'Balşam', 'UM': 'buc'}
              for c in self.ro for w, q, v in self.ro[c]]
        return {
            'tr/erp/inbox/ambar.csv': table(tr[0], tr, 'cp1254', r),
            'hu/erp/inbox/keszlet.csv': table(hu[0], hu, 'iso8859-2', r),
            'ro/erp/inbox/stoc.csv': table(ro[0], ro, 'cp852', r),
            'cz/erp/inbox/zasoby.xml': pohoda(
                [(c, q, v, None, '1', 21) for c in self.cz
                 for _, q, v in self.cz[c]])}

    def compare(self, x):
        tr = {i.findtext('stockCode'): D(i.findtext('stockAmount'))
              for root in x.xml('tr/shop/inbox/*') for i in root}
        cz = {row['code']: number(row['stock'])
              for row in x.csv('cz/shop/inbox/*', 'cp1250')}
        ro = {row['sku']: D(row['stock'])
              for row in x.csv('ro/shop/inbox/*', 'utf-8', ',')}
        hu, places = {}, {}
        for root in x.xml('hu/shop/inbox/*'):
            for p in root:
                for s in p.find('Stocks'):
                    where = s.findtext('WarehouseId')
                    sku, q = p.findtext('Sku'), D(s.findtext('Qty'))
                    if where:
                        places[sku, where] = q
                    else:
                        hu[sku] = q
        want = {(c, {'Győr': '11', 'Kőbánya': '12'}[w]): max(D(0), q - v)
                for c in self.hu for w, q, v in self.hu[c]}
        yield from same_keys('level', want, places)
        for key in set(want) & set(places):
            yield from same(f'{key}', want[key], places[key])
        for country, want, found in (('tr', self.tr, tr), ('cz', self.cz, cz),
                                     ('ro', self.ro, ro), ('hu', self.hu, hu)):
            yield from same_keys(country, want, found)
            for code in set(want) & set(found):
                yield from same(f'{country} {code}', free(want[code]),
                                found[code])


class Prices(Shelf):
    """Stock with what it cost, in Czechia and Hungary."""
    scenario = 'T10'

    def card(self, code):
        r = self.r
        purchase = D(r.randrange(0, 10**7)) / 100 if r.randrange(4) else None
        return (code, self.quantity(), self.quantity(), purchase,
                D(r.randrange(1, 10**7)) / 100)

    def files(self):
        self.cz = [self.card(c) + (self.r.choice(['21', '12', '0']),)
                   for c in self.codes(['SV/Ž', 'MED'])]
        self.hu = [self.card(c) + (self.r.choice(['27', '18', '5']),)
                   for c in self.codes(['TÜKÖR', 'FŰ'])]
        hu = [{'Cikkszám': c, 'Készlet': comma(q, ' '),
               'Foglalt': comma(v, ' '), 'Megnevezés': 'Fűmag', 'Me.': 'kg',
               'Beszerzési ár': '' if p is None else comma(p, ' '),
               'Nettó eladási ár': comma(n, ' '), 'ÁFA': rate + '%'}
              for c, q, v, p, n, rate in self.hu]
        return {'cz/erp/inbox/zasoby.xml': pohoda(self.cz),
                'hu/erp/inbox/keszlet.csv':
                table(hu[0], hu, 'iso8859-2', self.r)}

    def compare(self, x):
        names = {'cz': ('code', 'stock', 'purchasePrice', 'price'),
                 'hu': ('Cikkszám', 'Raktárkészlet', 'Beszerzési ár',
                        'Nettó ár')}
        for country, cards in (('cz', self.cz), ('hu', self.hu)):
            code, stock, purchase, price = names[country]
            found = {row[code]: row for row in x.csv(
                f'{country}/shop/import/*', 'cp1250')}
            want = {c: (max(D(0), q - v), p, n) for c, q, v, p, n, _ in cards}
            yield from same_keys(country, want, found)
            for c in set(want) & set(found):
                row = found[c]
                yield from same(f'{country} {c}', want[c], (
                    number(row[stock]), number(row[purchase])
                    if row[purchase] else None, number(row[price])))

"""Variants, nested and flat: T6."""
from xml.sax.saxutils import escape, quoteattr

from check import Check, D, comma, net, number, rounded, same, same_keys, table

AXES = {'Renk': ['Kırmızı', 'Lacivert', 'Gümüş'], 'Beden': ['S', 'XL', '75'],
        'Drop': ['4', '6'], 'Kap': ['B', 'C'], 'Bel': ['44', '46'],
        'Genişlik': ['Dar', 'Geniş'], 'Kumaş': ['Yün & ipek', 'Keten']}
FIXED = ('Renk', 'Beden', 'Drop', 'Kap', 'Bel')


class Variants(Check):
    """Cards with variants, each with axes of its own."""

    def cards(self):
        r = self.r
        for n in range(r.randrange(1, 25)):
            axes = r.sample(sorted(AXES), r.randrange(1, 5))
            yield f'KART-{n}', [
                (f'KART-{n}/{v}', {a: r.choice(AXES[a]) for a in axes},
                 D(r.randrange(0, 500)), D(r.randrange(1, 10**6)) / 100)
                for v in range(r.randrange(1, 6))]


class FlatToNested(Variants):
    """Rows that share a group code become IdeaSoft's variants."""
    scenario = 'T06'

    def files(self):
        r, rows = self.r, []
        self.want = dict(self.cards())
        for group, variants in self.want.items():
            for sku, axes, quantity, price in variants:
                rows.append({'Grup Kodu': group, 'Stok Kodu': sku,
                             'Grup Adı': 'Takım; ' + group, 'Birim': 'ADET',
                             'KDV %': '10', 'Miktar': comma(quantity, '.'),
                             "Web'de": 'E', 'Satış Fiyatı (KDV Dahil)':
                             comma(price, '.')})
                rows[-1].update((a if a in FIXED else 'Özellik:' + a, value)
                                for a, value in axes.items())
        if r.randrange(2):
            r.shuffle(rows)
        columns = list({c: 0 for row in rows for c in row}) + [
            c for c in FIXED if not any(c in row for row in rows)] + [
                'Stok Adı', 'Marka', 'Kategori', 'Barkod', 'Açıklama',
                'Alış Fiyatı', 'Resim1']
        return {'erp/inbox/kartlar.csv':
                table(columns, rows, 'cp1254', r, r.randrange(2))}

    def compare(self, x):
        found = {i.findtext('stockCode'): i for root in
                 x.xml('ideasoft/urunler/*.xml') for i in root}
        yield from same_keys('card', self.want, found)
        for group in set(self.want) & set(found):
            want = {sku: (axes, q, rounded(net(price, 10, 4), 3))
                    for sku, axes, q, price in self.want[group]}
            got = {v.findtext('vStockCode'): (
                {o.findtext('variantName'): o.findtext('variantValue')
                 for o in v.find('options')}, D(v.findtext('vStockAmount')),
                D(v.findtext('vPrice1'))) for v in found[group].find('variants')}
            yield from same(group, want, got)


class NestedToFlat(Variants):
    """Ticimax's nested variants become rows with a group code."""
    scenario = 'T06'

    def files(self):
        self.want, text = dict(self.cards()), ''
        for group, variants in self.want.items():
            text += (f'<Urun><UrunKartiID>{group}</UrunKartiID><UrunAdi>Tişört '
                     '</UrunAdi><UrunSecenek>')
            for sku, axes, quantity, price in variants:
                code, _, number_of = sku.partition('/')
                text += (f'<Secenek><VaryasyonID>{number_of}</VaryasyonID>'
                         f'<StokKodu>{code}</StokKodu><StokAdedi>{quantity}'
                         f'</StokAdedi><SatisFiyati>{comma(price, ".")}'
                         '</SatisFiyati><KDVDahil>true</KDVDahil><KdvOrani>10'
                         '</KdvOrani><EkSecenekOzellik>')
                text += ''.join(
                    f'<Ozellik Tanim={quoteattr(a)} Deger={quoteattr(v)}>'
                    f'{escape(v)}</Ozellik>' for a, v in axes.items())
                text += '</EkSecenekOzellik></Secenek>\n'
            text += '</UrunSecenek></Urun>\n'
        return {'ticimax/inbox/urunler.xml':
                f'<Root><Urunler>{text}</Urunler></Root>'.encode()}

    def compare(self, x):
        want = {sku.replace('/', '-'): (
            group, ', '.join(axes), axes.get('Renk', ''), axes.get('Beden', ''),
            q, price) for group, variants in self.want.items()
            for sku, axes, q, price in variants}
        found = {row['Stok Kodu']: (
            row['Grup Kodu'], row['Eksenler'], row['Renk'], row['Beden'],
            number(row['Miktar']), number(row['Satış Fiyatı']))
            for row in x.csv('erp/katalog/*', 'cp1254')}
        yield from same_keys('variant', want, found)
        for sku in set(want) & set(found):
            yield from same(sku, want[sku], found[sku])

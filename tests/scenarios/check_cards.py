"""Whose orders, under which number and key, for whose cards: T2, T19, T21, T28."""
import os
import unicodedata

from check import Check, D, comma, net, number, rounded, same, table


class Cards(Check):
    """Each customer and article that the ERP lacks, once, before its orders."""
    scenario = 'T02'
    names = ['Yıldız Tekstil', 'Çağlar İnşaat', 'Şahin Gıda', 'Öz Ticaret',
             'Güneş Kırtasiye']

    def customer(self, n):
        if self.r.randrange(2):
            return {'VergiNo': str(1000000000 + n), 'Firma':
                    f'{self.r.choice(self.names)} {n}',
                    'Eposta': f'ortak{n % 3}@example.tr'}
        return {'VergiNo': '', 'Firma': '', 'Eposta': f'Kisi{n}@example.tr'}

    @staticmethod
    def key(c):
        return c['VergiNo'] or c['Eposta'].lower()

    def files(self):
        r = self.r
        self.customers = [self.customer(n) for n in range(30)]
        self.articles = [f'STK-{n}' for n in range(40)]
        known = r.sample(self.customers, 8)
        self.codes = {self.key(c): f'120.{n:04}' for n, c in enumerate(known)}
        self.known = set(r.sample(self.articles, 10))
        cards = [{'CariKod': self.codes[self.key(c)], 'Unvan': c['Firma'],
                  'VergiNo': c['VergiNo'],
                  'Eposta': '' if c['VergiNo'] else c['Eposta']} for c in known]
        return {'erp/giden/cariler.csv': table(cards[0], cards, 'cp1254', r),
                'erp/giden/stoklar.csv': table(
                    ['Kod', 'Ad'], [{'Kod': k, 'Ad': 'x'} for k in self.known],
                    'cp1254', r)}

    def orders(self, first):
        """Rows, who orders, and what."""
        rows, who, what = [], [], set()
        for n in range(first, first + self.r.randrange(1, 12)):
            c = self.r.choice(self.customers)
            who.append((str(n), c))
            for sku in self.r.sample(self.articles, self.r.randrange(1, 5)):
                what.add(sku)
                rows.append(dict(c, SiparisNo=str(n), Tarih='24.11.2026',
                                 AdSoyad='Ayşe Öz', Il='İzmir', StokKodu=sku,
                                 UrunAdi='Gömlek', Miktar='1',
                                 BirimFiyat='10,00', KDV='20'))
        return rows, who, what

    def compare(self, x):
        made = set(self.codes)
        for n in range(1, 6):
            rows, who, what = self.orders(100 * n)
            columns = ['SiparisNo', 'Tarih', 'UyeKodu', 'Eposta', 'VergiNo',
                       'Telefon', 'AdSoyad', 'Firma', 'Adres', 'Il', 'Ilce',
                       'StokKodu', 'Barkod', 'UrunAdi', 'Secenek', 'Miktar',
                       'BirimFiyat', 'KDV']
            x.drop(f'magaza/siparisler-{n}.csv',
                   table(columns, rows, 'cp1254', self.r))
            yield from x.once()
            fresh = {self.key(c) for _, c in who} - made
            found = [(e.findtext('VERGI_NO') or e.findtext('EPOSTA').lower())
                     for root in x.xml('erp/gelen/cari.xml') for e in root]
            yield from same(f'customers {n}', sorted(fresh), sorted(found))
            found = [e.get('KOD') for root in x.xml('erp/gelen/stok.xml')
                     for e in root]
            yield from same(f'articles {n}', sorted(what - self.known),
                            sorted(found))
            codes = {e.get('NO'): e.findtext('CARI_KODU', '')
                     for root in x.xml('erp/gelen/siparis-*.xml')
                     for e in root}
            yield from same(f'codes {n}', {
                no: self.codes.get(self.key(c), '') for no, c in who}, codes)
            made |= fresh
            self.known |= what
            for path in x.files('erp/gelen/*'):  # the ERP takes them
                os.unlink(path)


class Numbers(Check):
    """From a first number on, with the shop's letters and its warehouse."""
    scenario = 'T19'

    def files(self):
        r, self.want = self.r, {}
        rows = []
        for year, n in {(r.choice([2025, 2026, 2027]), r.randrange(1, 250))
                        for _ in range(40)}:
            lines = [(f'AS-{k}', r.choice(['', 'OUTLET']))
                     for k in range(r.randrange(1, 4))]
            for sku, place in lines:
                rows.append({'Rendelésszám': f'{year}-{n}', 'Irsz': '6720',
                             'Dátum': '2026.11.20.', 'Vevő': 'Őry Gergő',
                             'Cikkszám': sku, 'Termék': 'Ásó', 'Db': '1',
                             'Bruttó ár': '1 270', 'ÁFA': '27%',
                             'Raktár': place})
            if (year, n) >= (2026, 100):
                self.want[f'KB-{year}-{n}'] = ('KOZPONT', sorted(
                    (sku, place or 'KOZPONT') for sku, place in lines))
        columns = ['Rendelésszám', 'Dátum', 'Vevő', 'E-mail', 'Irsz', 'Város',
                   'Cím', 'Cikkszám', 'Termék', 'Db', 'Bruttó ár', 'ÁFA',
                   'Raktár']
        r.shuffle(rows)
        return {'kertbolt/rendelesek.csv': table(columns, rows, 'cp1250', r)}

    def compare(self, x):
        yield from same('orders', self.want, {
            e.get('szam'): (e.get('raktar'), sorted(
                (t.findtext('cikkszam'), t.get('raktar'))
                for t in e.iter('tetel')))
            for root in x.xml('raktar/be/*.xml') for e in root})


class VatKeys(Check):
    """The key of each line, and the sums of each key."""
    scenario = 'T21'
    home = {'27': '27', '18': '18', '5': '5', '0': 'TAM'}

    def line(self, shop, abroad):
        """Rate and code in the shop, and the key that they become."""
        if shop == 'kezmuves':
            return self.r.choice(['', '0%']), self.r.choice(['', 'M']), 'AAM'
        if abroad:
            return '0%', '', 'EUT'
        if self.r.randrange(5) == 0:
            return '0%', 'K1', 'K.AFA'
        rate = self.r.choice(list(self.home))
        return rate + '%', '', self.home[rate]

    def files(self):
        r, self.want, out = self.r, {}, {}
        columns = ['Rendelés', 'Dátum', 'Vevő', 'Ország', 'EU adószám',
                   'Cikkszám', 'Termék', 'Db', 'Bruttó', 'ÁFA', 'ÁFA kód']
        for shop in ('teahaz', 'kezmuves'):
            rows = []
            for n in range(1, r.randrange(2, 20)):
                abroad = shop == 'teahaz' and r.randrange(4) == 0
                keys, sums = [], {}
                for k in range(r.randrange(1, 5)):
                    rate, code, key = self.line(shop, abroad)
                    gross, pieces = D(r.randrange(1, 10**5)), r.randrange(1, 9)
                    total = gross * pieces
                    base = net(total, rate.rstrip('%') or '0', 2)
                    keys.append((f'T-{k}', key))
                    old = sums.get(key, (D(0), D(0)))
                    sums[key] = (old[0] + base, old[1] + total - base)
                    rows.append({'Rendelés': f'{shop}-{n}', 'Vevő': 'Szűcs Ő.',
                                 'Ország': 'Németország' if abroad
                                 else 'Magyarország', 'Dátum': '2026.11.25.',
                                 'Cikkszám': f'T-{k}', 'Termék': f'T-{k}',
                                 'Db': str(pieces), 'Bruttó': comma(gross, ' '),
                                 'ÁFA': rate, 'ÁFA kód': code})
                prefix = 'KM-' if shop == 'kezmuves' else ''
                self.want[f'{prefix}{shop}-{n}'] = (keys, sums)
            out[f'{shop}/export.csv'] = table(columns, rows, 'cp1250', r)
        return out

    def compare(self, x):
        yield from same('invoices', self.want, {
            e.get('rendeles'): (
                [(t.findtext('megnevezes'), t.findtext('afakulcs'))
                 for t in e.iter('tetel')],
                {a.get('kulcs'): (number(a.findtext('alap')),
                                  number(a.findtext('osszeg')))
                 for a in e.iter('afa')})
            for root in x.xml('szamlazo/be/*.xml') for e in root})


class Titles(Check):
    """Articles that only their titles join, however they are written."""
    scenario = 'T28'
    words = ['cană', 'țesută', 'ștergar', 'lumânare', 'pungă', 'roșie', 'mare',
             'albă', 'mică', 'brad', 'sticlă', 'in', 'lână', 'vază']

    def shout(self, title):
        """As an ERP keeps it."""
        plain = unicodedata.normalize('NFD', title)
        plain = ''.join(c for c in plain if not unicodedata.combining(c))
        return self.r.choice([plain.upper(), plain.upper().replace(' ', '  '),
                              plain.upper() + ' ', plain])

    def files(self):
        r = self.r
        titles = [' '.join(r.sample(self.words, 3)) for _ in range(30)]
        self.shop = {f'GM-{n}': t for n, t in enumerate(titles)}
        self.erp = {f'{n:05}': self.shout(t) for n, t in
                    enumerate(r.sample(titles, 20))}
        self.fold = lambda t: ' '.join(self.plain(t).split())
        return {'magazin/export/produse.csv': self.comma_table(
                    ['Cod', 'Denumire', 'Activ'],
                    [{'Cod': k, 'Denumire': t, 'Activ': 'da'}
                     for k, t in self.shop.items()]),
                'gestiune/export/articole.csv': self.erp_table(
                    [{'CodArticol': k, 'Denumire': t}
                     for k, t in self.erp.items()],
                    ['CodArticol', 'Denumire'])}

    @staticmethod
    def plain(title):
        plain = unicodedata.normalize('NFD', title.lower())
        return ''.join(c for c in plain if not unicodedata.combining(c))

    def comma_table(self, columns, rows):
        return table(columns, rows, 'utf-8', self.r).replace(b';', b',')

    @staticmethod
    def erp_table(rows, columns):
        lines = [columns] + [[row[c] for c in columns] for row in rows]
        return '\n'.join(';'.join(x) for x in lines + [[]]).encode('cp1250')

    def compare(self, x):
        r, want = self.r, {}
        rows = []
        for code, title in self.erp.items():
            pieces = D(r.randrange(0, 10**5)) / 10
            place = r.choice(['DEPOZIT CENTRAL', 'MAGAZIN CLUJ'])
            rows.append({'CodArticol': code, 'Denumire': title,
                         'Gestiune': place, 'Stoc': comma(pieces),
                         'PretAmanunt': '1,00'})
            fits = [k for k, t in self.shop.items()
                    if self.fold(t) == self.fold(title)]
            if place == 'DEPOZIT CENTRAL' and len(fits) == 1:
                want[fits[0]] = (self.shop[fits[0]], rounded(pieces, 1))
        x.drop('gestiune/export/stoc.csv', self.erp_table(rows, list(rows[0])))
        yield from x.once()
        yield from same('stock', want, {
            row['Cod']: (row['Denumire'], rounded(number(row['Stoc']), 1))
            for row in x.csv('magazin/import/stoc.csv', 'utf-8', ',')})

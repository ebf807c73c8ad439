"""What a partner has, and lacks: T2, T28, T29."""
import os
import unicodedata

from check import Check, D, Sequence, comma, rounded, same, table
from check_rules import figure


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


class Waiting(Sequence):
    """The same with files that come together, an ERP that takes its time, and
    tells the codes that it gave."""
    scenario = 'T02'
    steps = 4

    def __init__(self, seed):
        super().__init__(seed)
        self.articles = set()          # that the ERP knows, or was sent
        self.taxes, self.mails = {}, {}  # to codes, '' where it gave none yet
        self.taken = set()             # articles and customers that it took in
        self.number = 1000

    def customer(self):
        """A company, a person, or somebody of a company."""
        n, kind = self.r.randrange(12), self.r.randrange(3)
        return {'VergiNo': '' if kind else str(1234567890 + n),
                'Firma': '' if kind else f'Firma {n}',
                'Eposta': f'{"muhasebe" if kind < 2 else "Kisi"}{n}@example.tr'}

    @staticmethod
    def name(tax, mail):
        return tax or mail.lower()

    def code(self, c):
        """None: he is not known."""
        return (self.taxes.get(c['VergiNo']) if c['VergiNo'] else
                self.mails.get(c['Eposta'].lower()))

    def lists(self, x):
        """The ERP tells codes of some whom it has, and articles."""
        rows = []
        for n in self.r.sample(range(12), self.r.randrange(1, 4)):
            tax, mail, code = (str(1234567890 + n), f'muhasebe{n}@example.tr',
                               f'120.{n:04}')
            rows.append({'CariKod': code, 'Unvan': f'FİRMA {n}',
                         'VergiNo': tax, 'Eposta': mail})
            self.taxes[tax] = self.mails[mail] = code
            self.taken.update((tax, mail))
        x.next('erp/giden/cariler*.csv', table(rows[0], rows, 'cp1254', self.r))
        skus = {f'STK-{self.r.randrange(15)}' for _ in range(3)}
        self.articles |= skus
        self.taken |= skus
        x.next('erp/giden/stoklar*.csv', table(
            ['Kod', 'Ad'], [{'Kod': k, 'Ad': 'x'} for k in sorted(skus)],
            'cp1254', self.r))
        yield from x.run()

    def orders(self, x):
        rows, columns = [], ['UyeKodu', 'Telefon', 'Adres', 'Ilce', 'Barkod',
                             'Secenek']
        for _ in range(self.r.randrange(1, 5)):
            self.number += 1
            c, skus = self.customer(), sorted({
                f'STK-{self.r.randrange(15)}' for _ in range(3)})
            if self.code(c) is None:
                self.cards.append(self.name(c['VergiNo'], c['Eposta']))
                if c['VergiNo']:  # others may have a company's e-mail as well
                    self.taxes[c['VergiNo']] = ''
                else:
                    self.mails[c['Eposta'].lower()] = ''
            self.cards += sorted(set(skus) - self.articles)
            self.articles.update(skus)
            self.sent[str(self.number)] = (self.code(c), c, skus)
            rows += [dict(c, SiparisNo=self.number, Tarih='24.11.2026',
                          AdSoyad='Ayşe Öz', Il='İzmir', StokKodu=sku,
                          UrunAdi='Gömlek', Miktar='1', BirimFiyat='10,00',
                          KDV='20') for sku in skus]
        x.next('magaza/siparisler*.csv', table(
            list(rows[0]) + columns, rows, 'cp1254', self.r))

    def takes(self, x, path):
        """The ERP takes a file; an order only when it knows all that it names."""
        for root in x.xml(path):
            for e in root:
                if e.tag == 'CARI':
                    tax = e.findtext('VERGI_NO', '')
                    mail = e.findtext('EPOSTA', '')
                    self.found.append(self.name(tax, mail))
                    self.taken.update(filter(None, (tax, mail.lower())))
                elif e.tag == 'STOK':
                    self.found.append(e.get('KOD'))
                    self.taken.add(e.get('KOD'))
                else:
                    yield from self.fits(e)
        os.unlink(x.path('out', path))

    def fits(self, e):
        number = e.get('NO')
        if number not in self.sent:
            yield f'order {number} came twice, or was never there'
            return
        code, c, skus = self.sent.pop(number)
        yield from same(f'code of {number}', code, e.findtext('CARI_KODU', ''))
        yield from same(f'articles of {number}', skus, [
            s.get('STOK') for s in e.findall('SATIR')])
        who = self.name(c['VergiNo'], c['Eposta'])
        for need in [who, *skus]:
            if need not in self.taken:
                yield f'order {number} came before the card of {need}'

    def step(self, x):
        self.cards, self.found, self.sent = [], [], {}
        if self.r.randrange(2):
            yield from self.lists(x)
        for _ in range(self.r.randrange(1, 4)):
            self.orders(x)
        for _ in range(6):
            x.kervan('once')  # what waits for a name is told by the status
            for path in x.files('magaza/rejected/*'):
                yield f'came back: {path}'
            paths = x.files('erp/gelen/*')
            if not paths:
                break
            for path in sorted(paths, key=lambda p: os.stat(p).st_ctime_ns):
                yield from self.takes(x, path[len(x.path('out')) + 1:])
        yield from same('cards', sorted(self.cards), sorted(self.found))
        yield from same('orders that are missing', [], sorted(self.sent))


class Titles(Sequence):
    """Articles that only their titles join, however they are written; the
    titles change, and two may be the same."""
    scenario = 'T28'
    steps = 4
    words = ['cană', 'țesută', 'ștergar', 'lumânare', 'pungă', 'roșie', 'lână']

    def __init__(self, seed):
        super().__init__(seed)
        self.shop, self.erp = {}, {}

    def title(self):
        """Two words, as a shop or an ERP writes them."""
        r = self.r
        a, b = r.sample(self.words, 2)
        title = r.choice([f'{a} {b}', f'{a}  {b}', f'„{a}” {b}', f'{a}, {b}'])
        return r.choice([title, title.title(), title.upper()])

    def shout(self):
        """In windows-1250, without quotes of its own."""
        plain = unicodedata.normalize('NFD', self.title().translate(
            {ord('„'): '"', ord('”'): '"'}))
        return ''.join(c for c in plain if not unicodedata.combining(c)).upper()

    @staticmethod
    def one(title):
        """As it is shown: blanks are one."""
        return ' '.join(title.split())

    @staticmethod
    def fold(title):
        plain = unicodedata.normalize('NFD', title.lower())
        plain = ''.join(c if c.isalnum() else ' ' for c in plain
                        if not unicodedata.combining(c))
        return ' '.join(plain.split())

    def fits(self, has, title):
        return [sku for sku, t in has.items()
                if self.fold(t) == self.fold(title)]

    @staticmethod
    def erp_table(columns, rows):
        return '\n'.join(';'.join(row) for row in [columns] + rows + [
            []]).encode('cp1250')

    def exports(self, x):
        r = self.r
        rows = [{'Cod': f'GM-{r.randrange(20)}', 'Denumire': self.title(),
                 'Activ': 'da'} for _ in range(r.randrange(1, 9))]
        rows = list({row['Cod']: row for row in rows}.values())
        self.shop.update((row['Cod'], self.one(row['Denumire']))
                         for row in rows)
        x.next('magazin/export/produse*.csv', table(
            rows[0], rows, 'utf-8', r, True).replace(b';', b','))
        rows = [[f'{r.randrange(20):05}', self.shout()]
                for _ in range(r.randrange(1, 9))]
        rows = [list(row) for row in dict(rows).items()]
        self.erp.update((code, self.one(title)) for code, title in rows)
        x.next('gestiune/export/articole*.csv',
               self.erp_table(['CodArticol', 'Denumire'], rows))
        yield from x.run()

    def stock(self, x):
        r, want, rows = self.r, [], []
        for code in self.some(range(24), 12):
            code = f'{code:05}'
            title = self.erp[code] if code in self.erp and r.randrange(3) \
                else self.shout()
            self.erp[code] = self.one(title)
            q = D(r.randrange(0, 10**5)) / r.choice([1, 10])
            place = r.choice(['DEPOZIT CENTRAL', 'MAGAZIN CLUJ'])
            rows.append([code, title, place, comma(q), '1,00'])
            fits = self.fits(self.shop, title)
            if place == 'DEPOZIT CENTRAL' and len(fits) == 1:
                want.append((fits[0], self.shop[fits[0]], q))
        x.next('gestiune/export/stoc*.csv', self.erp_table(
            ['CodArticol', 'Denumire', 'Gestiune', 'Stoc', 'PretAmanunt'], rows))
        yield from x.run()
        found = []
        for path in x.files('magazin/import/stoc.csv'):
            found = [(row['Cod'], row['Denumire'], D(row['Stoc'])) for row in
                     x.csv('magazin/import/stoc.csv', 'utf-8', ',')]
            os.unlink(path)
        yield from same('stock', sorted(want), sorted(found))

    def step(self, x):
        yield from self.exports(x)
        yield from self.stock(x)
        r, rows, want, aside = self.r, [], [], set()
        for n in range(r.randrange(1, 6)):
            key, lines = f'#{x.dropped}{n}', []
            for _ in range(r.randrange(1, 3)):
                title, q = r.choice(list(self.erp.values()) + [
                    self.title()]).replace('"', ''), r.randrange(1, 9)
                fits = self.fits(self.erp, title)
                lines.append((key, fits, str(q)))
                rows.append({'Comanda': key, 'Data': '26.11.2026', 'Client':
                             'Ana', 'Email': '', 'Cod': 'GM-1', 'Denumire':
                             title, 'Cantitate': q, 'Pret': '1.00', 'TVA': 21})
            if all(len(fits) == 1 for _, fits, _ in lines):
                want += [(key, fits[0], self.erp[fits[0]], q)
                         for key, fits, q in lines]
            else:
                aside.add(key)
        data = table(rows[0], rows, 'utf-8', r, True).replace(b';', b',')
        x.next('magazin/export/comenzi*.csv', data)
        status, _ = x.kervan('once')
        yield from same('status', bool(aside), status != 0)
        found = [(row['Numar'], row['CodArticol'], row['Denumire'],
                  row['Cantitate']) for path in x.fresh(
                      'gestiune/import/comenzi-*') for row in
                 x.csv(path, 'cp1250')]
        yield from same('orders', sorted(want), sorted(found))
        back = {row['Comanda'] for path in x.fresh('magazin/rejected/*.csv')
                for row in x.csv(path, 'utf-8', ',')}
        yield from same('set aside', aside, back)
        for path in x.files('magazin/rejected/*'):
            os.unlink(path)


class Hidden(Sequence):
    """What the shop lacks goes in hidden, until somebody has published it."""
    scenario = 'T29'
    steps = 6

    def __init__(self, seed):
        super().__init__(seed)
        self.hidden = {}  # of all that the shop has: by us, and still

    def catalogue(self, x):
        """The shop's own; somebody has published some of what is hidden."""
        r, rows = self.r, []
        for n in self.some(range(25), 8):
            sku, shown = f'ART-{n}', r.choice(['da', 'nu'])
            if sku not in self.hidden and r.randrange(2):
                continue
            if shown == 'da' or sku not in self.hidden:
                self.hidden[sku] = False
            rows.append({'Cod': sku, 'Denumire': 'Săpun', 'Categorie': 'A > B',
                         'Vizibil': shown, 'Preţ': '24.90', 'TVA': '19'})
        if rows:
            x.next('magazin/export/produse*.csv', table(rows[0], rows, 'cp1250',
                                                        r))
        yield from x.run()
        for path in x.files('saga/in/*'):
            os.unlink(path)

    def articles(self, x):
        r, rows, want = self.r, [], []
        for n in self.some(range(25), 10):
            sku, shown = f'ART-{n}', r.choice('10')
            price = D(r.randrange(1, 10**5)) / 100
            rows.append({'COD': sku, 'DENUMIRE': 'MIERE', 'GRUPA': 'X',
                         'ACTIV': shown, 'PRET_FARA_TVA': comma(price),
                         'TVA': '0'})
            if sku not in self.hidden:
                self.hidden[sku] = True
                want.append(('adauga', sku, 'De verificat', 'nu', price))
            elif self.hidden[sku]:
                want.append(('modifica', sku, None, None, price))
            else:
                want.append(('modifica', sku, None, 'da' if shown == '1' else
                             'nu', price))
        x.next('saga/out/articole*.csv', table(rows[0], rows, 'cp852', r))
        yield from x.run()
        found = [(p.get('actiune'), p.findtext('cod'), p.findtext('categorie'),
                  p.findtext('vizibil'), D(p.findtext('pret')))
                 for path in x.fresh('magazin/import/produse-*')
                 for root in x.xml(path) for p in root]
        yield from same('products', sorted(want, key=str), sorted(found, key=str))

    def stock(self, x):
        """Of all of them, whether the shop has them or not."""
        rows = [{'COD': f'ART-{n}', 'STOC': comma(D(self.r.randrange(
            0, 999)) / 2)} for n in self.some(range(25), 10)]
        x.next('saga/out/stoc*.csv', table(rows[0], rows, 'cp852', self.r))
        yield from x.run()
        yield from same('stock', {row['COD']: figure(row['STOC']) for row in
                                  rows}, {
            row['cod']: D(row['bucati']) for row in
            x.csv('magazin/import/stoc.csv', 'utf-8')})

    def step(self, x):
        yield from self.r.choice([self.catalogue, self.articles, self.articles,
                                  self.stock])(x)

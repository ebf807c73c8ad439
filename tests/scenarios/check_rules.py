"""What the rules make of quantities and prices: T9, T20, T22, T24, T30."""
import os

from check import Check, D, add, comma, number, rounded, same, same_keys, table


def figure(text):
    return number(text or '0')


class Shelves(Check):
    """Articles, each in some of the warehouses."""
    places = ['Központi', 'Győr']

    def quantity(self, low=1):
        return D(self.r.randrange(low, 2 * 10**6)) / self.r.choice([1, 10, 100])

    def stock(self):
        r = self.r
        return {(f'CIKK-{n}', w): [self.quantity(), self.quantity(0) if
                                   r.randrange(2) else D(0)]
                for n in range(r.randrange(1, 40))
                for w in r.sample(self.places, r.randrange(1, 1 + len(
                    self.places)))}


class OnlyChanges(Shelves):
    """What differs from what the shop has got, and nothing else."""
    scenario = 'T22'

    def written(self, x):
        """As a number may be written: 37,5 and 37,50 are one."""
        text = comma(x, ' ')
        return text + '0' * self.r.randrange(3) if ',' in text else text

    def file(self):
        rows = [{'Cikkszám': sku, 'Raktár': w, 'Megnevezés': 'Fűmag',
                 'Készlet': self.written(q), 'Foglalt': self.written(v),
                 'Időpont': f'2026.03.02. {self.r.randrange(24):02}:00'}
                for (sku, w), (q, v) in self.now.items()]
        self.r.shuffle(rows)
        return table(rows[0], rows, 'iso8859-2', self.r)

    def files(self):
        self.now = self.stock()
        return {'erp/inbox/keszlet-1.csv': self.file()}

    def change(self):
        """What another count changes, and the shop therefore must get."""
        r, want = self.r, {}
        for key in list(self.now):
            dice = r.randrange(6)
            if dice == 0 and len(self.now) > 1:
                want[key] = D(0)  # it vanished
                del self.now[key]
            elif dice == 1:
                self.now[key][0] += r.randrange(1, 50)
                want[key] = max(D(0), self.now[key][0] - self.now[key][1])
        for n in range(r.randrange(3)):
            key = (f'ÚJ-{len(self.now)}-{n}', 'Győr')
            self.now[key] = [self.quantity(), D(0)]
            want[key] = self.now[key][0]
        return want

    def compare(self, x):
        seen = set()
        want = {key: max(D(0), q - v) for key, (q, v) in self.now.items()}
        for n in range(2, 7):
            fresh = [p for p in x.files('shop/keszlet/*') if p not in seen]
            seen.update(fresh)
            found = {}
            for path in fresh:
                for row in x.csv('shop/keszlet/' + os.path.basename(path),
                                 'cp1250'):
                    found[row['Cikkszám'], row['Raktár']] = figure(
                        row['Szabad'])
            yield from same(f'file {n - 1}', want, found)
            want = self.change()
            x.drop(f'erp/inbox/keszlet-{n}.csv', self.file())
            yield from x.once()


class Warehouses(Shelves):
    """Sums of some warehouses, prices of some list."""
    scenario = 'T20'
    places = ['Központi', 'Győr', 'Szeged, Algyői út', 'Selejt']

    def files(self):
        r = self.r
        self.now = self.stock()
        cost = {sku: (D(r.randrange(1, 10**7)) / 100, D(r.randrange(
            1, 10**7)) / 100, r.choice(['27', '5'])) for sku, _ in self.now}
        self.cost = cost
        self.lists = {(sku, one): D(r.randrange(1, 10**7)) / 100 for sku in cost
                      for one in ('Kisker', 'Nagyker') if r.randrange(4)}
        stock = [{'Cikkszám': sku, 'Raktár': w, 'Megnevezés': 'Fűmag',
                  'Készlet': comma(q, ' '), 'Foglalt': comma(v, ' '),
                  'Beszerzési ár': comma(cost[sku][0], ' '),
                  'Nettó ár': comma(cost[sku][1], ' '),
                  'ÁFA': cost[sku][2] + '%'}
                 for (sku, w), (q, v) in self.now.items()]
        prices = [{'Cikkszám': sku, 'Árkategória': one, 'ÁFA': '27%',
                   'Nettó ár': comma(p, ' ')}
                  for (sku, one), p in self.lists.items()]
        out = {'erp/inbox/keszlet.csv': table(stock[0], stock, 'iso8859-2', r)}
        if any(one == 'Kisker' for _, one in self.lists):
            out['erp/inbox/arlista.csv'] = table(prices[0], prices,
                                                 'iso8859-2', r)
        return out

    def sums(self, *places):
        physical, free = {}, {}
        for (sku, w), (q, v) in self.now.items():
            if w in places:
                add(physical, sku, q)
                add(free, sku, q - v)
        return {sku: (physical[sku], free[sku]) for sku in physical}

    def compare(self, x):
        found = {row['Cikkszám']: (figure(row['Készlet']), figure(
            row['Szabad']), row['Raktár'], row['Nettó ár'])
            for row in x.csv('kisker/import/keszlet.csv', 'cp1250')}
        yield from same('kisker', {
            sku: sums + ('Webraktár', '') for sku, sums in
            self.sums('Központi', 'Győr').items()}, found)
        found = {row['Cikkszám']: (figure(row['Készlet']), figure(
            row['Szabad']), figure(row['Nettó ár']))
            for row in x.csv('nagyker/import/keszlet.csv', 'cp1250')}
        yield from same('nagyker', {
            sku: sums + (self.cost[sku][0],) for sku, sums in
            self.sums('Szeged, Algyői út').items()}, found)
        found = {row['Cikkszám']: figure(row['Nettó ár'])
                 for row in x.csv('kisker/import/arak.csv', 'cp1250')}
        yield from same('prices', {sku: p for (sku, one), p in
                                   self.lists.items() if one == 'Kisker'},
                        found)
        yield from self.unas(x)

    def unas(self, x):
        want = {sku: max(D(0), free) for sku, (_, free) in
                self.sums(*self.places[:3]).items()}
        want.update(((sku, w), max(D(0), q - v)) for (sku, w), (q, v) in
                    self.now.items() if w != 'Selejt')
        found = {}
        for root in x.xml('unas/import/*.xml'):
            for p in root:
                for s in p.find('Stocks'):
                    sku, w = p.findtext('Sku'), s.findtext('WarehouseId')
                    found[(sku, w) if w else sku] = D(s.findtext('Qty'))
        yield from same('unas', want, found)


SHOPTET = '''code date statusName currency exchangeRate email phone billFullName
billCompany billStreet billHouseNumber billCity billZip billCountryName companyId
vatId customerIdentificationNumber deliveryFullName deliveryCompany
deliveryStreet deliveryHouseNumber deliveryCity deliveryZip deliveryCountryName
remark shopRemark packageNumber totalPriceWithVat totalPriceWithoutVat
totalPriceVat rounding priceToPay paid itemName itemAmount itemCode
itemVariantName itemUnit itemUnitPriceWithVat itemUnitPriceWithoutVat itemVatRate
itemTotalPriceWithVat itemTotalPriceWithoutVat itemEan'''.split()


class Reserved(Shelves):
    """Ordered goods, less what was cancelled, by warehouse."""
    scenario = 'T09'
    places = ['PRODEJNA', 'CENTRALA']

    def export(self):
        rows = [{'code': n, 'date': '2026-01-02 10:00:00', 'statusName': status,
                 'billFullName': 'Karel Říha', 'itemName': 'Svetr',
                 'itemCode': sku, 'itemAmount': comma(q),
                 'itemUnitPriceWithVat': '121,00', 'itemVatRate': '21'}
                for n, (status, lines) in self.orders.items()
                for sku, q in lines]
        return table(SHOPTET, rows, 'cp1250', self.r, True)

    def count(self):
        rows = [{'Kód': sku, 'Sklad': w, 'Název': 'Svetr',
                 'Počet kusů': comma(q)} for (sku, w), (q, _) in
                self.now.items()]
        return table(rows[0], rows, 'cp1250', self.r)

    def lines(self):
        r = self.r
        skus = sorted({sku for sku, _ in self.now})
        return [(r.choice(skus), D(r.randrange(1, 40)) / r.choice([1, 2]))
                for _ in range(r.randrange(1, 4))] + [('SHIPPING1', D(1))]

    def files(self):
        r = self.r
        self.now = self.stock()
        self.orders = {f'2026{n:05}': [r.choice(
            ['Zaplaceno', 'Nevyřízená', 'Stornována']), self.lines()]
            for n in range(r.randrange(1, 30))}
        return {'eshop/inbox/objednavky-1.csv': self.export()}

    def change(self):
        """Some want other things, some cancel; some come anew."""
        r = self.r
        for order in self.orders.values():
            if order[0] == 'Stornována':
                continue
            dice = r.randrange(5)
            if dice == 0:
                order[0] = 'Stornována'
            elif dice == 1:
                order[1] = self.lines()
        self.orders[f'2026{len(self.orders):05}'] = ['Zaplaceno', self.lines()]

    def compare(self, x):
        for n in range(2, 5):
            x.drop(f'sklad/stavy/stav-{n}.csv', self.count())
            yield from x.once()
            yield from self.shown(x)
            self.change()
            x.drop(f'eshop/inbox/objednavky-{n}.csv', self.export())
            yield from x.once('orders')

    def shown(self, x):
        ordered, want, web = {}, {}, {}
        for status, lines in self.orders.values():
            for sku, q in lines if status != 'Stornována' else []:
                add(ordered, (sku, 'PRODEJNA'), q)
        for key, (q, _) in self.now.items():
            reserved = ordered.get(key, D(0))
            want[key] = (q, reserved, q - reserved)
            add(web, key[0], q - reserved)
        found = {(row['Kód'], row['Sklad']): tuple(figure(row[c]) for c in (
            'Fyzicky', 'Rezervováno', 'Volno'))
            for row in x.csv('eshop/import/sklady.csv', 'cp1250')}
        yield from same_keys('level', want, found)
        for key in set(want) & set(found):
            yield from same(f'{key}', want[key], found[key])
        found = {row['code']: figure(row['stock'])
                 for row in x.csv('eshop/import/stock.csv', 'cp1250')}
        yield from same('web', {sku: max(D(0), f) for sku, f in web.items()},
                        found)


class Opening(Check):
    """A master of articles, and what lies on the shelf."""
    scenario = 'T24'

    def files(self):
        r, self.want = self.r, {}
        rates = {'27%': 27, '18%': 18, '5%': 5, 'AAM': 0}
        for n in range(r.randrange(1, 50)):
            self.want[f'{n:04}'] = (
                r.choice(list(rates)), D(r.randrange(1, 10**7)) / 100,
                D(r.randrange(1, 10**7)) / 100, D(r.randrange(
                    1, 10**6)) / 100 if r.randrange(3) else None)
        self.rates = rates
        rows = [{'Cikkszám': sku, 'Megnevezés': 'Őszi; versek', 'Csoport': 'A/B',
                 'ÁFA': rate, 'Beszerzési ár': comma(cost, ' '),
                 'Nettó ár': comma(price, ' '),
                 'Nyitókészlet': '' if q is None else comma(q, ' ')}
                for sku, (rate, cost, price, q) in self.want.items()]
        return {'office/inbox/cikktorzs.csv': table(
            list(rows[0]) + ['Me.', 'Vonalkód'], rows, 'iso8859-2', r)}

    def compare(self, x):
        found = {c.findtext('cikkszam'): (
            c.findtext('afa'), D(c.findtext('beszerzesi_ar')),
            D(c.findtext('netto_ar')), D(c.findtext('brutto_ar')))
            for root in x.xml('erp/import/*.xml') for c in root}
        yield from same('articles', {
            sku: (rate, cost, price, rounded(rounded(
                price * (100 + self.rates[rate]) / 100, 4), 2))
            for sku, (rate, cost, price, _) in self.want.items()}, found)
        found = {row['Cikkszám']: (figure(row['Mennyiség']), figure(
            row['Egységár'])) for row in x.csv('erp/import/*.csv', 'cp1250')}
        yield from same('stock', {sku: (q, cost) for sku, (_, cost, _, q) in
                                  self.want.items() if q is not None}, found)


class LeftOut(Check):
    """Quantities for one, with prices for the other."""
    scenario = 'T30'

    def files(self):
        r = self.r
        self.want = {f'BLT-{n}': (D(r.randrange(-10**4, 10**4)) / r.choice(
            [1, 10]), D(r.randrange(1, 10**6)) / 100, r.choice(['21', '11']))
            for n in range(r.randrange(1, 50))}
        rows = [{'Cod': sku, 'Denumire': 'Ţeavă', 'UM': 'buc',
                 'Gestiune': 'DEP22', 'Stoc': comma(q, '.'),
                 'Preţ achiziţie': '77,77', 'Preţ vânzare': comma(p, '.'),
                 'TVA': rate} for sku, (q, p, rate) in self.want.items()]
        return {'erp/inbox/stoc.csv': table(rows[0], rows, 'cp1250', r)}

    def compare(self, x):
        site = {row['sku']: row for row in x.csv('site/import/*', 'utf-8', ',')}
        yield from same('site', {sku: {'sku': sku, 'stock': max(D(0), q)} for
                                 sku, (q, _, _) in self.want.items()},
                        {sku: dict(row, stock=D(row['stock']))
                         for sku, row in site.items()})
        found = {row['part_number']: (D(row['stock']), D(row['sale_price']),
                                      row['vat'])
                 for row in x.csv('market/import/*', 'utf-8', ',')}
        yield from same('market', {sku: (max(D(0), q), p, rate) for
                                   sku, (q, p, rate) in self.want.items()},
                        found)

"""What is on the shelves: reserved, in several warehouses, changed. T9, T20,
T22."""
import csv
import io

from check import Check, D, add, comma, number, rounded, same, same_keys, table

SHOPTET = ('code date statusName currency email billFullName itemName '
           'itemAmount itemCode itemUnit itemUnitPriceWithVat itemVatRate '
           'totalPriceWithVat totalPriceWithoutVat totalPriceVat rounding '
           'priceToPay paid deliveryFullName deliveryCompany deliveryStreet '
           'deliveryHouseNumber deliveryCity deliveryZip deliveryCountryName '
           'billCompany billStreet billHouseNumber billCity billZip '
           'billCountryName companyId vatId customerIdentificationNumber phone '
           'remark shopRemark packageNumber exchangeRate itemVariantName '
           'itemUnitPriceWithoutVat itemTotalPriceWithVat '
           'itemTotalPriceWithoutVat itemEan').split()


class Shelves(Check):
    def codes(self, letters):
        return [f'{self.r.choice(letters)}-{n:04}'
                for n in range(self.r.randrange(1, 40))]

    def quantity(self, low=0):
        return D(self.r.randrange(low, 10**6)) / self.r.choice([1, 10, 1000])


class Reserved(Shelves):
    """Orders of all kinds; then what was counted, in two warehouses."""
    scenario = 'T09'

    def orders(self):
        """Rows of orders; what they reserve in PRODEJNA."""
        r = self.r
        rows, self.reserved = [], {}
        for n in range(r.randrange(1, 30)):
            status = r.choice(['Nevyřízená', 'Zaplaceno', 'Stornována'])
            head = {'code': str(20260000 + n), 'date': '2026-03-01 10:00:00',
                    'statusName': status, 'currency': 'CZK',
                    'email': 'a@example.cz', 'billFullName': 'Žaneta Řehořová'}
            for _ in range(r.randrange(1, 6)):
                code = r.choice(self.names + ['SHIPPING1', 'BILLING2'])
                amount = self.quantity(1) if r.randrange(5) else \
                    -self.quantity(1)
                rows.append({**head, 'itemCode': code, 'itemName': 'Věc',
                             'itemAmount': comma(amount)})
                if status != 'Stornována' and amount > 0 and \
                        code in self.names:
                    add(self.reserved, code, amount)
        return rows

    def files(self):
        r = self.r
        self.names = self.codes(['HRN', 'SV/Ž', 'MED'])
        orders = self.orders()
        self.stock = {(c, w): self.quantity() for c in self.names
                      for w in ('PRODEJNA', 'CENTRALA')
                      if w == 'PRODEJNA' or r.randrange(2)}
        return {'eshop/inbox/objednavky.csv':
                table(SHOPTET, orders, 'cp1250', r)}

    def compare(self, x):
        rows = [{'Kód': c, 'Sklad': w, 'Počet kusů': comma(q), 'Název': 'Věc'}
                for (c, w), q in self.stock.items()]
        self.r.shuffle(rows)
        x.drop('sklad/stavy/stav.csv', table(rows[0], rows, 'cp1250', self.r))
        yield from x.once()
        found = {(row['Kód'], row['Sklad']): row for row in
                 x.csv('eshop/import/sklady.csv', 'cp1250')}
        yield from same_keys('stock', self.stock, found)
        free = {}
        for (c, w), q in self.stock.items():
            row = found[c, w]
            wanted = self.reserved.get(c, D(0)) if w == 'PRODEJNA' else D(0)
            yield from same(f'{c} {w}', (q, wanted, q - wanted), tuple(
                number(row[k]) for k in ('Fyzicky', 'Rezervováno', 'Volno')))
            add(free, c, q - wanted)
        web = {row['code']: number(row['stock']) for row in
               x.csv('eshop/import/stock.csv', 'cp1250')}
        yield from same('free in both',
                        {c: max(D(0), q) for c, q in free.items()}, web)


class Warehouses(Shelves):
    """Rows of four warehouses in any order; prices of three lists."""
    scenario = 'T20'
    all = ['Központi', 'Győr', 'Szeged, Algyői út', 'Selejt']

    def files(self):
        r = self.r
        self.stock, self.cost, rows = {}, {}, []
        for c in self.codes(['TÜKÖR', 'FŰ', 'KÖNYV-Ő']):
            for w in r.sample(self.all, r.randrange(1, 5)):
                self.stock[c, w] = self.quantity(), self.quantity()
                self.cost[c, w] = rounded(self.quantity(100), 2)
        for (c, w), (q, v) in self.stock.items():
            rows.append({'Cikkszám': c, 'Raktár': w, 'Megnevezés': 'Fűmag',
                         'Készlet': comma(q, ' '), 'Foglalt': comma(v, ' '),
                         'Beszerzési ár': comma(self.cost[c, w]),
                         'Nettó ár': '1', 'ÁFA': '27%'})
        r.shuffle(rows)
        self.prices = {(c, kind): rounded(self.quantity(100), 2)
                       for c in {c for c, _ in self.stock}
                       for kind in ('Kisker', 'Nagyker', 'kisker')
                       if r.randrange(3)}
        prices = [{'Cikkszám': c, 'Árkategória': kind, 'ÁFA': '5%',
                   'Nettó ár': comma(p)} for (c, kind), p in
                  self.prices.items()]
        return {'erp/inbox/keszlet.csv': table(rows[0], rows, 'iso8859-2', r),
                'erp/inbox/arlista.csv': table(
                    ['Cikkszám', 'Árkategória', 'ÁFA', 'Nettó ár'], prices,
                    'iso8859-2', r)}

    def sums(self, names):
        quantity, free = {}, {}
        for (c, w), (q, v) in self.stock.items():
            if w in names:
                add(quantity, c, q)
                add(free, c, q - v)
        return quantity, free

    def compare(self, x):
        for shop, names in (('kisker', self.all[:2]), ('nagyker',
                                                       self.all[2:3])):
            quantity, free = self.sums(names)
            rows = {row['Cikkszám']: row for row in
                    x.csv(f'{shop}/import/keszlet.csv', 'cp1250')}
            yield from same_keys(shop, quantity, rows)
            for c in set(quantity) & set(rows):
                yield from same(f'{shop} {c}', (quantity[c], free[c]), tuple(
                    number(rows[c][k]) for k in ('Készlet', 'Szabad')))
                price = rows[c]['Nettó ár']
                cost = self.cost[c, names[0]] if shop == 'nagyker' else None
                yield from same(f'{shop} {c} price', cost,
                                number(price) if price else None)
        prices = {row['Cikkszám']: number(row['Nettó ár']) for row in
                  x.csv('kisker/import/arak.csv', 'cp1250')}
        yield from same('prices', {c: p for (c, kind), p in
                                   self.prices.items() if kind == 'Kisker'},
                        prices)
        yield from self.compare_levels(x)

    def compare_levels(self, x):
        _, free = self.sums(self.all[:3])
        found, levels = {}, {}
        for root in x.xml('unas/import/*.xml'):
            for p in root:
                for s in p.find('Stocks'):
                    key = p.findtext('Sku'), s.findtext('WarehouseId')
                    (levels if key[1] else found)[key] = D(s.findtext('Qty'))
        yield from same('sums', {(c, None): max(D(0), q)
                                 for c, q in free.items()}, found)
        yield from same('levels', {
            key: max(D(0), q - v) for key, (q, v) in self.stock.items()
            if key[1] != 'Selejt'}, levels)


class Changes(Shelves):
    """Several files after each other: the shop that takes each change has what
    the last one says, and gets nothing twice."""
    scenario = 'T22'
    columns = ['Cikkszám', 'Megnevezés', 'Raktár', 'Készlet', 'Foglalt',
               'Időpont']

    def next_stock(self, last):
        """Some are others, some are new, some are gone; but never all."""
        r, stock = self.r, {}
        for key, x in last.items():
            if r.randrange(8) or not stock:
                stock[key] = x if r.randrange(3) else (self.quantity(),
                                                       self.quantity())
        for n in range(r.randrange(4)):
            stock[f'ÚJ-{r.randrange(999)}', r.choice(['Győr', ''])] = \
                self.quantity(), D(n)
        return stock

    def data(self, stock, hour):
        rows = [{'Cikkszám': c, 'Raktár': w, 'Megnevezés': 'Fűmag',
                 'Készlet': comma(q, ' ') + self.padding(q),
                 'Foglalt': comma(v), 'Időpont': f'2026.03.02. {hour:02}:00'}
                for (c, w), (q, v) in stock.items()]
        self.r.shuffle(rows)
        return table(self.columns, rows, 'iso8859-2', self.r)

    def padding(self, q):
        """The same number in other words."""
        return self.r.choice(['', '0', '00']) if q % 1 else \
            self.r.choice(['', ',0'])

    def files(self):
        self.stock = {(c, w): (self.quantity(), self.quantity())
                      for c in self.codes(['TÜKÖR', 'FŰ'])
                      for w in ('Győr', 'Központi')}
        return {'erp/inbox/keszlet-0.csv': self.data(self.stock, 0)}

    def compare(self, x):
        shop, last = {}, {}
        for hour in range(1, 7):
            # What was free is what is told; less than none is none.
            free = {key: max(D(0), q - v)
                    for key, (q, v) in self.stock.items()}
            changed = {key: free.get(key, D(0)) for key in
                       set(self.stock) | set(last)
                       if self.stock.get(key, (0, 0)) != last.get(key, (0, 0))}
            told = self.take(x)
            for key, q in told.items():
                yield from same(f'{hour} {key}', free.get(key, D(0)), q)
            # free is all that the map writes of quantity and reserved
            must = {key for key, q in changed.items() if shop.get(key) != q}
            for key in must - set(told):
                yield f'{hour}: {key} was not told'
            for key in set(told) - set(changed):
                yield f'{hour}: {key} was told, and has not changed'
            shop.update(told)
            last, self.stock = self.stock, self.next_stock(self.stock)
            x.drop(f'erp/inbox/keszlet-{hour}.csv', self.data(self.stock, hour))
            yield from x.once()

    def take(self, x):
        """What the shop finds; it is gone then."""
        told = {}
        for path in x.files('shop/keszlet/*'):
            with open(path, encoding='cp1250', newline='') as f:
                text = f.read()
            with open(path, 'w', encoding='cp1250'):
                pass
            for row in csv.DictReader(io.StringIO(text), delimiter=';'):
                told[row['Cikkszám'], row['Raktár']] = number(row['Szabad'])
        return told

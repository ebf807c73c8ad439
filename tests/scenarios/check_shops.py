"""Several shops, their numbers and VAT keys: T14, T19, T21."""
import re

from check import D, Sequence, add, comma, net, same, table
from check_rules import SHOPTET


def parts(number):
    """Digits count as numbers."""
    return [(0, int(p), '') if p.isdigit() else (1, 0, p)
            for p in re.findall(r'\d+|\D+', number)]


class Shops(Sequence):
    """Two shops with numbers of their own; each order once, as it came first."""

    def __init__(self, seed):
        super().__init__(seed)
        self.orders = {shop: {} for shop in self.shops}
        self.sent = {shop: set() for shop in self.shops}

    def export(self, shop):
        r, orders = self.r, self.orders[shop]
        for _ in range(r.randrange(1, 5)):
            orders.setdefault(self.number(shop), self.lines())
        for key in orders:
            if r.randrange(6) == 0:
                orders[key] = self.lines()  # is told, and not sent
        return {key: orders[key] for key in self.some(orders, 9)}

    def lines(self):
        r = self.r
        return [(f'ART-{r.randrange(9)}', D(r.randrange(1, 90)), r.choice(
            ['', '', 'OUTLET'])) for _ in range(r.randrange(1, 4))]

    def step(self, x):
        want = {}
        for shop in self.r.sample(sorted(self.shops), self.r.randrange(1, 3)):
            for _ in range(self.r.randrange(1, 3)):
                orders = self.export(shop)
                x.next(self.shops[shop], self.file(shop, orders))
                for key, lines in orders.items():
                    if self.wanted(shop, key) and key not in self.sent[shop]:
                        self.sent[shop].add(key)
                        want[self.called(shop, key)] = self.shown(shop, lines)
        yield from x.run()
        found = {}
        for key, lines in self.found(x):
            if key in found:
                yield f'{key} was sent twice'
            found[key] = lines
        yield from same('orders', want, found)


class Blocks(Shops):
    """First order, number block and default warehouse of each."""
    scenario = 'T19'
    shops = {'kertbolt': 'kertbolt/rendelesek*.csv',
             'butorbolt': 'butorbolt/rendelesek*.csv'}
    first = {'kertbolt': '2026-100', 'butorbolt': '5000'}
    letters = {'kertbolt': 'KB-', 'butorbolt': 'BB-'}
    place = {'kertbolt': 'KOZPONT', 'butorbolt': 'CSEPEL 2'}

    def number(self, shop):
        r = self.r
        if shop == 'butorbolt':
            return str(r.choice([999, 4990, 5000, 10000]) + r.randrange(12))
        return f'{r.choice([2025, 2026, 2026, 2027])}-{r.choice([9, 95, 995])}' \
            if r.randrange(4) == 0 else f'2026-{r.randrange(90, 115)}'

    def wanted(self, shop, key):
        return parts(key) >= parts(self.first[shop])

    def called(self, shop, key):
        return self.letters[shop] + key

    def shown(self, shop, lines):
        return (self.place[shop], [(sku, q, w or self.place[shop])
                                   for sku, q, w in lines])

    def file(self, shop, orders):
        rows = [{'Rendelésszám': key, 'Dátum': '2026.11.20.', 'Vevő': shop,
                 'Cikkszám': sku, 'Termék': 'Ásó', 'Db': comma(q),
                 'Bruttó ár': '8 990', 'ÁFA': '27%', 'Raktár': w}
                for key, lines in orders.items() for sku, q, w in lines]
        return table(list(rows[0]) + ['E-mail', 'Irsz', 'Város', 'Cím'], rows,
                     'cp1250', self.r)

    def found(self, x):
        for path in x.fresh('raktar/be/*'):
            for root in x.xml(path):
                for o in root:
                    yield o.get('szam'), (o.get('raktar'), [
                        (t.findtext('cikkszam'), D(t.findtext('db')),
                         t.get('raktar')) for t in o.findall('tetel')])


class Versions(Shops):
    """Language versions that count their orders from the same number."""
    scenario = 'T14'
    shops = {'CZ-': 'eshop-cz/objednavky*.csv',
             'SK-': 'eshop-sk/objednavky*.csv'}

    def number(self, shop):
        return str(2026000400 + self.r.randrange(20))

    def wanted(self, shop, key):
        return True

    def called(self, shop, key):
        return shop + key

    def shown(self, shop, lines):
        return [(sku, q) for sku, q, _ in lines]

    def file(self, shop, orders):
        rows = [{'code': key, 'date': '2026-11-24 08:12:40', 'itemName': 'Svetr',
                 'statusName': 'Nevyřízená', 'billFullName': 'Karel Říha',
                 'itemCode': sku, 'itemAmount': comma(q), 'itemVatRate': '21',
                 'itemUnitPriceWithVat': '121,00'}
                for key, lines in orders.items() for sku, q, _ in lines]
        return table(SHOPTET, rows, 'cp1250', self.r, True)

    def found(self, x):
        for path in x.fresh('pohoda/xml/*'):
            for root in x.xml(path):
                for o in root:
                    yield o.get('id'), [
                        (i.findtext('code'), D(i.findtext('quantity')))
                        for i in o.iter('orderItem')]


class Keys(Sequence):
    """VAT keys; what has none sets its order aside."""
    scenario = 'T21'
    home = {'27': '27', '18': '18', '5': '5', '0': 'TAM'}

    def order(self, shop):
        r = self.r
        country = r.choice(['Magyarország', 'Magyarország', 'Németország'])
        lines = []
        for _ in range(r.randrange(1, 5)):
            rate = r.choice(['27', '18', '5', '0', '0'])
            if shop == 'teahaz' and r.randrange(9) == 0:
                rate = '20'  # has no key at home
            if country != 'Magyarország' and r.randrange(5):
                rate = '0'
            code = r.choice(['', '', 'K', 'K2']) if rate == '0' else ''
            if shop == 'kezmuves':  # it knows no VAT
                rate, code = r.choice(['', '0']), r.choice(['', 'M'])
            lines.append((D(r.randrange(1, 40)), D(r.randrange(1, 10**5)), rate,
                          code))
        return country, lines

    def key(self, shop, country, rate, code):
        """None: there is none."""
        if shop == 'kezmuves':
            return 'AAM'
        if country != 'Magyarország':
            # Whatever else is passed on as the shop has it.
            return 'EUT' if not code and rate == '0' else code or rate
        if code:
            return 'K.AFA'
        return self.home.get(rate)

    def step(self, x):
        r, want, aside = self.r, {}, set()
        for shop, letters in ('teahaz', ''), ('kezmuves', 'KM-'):
            rows = []
            for n in range(r.randrange(1, 6)):
                key = f'{x.dropped}-{n}'
                country, lines = self.order(shop)
                rows += [{'Rendelés': key, 'Dátum': '2026.11.25.', 'Vevő': 'X',
                          'Ország': country, 'Cikkszám': 'T', 'Termék': 'Tea',
                          'Db': comma(q), 'Bruttó': comma(p, ' '), 'ÁFA kód':
                          code, 'ÁFA': rate + '%' if rate else '',
                          'EU adószám': ''} for q, p, rate, code in lines]
                keys = [(self.key(shop, country, rate, code), q, q * p,
                         net(q * p, rate or 0, 2) if rate else q * p)
                        for q, p, rate, code in lines]
                if None in (k[0] for k in keys):
                    aside.add(key)
                else:
                    want[letters + key] = (
                        [(k, q, base, gross) for k, q, gross, base in keys],
                        self.sums(keys))
            x.next(f'{shop}/*.csv', table(rows[0], rows, 'cp1250', r))
        status, text = x.kervan('once')
        yield from same('status', bool(aside), status != 0)
        found = {o.get('rendeles'): ([(t.findtext('afakulcs'), D(t.findtext(
            'mennyiseg')), D(t.findtext('netto')), D(t.findtext('brutto')))
            for t in o.findall('tetel')], {t.get('kulcs'): (D(t.findtext(
                'alap')), D(t.findtext('osszeg'))) for t in o.findall('afa')})
            for path in x.fresh('szamlazo/be/*') for root in x.xml(path)
            for o in root}
        yield from same('orders', want, found)
        back = {row['Rendelés'] for path in x.fresh('teahaz/rejected/*.csv')
                for row in x.csv(path, 'cp1250')}
        yield from same('set aside', aside, back)

    @staticmethod
    def sums(keys):
        base, gross = {}, {}
        for key, _, all_of, without in keys:
            add(base, key, without)
            add(gross, key, all_of)
        return {key: (base[key], gross[key] - base[key]) for key in base}

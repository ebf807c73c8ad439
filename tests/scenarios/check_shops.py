"""Several shops, their numbers, VAT keys and refusals: T14, T19, T21."""
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


class Refused(Sequence):
    """What POHODA refuses waits, and goes as new when it comes changed."""
    scenario = 'refused-orders'
    shops = {'CZ-': 'eshop-cz', 'SK-': 'eshop-sk'}
    reasons = ['Skladová zásoba nebyla nalezena.', 'Chybí IČO.']

    def __init__(self, seed):
        super().__init__(seed)
        self.now = {}     # {number: [cancelled, lines]} in the shops
        self.has = {}     # the same, as it was sent last
        self.stands = {}  # sent, accepted, refused, withdrawn
        self.open = []    # files without answer, [(name, numbers)]
        self.said = []    # what may be said once more

    def lines(self):
        return [(f'ART-{self.r.randrange(9)}', D(self.r.randrange(1, 90)))
                for _ in range(self.r.randrange(1, 4))]

    def come(self, key):
        """Is it sent?"""
        cancelled, lines = now = self.now[key]
        stands = self.stands.get(key)
        if stands == 'refused' and now != self.has[key] and cancelled:
            self.stands[key] = 'withdrawn'  # nobody has it, nobody wants it
        elif not cancelled and (stands in (None, 'withdrawn') or (
                stands == 'refused' and now != self.has[key])):
            self.stands[key], self.has[key] = 'sent', [cancelled, lines]
            return True
        return False

    def export(self, x, shop):
        r, rows = self.r, []
        for _ in range(r.randrange(3)):
            self.now.setdefault(f'{shop}{2026000400 + r.randrange(12)}',
                                [False, self.lines()])
        mine = [key for key in self.now if key.startswith(shop)]
        for key in mine:
            dice = r.randrange(5)
            if dice == 0:
                self.now[key] = [self.now[key][0], self.lines()]
            elif dice == 1 or self.now[key][0] and dice == 2:
                self.now[key] = [not self.now[key][0], self.now[key][1]]
        keys = self.some(mine, 6) if mine else []
        for key in keys:
            cancelled, lines = self.now[key]
            rows += [{'code': key[3:], 'date': '2026-11-24 08:12:40',
                      'statusName': 'Stornováno' if cancelled else 'Zaplaceno',
                      'billFullName': 'Karel Říha', 'itemName': 'Svetr',
                      'itemCode': sku, 'itemAmount': comma(q), 'itemVatRate':
                      '21', 'itemUnitPriceWithVat': '121,00'}
                     for sku, q in lines]
        if rows:
            x.next(f'{self.shops[shop]}/objednavky*.csv',
                   table(SHOPTET, rows, 'cp1250', r, True))
        return {key: self.now[key][1] for key in keys if self.come(key)}

    def sends(self, x):
        want = [self.export(x, shop) for shop in
                self.r.sample(sorted(self.shops), self.r.randrange(1, 3))]
        yield from x.run()
        found = {}
        for path in x.fresh('pohoda/xml/*.xml'):
            here = {o.get('id'): [(i.findtext('code'), D(i.findtext('quantity')))
                                  for i in o.iter('orderItem')]
                    for root in x.xml(path) for o in root}
            self.open.append((path, list(here)))
            found.update(here)
        yield from same('orders', {key: lines for one in want for key, lines in
                                   one.items()}, found)

    def pack(self, items, note=''):
        """POHODA's answer; what is said twice is not the same bytes."""
        text = ''
        for key, reason in items:
            detail = (f'<importDetails><detail><state>error</state><note>'
                      f'{reason}</note></detail></importDetails>' if reason else
                      f'<producedDetails><id>5</id><number>D{key[3:]}</number>'
                      '</producedDetails>')
            detail = detail.replace('</', '</rdc:').replace('<', '<rdc:').replace(
                '<rdc:/rdc:', '</rdc:')
            text += (f'<rsp:responsePackItem id="{key}" state="ok">'
                     f'<ord:orderResponse state="{"error" if reason else "ok"}">'
                     f'{detail}</ord:orderResponse></rsp:responsePackItem>')
        spaces = ''.join(f' xmlns:{p}="http://www.stormware.cz/schema/version_2/'
                         f'{name}.xsd"' for p, name in (
                             ('rsp', 'response'), ('rdc', 'documentresponse'),
                             ('ord', 'order')))
        return (f'<rsp:responsePack key="{self.r.random()}" state="'
                f'{"ok" if items else "error"}" note="{note}"{spaces}>{text}'
                '</rsp:responsePack>').encode()

    def answers(self, x):
        r, want = self.r, []
        if not self.open or self.said and r.randrange(3) == 0:
            key, reason = r.choice(self.said) if self.said else ('', '')
            if self.stands.get(key) != ('refused' if reason else 'accepted'):
                return
            x.drop('pohoda/xml/response/again.xml', self.pack([(key, reason)]))
        else:
            path, keys = self.open.pop(r.randrange(len(self.open)))
            items = [(key, r.choice(['', *self.reasons])) for key in keys]
            whole = r.randrange(4) == 0
            for key, reason in items:
                self.stands[key] = 'refused' if reason or whole else 'accepted'
                if not whole:
                    want.append((self.shops[key[:3]], key[3:], '0' if reason
                                 else '1', '' if reason else f'D{key[3:]}',
                                 reason))
                    self.said.append((key, reason))
            x.drop(path.replace('xml/', 'xml/response/'),
                   self.pack([] if whole else items, 'Ne.'))
        yield from x.run()
        found = [(shop, row['code'], row['prijato'], row['doklad'],
                  row['zprava']) for shop in self.shops.values()
                 for path in x.fresh(f'{shop}/outbox/*')
                 for row in x.csv(path, 'cp1250')]
        yield from same('answers', sorted(want), sorted(found))

    def step(self, x):
        yield from self.sends(x)
        for _ in range(self.r.randrange(1, 3)):
            yield from self.answers(x)
        _, text = x.kervan('status')
        found = {(shop, key) for key, shop in re.findall(
            r'^order +(\d+) +(eshop-..) +\S+ +refused', text, re.M)}
        yield from same('refused', sorted(
            (self.shops[key[:3]], key[3:]) for key, stands in
            self.stands.items() if stands == 'refused'), sorted(found))

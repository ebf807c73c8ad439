"""What becomes of orders, and of what is said of them: T7, T17, T26, T27, T31."""
import csv
import io
from xml.sax.saxutils import escape

from check import D, Sequence, comma, rounded, same, table
from check_rules import SHOPTET, figure


class Known:
    """What a receiver has of one order."""

    def __init__(self):
        self.has = None        # what he was sent last
        self.cancelled = False  # and that was a cancellation
        self.invoice = None
        self.void = set()      # invoices that were cancelled

    def come(self, now, cancelled, changes):
        """What is done with a version that comes."""
        if self.has is None:
            action = None if cancelled else 'create'
        elif (now, cancelled) == (self.has, self.cancelled):
            action = None
        elif self.invoice or changes != 'send':
            action = None
        else:
            action = ('cancel' if cancelled else
                      'create' if self.cancelled else 'change')
        if action:
            self.has, self.cancelled = now, cancelled
        return action

    def invoiced(self, invoice):
        if self.has is not None and invoice not in self.void:
            self.invoice = invoice

    def opened(self, invoice):
        """That one was cancelled."""
        self.void.add(invoice)
        if self.invoice == invoice:
            self.invoice = None


def loose(r, x):
    """A number as it may be written: 3,5 and 3,50 are one."""
    text = comma(x)
    return text + '0' * r.randrange(3) if ',' in text else text


class Orders(Sequence):
    """Orders of a shop: {number: [status, customer, lines]}."""
    names = ['Anna', 'Bela', 'Cyril']
    open, cancelled = ['new'], 'cancelled'
    changes = 'send'
    most = 3  # new ones in a file

    def __init__(self, seed):
        super().__init__(seed)
        self.orders, self.known = {}, {}

    def lines(self):
        r = self.r
        return [(f'ART-{r.randrange(9)}', D(r.randrange(1, 90)) / r.choice(
            [1, 2, 10]), D(r.randrange(1, 10**6)) / r.choice([1, 10, 100]))
            for _ in range(r.randrange(1, 4))]

    def order(self):
        r = self.r
        status = self.cancelled if r.randrange(8) == 0 else r.choice(self.open)
        return [status, r.choice(self.names), self.lines()]

    def change(self, order):
        """What customers and shops think of; most of the time nothing."""
        r, dice = self.r, self.r.randrange(12)
        if dice == 0:
            order[0] = self.cancelled
        elif dice == 1:
            order[0] = r.choice(self.open)
        elif dice == 2:
            order[1] = r.choice(self.names)
        elif dice == 3:
            order[2] = self.lines()
        elif dice == 4:
            order[2] = order[2] + self.lines()[:1]
        elif dice == 5 and len(order[2]) > 1:
            order[2] = order[2][:-1]

    def key(self, n):
        return f'2026{n:05}'

    def export(self):
        """The orders of the next file, [(number, order)]."""
        for _ in range(self.r.randrange(self.most + 1)):
            self.orders[self.key(len(self.orders))] = self.order()
        if not self.orders:
            self.orders[self.key(0)] = self.order()
        for order in self.orders.values():
            self.change(order)
        return [(key, list(self.orders[key]))
                for key in self.some(self.orders, 9)]

    def sees(self, order):
        """What the receiver sees of it."""
        return order[1], order[2]

    def expected(self, rows):
        """{number: (action, order)}, and the model goes on."""
        want = {}
        for key, order in rows:
            known = self.known.setdefault(key, Known())
            action = known.come(self.sees(order), order[0] == self.cancelled,
                                self.changes)
            if action:
                want.setdefault(key, []).append((action, order))
        return want


class Changes(Orders):
    """A Shoptet shop; new, changed and cancelled orders, invoices at once."""
    scenario = 'T07'
    open, cancelled = ['Nevyřízená', 'Vyřizuje se', 'Zaplaceno'], 'Stornovaná'
    names = ['Marek Dvořák', 'Lucie Růžičková', 'Ota Šípek']
    words = {'nova': 'create', 'zmena': 'change', 'storno': 'cancel'}

    def file(self, rows):
        r, out = self.r, []
        for key, (status, name, lines) in rows:
            head = {'code': key, 'date': '2026-11-24 08:12:40',
                    'statusName': status, 'billFullName': name,
                    'shopRemark': str(r.randrange(9)),
                    'totalPriceWithVat': loose(r, self.total(lines))}
            out += [dict(head, itemName='Med', itemCode=sku, itemVatRate='21',
                         itemAmount=loose(r, q), itemUnitPriceWithVat=loose(r, p))
                    for sku, q, p in lines]
        return table(SHOPTET, out, 'cp1250', r, True)

    @staticmethod
    def total(lines):
        return sum(rounded(q * p, 2) for _, q, p in lines)

    def step(self, x):
        orders, invoices = [], []
        for _ in range(self.r.randrange(1, 4)):
            rows = self.export()
            x.next('eshop/objednavky-*.csv', self.file(rows))
            want = {key: w[0] for key, w in self.expected(rows).items()}
            paid = sorted(key for key, (action, order) in want.items() if
                          action == 'create' and order[0] == 'Zaplaceno')
            if want:
                orders.append({key: (action,) + self.shown(order)
                               for key, (action, order) in want.items()})
            if paid:
                invoices.append(paid)
        yield from x.run()
        found = [{o.get('cislo'): self.read(o) for path in [p] for root in
                  x.xml(path) for o in root}
                 for p in x.fresh('ucto/import/objednavky-*.xml')]
        yield from same('orders', orders, found)
        found = [sorted(i.get('objednavka') for root in x.xml(p) for i in root)
                 for p in x.fresh('ucto/import/faktury-*.xml')]
        yield from same('invoices', invoices, found)

    def shown(self, order):
        return (order[1], [(sku, q, rounded(p, 2)) for sku, q, p in
                           order[2]], self.total(order[2]))

    def read(self, order):
        return (self.words[order.get('akce')], order.findtext('Odberatel/Nazev'),
                [(i.get('kod'), D(i.get('mnozstvi')), D(i.get('cena')))
                 for i in order.findall('Polozka')],
                D(order.findtext('Celkem')))


# ---- invoices and what cancels them ----------------------------------------

def text_of(columns, rows, charset='utf-8'):
    """A CSV whose columns stand as they are named."""
    out = io.StringIO()
    csv.writer(out, delimiter=';', lineterminator='\n').writerows(
        [columns.split(';')] + rows)
    return out.getvalue().encode(charset)


class Invoiced(Orders):
    """Orders, and invoices of them that are made and cancelled."""
    steps = 10
    most = 1  # few orders, with much of a past

    def __init__(self, seed):
        super().__init__(seed)
        self.bills = {}  # {number: [its order, total, is it cancelled]}
        self.rows = []   # of the accountant's list, as they were made

    def of(self, number):
        return self.known.setdefault(number, Known())

    def waiting(self):
        """Orders that an invoice could be made of."""
        return [key for key, known in self.known.items()
                if known.has is not None and not known.invoice]

    def bill(self):
        r, waiting = self.r, sorted(self.waiting())
        live = sorted(n for n, bill in self.bills.items() if not bill[2])
        if waiting and r.randrange(3):
            number = str(450 + len(self.rows))
            self.bills[number] = [r.choice(waiting), D(r.randrange(
                1, 10**6)) / 100, False]
            self.of(self.bills[number][0]).invoiced(number)
            return number, None
        if live:
            number = r.choice(live)
            self.bills[number][2] = True
            self.of(self.bills[number][0]).opened(number)
            return str(450 + len(self.rows)), number
        return None, None

    def list(self):
        """Some of the list again, and what is new behind it."""
        old = [row for row in self.rows if self.r.randrange(3)]
        new = []
        for _ in range(self.r.randrange(1, 5)):
            number, cancels = self.bill()
            if number:
                new.append((number, cancels))
                self.rows.append(new[-1])
        return old + new, new

    def step(self, x):
        if self.waiting() and self.r.randrange(2):
            yield from self.answers(x)
        else:
            yield from self.changed(x)


class Sztorno(Invoiced):
    """A UNAS shop, and invoices that others cancel."""
    scenario = 'T17'
    open, cancelled = ['open_normal', 'close_ok'], 'close_fault'
    names = ['Kovács Eszter', 'Őszi Éva', 'Szűcs Áron']
    states = {'open_normal': 'new', 'close_ok': 'completed',
              'close_fault': 'cancelled'}

    def sees(self, order):
        return order

    def file(self, rows):
        text = ''
        for key, (status, name, lines) in rows:
            total = sum(rounded(q * p, 2) for _, q, p in lines)
            text += (f'<Order><Key>{key}</Key><Date>2026.11.24 09:12:33</Date>'
                     f'<Status>{self.r.randrange(9)}</Status><Currency>EUR'
                     f'</Currency><StatusType>{status}</StatusType>'
                     f'<Customer><Addresses><Invoice><Name>{escape(name)}</Name>'
                     f'</Invoice></Addresses></Customer>'
                     f'<SumPriceGross>{total}</SumPriceGross><Items>')
            for sku, q, p in lines:
                text += (f'<Item><Id>1</Id><Sku>{sku}</Sku><Name>Ásó</Name>'
                         f'<Quantity>{q}</Quantity><PriceGross>{p}</PriceGross>'
                         '<Vat>27%</Vat></Item>')
            text += '</Items></Order>\n'
        return f'<Orders>{text}</Orders>'.encode()

    def changed(self, x):
        r, want = self.r, []
        for _ in range(r.randrange(1, 3)):
            rows = self.export()
            if r.randrange(2):  # one of them once more, the same or not
                key = r.choice(rows)[0]
                self.change(self.orders[key])
                rows.append((key, list(self.orders[key])))
            x.next('unas/rendelesek/*.xml', self.file(rows))
            sent = self.expected(rows)
            if sent:
                want.append({key: [(self.states[order[0]], order[1], order[2])
                                   for _, order in all] for key, all in
                             sent.items()})
        yield from x.run()
        found = []
        for path in x.fresh('naturasoft/import/*'):
            found.append({})
            for root in x.xml(path):
                for o in root:
                    found[-1].setdefault(o.findtext('azonosito'), []).append(
                        (o.findtext('status'), o.findtext('vevo/nev'),
                         [(i.findtext('cikkszam'), D(i.findtext('mennyiseg')),
                           D(i.findtext('brutto_egysegar')))
                          for i in o.find('tetelek')]))
        yield from same('orders', want, found)

    def answers(self, x):
        rows, new = self.list()
        x.next('naturasoft/szamlak/*.csv', text_of(
            'Rendelésszám;Bizonylatszám;Kelt;Bruttó;Sztornózott bizonylat',
            [self.row(*row) for row in rows], 'iso8859-2'))
        yield from x.run()
        found = [(row['Key'], row['Invoice'], row['Cancels'])
                 for path in x.fresh('unas/szamlak/*')
                 for row in x.csv(path, 'utf-8')]
        yield from same('invoices', [
            (self.bills[cancels or number][0], number, cancels or '')
            for number, cancels in new], found)

    def row(self, number, cancels):
        order, total, _ = self.bills[cancels or number]
        return [order, number, '2026.11.25.', comma(-total if cancels else total),
                cancels or '']


class Anulate(Invoiced):
    """A Romanian shop; both sides cancel invoices, by series and number."""
    scenario = 'T27'
    open, cancelled = ['Noua', 'Confirmata', 'Platita', ''], 'Anulata'
    names = ['Ioana Pop', 'Ana Dan', 'Mihai Stan']
    charset = 'cp1250'

    def __init__(self, seed):
        super().__init__(seed)
        self.told = {}   # what the shop was told of an invoice: (total, live)
        self.asked = []  # what the shop has cancelled

    def changed(self, x):
        r, want = self.r, []
        for _ in range(r.randrange(1, 3)):
            rows = self.export()
            out = [[key, '02.11.2025 09:12', status, name, sku, loose(r, q),
                    loose(r, p), '21', 'Cană']
                   for key, (status, name, lines) in rows
                   for sku, q, p in lines]
            x.next('magazin/inbox/*.csv', text_of(
                'Comanda;Data;Stare;Client;Cod;Cantitate;Pret;TVA;Produs;Firma;'
                'CUI;Email;Telefon;Adresa;Oras;Judet',
                [row + [''] * 7 for row in out]))
            sent = self.expected(rows)
            if sent:
                want.append({key: [(action, order[1], [
                    (sku, q, rounded(p, 2)) for sku, q, p in order[2]])
                    for action, order in all] for key, all in sent.items()})
        yield from x.run()
        found = []
        for path in x.fresh('contabil/comenzi/*'):
            found.append({})
            for root in x.xml(path):
                for o in root:
                    found[-1].setdefault(o.get('numar'), []).append(
                        (o.get('actiune'), o.findtext('Client'),
                         [(i.get('cod'), D(i.get('cantitate')), D(i.get('pret')))
                          for i in o.findall('Produs')]))
        yield from same('orders', want, found)

    def answers(self, x):
        if self.r.randrange(3) == 0 and any(not b[2] for b in
                                            self.bills.values()):
            yield from self.asks(x)
            return
        want = []
        rows = self.some(self.bills, 9) if self.bills else []
        for _ in range(self.r.randrange(3)):
            number, cancels = self.bill()
            if number and not cancels:
                self.rows.append(number)
            if number and (cancels or number) not in rows:
                rows.append(cancels or number)
        if not rows:
            return
        out = []
        for number in rows:
            order, total, void = self.bills[number]
            # The accountant has not looked yet at what the shop wants.
            void = void and not (number in self.asked and self.r.randrange(2))
            out.append([order, 'SMB', number, '03.11.2025', comma(total),
                        'Anulată' if void else 'Emisă'])
            want += self.tells(number, order, total, not void)
        x.next('contabil/facturi/*.csv', text_of(
            'Comanda;Serie;Numar;Data;Total;Stare', out, self.charset))
        yield from x.run()
        found = [(row['comanda'], row['serie'], row['factura'],
                  figure(row['total']), row['actiune'])
                 for path in x.fresh('magazin/facturi/*')
                 for row in x.csv(path, 'utf-8')]
        yield from same('invoices', want, found)

    def tells(self, number, order, total, live):
        was = self.told.get(number)
        action = ('create' if was is None and live else
                  'cancel' if was and was[1] and not live else
                  'create' if was and live and not was[1] else None)
        if action:
            self.told[number] = (total, live)
            yield order, 'SMB', number, total, action

    def asks(self, x):
        """The shop wants one cancelled, and says so twice."""
        number = self.r.choice(sorted(n for n, b in self.bills.items()
                                      if not b[2]))
        self.bills[number][2] = True
        order = self.of(self.bills[number][0])
        order.opened(number)
        self.asked.append(number)
        x.next('magazin/anulari/*.csv', text_of('Serie;Numar;Motiv', [
            ['SMB', n, f'motiv {n}'] for n in self.asked]))
        yield from x.run()
        found = [(row['Serie'], row['Numar'], row['Comanda'], row['Motiv'])
                 for path in x.fresh('contabil/anulari/*')
                 for row in x.csv(path, 'cp1250')]
        yield from same('cancelled', [('SMB', number, self.bills[number][0],
                                       f'motiv {number}')], found)


class Told(Anulate):
    """The same without `changes send`: what changes is told, and not sent."""
    scenario = 'T26'
    changes = 'report'

    def asks(self, x):
        return self.changed(x)

    def tells(self, number, order, total, live):
        if live and number not in self.told:
            self.told[number] = (total, live)
            yield order, 'SMB', number, total, 'create'

    def compare(self, x):
        yield from super().compare(x)
        for number, (order, _, void) in self.bills.items():
            if number not in self.told:
                continue
            status, text = x.kervan('find', 'SMB', number)
            found = status == 0 and f'order     {order}' in text
            yield from same(f'found by {number}', self.of(order).invoice ==
                            number, found)


# ---- documents by condition ------------------------------------------------

class Templates(Orders):
    """A template for each kind of order; any of them is made again."""
    scenario = 'T31'
    open, cancelled = ['Noua', 'Confirmata', 'Platita', 'Platita'], 'Anulata'
    names = ['Ioana Pop', 'Librărie SRL', 'Mihai Stan', 'Ţiglă SRL']
    steps, most = 9, 1
    kinds = {'proforma': 'Client', 'facturi': 'Firma', 'bonuri': 'Client'}

    def change(self, order):
        super().change(order)
        if self.r.randrange(4) == 0:  # another template, perhaps
            order[0] = self.r.choice(self.open)

    def kind(self, order):
        if order[0] == 'Confirmata':
            return 'proforma'
        if order[0] == 'Platita':
            return 'facturi' if 'SRL' in order[1] else 'bonuri'
        return None

    def written(self, key, order):
        return (key, order[1], [(sku, q) for sku, q, _ in order[2]],
                sum(rounded(q * p, 2) for _, q, p in order[2]))

    def read(self, x):
        found = {}
        for kind, name in self.kinds.items():
            for path in x.fresh(f'contabil/documente/{kind}-*'):
                found.setdefault(kind, []).append([
                    (d.findtext('Comanda'), d.findtext(name),
                     [(i.get('cod'), D(i.get('cantitate')))
                      for i in d.findall('Rand')], D(d.findtext('Total')))
                    for root in x.xml(path) for d in root])
        return found

    def step(self, x):
        want, last = {}, {}
        for _ in range(self.r.randrange(1, 3)):
            rows, here = self.export(), {}
            out = [[key, '02.11.2025 09:12', status, name,
                    name if 'SRL' in name else '', 'RO14399840' if 'SRL' in name
                    else '', sku, loose(self.r, q), loose(self.r, p), '21']
                   for key, (status, name, lines) in rows for sku, q, p in lines]
            x.next('magazin/inbox/*.csv', text_of(
                'Comanda;Data;Stare;Client;Firma;CUI;Cod;Cantitate;Pret;TVA;'
                'Email;Telefon;Adresa;Oras;Judet;Produs',
                [row + [''] * 5 + ['Cană'] for row in out]))
            for key, order in rows:
                known = self.known.setdefault(key, Known())
                kind = self.kind(order)
                if kind and known.has is None:
                    known.has = order
                    here.setdefault(kind, []).append(self.written(key, order))
                last[key] = order
            for kind, all_of in here.items():
                want.setdefault(kind, []).append(all_of)
        yield from x.run()
        yield from same('documents', want, self.read(x))
        yield from self.again(x, {key: order for key, order in
                                   last.items() if self.kind(order)})

    def again(self, x, last):
        """Some of them once more, as they stand in the last file."""
        for key in self.some(last, 2) if last else []:
            order = last[key]
            yield from x.well('send', 'order', key)
            yield from x.run()
            yield from same(f'{key} again', {self.kind(order): [[self.written(
                key, order)]]}, self.read(x))

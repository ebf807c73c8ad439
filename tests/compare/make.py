"""Orders and stock as partners send them, good and bad, from a seed."""
import io
import random
import re
from fractions import Fraction

from expect import BASE, COUNTRIES, rounded

# ---- making orders ---------------------------------------------------------

NAMES = ('Jiří Dvořák', 'Žaneta Nováková', 'Győző Kőműves', 'Řeznictví "U Býka"',
         'Ľudovít Šťastný', 'Ştefan Ţurcanu', 'Müller; Söhne', 'A', '-', '=1+1',
         "O'Brien", 'x' * 300, 'ěščřžýáíé' * 9, ' na kraji ', 'a\tb', '„Uvozovky“',
         '10\u00a0000 Kč', '3 € – 5 €', '<b>&amp;</b>', ']]>', 'dva\nřádky',
         'tři\r\nnové\r\nřádky', '0', '00123', 'NO', 'a\u00adb', '""', '"', '\\')
WIDE = ('Ștefan Țurcanu', 'Şükrü Öztürk İğne ıhlamur', '5 m² → 6', '№ 5 ½',
        'a\u2009b\u202fc\u200bd', 'ñ õ û å ø æ', '250 ₺', 'e‑shop −5')
BROKEN = ('smajlík 😀', 'Ελλάδα', 'a\x0bb', 'я')
AMOUNTS = ('1', '2', '3', '1,5', '-1', '0', '0,25', '12', '1,00', '+2', '5,',
           ',5', '2-', ' 3 ', '007', '-0', '')
BAD_AMOUNTS = ('1.5', '1 000,00', '12O', '--1', '1,2,3', ',', 'ks', '1e3',
               '1234567890123456789', '+1-', '0x10', ' ', '990,-')


class Maker:
    def __init__(self, seed, source, wide):
        self.r = random.Random(seed)
        self.source, self.wide = source, wide
        self.faulty = self.r.choice((0, 0.002, 0.02))
        self.n = 0

    def text(self, empty=0.3):
        r = self.r.random()
        if r < empty:
            return ''
        if self.r.random() < self.faulty:
            return self.r.choice([x for x in BROKEN if self.wide or
                                  x.isascii()])
        if self.wide and self.r.random() < 0.3:
            return self.r.choice(WIDE)
        return self.r.choice(NAMES)

    def money(self, empty=0.3):
        if self.r.random() < empty:
            return ''
        if self.r.random() < self.faulty:
            return self.r.choice(BAD_AMOUNTS)
        digits = self.r.choice((0, 1, 2, 2, 2, 3, 4))
        text = rounded(Fraction(self.r.randint(-99999, 9999999), 10 ** digits),
                       digits).replace('.', ',')
        return self.r.choice(('', '', '', '', ' ', '+', '0')) + text \
            if not text.startswith('-') else text

    def amount(self):
        if self.r.random() < self.faulty:
            return self.r.choice(BAD_AMOUNTS)
        return self.r.choice(AMOUNTS)

    def line(self):
        r, bench = self.r, self.source == 'bench'
        row = {'itemName': self.text(0.1), 'itemAmount': self.amount(),
               'itemUnit': r.choice(('ks', 'ks', '', 'balení', 'm' * 20)),
               'itemCode': r.choice(('SKU-1', 'SKU-2/XL', 'kód č. 5', '', '007',
                                     'SHIPPING12', 'BILLING3', 'DISCOUNT',
                                     'COUPON-X', 'GIFT', 'shipping1',
                                     'S' * r.choice((64, 65) if self.source == 'own'
                                                    else (64,)))),
               'itemVariantName': self.text(0.6),
               'itemEan': r.choice(('', '8590000000015', '123', 'x'))}
        if self.wide and r.random() < self.faulty:
            row['itemCode'] = 'cod-ș'
        if row['itemCode'].startswith('BILLING'):
            row['itemName'] = r.choice(('Dobírkou', 'Platba kartou', 'Na dobírku',
                                        'Hotově', 'Bankovním převodem', 'jinak'))
        rate = r.choice(('21', '12', '0', '', '21%', '21,00', '12,0%', '0,00'))
        if r.random() < self.faulty:
            rate = r.choice(('15', '21.0', 'DPH', '-1', '%'))
        if bench:
            row.update(itemPriceWithVat=self.money(),
                       itemPriceWithoutVat=self.money(), itemPriceVatRate=rate)
        else:
            row.update(itemUnitPriceWithVat=self.money(0.4),
                       itemUnitPriceWithoutVat=self.money(0.4),
                       itemVatRate=rate, itemTotalPriceWithVat=self.money(0.5),
                       itemTotalPriceWithoutVat=self.money(0.5))
        return row

    def head(self):
        r, bench = self.r, self.source == 'bench'
        self.n += 1
        row = {'code': r.choice(('2026%04d', 'OBJ/%d', '0%03d', 'č-%d', '"%d"',
                                 'a;%d')) % self.n,
               'date': '20%02d-%02d-%02d %02d:%02d:%02d' % (
                   r.randint(0, 99), r.randint(1, 12), r.randint(1, 28),
                   r.randint(0, 23), r.randint(0, 59), r.randint(0, 59)),
               'currency': r.choice(('CZK', 'CZK', 'EUR', '', 'czk')),
               'email': r.choice(('a@example.cz', '', 'e' * 98, 'nic')),
               'phone': r.choice(('+420777123456', '', '777 123 456', '0' * 41)),
               'statusName': r.choice(('Nevyřízená', 'Stornována', '', 'X'))}
        if r.random() < 0.1:
            row['date'] = r.choice(('2026-03-29 02:30:00', '2024-02-29',
                                    '2026-10-25 02:30:00',
                                    '1900-01-01 00:00:00', '9999-12-31'))
        if r.random() < self.faulty:
            row['date'] = r.choice(('', '2026-02-30 10:00:00', '1.2.2026', 'x',
                                    '2026-01-01 24:00:00', '2026-1-1',
                                    '1899-12-31', '2026-01-01 10:00'))
        if r.random() < self.faulty:
            row['code'] = r.choice(('', 'N' * 33, row['code']))
        if self.wide and r.random() < self.faulty:
            row['code'] += r.choice(('ș', '²'))
        for kind in ('bill',) if bench else ('bill', 'delivery'):
            for name in ('FullName', 'Company', 'Street', 'City', 'Zip'):
                row[kind + name] = self.text()
        if bench:
            row.update(billCountryCode=r.choice(('CZ', 'SK', '', 'Česko')),
                       customerRemark=self.text(),
                       orderPriceWithVat=self.money())
            return row
        for kind in ('bill', 'delivery'):
            row[kind + 'HouseNumber'] = r.choice(('12', '568/10', '', '4a'))
            row[kind + 'CountryName'] = r.choice(list(COUNTRIES))
        row.update(remark=self.text(), shopRemark=self.text(),
                   exchangeRate=r.choice(('', '1', '25,345', '24,1000')),
                   companyId=r.choice(('', '12345678', '27082440', 'x' * 16)),
                   vatId=r.choice(('', 'CZ27082440', 'SK' + '1' * 17)),
                   customerIdentificationNumber='', paid=r.choice(('', '0', '1')),
                   packageNumber='', totalPriceWithVat=self.money(),
                   totalPriceWithoutVat=self.money(),
                   totalPriceVat=self.money(0.7), rounding=self.money(0.9),
                   priceToPay=self.money(0.8))
        return row

    def order(self):
        r, head, rows = self.r, self.head(), []
        style = r.choice(('all', 'all', 'first', 'some'))
        for i in range(r.choice((1, 1, 2, 3, 5))):
            row = dict(head)
            if style == 'first' and i or style == 'some' and r.random() < .5:
                row = {k: '' for k in head}
                row['code'] = head['code']
            row.update(self.line())
            rows.append(row)
        if len(rows) > 1 and r.random() < self.faulty * 5:
            column = r.choice(list(head))
            if column not in ('code', 'billCountryName', 'deliveryCountryName',
                              'paid', 'customerIdentificationNumber'):
                rows[-1][column] = r.choice(('1', '1', head[column]))
        return rows

    def rows(self):
        rows = []
        for _ in range(self.r.choice((1, 5, 40, 150))):
            rows += self.order()
        mix = self.r.random()
        if mix < 0.3:
            self.r.shuffle(rows)
        elif mix < 0.5:
            for i in range(0, len(rows), 10):
                part = rows[i:i + 10]
                self.r.shuffle(part)
                rows[i:i + 10] = part
        return rows

    def csv(self, rows, path):
        """Columns in any order, quotes where they may stand, an empty column
        at the end as Shoptet has it."""
        r, columns = self.r, list(dict.fromkeys(k for x in rows for k in x))
        r.shuffle(columns)
        columns.insert(r.randrange(len(columns)), 'nobody wants this')
        if self.faulty:  # a row that is cut short shall still have its code
            columns.insert(0, columns.pop(columns.index('code')))
        out = io.StringIO(newline='')
        end = r.choice(('\r\n', '\n'))
        tail = r.choice(('', ';'))
        all_quoted = r.random() < 0.5

        def cell(text):
            if all_quoted or r.random() < .1 or re.search('[;"\r\n]', text):
                return '"' + text.replace('"', '""') + '"'
            return text
        for i, row in enumerate([dict(zip(columns, columns))] + rows):
            cells = [cell(row.get(c, 'x')) for c in columns]
            if i and r.random() < self.faulty / 4:
                row['ragged'] = True
                cells = r.choice((cells[:r.randint(1, len(cells) - 2)],
                                  cells + ['1', '2'], cells + ['', '']))
            out.write(';'.join(cells) + tail + end)
        text = out.getvalue()
        if r.random() < 0.2:
            text = text[:-len(end)]
        encoding = 'utf-8' if self.wide else 'cp1250'
        if self.wide and r.random() < 0.3:
            encoding = 'utf-8-sig'
        with open(path, 'wb') as f:
            f.write(text.encode(encoding))


# ---- stock -----------------------------------------------------------------

LIST_STOCK, STOCK = BASE + 'list_stock.xsd', BASE + 'stock.xsd'


def make_stock(maker, path):
    """Items as dicts, and the XML file with them."""
    r, items = maker.r, []
    prefix = r.choice(('', 'q'))  # whoever writes a file chooses its prefixes

    def leaf(name, text, space='stk', more=''):
        if r.random() < 0.05 and text:
            return f'<{prefix}{space}:{name}{more}><![CDATA[' + text.replace(
                ']]>', ']]]]><![CDATA[>') + f']]></{prefix}{space}:{name}>'
        text = text.replace('&', '&amp;').replace('<', '&lt;')
        text = text.replace('>', '&gt;').replace('\r', '&#13;')
        if r.random() < 0.1 and text:
            text = f'&#{ord(text[0])};' + text[1:] if text[0] != '&' else text
        return f'<{prefix}{space}:{name}{more}>{text}</{prefix}{space}:{name}>'

    out = [f'<rsp:responsePack xmlns:rsp="{BASE}response.xsd" state="ok"'
           f' xmlns:{prefix}lStk="{LIST_STOCK}" xmlns:{prefix}stk="{STOCK}"'
           f' xmlns:{prefix}typ="{BASE}type.xsd" note="">'
           f'<{prefix}lStk:listStock>']
    for i in range(r.choice((0, 1, 10, 200))):
        it = {'type': r.choice(('card', 'card', 'card', 'set', '')),
              'code': r.choice((f'SKU-{i}', f' kód {i} ', f'"{i}"', f'a;{i}')),
              'ean': r.choice(('', '8590000000015', 'bad')),
              'name': maker.text(), 'unit': 'ks', 'store': maker.text(0.4)}
        for k in ('count', 'reserved', 'reservation', 'purchase', 'weighted',
                  'price'):
            it[k] = maker.money().replace(',', '.')
        it['vat'] = r.choice(('high', 'low', 'none', ''))
        it['value'] = r.choice(('', '', '21', '12.00'))
        if r.random() < maker.faulty:
            it['code'] = r.choice(('', ' ', '\u00a0', 'ș'))
            if it['code'] == 'ș' and not maker.wide:
                it['code'] = ''
        if r.random() < maker.faulty:
            it['vat'] = 'third'
        for k in it:
            if '\x0b' in it[k]:
                it[k] = ''
        items.append(it)
        more = f' value="{it["value"]}"' if it['value'] else ''
        parts = [leaf('stockType', it['type']), leaf('code', it['code']),
                 leaf('EAN', it['ean']), leaf('name', it['name']),
                 leaf('unit', it['unit']), leaf('count', it['count']),
                 f'<{prefix}stk:storage>' + leaf('ids', it['store'], 'typ') +
                 f'</{prefix}stk:storage>',
                 leaf('countReceivedOrders', it['reserved']),
                 leaf('reservation', it['reservation']),
                 leaf('purchasingPrice', it['purchase']),
                 leaf('weightedPurchasePrice', it['weighted']),
                 leaf('sellingPrice', it['price']),
                 leaf('sellingRateVAT', it['vat'], more=more)]
        r.shuffle(parts)
        blank = r.choice(('', '\n  ', '<!-- -->', '<?a b?>'))
        out.append(f'<{prefix}lStk:stock><{prefix}stk:stockHeader>' + blank +
                   blank.join(parts) +
                   f'</{prefix}stk:stockHeader></{prefix}lStk:stock>')
    out.append(f'</{prefix}lStk:listStock></rsp:responsePack>')
    encoding = 'utf-8' if maker.wide else 'windows-1250'
    with open(path, 'wb') as f:
        f.write((f'<?xml version="1.0" encoding="{encoding}"?>' +
                 '\n'.join(out)).encode(encoding))
    return items

"""What the maps must make of orders and stock, worked out a second time."""
import re
from fractions import Fraction

BASE = 'http://www.stormware.cz/schema/version_2/'


class Fault(Exception):
    """Why a document is set aside: the name of the message."""


# ---- numbers, dates, texts -------------------------------------------------

NUMBER = re.compile(r'([+\u2212-]?)([0-9]*)(?:P([0-9]*))?(-?)')


def number(text, point):
    """The canonical text of a number as a file has it; '' for ''."""
    if text == '':
        return ''
    text = text.strip(' \t\r\n\v\f\u00a0\u202f\u2009')
    m = re.fullmatch(NUMBER.pattern.replace('P', re.escape(point)), text)
    if (not m or not (m[2] or m[3]) or (m[1] and m[4]) or
            text.endswith(point + '-')):  # 990,- is no minus
        raise Fault('number-syntax')
    whole, behind = m[2].lstrip('0') or '0', m[3] or ''
    if len((whole + behind).lstrip('0')) > 18 or len(behind) > 18:
        raise Fault('number-overflow')
    digits = whole + ('.' + behind if behind else '')
    minus = m[1] in ('-', '\u2212') and m[1] or m[4]
    return ('-' if minus and digits.strip('0.') else '') + digits


def percent(text, point):
    if text.strip(' ').endswith('%'):
        text = text.strip(' ')[:-1].rstrip(' ') or '%'
    text = number(text, point)
    return text.rstrip('0').rstrip('.') if '.' in text else text


def rounded(value, digits):
    """Text of a fraction, half away from zero."""
    scaled = abs(value) * 10 ** digits
    units = int(scaled + Fraction(1, 2))
    text = str(units).rjust(digits + 1, '0')
    if digits:
        text = text[:-digits] + '.' + text[-digits:]
    return ('-' if value < 0 and units else '') + text


def unit_price(value):
    """Four digits behind the point, of which two closing zeros may go."""
    text = rounded(value, 4)
    for _ in range(2):
        text = text[:-1] if text.endswith('0') else text
    return text


def date(text):
    """The day of a date, or of a date and time."""
    if text == '':
        return ''
    m = re.fullmatch(r'(\d{4})-(\d\d)-(\d\d)(?: +(\d\d):(\d\d):(\d\d))?',
                     text.strip(' \t\r\n'), re.ASCII)
    if not m:
        raise Fault('date-syntax')
    year, month, day = int(m[1]), int(m[2]), int(m[3])
    leap = year % 4 == 0 and (year % 100 or year % 400 == 0)
    days = (31, 28 + bool(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (1900 <= year <= 9999 and 1 <= month <= 12 and
            1 <= day <= days[month - 1]):
        raise Fault('date-syntax')
    if m[4] and not (int(m[4]) < 24 and int(m[5]) < 60 and int(m[6]) < 60):
        raise Fault('date-syntax')
    return text.strip(' \t\r\n')[:10]


INSTEAD = {  # what stands for a character that windows-1250 lacks
    'ș': 'ş', 'ț': 'ţ', 'Ș': 'Ş', 'Ț': 'Ţ', 'ğ': 'g', 'ı': 'i', 'İ': 'I',
    'Ğ': 'G', '₺': 'TL', '²': '2', 'õ': 'o', 'û': 'u', 'è': 'e', 'ñ': 'n',
    'å': 'a', 'ø': 'o', 'æ': 'ae', '−': '-', '\u2009': ' ', '\u202f': ' ',
    '\u200b': '', 'Ω': None, '№': 'č.', '½': '1/2', '→': '->', '‑': '-',
}


def put(text, is_key=False):
    """A value as windows-1250 shows it."""
    out = ''
    for char in text:
        if char < ' ' and char not in '\t\n\r':
            raise Fault('control-char')
        try:
            char.encode('cp1250')
        except UnicodeEncodeError:
            if is_key:
                raise Fault('unmappable-key') from None
            char = INSTEAD.get(char)
            if char is None:
                raise Fault('unmappable') from None
        out += char
    return out


def width(char):
    """How many characters the receiver sees for it."""
    return 1 if INSTEAD.get(char) is None else len(INSTEAD[char])


COUNTRIES = {
    'Česká republika': 'CZ', 'Česko': 'CZ', 'Slovensko': 'SK', 'sk': 'SK',
    'Slovenská republika': 'SK', 'Maďarsko': 'HU', 'Magyarország': 'HU',
    'Rumunsko': 'RO', 'Türkiye': 'TR', 'Turecko': 'TR', 'CZE': 'CZ',
    'Deutschland': 'DE', 'ČESKO': 'CZ', 'Atlantida': 'Atlantida',
    ' Polsko ': 'PL', '': '',
}
RATES = {'21': 'high', '12': 'low', '0': 'none', '': ''}

# ---- what is made of an order ----------------------------------------------


def single(rows, column):
    """What all rows of the order agree on; empty values do not count."""
    found = {row.get(column, '') for row in rows} - {''}
    if len(found) > 1:
        raise Fault('several-values')
    return found.pop() if found else ''


def joined(rows, sep, *columns):
    """join() over a group: what all rows agree on once, else all of it."""
    parts = []
    for column in columns:
        values = [row.get(column, '') for row in rows if row.get(column, '')]
        parts += values[:1] if len(set(values)) == 1 else values
    return sep.join(parts)


def line_prices(line):
    """Given prices, or what follows from totals, quantity and rate."""
    gross, net = line['gross'], line['net']
    if not gross and not net and line['quantity'].strip('-0.'):
        quantity = Fraction(line['quantity'])
        if line['total_gross']:
            gross = unit_price(Fraction(line['total_gross']) / quantity)
        if line['total_net']:
            net = unit_price(Fraction(line['total_net']) / quantity)
    if net and not gross and line['rate']:
        gross = unit_price(Fraction(net) * (100 + Fraction(line['rate'])) / 100)
    return gross


KINDS = (('SHIPPING', 'shipping'), ('BILLING', 'payment'),
         ('DISCOUNT', 'discount'))
MORE_KINDS = (('COUPON', 'coupon'), ('GIFT', 'gift'))


def kind_of(code, kinds):
    for start, kind in kinds:
        if code.startswith(start):
            return kind
    return 'item'


def read_line(row, source):
    name = {'gross': 'itemUnitPriceWithVat', 'net': 'itemUnitPriceWithoutVat',
            'total_gross': 'itemTotalPriceWithVat',
            'total_net': 'itemTotalPriceWithoutVat', 'rate': 'itemVatRate'}
    if source == 'bench':
        name = {'gross': 'itemPriceWithVat', 'net': 'itemPriceWithoutVat',
                'rate': 'itemPriceVatRate', 'total_gross': '', 'total_net': ''}
    kinds = KINDS + MORE_KINDS if source == 'own' else KINDS
    line = {k: number(row.get(v, ''), ',') for k, v in name.items()
            if k != 'rate'}
    line['rate'] = percent(row.get(name['rate'], ''), ',')
    line['quantity'] = number(row.get('itemAmount', ''), ',')
    line['kind'] = ('item' if source == 'bench' else
                    kind_of(row.get('itemCode', ''), kinds))
    line['sku'] = row.get('itemCode', '')
    line['unit'] = row.get('itemUnit', '')
    line['text'] = ', '.join(x for x in (row.get('itemName', ''),
                                         row.get('itemVariantName', '')) if x)
    line['price'] = line_prices(line)
    return line


def read_address(rows, kind, bench):
    at = {k: single(rows, kind + v) for k, v in
          (('company', 'Company'), ('name', 'FullName'), ('city', 'City'),
           ('zip', 'Zip'))}
    at['street'] = (single(rows, kind + 'Street') if bench else
                    joined(rows, ' ', kind + 'Street', kind + 'HouseNumber'))
    at['country'] = (single(rows, kind + 'CountryCode') if bench else
                     COUNTRIES[single(rows, kind + 'CountryName')])
    return at


def read_order(rows, source):
    """The order by our own cz/shoptet-orders, by the reference's (shared) or
    the benchmark's map (bench)."""
    bench = source == 'bench'
    if any('ragged' in row for row in rows):
        raise Fault('csv-ragged')
    o = {'number': single(rows, 'code')}
    if not o['number'] or not single(rows, 'date'):
        raise Fault('required')
    o['date'] = date(single(rows, 'date'))
    o['currency'] = single(rows, 'currency') or ('' if bench else 'CZK')
    for field, column in (('email', 'email'), ('phone', 'phone')):
        o[field] = single(rows, column)
    o['note'] = single(rows, 'customerRemark' if bench else 'remark')
    o['billing'] = read_address(rows, 'bill', bench)
    for column in ('orderPriceWithVat',) if bench else (
            'totalPriceWithVat', 'totalPriceWithoutVat', 'totalPriceVat',
            'rounding', 'priceToPay'):
        number(single(rows, column), ',')
    single(rows, 'statusName')
    o['delivery'] = o['intnote'] = o['ico'] = o['dic'] = o['rate'] = ''
    o['payment'] = ''
    if not bench:
        o['delivery'] = read_address(rows, 'delivery', False)
        o['intnote'] = single(rows, 'shopRemark')
        o['ico'], o['dic'] = single(rows, 'companyId'), single(rows, 'vatId')
        o['rate'] = number(single(rows, 'exchangeRate'), ',')
        single(rows, 'packageNumber')
        o['payment'] = next((r['itemName'] for r in rows
                             if r.get('itemCode', '').startswith('BILLING') and
                             r.get('itemName', '')), '')
    o['lines'] = [read_line(r, source) for r in rows if bench or
                  r.get('itemName', '') or r.get('itemCode', '')]
    return o


# ---- what is written of it -------------------------------------------------


class Out(list):
    """(path, value) pairs in the order of the file."""

    def add(self, path, value, cut=0, most=0, key=False):
        if most and sum(map(width, value)) > most:
            raise Fault('too-long')
        while cut and sum(map(width, value)) > cut:
            value = value[:-1]
        if value:
            self.append((path, put(value, key)))


def write_address(out, path, at):
    for name, field, cut in (('company', 'company', 255), ('name', 'name', 64),
                             ('city', 'city', 45), ('street', 'street', 64),
                             ('zip', 'zip', 15)):
        out.add(path + 'typ:' + name, at[field], cut)


PAYMENTS = ((r'Dobírk.*', 'delivery'), (r'.*dobírk.*', 'delivery'),
            (r'Hotov.*', 'cash'), (r'.*kart.*', 'creditcard'),
            (r'.*převod.*', 'draft'))


def payment_type(method):
    return next((word for pattern, word in PAYMENTS
                 if re.fullmatch(pattern, method, re.DOTALL)), '')


def write_line(out, o, line, tree, setting):
    path = 'ord:orderDetail/ord:orderItem/'
    out.append(('ord:orderDetail/ord:orderItem', None))
    out.add(path + 'ord:text', line['text'], 90)
    out.add(path + 'ord:quantity', line['quantity'])
    out.add(path + 'ord:unit', line['unit'], 10)
    out.add(path + 'ord:payVAT', 'true')
    if line['rate'] not in RATES:
        raise Fault('table-error')
    out.add(path + 'ord:rateVAT', RATES[line['rate']])
    # Comparing with an empty currency is false both ways.
    if o['currency']:
        kind = 'home' if o['currency'] == 'CZK' else 'foreign'
        out.add(f'{path}ord:{kind}Currency/typ:unitPrice', line['price'])
    out.add(path + 'ord:code', line['sku'], 0 if tree else 64,
            64 if tree else 0, True)
    if line['kind'] == 'item':
        out.add(path + 'ord:stockItem/typ:store/typ:ids', setting['store'])
        out.add(path + 'ord:stockItem/typ:stockItem/typ:ids', line['sku'],
                key=True)


def write_order(o, tree, setting):
    out, head = Out(), 'ord:orderHeader/'
    out.add('@id', o['number'], key=True)
    out.add(head + 'ord:orderType', 'receivedOrder')
    out.add(head + 'ord:numberOrder', o['number'], 0, 32, True)
    out.add(head + 'ord:date', o['date'])
    text = 'Objednávka z e-shopu č. ' if tree else 'E-shop '
    out.add(head + 'ord:text', text + o['number'], 240 if tree else 0)
    who = head + 'ord:partnerIdentity/'
    write_address(out, who + 'typ:address/', o['billing'])
    out.add(who + 'typ:address/typ:ico', o['ico'], 15)
    out.add(who + 'typ:address/typ:dic', o['dic'], 18)
    out.add(who + 'typ:address/typ:country/typ:ids', o['billing']['country'])
    out.add(who + 'typ:address/typ:phone', o['phone'], 40)
    out.add(who + 'typ:address/typ:email', o['email'], 0 if tree else 98,
            98 if tree else 0, True)
    if o['delivery'] and (o['delivery']['name'] or
                          tree and o['delivery']['company']):
        write_address(out, who + 'typ:shipToAddress/', o['delivery'])
    if tree:
        out.add(head + 'ord:paymentType/typ:paymentType',
                payment_type(o['payment']))
    out.add(head + 'ord:isReserved', setting['reserve'])
    out.add(head + 'ord:note', o['note'])
    out.add(head + 'ord:intNote', o['intnote'])
    for line in o['lines']:
        write_line(out, o, line, tree, setting)
    out.add('ord:orderSummary/ord:roundingDocument', 'none')
    if o['currency'] and o['currency'] != 'CZK':
        foreign = 'ord:orderSummary/ord:foreignCurrency/'
        out.add(foreign + 'typ:currency/typ:ids', o['currency'])
        out.add(foreign + 'typ:rate', o['rate'])
        out.add(foreign + 'typ:amount', '1')
    return out


def groups(rows):
    """Rows by code, in the order in which each code comes first."""
    found = {}
    for i, row in enumerate(rows):
        found.setdefault(row['code'] or (i,), []).append(row)
    return found.values()


def expect_orders(rows, source, setting):
    good, bad = [], {}
    for group in groups(rows):
        try:
            good.append(write_order(read_order(group, source),
                                    source == 'own', setting))
        except Fault as fault:
            ragged = all('ragged' in row for row in group)
            who = '' if ragged else group[0]['code']  # nothing of it is read
            bad.setdefault(who, []).append(str(fault))
    return good, bad


# ---- stock -----------------------------------------------------------------

VAT = {'high': '21', 'low': '12', 'none': '0', '': ''}


def shown(text, digits):
    """as "0,00"; empty stays empty."""
    return rounded(Fraction(text), digits).replace('.', ',') if text else ''


def expect_item(it, tree):
    code = it['code'].strip(' \t\r\n\u00a0')
    if not code:
        raise Fault('required')
    reserved, purchase = it['reserved'], it['purchase']
    if tree:
        reserved = it['reservation'] or reserved
        purchase = it['weighted'] or purchase
    count, price = number(it['count'], '.'), number(it['price'], '.')
    reserved, purchase = number(reserved, '.'), number(purchase, '.')
    if not it['value'] and it['vat'] not in VAT:
        raise Fault('table-key')
    rate = percent(it['value'] or VAT[it['vat']], '.')
    free = Fraction(count or 0) - Fraction(reserved or 0)
    if tree and not count:
        free = Fraction(0)
    row = [put(code, True), put(it['ean'], True),
           shown(rounded(max(Fraction(0), free), 6), 0), shown(purchase, 2),
           shown(price, 2)]
    if tree:
        return row + [rate.replace('.', ',')]
    return row[:1] + [put(it['name'])] + row[1:] + [put(it['store'])]


def expect_stock(items, tree):
    good, bad = [], {}
    for it in items:
        if it['type'] not in ('card', ''):
            continue
        try:
            good.append(expect_item(it, tree))
        except Fault as fault:
            bad.setdefault(it['code'], []).append(str(fault))
    return good, bad

"""Orders in are orders out: T1, T16, T18."""
from xml.sax.saxutils import escape

from check import Check, D, add, comma, net, rounded, same, same_keys, table

NAMES = ['Işık Öztürk', 'Gülşen Çiğdem', 'Ömer Faruk Dağ', 'Şule İnce']
WORDS = ['Gömlek', 'İpek "Bursa" kumaş', 'Yün çorap; 38-40', 'Şapka & kemer']


class Proticaret(Check):
    """CSV of a Turkish shop, Logo's XML."""
    scenario = 'T01'
    sent = ('Ödendi', 'Onaylandı')

    def files(self):
        r, rows = self.r, []
        self.orders = {}
        for n in range(r.randrange(1, 40)):
            key = f'WEB-{r.randrange(10)}{n:05}'
            status = r.choice(self.sent + ('Onay Bekliyor', 'İptal Edildi',
                                           'Kargoya Verildi'))
            lines = self.lines()
            if status in self.sent:
                self.orders[key] = lines
            head = {'Sipariş No': key, 'Durum': status, 'Para Birimi': 'TL',
                    'Sipariş Tarihi': f'{r.randrange(1, 29):02}.01.2026 '
                                      f'{r.randrange(24):02}:{r.randrange(60):02}',
                    'Müşteri': r.choice(NAMES), 'İl': 'İstanbul',
                    'Adres': 'Şehit İbrahim Cad. No:7/A', 'Ödendi': 'Evet'}
            for code, q, price, rate in lines:
                rows.append(dict(head, **{
                    'Stok Kodu': code, 'Ürün Adı': r.choice(WORDS),
                    'Adet': comma(q), 'KDV %': rate,
                    'Birim Fiyat (KDV Dahil)': comma(price, '.'),
                    'Tutar': comma(rounded(q * price, 2), '.')}))
        if r.randrange(2):
            r.shuffle(rows)  # rows of an order need not stand together
        columns = list({c: 0 for row in rows for c in row}) + [
            'Firma', 'Vergi No/TCKN', 'Vergi Dairesi', 'E-posta', 'Telefon',
            'İlçe', 'Varyant', 'Birim', 'Ödeme Şekli', 'Kargo', 'Müşteri Notu']
        return {'proticaret/inbox/siparisler-x.csv':
                table(columns, rows, 'cp1254', r, r.randrange(2))}

    def lines(self):
        r = self.r
        out = [(f'KOD-{r.randrange(10**6)}', D(r.choice(['1', '3', '12', '0.75',
                                                         '2.5'])),
                D(r.randrange(100, 2 * 10**6)) / 100,
                r.choice(['1', '10', '20']))
               for _ in range(r.randrange(1, 6))]
        if r.randrange(2):
            out.append(('KARGO', D(1), D('59.90'), '20'))
        if r.randrange(3) == 0:
            out.append(('KAPIDA', D(1), D('25.00'), '20'))
        if r.randrange(3) == 0:
            out.append(('KUPON-' + str(r.randrange(99)), D(1),
                        -D(r.randrange(1, 90)) / 10, '10'))
        return out

    def compare(self, x):
        found = {s.findtext('CUST_ORD_NO'): s
                 for root in x.xml('logo/orders/*.xml') for s in root}
        yield from same_keys('order', self.orders, found)
        for key in set(found) & set(self.orders):
            yield from self.order(key, self.orders[key], found[key])

    @staticmethod
    def order(key, lines, slip):
        gross = vat = D(0)
        want, got = {}, {}
        for code, q, price, rate in lines:
            total = rounded(q * price, 2)
            gross += total
            vat += total - net(total, rate, 2)
            kind = code.split('-')[0]
            add(want, 'discount' if kind == 'KUPON' else rate, q * price)
        for t in slip.find('TRANSACTIONS'):
            if t.findtext('TYPE') == '2':
                add(got, 'discount', -D(t.findtext('TOTAL')))
            else:
                add(got, t.findtext('VAT_RATE'),
                    D(t.findtext('QUANTITY')) * D(t.findtext('PRICE')))
        yield from same(f'{key}, by VAT rate', want, got)
        yield from same(f'{key}, gross', gross, D(slip.findtext('TOTAL_NET')))
        yield from same(f'{key}, VAT', vat, D(slip.findtext('TOTAL_VAT')))


# ---- Hungary ---------------------------------------------------------------

def element(name, text):
    return f'<{name}>{escape(str(text))}</{name}>'


class Unas(Check):
    """XML of UNAS, Naturasoft's XML."""
    scenario = 'T16-shipping'
    codes = {'shipping-cost': 'SZALLITAS', 'handel-cost': 'UTANVET'}

    def items(self, coupon):
        r = self.r
        out = [(str(r.randrange(10**9)), f'CIKK-{r.randrange(10**6)}',
                D(r.choice(['1', '2', '10', '2.5', '0.35'])),
                D(r.randrange(1, 90000)), r.choice(['27%', '18%', '5%', 'AAM']))
               for _ in range(r.randrange(1, 6))]
        out += [(i, i, D(1), D(r.randrange(0, 3000)), '27%')
                for i in ('shipping-cost', 'handel-cost') if r.randrange(2)]
        if coupon or r.randrange(3) == 0:
            out.append(('discount-amount', '', D(1), -D(r.randrange(1, 900)),
                        '27%'))
        return out

    def files(self):
        r, self.orders, text = self.r, {}, ''
        for n in range(r.randrange(1, 30)):
            key = f'{r.randrange(10**5)}-{n}'
            coupon = r.choice(['', 'TÉL2026'])
            items = self.items(coupon)
            total = sum(rounded(q * g, 2) for _, _, q, g, _ in items)
            self.orders[key] = (items, total, coupon)
            text += '<Order>' + element('Key', key) + element(
                'Date', '2026.01.01 02:00:05') + element('Currency', 'HUF')
            text += element('Coupon', coupon) + element('SumPriceGross', total)
            text += ('<Customer><Addresses><Invoice><Name>Őszi Éva</Name>'
                     '</Invoice></Addresses></Customer><Items>')
            for ident, sku, q, gross, vat in items:
                rate = vat.strip('%') if '%' in vat else '0'
                text += '<Item>' + element('Id', ident) + element('Sku', sku)
                text += element('Name', 'Árvíztűrő tükörfúrógép')
                text += element('Quantity', q) + element('PriceGross', gross)
                text += element('PriceNet', net(gross, rate, 4))
                text += element('Vat', vat) + '</Item>'
            text += '</Items></Order>\n'
        return {'unas/orders/x.xml': ('<?xml version="1.0" encoding="UTF-8"?>'
                                      f'<Orders>{text}</Orders>').encode()}

    def compare(self, x):
        found = {m.findtext('azonosito'): m
                 for root in x.xml('naturasoft/import/*.xml') for m in root}
        yield from same_keys('order', self.orders, found)
        for key in set(found) & set(self.orders):
            items, total, coupon = self.orders[key]
            order = found[key]
            yield from same(f'{key}, sum', rounded(total, 0),
                            D(order.findtext('osszesen')))
            yield from same(f'{key}, coupon', coupon,
                            order.findtext('kupon_kod') or '')
            yield from same(f'{key}, lines', [self.line(i, coupon)
                                              for i in items],
                            [self.found(t) for t in order.find('tetelek')])

    def line(self, item, coupon):
        ident, sku, q, gross, vat = item
        code = self.codes.get(ident, sku)
        if ident == 'discount-amount':
            code = 'KUPON' if coupon else 'KEDVEZMENY'
        return (code, q, gross, vat.strip('%'),
                rounded(rounded(q * gross, 2), 0))

    @staticmethod
    def found(t):
        return (t.findtext('cikkszam'), D(t.findtext('mennyiseg')),
                D(t.findtext('brutto_egysegar')), t.findtext('afakulcs'),
                D(t.findtext('osszeg')))


class ShopRenter(Check):
    """XML of ShopRenter, requests for invoices of Számlázz.hu."""
    scenario = 'T18'

    def products(self, digits):
        r = self.r
        for _ in range(r.randrange(1, 7)):
            price = D(r.randrange(1, 10**6)).scaleb(-digits)
            stocks = [r.randrange(0, 4) for _ in range(4)]
            stocks[r.randrange(4)] += 1
            yield (f'CIKK-{r.randrange(10**6)}', price, r.choice(['27', '18',
                                                                  '5']), stocks)

    def files(self):
        r, self.orders, text = self.r, {}, ''
        for n in range(1, r.randrange(2, 20)):
            currency, digits = r.choice([('HUF', 0), ('EUR', 2)])
            products = list(self.products(digits))
            rest = [(t, D(r.randrange(1, 3000)).scaleb(-digits) *
                     (-1 if t == 'COUPON' else 1))
                    for t in ('SHIPPING', 'PAYMENT', 'COUPON') if r.randrange(2)]
            lines = [(code, sum(stocks), price, rate)
                     for code, price, rate, stocks in products]
            lines += [('', D(1), price, '27') for _, price in rest]
            total = sum(q * p for _, q, p, _ in lines)
            self.orders[str(n)] = (lines, total, digits)
            text += '<item>' + element('innerId', n) + element(
                'dateCreated', '2026-01-01T01:10:00') + element('total', total)
            text += element('shippingMethodTaxRate', '27.0000') + element(
                'paymentMethodTaxRate', '27.0000') + element(
                'couponTaxRate', '27.0000') + element('value', '1.00000000')
            text += '<paymentFirstname>\n <![CDATA[Őszi]]>\n</paymentFirstname>'
            text += ('<orderStatus><href>x</href></orderStatus><currency>'
                     f'<code>{currency}</code></currency>')
            for kind, value in rest:
                text += '<orderTotals>' + element('type', kind) + element(
                    'value', f'{value:.4f}') + '<name>x</name></orderTotals>'
            for code, price, rate, stocks in products:
                text += '<orderProducts>' + element('sku', code) + element(
                    'name', 'Póló') + element('taxRate', rate + '.0000')
                text += element('price', net(price, rate, 4)) + element(
                    'grossPriceCurrency', f'{price:.4f}')
                text += ''.join(element(f'stock{i + 1}', s)
                                for i, s in enumerate(stocks))
                text += '</orderProducts>'
            text += '</item>\n'
        return {'shoprenter/orders/x.xml':
                f'<response><items>{text}</items></response>'.encode()}

    def compare(self, x):
        found = {i.findtext('fejlec/rendelesSzam'): i
                 for i in x.xml('szamlazz/in/*.xml')}
        yield from same_keys('order', self.orders, found)
        for key in set(found) & set(self.orders):
            yield from self.order(key, *self.orders[key],
                                  found[key].find('tetelek'))

    @staticmethod
    def order(key, lines, total, digits, items):
        want, got = {}, {}
        yield from same(f'{key}, lines', len(lines), len(items))
        for (code, q, price, rate), item in zip(lines, items):
            names = 'mennyiseg', 'nettoErtek', 'afaErtek', 'bruttoErtek'
            amount, base, vat, gross = (D(item.findtext(n)) for n in names)
            yield from same(f'{key} {code}', (code, q, rate, q * price),
                            (item.findtext('azonosito') or '', amount,
                             item.findtext('afakulcs'), gross))
            yield from same(f'{key} {code}, net and VAT', gross, base + vat)
            yield from same(f'{key} {code}, net', net(q * price, rate, digits),
                            base)
            add(want, rate, q * price)
            add(got, item.findtext('afakulcs'), gross)
        yield from same(f'{key}, by VAT rate', want, got)
        yield from same(f'{key}, total', total, sum(got.values()))

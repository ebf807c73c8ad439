"""Balances: T5."""
import os

from check import Check, D, comma, number, same, same_keys, table

KINDS = [('Satış Faturası', 'Borç'), ('Gelen Havale', 'Alacak'),
         ('Kredi Kartı Fişi', 'Alacak'), ('İade Faturası', 'Alacak')]


class Statements(Check):
    """Movements of many customers, a statement for each."""
    scenario = 'T05'

    def files(self):
        r, rows, self.accounts = self.r, [], {}
        for n in range(r.randrange(1, 30)):
            code = f'120.{r.randrange(1, 9):02}.{n:06}'
            for currency in r.choice([['TL'], ['TL', 'EURO'], ['USD']]):
                rows.append(self.account(code, currency))
        # Accounts are mixed; the movements of each keep their order.
        mixed = []
        while rows:
            one = r.choice(rows)
            mixed.append(one.pop(0))
            rows = [x for x in rows if x]
        columns = ['Cari Kodu', 'Ünvan', 'Adı Soyadı', 'E-posta', 'Tarih',
                   'Vade', 'Fiş Türü', 'Belge No', 'Açıklama', 'Borç',
                   'Alacak', 'Bakiye', 'B/A', 'Döviz']
        return {'logo/inbox/cari-ekstre-x.csv':
                table(columns, mixed, 'cp1254', r, r.randrange(2))}

    def account(self, code, currency):
        r = self.r
        balance = first = D(r.randrange(-10**7, 10**7)) / 100
        name = r.choice([('ÇĞİÖŞÜ Tekstil A.Ş.', ''), ('', 'Işık Öztürk')])
        head = {'Cari Kodu': code, 'Ünvan': name[0], 'Adı Soyadı': name[1],
                'Döviz': currency}
        entries = []
        rows = [dict(head, Tarih='01.01.2026', Açıklama='Devir',
                     **self.figures(balance), **{'Fiş Türü': 'Devir'})]
        for n in range(r.randrange(0, 12)):
            kind, side = r.choice(KINDS)
            amount = D(r.randrange(1, 10**7)) / 100
            balance += amount if side == 'Borç' else -amount
            rows.append(dict(head, **self.figures(balance), **{
                'Tarih': f'{n + 2:02}.01.2026', 'Fiş Türü': kind,
                'Belge No': f'B-{r.randrange(10**6)}',
                'Açıklama': r.choice(['', 'Sipariş; WEB-1', '-']),
                side: comma(amount, '.')}))
            entries.append((rows[-1]['Belge No'], side, amount, balance))
        self.accounts[code, {'TL': 'TRY', 'EURO': 'EUR'}.get(
            currency, currency)] = (name[0] or name[1], first, entries)
        return rows

    @staticmethod
    def figures(balance):
        return {'Bakiye': comma(abs(balance), '.'),
                'B/A': 'A' if balance < 0 else 'B'}

    @staticmethod
    def signed(row):
        return number(row['Bakiye']) * (-1 if row['B/A'] == 'A' else 1)

    def compare(self, x):
        found = {}
        for path in x.files('proticaret/ekstre/*'):
            name = os.path.basename(path)
            for row in x.csv('proticaret/ekstre/' + name, 'cp1254'):
                yield from same(f'{name}, customer', name,
                                f'ekstre-{row["Cari Kodu"]}.csv')
                found.setdefault((row['Cari Kodu'], row['Döviz']),
                                 []).append(row)
        yield from same_keys('account', self.accounts, found)
        for key in set(found) & set(self.accounts):
            yield from self.account_of(key, *self.accounts[key], found[key])

    def account_of(self, key, name, opening, entries, rows):
        yield from same(f'{key}, name', {name}, {r['Müşteri'] for r in rows})
        yield from same(f'{key}, opening', opening, self.signed(rows[0]))
        running, got = self.signed(rows[0]), []
        for row in rows[1:]:
            debit, credit = (number(row[c] or '0') for c in ('Borç', 'Alacak'))
            running += debit - credit
            yield from same(f'{key} {row["Belge No"]}, balance', running,
                            self.signed(row))
            got.append((row['Belge No'], 'Borç' if debit else 'Alacak',
                        debit + credit, self.signed(row)))
        yield from same(f'{key}, movements', entries, got)

"""What checks of scenarios share; see compare."""
import csv
import glob
import io
import os
import random
import shutil
import subprocess
import xml.etree.ElementTree as ET
from decimal import ROUND_HALF_UP, Decimal

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))


class Check:
    """One kind of files of one scenario. A subclass has

    scenario    T05 or more of its name
    files()     {path below out/: bytes} that are dropped
    compare(x)  yields what is wrong in the Exchange x, as text
    """
    scenario = ''

    def __init__(self, seed):
        self.r = random.Random(f'{type(self).__name__} {seed}')


class Sequence(Check):
    """Files one after the other, and some together: the past counts. A subclass
    has step(x), which drops some and yields what is wrong afterwards."""
    steps = 5

    def files(self):
        return {}

    def some(self, keys, most):
        """A few of them, never none, in any order."""
        keys = sorted(keys)
        return self.r.sample(keys, min(len(keys), self.r.randrange(1, most + 1)))

    def compare(self, x):
        for n in range(1, self.steps + 1):
            wrong = list(self.step(x))
            yield from (f'step {n}: {line}' for line in wrong)
            if wrong:  # what follows from it says nothing new
                return
        yield from x.audit()


def checks(above=Check):
    """All of them, in the order of their scenarios."""
    found = [c for c in above.__subclasses__() if c.scenario]
    for c in above.__subclasses__():
        found += checks(c)
    return sorted(found, key=lambda c: (c.scenario, c.__name__))


# ---- the exchange ----------------------------------------------------------

class Exchange:
    """A copy of a scenario's configuration and maps, with empty folders."""

    def __init__(self, scenario, program, folder):
        found, = glob.glob(os.path.join(HERE, scenario + '*'))
        self.program, self.folder = program, os.path.join(folder, 'x')
        self.seen, self.dropped = set(), 0
        shutil.copytree(found, self.folder, ignore=shutil.ignore_patterns(
            'cmd', 'exp', 'expout', 'experr', 'needs'))
        if os.path.exists(os.path.join(found, 'needs')):
            with open(os.path.join(found, 'needs'), encoding='utf-8') as f:
                for path in f.read().split():
                    if path.startswith('tests/'):
                        shutil.copy(os.path.join(REPO, path), self.folder)
        partners, partner = {}, ''
        with open(self.path('kervan.conf'), encoding='utf-8') as f:
            words = [line.split('#')[0].replace('"', '').split() for line in f]
        for word in filter(None, words):
            if word[0] == 'partner':
                partner = word[1]
            elif word[0] == 'folder':
                partners[partner] = word[1]
            elif word[0] == 'from':
                self.make(partners[word[1]], os.path.dirname(word[2]))
            elif word[0] == 'to':
                self.make(partners[word[1]], word[2])
            elif word[:3] == ['also', 'reply', 'to']:
                self.make(partners[word[3]], 'outbox' if word[4] == 'with'
                          else word[4])

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make(self, *names):
        os.makedirs(self.path(*names), exist_ok=True)

    def drop(self, path, data):
        with open(self.path('out', path), 'wb') as f:
            f.write(data)

    def next(self, pattern, data):
        """Drops a file under a name, and of a time, behind those before."""
        self.dropped += 1
        path = pattern.replace('*', f'{self.dropped:03}')
        self.drop(path, data)
        when = 10**9 + self.dropped
        os.utime(self.path('out', path), (when, when))

    def kervan(self, *words):
        """Its exit status, and what it says."""
        env = {k: v for k, v in os.environ.items()
               if k in ('PATH', 'LOCPATH', 'TMPDIR', 'ASAN_OPTIONS')}
        env.update(LC_ALL='C', TZ='UTC',
                   KERVAN_MAPPINGS=os.path.join(REPO, 'mappings'))
        p = subprocess.run([self.program, *words], cwd=self.folder, env=env,
                           timeout=60, check=False, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        return p.returncode, p.stdout.decode('utf-8', 'replace')

    def well(self, *words):
        status, text = self.kervan(*words)
        if status:
            yield f'{" ".join(words)}: status {status}'
            yield from text.splitlines()

    def audit(self):
        yield from self.well('audit')

    def once(self, *routes):
        """Everything goes through, and nothing comes back."""
        yield from self.run(*routes)
        yield from self.audit()

    def run(self, *routes):
        """The same, in the middle of a sequence."""
        yield from self.well('once', *routes)
        for path in self.files('*/rejected/*') + self.files('*/*/rejected/*'):
            yield f'came back: {os.path.basename(path)}'

    def fresh(self, pattern):
        """The files that fit and were not there the last time."""
        found = [p for p in self.files(pattern) if p not in self.seen]
        self.seen.update(found)
        return [p[len(self.path('out')) + 1:] for p in found]

    def files(self, pattern):
        return sorted(glob.glob(self.path('out', pattern)))

    def xml(self, pattern):
        """The roots of the files that fit, without namespaces."""
        for path in self.files(pattern):
            root = ET.parse(path).getroot()
            for e in root.iter():
                e.tag = e.tag.split('}')[-1]
            yield root

    def csv(self, pattern, charset, delimiter=';'):
        """Their rows, as dictionaries."""
        for path in self.files(pattern):
            with open(path, encoding=charset, newline='') as f:
                yield from csv.DictReader(f, delimiter=delimiter, strict=True)


# ---- numbers and files -----------------------------------------------------

D = Decimal


def rounded(x, digits):
    """Half away from zero, as shops and accountants do."""
    return D(x).quantize(D(1).scaleb(-digits), ROUND_HALF_UP)


def net(gross, rate, digits):
    return rounded(gross * 100 / (100 + D(rate)), digits)


def comma(x, thousands=''):
    """1234.5 as 1.234,5"""
    whole, _, rest = str(abs(x)).partition('.')
    groups = []
    while len(whole) > 3:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    return (('-' if x < 0 else '') + thousands.join([whole] + groups) +
            (',' + rest if rest else ''))


def number(text):
    """1.234,50 as people write it, or 1234.50 as machines do."""
    if ',' in text:
        text = text.replace('.', '').replace(',', '.')
    return D(text)


def table(columns, rows, charset, r, quote_all=False):
    """A CSV; columns stand anywhere, and there is one more than is known."""
    columns = list(columns) + ['Diğer' if '125' in charset else 'x']
    r.shuffle(columns)
    out = io.StringIO()
    w = csv.writer(out, delimiter=';', lineterminator=r.choice(['\n', '\r\n']),
                   quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    w.writerow(columns)
    for row in rows:
        w.writerow([row.get(c, '') for c in columns])
    return out.getvalue().encode(charset, 'replace')


def same(what, want, found):
    """Yields nothing when they are equal; of tables what differs."""
    if want != found and isinstance(want, dict) and isinstance(found, dict):
        for key in sorted(set(want) | set(found), key=str):
            yield from same(f'{what}, {key}', want.get(key), found.get(key))
    elif want != found:
        yield f'{what}: expected {want}, found {found}'


def same_keys(what, want, found):
    for key in sorted(set(want) - set(found)):
        yield f'{what} {key} is missing'
    for key in sorted(set(found) - set(want)):
        yield f'{what} {key} was never there'


def add(sums, key, x):
    sums[key] = sums.get(key, D(0)) + x

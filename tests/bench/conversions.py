"""Workloads that convert one file: beside the parser's floor and rivals.

Beside the floor, and where one workload is measured by another, all runs are of
the full size. Rivals are slow, so the pairs with them are of a fifth of it;
their seconds and memory in the table are from one run of the full size.
xsltproc is not: it takes more for each card, the more there are.
"""
import csv
import json
import os
import subprocess

import generate
import measure

HERE = os.path.dirname(os.path.abspath(__file__))
FIFTH = 0.2
SAMPLE = 0.004  # of a file, for comparing results

# Nothing here is about limits: eight times the size passes the usual ones.
NO_LIMITS = [word for limit in (
    "input=64G", "output=64G", "records=1000000000", "zip-entry=64G",
    "zip-total=64G", "zip-ratio=10000", "zip-ratio-all=10000", "cpu=7200",
    "wall=7200") for word in ("--limit", limit)]

# Debian's, for that is the one that python3-lxml belongs to.
PYTHON = "/usr/bin/python3"


def script(name, *args):
    return [PYTHON, os.path.join(HERE, "rivals", name), *args]


# ---- what is compared -----------------------------------------------------------

def as_lines(data):
    """XML without its indentation."""
    return b"".join(line.strip() for line in data.splitlines())


def as_is(data):
    return data


def same_fields(json_text, path):
    """Every field of the CSV is in the JSON as it was."""
    got = json.loads(json_text.decode("cp1250"), parse_int=str, parse_float=str)
    with open(path, encoding="cp1250", newline="") as f:
        return got == list(csv.DictReader(f, delimiter=";"))


class Rival:
    def __init__(self, name, package, argv, plain=None, cpu=None, share=FIFTH):
        self.name = name
        self.package = package
        self.argv = argv      # of a path
        self.plain = plain    # makes its output comparable; None: same_fields()
        self.cpu = cpu        # kervan shall take so many times less
        self.share = share    # of the full size, in the pairs with it


def have(program):
    return any(os.access(os.path.join(d, program), os.X_OK)
               for d in ("/usr/bin", "/bin"))


def have_lxml():
    return have("python3") and subprocess.run(
        [PYTHON, "-c", "import lxml.etree"], capture_output=True).returncode == 0


class Conversion:
    """One workload; `size` is what the generator is asked for."""
    floor = None          # arguments of the floor program, before and after FILE
    floor_name = None
    cpu = wall = None     # at most so many times the floor's
    rivals = ()
    beside = None         # another workload that it is measured by
    beside_wall = None    # at most so many times its time
    memory = 32           # MB, at any size
    steady = 3            # MB, from the smallest to the largest
    plain = staticmethod(as_is)

    def make(self, bench, share):
        """The file of a share of the full size: (path, facts)."""
        size = max(20, round(self.size * bench.scale * share))
        path = f"{bench.data}/{self.stem}-{size}.{self.ending}"
        return path, generate.kept(path, self.generator, size)

    def enlarged(self, bench, path, times):
        """`times` the full size, at `path`."""
        src, facts = self.make(bench, 1)
        return generate.enlarge(src, path, times, facts, self.mark)

    def kervan(self, bench, path):
        return [bench.kervan, "convert", *self.maps, *NO_LIMITS, path]


class Orders(Conversion):
    n, title = 1, "(1) orders, CSV to XML"
    stem, ending, size = "orders", "csv", 1000000
    generator, mark = staticmethod(generate.orders), generate.ORDER_MARK
    maps = ["--read", os.path.join(HERE, "maps/orders.map"),
            "--write", "cz/pohoda-orders", "--set", "ico=12345678"]
    floor, floor_name = ("csv",), "libcsv"
    cpu, wall = 3.5, 2
    plain = staticmethod(as_lines)
    rivals = (
        Rival("mlr to JSON", lambda: have("mlr") or "miller",
              lambda path: ["/usr/bin/mlr", "--icsv", "--ifs", ";", "--ojson",
                            "cat", path], None, 6),
        Rival("python", lambda: have("python3") or "python3",
              lambda path: script("orders_python.py", path), as_lines, 4))

    def count(self, facts):
        return b"<dat:dataPackItem ", facts["records"]


class Stock(Conversion):
    n, title = 2, "(2) stock, XML to CSV"
    stem, ending, size = "stock", "xml", 300000
    generator, mark = staticmethod(generate.stock), generate.STOCK_MARK
    maps = ["--read", "cz/pohoda-stock", "--write", "cz/shoptet-stock"]
    floor, floor_name = ("sax", "WINDOWS-1250"), "SAX2"
    cpu, wall = 1.6, 1.4
    rivals = (
        Rival("xsltproc", lambda: have("xsltproc") or "xsltproc",
              lambda path: ["/usr/bin/xsltproc",
                            os.path.join(HERE, "rivals/stock.xsl"), path],
              as_is, 5, share=1),
        Rival("lxml", lambda: have_lxml() or "python3-lxml",
              lambda path: script("stock_lxml.py", path), as_is, 7))

    def count(self, facts):
        return b"\r\n", facts["records"] + 1


class Products(Conversion):
    n, title = 3, "(3) products, XML to CSV"
    stem, ending, size = "products", "xml", 100000
    generator, mark = staticmethod(generate.products), generate.PRODUCT_MARK
    maps = ["--read", os.path.join(HERE, "maps/products-read.map"),
            "--write", os.path.join(HERE, "maps/products-write.map")]
    floor, floor_name = ("sax",), "SAX2"
    rivals = (
        Rival("python", lambda: have("python3") or "python3",
              lambda path: script("products_python.py", path), as_is),)

    def count(self, facts):
        return b"\r\n", facts["rows"] + 1


class Scattered(Orders):
    n, title = 4, "(4) orders, rows scattered"
    stem = "scattered"
    floor, cpu, wall, rivals = None, None, None, ()
    beside, beside_wall = Orders, 2.5
    memory, steady = 256, None

    def make(self, bench, share):
        src, facts = Orders().make(bench, share)
        path = src.replace("orders-", "scattered-")
        generate.kept(path, lambda dst: generate.scatter(src, dst))
        return path, facts

    def enlarged(self, bench, path, times):
        ordered = path + ".ordered"
        facts = Orders().enlarged(bench, ordered, times)
        generate.scatter(ordered, path)
        os.unlink(ordered)
        return facts


class Zip(Stock):
    n, title = 7, "(7) the stock in a ZIP"
    ending = "zip"
    floor, cpu, wall, rivals = None, None, None, ()
    beside = Stock

    def make(self, bench, share):
        src, facts = Stock().make(bench, share)
        path = src.replace(".xml", ".zip")
        generate.kept(path, lambda dst: generate.zipped(src, dst))
        return path, facts

    def enlarged(self, bench, path, times):
        plain = path.replace(".zip", ".xml")
        facts = Stock().enlarged(bench, plain, times)
        generate.zipped(plain, path)
        os.unlink(plain)
        return facts


ALL = (Orders, Stock, Products, Scattered, Zip)


# ---- is the result right? --------------------------------------------------------

def output_of(argv, env):
    p = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL,
                       capture_output=True)
    if p.returncode != 0:
        raise measure.Failed(p.stderr.decode(errors="replace"))
    return p.stdout


def occurrences(argv, env, what):
    """How often a text is in a program's output; that may be large."""
    n, rest = 0, b""
    p = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while chunk := p.stdout.read(1 << 20):
        chunk = rest + chunk
        n += chunk.count(what)
        rest = chunk[-(len(what) - 1):]
    p.stdout.close()
    return n if p.wait() == 0 else -1


def check_results(bench, report, w, present):
    """Rivals on a small file, the number of records on the full one."""
    path, facts = w.make(bench, SAMPLE / bench.scale)
    ours = output_of(w.kervan(bench, path), bench.env)
    for rival in present:
        theirs = output_of(rival.argv(path), bench.env)
        same = same_fields(theirs, path) if rival.plain is None \
            else rival.plain(theirs) == rival.plain(ours)
        report.check(f"{w.title}: {rival.name} gives the same", same,
                     f"results of {path} differ")
    if w.beside:
        other = w.beside()
        path, _ = other.make(bench, SAMPLE / bench.scale)
        theirs = output_of(other.kervan(bench, path), bench.env)
        report.check(f"{w.title}: the same as {other.title}",
                     sorted(ours.splitlines()) == sorted(theirs.splitlines()),
                     f"results of {path} differ")
    path, facts = w.make(bench, 1)
    text, expected = w.count(facts)
    n = occurrences(w.kervan(bench, path), bench.env, text)
    report.check(f"{w.title}: all records are there", n == expected,
                 f"{n} times {text!r} instead of {expected}")


# ---- measuring ------------------------------------------------------------------

def ratios(over, under):
    return [measure.ratio(over, under, what) for what in ("cpu", "wall")]


def times(runs):
    return measure.median(runs, "cpu"), measure.median(runs, "wall")


def beside_the_floor(bench, report, w):
    """Full size; also a workload that is measured by another one."""
    path, facts = w.make(bench, 1)
    mb = os.path.getsize(path) / 1e6
    commands = {"kervan": w.kervan(bench, path)}
    if w.floor:
        commands["floor"] = [bench.floor, w.floor[0], path, *w.floor[1:]]
    if w.beside:
        other = w.beside()
        commands["beside"] = other.kervan(bench, other.make(bench, 1)[0])
    taken = measure.in_turn(commands, bench.pairs, bench.env)
    ours = taken["kervan"]
    memory = measure.peak_mb(commands["kervan"], bench.env)
    report.row(w.title, "**kervan**", mb, times(ours), memory)
    if w.floor:
        r = ratios(ours, taken["floor"])
        floor_memory = measure.peak_mb(commands["floor"], bench.env)
        report.row("", f"floor: {w.floor_name}", mb, times(taken["floor"]),
                   floor_memory, r)
        if w.cpu:
            report.aim(f"{w.title}: CPU, kervan / {w.floor_name}", r[0][0],
                       most=w.cpu)
            report.aim(f"{w.title}: wall time, kervan / {w.floor_name}", r[1][0],
                       most=w.wall)
    if w.beside:
        r = ratios(ours, taken["beside"])
        report.row("", f"kervan, {other.title}",
                   os.path.getsize(commands["beside"][-1]) / 1e6,
                   times(taken["beside"]), None, r)
        if w.beside_wall:
            report.aim(f"{w.title}: wall time, this / ({other.n})", r[1][0],
                       most=w.beside_wall)
    return memory


def beside_rivals(bench, report, w, present):
    for rival in w.rivals:
        if rival not in present:
            report.missing(w.title, rival.name, f"install {rival.package()}")
    for share in sorted({r.share for r in present}, reverse=True):
        these = [r for r in present if r.share == share]
        path, _ = w.make(bench, share)
        taken = measure.in_turn(
            {"kervan": w.kervan(bench, path),
             **{r.name: r.argv(path) for r in these}}, bench.pairs, bench.env)
        rows_of_rivals(bench, report, w, these, taken)


def rows_of_rivals(bench, report, w, these, taken):
    path, _ = w.make(bench, 1)
    mb = os.path.getsize(path) / 1e6
    for rival in these:
        full = taken[rival.name] if rival.share == 1 \
            else [measure.timed(rival.argv(path), bench.env)]
        memory = measure.peak_mb(rival.argv(path), bench.env)
        r = ratios(taken[rival.name], taken["kervan"])
        report.row("", rival.name, mb, times(full), memory, r)
        if rival.cpu:
            report.aim(f"{w.title}: CPU, {rival.name} / kervan", r[0][0],
                       least=rival.cpu)


def growth(bench, report, w, memory):
    """One run for the time and one for the memory at each size."""
    seen = [memory]
    factor = 1
    while factor <= bench.growth:
        if factor == 1:
            path, _ = w.make(bench, 1)
        else:
            path = f"{bench.data}/large-{w.stem}.{w.ending}"
            w.enlarged(bench, path, factor)
        argv = w.kervan(bench, path)
        took = measure.timed(argv, bench.env)
        seen.append(measure.peak_mb(argv, bench.env))
        report.grown(w.title, factor, os.path.getsize(path) / 1e6, took, seen[-1])
        if factor > 1:
            os.unlink(path)
        factor *= 2
    report.aim(f"{w.title}: memory, up to {bench.growth}x", max(seen),
               " MB", most=w.memory)
    if w.steady:
        report.aim(f"{w.title}: difference of memory, 1x to {bench.growth}x",
                   max(seen) - min(seen), " MB", most=w.steady)


def run(bench, report, w):
    bench.say(f"{w.title}: making its files")
    w.make(bench, 1)
    present = [r for r in w.rivals if r.package() is True]
    bench.say(f"{w.title}: looking at results")
    check_results(bench, report, w, present)
    bench.say(f"{w.title}: {bench.pairs} pairs")
    memory = beside_the_floor(bench, report, w)
    beside_rivals(bench, report, w, present)
    bench.say(f"{w.title}: growth")
    growth(bench, report, w, memory)

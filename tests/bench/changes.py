"""Workload (6): stock through a route with `only changes`, beside the same route
without it, and beside the plain conversion."""
import os
import shutil

import conversions
import generate
import measure

HERE = os.path.dirname(os.path.abspath(__file__))
CONF = """spool spool

partner pohoda
  folder pohoda
  country cz

partner eshop
  folder eshop
  country cz

route stock
  from pohoda "out/*.xml"
  read cz/pohoda-stock
  write {here}/maps/stock.map
  to eshop in
"""


class Exchange:
    """Folders of an ERP and a shop, and a route between them."""

    def __init__(self, bench, rule=""):
        self.bench = bench
        self.dir = os.path.join(bench.data, "exchange")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(f"{self.dir}/pohoda/out")
        os.makedirs(f"{self.dir}/eshop/in")
        with open(f"{self.dir}/kervan.conf", "w") as f:
            f.write(CONF.format(here=HERE) + rule)

    def run(self, path, run=measure.timed):
        """Carries a file; what it took, and how many records were delivered."""
        shutil.copy(path, f"{self.dir}/pohoda/out/stock.xml")
        os.sync()
        took = run([self.bench.kervan, "once"], self.bench.env, cwd=self.dir)
        n = 0
        for name in os.listdir(f"{self.dir}/eshop/in"):
            with open(f"{self.dir}/eshop/in/{name}", "rb") as f:
                n += sum(1 for _ in f) - 1
            os.unlink(f"{self.dir}/eshop/in/{name}")
        return took, n

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def look(report, title, what, n, wanted):
    report.check(f"{title}: {what}", n == wanted,
                 f"{n} records delivered instead of {wanted}")


def pair(bench, report, files, facts, taken, first):
    """One run of each; the results are looked at in the first pair."""
    title = only_changes.title
    a, b = files
    whole = facts["records"]
    runs = {}
    x = Exchange(bench)
    runs["plain"] = x.run(a)
    runs["again"] = x.run(b)
    x.close()
    x = Exchange(bench, "  only changes\n")
    runs["first"] = x.run(a)
    runs["later"] = x.run(b)
    if first:
        look(report, title, "nothing changed, nothing sent", x.run(b)[1], 0)
    x.close()
    convert = [bench.kervan, "convert", "--read", "cz/pohoda-stock", "--write",
               f"{HERE}/maps/stock.map", *conversions.NO_LIMITS, a]
    taken.setdefault("convert", []).append(measure.timed(convert, bench.env))
    for name, (took, n) in runs.items():
        taken.setdefault(name, []).append(took)
        if first:
            look(report, title, f"what is wanted comes, {name}", n,
                 facts["changed"] if name == "later" else whole)


def memory(bench, files):
    """Of the run that sends everything, and of the one that sends changes."""
    x = Exchange(bench, "  only changes\n")
    peaks = [x.run(path, measure.peak_mb)[0] for path in files]
    x.close()
    return peaks


# A run with the rule, beside the same one without it: the first file of a spool,
# and the second, which is another one in a hundred.
BESIDE = {"first": ("all is new", "plain"), "later": ("1 % changed", "again")}


def rows(report, mb, taken, peaks):
    for name, peak in zip(BESIDE, peaks):
        told, plain = BESIDE[name]
        report.row("" if name == "later" else only_changes.title,
                   f"**kervan once**, {told}", mb,
                   conversions.times(taken[name]), peak,
                   conversions.ratios(taken[name], taken[plain]))
        report.row("", "without the rule", mb, conversions.times(taken[plain]))
    report.row("", "kervan convert", mb, conversions.times(taken["convert"]))


def only_changes(bench, report):
    title = only_changes.title
    a, _ = conversions.Stock().make(bench, 1)
    b = a.replace(".xml", "-changed.xml")
    changed = generate.kept(b, lambda dst: generate.changed_stock(a, dst))
    facts = {**conversions.Stock().make(bench, 1)[1],
             "changed": changed["changed"]}
    taken = {}
    for i in range(bench.pairs):
        pair(bench, report, (a, b), facts, taken, i == 0)
    rows(report, os.path.getsize(a) / 1e6, taken, memory(bench, (a, b)))
    for name, (told, plain) in BESIDE.items():
        for what, what_told in (("cpu", "CPU"), ("wall", "wall time")):
            report.aim(f"{title}: {what_told}, {told} / without the rule",
                       measure.ratio(taken[name], taken[plain], what)[0],
                       most=2)


only_changes.title = "(6) stock, `only changes`"

ALL = {6: only_changes}

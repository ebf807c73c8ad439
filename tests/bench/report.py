"""Collects what was measured and prints it as Markdown."""
import os
import platform
import subprocess
import time


def figure(x):
    """Three digits that count, or all before the point."""
    if x is None:
        return ""
    digits = 0 if abs(x) >= 100 else 1 if abs(x) >= 10 else 2
    return f"{x:,.{digits}f}"


def table(head, rows):
    """Markdown; columns of numbers stand right."""
    out = ["| " + " | ".join(head) + " |",
           "|" + "|".join("---" if h in ("", "what", "aim", "who") else "--:"
                          for h in head) + "|"]
    out += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(out)


RATIOS = """A ratio beside a floor or another workload says how many times more
kervan takes on this one; beside a rival, how many times more the rival takes
than kervan."""


class Report:
    """`what` begins with the number of the workload."""

    def __init__(self):
        self.rows = []
        self.aims = []
        self.growing = []
        self.facts = []
        self.checks = []
        self.skipped = []
        self.missed = 0

    def row(self, what, who, mb=None, took=None, memory=None, ratios=None):
        """Of one program on one file; took: (CPU, wall) in seconds, ratios:
        of CPU and of wall time, each (median, least, most)."""
        cpu, wall = took or (None, None)
        rate = mb / wall if took else None
        told = ["", ""]
        if ratios:
            told = [f"{m:.2f} ({low:.2f}-{high:.2f})" for m, low, high in ratios]
        self.rows.append([what, who, figure(mb), figure(cpu), figure(wall),
                          figure(rate), figure(memory), *told])

    def missing(self, title, who, why):
        """A rival that is not installed."""
        self.rows.append(["", f"{who}: skipped, {why}"] + [""] * 7)
        self.skipped.append(f"{title}: {who} gives the same # SKIP {why}")

    def aim(self, what, value, unit="", most=None, least=None, note=""):
        """Is a figure at most, or at least, what it should be?"""
        reached = value <= most if least is None else value >= least
        self.missed += not reached
        told = f"at most {figure(most)}" if least is None \
            else f"at least {figure(least)}"
        self.aims.append([what, figure(value) + unit, told + unit,
                          "reached" if reached else "**not reached**", note])

    def no_aim(self, what, why):
        self.aims.append([what, "", "", "not measured", why])

    def grown(self, what, times, mb, took, memory):
        self.growing.append([what, f"{times}x", figure(mb), figure(took.cpu),
                             figure(took.wall), f"{took.cpu / mb * 1000:.2f}",
                             figure(memory)])

    def fact(self, text):
        self.facts.append(text)

    def check(self, name, right, why=""):
        """That what was measured was right, too."""
        self.checks.append((name, right, why))

    # ---- printing

    def markdown(self, setting):
        parts = [setting]
        if self.rows:
            parts += ["### What it took", table(
                ("what", "who", "MB in", "CPU s", "wall s", "MB/s", "memory MB",
                 "CPU ratio", "wall ratio"), self.rows), RATIOS]
        if self.growing:
            parts += ["### Growth", table(
                ("what", "size", "MB in", "CPU s", "wall s", "CPU ms/MB",
                 "memory MB"), self.growing)]
        if self.facts:
            parts += ["### Folders, servers and starts",
                      "\n".join("- " + f for f in self.facts)]
        if self.aims:
            parts += ["### Aims", table(("what", "measured", "aim", "", ""),
                                        self.aims)]
        wrong = [c for c in self.checks if not c[1]]
        parts.append(f"Results were looked at: {len(self.checks)} checks, "
                     f"{len(wrong)} failed, {len(self.skipped)} skipped.")
        parts += [f"- **wrong**: {name}: {why}" for name, _, why in wrong]
        return "\n\n".join(parts)

    def tap(self):
        out = [f"1..{len(self.checks) + len(self.skipped)}"]
        for i, (name, right, why) in enumerate(self.checks, 1):
            out.append(f"{'ok' if right else 'not ok'} {i} - {name}")
            if not right:
                out += ["#   " + line for line in why.splitlines()[:20]]
        out += [f"ok {i} - {name}" for i, name in
                enumerate(self.skipped, len(self.checks) + 1)]
        return "\n".join(out)


def machine():
    """One line: what it is, and how busy it was."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as f:
        for row in f:
            if row.startswith("model name"):
                model = row.split(":", 1)[1].strip()
                break
    try:
        with open("/etc/debian_version") as f:
            system = "Debian " + f.read().strip()
    except OSError:
        system = "not Debian"
    return (f"{os.cpu_count()} cores ({model}), {system}, "
            f"Linux {platform.release().split('-')[0]}, load "
            f"{os.getloadavg()[0]:.1f} at the start")


def versions(kervan):
    said = subprocess.run([kervan, "--version"], capture_output=True,
                          text=True).stdout.split("\n")[0]
    return f"{time.strftime('%d %B %Y').lstrip('0')}, {said}"

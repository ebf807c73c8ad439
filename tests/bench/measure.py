"""Runs a program and says what it took: it and all processes that it started.

CPU time is what the kernel adds up when a process waits for its children, so a
program must wait for all of its own; kervan does. Memory is looked at from
outside in a run that is not timed, for looking slows it down.
"""
import os
import statistics
import subprocess
import tempfile
import time

LOOK_EVERY = 0.02  # seconds


class Failed(Exception):
    pass


class Took:
    """What one run took, and the last it said."""

    def __init__(self, cpu, wall, said):
        self.cpu = cpu
        self.wall = wall
        self.said = said


def start(argv, env, out, err, cwd=None):
    return subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                            stdout=out, stderr=err)


def text_of(f):
    f.seek(0)
    return f.read().decode(errors="replace").strip()


def finish(p, argv, err, wanted=0):
    """Waits; returns the kernel's sums. The status must be the wanted one."""
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode != wanted:
        raise Failed(f"{' '.join(argv)}: status {p.returncode}\n{text_of(err)}")
    return usage


def timed(argv, env, out=subprocess.DEVNULL, cwd=None, status=0):
    with tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        p = start(argv, env, out, err, cwd)
        usage = finish(p, argv, err, status)
        wall = time.monotonic() - begin
        return Took(usage.ru_utime + usage.ru_stime, wall, text_of(err))


# ---- memory --------------------------------------------------------------------

def family(pid):
    """A process and those below it."""
    found = [pid]
    for member in found:
        try:
            for task in os.listdir(f"/proc/{member}/task"):
                with open(f"/proc/{member}/task/{task}/children") as f:
                    found += map(int, f.read().split())
        except OSError:  # it has ended meanwhile
            pass
    return found


def private_kb(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            return sum(int(row.split()[1]) for row in f
                       if row.startswith("Private_") and "Hugetlb" not in row)
    except OSError:
        return 0


def peak_mb(argv, env, cwd=None):
    """The most private pages that all its processes had at once."""
    peak = 0
    with tempfile.TemporaryFile() as err:
        p = start(argv, env, subprocess.DEVNULL, err, cwd)
        while not os.waitid(os.P_PID, p.pid,
                            os.WEXITED | os.WNOHANG | os.WNOWAIT):
            peak = max(peak, sum(map(private_kb, family(p.pid))))
            time.sleep(LOOK_EVERY)
        finish(p, argv, err)
    return peak / 1024


# ---- several runs --------------------------------------------------------------

def in_turn(commands, pairs, env):
    """{name: argv} run one after the other, `pairs` times over."""
    taken = {name: [] for name in commands}
    for _ in range(pairs):
        for name, argv in commands.items():
            taken[name].append(timed(argv, env))
    return taken


def ratio(over, under, what):
    """The median over pairs of runs of how many times more `over` took."""
    pairs = [getattr(a, what) / max(getattr(b, what), 0.001)
             for a, b in zip(over, under)]
    return statistics.median(pairs), min(pairs), max(pairs)


def median(runs, what):
    return statistics.median(getattr(run, what) for run in runs)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


# ---- the disk ------------------------------------------------------------------

def fsync_ms(folder, times=100):
    """What it costs to make a small file durable: 10 KB written and synced,
    renamed, its folder synced. The median, and that of the file's sync alone."""
    alone, whole = [], []
    body = b"x" * 10240
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for i in range(times):
        begin = time.monotonic()
        f = os.open("part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, dir_fd=at)
        os.write(f, body)
        written = time.monotonic()
        os.fsync(f)
        alone.append(time.monotonic() - written)
        os.close(f)
        os.rename("part", f"{i}", src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)
        whole.append(time.monotonic() - begin)
    for i in range(times):
        os.unlink(f"{i}", dir_fd=at)
    os.close(at)
    return statistics.median(whole) * 1000, statistics.median(alone) * 1000

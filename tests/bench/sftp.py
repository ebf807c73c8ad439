"""Workload (12): partners' servers, beside OpenSSH's `sftp` as a script uses it.

All of it against one sshd of tests/sftp/server, on loopback and through
delay.c, which makes a round trip of 20 ms of it. Both programs connect within
the time that is taken; what came over is compared after it.
"""
import filecmp
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import generate
import measure

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "sftp"))

import exchange  # noqa: E402

TITLE = "(12) SFTP"
ROUND_TRIP_MS = 20
RUNS = 3              # of kervan as a whole: nothing is paired there
SMALL_BYTES = 10240
RIVALS_SHARE = 10     # of the small files; it would take minutes for all
UP_LINES, DOWN_LINES = (17,), (32,)  # orders of 10 KB: as XML, as CSV

CONF = """spool spool

partner eshop
  folder eshop
  country cz

partner pohoda
  folder pohoda
  country cz

partner far
  sftp {user}@127.0.0.1:{port}
  key {key}
  known_hosts {known_hosts}
  rest 0 seconds
  country cz

route up
  from eshop inbox/orders*.csv
  read {here}/maps/orders.map
  write cz/pohoda-orders
  to far xml
  set ico = 12345678

route down
  from far out/orders*.csv
  read {here}/maps/orders.map
  write cz/pohoda-orders
  to pohoda xml
  set ico = 12345678
"""


class Line:
    """A way to the server: its port, and the host keys for that port."""

    def __init__(self, bench, server, round_trip_ms):
        self.server, self.relay = server, None
        self.name = f"{round_trip_ms} ms" if round_trip_ms else "loopback"
        self.port, self.known_hosts = server.port, f"{server.where}/known_hosts"
        if round_trip_ms:
            self.relay = subprocess.Popen(
                [bench.delay, str(server.port), str(round_trip_ms // 2)],
                stdout=subprocess.PIPE)
            self.port = int(self.relay.stdout.readline())
            self.known_hosts += "-relay"
            with open(self.known_hosts, "w") as f:
                f.write(server.read("known_hosts").replace(
                    f":{server.port} ", f":{self.port} "))

    def key(self):
        return f"{self.server.keys}/ed25519"

    def close(self):
        if self.relay:
            self.relay.kill()
            self.relay.wait()
            self.relay.stdout.close()

    def carry(self, bench, *what):
        return [bench.carry, str(self.port), self.server.user, self.key(),
                self.known_hosts, *map(str, what)]

    def sftp(self, *commands):
        """OpenSSH's; what it is to do stands in a file, as in a script."""
        batch = f"{self.server.where}/batch"
        with open(batch, "w") as f:
            f.writelines(command + "\n" for command in commands)
        return ["sftp", "-b", batch, "-F", "/dev/null", "-P", str(self.port),
                "-i", self.key(), "-o", "IdentitiesOnly=yes",
                "-o", f"UserKnownHostsFile={self.known_hosts}",
                "-o", "GlobalKnownHostsFile=/dev/null",
                f"{self.server.user}@127.0.0.1"]


def pairs_of(bench):
    """All of this takes its time, and little of it is the processor's."""
    return max(1, bench.pairs // 2)


# ---- one large file -------------------------------------------------------------

def random_file(path, size):
    with open(path, "wb") as f:
        for at in range(0, size, 1 << 20):
            f.write(os.urandom(min(1 << 20, size - at)))


def moved(argv, env, sent, got):
    """Runs it; what it took, and did all of it come over?"""
    if os.path.exists(got):
        os.unlink(got)
    os.sync()
    took = measure.timed(argv, env)
    return took, filecmp.cmp(sent, got, shallow=False)


def large_file(bench, report, line, up):
    there = line.server.files
    size = round(200e6 * bench.scale)
    here = f"{there}/../large"
    random_file(here, size)
    shutil.copy(here, f"{there}/large")
    got = f"{there}/new" if up else f"{there}/../new"
    title = f"{TITLE}, {size / 1e6:.0f} MB {'up' if up else 'down'}, {line.name}"
    # Both have it synced there when they end; neither has it here.
    commands = {
        "kervan": line.carry(bench, "up", here, "new") if up
        else line.carry(bench, "down", "large", got),
        "sftp": line.sftp(f"put -f {here} new" if up else f"get large {got}"),
    }
    taken, right = {who: [] for who in commands}, True
    for _ in range(pairs_of(bench)):
        for who, argv in commands.items():
            took, same = moved(argv, bench.env, here, got)
            taken[who].append(took)
            right = right and same
    ratios = [measure.ratio(taken["sftp"], taken["kervan"], what)
              for what in ("cpu", "wall")]
    for who, name in (("kervan", "**a courier**"), ("sftp", "`sftp -b`")):
        report.row(title if who == "kervan" else "", name, size / 1e6,
                   [measure.median(taken[who], what) for what in ("cpu", "wall")],
                   ratios=ratios if who == "sftp" else None)
    report.aim(f"{title}: throughput, courier / `sftp -b`", ratios[1][0],
               least=0.9)
    report.check(f"{title}: every byte comes over by both", right,
                 "the files are not the same")


# ---- many small files -----------------------------------------------------------

def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def small_files(bench, report, line):
    """Under a temporary name, synced, renamed: without ledger and spool."""
    there = f"{line.server.files}/small"
    n = max(20, round(2000 * bench.scale))
    few = max(3, n // RIVALS_SHARE)
    title = f"{TITLE}, files of 10 KB up, {line.name}"
    body = f"{line.server.where}/body"
    random_file(body, SMALL_BYTES)
    steps = [step for i in range(few) for step in
             (f"put -f {body} small/{i}.part",
              f"rename small/{i}.part small/{i}.xml")]
    commands = {"a courier": (n, line.carry(bench, "small", n, SMALL_BYTES,
                                            "small")),
                "`sftp -b`": (few, line.sftp(*steps))}
    taken, right = {who: [] for who in commands}, True
    for _ in range(pairs_of(bench)):
        for who, (count, argv) in commands.items():
            empty(there)
            os.sync()
            taken[who].append(measure.timed(argv, bench.env).wall / count)
            whole = {f"{i}.xml" for i in range(count)}
            right = right and set(os.listdir(there)) == whole and all(
                os.path.getsize(f"{there}/{name}") == SMALL_BYTES
                for name in whole)
    courier, rival = (1 / measure.statistics.median(taken[who])
                      for who in commands)
    times = measure.statistics.median(
        b / a for a, b in zip(*taken.values()))
    report.fact(f"{title}: a courier {courier:,.0f} a second ({n:,} files), "
                f"`sftp -b` {rival:,.1f} ({few:,} files).")
    if line.relay:
        report.aim(f"{title}: courier / `sftp -b`", times, " times", least=30)
        report.aim(f"{title}: courier", courier, " a second", least=400)
    report.check(f"{title}: all are there, of the right size", right,
                 "some are missing")


# ---- kervan as a whole ----------------------------------------------------------

class Exchange:
    """A spool and folders of its own; the partner `far` at the end of a line."""

    def __init__(self, bench, line):
        self.bench, self.line = bench, line
        self.dir = f"{line.server.where}/exchange"
        for folder in ("eshop/inbox", "pohoda/xml"):
            empty(f"{self.dir}/{folder}")
        for folder in ("xml", "out"):
            empty(f"{line.server.files}/{folder}")
        self.reach(line.port)

    def reach(self, port):
        """The server is at that port."""
        with open(f"{self.dir}/kervan.conf", "w") as f:
            f.write(CONF.format(here=HERE, port=port, key=self.line.key(),
                                user=self.line.server.user,
                                known_hosts=self.line.known_hosts))

    def once(self, *routes, status=0):
        return measure.timed([self.bench.kervan, "once", *routes],
                             self.bench.env, cwd=self.dir, status=status)

    def put(self, source, folder):
        for name in os.listdir(source):
            shutil.copy(f"{source}/{name}", f"{folder}/{name}")
        os.sync()

    def convert(self, source):
        """All of them, and none can be delivered."""
        self.put(source, f"{self.dir}/eshop/inbox")
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            self.reach(nobody.getsockname()[1])
            self.once("up", status=1)
        self.reach(self.line.port)
        os.sync()

    def names(self, folder):
        return [name for name in os.listdir(folder) if name[0] != "."]

    def arrived(self):
        return len(self.names(f"{self.line.server.files}/xml"))

    def close(self):
        shutil.rmtree(self.dir)


def deliver_all(x, source):
    """From the inbox to the server."""
    x.put(source, f"{x.dir}/eshop/inbox")
    return x.once("up").wall, x.arrived()


def deliver_converted(x, source):
    x.convert(source)
    return x.once("up").wall, x.arrived()


def daemon_delivers(x, source):
    x.convert(source)
    n = len(os.listdir(source))
    begin = time.monotonic()
    with tempfile.TemporaryFile() as out:
        daemon = measure.start([x.bench.kervan, "run"], x.bench.env, out, out,
                               x.dir)
        try:
            while x.arrived() < n and time.monotonic() < begin + 300:
                time.sleep(0.01)
            wall = time.monotonic() - begin
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
    return wall, x.arrived()


def fetch_all(x, source):
    """From the server to a folder, and away from there."""
    x.put(source, f"{x.line.server.files}/out")
    wall = x.once("down").wall
    return wall, len(x.names(f"{x.dir}/pohoda/xml")) \
        - len(x.names(f"{x.line.server.files}/out"))


WAYS = (
    ("`kervan once`, from an inbox to the server", UP_LINES, deliver_all),
    ("`kervan once`, converted before", UP_LINES, deliver_converted),
    ("`kervan run`, converted before", UP_LINES, daemon_delivers),
    ("`kervan once`, from the server to a folder", DOWN_LINES, fetch_all),
)


def whole(bench, report, line):
    n = max(20, round(2000 * bench.scale))
    for name, lines, way in WAYS:
        title = f"{TITLE}, {name}, {line.name}"
        source = f"{bench.data}/small-{n}-{lines[0]}-{generate.version()}"
        if not os.path.isdir(source):
            generate.small_orders(source, n, lines)
        bench.say(title)
        walls, counts = [], set()
        for _ in range(min(pairs_of(bench), RUNS)):
            x = Exchange(bench, line)
            try:
                wall, count = way(x, source)
            finally:
                x.close()
            walls.append(wall)
            counts.add(count)
        rate = n / measure.statistics.median(walls)
        report.fact(f"{title}: {rate:,.0f} files a second ({n:,} files).")
        if line.relay:
            report.aim(f"{title}", rate, " a second", least=400)
        report.check(f"{title}: all arrive", counts == {n},
                     f"{counts} of {n}")


# ---- all of it ------------------------------------------------------------------

def carried(bench, report, line):
    large_file(bench, report, line, True)
    large_file(bench, report, line, False)
    small_files(bench, report, line)


def with_server(bench, report, part, round_trip_ms, keys):
    """One of its own for each part: a server lives for ten minutes."""
    where = tempfile.mkdtemp(prefix="sftp-", dir=bench.data)
    try:
        server = exchange.Server(f"{where}/server", "openssh", keys)
        try:
            line = Line(bench, server, round_trip_ms)
            try:
                part(bench, report, line)
            finally:
                line.close()
        finally:
            server.kill()
    finally:
        shutil.rmtree(where, ignore_errors=True)


def servers(bench, report):
    if not shutil.which("sftp"):
        report.missing(TITLE, "`sftp -b`", "there is no sftp")
        return
    with tempfile.TemporaryDirectory(prefix="keys-", dir=bench.data) as keys:
        try:
            for round_trip_ms in (0, ROUND_TRIP_MS):
                for part in (carried, whole):
                    with_server(bench, report, part, round_trip_ms,
                                f"{keys}/keys")
        except exchange.Skip as e:
            report.missing(TITLE, "a server", str(e))


ALL = {12: servers}

"""An exchange with partners on servers, whose lines are struck; and what has to
lie where when all is over. For tests/sftp/crash, which says what for."""
import ctypes
import glob
import os
import shutil
import signal
import sqlite3
import subprocess
import time

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
CUT = REPO + "/build/release/tests/sftp/cut"
CALLS = REPO + "/build/release/tests/sftp/calls.so"
SFTP_SERVER = "/usr/lib/openssh/sftp-server"
LAST_WORDS_S = 20   # processes that go on behind a run
SERVER_S = 400      # tests/sftp/server lives for ten minutes
WRONGS = ("lost", "doubled", "half-written", "else wrong")
ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
OLD = b"code;pieces\nOLD;1\n"

MAPS = {
    "orders-in.map": "read order from csv\n  delimiter  ;\n  group      code\n"
                     "\nnumber = code\nnote   = note\neach line\n"
                     "  sku      = item\n  quantity = qty\n",
    "orders-out.map": "write order to csv\n  delimiter  ;\n"
                      '  file       "{file.base}.csv"\n\nrow\n'
                      "  number = number\n  note   = note\n",
    "stock-in.map": "read stock from csv\n  delimiter  ;\n\n"
                    "sku  = code\nname = name\nfree = pieces\n",
    "stock-out.map": "write stock to csv\n  delimiter  ;\n"
                     '  file       "stock.csv"\n\nrow\n'
                     "  code = sku\n  name = name\n  pieces = free\n",
}


class Wrong(Exception):
    """(kind, text): what became of a file."""


class Flow:
    def __init__(self, name, lines=(), server=(), route="orders", ending="",
                 ssh=False, main=False):
        self.name = name
        self.main = main            # every byte of it is cut
        self.lines = lines          # of the partner
        self.server = server        # arguments of sftp-server
        self.route = route
        self.ending = ending        # of trigger files
        self.ssh = ssh              # a real sshd, by TCP
        self.fetches = name.startswith("fetch")
        self.receivers = ("later",) if self.fetches else ("later", "at-once")


NO_RENAME = ("-P", "posix-rename")
FLOWS = [
    Flow("deliver", main=True),
    Flow("deliver-temp", lines=("temp ready",)),
    Flow("deliver-norename", server=NO_RENAME),
    Flow("deliver-both", lines=("exists keep both",)),
    Flow("deliver-trigger", lines=("trigger .done",), ending=".done"),
    Flow("deliver-stock", route="stock"),
    Flow("deliver-stock-norename", route="stock", server=NO_RENAME),
    Flow("deliver-ssh", ssh=True),
    Flow("fetch", main=True),
    Flow("fetch-move", lines=("after fetch move done",)),
    Flow("fetch-keep", lines=("after fetch keep",)),
    Flow("fetch-norename", server=NO_RENAME),
    Flow("fetch-ssh", ssh=True),
]


def flow_named(name):
    for flow in FLOWS:
        if flow.name == name:
            return flow
    raise SystemExit("crash: there is no flow " + name)


# ---- files

def write(path, data):
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def read(path):
    with open(path, "rb") as f:
        return f.read()


def plain_files(folder):
    """Name and content of each, oldest name first."""
    return [(name, read(folder + "/" + name))
            for name in sorted(os.listdir(folder))
            if os.path.isfile(folder + "/" + name)]


def orders(number, n):
    """No two partners' orders are the same."""
    return "code;note;item;qty\n" + "".join(
        "%07d;order %07d;A1;1\n" % (i, number) for i in range(n))


def stock(number):
    return "code;name;pieces\n" + "".join(
        "A%05d;article of file %02d;%d\n" % (i, number, i % 90 + 10)
        for i in range(680))


# ---- processes

def is_orphans_parent():
    """Processes whose parents are gone become ours."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def children_of_ours():
    return set(map(int, read("/proc/self/task/%d/children" %
                             os.getpid()).split()))


def command_of(pid):
    return read("/proc/%d/cmdline" % pid).replace(b"\0", b" ").decode()


def wait_for_all(ours):
    """What went on behind a run has ended; a line's server may take a moment.
    Ours stay."""
    until = time.monotonic() + LAST_WORDS_S
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        children = children_of_ours()
        if not children - ours:
            return
        if pid == 0:
            if time.monotonic() > until:
                raise Wrong("else wrong", "behind the run goes on: " +
                            " ".join(command_of(x) for x in children - ours))
            time.sleep(0.0005)


# ---- an exchange

class Exchange:
    """A place in memory where a worker runs one flow."""

    def __init__(self, place, flow, n, program, helpers):
        self.place, self.flow, self.program = place, flow, program
        self.n = n                  # partners
        self.own = set()            # the server and the proxies
        self.helpers = helpers      # those of all exchanges of this worker
        self.root = place + "/x"
        self.image = place + "/" + flow.name
        self.n_runs = 0
        self.server_since = None
        self.port, self.ports = 0, []
        self.originals, self.expected, self.first = [], [], b""
        self.totals = {}            # bytes `up` and `down`, and calls

    def at(self, *words):
        return "/".join((self.root,) + words)

    def partner(self, i):
        return self.at("p%02d" % i)

    def plan(self, i):
        return self.place + "/plan/%02d" % i

    def taken(self, i):
        return self.at("taken%02d" % i)

    # -- a server on a port

    def start_ssh(self):
        self.stop()
        where = self.place + "/sshd"
        shutil.rmtree(where, ignore_errors=True)
        os.makedirs(where)
        done = subprocess.run([REPO + "/tests/sftp/server", "openssh", where],
                              stdout=subprocess.PIPE, check=True)
        self.port = int(done.stdout)
        self.keep_helper(int(read(where + "/pid")))
        self.ports = []
        for i in range(self.n):
            told = self.place + "/port"
            if os.path.exists(told):
                os.remove(told)
            proxy = subprocess.Popen([CUT, "-t", told, str(self.port),
                                      self.plan(i)])
            self.keep_helper(proxy.pid)
            while not os.path.exists(told) or not read(told).endswith(b"\n"):
                time.sleep(0.001)
            self.ports.append(int(read(told)))
        self.server_since = time.monotonic()

    def keep_helper(self, pid):
        self.own.add(pid)
        self.helpers.add(pid)

    def stop(self):
        for pid in self.own & children_of_ours():
            os.kill(pid, signal.SIGTERM)
        self.helpers -= self.own
        self.own = set()
        self.server_since = None

    def line(self, i):
        if not self.flow.ssh:
            return ["sftp u@h%s" % self.partner(i), "through %s %s %s" % (
                CUT, self.plan(i), " ".join((SFTP_SERVER,) +
                                            tuple(self.flow.server)))]
        keys = self.place + "/sshd/keys/"
        shown = subprocess.run(
            ["ssh-keygen", "-lf", keys + "host-ed25519.pub"],
            stdout=subprocess.PIPE, check=True).stdout.split()[1].decode()
        user = read(self.place + "/sshd/user").decode().strip()
        return ["sftp %s@127.0.0.1:%d%s" % (user, self.ports[i],
                                            self.partner(i)),
                "key %sed25519" % keys, "fingerprint " + shown]

    # -- what lies where

    def conf(self):
        f = self.flow
        text = ["spool spool", "limit sftp-operation 2", "",
                "partner erp", "  folder erp", ""]
        names = ["p%02d" % i for i in range(self.n)]
        for i, name in enumerate(names):
            text += ["partner " + name]
            text += ["  " + x for x in self.line(i) + ["rest 0 seconds"]]
            text += ["  " + x for x in f.lines] + [""]
        text += ["route " + f.route]
        if f.fetches:
            text += ["  from %s inbox/*.csv" % name for name in names]
        else:
            text += ["  from erp inbox/*.csv"]
        text += ["  read %s-in.map" % f.route, "  write %s-out.map" % f.route]
        if f.fetches:
            text += ["  to erp in"]
        else:
            text += ["  to %s in" % name for name in names]
        return "\n".join(text) + "\n"

    def lay_out(self):
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.place + "/plan", exist_ok=True)
        os.makedirs(self.at("erp/inbox"))
        os.makedirs(self.at("erp/in"))
        for i in range(self.n):
            for name in ("in", "inbox", "ready", "done"):
                os.makedirs(self.partner(i) + "/" + name)
            os.mkdir(self.taken(i))
        write(self.at("kervan.conf"), self.conf())
        for name, text in MAPS.items():
            write(self.at(name), text)

    def prepare(self):
        """For a delivery, all is converted, and nobody was reached."""
        f = self.flow
        if f.ssh:
            self.start_ssh()
        self.lay_out()
        self.originals = []
        if f.fetches:
            self.originals = [orders(i, 1900).encode()
                              for i in range(self.n)]
            for i, data in enumerate(self.originals):
                write(self.partner(i) + "/inbox/orders%02d.csv" % i, data)
        else:
            files = ([stock(1), stock(2)] if f.route == "stock" else
                     [orders(0, 2330)])
            for j, data in enumerate(files):
                path = self.at("erp/inbox/f%d.csv" % j)
                self.originals.append(data.encode())
                write(path, data)
                os.utime(path, (time.time() - 7200 + j,) * 2)
            self.set_plans({i: ("up", 0, "refuse") for i in range(self.n)})
            self.once()
            # A copy of a claimed file is not that file; it is ours already.
            for path in glob.glob(self.at("erp/inbox/.claim/*")):
                os.remove(path)
            if f.route == "stock":
                for i in range(self.n):
                    write(self.partner(i) + "/in/stock.csv", OLD)
        shutil.rmtree(self.image, ignore_errors=True)
        shutil.copytree(self.root, self.image)

    def lay_again(self):
        if not os.path.isdir(self.image) or (
                self.flow.ssh and (
                    not self.server_since or
                    time.monotonic() - self.server_since > SERVER_S)):
            self.prepare()
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.image, self.root)

    # -- runs

    def set_plans(self, strikes, at_once=False):
        for i in range(self.n):
            text = ""
            if i in strikes:
                text = "strike %s %d %s\n" % strikes[i]
            if at_once:
                text += "take %s %s %s\n" % (self.partner(i) + "/in",
                                             self.taken(i), self.flow.ending)
            write(self.plan(i), text)

    def seen(self, i):
        """Bytes up and down, and whether the line was struck."""
        return tuple(map(int, read(self.plan(i) + ".seen").split()))

    def command(self, word, env=None):
        self.n_runs += 1
        with open(self.place + "/output", "wb") as out:
            child = subprocess.Popen([self.program, "-c",
                                      self.at("kervan.conf"), word],
                                     stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=out, env=dict(ENV, **env or {}))
            return child.wait(timeout=240)

    def said(self):
        return " / ".join(read(self.place + "/output").decode().splitlines())

    def once(self, env=None):
        for path in glob.glob(self.place + "/plan/*.seen"):
            os.remove(path)
        status = self.command("once", env)
        wait_for_all(self.helpers)
        return status

    def record(self):
        """Undisturbed: how many bytes and calls there are, what arrives."""
        told = self.place + "/calls"
        self.lay_again()
        self.set_plans({})
        status = self.once({"LD_PRELOAD": CALLS, "CALLS_SEEN": told})
        if status != 0:
            raise SystemExit("crash: undisturbed, %s ends with %d: %s" % (
                self.flow.name, status, read(self.place + "/output").decode()))
        self.expected = [self.arrived(i) for i in range(self.n)]
        if any(len(x) != 1 for x in self.expected):
            raise SystemExit("crash: undisturbed, %s brings %r" % (
                self.flow.name, [[n for n, _ in x] for x in self.expected]))
        if self.flow.route == "stock":
            self.find_first_stock()
        self.check_all()
        up, down, _ = self.seen(0)
        self.totals = {"up": up, "down": down, "call": int(read(told))}

    def find_first_stock(self):
        """The older snapshot, as it would arrive."""
        self.first = b"".join(
            read(path) for path in glob.glob(self.at("spool/archive/*/*/*/1/*/*")))

    # -- what arrived

    def arrived(self, i):
        """Name and content, in the order in which the receiver got them; what
        he took has a time and a blank before its name."""
        if self.flow.fetches:
            return [x for x in plain_files(self.at("erp/in"))
                    if x[0] == "orders%02d.csv" % i]
        lying = [x for x in plain_files(self.partner(i) + "/in")
                 if x[0][0] != "."]
        took = [(name.split(" ", 1)[1], data)
                for name, data in plain_files(self.taken(i))]
        return [x for x in took + lying
                if not (self.flow.ending and
                        x[0].endswith(self.flow.ending))]

    def check_whole(self, i):
        """At any moment: nobody sees a file that is not whole."""
        may = {data for _, data in self.expected[i]}
        if self.flow.route == "stock":
            may |= {OLD, self.first}
        for name, data in self.arrived(i):
            if data not in may:
                raise Wrong("half-written", "%s has %d bytes" % (name,
                                                                len(data)))

    def check_arrived(self, i):
        self.check_whole(i)
        got = [data for _, data in self.arrived(i)]
        if self.flow.route == "stock":
            order = [OLD, self.first, self.expected[i][0][1]]
            numbers = [order.index(x) for x in got]
            if len(set(numbers)) < len(numbers):
                raise Wrong("doubled", "snapshots %r" % numbers)
            if not numbers or numbers[-1] != 2:
                raise Wrong("lost", "snapshots %r" % numbers)
            return
        if not got:
            raise Wrong("lost", "nothing arrived")
        if len(got) > 1:
            raise Wrong("doubled", "%d files arrived" % len(got))
        if self.arrived(i)[0][0] != self.expected[i][0][0]:
            raise Wrong("else wrong", "it is named " + self.arrived(i)[0][0])

    def check_server(self, i):
        """No leftovers; what was fetched went where it is to go."""
        wanted = []
        name = "inbox/orders%02d.csv" % i
        if self.flow.name == "fetch-keep":
            wanted = [name]
        if self.flow.name == "fetch-move":
            wanted = [name.replace("inbox", "done")]
        got = []
        for folder, _, names in os.walk(self.partner(i)):
            got += [os.path.relpath(folder + "/" + x, self.partner(i))
                    for x in names]
        if not self.flow.fetches:
            got = [x for x in got if not x.startswith("in/") or
                   x.startswith("in/.")]
        if got != wanted:
            raise Wrong("else wrong", "on the server: %r" % got)
        if wanted and read(self.partner(i) + "/" + got[0]) != self.originals[i]:
            raise Wrong("else wrong", got[0] + " has changed")
        if self.flow.ending:
            self.check_signals(i)

    def check_signals(self, i):
        names = [x[0] for x in plain_files(self.partner(i) + "/in")] + [
            x[0].split(" ", 1)[1] for x in plain_files(self.taken(i))]
        signals = [x for x in names if x.endswith(self.flow.ending)]
        if not signals:
            raise Wrong("lost", "there is no trigger file")
        if len(signals) > 1:
            raise Wrong("doubled", "%r" % signals)

    def check_spool(self):
        for name in ("tmp", "in", "out"):
            if os.listdir(self.at("spool", name)):
                raise Wrong("else wrong", "in spool/%s: %r" % (
                    name, os.listdir(self.at("spool", name))))
        kept = sorted(read(x) for x in glob.glob(
            self.at("spool/archive/*/*/*/*.csv")))
        if kept != sorted(self.originals):
            raise Wrong("lost", "the archive has %d originals" % len(kept))

    def check_ledger(self):
        db = sqlite3.connect(self.at("spool/state/ledger.db"))
        try:
            for what, n in (
                    ("receipt", len(self.originals)),
                    ("receipt WHERE state='DONE'", len(self.originals)),
                    ("claim", len(self.originals)),
                    ("claim WHERE state='ARCHIVED' AND coalesce(there,'')=''",
                     len(self.originals)),
                    ("delivery WHERE state NOT IN ('DELIVERED','SUPERSEDED')",
                     0)):
                got = db.execute("SELECT count(*) FROM " + what).fetchone()[0]
                if got != n:
                    raise Wrong("else wrong", "%d rows of %s" % (got, what))
        finally:
            db.close()

    def check_all(self):
        for i in range(self.n):
            self.check_arrived(i)
            self.check_server(i)
        self.check_spool()
        self.check_ledger()

    # -- a batch of points

    def check_of(self, i, *checks):
        """None, or what is wrong with partner i."""
        try:
            for check in checks:
                check(i)
        except Wrong as e:
            return e.args
        return None

    def try_points(self, points, fsck):
        """Points are of this flow and one receiver. -> those struck, and what
        is wrong: (point or None, kind, text)."""
        receiver, direction, byte, how = points[0][1:]
        at_once = receiver == "at-once"
        strikes, env, may = {}, {}, (0, 1)
        if direction == "call":
            env = {"LD_PRELOAD": CALLS, "CALLS_STRIKE": "%d:%s" % (byte, how)}
            may = (0, 1, 3) if how[0] == "e" else (0, 1, -9)
        else:
            strikes = {i: p[2:] for i, p in enumerate(points)}
            may = (0, 1, -9) if how == "keeper" else (0, 1)
        self.lay_again()
        self.set_plans(strikes, at_once)
        bad = {}
        status = self.once(env)
        if status not in may:
            return 0, [(points[0], "else wrong", "run 1 ends with %d: %s" % (
                status, self.said()))]
        struck = len(points) if env else sum(
            1 for i in strikes if os.path.exists(self.plan(i) + ".seen") and
            self.seen(i)[2])
        for i in range(len(points)):
            bad[i] = self.check_of(i, self.check_whole)
        self.set_plans({}, at_once)
        status = self.once()
        for i in range(self.n):
            bad[i] = bad.get(i) or self.check_of(i, self.check_arrived,
                                                 self.check_server)
        wrong = [(points[i] if i < len(points) else None,) + x
                 for i, x in bad.items() if x]
        if not wrong:
            wrong = self.check_together(points, status, fsck)
        return struck, wrong

    def check_together(self, points, status, fsck):
        try:
            if status != 0:
                raise Wrong("else wrong", "run 2 ends with %d: %s" % (
                    status, self.said()))
            self.check_spool()
            self.check_ledger()
            if fsck:
                if self.once() != 0 or self.command("fsck") != 0:
                    raise Wrong("else wrong", "a third run, or fsck: " +
                                self.said())
                self.check_all()
        except Wrong as e:
            return [(points[0],) + e.args]
        return []

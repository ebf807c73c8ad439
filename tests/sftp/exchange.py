"""exchange - what the scenarios of tests/sftp/run are made of: an exchange whose
partners are real servers.

Two kinds of partner: one of a server that tests/sftp/server starts, and one
that is OpenSSH's sftp-server on a pair of pipes (`through`), which starts in
no time, for what has nothing to do with lines.
"""
import importlib.machinery
import importlib.util
import os
import re
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
_loader = importlib.machinery.SourceFileLoader(
    "daemon_run", os.path.join(HERE, "../daemon/run"))
daemon = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("daemon_run", _loader))
_loader.exec_module(daemon)

SFTP_SERVER = "/usr/lib/openssh/sftp-server"
OPENSSH = ("openssh", "openssh-rsa", "openssh-etm", "openssh-gcm",
           "openssh-norename", "openssh-chroot")
Skip, orders = daemon.Skip, daemon.orders
SHOWN = 400  # characters of what was wrong


def equal(got, want):
    assert got == want, f"{repr(got)[:SHOWN]} is not {repr(want)[:SHOWN]}"


def has_text(text, part):
    assert part in text, f"{part!r} is not in {text[:SHOWN * 2]!r}"


def lacks_text(text, part):
    assert part not in text, f"{part!r} is in {text[:SHOWN * 2]!r}"


def result(first, n=1):
    """What orders() becomes by the maps of the exchange."""
    rows = "".join(f"{i},1\n" for i in range(first, first + n))
    return "number,lines\n" + rows


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            direct = [int(x) for x in f.read().split()]
    except OSError:
        return []
    return direct + [p for child in direct for p in descendants(child)]


def kill_tree(pid, with_signal=signal.SIGKILL):
    for p in [pid] + descendants(pid):
        try:
            os.kill(p, with_signal)
        except ProcessLookupError:
            pass


class Server:
    """A server of tests/sftp/server; its files are in `files`."""

    def __init__(self, where, kind, keys):
        self.where, self.kind, self.keys = where, kind, keys
        self.files = os.path.join(where, "files")
        os.makedirs(where)
        p = subprocess.run([os.path.join(HERE, "server"), kind, where, keys],
                           capture_output=True, text=True)
        if p.returncode == 77:
            raise Skip(p.stderr.strip())
        assert p.returncode == 0, p.stderr
        self.port = int(p.stdout)
        self.user = self.read("user").strip()
        self.process = None

    def read(self, name):
        with open(os.path.join(self.where, name), errors="replace") as f:
            return f.read()

    def log(self):
        return self.read("sftp.log" if self.kind == "proftpd" else "log")

    def logins(self):
        return len(re.findall(r"Accepted publickey", self.log()))

    def kill(self):
        """It is gone, and all its connections with it."""
        kill_tree(int(self.read("pid")))
        if self.process:
            self.process.wait()
            self.process = None
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                time.sleep(0.01)
            except OSError:
                return

    def again(self):
        """After kill(): the same server, at the same port."""
        assert self.kind in OPENSSH and self.kind != "openssh-chroot"
        with open(os.path.join(self.where, "log"), "ab") as log:
            self.process = subprocess.Popen(
                ["timeout", "600", "/usr/sbin/sshd", "-D", "-e", "-f",
                 self.where + "/sshd_config"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        with open(os.path.join(self.where, "pid"), "w") as f:
            f.write(f"{self.process.pid}\n")
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("the server does not start again")

    def config(self, old, new):
        path = os.path.join(self.where, "sshd_config")
        text = self.read("sshd_config")
        assert old in text
        with open(path, "w") as f:
            f.write(text.replace(old, new))

    def fingerprint(self, key):
        p = subprocess.run(["ssh-keygen", "-lf", f"{self.keys}/{key}.pub"],
                           capture_output=True, text=True, check=True)
        return p.stdout.split()[1]


class Exchange(daemon.Exchange):
    """shop has a folder and sends orders*.csv; erp has a folder. What else
    there is, and the routes, a scenario says in conf()."""

    def __init__(self, keys):
        super().__init__()
        self.keys = keys
        self.servers = []
        self.blocks = ["spool spool\npartner shop\n  folder shop\n"
                       "partner erp\n  folder erp\n"]

    # ---- the configuration

    def add(self, *blocks):
        self.blocks += blocks
        self.put("kervan.conf", "".join(self.blocks))

    def server(self, kind="openssh", name="server"):
        self.servers.append(Server(self.path(name), kind, self.keys))
        return self.servers[-1]

    def partner(self, name, server, *lines, key="ed25519", rest=0, port=None,
                known="known_hosts"):
        """A partner that has that server."""
        self.add(f"partner {name}\n"
                 f"  sftp {server.user}@127.0.0.1:{port or server.port}\n"
                 + (f"  key {self.keys}/{key}\n" if key else "")
                 + f"  known_hosts {server.where}/{known}\n"
                 f"  rest {rest} seconds\n  look every 10 seconds\n"
                 + "".join(f"  {line}\n" for line in lines))

    def through(self, name, *lines, rest=0, options=""):
        """A partner that is an sftp-server, in the folder of his name."""
        os.makedirs(self.path(name), exist_ok=True)
        self.add(f"partner {name}\n  sftp {self.path(name)}\n"
                 f"  through {options} {SFTP_SERVER}\n  rest {rest} seconds\n"
                 "  look every 10 seconds\n"
                 + "".join(f"  {line}\n" for line in lines))

    def route(self, name, source, target, *lines, files="orders*.csv",
              read="r", write="w"):
        """source and target: "PARTNER FOLDER"."""
        partner, folder = source.split()
        self.add(f'route {name}\n  from {partner} "{folder}/{files}"\n'
                 f"  read {read}\n  write {write}\n  to {target}\n"
                 + "".join(f"  {line}\n" for line in lines))

    # ---- files

    def make(self, *folders):
        for folder in folders:
            os.makedirs(self.path(folder), exist_ok=True)

    def once(self, status=0, *routes):
        p = self.run("once", *routes, check=False)
        assert p.returncode == status, \
            f"once: {p.returncode} {p.stdout} {p.stderr}"
        return p.stdout + p.stderr

    def archived(self):
        """The original files of all jobs: what was fetched, as it was."""
        found = []
        for folder, _, names in os.walk(self.path("spool/archive")):
            for name in names:
                if re.match(r"\d+-", name):
                    with open(os.path.join(folder, name)) as f:
                        found.append(f.read())
        return sorted(found)

    def log_says(self, text, seconds=10):
        self.wait(lambda: text in self.read("log"), f"log: {text}", seconds)

    def close(self):
        for server in self.servers:
            server.kill()
        super().close()

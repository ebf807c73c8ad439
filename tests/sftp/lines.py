"""lines - scenarios of what happens to lines: servers that are not there, end
in the middle, are others than before, or let nobody in; and what people are
told of it, and nobody of secrets.
"""
import json
import os
import random
import re
import signal
import subprocess
import time

from exchange import (Skip, daemon, equal, has_text, lacks_text, orders,
                      result)


def both(x, s, *lines, **options):
    """Both directions to one server: shop -> wh in, wh out -> erp in."""
    for folder in ("in", "out"):
        os.makedirs(f"{s.files}/{folder}", exist_ok=True)
    x.partner("wh", s, *lines, **options)
    x.route("up", "shop inbox", "wh in")
    x.route("down", "wh out", "erp in")


def says(text, *parts):
    """Some line of it has all of them."""
    return any(all(p in line for p in parts) for line in text.splitlines())


# ---- servers that are not there

def a_server_that_is_down_holds_up_nobody_else(x):
    s = x.server()
    both(x, s)
    x.make("other")
    x.add("partner other\n  folder .\n")
    x.route("local", "shop inbox", "other other", files="local*.csv")
    s.kill()
    x.drop("orders1.csv", orders(1))
    x.start()
    for i in range(5):
        began = time.monotonic()
        x.drop(f"local{i}.csv", orders(10 + i))
        x.wait(lambda: x.has(f"other/local{i}.out"), "the other's file")
        assert time.monotonic() - began < 2 * daemon.SLOW
    said = x.run("status").stdout
    has_text(said, "wh")
    has_text(said, "refused")
    has_text(said, "orders1")
    has_text(x.run("show", "1").stdout, "refused")
    has_text(x.run("partner").stdout, "refused")
    x.put("server/files/out/orders2.csv", orders(2))
    s.again()
    x.wait(lambda: x.has("server/files/in/orders1.out"), "it goes on", 40)
    x.delivered("orders2.out", 40)
    x.wait(lambda: "refused" not in x.run("status").stdout, "status is calm")
    lacks_text(x.run("partner").stdout, "refused")


def once_says_that_a_server_is_down_and_the_next_one_goes_on(x):
    s = x.server()
    both(x, s)
    s.kill()
    x.drop("orders1.csv", orders(1))
    x.drop("orders2.csv", orders(2))
    began = time.monotonic()
    said = x.once(1)
    assert time.monotonic() - began < 5 * daemon.SLOW
    has_text(said, "refused")
    has_text(said, "wh in/orders1.out")
    s.again()
    x.once()
    equal(x.names("server/files/in"), ["orders1.out", "orders2.out"])


def a_server_that_is_killed_and_comes_again_gets_each_file_once(x):
    s = x.server()
    both(x, s)
    n, seen, chance = 60, {}, random.Random(3)
    for i in range(n):
        x.put(f"server/files/out/orders{i}.csv", orders(200 * i, 200))

    def receive(folder):
        for name in x.names(folder):
            if name.endswith(".out"):
                equal(x.read(f"{folder}/{name}"),
                      result(200 * int(name[6:-4]), 200))
                seen[name, folder] = seen.get((name, folder), 0) + 1
                os.unlink(x.path(f"{folder}/{name}"))
    x.start()
    for i in range(n):
        x.drop(f"orders{i}.csv", orders(200 * i, 200))
        receive("server/files/in")
        if i in (20, 40):
            # Not during a login: that would be a refusal, and a long pause.
            x.wait(lambda: s.logins() > i // 40, "a login", 40)
            time.sleep(chance.random() * 0.2)
            s.kill()
            receive("server/files/in")
            s.again()

    def all_here():
        receive("server/files/in")
        receive("erp/in")
        return len(seen) == 2 * n
    x.wait(all_here, "all orders", 45)
    x.wait(lambda: x.names("server/files/out/.claim") == [], "all is removed")
    x.stop()
    receive("server/files/in")
    receive("erp/in")
    equal({k: v for k, v in seen.items() if v != 1}, {})
    equal(x.names("server/files/out"), [".claim"])
    equal(x.names("server/files/in"), [])


def a_daemon_that_is_killed_delivers_and_fetches_each_file_once(x):
    s = x.server()
    both(x, s)
    n, seen, chance = 40, {}, random.Random(5)
    for i in range(n):
        x.put(f"server/files/out/orders{i}.csv", orders(20 * i, 20))

    def receive(folder):
        for name in x.names(folder):
            if name.endswith(".out"):
                equal(x.read(f"{folder}/{name}"), result(20 * int(name[6:-4]), 20))
                seen[name, folder] = seen.get((name, folder), 0) + 1
                os.unlink(x.path(f"{folder}/{name}"))
    x.start()
    for i in range(n):
        x.drop(f"orders{i}.csv", orders(20 * i, 20))
        receive("server/files/in")
        receive("erp/in")
        if i % 4 == 3:
            time.sleep(chance.random() * 0.4)
            x.stop(signal.SIGKILL)
            x.start()

    def all_here():
        receive("server/files/in")
        receive("erp/in")
        return len(seen) == 2 * n
    x.wait(all_here, "all orders", 40)
    x.wait(lambda: x.names("server/files/out/.claim") == [], "all is removed")
    x.wait(lambda: x.names("spool/in") == [] and x.names("spool/out") == [],
           "all is archived")
    equal(x.stop(), 0)
    receive("server/files/in")
    receive("erp/in")
    equal({k: v for k, v in seen.items() if v != 1}, {})
    for folder in ("spool/in", "spool/out", "spool/tmp", "server/files/in"):
        equal(x.names(folder), [])
    equal(x.names("server/files/out"), [".claim"])
    equal(x.run("fsck").returncode, 0)


# ---- trust

def an_unknown_host_key_holds_until_a_person_trusts_it(x):
    s = x.server()
    both(x, s, known="nothing")
    x.drop("orders1.csv", orders(1))
    x.put("server/files/out/orders2.csv", orders(2))
    x.start()
    key = s.fingerprint("host-ed25519")
    x.log_says("kervan partner trust wh")
    has_text(x.read("log"), key)
    said = x.run("status").stdout
    has_text(said, "kervan partner trust wh")
    has_text(said, key)
    x.run("status", "--check", check=False)
    equal(x.run("status", "--check", check=False).returncode, 1)
    p = x.run("partner", "trust", "wh")  # nobody is at a terminal
    equal(p.returncode, 1)
    has_text(p.stdout, "--fingerprint " + key)
    equal(x.run("partner", "trust", "wh", "--fingerprint",
                s.fingerprint("host-other")).returncode, 1)
    equal(x.names("server/files/in"), [])
    equal(s.logins(), 0)
    equal(x.run("partner", "trust", "wh", "--fingerprint", key).returncode, 0)
    x.wait(lambda: x.has("server/files/in/orders1.out"), "it goes on")
    x.delivered("orders2.out")
    x.wait(lambda: "trust" not in x.run("status").stdout, "status is calm")


def a_changed_host_key_holds_until_a_person_trusts_it(x):
    s = x.server()
    both(x, s)
    x.start()
    x.drop("orders1.csv", orders(1))
    x.wait(lambda: x.has("server/files/in/orders1.out"), "the first")
    s.kill()
    s.config(f"HostKey {x.keys}/host-ed25519", f"HostKey {x.keys}/host-other")
    for name in ("ecdsa", "rsa"):
        s.config(f"HostKey {x.keys}/host-{name}\n", "")
    s.again()
    x.drop("orders2.csv", orders(2))
    key = s.fingerprint("host-other")
    x.log_says(key, 30)
    has_text(x.run("status").stdout, "kervan partner trust wh")
    equal(x.names("server/files/in"), ["orders1.out"])
    p = x.run("partner", "trust", "wh", "--fingerprint", key)
    equal(p.returncode, 0)
    has_text(p.stdout, "NOT what was accepted")
    x.wait(lambda: x.has("server/files/in/orders2.out"), "it goes on")


def a_login_that_is_refused_is_tried_seldom(x):
    s = x.server()
    both(x, s, key="stranger")
    for i in range(3):
        x.drop(f"orders{i}.csv", orders(i))
    x.start()
    x.wait(lambda: "wh" in x.run("status").stdout.split("not reached")[-1]
           and "not reached" in x.run("status").stdout, "status says it")
    for i in range(3, 6):
        x.drop(f"orders{i}.csv", orders(i))
        x.run("status")
    time.sleep(8)  # the usual pause is 5 seconds
    tries = len(re.findall(r"Connection (?:closed|reset) by authenticating "
                           r"user|Received disconnect|Connection closed by",
                           s.log()))
    assert tries <= 1, s.log()
    has_text(x.run("status").stdout.lower(), "login")
    equal(x.run("status", "--check", check=False).returncode, 1)


# ---- secrets

SECRETS = ("open sesame 7d1f", "swordfish 93ab", "kein sesam 55c2")


def private_parts(keys):
    """A line of each private key."""
    for name in ("ed25519", "locked", "rsa", "rsa-pem"):
        with open(f"{keys}/{name}") as f:
            yield f.read().splitlines()[3]


def processes_of(pid):
    from exchange import descendants
    return [pid] + descendants(pid)


def look_for_secrets(x, texts):
    secrets = [t.encode() for t in list(SECRETS) + list(private_parts(x.keys))]
    for where, text in texts:
        for secret in secrets:
            assert secret not in text, f"a secret in {where}"


def secrets_are_nowhere(x):
    s = x.server()
    p = x.server("proftpd", "proftpd")
    x.put("wrong", "kein sesam 55c2\n")
    os.chmod(x.path("wrong"), 0o600)
    both(x, s, f"passphrase {x.keys}/passphrase", key="locked")
    x.make("proftpd/files/in", "proftpd/files/out")
    x.partner("pro", p, f"password {x.keys}/password", key=None)
    x.partner("bad", s, f"passphrase {x.path('wrong')}", key="locked")
    x.partner("worse", p, f"password {x.path('wrong')}", key=None)
    for name in ("pro", "bad", "worse"):
        x.route(name, "shop inbox", name + " in", files=f"{name}*.csv")
        x.drop(name + "1.csv", orders(1))
    x.drop("orders1.csv", orders(1))
    x.start()
    x.wait(lambda: x.has("server/files/in/orders1.out") and
           x.has("proftpd/files/in/pro1.out"), "both are delivered")
    x.wait(lambda: says(x.read("log"), "bad", "passphrase") and
           says(x.read("log"), "partner worse"), "the wrong ones are told")
    texts = []
    for pid in processes_of(x.daemon.pid):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as f:
                texts.append((f"{pid}'s {name}", f.read()))
    assert len(texts) >= 6, "no couriers are at work"
    for pid in processes_of(x.daemon.pid)[1:]:  # core dumps
        with open(f"/proc/{pid}/limits") as f:
            core = re.search(r"Max core file size +(\d+|unlimited)", f.read())
        equal(core.group(1), "0")
    for args in (["status"], ["partner"], ["show", "1"], ["log"], ["check"],
                 ["status", "--json"], ["partner", "test", "wh"],
                 ["partner", "test", "bad"], ["partner", "test", "pro"],
                 ["partner", "test", "worse"], ["partner", "trust", "bad"]):
        r = x.run(*args, check=False)
        texts.append((" ".join(args), (r.stdout + r.stderr).encode()))
    x.stop()
    x.once(1)
    for folder, _, names in os.walk(x.dir):
        if folder.startswith(x.path("server")):
            continue
        for name in names:
            if name == "wrong" or "proftpd" in folder:
                continue
            with open(os.path.join(folder, name), "rb") as f:
                texts.append((os.path.join(folder, name), f.read()))
    assert any("ledger.db" in where for where, _ in texts)
    look_for_secrets(x, texts)


def secrets_that_others_may_read_are_not_used(x):
    s = x.server()
    both(x, s, f"passphrase {x.path('open')}", key="locked")
    x.put("open", "open sesame 7d1f\n")
    os.chmod(x.path("open"), 0o644)
    x.drop("orders1.csv", orders(1))
    said = x.once(1)
    has_text(said, "open")
    lacks_text(said, "sesame")
    has_text(x.run("check", check=False).stderr
             + x.run("check", check=False).stdout, "open")
    os.chmod(x.path("open"), 0o600)
    x.once()
    equal(x.names("server/files/in"), ["orders1.out"])


# ---- one line for all

def two_routes_use_one_line(x):
    s = x.server()
    both(x, s)
    os.makedirs(s.files + "/in2")
    x.route("up2", "shop inbox", "wh in2", files="more*.csv")
    x.start()
    for i in range(5):
        x.drop(f"orders{i}.csv", orders(i))
        x.drop(f"more{i}.csv", orders(10 + i))
        x.wait(lambda: x.has(f"server/files/in/orders{i}.out") and
               x.has(f"server/files/in2/more{i}.out"), "both")
    x.put("server/files/out/orders9.csv", orders(9))
    x.run("start", "down")
    x.delivered("orders9.out")
    equal(s.logins(), 1)


def several_connections_share_what_there_is_to_do(x):
    s = x.server()
    both(x, s, "connections 3")
    n = 600
    for i in range(n):
        x.put(f"shop/inbox/orders{i}.csv", orders(i))
    x.start()
    x.wait(lambda: sum(name.endswith(".out") for name in
                       x.names("server/files/in")) == n, "all orders", 40)
    equal({x.read(f"server/files/in/orders{i}.out") == result(i)
           for i in range(n)}, {True})
    if not 2 <= s.logins() <= 3:
        raise AssertionError(f"{s.logins()} logins")


def a_partner_with_another_address_is_not_the_one_before(x):
    """What was being renamed at the old one, nobody can know at the new."""
    x.make("old/in", "new/in")
    conf = ("partner wh\n  sftp {}\n  through /usr/lib/openssh/sftp-server "
            "-P rename,posix-rename\n  rest 0 seconds\n")
    x.add(conf.format(x.path("old")))
    x.route("up", "shop inbox", "wh in")
    x.start()
    x.drop("orders1.csv", orders(1))
    x.log_says("job 1 waits: wh in/orders1.out: rename")
    has_text(x.run("show", "1").stdout, "RENAMING")
    x.put("kervan.conf", x.read("kervan.conf")
          .replace(x.path("old"), x.path("new"))
          .replace(" -P rename,posix-rename", ""))
    x.daemon.send_signal(signal.SIGHUP)
    x.log_says("was reloaded")
    x.run("retry", "1")
    x.wait(lambda: "UNCONFIRMED" in x.run("show", "1").stdout, "unconfirmed")
    equal(x.names("new/in"), [])
    x.run("settle", "1", "resend")
    x.wait(lambda: x.has("new/in/orders1.out"), "it was sent once more")


def a_partner_who_moves_takes_what_was_not_begun_to_his_new_server(x):
    s = x.server()
    both(x, s)
    t = x.server(name="newserver")
    os.makedirs(t.files + "/in")
    os.makedirs(t.files + "/out")
    s.kill()
    x.drop("orders1.csv", orders(1))
    x.start()
    x.log_says("refused")
    x.put("kervan.conf", x.read("kervan.conf").replace(
        str(s.port), str(t.port)).replace(s.where, t.where))
    x.daemon.send_signal(signal.SIGHUP)
    x.wait(lambda: x.has("newserver/files/in/orders1.out"), "it goes there")


# ---- a newcomer

def partner_test_names_each_step_that_fails(x):
    s = x.server()
    both(x, s, "after fetch move done")
    has_text(x.run("partner", "test", "wh", check=False).stdout, "done")
    os.mkdir(s.files + "/done")
    p = x.run("partner", "test", "wh", check=False)
    equal(p.returncode, 0)
    for step in ("connect", "host key", "login", "transport"):
        has_text(p.stdout, step)
    equal(x.names("server/files/in"), [])
    equal([n for n in x.names("server/files/out") if n != ".claim"], [])
    os.rmdir(s.files + "/in")
    p = x.run("partner", "test", "wh", check=False)
    equal(p.returncode, 1)
    has_text(p.stdout, "in")
    s.kill()
    p = x.run("partner", "test", "wh", check=False)
    has_text(p.stdout, "FAILED")
    has_text(p.stdout, "refused")


SCENARIOS = [f for f in list(globals().values()) if getattr(
    f, "__module__", "") == __name__ and getattr(f, "__code__", None)
    and f.__code__.co_varnames[:f.__code__.co_argcount] == ("x",)]

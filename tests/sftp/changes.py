"""changes - scenarios of what people change while files are on their way: a
configuration that is reloaded, and a job that is tried again.
"""
import os
import resource
import signal
import time

from exchange import (descendants, equal, has_text, kill_tree, lacks_text,
                      orders, result)
from files import inbound, outbound


def servers_of(x):
    """The sftp-servers at the other ends of the lines."""
    found = []
    for pid in descendants(x.daemon.pid):
        try:
            with open(f"/proc/{pid}/comm") as f:
                if f.read().strip() == "sftp-server":
                    found.append(pid)
        except OSError:
            pass
    return found


def signal_servers(x, what):
    pids = servers_of(x)
    assert pids, "no server is at work"
    for pid in pids:
        os.kill(pid, what)


def change(x, *pairs):
    """Another configuration, and the daemon reads it."""
    text = x.read("kervan.conf")
    for old, new in pairs:
        has_text(text, old)
        text = text.replace(old, new)
    x.put("kervan.conf", text)
    n = x.read("log").count("was reloaded")
    x.daemon.send_signal(signal.SIGHUP)
    x.wait(lambda: x.read("log").count("was reloaded") > n, "reloaded")


def is_alive(x):
    equal(x.daemon.poll(), None)


def seconds_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sftp_of(x, options=""):
    return (f"partner wh\n  sftp {x.path('wh')}\n  through "
            f"/usr/lib/openssh/sftp-server{options}\n  rest 0 seconds\n"
            "  look every 10 seconds\n")


def a_folder_that_no_route_takes_from_any_more_costs_nothing(x):
    inbound(x)
    x.put("wh/out/orders1.csv", orders(1))
    x.start()
    x.delivered("orders1.out")
    x.settled(1, "DONE")
    change(x, ('from wh "out/', 'from shop "inbox/'))
    time.sleep(11)  # longer than `look`
    before = seconds_of(x.daemon.pid)
    time.sleep(2)
    assert seconds_of(x.daemon.pid) - before < 0.5, "it is busy with nothing"


def a_partner_gets_a_folder_while_a_delivery_is_on_its_way(x):
    x.make("wh/in", "there/in")
    x.add(sftp_of(x))
    x.route("up", "shop inbox", "wh in")
    x.start()
    x.drop("orders1.csv", orders(1))
    x.wait(lambda: x.has("wh/in/orders1.out"), "the line is up")
    x.settled(1, "DONE")
    signal_servers(x, signal.SIGSTOP)
    stopped = servers_of(x)
    x.drop("orders2.csv", orders(2))
    x.settled(2, "CONVERTED")
    time.sleep(0.5)
    change(x, (sftp_of(x), "partner wh\n  folder there\n"))
    time.sleep(0.5)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    x.settled(2, "DONE")
    is_alive(x)
    equal(x.names("wh/in"), ["orders1.out", "orders2.out"])
    equal(x.names("there/in"), [])
    x.drop("orders3.csv", orders(3))
    x.wait(lambda: x.has("there/in/orders3.out"), "the folder")


def a_partner_moves_while_a_delivery_is_on_its_way(x):
    """It ends where it began; the next one goes to his new server."""
    one, two = x.server(name="one"), x.server(name="two")
    x.make("one/files/in", "two/files/in")
    x.partner("wh", one)
    x.route("up", "shop inbox", "wh in")
    x.start()
    x.drop("orders1.csv", orders(1))
    x.wait(lambda: x.has("one/files/in/orders1.out"), "the line is up")
    x.settled(1, "DONE")
    kill_tree(int(one.read("pid")), signal.SIGSTOP)
    x.drop("orders2.csv", orders(2))
    x.settled(2, "CONVERTED")
    time.sleep(0.5)
    change(x, (f":{one.port}\n", f":{two.port}\n"), (one.where, two.where))
    x.drop("orders3.csv", orders(3))
    x.settled(3, "CONVERTED")
    time.sleep(0.5)
    kill_tree(int(one.read("pid")), signal.SIGCONT)
    x.settled(2, "DONE")
    x.settled(3, "DONE")
    equal(x.names("one/files/in"), ["orders1.out", "orders2.out"])
    equal(x.names("two/files/in"), ["orders3.out"])


def claimed_and_not_readable(x):
    """A file in .claim/ of a server that gives nobody its content."""
    x.make("wh/out")
    x.add(sftp_of(x, " -P read"))
    x.route("down", "wh out", "erp in")
    x.put("wh/out/orders1.csv", orders(1))
    x.start()
    x.log_says("orders1.csv cannot be fetched")
    equal(len(x.names("wh/out/.claim")), 1)


def a_partner_gets_a_folder_and_his_claimed_file_is_not_forgotten(x):
    claimed_and_not_readable(x)
    x.make("there/out")
    change(x, (sftp_of(x, " -P read"), "partner wh\n  folder there\n"))
    x.log_says("orders1.csv is claimed on a server")
    x.put("there/out/orders2.csv", orders(2))
    x.delivered("orders2.out")
    change(x, ("partner wh\n  folder there\n", sftp_of(x)))
    x.delivered("orders1.out", 30)
    equal(x.names("wh/out/.claim"), [])
    is_alive(x)


def a_claimed_file_without_a_route_waits_for_its_return(x):
    claimed_and_not_readable(x)
    change(x, ("out/orders*", "out/other*"), (" -P read", ""))
    x.log_says("orders1.csv is claimed, and no route takes it any more")
    is_alive(x)
    change(x, ("out/other*", "out/orders*"))
    x.delivered("orders1.out", 30)
    x.settled(1, "DONE")


def a_claimed_file_that_is_to_be_kept_now_is_fetched_and_goes_back(x):
    claimed_and_not_readable(x)
    change(x, (" -P read", ""),
           ("  rest 0 seconds\n", "  rest 0 seconds\n  after fetch keep\n"))
    x.delivered("orders1.out", 30)
    x.wait(lambda: x.names("wh/out") == [".claim", "orders1.csv"], "it is back")
    equal(x.names("wh/out/.claim"), [])
    x.put("wh/out/orders2.csv", orders(2))
    x.delivered("orders2.out", 30)
    x.wait(lambda: len(x.archived()) == 2, "two files, each once")


def what_was_fetched_before_files_are_kept_is_not_removed(x):
    inbound(x, "after fetch move done")
    x.put("wh/out/orders1.csv", orders(1))
    x.start()
    x.log_says("is not moved yet")
    change(x, ("after fetch move done", "after fetch keep"))
    x.run("retry", "1", check=False)
    x.wait(lambda: x.has("wh/out/orders1.csv"), "it is back", 40)
    x.put("wh/out/orders2.csv", orders(2))
    x.delivered("orders2.out", 30)
    x.settled(2, "DONE")
    equal(x.names("wh/out"), [".claim", "orders1.csv", "orders2.csv"])
    x.wait(lambda: len(x.archived()) == 2, "two files, each once")


def a_person_tries_again_what_is_just_looked_at(x):
    outbound(x)
    x.put("wh/in/orders1.out", "theirs")
    x.start()
    x.drop("orders1.csv", orders(1))
    x.settled(1, "HELD")
    x.drop("orders2.csv", orders(2))
    x.wait(lambda: x.has("wh/in/orders2.out"), "the line is up")
    x.settled(2, "DONE")
    signal_servers(x, signal.SIGSTOP)
    stopped = servers_of(x)
    time.sleep(32)  # names that were taken are looked at every 30 seconds
    os.unlink(x.path("wh/in/orders1.out"))
    x.run("retry", "1")
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    x.settled(1, "DONE")
    is_alive(x)
    equal(x.read("wh/in/orders1.out"), result(1))


def what_is_on_its_way_cannot_be_held(x):
    outbound(x)
    x.start()
    x.drop("orders1.csv", orders(1))
    x.wait(lambda: x.has("wh/in/orders1.out"), "the line is up")
    x.settled(1, "DONE")
    signal_servers(x, signal.SIGSTOP)
    stopped = servers_of(x)
    x.drop("orders2.csv", orders(2))
    x.settled(2, "CONVERTED")
    time.sleep(0.5)
    p = x.run("hold", "2")
    has_text(p.stdout + p.stderr, "it is being delivered")
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    x.settled(2, "DONE")


def a_folder_of_temporary_names_that_is_gone_proves_nothing(x):
    x.make("wh/parts")
    x.add(sftp_of(x) + "  temp parts\n")
    x.route("up", "shop inbox", "wh in")
    x.start()
    x.drop("orders1.csv", orders(1))
    x.log_says("job 1 waits: wh in/orders1.out: rename")
    os.rename(x.path("wh/parts"), x.path("gone"))
    x.make("wh/in")
    x.run("retry", "1")
    x.wait(lambda: "UNCONFIRMED" in x.run("show", "1").stdout, "unconfirmed")


def a_name_that_is_free_again_is_found_among_many_that_are_not(x):
    n = 70  # more than are looked at together
    outbound(x)
    for i in range(n):
        x.put(f"wh/in/orders{i:02}.out", "theirs")
        x.put(f"shop/inbox/orders{i:02}.csv", orders(i))
    x.start()
    x.wait(lambda: x.state(n) == "HELD", "all are held", 30)
    time.sleep(1)
    has_text(x.run("show", str(n)).stdout, "orders69.out")
    os.unlink(x.path("wh/in/orders69.out"))
    x.wait(lambda: x.state(n) == "DONE", "the last one", 75)


def too_few_descriptors_are_no_reason_to_hold_a_file(x):
    n = 100
    x.make("wh/in")
    x.add(sftp_of(x).replace("/usr/lib/openssh/sftp-server", "/bin/false"))
    x.route("up", "shop inbox", "wh in")
    for i in range(n):
        x.put(f"shop/inbox/orders{i}.csv", orders(i))
    x.start()
    x.settled(n, "CONVERTED")
    most = max(int(fd) for fd in os.listdir(f"/proc/{x.daemon.pid}/fd")) + 50
    resource.prlimit(x.daemon.pid, resource.RLIMIT_NOFILE, (most, most))
    change(x, ("/bin/false", "/usr/lib/openssh/sftp-server"))
    x.wait(lambda: sum(name.endswith(".out") for name in x.names("wh/in")) == n,
           "all of them", 60)
    lacks_text(x.read("log"), "held")


SCENARIOS = [f for f in list(globals().values()) if getattr(
    f, "__module__", "") == __name__ and getattr(f, "__code__", None)
    and f.__code__.co_varnames[:f.__code__.co_argcount] == ("x",)
    and f.__name__ not in ("servers_of", "change", "is_alive")]

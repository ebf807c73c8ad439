"""files - scenarios of what travels: which files are taken from a server, what
becomes of them there, and how results come to lie where they belong.
"""
import os
import threading
import time

from exchange import (OPENSSH, Skip, daemon, equal, has_text, lacks_text,
                      orders, result)

ODD_NAMES = ("orders 1.csv", "orders'2'.csv", 'orders"3".csv',
             "orders-\u017elu\u0165ou\u010dk\u00fd.csv", "orders#$;&.csv",
             "orders\\5.csv", "orders-" + "x" * 189 + ".csv")


# ---- both directions, each kind of server

def both_ways(kind):
    def scenario(x):
        s = x.server(kind)
        x.make("server/files/in", "server/files/out")
        x.partner("wh", s)
        x.route("up", "shop inbox", "wh in")
        x.route("down", "wh out", "erp in")
        sent = {f"orders{i}.csv": orders(10 * i, i % 3 + 1)
                for i in range(1, 6)}
        sent["orders-big.csv"] = orders(1000, 40000)
        more = {name: f"{100 + i},SKU,1\n"  # the same file was there before
                for i, name in enumerate(sent, 1)}
        for name, text in sent.items():
            x.drop(name, text)
            x.put(f"server/files/out/{name}", text + more[name])
        x.once()
        equal(x.names("server/files/out"), [".claim"])
        equal(x.names("server/files/out/.claim"), [])
        for i in range(1, 6):
            equal(x.read(f"server/files/in/orders{i}.out"),
                  result(10 * i, i % 3 + 1))
            equal(x.read(f"erp/in/orders{i}.out"),
                  result(10 * i, i % 3 + 1) + f"{100 + i},1\n")
        equal(x.read("server/files/in/orders-big.out"), result(1000, 40000))
        equal(len(x.names("server/files/in")), 6)
        equal(len(x.names("erp/in")), 6)
        equal(x.archived(), sorted(list(sent.values())
                                   + [t + more[n] for n, t in sent.items()]))
        equal(x.once(), "")
        x.put("server/files/out/orders7.csv", orders(7))
        x.start()
        x.drop("orders8.csv", orders(8))
        x.delivered("orders7.out")
        x.wait(lambda: x.has("server/files/in/orders8.out"), "orders8")
        equal(x.stop(), 0)
        equal(x.names("server/files/in")[-1], "orders8.out")
        equal(s.logins() if kind != "proftpd" else 3, 3)
    scenario.__name__ = "both_ways_with_" + kind
    return scenario


BOTH_WAYS = [both_ways(kind) for kind in OPENSSH + ("proftpd",)]


# ---- which files are taken

def inbound(x, *lines, route=(), **options):
    """Files of wh/out go to erp/in, by an sftp-server on pipes."""
    x.make("wh/out")
    x.through("wh", *lines, **options)
    x.route("down", "wh out", "erp in", *route)


def a_file_that_grows_is_not_taken_before_it_rests(x):
    inbound(x, rest=2)
    x.put("wh/out/orders1.csv", orders(1))
    x.start()
    for i in range(2, 6):
        time.sleep(0.8)
        x.put("wh/out/orders1.csv", f"{i},SKU,1\n", "a")
    x.delivered("orders1.out", 20)
    equal(x.read("erp/in/orders1.out"), result(1, 5))
    equal(x.names("erp/in"), ["orders1.out"])


def once_does_not_wait_for_a_file_that_grows_for_ever(x):
    inbound(x, rest=1)
    x.put("wh/out/orders1.csv", orders(1))
    x.put("wh/out/orders2.csv", orders(2))
    over = threading.Event()

    def grow():
        while not over.wait(0.2):
            x.put("wh/out/orders1.csv", "9,SKU,1\n", "a")
    sender = threading.Thread(target=grow)
    sender.start()
    try:
        began = time.monotonic()
        x.run("once")
        assert time.monotonic() - began < 8 * daemon.SLOW, "it takes too long"
        equal(x.names("erp/in"), ["orders2.out"])
    finally:
        over.set()
        sender.join()


def a_file_with_a_trigger_waits_for_it(x):
    inbound(x, route=["trigger .done"], rest=30)
    for i in (1, 2, 3):
        x.put(f"wh/out/orders{i}.csv", orders(i))
    x.put("wh/out/orders1.csv.done", "")
    x.put("wh/out/orders2.done", "")
    began = time.monotonic()
    x.once()
    assert time.monotonic() - began < 8 * daemon.SLOW, "it waits for nothing"
    equal(x.names("erp/in"), ["orders1.out", "orders2.out"])
    equal(x.names("wh/out"), [".claim", "orders3.csv"])


def unfinished_names_folders_and_links_are_left_alone(x):
    inbound(x)
    left = [".orders1.csv", "orders2.csv.part", "orders3.csv.filepart",
            "orders4.csv.tmp", "~$orders5.csv", "other.csv"]
    for name in left:
        x.put("wh/out/" + name, orders(1))
    x.make("wh/out/orders6.csv")
    os.symlink("/etc/passwd", x.path("wh/out/orders7.csv"))
    os.mkfifo(x.path("wh/out/orders8.csv"))
    x.run("once")
    equal(x.names("erp/in"), [])
    equal(sorted(set(x.names("wh/out")) - {".claim"}),
          sorted(left + ["orders6.csv", "orders7.csv", "orders8.csv"]))
    x.put("wh/out/orders9.csv", orders(9))
    x.run("once")
    equal(x.names("erp/in"), ["orders9.out"])


def names_with_blanks_quotes_and_letters_of_all_kinds_come_through(x):
    x.make("wh/in", "wh/out")
    x.through("wh")
    x.route("down", "wh out", "erp in")
    x.route("up", "shop inbox", "wh in")
    for i, name in enumerate(ODD_NAMES):
        x.put("wh/out/" + name, orders(i))
        x.drop(name, orders(50 + i))
    x.once()
    equal(x.names("wh/out"), [".claim"])
    wanted = sorted(n[:-4].translate({34: 95, 92: 95}) + ".out"
                    for n in ODD_NAMES)  # what Windows has no names for
    equal(x.names("erp/in"), wanted)
    equal(x.names("wh/in"), wanted)


def two_thousand_files_come_through_each_once_in_one_run(x):
    inbound(x)
    for i in range(2000):
        x.put(f"wh/out/orders{i}.csv", orders(i))
    x.once()
    equal(x.names("wh/out"), [".claim"])
    equal(x.names("wh/out/.claim"), [])
    equal(sorted(x.names("erp/in")), sorted(f"orders{i}.out"
                                            for i in range(2000)))


def one_of_twenty_thousand_names_is_ours(x):
    inbound(x)
    for i in range(20000):
        os.close(os.open(x.path(f"wh/out/picture-{i:06}.jpg"),
                         os.O_CREAT | os.O_WRONLY))
    x.put("wh/out/orders1.csv", orders(1))
    began = time.monotonic()
    x.once()
    equal(x.names("erp/in"), ["orders1.out"])
    assert time.monotonic() - began < 5 * daemon.SLOW, "it takes too long"


def an_empty_file_waits(x):
    inbound(x)
    x.put("wh/out/orders1.csv", "")
    x.run("once")
    equal(x.names("erp/in"), [])
    x.put("wh/out/orders1.csv", orders(1))
    x.once()
    equal(x.names("erp/in"), ["orders1.out"])


# ---- what becomes of them

def after_fetch_move_keeps_two_files_of_one_name(x):
    inbound(x, "after fetch move done")
    x.make("wh/done")
    for i in (1, 2):
        x.put("wh/out/orders1.csv", orders(i))
        x.once()
        os.unlink(x.path("erp/in/orders1.out"))
    names = x.names("wh/done")
    equal(len(names), 2)
    equal(sorted(x.read("wh/done/" + n) for n in names),
          [orders(1), orders(2)])
    equal(x.names("wh/out"), [".claim"])
    equal(x.names("wh/out/.claim"), [])


def a_missing_folder_of_fetched_files_is_told_and_nothing_comes_twice(x):
    inbound(x, "after fetch move done")
    x.put("wh/out/orders1.csv", orders(1))
    said = x.run("once")
    equal(x.names("erp/in"), ["orders1.out"])
    has_text(said.stderr + said.stdout, "done")
    x.run("once")
    x.make("wh/done")
    x.once()
    equal(x.names("wh/done"), ["orders1.csv"])
    equal(x.names("erp/in"), ["orders1.out"])


def a_kept_file_is_taken_once_and_again_when_it_changes(x):
    inbound(x, "after fetch keep")
    x.put("wh/out/orders1.csv", orders(1))
    x.once()
    equal(x.names("wh/out"), ["orders1.csv"])
    equal(x.once(), "")
    x.start()
    x.log_says("at work")
    time.sleep(0.5)
    equal(x.stop(), 0)
    equal(x.state(2), None)
    x.put("wh/out/orders1.csv", orders(5, 2))
    os.unlink(x.path("erp/in/orders1.out"))
    x.once()
    equal(x.read("erp/in/orders1.out"), result(5, 2))
    equal(x.once(), "")
    equal(x.names("wh/out"), ["orders1.csv"])


def a_kept_file_with_the_same_size_and_another_time_is_another_one(x):
    inbound(x, "after fetch keep")
    x.put("wh/out/orders1.csv", orders(1))
    x.once()
    os.unlink(x.path("erp/in/orders1.out"))
    x.put("wh/out/orders1.csv", orders(2))
    os.utime(x.path("wh/out/orders1.csv"), (1e9, 1e9))  # and older
    x.once()
    equal(x.read("erp/in/orders1.out"), result(2))


def of_a_server_where_nothing_may_change_each_file_comes_once(x):
    x.make("wh/out")
    x.add("partner wh\n  sftp " + x.path("wh") + "\n  through "
          "/usr/lib/openssh/sftp-server -R\n  rest 0 seconds\n")
    x.route("down", "wh out", "erp in")
    x.put("wh/out/orders1.csv", orders(1))
    said = x.run("once")
    has_text(said.stdout + said.stderr, "cannot be removed")
    equal(x.names("erp/in"), ["orders1.out"])
    for _ in range(2):
        os.unlink(x.path("erp/in/orders1.out")) if x.names("erp/in") else None
        x.run("once")
        equal(x.names("erp/in"), [])
    equal(x.names("wh/out"), ["orders1.csv"])
    x.put("wh/out/orders1.csv", orders(2, 2))
    x.run("once")
    equal(x.read("erp/in/orders1.out"), result(2, 2))


def a_file_that_nobody_may_read_holds_up_no_other(x):
    daemon.need_root()
    inbound(x)
    x.put("wh/out/orders1.csv", orders(1))
    x.put("wh/out/orders2.csv", orders(2))
    x.as_nobody()
    os.chmod(x.path("wh/out/orders1.csv"), 0)
    os.chown(x.path("wh/out/orders1.csv"), 0, 0)
    said = x.run("once")
    equal(x.names("erp/in"), ["orders2.out"])
    has_text(said.stdout + said.stderr, "orders1.csv")
    has_text(x.run("status").stdout, "orders1.csv")
    for folder, _, names in os.walk(x.path("wh/out")):
        for name in names:
            os.chown(os.path.join(folder, name), daemon.NOBODY, daemon.NOBODY)
            os.chmod(os.path.join(folder, name), 0o600)
    x.once()
    equal(x.names("erp/in"), ["orders1.out", "orders2.out"])


def a_file_that_was_claimed_by_one_who_died_is_fetched(x):
    inbound(x)
    x.put("script", "#!/bin/sh\n[ -f " + x.path("well")
          + " ] || exec /usr/lib/openssh/sftp-server -P read\n"
          "exec /usr/lib/openssh/sftp-server\n")
    os.chmod(x.path("script"), 0o755)
    x.put("kervan.conf", x.read("kervan.conf").replace(
        "/usr/lib/openssh/sftp-server", x.path("script")))
    x.put("wh/out/orders1.csv", orders(1))
    x.run("once")  # it is claimed, and cannot be read
    equal(x.names("wh/out"), [".claim"])
    x.put("wh/out/orders1.csv", orders(2, 2))  # the sender's next one
    x.put("well", "")
    x.run("once")
    os.unlink(x.path("erp/in/orders1.out"))
    x.once()
    equal(x.archived(), [orders(1), orders(2, 2)])
    equal(x.names("wh/out/.claim"), [])


# ---- delivering

def outbound(x, *lines, route=(), **options):
    x.make("wh/in")
    x.through("wh", *lines, **options)
    x.route("up", "shop inbox", "wh in", *route)


def a_name_that_is_taken_waits_until_it_is_free(x):
    outbound(x)
    x.put("wh/in/orders1.out", "theirs")
    x.drop("orders1.csv", orders(1))
    x.run("once")
    equal(x.read("wh/in/orders1.out"), "theirs")
    equal(x.names("wh/in"), ["orders1.out"])
    has_text(x.run("status").stdout, "orders1.out")
    os.unlink(x.path("wh/in/orders1.out"))
    x.once()
    equal(x.read("wh/in/orders1.out"), result(1))
    equal(x.state(1), "DONE")


def a_name_that_our_own_file_has_is_not_taken(x):
    """As a rename leaves it that was done after its line was lost."""
    outbound(x)
    x.put("wh/in/orders1.out", result(1))
    x.drop("orders1.csv", orders(1))
    x.once()
    equal(x.state(1), "DONE")
    equal(x.names("wh/in"), ["orders1.out"])


def exists_replace_takes_the_place(x):
    outbound(x, "exists replace")
    x.put("wh/in/orders1.out", "theirs, which is much longer than ours is\n")
    x.drop("orders1.csv", orders(1))
    x.once()
    equal(x.read("wh/in/orders1.out"), result(1))
    equal(x.names("wh/in"), ["orders1.out"])


def exists_replace_without_posix_rename(x):
    x.make("wh/in")
    x.add("partner wh\n  sftp " + x.path("wh") + "\n  through "
          "/usr/lib/openssh/sftp-server -P posix-rename\n  exists replace\n")
    x.route("up", "shop inbox", "wh in")
    x.put("wh/in/orders1.out", "theirs")
    x.drop("orders1.csv", orders(1))
    x.once()
    equal(x.read("wh/in/orders1.out"), result(1))
    equal(x.names("wh/in"), ["orders1.out"])


def exists_keep_both_numbers_the_second(x):
    outbound(x, "exists keep both")
    x.put("wh/in/orders1.out", "theirs")
    x.drop("orders1.csv", orders(1))
    x.once()
    equal(len(x.names("wh/in")), 2)
    equal(x.read("wh/in/orders1.out"), "theirs")
    other = [n for n in x.names("wh/in") if n != "orders1.out"][0]
    has_text(other, "1")
    equal(x.read("wh/in/" + other), result(1))


def exists_fail_holds_it(x):
    outbound(x, "exists fail")
    x.put("wh/in/orders1.out", "theirs")
    x.drop("orders1.csv", orders(1))
    x.once(1)
    equal(x.names("wh/in"), ["orders1.out"])
    equal(x.read("wh/in/orders1.out"), "theirs")


def a_trigger_follows_what_is_delivered(x):
    outbound(x, "trigger .done")
    x.drop("orders1.csv", orders(1))
    x.once()
    equal(x.names("wh/in"), ["orders1.out", "orders1.out.done"])
    equal(x.read("wh/in/orders1.out.done"), "")


def temporary_names_lie_in_the_folder_for_them(x):
    x.make("wh/tmp")
    outbound(x, "temp tmp")
    os.chmod(x.path("wh/tmp"), 0o700)
    x.drop("orders1.csv", orders(1))
    x.once()
    equal(x.names("wh/in"), ["orders1.out"])
    equal(x.names("wh/tmp"), [])
    assert os.stat(x.path("wh/tmp")).st_mtime > os.stat(
        x.path("w.map")).st_mtime


STOCK = ("stock.csv", "read stock from csv\n  delimiter ,\nsku = sku required\n"
         "free = n\n", "write stock to csv\n  delimiter ,\n  newline lf\n"
         '  file "stock.csv"\nrow\n  sku = sku\n  free = free\n')


def stock_route(x):
    x.put("rs.map", STOCK[1])
    x.put("ws.map", STOCK[2])
    x.route("stock", "shop inbox", "wh in", files="stock*.csv", read="rs",
            write="ws")


def an_older_snapshot_never_replaces_a_newer_one(x):
    x.through("wh")
    stock_route(x)
    x.drop("stock1.csv", "sku,n\nA,1\n")
    x.run("once")  # the folder is missing
    x.drop("stock2.csv", "sku,n\nA,2\n")
    x.run("once")
    x.make("wh/in")
    x.run("retry", "1")
    x.once()
    equal(x.read("wh/in/stock.csv"), "sku,free\nA,2\n")
    x.run("resend", "1")
    x.run("once")
    equal(x.read("wh/in/stock.csv"), "sku,free\nA,2\n")
    equal(x.names("wh/in"), ["stock.csv"])


def a_wrong_file_comes_back_to_the_server(x):
    inbound(x, route=["report always"])
    x.put("wh/out/orders1.csv", "n,sku,q\n,SKU,1\n")
    x.put("wh/out/orders2.csv", "n,sku,q\n1,SKU,1\n,SKU,1\n")
    x.put("wh/out/orders3.csv", orders(3))
    x.put("wh/out/orders4.csv", "a file of another kind\n")
    x.once(1)
    back = x.names("wh/rejected")
    for n in (1, 2, 4):
        assert any(name.endswith("report.txt") and f"orders{n}" in name
                   for name in back), back
    equal([x.read("wh/rejected/" + n) for n in back
           if n.endswith("-orders4.csv")], ["a file of another kind\n"])
    equal(len(x.names("wh/reports")), 1)
    has_text(x.names("wh/reports")[0], "orders3")


def a_missing_folder_is_named_and_waited_for(x):
    x.through("wh")
    x.route("up", "shop inbox", "wh in")
    x.drop("orders1.csv", orders(1))
    said = x.once(1)
    has_text(said, "wh in/orders1.out")
    assert not x.has("wh/in"), "a folder was made"
    x.make("wh/in")
    x.once()
    equal(x.names("wh/in"), ["orders1.out"])


def a_folder_without_permission_is_named_and_waited_for(x):
    daemon.need_root()
    outbound(x)
    x.as_nobody()
    os.chown(x.path("wh/in"), 0, 0)
    os.chmod(x.path("wh/in"), 0o755)
    x.drop("orders1.csv", orders(1))
    has_text(x.once(1).lower(), "permission denied")
    os.chown(x.path("wh/in"), daemon.NOBODY, daemon.NOBODY)
    x.once()
    equal(x.names("wh/in"), ["orders1.out"])


def a_full_server_is_waited_for_and_gets_no_half_file(x):
    x.make("wh/in")
    x.put("limit", "8")
    x.put("small", "#!/bin/sh\ntrap '' XFSZ\nulimit -f $(cat "
          + x.path("limit") + ")\nexec /usr/lib/openssh/sftp-server\n")
    os.chmod(x.path("small"), 0o755)
    x.add(f"partner wh\n  sftp {x.path('wh')}\n"
          f"  through {x.path('small')}\n")
    x.route("up", "shop inbox", "wh in")
    x.drop("orders1.csv", orders(1, 5000))
    said = x.once(1)
    has_text(said, "wh in/orders1.out")
    assert "orders1.out" not in x.names("wh/in")
    x.drop("orders2.csv", orders(6000))
    x.run("once")
    x.put("limit", "1000")
    x.once()
    equal(x.names("wh/in"), ["orders1.out", "orders2.out"])
    equal(x.read("wh/in/orders1.out"), result(1, 5000))


def a_full_disk_of_the_server_is_waited_for(x):
    outbound(x)
    x.mount("wh/in", "64k")
    x.drop("orders1.csv", orders(1, 30000))
    x.once(1)
    assert "orders1.out" not in x.names("wh/in")
    x.drop("orders2.csv", orders(40000))
    x.run("once")
    daemon.subprocess.run(["mount", "-o", "remount,size=10m",
                           x.path("wh/in")], check=True)
    x.once()
    equal(x.names("wh/in"), ["orders1.out", "orders2.out"])
    equal(x.read("wh/in/orders1.out"), result(1, 30000))


def mode_test_leaves_the_server_as_it_is(x):
    x.make("wh/in", "wh/out")
    x.through("wh")
    x.route("up", "shop inbox", "wh in", "mode test")
    x.drop("orders1.csv", orders(1))
    before = os.stat(x.path("wh/in")).st_mtime_ns
    x.once()
    equal(x.names("wh/in"), [])
    equal(os.stat(x.path("wh/in")).st_mtime_ns, before)
    equal(x.read("spool/test/up/wh/in/orders1.out"), result(1))


# ---- when

def by_hand_waits_for_start(x):
    inbound(x, route=["by hand"])
    x.put("wh/out/orders1.csv", orders(1))
    x.start()
    time.sleep(0.5)
    equal(x.names("erp/in"), [])
    equal(x.names("wh/out"), ["orders1.csv"])
    x.run("start", "down")
    x.delivered("orders1.out")
    x.put("wh/out/orders2.csv", orders(2))
    time.sleep(0.5)
    equal(x.names("erp/in"), ["orders1.out"])
    x.run("start", "down")
    x.delivered("orders2.out")


def by_hand_once_takes_what_it_names(x):
    inbound(x, route=["by hand"])
    x.put("wh/out/orders1.csv", orders(1))
    x.once()
    equal(x.names("wh/out"), ["orders1.csv"])
    x.once(0, "down")
    equal(x.names("erp/in"), ["orders1.out"])


def every_two_minutes_looks_at_its_slot_alone(x):
    inbound(x, route=["every 2 minutes"])
    x.put("wh/out/orders1.csv", orders(1))
    x.start()
    x.delivered("orders1.out")
    x.put("wh/out/orders2.csv", orders(2))
    time.sleep(12)  # longer than `look`
    equal(x.names("wh/out"), [".claim", "orders2.csv"])


def start_looks_at_once(x):
    x.make("wh/out")
    x.add("partner wh\n  sftp " + x.path("wh") + "\n  through "
          "/usr/lib/openssh/sftp-server\n  rest 0 seconds\n"
          "  look every 10 minutes\n")
    x.route("down", "wh out", "erp in")
    x.start()
    time.sleep(0.5)
    x.put("wh/out/orders1.csv", orders(1))
    x.run("start", "down")
    x.delivered("orders1.out")


def orders_wait_for_their_cards(x):
    x.make("wh/in")
    x.through("wh")
    x.put("rc.map", "read order from csv\n  delimiter ,\nnumber = number\n"
          "customer.email = email\n")
    x.put("wc.map", "write order to csv\n  delimiter ,\n  file "
          "\"{file.base}.out\"\neach order\n  row\n    number = number\n")
    x.put("cards.map", "write customer to csv\n  delimiter ,\n  file "
          "\"cards.out\"\nrow\n  email = email\n")
    x.route("up", "shop inbox", "wh in", "create customer cards.map",
            read="rc", write="wc")
    x.put("wh/in/cards.out", "theirs\n")
    x.drop("orders1.csv", "number,email\n1,a@shop.example\n")
    x.once(1)
    x.drop("orders2.csv", "number,email\n2,a@shop.example\n")
    x.once(1)
    equal(x.names("wh/in"), ["cards.out"])
    has_text(x.run("status").stdout, "waits for the cards in cards.out, job 1")
    os.unlink(x.path("wh/in/cards.out"))
    x.once()
    equal(x.names("wh/in"), ["cards.out", "orders1.out", "orders2.out"])
    equal(x.read("wh/in/cards.out"), "email\na@shop.example\n")


SCENARIOS = BOTH_WAYS + [f for f in list(globals().values()) if getattr(
    f, "__module__", "") == __name__ and getattr(f, "__code__", None)
    and f.__code__.co_varnames[:f.__code__.co_argcount] == ("x",)]

# SPDX-License-Identifier: MIT
"""What Prometheus reads: well-formed, true, bounded; the dashboard and the alerts fit it; attacks on it."""
import http.client
import json
import os
import re
import resource
import socket
import unittest

import harness

CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "config")
RULES = os.path.join(CONFIG, "prometheus", "nflogd.rules.yaml")
DASHBOARD = os.path.join(CONFIG, "grafana", "nflogd.json")
SERIES = re.compile(r'^([a-z_]+)(?:\{(.*)\})? ([0-9.]+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def promtool(*args, **options):
    return harness.run(harness.tool("usr/bin/promtool"), *args, **options)


class Page:
    """What was read, by name and labels."""

    def __init__(self, text):
        self.text = text
        self.series = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = SERIES.match(line).groups()
            key = (name, frozenset(LABEL.findall(labels or "")))
            assert key not in self.series, line
            self.series[key] = float(value)

    def names(self):
        return {name for name, _ in self.series}

    def sum(self, name, **labels):
        found = [value for (n, have), value in self.series.items()
                 if n == name and labels.items() <= dict(have).items()]
        assert found, (name, labels)
        return sum(found)


class Metrics(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.ns = self.netns("red")
        self.ns.sink('udp dport 9 log prefix "red" group 100\n'
                     'udp dport 10 log prefix "} 1 evil_total" group 100')
        self.port = harness.free_port()

    def config(self, **tenant):
        return {"metrics": {"listen": f"127.0.0.1:{self.port}"},
                "history": {"bytes_per_source": "128K"},
                "tenants": [dict({"name": "red", "identities": [{"unix_uid": os.getuid()}],
                                  "sources": [{"netns": self.ns.name, "groups": [100, 101]}]}, **tenant),
                            {"name": "blue", "identities": [{"unix_uid": 4711}],
                             "sources": [{"netns": self.ns.name, "groups": [100]}]}]}

    def serve(self, **tenant):
        self.serving = self.daemon(config=self.config(**tenant), environment={
            "ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"})

    def ask(self, method="GET", path="/metrics"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=harness.PATIENCE_S)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()

    def page(self):
        response, text = self.ask()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        return Page(text)

    def wait_page(self, what, condition):
        """A page for which condition(page) holds: they are made anew after 0.1 s."""
        def look():
            page = self.page()
            return page if condition(page) else None
        return harness.wait_until(what, look)

    # --- what is told -------------------------------------------------------------------------

    def test_promtool_has_nothing_to_complain_about(self):
        self.serve()
        self.ns.send_udp("10.99.0.7", 9, count=3)
        page = self.wait_page("the packets", lambda p: p.sum("nflogd_source_packets_total") == 3)
        self.assertEqual(promtool("check", "metrics", input=page.text.encode()), "")
        for name in page.names():
            self.assertIn(f"# HELP {name} ", page.text)
            self.assertEqual(f"# TYPE {name} counter\n" in page.text, name.endswith("_total"), name)
        self.assertEqual(page.sum("nflogd_source_listening", netns=self.ns.name, group="100"), 1)
        self.assertEqual(page.sum("nflogd_subscriptions_started_total", tenant="blue"), 0)
        self.assertGreater(page.sum("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(page.sum("process_cpu_seconds_total"), 0)

    def test_nothing_of_a_packet_becomes_a_label(self):
        self.serve()
        before = set(self.page().series)
        self.ns.send_udp("10.99.0.7", 10, count=3)
        page = self.wait_page("the packets", lambda p: p.sum("nflogd_source_packets_total") == 3)
        self.assertEqual(set(page.series), before)
        self.assertEqual({label for _, labels in before for label, _ in labels},
                         {"netns", "group", "tenant", "stage", "result", "reason", "version"})

    def test_the_loss_equation_holds_in_metrics(self):
        """Both streams are held to 1000 packets a second; one of them has a filter."""
        self.serve(limits={"packets_per_second": 1000})
        streams = [self.subscribe(self.serving),
                   self.subscribe(self.serving, exclude=[{"destination_port": [{"first": 9, "last": 9}]}])]
        self.ns.generate(5000)
        generated = 5000

        def is_settled(page):
            held = page.sum("nflogd_source_packets_total")
            lost = page.sum("nflogd_source_lost_packets_total")
            told = sum(page.sum(f"nflogd_subscription_packets_{what}", tenant="red")
                       for what in ("sent_total", "filtered_total", "lost_total", "pending"))
            return held + lost == generated and told == len(streams) * generated
        page = self.wait_page("generated = sent + filtered + lost, for both", is_settled)
        self.assertEqual(page.sum("nflogd_subscription_packets_pending"), 0)
        self.assertGreater(page.sum("nflogd_subscription_packets_lost_total", stage="rate_limit"), 0)
        seen = sum(len(s.packets) + s.lost() for s in streams)
        self.assertEqual(seen, page.sum("nflogd_subscription_packets_sent_total")
                         + page.sum("nflogd_subscription_packets_lost_total"))
        for stream in streams:
            stream.cancel()
        after = self.wait_page("no subscription", lambda p: p.sum("nflogd_subscriptions") == 0)
        for what in ("sent", "filtered", "lost"):  # counters outlive what has counted
            name = f"nflogd_subscription_packets_{what}_total"
            self.assertEqual(after.sum(name), page.sum(name))
        self.assertEqual(after.sum("nflogd_subscriptions_started_total", tenant="red"), 2)

    def test_reloads_and_refusals_are_counted(self):
        self.serve()
        self.serving.reload(self.config(limits={"subscriptions": 3}))
        self.serving.reload(dict(self.config(), colour="red"))
        page = self.wait_page("the refusal", lambda p: p.sum("nflogd_config_reloads_total") == 2)
        self.assertEqual(page.sum("nflogd_config_reloads_total", result="applied"), 1)
        self.assertEqual(page.sum("nflogd_config_last_reload_successful"), 0)
        self.serving.reload(self.config())
        self.wait_page("the next", lambda p: p.sum("nflogd_config_last_reload_successful") == 1)

    def test_a_namespace_with_a_strange_name_is_one_label(self):
        strange = harness.Netns('a"b\\c')
        self.addCleanup(strange.delete)
        config = self.config(sources=[{"netns": f"nfl{os.getpid()}-a*", "groups": [100]}])
        self.serving = self.daemon(config=config)
        page = self.page()
        self.assertEqual(page.sum("nflogd_source_listening",
                                  netns=f'nfl{os.getpid()}-a\\"b\\\\\\\\c'), 1)
        self.assertEqual(promtool("check", "metrics", input=page.text.encode()), "")

    def test_beyond_loopback_only_when_asked_for(self):
        config = self.config()
        config["metrics"]["listen"] = f"0.0.0.0:{self.port}"
        with self.assertRaisesRegex(AssertionError, "remote: true"):
            self.daemon(config=config)
        config["metrics"]["remote"] = True
        self.serving = self.daemon(config=config)
        self.assertIn("config.metrics", self.serving.read_log())
        self.page()

    def test_a_port_that_is_taken_is_an_error_at_the_start(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen()
            with self.assertRaisesRegex(AssertionError, "metrics: .*Address already in use"):
                self.daemon(config=self.config())

    # --- attacks ------------------------------------------------------------------------------

    def resident(self):
        with open(f"/proc/{self.serving.process.pid}/statm") as f:
            return int(f.read().split()[1]) * resource.getpagesize()

    def peer(self, data=b""):
        peer = socket.create_connection(("127.0.0.1", self.port), harness.PATIENCE_S)
        self.addCleanup(peer.close)
        peer.sendall(data)
        return peer

    @staticmethod
    def answer(peer):
        data = b""
        try:
            while piece := peer.recv(65536):
                data += piece
        except ConnectionError:
            pass
        return data

    def test_requests_that_are_none(self):
        self.serve()
        for data, status in ((b"\r\n\r\n", 400), (b"\0" * 5000, 431), (b"GET /metrics HTTP/1.1\r\nx: "
                             + b"y" * 100_000, 431), (b"\x16\x03\x01\x02\0" * 1000, 431),
                             (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", 404),
                             (b"PUT /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 405)):
            peer = self.peer()
            try:
                peer.sendall(data)
            except ConnectionError:
                pass
            said = self.answer(peer)
            # What is too long may be cut off before its answer is read.
            if said or status != 431:
                self.assertTrue(said.startswith(b"HTTP/1.1 %d " % status), (data[:30], said[:60]))
        response, text = self.ask("HEAD")
        self.assertEqual((response.status, text), (200, ""))
        self.assertGreater(int(response.headers["Content-Length"]), 1000)
        response, _ = self.ask("POST")
        self.assertEqual((response.status, response.headers["Allow"]), (405, "GET, HEAD"))

    def test_crowds_that_say_nothing_read_nothing_or_leave(self):
        self.serve()
        stream = self.subscribe(self.serving)
        before = self.resident()
        crowd = [self.peer(data) for data in (b"", b"GET /metrics", b"GET /metrics HTTP/1.1\r\n\r\n")
                 for _ in range(100)]
        self.page()
        for _ in range(2000):
            with socket.create_connection(("127.0.0.1", self.port), harness.PATIENCE_S) as gone:
                gone.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        page = self.page()
        self.assertEqual(page.sum("nflogd_connections_cut_total"), 0)  # those of gRPC are other ones
        self.assertLess(self.resident() - before, 32 << 20)
        self.ns.send_udp("10.99.0.7", 9, count=5)
        stream.wait_packets(5)
        self.assertEqual(stream.lost(), 0)
        descriptors = len(os.listdir(f"/proc/{self.serving.process.pid}/fd"))
        self.assertLess(descriptors, 100)
        self.assertEqual(len(crowd), 300)


class Files(unittest.TestCase):
    """What is installed for Prometheus and Grafana names metrics that exist."""

    def setUp(self):
        source = os.path.join(CONFIG, "..", "server", "metrics", "metrics.c")
        with open(source) as f:
            self.known = set(re.findall(r'(?:"|LOST_NAME "|HELP )((?:nflogd|process)_[a-z_]+)[" ]', f.read()))
        self.assertIn("nflogd_build_info", self.known)
        self.assertIn("nflogd_subscription_packets_lost_total", self.known)

    def assert_known(self, expression):
        names = set(re.findall(r"\b(?:nflogd|process)_[a-z_]+\b", expression))
        self.assertLessEqual(names, self.known, expression)
        return names

    def test_the_alerts_are_rules(self):
        self.assertIn("SUCCESS", promtool("check", "rules", RULES))
        with open(RULES) as f:
            text = f.read()
        for name in re.findall(r"\bnflogd_[a-z_]+\b", text):
            self.assertIn(name, self.known)

    def test_the_dashboard_asks_for_what_there_is(self):
        with open(DASHBOARD) as f:
            dashboard = json.load(f)
        variables = {v["name"] for v in dashboard["templating"]["list"]} | {"__rate_interval"}
        used, rules = set(), []
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                expression = target["expr"]
                self.assertLessEqual(set(re.findall(r"\$(\w+)", expression)), variables)
                used |= self.assert_known(expression)
                plain = expression.replace("$__rate_interval", "5m")
                rules.append({"record": "a:b", "expr": re.sub(r"\$\w+", "x", plain)})
        for variable in dashboard["templating"]["list"]:
            self.assert_known(str(variable["query"]))
        self.assertGreater(len(used), 15)
        promtool("check", "rules", "/dev/stdin", input=json.dumps(
            {"groups": [{"name": "dashboard", "rules": [dict(r, record=f"a:b{i}")
                                                        for i, r in enumerate(rules)]}]}).encode())


if __name__ == "__main__":
    harness.main()

# SPDX-License-Identifier: MIT
"""What a run happens to: namespaces, a daemon with tenants, proxies and subscribers."""
import functools
import hashlib
import os
import subprocess
import time

import grpc

import certs
import harness
from account import Account
from harness import pb, rpc
from proxy import Proxy
from readers import KEEPALIVE, Raw, Tool
from schedule import HOLDERS, READERS, SPACES
from truth import Life, Truth

TENANTS = ("watch", "red", "blue")
TOKENS = {tenant: f"token-of-{tenant}-0123456789" for tenant in TENANTS}
RCVBUF_SMALL = 32_768
READY_S = 60


class World:
    def __init__(self, folder, history):
        self.folder, self.history = folder, history
        self.truth = Truth()
        self.readers, self.proxies = {}, {}
        self.lives_made = 0
        self.holders = HOLDERS[1]
        self.daemon = None

    # --- making -------------------------------------------------------------------------------

    def make(self):
        for space in SPACES:
            self.truth.lives[space] = self.new_life(space)
        self._make_server()
        self.grant_all()
        self.start_daemon()
        self._make_proxies()
        self._make_readers()

    def new_life(self, space):
        self.lives_made += 1
        return Life(space, self.lives_made)

    def netns(self, space):
        return f"nfl{os.getpid()}-{space}"

    def _make_server(self):
        self.served = os.path.join(self.folder, "daemon")
        os.mkdir(self.served)
        self.authority = certs.Authority(self.served, "ca")
        server = self.authority.server()
        self.socket = os.path.join(self.served, "nflogd.sock")
        self.port = harness.free_port()
        self.listen = [{"unix": self.socket, "mode": "0600"},
                       {"tcp": f"127.0.0.1:{self.port}",
                        "tls": {"certificate": server.certificate,
                                "private_key": server.private_key}}]

    def _sources(self, tenant):
        spaces = {"watch": SPACES, "red": ("red", "both"), "blue": ("blue", "both")}[tenant]
        if tenant in self.holders:
            spaces += ("swing",)
        return spaces

    def config(self):
        def source(space):
            small = {"rcvbuf": RCVBUF_SMALL} if space in ("red", "both") else {}
            return {"netns": self.netns(space), "groups": [100], **small}

        return {
            "listen": self.listen,
            "history": {"bytes_per_source": "2M", "bytes_total": "16M"},
            "tenants": [{
                "name": tenant,
                "identities": [{"token_sha256": hashlib.sha256(TOKENS[tenant].encode()).hexdigest()}],
                "sources": [source(space) for space in self._sources(tenant)]}
                for tenant in TENANTS] + [
                    {"name": "root", "admin": True, "identities": [{"unix_uid": 0}]}]}

    def _make_proxies(self):
        self.proxies["unix"] = Proxy(os.path.join(self.folder, "proxy.sock"), self.socket)
        self.proxies["tls"] = Proxy(("127.0.0.1", 0), ("127.0.0.1", self.port))

    def _make_readers(self):
        unix = "unix:" + self.proxies["unix"].address
        tls = f"127.0.0.1:{self.proxies['tls'].address[1]}"
        trust = ["--tls-ca", self.authority.certificate]
        self._tool("watch", "watch", ["--server", f"unix:{self.socket}"])
        self._tool("red", "red", ["--server", unix])
        self._tool("blue", "blue", ["--server", tls, *trust])
        secure = certs.credentials(self.authority)
        self._raw("picky", "watch", lambda: grpc.insecure_channel(unix, KEEPALIVE), filtered="b",
                  exclude=[pb.PacketFilter(destination_port=[pb.PortRange(first=10)])])
        self._raw("lazy", "blue", lambda: grpc.secure_channel(tls, secure, KEEPALIVE),
                  max_lag_bytes=256 << 10)
        assert set(self.readers) == set(READERS)

    def _tool(self, name, tenant, server):
        token = os.path.join(self.folder, name + ".token")
        with open(token, "w", encoding="ascii") as f:
            f.write(TOKENS[tenant] + "\n")
        os.chmod(token, 0o600)
        self.readers[name] = Tool(Account(name, tenant, self.truth),
                                  [*server, "--token-file", token], self.folder)

    def _raw(self, name, tenant, connect, filtered=None, **request):
        account = Account(name, tenant, self.truth, filtered)
        self.readers[name] = Raw(account, TOKENS[tenant], connect, **request)

    # --- the daemon ---------------------------------------------------------------------------

    def counters(self):
        return {space: life.counters() for space, life in self.truth.lives.items()}

    def start_daemon(self):
        before = self.counters()
        self.truth.begin_epoch(time.time())
        self.daemon = harness.Daemon(self.config(), folder=self.served)
        harness.wait_until("every namespace is listened to", self.all_listen, READY_S)
        self.truth.begin_lives(before, self.counters())
        self.history.note("epoch", number=self.truth.now.number)

    def listening(self):
        """Source ids of what is listened to, by namespace."""
        with self.daemon.channel() as channel:
            answer = rpc.NflogServiceStub(channel).ListSources(pb.ListSourcesRequest(),
                                                               timeout=READY_S)
        return {s.netns: s.source_id for s in answer.sources
                if s.state == pb.SOURCE_STATE_LISTENING}

    def all_listen(self):
        return {life.netns.name for life in self.truth.lives.values()} <= set(self.listening())

    def process(self, which):
        """Process id of daemon, warden or opener; None while there is none."""
        pid = self.daemon.process.pid
        for step in {"daemon": (), "warden": ("nflogd-warden",),
                     "opener": ("nflogd-warden", "nflogd-opener")}[which]:
            pid = pid and harness.child_of(pid, step)
        return pid

    def daemon_died(self):
        """It was killed, or has ended because its warden was: a new one begins a new epoch."""
        self.daemon.process.wait(harness.PATIENCE_S)
        self.daemon.kill()
        self.truth.end_epoch()
        self.start_daemon()

    # --- tenants ------------------------------------------------------------------------------

    def grant_all(self):
        now = time.time()
        for tenant in TENANTS:
            for space in self._sources(tenant):
                self.truth.grant(tenant, self.netns(space), now)

    def hand_over(self, holders):
        """A reload that gives swing to these tenants."""
        taken, given = set(self.holders) - set(holders), set(holders) - set(self.holders)
        swing = self.netns("swing")
        for tenant in taken | given:
            self.truth.now.changed.add((tenant, swing))
        for tenant in given:
            self.truth.grant(tenant, swing, time.time())
        self.holders = tuple(holders)
        log = self.daemon.reload(self.config())
        if "config.kept" in log:
            raise AssertionError(f"a good file was refused: {log}")
        for tenant in taken:
            self.truth.revoke(tenant, swing, time.time())

    # --- namespaces ---------------------------------------------------------------------------

    def renew(self, space):
        """Deletes a namespace, under whatever goes on in it, and makes another of that name."""
        old = self.truth.lives[space]
        path = f"/run/netns/{old.netns.name}"
        held = os.open(path, os.O_RDONLY)
        before, listened = old.counters(), self.listening().get(old.netns.name)
        old.netns.delete()
        life = self.truth.lives[space] = self.new_life(space)
        zero = life.counters()
        harness.wait_until(f"{life.tag} is listened to", lambda: self.listening().get(
            life.netns.name, listened) != listened, READY_S)
        self.truth.begin_life(life, zero, life.counters())
        return functools.partial(self._bury, self.truth.now, old, before, held)

    def _bury(self, epoch, old, before, held):
        """When nothing is sent any more in a namespace that has lost its name."""
        os.set_inheritable(held, True)
        enter = ("nsenter", f"--net=/proc/{os.getpid()}/fd/{held}")
        self.truth.end_life(epoch, old, before, old.counters(enter))
        os.close(held)

    def forbid(self, space, where, percent=40):
        """Rules that drop some of the traffic, before or after the rules that log it."""
        priority = {"before": -10, "after": 10}[where]
        self.truth.lives[space].netns.nft(
            f"table inet drops {{ chain out {{ type filter hook output priority {priority};\n"
            f"udp dport {{ 9, 10 }} numgen random mod 100 < {percent} drop\n}}\n}}\n")

    def allow(self, space):
        subprocess.run(["ip", "netns", "exec", self.truth.lives[space].netns.name, "nft", "delete",
                        "table", "inet", "drops"], check=False, stderr=subprocess.DEVNULL)

    # --- the end ------------------------------------------------------------------------------

    def close(self):
        for reader in self.readers.values():
            reader.close()
        for proxy in self.proxies.values():
            proxy.close()
        if self.daemon:
            self.daemon.kill()
        for life in self.truth.lives.values():
            life.netns.delete()

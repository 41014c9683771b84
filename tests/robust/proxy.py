# SPDX-License-Identifier: MIT
"""Between clients and the daemon, on a unix socket or a TCP port: passes on, stalls, slows, delays, cuts."""
import os
import socket
import threading

PIECE = 16_384
SLOW_PIECE, SLOW_S = 2048, 0.02
DELAY_S = 0.05


def connect(address):
    made = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    try:
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


class Proxy:
    """address and target: the path of a unix socket, or (host, port); port 0 is any."""

    def __init__(self, address, target):
        self.target = target
        self.is_open = True
        self._mode = "pass"
        self._changed = threading.Condition()
        self._ends = set()
        self.listener = socket.socket(
            socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.listener.bind(address)
        self.listener.listen()
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def set_mode(self, mode):
        """pass, stall, slow or delay."""
        with self._changed:
            self._mode = mode
            self._changed.notify_all()

    def cut(self):
        """Ends every connection, in the middle of whatever it carries."""
        with self._changed:
            ends = list(self._ends)
        for end in ends:
            self._shut(end)

    def close(self):
        self.is_open = False
        self.set_mode("pass")
        self._shut(self.listener)
        self.listener.close()
        self.cut()
        if isinstance(self.address, str):
            os.unlink(self.address)

    @staticmethod
    def _shut(end):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already

    def _accept(self):
        while self.is_open:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = connect(self.target)
        except OSError:
            client.close()
            return
        with client, server:
            with self._changed:
                self._ends |= {client, server}
            back = threading.Thread(target=self._pump, args=(client, server), daemon=True)
            back.start()
            self._pump(server, client)
            back.join()
            with self._changed:
                self._ends -= {client, server}

    def _pump(self, source, sink):
        try:
            while True:
                data = source.recv(SLOW_PIECE if self._mode == "slow" else PIECE)
                if not data:
                    break
                self._hold()
                sink.sendall(data)
        except OSError:
            pass
        self._shut(source)
        self._shut(sink)

    def _hold(self):
        with self._changed:
            if self._mode == "stall":
                self._changed.wait_for(lambda: self._mode != "stall")
            elif self._mode in ("slow", "delay"):
                mode, pause_s = self._mode, SLOW_S if self._mode == "slow" else DELAY_S
                self._changed.wait_for(lambda: self._mode != mode, pause_s)

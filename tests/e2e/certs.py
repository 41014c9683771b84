# SPDX-License-Identifier: MIT
"""Certificates for tests, made by the openssl command in a folder of the test."""
import os
import subprocess

import grpc

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
DAYS = "2"


def openssl(*args):
    done = subprocess.run(["openssl", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(args)}: {done.stderr.decode(errors='replace')}")


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Leaf:
    """A certificate and its key, as paths."""

    def __init__(self, folder, name):
        self.certificate = os.path.join(folder, f"{name}.crt")
        self.private_key = os.path.join(folder, f"{name}.key")


class Authority(Leaf):
    """A CA; `certificate` is what others trust."""

    def __init__(self, folder, name):
        super().__init__(folder, name)
        self.folder = folder
        openssl("req", "-x509", *KEY, "-days", DAYS, "-subj", f"/O=nflogd tests/CN={name}",
                "-keyout", self.private_key, "-out", self.certificate)

    def leaf(self, name, names=(), cn=None):
        """A certificate for names such as "URI:spiffe://x", "DNS:localhost", "IP:127.0.0.1"."""
        made = Leaf(self.folder, name)
        request = os.path.join(self.folder, f"{name}.csr")
        extensions = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
        openssl("req", "-new", *KEY, "-subj", "/O=nflogd tests" + (f"/CN={cn}" if cn else ""),
                *extensions, "-keyout", made.private_key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey",
                self.private_key, "-CAcreateserial", "-days", DAYS, "-copy_extensions", "copyall",
                "-out", made.certificate)
        os.chmod(made.private_key, 0o644)  # nflogd reads it when it is no longer root
        return made

    def server(self, name="server"):
        return self.leaf(name, ["DNS:localhost", "IP:127.0.0.1"])


def credentials(authority, leaf=None):
    """A Python client's: who it trusts, and what it shows."""
    return grpc.ssl_channel_credentials(
        read(authority.certificate),
        read(leaf.private_key) if leaf else None,
        read(leaf.certificate) if leaf else None)

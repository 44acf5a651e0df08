"""A proxy on loopback that damages what goes through it, at exact octets of either direction.

Stands between the archiver and a real server. With a server-side TLS context it ends TLS itself, so that certificates
and versions can be wrong while the server behind it is right. Knows no IMAP: what to damage is a `Fault` for each
connection.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Way = Literal["down", "up"]
"""Down: from the server to the client."""


@dataclass(frozen=True)
class Fault:
    """What happens on one connection, `at` so many octets of one `way`; the default is nothing.

    cut (a FIN), reset (an RST), stall (silence), drip (`seconds` between two octets), throttle (`rate` octets a
    second), inject (`octets`), swallow and duplicate (`count` octets), flip (one bit of one octet). `rewrite` gets each
    piece that goes down, and gives what goes on in its place.
    """

    kind: str = "none"
    at: int = 0
    way: Way = "down"
    octets: bytes = b""
    count: int = 1
    seconds: float = 0.0
    rate: int = 1 << 30
    rewrite: Callable[[bytes], bytes] | None = None


class Proxy:
    """Listens from construction on. `fault` is asked with the number of each connection, from 1."""

    def __init__(
        self,
        port: int,
        fault: Callable[[int], Fault] = lambda _: Fault(),
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.fault = fault
        self.connections = 0
        self.passed = {"down": 0, "up": 0}
        """Octets that came from either side, over all connections."""
        self._target = port
        self._tls = tls
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def close(self) -> None:
        """End everything."""
        self._closed.set()
        with self._lock:
            sockets = [self._listener, *self._open]
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in list(self._threads):
            thread.join(5)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, client, self.connections)

    def _serve(self, client: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                client.settimeout(5)
                client = self._tls.wrap_socket(client, server_side=True)
                client.settimeout(None)
            server = socket.create_connection(("127.0.0.1", self._target), 5)
            server.settimeout(None)
        except OSError:
            client.close()
            return
        with self._lock:
            self._open += [client, server]
        fault = self.fault(number)
        up = threading.Thread(target=self._pump, args=(client, server, "up", fault), daemon=True)
        up.start()
        self._pump(server, client, "down", fault)
        up.join(5)
        client.close()
        server.close()
        with self._lock:
            self._open = [each for each in self._open if each not in (client, server)]

    def _pump(self, source: socket.socket, target: socket.socket, way: Way, fault: Fault) -> None:
        """Carry octets one way until either side ends, or the fault ends it."""
        here = fault.way == way and fault.kind != "none"
        place = 0
        try:
            while data := source.recv(1 << 16):
                self.passed[way] += len(data)
                if fault.rewrite is not None and way == "down":
                    data = fault.rewrite(data)
                if not here or place + len(data) <= fault.at:
                    target.sendall(data)
                else:
                    cut = max(0, fault.at - place)
                    target.sendall(data[:cut])
                    if not self._act(fault, data[cut:], max(0, place - fault.at), target, source):
                        return
                place += len(data)
        except OSError:
            pass
        for each, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with contextlib.suppress(OSError):
                each.shutdown(how)

    def _act(self, fault: Fault, rest: bytes, behind: int, target: socket.socket, source: socket.socket) -> bool:
        """Do what the fault says to the octets from its place on; False when the connection has ended.

        `behind` counts the octets behind the fault's place that an earlier piece has carried.
        """
        if fault.kind in {"cut", "reset"}:
            for each in (target, source):
                with contextlib.suppress(OSError):
                    if fault.kind == "reset":
                        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    # Closing alone does not wake the other thread, and shutting down writing would send a FIN.
                    each.shutdown(socket.SHUT_RD if fault.kind == "reset" else socket.SHUT_RDWR)
                each.close()
            return False
        if fault.kind == "stall":
            # The client gives up, or the test ends.
            while not self._closed.wait(0.02):
                if _gone(target) or _gone(source):
                    return True
            return False
        if fault.kind == "drip":
            for octet in rest:
                if self._closed.wait(fault.seconds):
                    return False
                target.sendall(bytes([octet]))
        elif fault.kind == "throttle":
            for start in range(0, len(rest), 1024):
                target.sendall(rest[start : start + 1024])
                time.sleep(min(1024, len(rest) - start) / fault.rate)
        elif behind:
            target.sendall(rest)
        else:
            target.sendall(_damaged(fault, rest))
        return True


def _damaged(fault: Fault, rest: bytes) -> bytes:
    if fault.kind == "inject":
        return fault.octets + rest
    if fault.kind == "swallow":
        return rest[fault.count :]
    if fault.kind == "duplicate":
        return rest[: fault.count] + rest
    if fault.kind == "flip":
        return bytes([rest[0] ^ 1]) + rest[1:]
    raise ValueError(fault.kind)


def _gone(peer: socket.socket) -> bool:
    """Tell whether a peer has closed; what it may have sent stays where it is."""
    try:
        if isinstance(peer, ssl.SSLSocket):
            return False
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True

"""A door in front of PostgreSQL that can lose what passes: replies alone, or everything."""

import contextlib
import socket
from threading import Event, Lock, Thread


class Proxy:
    """Listens on a port of this machine, hands on to a Unix socket. `lost`: replies go nowhere; `cut` ends all."""

    def __init__(self, target: str, host: str = "127.0.0.1") -> None:
        self.target, self.lost, self.open, self.lock = target, Event(), set[socket.socket](), Lock()
        self.door = socket.create_server((host, 0))
        self.port = self.door.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.door.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self.target)
                except OSError:
                    server.close()
                    client.close()
                    continue
                with self.lock:  # what is not there yet when all are cut has lost nothing
                    self.open |= {client, server}
                Thread(target=self._carry, args=(client, server, False), daemon=True).start()
                Thread(target=self._carry, args=(server, client, True), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, reply: bool) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65_536):
                if not (reply and self.lost.is_set()):
                    sink.sendall(block)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """End every connection, as a network does that forgot them."""
        with self.lock:
            for one in self.open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self.open.clear()

    def close(self) -> None:
        """No more."""
        with contextlib.suppress(OSError):
            self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()
        self.cut()

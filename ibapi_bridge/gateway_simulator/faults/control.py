"""A loopback socket that takes faults as JSON lines, for tests in other processes and other languages.

Each line is an object such as `{"fault": "lose_link", "repeats": 2}`; the answer is a line `{"ok": true}` or
`{"error": "..."}`. `{"get": "armed"}` answers with what is armed, `{"get": "time"}` with the market's time.
"""

import json
import socketserver
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from ibapi_bridge.gateway_simulator.errors import ConfigError

LOOPBACK = "127.0.0.1"


class Faults(Protocol):
    """What the control socket drives."""

    def do(self, name: str, /, **parameters: Any) -> None:  # noqa: ANN401 - each fault has its own
        """Makes a fault happen, or arms it."""

    def armed(self) -> list[str]:
        """What is armed."""

    def time(self) -> datetime:
        """Market time."""


class ControlServer:
    """Serves the control socket on threads of its own from its making on; on the loopback address only.

    Raises:
        ConfigError: the port cannot be opened.
    """

    def __init__(self, faults: Faults, port: int) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(json.dumps(answer(faults, line)).encode() + b"\n")

        try:
            self._server = socketserver.ThreadingTCPServer((LOOPBACK, port), Handler)
        except OSError as error:
            raise ConfigError(f"control_port {port} cannot be opened: {error}") from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops serving and closes the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answer(faults: Faults, line: bytes) -> Mapping[str, object]:
    """What to say to one line."""
    try:
        wanted = json.loads(line)
    except ValueError:
        return {"error": "the line is not JSON"}
    if not isinstance(wanted, dict):
        return {"error": "the line is not a JSON object"}
    try:
        if wanted.get("get") == "armed":
            return {"ok": True, "armed": faults.armed()}
        if wanted.get("get") == "time":
            return {"ok": True, "time": faults.time().isoformat()}
        name = wanted.pop("fault", None)
        if not isinstance(name, str):
            return {"error": "the object needs a 'fault'"}
        faults.do(name, **wanted)
    except ConfigError as error:
        return {"error": str(error)}
    except TimeoutError:
        return {"error": "the gateway did not come to it within five seconds"}
    return {"ok": True}

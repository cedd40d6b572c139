"""Runs a sandbox's app as a process of its own: finds the port, says so on stdout, stops on SIGTERM."""

import json
import socket
import sys

import uvicorn

from sandbox.asgi import App


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(json.dumps({"ready": True, "url": f"http://{host}:{port}"}) + "\n")
            sys.stdout.flush()


def serve(app: App, host: str = "127.0.0.1", port: int = 0) -> None:
    """Blocks until stopped. Prints one line `{"ready": true, "url": ...}` once it listens."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=2, server_header=False,
        proxy_headers=False, timeout_keep_alive=75,
    )  # fmt: skip
    _Server(config).run(sockets=[listener])

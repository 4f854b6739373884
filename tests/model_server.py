"""A server of one file on this computer that can be made to misbehave like those out there."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK_BYTES = 8192


@dataclass
class Behaviour:
    """What the server does; tests change it while it runs.

    Attributes:
        content: of the file, whatever is asked for.
        etag: sent with it, "" for none.
        cuts: after how many bytes of the file's remainder each of the next connections breaks off.
        statuses: with which the next requests are refused.
        ranges: whether it can go on in the middle.
        if_range: whether it minds that the file has changed meanwhile.
        content_type: of the answers.
        block_wait_s: how long it rests after every block.
        requests: what was asked for: path and range.
        sent: bytes of content, over all answers.
    """

    content: bytes
    etag: str = '"1"'
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    if_range: bool = True
    content_type: str = "application/octet-stream"
    block_wait_s: float = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0

    @property
    def asked_ranges(self) -> list[str]:
        return [asked for _, asked in self.requests]


@contextmanager
def model_server(content: bytes) -> Iterator[tuple[str, Behaviour]]:
    """Serve until the block ends; gives the address, without a path, and what can be changed."""
    behaviour = Behaviour(content)

    class Handler(_Handler):
        does = behaviour

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # closing waits for them
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", behaviour
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    does: Behaviour
    timeout = 5

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name in the standard library)
        pass

    def do_GET(self) -> None:
        does, asked = self.does, self.headers.get("Range", "")
        does.requests.append((self.path, asked))
        if does.statuses:
            self.send_error(does.statuses.pop(0))
            return
        content, start = does.content, 0
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        same = self.headers.get("If-Range") == does.etag or not does.if_range
        if match and does.ranges and same:
            start = int(match[1])
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Content-Type", does.content_type)
        if does.etag:
            self.send_header("ETag", does.etag)
        self.end_headers()
        self._send(content[start:])

    def _send(self, rest: bytes) -> None:
        does = self.does
        cut = does.cuts.pop(0) if does.cuts else None
        try:
            for first in range(0, len(rest) if cut is None else cut, BLOCK_BYTES):
                block = rest[first : first + BLOCK_BYTES if cut is None else min(first + BLOCK_BYTES, cut)]
                self.wfile.write(block)
                does.sent += len(block)
                time.sleep(does.block_wait_s)
            if cut is not None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:  # whoever asked has gone
            self.close_connection = True

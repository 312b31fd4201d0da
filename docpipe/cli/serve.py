"""`docpipe serve`: the HTTP API as a process. In: settings. Out: nothing; its log has a line for each request."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING, Any

import click

from docpipe.cli.options import settings_with
from docpipe.config import Settings
from docpipe.errors import UsageError, install_hint
from docpipe.log import configure_logging

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

log = logging.getLogger("docpipe.web")
SHUTDOWN_SECONDS = 30  # after SIGTERM, for requests that have begun
MAX_CONNECTIONS = 500  # half of the 1,024 files that a process may usually open: uploads have one on disk as well
HEADER_SECONDS = 20.0  # for the headers of a request, and between two requests of a connection


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 chooses a free one.",
)
@click.option(
    "--proxy", is_flag=True, help="Trust X-Forwarded-For and X-Forwarded-Proto: only behind a proxy that sets them."
)
def serve(host: str, port: int, proxy: bool) -> None:
    """Serve the HTTP API.

    It needs API keys: `docpipe key create NAME --role submit --role read` makes one. docs/api.md has an example for
    everything; /docs shows the API in a browser.
    """
    settings = settings_with()
    configure_logging(settings.log_format)
    try:
        from docpipe.web.app import app  # heavy: FastAPI

        server = make_server(app(settings), host=host, port=port, proxy=proxy)
    except ModuleNotFoundError as error:
        message = f"docpipe serve needs {error.name}, which is not installed"
        raise UsageError(message, hint=install_hint("serve")) from error
    _warn_without_keys(settings)
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again when it has stopped
        signal.signal(number, lambda *_: None)
    try:
        server.run()
    except SystemExit as error:
        hint = "The log says why. If another program listens there, choose another --port."
        raise UsageError(f"cannot serve on {host}:{port}", hint=hint) from error


def make_server(application: FastAPI, *, host: str, port: int, proxy: bool = False) -> uvicorn.Server:
    """As `docpipe serve` runs it. Raises ModuleNotFoundError."""
    import uvicorn  # heavy: the extra `serve`

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: Any = None) -> None:
            """Those who wait for a document are answered now; uploads and downloads go to their end."""
            application.state.watcher.close()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        http=_idle_limited_protocol(),
        ws="none",
        log_config=None,
        access_log=False,  # ours has the key and the request's id
        server_header=False,
        proxy_headers=proxy,
        forwarded_allow_ips="*" if proxy else None,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return Server(config)


def _warn_without_keys(settings: Settings) -> None:
    """Raises StoreError: whoever starts the service sees at once that it has no database."""
    from docpipe.store.database import Database  # heavy: SQLAlchemy
    from docpipe.store.jobs.api_keys import ApiKeyStore  # heavy: as above

    database = Database(settings.database_url)
    try:
        if not any(key.revoked is None for key in ApiKeyStore(database).all()):
            log.warning("there is no API key yet; make one: docpipe key create NAME --role submit --role read")
    finally:
        database.close()


def _idle_limited_protocol() -> type[asyncio.Protocol]:
    from uvicorn.protocols.http.h11_impl import H11Protocol  # heavy: the extra `serve`

    class Protocol(H11Protocol):
        """uvicorn waits for ever for the headers of a request; enough such connections would lock all others out."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.loop.call_later(HEADER_SECONDS, self._close_if_idle, None)

        def _close_if_idle(self, last_request: object) -> None:
            """`last_request` is the one of the last check; None: there was none."""
            is_idle = self.cycle is None or self.cycle.response_complete
            if is_idle and self.cycle is last_request:
                self.transport.close()
            elif not self.transport.is_closing():
                self.loop.call_later(HEADER_SECONDS, self._close_if_idle, self.cycle)

    return Protocol

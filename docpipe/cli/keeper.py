"""`docpipe keeper`: the process that keeps the service in order. In: settings. Out: nothing; its log says what it does."""

from __future__ import annotations

import signal
import threading

import click

from docpipe.config import load_settings
from docpipe.keeper import Keeper
from docpipe.log import write_log
from docpipe.service import Service


@click.command()
def keeper() -> None:
    """Keep the service in order: free the jobs of dead workers, tell the broker what it forgot.

    It also delivers webhooks and answers, and deletes originals whose time is over (DOCPIPE_KEEP_DAYS). Run one beside
    the workers; a second one waits until the first is gone.
    """
    settings = load_settings()
    write_log(settings.log_format)
    service, stop = Service.of(settings), threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    try:
        Keeper(service, stop).run()
    finally:
        service.close()

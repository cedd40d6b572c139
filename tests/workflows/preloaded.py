"""What a killed worker's process needs, imported once in the fork server: each worker is then there in a blink.

It opens no connection and starts no thread, since processes are forked from it.
"""

from temporalio.worker import _worker

from models.db import Database
from tests.workflows.killing import serve
from workers.engine import gateways

_worker.load_default_build_id()  # a hash of every loaded module: a second of work, kept for the process
Database("postgresql+psycopg://nobody@127.0.0.1:1/none").dispose()

__all__ = ["gateways", "serve"]

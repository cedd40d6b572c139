"""A database's rows at one instant, put back later: what an older backup is to those who are connected all the while.

One snapshot, table by table, as pg_dump takes it; put back in one transaction, so nobody sees half of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"


@dataclass(frozen=True)
class Backup:
    rows: Mapping[str, bytes]
    sequences: Mapping[str, int]

    @classmethod
    def of(cls, url: str) -> "Backup":
        with _connected(url) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            rows: dict[str, bytes] = {}
            for (table,) in connection.execute(_TABLES).fetchall():
                out = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
                with connection.cursor().copy(out) as copy:
                    rows[table] = b"".join(bytes(piece) for piece in copy)
            return cls(rows, dict(connection.execute(_SEQUENCES).fetchall()))

    def put_back(self, url: str) -> None:
        """`url` is a superuser's: foreign keys hold in the copy, so they are not asked row by row."""
        with _connected(url) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            every = sql.SQL(", ").join(map(sql.Identifier, self.rows))
            connection.execute(sql.SQL("TRUNCATE {}").format(every))
            for table, rows in self.rows.items():
                into = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
                with connection.cursor().copy(into) as copy:
                    copy.write(rows)
            for name, value in self.sequences.items():
                connection.execute("SELECT setval(%s::regclass, %s)", (name, value))


def _connected(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5)

"""What all tables share: names of constraints, and the column types of this schema. No queries."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, Enum, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


Id = Annotated[str, mapped_column(Text, primary_key=True)]
Money = Annotated[int, mapped_column(BigInteger)]  # smallest units of the order's currency
Serial = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=True)]


def _values(kind: type[StrEnum]) -> list[str]:
    return [word.value for word in kind]


def word(kind: type[StrEnum]) -> Enum:
    """A column that holds one word of a closed vocabulary, kept by a CHECK."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=40,
        name=kind.__name__.lower(),
        values_callable=_values,
    )

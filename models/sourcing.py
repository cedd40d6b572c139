"""Which node ships what: the words of a sourcing plan, and the protocol of a policy that makes one. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any, Protocol

Point = tuple[float, float]  # latitude, longitude in degrees
Exclusions = frozenset[tuple[str, str]]  # (line, node)
Available = Mapping[tuple[str, str], int]  # by (SKU, node)

_EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Demand:
    """Pieces of one SKU for one line; a bundle's line has one for each component."""

    line_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    store: bool
    latitude: float | None
    longitude: float | None
    priority: int
    country: str
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Allocation:
    line_id: str
    sku: str
    node_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that was thought of, and in words why it ships or does not."""

    node_id: str
    used: bool
    reason: str
    distance_km: float | None
    units_covered: int


@dataclass(frozen=True, slots=True)
class LineShortage:
    """Of `wanted` pieces all nodes together have `available` for this line, after the lines before it."""

    line_id: str
    sku: str
    wanted: int
    available: int


@dataclass(frozen=True, slots=True)
class Plan:
    """With a shortage the allocations are what could be had, and the caller decides whether to take that."""

    allocations: tuple[Allocation, ...]
    candidates: tuple[Candidate, ...]
    shortages: tuple[LineShortage, ...]
    method: str  # exact; greedy where not every combination was tried

    def explain(self) -> dict[str, Any]:
        """The plan as JSON, for people."""
        return {
            "method": self.method,
            "allocations": [
                {"line_id": a.line_id, "sku": a.sku, "location_id": a.node_id, "quantity": a.quantity}
                for a in self.allocations
            ],
            "candidates": [
                {
                    "location_id": c.node_id,
                    "used": c.used,
                    "reason": c.reason,
                    "distance_km": c.distance_km,
                    "units_covered": c.units_covered,
                }
                for c in self.candidates
            ],
            "shortages": [
                {"line_id": s.line_id, "sku": s.sku, "wanted": s.wanted, "available": s.available}
                for s in self.shortages
            ],
        }


class SourcingPolicy(Protocol):
    def __call__(
        self,
        demand: Sequence[Demand],
        nodes: Sequence[Node],
        available: Available,
        *,
        destination: Point | None,
        excluded: Exclusions,
    ) -> Plan: ...


def distance_km(a: Point, b: Point) -> float:
    """Along the great circle (haversine)."""
    lat_a, lat_b = radians(a[0]), radians(b[0])
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin(radians(b[1] - a[1]) / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half)))

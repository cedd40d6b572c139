"""The sourcing policy that wants the fewest parcels, then the least total distance. Pure.

Nodes or a destination without coordinates are ordered by the nodes' priority.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from models.sourcing import (
    Allocation,
    Available,
    Candidate,
    Demand,
    Exclusions,
    LineShortage,
    Node,
    Plan,
    Point,
    distance_km,
)

_FARTHEST_M = 20_038_000  # half way round: where a node without coordinates is taken to be
_EXACT_OVER = 15  # nodes among which every combination is tried


def plan(
    demand: Sequence[Demand],
    nodes: Sequence[Node],
    available: Available,
    *,
    destination: Point | None,
    excluded: Exclusions,
) -> Plan:
    """The fewest nodes that cover everything, among those the least total distance; ties by priority, then id."""
    ranked = sorted((_Ranked.of(node, destination) for node in nodes), key=lambda node: node.cost)
    board = _Board(demand, available, excluded)
    useful = [node for node in ranked if not node.node.paused and board.covers(node.id)]
    everything = board.deal(useful)
    if sum(everything.values()) < board.wanted:
        allocations, method = everything, "exact"
    else:
        chosen, method = _choose(board, useful)
        allocations = board.deal(chosen)
    order = {node.id: place for place, node in enumerate(ranked)}
    return Plan(
        allocations=tuple(
            Allocation(board.demand[line].line_id, board.demand[line].sku, node_id, quantity)
            for (line, node_id), quantity in sorted(
                allocations.items(), key=lambda part: (order[part[0][1]], part[0][0])
            )
        ),
        candidates=tuple(_candidates(board, ranked, allocations)),
        shortages=tuple(_shortages(board, allocations)),
        method=method,
    )


@dataclass(frozen=True, slots=True)
class _Ranked:
    node: Node
    metres: int | None

    @staticmethod
    def of(node: Node, destination: Point | None) -> "_Ranked":
        if destination is None or node.latitude is None or node.longitude is None:
            return _Ranked(node, None)
        return _Ranked(node, round(distance_km(destination, (node.latitude, node.longitude)) * 1000))

    @property
    def id(self) -> str:
        return self.node.id

    @property
    def cost(self) -> tuple[int, int, str]:
        return _FARTHEST_M if self.metres is None else self.metres, self.node.priority, self.node.id


class _Board:
    """Demand against availability: who can cover what. Lines of one SKU share what a node has of it."""

    def __init__(self, demand: Sequence[Demand], available: Available, excluded: Exclusions) -> None:
        self.demand = demand
        self.wanted = sum(need.quantity for need in demand)
        self._available = available
        self._excluded = excluded
        self._shelf: dict[str, dict[int, int]] = {}

    def has(self, line: int, node_id: str) -> int:
        """What the node could give to the line if there were no other."""
        need = self.demand[line]
        if (need.line_id, node_id) in self._excluded:
            return 0
        return max(0, self._available.get((need.sku, node_id), 0))

    def covers(self, node_id: str) -> int:
        """How many of all wanted pieces the node alone could ship."""
        return sum(self.shares(node_id).values())

    def shares(self, node_id: str) -> dict[str, int]:
        """By SKU, how many of the wanted pieces the node alone could ship."""
        wanted: dict[str, int] = {}
        for line, need in enumerate(self.demand):
            if self.has(line, node_id):
                wanted[need.sku] = wanted.get(need.sku, 0) + need.quantity
        return {sku: min(quantity, self._available[sku, node_id]) for sku, quantity in wanted.items()}

    def barred(self, node_id: str) -> bool:
        """The node has wanted pieces, but every line that could use them was rejected there."""
        return any(self._available.get((need.sku, node_id), 0) > 0 for need in self.demand)

    def deal(self, nodes: Sequence[_Ranked]) -> dict[tuple[int, str], int]:
        """Cover as much as these nodes can, nearest first: a maximum flow, found by augmenting paths.

        Paths are needed only where lines of one SKU may use different nodes; else the first pass finds everything.
        """
        left = {(need.sku, node.id): max(0, self._available.get((need.sku, node.id), 0))
                for need in self.demand for node in nodes}  # fmt: skip
        flow: dict[tuple[int, str], int] = {}
        for line, need in enumerate(self.demand):
            missing = need.quantity
            while missing and (moved := self._push(line, missing, nodes, left=left, flow=flow, seen=frozenset())):
                missing -= moved
        return {edge: quantity for edge, quantity in flow.items() if quantity}

    def _push(
        self,
        line: int,
        quantity: int,
        nodes: Sequence[_Ranked],
        *,
        left: dict[tuple[str, str], int],
        flow: dict[tuple[int, str], int],
        seen: frozenset[str],
    ) -> int:
        sku = self.demand[line].sku
        reachable = [node.id for node in nodes if node.id not in seen and self.has(line, node.id)]
        for node_id in reachable:
            if moved := min(quantity, left[sku, node_id]):
                left[sku, node_id] -= moved
                flow[line, node_id] = flow.get((line, node_id), 0) + moved
                return moved
        for node_id in reachable:  # full: may another line that uses it go elsewhere?
            for other, need in enumerate(self.demand):
                used = flow.get((other, node_id), 0)
                if other == line or need.sku != sku or not used:
                    continue
                moved = self._push(other, min(quantity, used), nodes, left=left, flow=flow, seen=seen | set(reachable))
                if moved:
                    flow[other, node_id] -= moved
                    flow[line, node_id] = flow.get((line, node_id), 0) + moved
                    return moved
        return 0


def _choose(board: _Board, useful: Sequence[_Ranked]) -> tuple[Sequence[_Ranked], str]:
    """Nodes that cover everything. Exact when every smaller combination and every cheaper one was tried."""
    for node in useful:
        if board.covers(node.id) == board.wanted:
            return [node], "exact"
    near = _nearest_and_fullest(board, useful)
    exact = _smallest(board, near)
    if exact and (len(near) == len(useful)):
        return exact, "exact"
    greedy = _greedy(board, useful)
    return min((found for found in (exact, greedy) if found), key=_total), "greedy"


def _total(chosen: Sequence[_Ranked]) -> tuple[int, int, int, list[str]]:
    return (
        len(chosen),
        sum(node.cost[0] for node in chosen),
        sum(node.node.priority for node in chosen),
        sorted(node.id for node in chosen),
    )


def _nearest_and_fullest(board: _Board, useful: Sequence[_Ranked]) -> list[_Ranked]:
    if len(useful) <= _EXACT_OVER:
        return list(useful)
    fullest = sorted(useful, key=lambda node: (-board.covers(node.id), node.cost))[: _EXACT_OVER // 2]
    kept = {node.id for node in fullest}
    nearest = [node for node in useful if node.id not in kept][: _EXACT_OVER - len(fullest)]
    kept |= {node.id for node in nearest}
    return [node for node in useful if node.id in kept]


def _smallest(board: _Board, nodes: Sequence[_Ranked]) -> Sequence[_Ranked] | None:
    """The best combination of the least size, by trying them all."""
    shares = {node.id: board.shares(node.id) for node in nodes}
    wanted: dict[str, int] = {}
    for need in board.demand:
        wanted[need.sku] = wanted.get(need.sku, 0) + need.quantity
    for size in range(2, len(nodes) + 1):
        best: Sequence[_Ranked] | None = None
        for chosen in combinations(nodes, size):
            if best is not None and _total(chosen) >= _total(best):
                continue
            enough = all(sum(shares[node.id].get(sku, 0) for node in chosen) >= n for sku, n in wanted.items())
            if enough and sum(board.deal(chosen).values()) == board.wanted:
                best = chosen
        if best is not None:
            return best
    return None


def _greedy(board: _Board, useful: Sequence[_Ranked]) -> Sequence[_Ranked]:
    """Again and again the node that adds the most pieces, the nearest of equals."""
    chosen: list[_Ranked] = []
    covered = 0
    while covered < board.wanted:
        rest = [node for node in useful if node not in chosen]
        best = max(rest, key=lambda node: sum(board.deal([*chosen, node]).values()))
        chosen.append(best)
        covered = sum(board.deal(chosen).values())
    return sorted(chosen, key=lambda node: node.cost)


def _shortages(board: _Board, allocations: Mapping[tuple[int, str], int]) -> Iterable[LineShortage]:
    for line, need in enumerate(board.demand):
        got = sum(quantity for (at, _), quantity in allocations.items() if at == line)
        if got < need.quantity:
            yield LineShortage(need.line_id, need.sku, need.quantity, got)


def _candidates(
    board: _Board, ranked: Sequence[_Ranked], allocations: Mapping[tuple[int, str], int]
) -> Iterable[Candidate]:
    ships: dict[str, int] = {}
    for (_, node_id), quantity in allocations.items():
        ships[node_id] = ships.get(node_id, 0) + quantity
    for node in ranked:
        covers = board.covers(node.id)
        yield Candidate(
            node_id=node.id,
            used=node.id in ships,
            reason=_reason(board, node, covers, ships),
            distance_km=None if node.metres is None else node.metres / 1000,
            units_covered=covers,
        )


def _reason(board: _Board, node: _Ranked, covers: int, ships: Mapping[str, int]) -> str:
    if node.id in ships:
        return f"ships {ships[node.id]} of {board.wanted}"
    if node.node.paused:
        return "paused"
    if not covers:
        return "rejected these lines before" if board.barred(node.id) else "has none available"
    if covers == board.wanted and len(ships) == 1:
        return "covers everything, but is farther or of lower priority"
    return f"covers {covers} of {board.wanted}; not needed in the smallest set of nodes"

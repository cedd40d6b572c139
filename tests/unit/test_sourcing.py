"""The default sourcing policy: fewest parcels, then nearest; checked against trying everything."""

import json
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.fewest_parcels import plan
from models.sourcing import Allocation, Demand, Node, Plan, distance_km

BERLIN, HAMBURG, MUNICH = (52.52, 13.40), (53.55, 9.99), (48.14, 11.58)


def node(name: str, at: tuple[float, float] | None = BERLIN, *, priority: int = 100, paused: bool = False) -> Node:
    latitude, longitude = at or (None, None)
    return Node(
        name, store=True, latitude=latitude, longitude=longitude, priority=priority, country="DE", paused=paused
    )


def used(made: Plan) -> list[str]:
    return [candidate.node_id for candidate in made.candidates if candidate.used]


def reasons(made: Plan) -> dict[str, str]:
    return {candidate.node_id: candidate.reason for candidate in made.candidates}


def test_one_far_node_ships_everything_when_two_near_ones_would_need_two_parcels() -> None:
    nodes = [node("near1"), node("near2"), node("far", MUNICH)]
    stock = {("A", "near1"): 1, ("B", "near2"): 1, ("A", "far"): 1, ("B", "far"): 1}
    made = plan([Demand("l1", "A", 1), Demand("l2", "B", 1)], nodes, stock, destination=BERLIN, excluded=frozenset())
    assert used(made) == ["far"]
    assert made.method == "exact"
    assert reasons(made)["near1"] == "covers 1 of 2; not needed in the smallest set of nodes"


def test_the_nearest_ships_when_several_could_alone() -> None:
    nodes = [node("munich", MUNICH), node("hamburg", HAMBURG)]
    stock = {("A", "munich"): 5, ("A", "hamburg"): 5}
    made = plan([Demand("l1", "A", 2)], nodes, stock, destination=BERLIN, excluded=frozenset())
    assert used(made) == ["hamburg"]
    assert reasons(made)["munich"] == "covers everything, but is farther or of lower priority"


@pytest.mark.parametrize("destination", [None, BERLIN])
def test_priority_decides_when_coordinates_are_missing(destination: tuple[float, float] | None) -> None:
    nodes = [node("a", None, priority=20), node("b", None, priority=10)]
    stock = {("A", "a"): 1, ("A", "b"): 1}
    made = plan([Demand("l1", "A", 1)], nodes, stock, destination=destination, excluded=frozenset())
    assert used(made) == ["b"]


def test_the_lower_id_ships_when_all_else_is_equal() -> None:
    stock = {("A", "y"): 1, ("A", "x"): 1}
    for nodes in ([node("y"), node("x")], [node("x"), node("y")]):
        made = plan([Demand("l1", "A", 1)], nodes, stock, destination=MUNICH, excluded=frozenset())
        assert used(made) == ["x"]


def test_two_lines_share_what_a_node_has_when_they_want_the_same_sku() -> None:
    demand = [Demand("l1", "A", 2), Demand("l2", "A", 2)]
    made = plan(demand, [node("x")], {("A", "x"): 3}, destination=None, excluded=frozenset())
    assert [(short.line_id, short.wanted, short.available) for short in made.shortages] == [("l2", 2, 1)]
    assert sum(part.quantity for part in made.allocations) == 3


def test_a_line_gives_way_when_the_other_may_not_use_its_node() -> None:
    # l1 may use both nodes and would take x, the nearer one; l2 is barred from y.
    demand = [Demand("l1", "A", 1), Demand("l2", "A", 1)]
    stock = {("A", "x"): 1, ("A", "y"): 1}
    made = plan(demand, [node("x"), node("y", MUNICH)], stock, destination=BERLIN, excluded=frozenset({("l2", "y")}))
    assert not made.shortages
    assert set(made.allocations) == {Allocation("l2", "A", "x", 1), Allocation("l1", "A", "y", 1)}


def test_a_node_is_not_asked_again_when_it_rejected_the_line_or_is_paused() -> None:
    nodes = [node("rejected"), node("paused", paused=True), node("empty"), node("far", MUNICH)]
    stock = {("A", "rejected"): 1, ("A", "paused"): 1, ("A", "far"): 1}
    made = plan([Demand("l1", "A", 1)], nodes, stock, destination=BERLIN, excluded=frozenset({("l1", "rejected")}))
    assert reasons(made) == {
        "rejected": "rejected these lines before",
        "paused": "paused",
        "empty": "has none available",
        "far": "ships 1 of 1",
    }


def test_nothing_is_owed_by_another_node_when_one_is_in_minus() -> None:
    # saleor/saleor#17170: availability was summed over nodes, a minus included.
    made = plan(
        [Demand("l1", "A", 3)], [node("a"), node("b")], {("A", "a"): -4, ("A", "b"): 3},
        destination=None, excluded=frozenset(),
    )  # fmt: skip
    assert used(made) == ["b"]
    assert not made.shortages
    assert reasons(made)["a"] == "has none available"


def test_the_nearest_pair_ships_when_a_farther_one_has_the_nearest_node() -> None:
    nodes = [node("a"), node("b", HAMBURG), node("c", MUNICH), node("d", (40.7, -74.0))]
    stock = {("A", "a"): 1, ("A", "b"): 2, ("A", "c"): 2, ("A", "d"): 3}
    made = plan([Demand("l1", "A", 4)], nodes, stock, destination=BERLIN, excluded=frozenset())
    assert used(made) == ["b", "c"]


def test_the_plan_says_that_it_is_greedy_when_not_everything_was_tried() -> None:
    nodes = [node(f"n{i:02}", (50 + i / 10, 10.0)) for i in range(40)]
    stock = {("A", f"n{i:02}"): 1 for i in range(40)}
    made = plan([Demand("l1", "A", 20)], nodes, stock, destination=(50.0, 10.0), excluded=frozenset())
    assert made.method == "greedy"
    assert used(made) == [f"n{i:02}" for i in range(20)]


def test_the_far_one_that_has_most_is_found_when_there_are_many_nodes() -> None:
    nodes = [node(f"n{i:02}", (50 + i / 10, 10.0)) for i in range(40)]
    stock = {("A", f"n{i:02}"): 1 for i in range(39)} | {("A", "n39"): 9}
    made = plan([Demand("l1", "A", 10)], nodes, stock, destination=(50.0, 10.0), excluded=frozenset())
    assert used(made) == ["n00", "n39"]


def test_a_plan_is_json_when_explained() -> None:
    made = plan([Demand("l1", "A", 2)], [node("x")], {("A", "x"): 1}, destination=MUNICH, excluded=frozenset())
    told = json.loads(json.dumps(made.explain()))
    assert told["shortages"] == [{"line_id": "l1", "sku": "A", "wanted": 2, "available": 1}]
    assert told["candidates"][0]["distance_km"] == pytest.approx(504, abs=2)


def test_distances_are_the_great_circles() -> None:
    assert distance_km(BERLIN, BERLIN) == 0
    assert distance_km((40.71, -74.01), (34.05, -118.24)) == pytest.approx(3936, abs=5)
    assert distance_km((0, 179.5), (0, -179.5)) == pytest.approx(111.2, abs=0.1)


names = st.sampled_from(["n0", "n1", "n2", "n3"])


@st.composite
def problems(draw: st.DrawFn):
    nodes = [node(f"n{i}", draw(st.sampled_from([BERLIN, HAMBURG, MUNICH, None])), paused=draw(st.integers(0, 9)) == 0)
             for i in range(draw(st.integers(1, 4)))]  # fmt: skip
    demand = [
        Demand(f"l{i}", draw(st.sampled_from("AB")), draw(st.integers(1, 3))) for i in range(draw(st.integers(1, 3)))
    ]
    stock = {(sku, n.id): draw(st.integers(-1, 3)) for sku in "AB" for n in nodes}
    excluded = draw(st.frozensets(st.tuples(st.sampled_from(["l0", "l1", "l2"]), names), max_size=4))
    return demand, nodes, stock, draw(st.sampled_from([None, BERLIN])), excluded


def most(demand, nodes, stock, excluded) -> int:
    """How many pieces can be covered: matching unit by unit, another way than the policy's."""
    slots = [(sku, place) for (sku, place), n in stock.items() for _ in range(max(0, n)) if place in nodes]
    matched: dict[int, int] = {}
    pieces = [need for need in demand for _ in range(need.quantity)]

    def find(piece: int, seen: set[int]) -> bool:
        need = pieces[piece]
        for slot, (sku, place) in enumerate(slots):
            if slot in seen or sku != need.sku or (need.line_id, place) in excluded:
                continue
            seen.add(slot)
            if slot not in matched or find(matched[slot], seen):
                matched[slot] = piece
                return True
        return False

    return sum(find(piece, set()) for piece in range(len(pieces)))


def metres(at: Node, destination: tuple[float, float] | None) -> int:
    if destination is None or at.latitude is None or at.longitude is None:
        return 20_038_000
    return round(distance_km(destination, (at.latitude, at.longitude)) * 1000)


@settings(max_examples=400, deadline=None)
@given(problems())
def test_no_better_plan_exists_when_everything_is_tried(problem) -> None:
    demand, nodes, stock, destination, excluded = problem
    made = plan(demand, nodes, stock, destination=destination, excluded=excluded)

    given_out: Counter[tuple[str, str]] = Counter()
    got: Counter[str] = Counter()
    for part in made.allocations:
        assert (part.line_id, part.node_id) not in excluded
        given_out[part.sku, part.node_id] += part.quantity
        got[part.line_id] += part.quantity
    assert all(quantity <= stock[key] for key, quantity in given_out.items())
    assert all(got[need.line_id] <= need.quantity for need in demand)

    working = {n.id: metres(n, destination) for n in nodes if not n.paused}
    wanted = sum(need.quantity for need in demand)
    best = [
        (len(chosen), sum(working[n] for n in chosen))
        for size in range(1, len(working) + 1)
        for chosen in combinations(working, size)
        if most(demand, chosen, stock, excluded) == wanted
    ]
    assert bool(made.shortages) is not bool(best)
    assert sum(got.values()) == most(demand, list(working), stock, excluded)
    if best:
        chosen = used(made)
        assert (len(chosen), sum(working[n] for n in chosen)) == min(best)
        assert made.method == "exact"

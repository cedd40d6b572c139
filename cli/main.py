"""`./shelfway`: what can be typed. Each command is a few lines that call the module that does it, imported late."""

import os
import sys
from typing import Annotated

import typer

app = typer.Typer(
    help="An order fulfillment engine: every shelf is a place to ship from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


@app.command()
def up(
    once: Annotated[
        bool, typer.Option(help="End after the sample order is delivered: 0, or 1 with the reason.")
    ] = False,
    fresh: Annotated[bool, typer.Option(help="Begin with empty data.")] = False,
    reload: Annotated[bool, typer.Option(help="Restart api, worker and relay when their code changes.")] = False,
    sample: Annotated[bool, typer.Option(help="Place the sample order.")] = True,
) -> None:
    """Start everything, place one sample order, stay up until Ctrl-C."""
    from cli.up import up as run

    raise typer.Exit(run(once=once, fresh=fresh, reload=reload, sample=sample))


@app.command()
def demo(
    name: Annotated[str | None, typer.Argument(help="Which play; without one, they are listed.")] = None,
) -> None:
    """Act one order's story on the running system, or on one that is started for it."""
    from cli.demo_command import demo as run

    raise typer.Exit(run(name))


@app.command()
def down() -> None:
    """Stop what an `up` of this checkout runs or left behind."""
    from cli.down import down as run
    from cli.say import Say

    run(Say())


@app.command()
def doctor() -> None:
    """Show what is found, what is missing and what to do. Ends with 1 when something needs doing."""
    from cli.doctor import doctor as run

    raise typer.Exit(run())


@app.command()
def check() -> None:
    """Look at Postgres, both vendors' ledgers and Temporal: what does not agree? Ends with 1 when anything does not."""
    from cli.check import check_running

    raise typer.Exit(check_running())


@app.command()
def reconcile() -> None:
    """Compare Postgres, Temporal, Stripe and EasyPost once, now, and mend. Ends with 1 when a part could not look."""
    from cli.reconcile import reconcile_running

    raise typer.Exit(reconcile_running())


@app.command(
    "test",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Everything else goes to pytest: paths, -k, -x, -n 0, --slice 2/5, ...",
)
def run_tests(
    context: typer.Context,
    deep: Annotated[bool, typer.Option("--deep", help="Larger numbers and production timeouts.")] = False,
) -> None:
    """Lint, types and all tests; with a selection, just those tests."""
    from cli.testing import test as run

    raise typer.Exit(run(context.args, deep=deep))


@app.command()
def record() -> None:
    """Record the histories that the replay tests hold the workflow to. Ends as the tests that it plays end."""
    from cli.record import record as run

    raise typer.Exit(run())


@app.command()
def bench(
    orders: Annotated[int, typer.Option(help="How many at each number in flight.")] = 120,
    in_flight: Annotated[str, typer.Option(help="How many at once, by comma.")] = "20,50",
) -> None:
    """Measure orders through everything real, beside a workflow that does nothing, in one run. Linux only."""
    from bench.orders import run

    run(orders, tuple(int(number) for number in in_flight.split(",")))


@app.command()
def chaos(
    minutes: Annotated[float, typer.Option(help="How long things go wrong.", min=0.1)] = 5,
    seed: Annotated[int | None, typer.Option(help="Repeats the schedule of faults; without it one is drawn.")] = None,
) -> None:
    """Kill processes and trouble servers under load, then look for what was lost, doubled or left stuck."""
    from secrets import randbelow

    from cli.chaos.run import chaos as run

    raise typer.Exit(run(minutes, randbelow(2**32) if seed is None else seed))


@app.command()
def migrate(
    demo: Annotated[bool, typer.Option(envvar="SHELFWAY_DEMO", help="Fill an empty shop, as the demo has it.")] = False,
) -> None:
    """Bring the database of SHELFWAY_OWNER_DATABASE_URL or DATABASE_URL to the newest schema, as its owner."""
    from cli.migrate import migrate as run
    from cli.postgres import sqlalchemy_url

    url = os.environ.get("SHELFWAY_OWNER_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if not url:
        raise typer.BadParameter("set SHELFWAY_OWNER_DATABASE_URL or DATABASE_URL")
    run(sqlalchemy_url(url))
    if demo:
        from cli.say import Say
        from cli.seed import seed

        seed(sqlalchemy_url(url), Say())


@app.command()
def register() -> None:
    """Make Temporal's namespace and our search attributes where they are missing, before any worker polls."""
    from cli.temporal import register as run
    from workflows.search import REGISTERED

    run(REGISTERED)


@app.command()
def api(
    host: Annotated[str, typer.Option(envvar="SHELFWAY_API_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="SHELFWAY_API_PORT")] = 8000,
) -> None:
    """The HTTP API alone, in this process, configured by the environment."""
    from cli.apps import api_command

    _become(api_command(host, port))


@app.command()
def worker() -> None:
    """One worker alone, in this process, configured by the environment."""
    from cli.apps import COMMANDS

    _become(list(COMMANDS["worker"]))


@app.command()
def relay() -> None:
    """The relay alone, in this process, configured by the environment."""
    from cli.apps import COMMANDS

    _become(list(COMMANDS["relay"]))


def _become(command: list[str]) -> None:
    """Nothing of ours stays between the process and its signals."""
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 (no shell is wanted)

"""`./shelfway demo NAME`: acts one play on what `up` runs here, or on a system started for it and stopped again."""

from collections.abc import Generator
from contextlib import contextmanager

from cli import env
from cli.down import is_up
from cli.env import Places, RunningFile
from cli.http import ApiClient
from cli.narration import Narrator
from cli.plays import PLAYS, Play, Scene, tell_outcome
from cli.say import Say
from cli.stack import StackError, Stopped, running
from cli.timeline import Timeline
from cli.up import ORDERING_ERRORS, STARTING_ERRORS


def demo(name: str | None) -> int:
    """The exit code: 1 where it does not come out as it should, with the reason; 2 where there is no such play."""
    say = Say()
    if name is None or name not in PLAYS:
        if name is not None:
            say(f"shelfway demo: there is no play {name!r}", "red")
        for title, play in PLAYS.items():
            say(f"./shelfway demo {title:<14}{play.about}")
        return 0 if name is None else 2
    try:
        with _system(say) as places:
            return 0 if _act(PLAYS[name], places, say) else 1
    except Stopped:
        return 130
    except STARTING_ERRORS as error:
        say(f"shelfway demo: {error}", "red")
        return 1


@contextmanager
def _system(say: Say) -> Generator[Places]:
    """Where it is acted. Raises what starting raises."""
    if not is_up():
        with running(say, fresh=False, reload=False) as (places, _):
            yield places
        return
    variables, _ = RunningFile.read()
    if "SHELFWAY_PUBLIC_URL" not in variables:
        raise StackError("the `up` of this checkout is still starting; try again in a moment")
    yield Places.of(variables)


def _act(play: Play, places: Places, say: Say) -> bool:
    api = ApiClient(places.api_url, env.api_key())
    say(f"{play.about[0].upper()}{play.about[1:]}.", "bold")
    with Timeline(api, say, Narrator(api)) as timeline:
        scene = Scene(api, places, say, timeline)
        try:
            order = play.act(scene)
        except ORDERING_ERRORS as error:
            timeline.finish()
            say(f"it did not come out: {error}", "red")
            return False
        timeline.finish()
    tell_outcome(scene, order)
    return True

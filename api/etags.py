"""A row's revision as its ETag, and the `If-Match` that an edit must carry."""

import re
from typing import Annotated

from fastapi import Depends, Header

from api.errors import ProblemError

_ETAG = re.compile(r'(?:W/)?"?(\d{1,18})"?')


def etag(revision: int) -> str:
    return f'"{revision}"'


async def _revision(
    if_match: Annotated[
        str | None,
        Header(description="The ETag that you read; another's change in between is a 412.", examples=['"3"']),
    ] = None,
) -> int:
    if if_match is None:
        raise ProblemError(428, "if_match_required", "Read it first, and send its ETag as If-Match.")
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise ProblemError(412, "stale", "This If-Match is no ETag of ours: read it again.")
    return int(found[1])


IfMatchDep = Annotated[int, Depends(_revision)]

"""What both vendors' clients have in common: how a call failed on the wire. It must not know any vendor."""

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError


def never_sent(error: BaseException | None) -> bool:
    """Whether a `requests` exception says that no connection was made, so that the call surely had no effect."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    if not isinstance(error, requests.exceptions.ConnectionError) or not error.args:
        return False
    return isinstance(error.args[0], MaxRetryError) and isinstance(error.args[0].reason, NewConnectionError)

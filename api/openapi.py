"""The API's own description: what FastAPI makes of the routes, with problems under their own media type.

`python -m api.openapi` renews the committed copy, docs/openapi.json.
"""

import json
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.errors import PROBLEM_JSON

TAGS: Final = [
    {"name": "storefront", "description": "Prices, carts' holds, orders and their story: what a shop's site calls."},
    {"name": "cs", "description": "Customer service: find an order, cancel it, hold it."},
    {"name": "store", "description": "A store or warehouse: offers, picking, packing, handing over."},
    {"name": "ops", "description": "Exceptions, retries, runs, health."},
    {"name": "setup", "description": "Products, prices, locations, stock: what there is to sell and where it lies."},
    {"name": "webhooks", "description": "What Stripe and EasyPost tell us, signed."},
]


def operation_id(route: APIRoute) -> str:
    """The function's name, which is unique and stays."""
    return route.name


def describe(app: FastAPI) -> dict[str, Any]:
    """Made once a process; `docs/openapi.json` is its committed copy."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        components = schema["components"]["schemas"]
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                if path.startswith("/v1/"):
                    operation["responses"] |= {status: _problem(words) for status, words in _EVERYWHERE.items()}
                _as_problems(operation["responses"])
        for name, component in components.items():
            if name.startswith("ListOf_"):
                _show_a_page(component, components)
        for unused in ("HTTPValidationError", "ValidationError"):
            components.pop(unused, None)
        app.openapi_schema = schema
    return app.openapi_schema


_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_EVERYWHERE: Final = {"401": "No known key was sent.", "403": "The key's role may not do this."}


def _problem(words: str) -> dict[str, Any]:
    return {"description": words, "content": {PROBLEM_JSON: {"schema": _PROBLEM}}}


def _as_problems(responses: dict[str, Any]) -> None:
    """Whatever FastAPI says of an error's body: it is a problem."""
    for answer in responses.values():
        for body in answer.get("content", {}).values():
            if body.get("schema", {}).get("$ref", "").endswith(("/Problem", "/HTTPValidationError")):
                answer["content"] = {PROBLEM_JSON: {"schema": _PROBLEM}}
                break


def _show_a_page(component: dict[str, Any], components: dict[str, Any]) -> None:
    """A list's example is a page with one of its items' own."""
    item = components[component["properties"]["data"]["items"]["$ref"].rpartition("/")[2]]
    if "examples" in item:
        page = {"object": "list", "data": item["examples"][:1], "has_more": False, "next_cursor": None}
        component["examples"] = [{**page, "url": "/v1/…"}]


def renew() -> None:
    """Write docs/openapi.json anew; no database is asked."""
    from api.app import create_app  # noqa: PLC0415 (which imports this module)
    from models.config import Settings  # noqa: PLC0415

    nowhere = Settings(database_url="postgresql+psycopg://nobody@localhost/none")  # pyright: ignore[reportCallIssue]
    document = create_app(nowhere).openapi()
    target = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    renew()

"""The API's own description: what FastAPI makes of the routes, with problems under their own media type."""

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
        for path in schema["paths"].values():
            for operation in path.values():
                _as_problems(operation["responses"])
        app.openapi_schema = schema
    return app.openapi_schema


def _as_problems(responses: dict[str, Any]) -> None:
    for answer in responses.values():
        content = answer.get("content", {})
        body = content.get("application/json")
        if body and body.get("schema", {}).get("$ref", "").endswith("/Problem"):
            content[PROBLEM_JSON] = content.pop("application/json")

"""What people open in a browser or print: label files and a parcel's public page. No key, as with real URLs."""

import html

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.easypost.errors import ApiError, not_found
from sandbox.easypost.http import answer
from sandbox.easypost.shapes import LABEL_FORMATS, Json
from sandbox.easypost.shipments import Shipments
from sandbox.easypost.trackers import Trackers

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{code}</title><style>body{{font:16px system-ui;margin:2rem auto;max-width:36rem;padding:0 1rem}}
td{{padding:.3rem 1rem .3rem 0;vertical-align:top}}</style>
<h1>{code}</h1><p>{carrier}: <strong>{status}</strong> (sandbox)</p><table>{rows}</table></html>"""


def routes(shipments: Shipments, trackers: Trackers) -> list[Route]:
    async def label(request: Request) -> Response:
        label_format = request.path_params["extension"].upper()
        try:
            if label_format not in LABEL_FORMATS:
                raise not_found()
            shipment = shipments.of_label(request.path_params["id"])
        except ApiError as refusal:
            return answer(refusal.status, refusal.body)
        file = await run_in_threadpool(_print, shipment, label_format)
        return Response(file, media_type=LABEL_FORMATS[label_format])

    async def track(request: Request) -> Response:
        try:
            tracker = trackers.retrieve(request.path_params["id"])
        except ApiError as refusal:
            return answer(refusal.status, refusal.body)
        cells = (
            (detail["datetime"], detail["message"], detail["tracking_location"]["city"] or "")
            for detail in reversed(tracker["tracking_details"])
        )
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
        values = {name: html.escape(tracker[name]) for name in ("carrier", "status")}
        return HTMLResponse(PAGE.format(code=html.escape(tracker["tracking_code"]), rows=rows, **values))

    return [Route("/labels/{id}.{extension}", label), Route("/track/{id}", track)]


def _print(shipment: Json, label_format: str) -> bytes:
    """In a thread and imported late: the PDF library takes a second to load, which few runs of a sandbox need."""
    from sandbox.easypost.label import label_of, render  # noqa: PLC0415

    return render(label_of(shipment), label_format)

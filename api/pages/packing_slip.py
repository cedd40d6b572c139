"""The packing slip: one page for the printer, without scripts or anything from elsewhere."""

from collections import Counter
from html import escape
from typing import Final

from models.stores.shipment_reader import ShipmentRecord
from models.tables.orders import Order
from models.tables.stock import Location

_STYLE: Final = """
  @page { size: A5; margin: 12mm }
  body { font: 11pt/1.4 system-ui, sans-serif; color: #111; max-width: 130mm; margin: 0 auto }
  h1 { font-size: 15pt; margin: 0 0 4mm } table { width: 100%; border-collapse: collapse; margin: 5mm 0 }
  th, td { text-align: left; padding: 1.5mm 0; border-bottom: 1px solid #bbb; vertical-align: top }
  td.n, th.n { text-align: right; width: 14mm } .two { display: flex; gap: 10mm } .two div { flex: 1 }
  .sku { color: #555; font-size: 9pt } address { font-style: normal; white-space: pre-line }
"""


def packing_slip(record: ShipmentRecord) -> str:
    """HTML with the order's number, the parcel's goods, where from and where to."""
    order, location, shipment = record.order, record.location, record.shipment
    origin = _address(location.name, location.street, _place(location), location.country)
    to = _address(order.name, order.street, order.street2, _place(order), order.country)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Packing slip {escape(order.number)}</title>
<style>{_STYLE}</style></head><body>
<h1>Order {escape(order.number)} · parcel {shipment.position}</h1>
<div class="two"><div><strong>From</strong><address>{origin}</address></div>
<div><strong>To</strong><address>{to}</address></div></div>
<table><thead><tr><th>Item</th><th class="n">Qty</th></tr></thead><tbody>
{_rows(record)}
</tbody></table>
<p class="sku">{escape(shipment.id)}</p>
</body></html>"""


def _rows(record: ShipmentRecord) -> str:
    counts = Counter(piece.unit.sku for piece in record.pieces)
    variants = {piece.unit.sku: piece.variant for piece in record.pieces}
    return "\n".join(
        f'<tr><td>{escape(variants[sku].title)}<br><span class="sku">{escape(sku)}</span></td>'
        f'<td class="n">{count}</td></tr>'
        for sku, count in counts.items()
    )


def _address(name: str, *lines: str | None) -> str:
    return "\n".join(escape(line) for line in (name, *lines) if line)


def _place(of: Order | Location) -> str:
    return " ".join(part for part in (of.postcode, of.city, of.state) if part)

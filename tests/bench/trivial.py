"""The endpoint we are measured against: it only parses the same body with orjson and
answers one small card.
"""

from __future__ import annotations

import orjson
from flask import Flask, Response, request

app = Flask(__name__)
_CARD = {"cards": [{"summary": "Parsed", "indicator": "info", "source": {"label": "trivial"}}]}


@app.post("/cds-services/trivial")
def trivial() -> Response:
    """Parse and answer."""
    orjson.loads(request.get_data())
    return Response(orjson.dumps(_CARD), mimetype="application/json")


@app.get("/ready")
def ready() -> Response:
    """Ready as soon as it runs."""
    return Response(b"{}", mimetype="application/json")

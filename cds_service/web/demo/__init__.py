"""The embedded demo EHR: synthetic patients, an order form, and our own services called in
process.
"""

from __future__ import annotations

from cds_service.web.demo.pages import blueprint

__all__ = ["blueprint"]

"""What is made from rules, numbers, words and cases: the catalogue, the build sheet, parts
of the guide.
"""

from __future__ import annotations

from cds_service.catalogue.build_sheet import build_sheet
from cds_service.catalogue.gather import gather
from cds_service.catalogue.guide import guide
from cds_service.catalogue.pages import Shelf, page
from cds_service.catalogue.worked import worked

__all__ = ["Shelf", "build_sheet", "gather", "guide", "page", "worked"]

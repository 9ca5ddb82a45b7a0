"""The site's directory: preferred partners by what they do, for which payers and at which
sites. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.knowledge.codes import Code


@dataclass(frozen=True, slots=True)
class Partner:
    """A preferred partner: `ref` as the EHR's FHIR server knows it, and what it does.

    `payers` (ids) and `sites` (client ids) limit it; empty means any.
    """

    ref: str
    name: str
    codes: frozenset[Code]
    payers: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    phone: str = ""
    links: tuple[tuple[str, str], ...] = ()

    @property
    def reference(self) -> dict[str, str]:
        """As FHIR writes it."""
        return {"reference": self.ref, "display": self.name}


@dataclass(frozen=True, slots=True)
class Directory:
    """Preferred partners in the order of the file."""

    partners: tuple[Partner, ...] = ()

    def preferred(
        self, codes: Iterable[Code], payers: tuple[str, ...] = (), site: str = ""
    ) -> Partner | None:
        """The partner for a service or specialty: for the first payer before any, then for
        this site.
        """
        wanted = frozenset(codes)
        fitting = [
            partner
            for partner in self.partners
            if not wanted.isdisjoint(partner.codes)
            and (not partner.payers or not partner.payers.isdisjoint(payers))
            and (not partner.sites or site in partner.sites)
        ]
        rank = {payer: len(payers) - index for index, payer in enumerate(payers)}
        return max(
            fitting,
            key=lambda p: (
                max((rank.get(payer, 0) for payer in p.payers), default=0),
                bool(p.sites),
            ),
            default=None,
        )


NOBODY = Directory()

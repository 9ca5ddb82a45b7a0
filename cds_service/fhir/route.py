"""By which route an instruction says a drug is given; UNKNOWN when it does not say, or says two."""

from __future__ import annotations

from cds_service.fhir.r4_dosage import CodeableConcept, Dosage
from cds_service.fhir.sig_words import ROUTES, tokens
from cds_service.knowledge.drugs.model import Route

# SNOMED CT route qualifiers and HL7 v3 RouteOfAdministration codes.
_CODES: dict[str, Route] = {
    **dict.fromkeys(("26643006", "PO"), Route.ORAL),
    **dict.fromkeys(("37839007", "SL"), Route.SUBLINGUAL),
    **dict.fromkeys(("54471007", "BUC"), Route.BUCCAL),
    **dict.fromkeys(("46713006", "NASINHL", "NASINHLC"), Route.NASAL),
    **dict.fromkeys(("45890007", "TRNSDERM"), Route.TRANSDERMAL),
    **dict.fromkeys(("37161004", "PR"), Route.RECTAL),
    **dict.fromkeys(("47625008", "78421000", "34206005", "404820008", "72607000"), Route.INJECTION),
    **dict.fromkeys(
        ("IV", "IVINJ", "IVPUSH", "IVDRIP", "IM", "SQ", "SC", "EPI", "IT"), Route.INJECTION
    ),
}


def route_of(dosage: Dosage) -> Route:
    """The route of the structured instruction, by code, else by its words."""
    concept = dosage.route
    if concept is None:
        return Route.UNKNOWN
    if isinstance(concept, str):
        concept = CodeableConcept(text=concept)
    codes = (coding.code.strip().upper() for coding in concept.codings if coding.code)
    coded = {_CODES[code] for code in codes if code in _CODES}
    if not coded:
        for text in (concept.text, *(c.display for c in concept.codings)):
            coded |= {Route(ROUTES[word]) for word in tokens(text or "") or () if word in ROUTES}
    return coded.pop() if len(coded) == 1 else Route.UNKNOWN


def route_said(word: str) -> Route:
    """The route a free text named."""
    return Route(word) if word else Route.UNKNOWN

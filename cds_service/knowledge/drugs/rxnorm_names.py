"""Reading RxNorm's normal names, where every product says each strength beside its ingredient."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_QUALIFIER = re.compile(
    r"^(?:(?:Abuse-Deterrent|Matrix Delivery|(?:Once|Twice)-Daily|Augmented|"
    r"\d*\.?\d+ ?(?:HR|ML|ACTUAT))\s+)+",
    re.IGNORECASE,
)
_SEALED = re.compile(r"(?:^|\s)(\d*\.?\d+) ML (?=\D)")
_PART = re.compile(
    r"^(?P<what>.*?) (?P<value>\d*\.?\d+) "
    r"(?P<unit>(?:MG|UNT|MEQ)(?:/(?:ML|HR|MG|ACTUAT))?)(?= |$)(?P<rest>.*)$"
)
_BRAND = re.compile(r"\s*\[([^\]]+)\]\s*$")
_PACKED = re.compile(r"\(([^()]+)\)")
_SIZE = re.compile(r"^\d*\.?\d+ (?:ML|MG)$")
_EDITION = re.compile(r"\s+(?:Reformulated\b.*|\d.*)$")

_UNITS = {
    "MG": "mg",
    "MG/ML": "mg/mL",
    "MG/HR": "mg/h",
    "MG/ACTUAT": "mg/{actuat}",
    "MG/MG": "mg/mg",
    "UNT": "unt",
    "UNT/ML": "unt/mL",
    "UNT/MG": "unt/mg",
    "MEQ": "meq",
    "MEQ/ML": "meq/mL",
}


@dataclass(frozen=True, slots=True)
class NamedPart:
    """One ingredient of a name, lower case with its salt, with strength and unit if the
    name has them.
    """

    what: str
    strength: Decimal | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ReadName:
    """A RxNorm name taken apart. `sealed_ml` is the volume of one unit."""

    parts: tuple[NamedPart, ...]
    dose_form: str = ""
    brand: str = ""
    sealed_ml: Decimal | None = None


def read_name(name: str) -> ReadName:
    """Take a component, product or pack name apart; a pack is read as the union of what is in it.

    >>> read_name("0.5 ML nalmefene 3 MG/ML Auto-Injector [Zurnai]").parts
    (NamedPart(what='nalmefene', strength=Decimal('3'), unit='mg/mL'),)
    """
    found = _BRAND.search(name)
    brand = clean_brand(found[1]) if found else ""
    bare = name[: found.start()] if found else name
    if bare.startswith("{"):
        return _read_pack(bare, brand)
    sealed = _SEALED.match(bare)
    qualifier = _QUALIFIER.match(bare)
    bare = bare[qualifier.end() :] if qualifier else bare
    parts: list[NamedPart] = []
    form = ""
    for text in bare.split(" / "):
        match = _PART.match(text)
        if match is None:
            parts.append(NamedPart(_plain(text)))
            continue
        parts.append(
            NamedPart(_plain(match["what"]), Decimal(match["value"]), _UNITS[match["unit"]])
        )
        form = match["rest"].strip() or form
    return ReadName(tuple(parts), form, brand, Decimal(sealed[1]) if sealed else None)


def clean_brand(brand: str) -> str:
    """A brand without edition or pack size.

    >>> clean_brand("Percodan Reformulated May 2009"), clean_brand("Subsys 1200 MCG")
    ('Percodan', 'Subsys')
    """
    return _EDITION.sub("", brand)


def _read_pack(bare: str, brand: str) -> ReadName:
    inner = [read_name(text) for text in _PACKED.findall(bare) if not _SIZE.match(text)]
    parts: dict[str, NamedPart] = {}
    for part in (part for one in inner for part in one.parts):
        known = parts.setdefault(part.what, part)
        if known != part:  # a titration pack has no single strength
            parts[part.what] = NamedPart(part.what)
    forms = {one.dose_form for one in inner}
    return ReadName(tuple(parts.values()), forms.pop() if len(forms) == 1 else "Pack", brand)


def _plain(text: str) -> str:
    qualifier = _QUALIFIER.match(text)
    return (text[qualifier.end() :] if qualifier else text).strip().lower()

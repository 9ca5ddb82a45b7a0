"""Units of doses, quantities and times as EHRs write them: UCUM codes, annotations, drug form
codes, words.

A unit that is not known is None; it is never guessed.
"""

from __future__ import annotations

from fractions import Fraction

from cds_service.frozen import Frozen

MG, MCG, ML, COUNT, MCG_PER_HOUR = "mg", "mcg", "mL", "unit", "mcg/h"


class Unit(Frozen):
    """`scale` of `kind` (mg, mcg, mL, unit) in one of the unit as written; `word` names
    what is counted.
    """

    kind: str
    scale: Fraction = Fraction(1)
    word: str = ""


# UCUM code and spellings, all lower case. A teaspoon and a tablespoon are the US medical ones, 5
# and 15 mL.
_MEASURES: dict[str, Unit] = {
    **dict.fromkeys(("mg", "milligram", "mgs", "c28253"), Unit(MG)),
    **dict.fromkeys(("g", "gm", "gram", "c48155"), Unit(MG, Fraction(1000))),
    **dict.fromkeys(("ug", "mcg", "µg", "μg", "microgram", "mcgs", "c48152"), Unit(MCG)),
    **dict.fromkeys(("ng", "nanogram"), Unit(MCG, Fraction(1, 1000))),
    **dict.fromkeys(("ml", "milliliter", "millilitre", "cc", "c28254"), Unit(ML)),
    **dict.fromkeys(("l", "liter", "litre"), Unit(ML, Fraction(1000))),
    **dict.fromkeys(
        ("tsp", "tspful", "teaspoon", "teaspoonful", "teaspoonsful", "[tsp_us]", "[tsp_m]"),
        Unit(ML, Fraction(5)),
    ),
    **dict.fromkeys(
        ("tbsp", "tablespoon", "tablespoonful", "[tbs_us]", "[tbs_m]"), Unit(ML, Fraction(15))
    ),
}

_COUNTED: dict[str, tuple[str, ...]] = {
    "tablet": (
        "tablet", "tab", "tbl", "tb", "tabl", "caplet", "pill", "ortab", "buctab", "sltab", "chewtab",
        "cptab", "disintab", "drtab", "ectab", "erectab", "ertab", "ertab24", "srbuctab", "c48542",
        "428673006", "732936001",  # SNOMED CT: unit of product usage, unit of presentation
    ),
    "capsule": (
        "capsule", "cap", "orcap", "ercap", "ercap12", "ercap24", "ereccap", "capentpel",
        "c48480", "428641000", "732937005",
    ),
    "patch": (
        "patch", "patche", "transdermal system", "transdermal patch", "tpatch", "tpath16", "tpath24",
        "tpath72", "tpathwk", "tpath2wk", "system",
    ),
    "spray": (
        "spray", "spry", "nasspry", "nasal spray", "spryadapt", "actuat", "actuation", "puff",
        "metered dose spray",
    ),
    "film": ("film", "strip", "buccal film", "sublingual film"),
    "lozenge": ("lozenge", "loz", "lollipop", "troche", "ortroche", "lozenge on a handle"),
    "suppository": ("suppository", "suppositorie", "supp", "recsupp"),
    "drop": ("drop", "gtt", "gtts", "drp", "[drp]", "ordrop"),
    "packet": ("packet", "sachet"),
    "": ("each", "ea", "unit", "item", "piece", "c64933"),
}  # fmt: skip
_COUNTS = {
    spelling: Unit(COUNT, word=word)
    for word, spellings in _COUNTED.items()
    for spelling in spellings
}

# Words before a counted unit that say nothing about how much: "film-coated tablet", "12 HR ER oral
# tablet".
_QUALIFIERS = frozenset(
    {
        "oral", "buccal", "sublingual", "nasal", "rectal", "transdermal", "extended", "extended-release",
        "release", "er", "xr", "sr", "cr", "ir", "immediate", "immediate-release", "delayed", "chewable",
        "film-coated", "coated", "12", "24", "72", "hr", "hour", "disintegrating", "effervescent",
    }
)  # fmt: skip

_TIMES: dict[str, Fraction] = {
    **dict.fromkeys(("s", "sec", "second"), Fraction(1, 86400)),
    **dict.fromkeys(("min", "minute"), Fraction(1, 1440)),
    **dict.fromkeys(("h", "hr", "hour"), Fraction(1, 24)),
    **dict.fromkeys(("d", "day", "dy"), Fraction(1)),
    **dict.fromkeys(("wk", "week", "w"), Fraction(7)),
    # Thirty days and 365 days, as the public reference calculator takes them.
    **dict.fromkeys(("mo", "month", "mon"), Fraction(30)),
    **dict.fromkeys(("a", "year", "yr", "y"), Fraction(365)),
}


def _plain(text: str) -> str:
    """Lower case, without annotation braces, plural marks and full stops."""
    plain = text.strip().lower().replace("(s)", "").replace("(es)", "").strip("{}. ")
    return " ".join(plain.replace(",", " ").split())


def _spellings(text: str) -> tuple[str, ...]:
    plain = _plain(text)
    singular = plain.removesuffix("s")
    return (plain, singular) if len(singular) > 1 else (plain,)


def unit_of(text: str) -> Unit | None:
    """The unit a text names, or None.

    >>> unit_of("{tbl}")
    Unit(kind='unit', scale=Fraction(1, 1), word='tablet')
    >>> unit_of("GM")
    Unit(kind='mg', scale=Fraction(1000, 1), word='')
    >>> unit_of("dose") is None, unit_of("mg/kg") is None
    (True, True)
    """
    for spelling in _spellings(text):
        found = _MEASURES.get(spelling) or _COUNTS.get(spelling)
        if found is not None:
            return found
    *before, last = _plain(text).split() or [""]
    if all(word in _QUALIFIERS for word in before):
        return next((_COUNTS[s] for s in _spellings(last) if s in _COUNTS), None)
    return None


def first_unit(texts: tuple[str, ...]) -> Unit | None:
    """The first of `texts` (a code, then its text) that names a unit, None where another one names
    a different one; UCUM's unity counts.

    >>> first_unit(("1", "tablet")).word, first_unit(("1",)).kind, first_unit(("mg", "tablet")) is None
    ('tablet', 'unit', True)
    """
    named = [unit for text in texts if (unit := unit_of(text)) is not None]
    if not named:
        return Unit(COUNT) if "1" in texts else None
    alike = all((unit.kind, unit.scale) == (named[0].kind, named[0].scale) for unit in named)
    return named[0] if alike else None


def days_of(text: str) -> Fraction | None:
    """How many days the time unit is, or None.

    >>> days_of("wk"), days_of("Hours"), days_of("fortnight")
    (Fraction(7, 1), Fraction(1, 24), None)
    """
    return next((_TIMES[s] for s in _spellings(text) if s in _TIMES), None)


def first_days(texts: tuple[str, ...]) -> Fraction | None:
    """The first of `texts` that names a time unit, in days."""
    return next((days for text in texts if (days := days_of(text)) is not None), None)


def rate_of(texts: tuple[str, ...]) -> tuple[Unit, Fraction] | None:
    """A rate unit (`ug/h`, `mg/24h`, `mcg per hour`): what is given, and in how many days; else
    None.

    >>> rate_of(("ug/h",))
    (Unit(kind='mcg', scale=Fraction(1, 1), word=''), Fraction(1, 24))
    >>> rate_of(("mg/mL",)) is None
    True
    """
    for text in texts:
        amount, slash, time = text.replace(" per ", "/").partition("/")
        if not slash:
            continue
        digits = "".join(ch for ch in time if ch.isdigit())[:4]
        unit, days = unit_of(amount), days_of(time.replace(digits, "", 1) if digits else time)
        if unit is not None and days is not None and digits != "0":
            return unit, days * int(digits or 1)
    return None

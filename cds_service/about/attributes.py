"""The thirteen source attributes of evidence-based decision support, 45 CFR
170.315(b)(11)(iv)(A). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.about.model import Attribute, Cited, Maker, Threshold
from cds_service.about.reads import personal
from cds_service.clinical.evaluate import needs_of
from cds_service.clinical.facts import Need
from cds_service.clinical.rule import Rule
from cds_service.knowledge.codes import ValueSet

NOT_USED = "Not used: it is not read from the chart"
_NEVER = (
    (5, "Use of race"),
    (6, "Use of ethnicity"),
    (7, "Use of language"),
    (8, "Use of sexual orientation"),
    (9, "Use of gender identity"),
)
_HEALTH_STATUS_STARTS = ("screen-", "outcome-")
_HEALTH_STATUS = frozenset(
    {
        "pain-numeric-rating",
        "peg-mean",
        "disability-status",
        "tobacco-use",
        "pregnancy",
        "pregnant-answers",
        "not-pregnant-answers",
        "self-harm-answers",
        "opioid-misuse-assessment-procedure",
        "opioid-treatment-assessment-procedure",
    }
)
_SOCIAL = tuple(
    f"Z{number}" for number in range(55, 66)
)  # ICD-10-CM Z55 to Z65: social circumstances


def attributes(
    rule: Rule | None,
    maker: Maker,
    citations: Iterable[Cited],
    thresholds: Iterable[Threshold],
    sets: Iterable[ValueSet],
) -> tuple[Attribute, ...]:
    """All thirteen, in the order of the regulation; what a card without a rule gathers has
    its own page.
    """
    cited, used = tuple(citations), tuple(sets)
    read = personal(rule) if rule is not None else frozenset[str]()
    return (
        Attribute(1, "Bibliographic citation", "; ".join(_citation(each) for each in cited)),
        Attribute(2, "Developer", maker.developer),
        Attribute(3, "Funding source of the technical implementation", maker.funding),
        Attribute(4, "Release and revision dates", _dates(maker, cited, tuple(thresholds))),
        *(Attribute(number, name, NOT_USED + ".") for number, name in _NEVER),
        Attribute(10, "Use of sex", _sex(read)),
        Attribute(11, "Use of date of birth", _birth(read)),
        Attribute(12, "Use of social determinants of health", _social(used)),
        Attribute(13, "Use of health status assessments", _health_status(rule, read, used)),
    )


def health_status(name: str) -> bool:
    """Whether a value set names health status assessments: scores, pregnancy, disability,
    smoking.
    """
    return name in _HEALTH_STATUS or name.startswith(_HEALTH_STATUS_STARTS)


def social(values: ValueSet) -> bool:
    """Whether a value set names ICD-10-CM codes of social circumstances."""
    return any(
        code.system == "ICD10CM" and code.code.startswith(_SOCIAL)
        for code in (*values.exact, *values.prefixes)
    )


def _citation(cited: Cited) -> str:
    source = cited.source
    where = f" ({'; '.join(cited.at)})" if cited.at else ""
    address = f" {source.url}" if source.url else ""
    return f"{source.publisher}. {source.title}. {source.date}{where}.{address}"


def _dates(maker: Maker, cited: tuple[Cited, ...], thresholds: tuple[Threshold, ...]) -> str:
    parts = [f"This service: version {maker.version}"]
    changed = [threshold.since for threshold in thresholds]
    if changed:
        parts.append(f"newest number in force since {max(changed)}")
    reviewed = [t.reviewed for t in thresholds if t.reviewed is not None]
    again = [t.again for t in thresholds if t.again is not None]
    if reviewed and again:
        parts.append(f"numbers last reviewed {min(reviewed)}, to be reviewed again by {min(again)}")
    parts.append("sources: " + ", ".join(f"{each.source.id} {each.source.date}" for each in cited))
    return "; ".join(parts) + "."


def _sex(read: frozenset[str]) -> str:
    if "sex" not in read:
        return NOT_USED + " for this card."
    return (
        "Used, here or in reasoning it shares: Patient.gender chooses between limits that a source gives by "
        "sex (a screening score, an age of frailty). Where it is not recorded as male, the limit for "
        "women is used."
    )


def _birth(read: frozenset[str]) -> str:
    if "born" not in read:
        return NOT_USED + " for this card."
    return (
        "Used, here or in reasoning it shares: age on the day of the call decides whether advice is meant "
        "for the patient or a limit is met."
    )


def _social(sets: tuple[ValueSet, ...]) -> str:
    found = [values for values in sets if social(values)]
    if not found:
        return "Not used: no code of social circumstances is looked for. Coverage only tells the payer."
    return "Used: " + "; ".join(_plain(values) for values in found) + "."


def _health_status(rule: Rule | None, read: frozenset[str], sets: tuple[ValueSet, ...]) -> str:
    found = [_plain(values) for values in sets if health_status(values.name)]
    if "disability" in read:
        found.append("Disability status of the patient record")
    if rule is not None and Need.QUESTIONNAIRE_RESPONSES in needs_of(rule):
        found.append("Scores of completed questionnaires")
    if not found:
        return NOT_USED + " for this card."
    return "Used: " + "; ".join(dict.fromkeys(found)) + "."


def _plain(values: ValueSet) -> str:
    return (values.says or values.name.replace("-", " ")).rstrip(".")

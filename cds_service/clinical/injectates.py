"""Allergies to what an epidural injection holds: contrast, corticosteroid, local anesthetic. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.clinical.evidence import Evidence, Sign, name, sign
from cds_service.clinical.facts import Allergy, Facts, Need
from cds_service.clinical.rule import Known
from cds_service.knowledge.codes import Code
from cds_service.knowledge.drugs.model import DrugClass

ALLERGENS = ("allergen-contrast", "allergen-corticosteroid", "allergen-local-anesthetic")
# Allergy lists often name a class, a brand or an agent no order would hold, in words only.
_CONTRAST = (
    r"contrast|omnipaque|isovue|visipaque|optiray|ultravist|oxilan|conray|hypaque|renografin"
    r"|iohexol|iopamidol|iodixanol|ioversol|iopromide|ioxilan|iothalamate|diatrizoate"
    r"|\bgado\w+|gadavist|magnevist|dotarem|clariscan|multihance|prohance|omniscan|eovist"
)
_STEROID = (
    r"\bcelestone\b|\baristospan\b|corticosteroid|glucocorticoid"
    r"|(?<!anabolic )(?<!non )(?<!non-)\bsteroids?\b"
)
_ANESTHETIC = (
    r"local an(?:a)?esthetic|(?!cocaine)\b\w*caines?\b|novocain|naropin|exparel|\bcitanest\b"
)
_NAMED = re.compile(f"{_CONTRAST}|{_STEROID}|{_ANESTHETIC}")
_DYE = re.compile(r"\bdyes?\b")
_PERHAPS = re.compile(r"dyes?|iodine")  # which dye, or contrast by its iodine, is not said
# What a dye is given for; hair and food have dyes as well.
_IMAGED = re.compile(
    r"\b(?:(?:iv|ivp|intravenous|x-?\s?rays?|ct|mri|imaging|scan)\b"
    r"|i\.v\.|iodin|gadolin|radio|myelo|angio)"
)


def allergic(facts: Facts, known: Known) -> Sign:
    """Active allergies to an injectate by ingredient, class or words; "dye" or "iodine" alone leaves it
    unknown.

    Whoever asks declares `ALLERGENS`.
    """
    active = [a for a in facts.allergies if a.active]
    listed = [_listed(a) for a in active if _to_injectate(a, known)]
    unsure = [_listed(a) for a in active if _PERHAPS.fullmatch(a.text.strip().lower())]
    return sign(listed, facts, Need.ALLERGIES, unsure=unsure)


def _listed(allergy: Allergy) -> Evidence:
    return Evidence(allergy.ref, name(allergy), allergy.when)


def _to_injectate(allergy: Allergy, known: Known) -> bool:
    substances = frozenset(_substances(allergy))
    if any(known.codes(group).any_of(substances) for group in ALLERGENS):
        return True
    if allergy.drug is not None and allergy.drug.is_a(DrugClass.SYSTEMIC_CORTICOSTEROID):
        return True
    return _in_words(allergy.text)


def _in_words(text: str) -> bool:
    """Whether an allergy list says contrast, steroid or local anesthetic in words.

    >>> [_in_words(text) for text in ("IVP dye", "Omnipaque", "steroids", "caine anesthetics", "hair dye")]
    [True, True, True, True, False]
    """
    words = text.strip().lower()
    if words.startswith(("no ", "denies ")):
        return False
    return bool(_NAMED.search(words) or (_DYE.search(words) and _IMAGED.search(words)))


def _substances(allergy: Allergy) -> Iterator[Code]:
    yield from allergy.codes
    if allergy.drug is not None:
        yield from (Code("RXNORM", part.rxcui) for part in allergy.drug.components if part.rxcui)

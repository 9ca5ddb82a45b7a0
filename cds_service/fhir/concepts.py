"""What a concept says by itself: what it is called, its word as a status, whether it says
more than codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from cds_service.fhir.r4_dosage import CodeableConcept, Coding, as_list

LONGEST_KEPT = 4_000  # characters or bytes of what an answer that outlives the call was read from
_ENCODE = msgspec.json.Encoder().encode
# Where FHIR's own codes are: a chart may put those of its own house before them.
_HL7 = ("http://terminology.hl7.org/", "http://hl7.org/fhir/")


def status_word(concept: CodeableConcept | str | None) -> str:
    """The code of HL7's own system among those of a concept that works like a status, else the
    first, else its text in lower case.
    """
    if concept is None:
        return ""
    if isinstance(concept, str):
        return concept.lower()
    coding = concept.coding
    if coding.__class__ is tuple and len(coding) == 1 and coding[0].code:
        return coding[0].code
    coded = [each for each in concept.codings if each.code]
    own = (each for each in coded if (each.system or "").startswith(_HL7))
    best = next(own, coded[0] if coded else None)
    return (best and best.code) or (concept.text or "").lower()


def names_of(concept: CodeableConcept | None) -> Iterator[str]:
    """What a concept is called: its text before its displays."""
    if concept is not None:
        yield from filter(None, (concept.text, *(coding.display for coding in concept.codings)))


def merged(concepts: Iterable[CodeableConcept]) -> CodeableConcept:
    """Several concepts of one thing as one: all codings, the first text, the others' texts
    as displays.
    """
    every = tuple(concepts)
    texts = [each.text for each in every if each.text]
    more = tuple(Coding(display=text) for text in texts[1:])
    codings = tuple(coding for each in every for coding in each.codings)
    return CodeableConcept(coding=codings + more, text=texts[0] if texts else None)


def label(concept: CodeableConcept | None) -> str:
    """What a concept is called: its text, else the first display."""
    if concept is None:
        return ""
    return concept.text or next(names_of(concept), "")


def says_codes_only(concept: CodeableConcept | None, sent: bytes) -> bool:
    """Whether the bytes of a concept hold nothing but codes and what those are called, and
    are not many.
    """
    if concept is None or len(sent) > LONGEST_KEPT or not names_codes_only(concept.codings):
        return False
    displays = (coding.display for coding in concept.codings)
    return concept.text in (None, *displays) and _ENCODE(concept) == sent


def names_codes_only(coding: Coding | tuple[Coding, ...]) -> bool:
    """Whether every display stands beside a code, as one without may be anybody's words;
    and none is long.
    """
    every = as_list(coding)
    size = sum(
        len(text) for each in every for text in (each.system, each.code, each.display) if text
    )
    return size <= LONGEST_KEPT and all(each.code or not each.display for each in every)

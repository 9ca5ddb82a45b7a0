"""Which dosage instructions are taken together and which follow one another."""

from __future__ import annotations

from itertools import pairwise

from cds_service.fhir.concepts import label
from cds_service.fhir.r4_dosage import CodeableConcept, Dosage, as_list, plain_number
from cds_service.fhir.timing import period_ends

THEN = "then "


def _says_something(dosage: Dosage) -> bool:
    return bool(
        dosage.doses or dosage.timing is not None or text_of(dosage) or dosage.max_dose_per_period
    )


def text_of(dosage: Dosage) -> str:
    """The words of an instruction, else those for the patient."""
    return ((dosage.text or "").strip() or dosage.patient_instruction or "").strip()


def words_of(dosage: Dosage) -> tuple[str, ...]:
    """Its words, each once: the text, what the patient is told, further instructions."""
    further: tuple[CodeableConcept | str | None, ...] = as_list(dosage.additional_instruction)
    said = (each if isinstance(each, str) else label(each) for each in further)
    every = (dosage.text, dosage.patient_instruction, *said)
    return tuple(dict.fromkeys(words.strip() for words in every if words and words.strip()))


def steps_of(every: tuple[Dosage, ...]) -> list[list[Dosage]]:
    """The instructions of each step; one that says nothing belongs to none."""
    dosages = tuple(dosage for dosage in every if _says_something(dosage))
    sequences = [plain_number(d.sequence) for d in dosages]
    numbered = sorted({number for number in sequences if number is not None})
    if numbered:
        pairs = tuple(zip(sequences, dosages, strict=True))
        return [[d for own, d in pairs if own is None or own == number] for number in numbered]
    if len(dosages) > 1 and _apart(dosages):
        return [[d] for d in dosages]
    return [list(dosages)] if dosages else []


def _apart(dosages: tuple[Dosage, ...]) -> bool:
    """Whether instructions without sequence follow one another: by their dates, or a text
    says "then".
    """
    if all(text_of(d).lower().startswith(THEN) for d in dosages[1:]):
        return True
    spans = []
    for dosage in dosages:
        repeat = dosage.timing.repeat if dosage.timing else None
        ends = period_ends(repeat.bounds_period) if repeat and repeat.bounds_period else None
        if ends is None:
            return False
        spans.append((ends[0].first, ends[1].first))
    spans.sort()
    return all(earlier[1] <= later[0] for earlier, later in pairwise(spans))

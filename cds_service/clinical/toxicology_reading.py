"""What a drug test result says: positive, negative, or nothing that can be read. Pure."""

from __future__ import annotations

from cds_service.clinical.facts import Observation
from cds_service.clinical.rule import Known

RESULTS = ("result-positive", "result-negative")
# Longer words first: "non-negative" is how a screen says that it may be positive. Whole words, for
# "possible interference" is no positive.
_WORDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("non-negative", "non negative", "nonnegative"), "positive"),
    (("neg", "negative", "not detected", "none detected", "undetected"), "negative"),
    (("absent", "nonreactive", "non-reactive", "not present", "(-)"), "negative"),
    (("pos", "positive", "detected", "present", "reactive", "+", "(+)"), "positive"),
)
# Said before the result of how it was come by; it does not change the result.
_MANNERS = (
    "presumptively",
    "presumptive",
    "preliminary",
    "prelim",
    "unconfirmed",
    "confirmed",
    "screening",
    "screen",
    "result",
)
_INTERPRETED = {
    **dict.fromkeys(("POS", "POSITIVE", "DET", "DETECTED", "RR"), "positive"),
    **dict.fromkeys(("NEG", "NEGATIVE", "ND", "NOT DETECTED", "NR"), "negative"),
}


def reading(observation: Observation, known: Known) -> str | None:
    """`positive`, `negative`, or None when the result cannot be read.

    A number counts against its own reference range: at or above the upper limit is positive. One
    that is only known to be less than a limit of the test is negative, one beyond it positive.
    Whoever asks declares `RESULTS`.
    """
    positive, negative = map(known.codes, RESULTS)
    if positive.any_of(observation.value_codes):
        return "positive"
    if negative.any_of(observation.value_codes):
        return "negative"
    said = _said(observation.value_text.strip().lower())
    if said is not None:
        return said
    told = {_INTERPRETED[word] for word in observation.interpretation if word in _INTERPRETED}
    if len(told) == 1:
        return told.pop()
    measured = _measured(observation)
    if measured is not None:
        return measured
    if observation.value_flag is not None:
        return "positive" if observation.value_flag else "negative"
    return None


def _said(text: str) -> str | None:
    for manner in _MANNERS:
        text = text.removeprefix(manner).lstrip(" :-")
    return next(
        (result for words, result in _WORDS if any(_begins(text, word) for word in words)), None
    )


def _begins(text: str, word: str) -> bool:
    """Whether the text begins with the whole word."""
    return text.startswith(word) and not text[len(word) : len(word) + 1].isalpha()


def _measured(observation: Observation) -> str | None:
    """By the number and how it compares to the true one; a limit that lies between them says
    nothing.
    """
    value, limit = observation.value, observation.reference_high
    head = observation.value_text.strip()[:2]
    less, more = head.startswith("<"), head.startswith(">")
    if value is None or limit is None or (limit.unit and value.unit != limit.unit):
        return "negative" if less else "positive" if more else None
    if less:
        below = value.value < limit.value or (head != "<=" and value.value == limit.value)
        return "negative" if below else None
    if value.value >= limit.value:
        return "positive"
    return None if more else "negative"

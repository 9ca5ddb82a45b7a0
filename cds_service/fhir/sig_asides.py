"""What a free-text instruction says besides the dose: the complaint and its score, notes to patient
and pharmacist, what was dispensed.

None of it changes how much is taken; an aside with a word that could is not passed over.
"""

from __future__ import annotations

from fractions import Fraction

from cds_service.fhir import sig_phrases as phrases
from cds_service.fhir import sig_words as words
from cds_service.fhir.sig_cursor import Cursor
from cds_service.fhir.units import days_of, unit_of

_SENTENCE_ENDS = frozenset({".", ";", "!", ""})
_COMPARED = phrases.phrases(
    ">", "<", "=", "≥", "greater than or equal to", "greater than", "more than", "at least", "above", "over",
)  # fmt: skip
_SCALE_ENDS = phrases.phrases(
    "/ 10", "out of 10", "or greater", "or higher", "or more", "or above", "on pain scale",
    "on the pain scale", "on a scale of 0 - 10", "on a scale of 1 - 10",
)  # fmt: skip
_AFTER_A_SCORE = frozenset({"", ".", ",", ";", ")", "-", "and", "or", "for", "not", "max"})
_NOT_AFTER_A_SCORE = frozenset({"times", "time", "doses", "dose", "per", "a", "/"}).union(
    words.AFTER_A_BARE_COUNT - {"with"}
)
_REFILLS = ("refill", "refills")
# So many times the dose are no dose, but what is handed out.
_MANY = 10
# In a note, a greater number is no dose, nor is one that follows such a sign.
_MOST_IN_A_DOSE = 12
_NOT_OF_A_BARE_CODE = frozenset({"q", "x", "t", "c", "d", "h", "a"})
_BEFORE_A_CODE = frozenset({"/", "-", "#", "<", ">", "≥", "=", "icd"})
# A lower number without one of these before it could count tablets: "severe pain 2".
_MOST_COUNTED = 3
_BEFORE_A_SCORE = frozenset(
    {"score", "scores", "scale", "level", "rating", "rated", "intensity", "("}
)
_NOT_ENOUGH = phrases.phrases(
    "not relieved by", "not relieved with", "unrelieved by", "unrelieved with", "not controlled by",
    "not controlled with", "uncontrolled by", "uncontrolled with", "not responding to", "not responsive to",
)  # fmt: skip


def match_as_needed(scan: Cursor) -> bool:
    """`as needed for moderate pain (4-6)`."""
    found = any(
        scan.take(*p)
        for p in (
            *((lead, word) for lead in ("as", "if", "when") for word in ("needed", "required")),
            ("prn",),
            ("as", "need"),
        )
    )
    if found:
        scan.part.as_needed = True
        if scan.peek() == ":" or (
            scan.peek() in (",", ".") and scan.peek(1) in phrases.SEVERITIES | {"pain"}
        ):
            scan.place += 1
        if scan.peek() == "for" and scan.peek(1) in phrases.REASONS:
            scan.place += 1
        _reason(scan)
    return found


def match_reason(scan: Cursor) -> bool:
    """`for low back pain`, `not controlled by ibuprofen`."""
    if _not_enough(scan):
        return True
    if scan.peek() == "for" and scan.peek(1) in phrases.REASONS:
        scan.place += 1
        _reason(scan)
        return True
    return False


def match_note(scan: Cursor) -> bool:
    """`do not take with alcohol`, `#30`, `no refills`, `(M54.50)`: nothing about the dose."""
    return _dispensed(scan) or _diagnosis_code(scan) or _sentence(scan)


def _reason(scan: Cursor) -> None:
    """`moderate pain (4-6) or severe pain (7-10)`: words for the complaint, each with its score."""
    if scan.peek() not in phrases.REASONS and scan.peek() != "(":
        return
    while _not_enough(scan) or _complaint(scan) or _bracketed(scan) or _score(scan):
        if scan.peek() == "," and scan.peek(1) in phrases.SEVERITIES:
            scan.place += 1


def _complaint(scan: Cursor) -> bool:
    word = scan.take_any(phrases.REASONS)
    severity = phrases.SEVERITY.get(word)
    if severity:
        scan.part.severities.add(severity)
    return bool(word)


def _bracketed(scan: Cursor) -> bool:
    start = scan.place
    if scan.take("("):
        said = scan.take("for")
        while scan.take_any(phrases.REASONS) or _score(scan):
            said = True
        if said and scan.take(")"):
            return True
    scan.place = start
    return False


def _score(scan: Cursor) -> bool:
    """`4-6`, `>6`, `greater than 6/10`, `7 to 10 out of 10`; a number before a unit is none."""
    start, before = scan.place, scan.tokens[scan.place - 1] if scan.place else ""
    compared = bool(scan.take_phrase(_COMPARED))
    found = scan.number_range()
    if found is not None:
        ended = compared or found[0] < found[1]
        while scan.take_phrase(_SCALE_ENDS):
            ended = True
        low = found[1] <= _MOST_COUNTED and before not in _BEFORE_A_SCORE
        ends = scan.peek() in _AFTER_A_SCORE and (ended or not (low or before in ("and", "or")))
        # "mild pain or 2 for severe pain" names a dose.
        if (ends or (ended and _begins_anew(scan))) and (scan.peek() != "for" or _lasts(scan)):
            return True
    scan.place = start
    return False


def _lasts(scan: Cursor) -> bool:
    """Whether the `for` that comes next begins a duration."""
    following = scan.peek(1)
    return following in ("up", "the") or bool(following and words.number_of(following))


def _begins_anew(scan: Cursor) -> bool:
    """Whether the next word leaves the number before it a score."""
    following = scan.peek()
    if following == "x":
        return scan.peek(1)[:1].isdigit()
    return following not in _NOT_AFTER_A_SCORE and unit_of(following) is None


def _not_enough(scan: Cursor) -> bool:
    """`not relieved by acetaminophen or ibuprofen`."""
    start = scan.place
    if scan.take_phrase(_NOT_ENOUGH):
        named = False
        while scan.take_any(phrases.OTHER_REMEDIES) or scan.take("/"):
            named = True
        if named:
            return True
    scan.place = start
    return False


def _dispensed(scan: Cursor) -> bool:
    """`#30`, `disp: 20 tablets`, `Disp-20 tablet, R-0`, `qty 30`, `2 refills`."""
    start = scan.place
    if scan.take_any(phrases.DISPENSED) or (scan.peek(1) == "-" and scan.take("r")):
        scan.take_any((":", "#", ".", "-"))
        scan.take_any(("#", ":", "*"))
        if scan.number() is not None:
            scan.unit()
            return True
    elif (number := scan.number()) is not None and (
        scan.take_any(_REFILLS) or _with_refills(scan) or _handed_out(scan, number, start)
    ):
        return True
    scan.place = start
    return False


def _handed_out(scan: Cursor, number: Fraction, start: int) -> bool:
    """`, 60 tablets` as the last words after a dose of far fewer."""
    scan.place = start
    part, before = scan.part, scan.tokens[start - 1] if start else ""
    if before != "," or not part.timed or part.amount is None or number < _MANY * part.amount:
        return False
    _ = scan.number()
    return scan.unit() == part.unit and scan.peek() in ("", ".")


def _with_refills(scan: Cursor) -> bool:
    """`tabs, 0 refills` after a number, `tablet, refills 0`: beside refills it is what was handed out."""
    if scan.unit() is None or not scan.take(","):
        return False
    if scan.take_any(_REFILLS):
        scan.take(":")
        return scan.number() is not None
    return scan.number() is not None and bool(scan.take_any(_REFILLS))


def _diagnosis_code(scan: Cursor) -> bool:
    """An ICD-10-CM code: in brackets, or with its point where it is no interval, count or length."""
    start = scan.place
    bracket = scan.take("(")
    letter, number = scan.peek(), scan.peek(1)
    sure = bracket or ("." in number and letter not in _NOT_OF_A_BARE_CODE)
    if sure and len(letter) == 1 and letter.isalpha() and number[:2].isdigit():
        scan.place += 2
        if not bracket or scan.take(")"):
            return True
    scan.place = start
    return False


def _sentence(scan: Cursor) -> bool:
    """A note up to the end of its sentence, or up to the comma before what could be about the dose."""
    start = scan.place
    if not scan.take_phrase(phrases.NOTES):
        return False
    comma = start
    while scan.peek() not in _SENTENCE_ENDS and scan.peek() != ")":
        if _diagnosis_code(scan):
            continue
        if (
            scan.peek() in phrases.ABOUT_THE_DOSE
            or unit_of(scan.peek()) is not None
            or _may_count_doses(scan)
        ):
            scan.place = comma
            return comma > start
        if scan.peek() == ",":
            comma = scan.place
        scan.place += 1
    return True


def _may_count_doses(scan: Cursor) -> bool:
    """Whether a number comes next that is no date, code or length of time: `two for severe pain`."""
    word, before, after = scan.peek(), scan.tokens[scan.place - 1], scan.peek(1)
    value = words.number_of(word)
    if value is None or word == "i" or value > _MOST_IN_A_DOSE or before in _BEFORE_A_CODE:
        return False
    if len(after) > 1 and days_of(after) is not None:
        return False
    return word.isalpha() or after.isalpha() or before in ("and", "or", "plus", "today")

"""The words of free-text instructions: tokens, numbers and the vocabulary the sig reader knows."""

from __future__ import annotations

from fractions import Fraction

MOST_CHARACTERS = 400
# A bare number up to this may count the product.
MOST_COUNTED = 3
_SIGNS = "-/,;.():#>=<≥!*"

_NUMBER_WORDS: dict[str, Fraction] = {
    "zero": Fraction(0), "one": Fraction(1), "two": Fraction(2), "three": Fraction(3), "four": Fraction(4),
    "five": Fraction(5), "six": Fraction(6), "seven": Fraction(7), "eight": Fraction(8), "nine": Fraction(9),
    "ten": Fraction(10), "eleven": Fraction(11), "twelve": Fraction(12), "fifteen": Fraction(15),
    "twenty": Fraction(20), "thirty": Fraction(30), "half": Fraction(1, 2),
    "i": Fraction(1), "ii": Fraction(2), "iii": Fraction(3),  # apothecaries' numerals: "ii tabs"
    "½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4),
}  # fmt: skip
ORDINALS: dict[str, int] = {
    "other": 2, "alternate": 2, "second": 2, "third": 3, "fourth": 4, "seventh": 7,
}  # fmt: skip
# The only numbers of two words that intervals are written in, as numerals.
_HOURS_SPELLED = tuple(
    (f"{tens}{link}{ones}", numeral)
    for tens, ones, numeral in (
        ("twenty", "four", "24"), ("thirty", "six", "36"), ("forty", "eight", "48"), ("seventy", "two", "72"),
    )
    for link in ("-", " ")
)  # fmt: skip
# Hyphens, dashes, signs of full width and signs of no width, as word processors and phones write them.
_PLAIN_SIGNS = {
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-"), 0x2044: "/",
    **dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)),
    **{0xFEE0 + code: chr(code) for code in range(0x21, 0x7F)},
}  # fmt: skip
_PLAINLY = (
    ("(s)", "s"), ("(es)", "es"), ("&", " and "), ("°", "h "), ("[", "("), ("]", ")"),
    ("@", " at "), ("xday", "x day"),
    ("prn", " prn "), ("idx", "id x "),  # written together: "q4hprn", "bidx5d"
    *_HOURS_SPELLED,
)  # fmt: skip
TIMES: dict[str, Fraction] = {"once": Fraction(1), "twice": Fraction(2), "thrice": Fraction(3)}

# Doses a day of the abbreviations; dots are dropped before they are looked up.
ABBREVIATIONS: dict[str, Fraction] = {
    "daily": Fraction(1), "qd": Fraction(1), "qday": Fraction(1), "bid": Fraction(2), "tid": Fraction(3),
    "qid": Fraction(4), "bd": Fraction(2), "bds": Fraction(2), "tds": Fraction(3), "qds": Fraction(4),
    "qod": Fraction(1, 2), "weekly": Fraction(1, 7), "qweek": Fraction(1, 7),
    "qwk": Fraction(1, 7), "monthly": Fraction(1, 30), "hourly": Fraction(24),
}  # fmt: skip
# Moments of the day. One named twice ("every night at bedtime") is one dose.
MOMENTS: dict[str, str] = {
    "morning": "morning", "breakfast": "morning", "qam": "morning", "am": "morning", "mornings": "morning",
    "noon": "noon", "lunch": "noon", "midday": "noon", "qnoon": "noon", "lunchtime": "noon",
    "afternoon": "afternoon",
    "evening": "evening", "dinner": "evening", "supper": "evening", "qpm": "evening", "pm": "evening",
    "bedtime": "bedtime", "qhs": "bedtime", "hs": "bedtime", "nightly": "bedtime", "night": "bedtime",
    "bed": "bedtime", "mane": "morning", "nocte": "bedtime",
}  # fmt: skip
# From which hour to before which a moment of the day lies; past midnight the hours go on.
HOURS: dict[str, tuple[int, int]] = {
    "morning": (4, 12), "noon": (11, 14), "afternoon": (13, 18), "evening": (16, 22), "bedtime": (19, 28),
}  # fmt: skip
MOMENTS_ALONE = frozenset({"qam", "qnoon", "qpm", "qhs", "hs", "nightly", "mane", "nocte"})
MOMENTS_AFTER_A_DOSE = frozenset(
    [
        "am", "pm", "morning", "noon", "evening", "night", "bedtime", "midday", "afternoon", "breakfast",
        "lunch", "dinner", "supper",
    ]
)  # fmt: skip
# Intervals after a bare "q" that can only be hours.
SPELLED_WITHOUT_HOURS = frozenset({4, 6, 8, 12, 24, 48, 72})

VERBS = frozenset(
    [
        "take",
        "tk",
        "give",
        "use",
        "apply",
        "place",
        "put",
        "chew",
        "swallow",
        "dissolve",
        "administer",
        "wear",
        "spray",
        "insert",
        "instill",
        "drink",
        "start",
        "begin",
        "continue",
        "change",
    ]
)
# What may follow a number that counts units of the dose before it, and one that counts the product.
AFTER_A_COUNT = frozenset(["at", "in", "every", "each", "with", "qhs", "qam", "qpm"])
AFTER_A_BARE_COUNT = AFTER_A_COUNT | frozenset(
    [
        "po", "by", "oral", "orally", "q", "bid", "tid", "qid", "qd", "qod", "daily", "nightly", "hs", "once",
        "twice", "three", "four", "prn", "as",
    ]
)  # fmt: skip
# What is taken, by its initial, where a route follows: "1 T PO".
INITIALS = {"t": "tablet", "ts": "tablet", "c": "capsule", "cs": "capsule"}
# Routes by word, as the value of `Route`; "" says nothing about it.
ROUTES: dict[str, str] = {
    "oral": "oral", "orally": "oral", "po": "oral", "mouth": "oral",
    "sublingual": "sublingual", "sublingually": "sublingual", "sl": "sublingual", "tongue": "sublingual",
    "buccal": "buccal", "buccally": "buccal", "cheek": "buccal",
    "transdermal": "transdermal", "transdermally": "transdermal", "skin": "transdermal",
    "topically": "transdermal", "topical": "transdermal", "td": "transdermal",
    "rectal": "rectal", "rectally": "rectal", "rectum": "rectal", "pr": "rectal",
    "nasally": "nasal", "intranasally": "nasal",
    "intravenous": "injection", "intravenously": "injection", "iv": "injection",
    "subcutaneously": "injection", "intramuscular": "injection", "intramuscularly": "injection",
    "im": "injection", "subcutaneous": "injection",
    "injection": "injection", "epidural": "injection", "intrathecal": "injection",
}  # fmt: skip
ROUTE_LEADS = frozenset(
    ["by", "via", "through", "under", "onto", "on", "to", "in", "into", "the", "inside"]
)
AND = frozenset({"and", "plus"})
STOPS = frozenset({",", ";", ".", ":", "(", ")", "-", "!", "*"})

Token = str


def tokens(text: str) -> tuple[Token, ...] | None:
    """Lower-case words, numbers and signs; None for a text too long or with
    other signs.

    >>> tokens("Take 1-2 tabs q4-6h p.r.n.")
    ('take', '1', '-', '2', 'tabs', 'q', '4', '-', '6', 'h', 'prn', '.')
    """
    if len(text) > MOST_CHARACTERS:
        return None
    found: list[Token] = []
    lowered = (text if text.isascii() else text.translate(_PLAIN_SIGNS)).lower()
    for sign, plain in _PLAINLY:
        lowered = lowered.replace(sign, plain)
    place, size = 0, len(lowered)
    while place < size:
        char = lowered[place]
        if char.isspace():
            place += 1
            continue
        end = _word_end(lowered, place)
        if end == place:
            if char not in _SIGNS:
                return None
            found.append(char)
            place += 1
            continue
        word = lowered[place:end]
        found.append(word if word[0].isdigit() or word[0] == "." else word.replace(".", ""))
        if word[-1] == "." and not word[0].isdigit():
            found.append(".")
        place = end
    return tuple(found)


def _word_end(text: str, place: int) -> int:
    """Where the word or number beginning at `place` ends; `place` itself if none begins there."""
    end, size = place, len(text)
    if _digit(text[place]) or (text[place] == "." and place + 1 < size and _digit(text[place + 1])):
        seen_dot = False
        while end < size and (_digit(text[end]) or _decimal_point(text, end, seen_dot)):
            seen_dot = seen_dot or text[end] == "."
            end += 1
        return end
    if text[place] in "½¼¾":
        return place + 1
    while end < size and (text[end].isalpha() or (text[end] == "." and end > place)):
        end += 1
    return end


def _digit(char: str) -> bool:
    return char.isascii() and char.isdigit()


def _decimal_point(text: str, place: int, seen: bool) -> bool:
    return text[place] == "." and not seen and place + 1 < len(text) and _digit(text[place + 1])


def number_of(token: Token) -> Fraction | None:
    """The value of one numeral or number word, or None."""
    if token in _NUMBER_WORDS:
        return _NUMBER_WORDS[token]
    if _digit(token[0]) or (token[0] == "." and len(token) > 1):
        return Fraction(token) if len(token) <= 9 else None
    return None

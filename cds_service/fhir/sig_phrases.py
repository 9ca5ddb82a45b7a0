"""The phrases of free-text instructions: complaints, limits, notes, and what changes nothing."""

from __future__ import annotations

from cds_service.fhir.sig_words import ABBREVIATIONS, MOMENTS, TIMES, VERBS

Phrases = dict[str, tuple[tuple[str, ...], ...]]


def phrases(*texts: str) -> Phrases:
    """Phrases as tuples of words under their first word, in the order given."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for text in texts:
        words = tuple(text.split())
        found.setdefault(words[0], []).append(words)
    return {first: tuple(every) for first, every in found.items()}


VERB_LEADS = phrases(
    "patient to", "patient may", "patient should", "patient can", "patient", "pt to", "pt may", "pt should",
    "pt can", "ok to", "okay to", "sig", "t", "may", "can", "should", "must", "please",
)  # fmt: skip
# Three meals a day unless something else says how often.
MEALS_A_DAY = 3
MEALS = phrases(
    "with each meal", "with every meal", "with meals", "before each meal", "before meals",
    "after each meal", "after meals", "ac", "pc",
)  # fmt: skip
REASONS = frozenset(
    [
        "pain", "severe", "moderate", "mild", "breakthrough", "back", "low", "lower", "chronic", "acute",
        "cancer", "cough", "headache", "migraine", "headaches", "spasm", "spasms", "discomfort",
        "neuropathic", "knee", "hip", "neck", "joint", "postoperative", "surgical", "relief",
        "control", "score", "of", "or", "and", "the", "his", "her", "your", "unrelieved", "to", "mod",
        "intense", "significant", "uncontrolled", "persistent", "worst", "only", "scale", "scores", "level",
        "rating", "rated", "intensity", "management", "leg", "shoulder", "arm", "foot", "ankle", "wrist",
        "hand", "abdominal", "chest", "pelvic", "flank", "dental", "tooth", "toothache", "musculoskeletal",
        "muscle", "arthritis", "osteoarthritis", "sciatica", "radicular", "nerve", "bone", "throat", "post",
        "op", "postop", "operative", "surgery", "procedure", "incisional", "incision", "fracture", "injury",
        "flare", "flares", "-", "/", "dyspnea", "diarrhea", "shortness", "breath", "sob", "related", "p",
        "rib", "ribs", "spine", "spinal", "lumbar", "thoracic", "cervical", "groin", "jaw", "facial", "elbow",
        "heel", "thigh", "calf",
    ]
)  # fmt: skip
SEVERITIES = frozenset(
    {"moderate", "severe", "mild", "mod", "breakthrough", "chronic", "acute", "back"}
)
# How bad the pain is that a dose is for; one dose for each is no sum.
SEVERITY = {"mild": "mild", "moderate": "moderate", "mod": "moderate", "severe": "severe"}
OTHER_REMEDIES = frozenset(
    [
        "acetaminophen", "apap", "tylenol", "ibuprofen", "motrin", "advil", "naproxen", "aleve", "nsaid",
        "nsaids", "tramadol", "gabapentin", "otc", "over", "the", "counter", "non", "-", "nonopioid",
        "opioid", "other", "first", "line", "pain", "meds", "medication", "medications", "medicine",
        "medicines", "or", "and", "alone",
    ]
)  # fmt: skip
# Phrases that do not change how much is taken. Longer ones first where one begins another.
HARMLESS = phrases(
    "with a full glass of water", "with a glass of water", "with plenty of water", "with water",
    "with or without food", "with food or milk", "with food", "with milk", "after food",
    "on an empty stomach", "do not crush , chew , or dissolve", "do not crush , chew or dissolve",
    "do not crush or chew", "do not crush chew or split",
    "do not crush , chew , or split", "do not crush , chew or split", "do not crush , chew , or break",
    "do not crush , break , or chew", "do not crush , break or chew", "do not crush or break",
    "do not crush", "do not cut , crush , or chew", "do not cut , crush or chew", "do not chew",
    "do not break , crush , or chew", "swallow whole", "swallow tablet whole", "swallow tablets whole",
    "swallow capsule whole", "swallow capsules whole", "around the clock", "atc", "scheduled",
    "as directed by physician", "as directed by prescriber", "as directed", "may cause drowsiness",
    "may cause constipation", "do not drive", "do not drink alcohol", "avoid alcohol", "for oral use",
    "around - the - clock", "round the clock", "rtc", "until gone", "until finished", "until completed",
    "then stop", "and stop", "then discontinue", "then d / c", "then dc", "then off", "thereafter",
    "after surgery", "following surgery", "after procedure",
    "after the procedure", "post op", "post - op", "postop", "post operatively", "postoperatively",
    "to clean , dry skin", "to clean dry skin", "to clean and dry skin", "to dry intact skin",
    "to intact skin", "to upper torso", "to the upper torso", "to upper arm or chest", "to upper arm",
    "to upper back", "to upper chest", "to chest wall", "to chest", "then replace", "via g - tube",
    "via g tube", "per g - tube", "per g tube", "via gtube", "per gtube", "via peg tube", "per peg tube",
    "via peg", "per peg", "via feeding tube", "per feeding tube", "through feeding tube",
    "while awake", "when awake", "wean as tolerated", "wean as able", "wean off as tolerated",
    "taper as tolerated", "taper as able", "taper off as tolerated", "no more often than",
    "not more often than", "no more frequently than", "not more frequently than", "with or without meals",
    "rotate sites", "rotate site", "remove old patch first", "remove old patch before applying new one",
    "remove old patch before applying a new one", "remove old patch before applying new patch",
    "remove old patch before applying a new patch", "do all this", "maintenance", "soft stop", "hard stop",
    "remove old patch", "and remove old patch", "please", "as often as", "only", "sch", "int", "instr",
    "in one nostril only", "in one nostril", "into one nostril", "in 1 nostril", "into 1 nostril",
    "in alternating nostrils", "in alternate nostrils", "and allow to dissolve", "and let dissolve",
    "allow to dissolve", "let dissolve", "until dissolved", "to the inside of the cheek",
    "to inside of the cheek", "to inside of cheek", "inside of the cheek", "inside of cheek",
    "between cheek and gum", "between the cheek and gum", "between gum and cheek", "unwrap and",
    "po / sl", "po or sl", "sl / po", "sl or po", "by mouth or under the tongue", "orally or sublingually",
    "in divided doses", "exception", "acute",
    "from all sources", "do not exceed prescribed dose", "do not exceed the prescribed dose",
    "do not exceed recommended dose", "until discontinued", "to be taken", "to be applied", "to be used",
    "normal", "print", "no print", "phone in", "historical med", "e - prescribe",
    "with meal", "with a meal", "before a meal", "after a meal",
    *(
        f"{least}{one} hour {before} or {two} hours after {meal}"
        for least in ("", "at least ", "taken at least ")
        for one, two in (("1", "2"), ("one", "two"))
        for before in ("before", "prior to")
        for meal in ("a meal", "meals", "eating", "food")
    ),
    "swallowing whole", "do not break , crush , dissolve and / or chew", "via ng tube", "per ng tube",
)  # fmt: skip
# What begins the next step, also after "then".
CHANGES = phrases(
    "increase the dose to",
    "increase dose to", "increase to", "reduce dose to", "reduce to", "decrease dose to", "decrease to",
    "taper to", "titrate to",
)  # fmt: skip
# What begins a daily maximum.
LIMITS = phrases(
    "up to a maximum of", "up to a max of", "maximum dose of", "maximum dose is", "maximum dose",
    "max dose of", "max dose is", "max dose", "maximum daily dose is", "maximum daily dose of",
    "maximum daily dose", "max daily dose of", "max daily dose", "maximum daily amount is",
    "maximum daily amount", "max daily amount is",
    "max daily amount", "mdd", "daily max", "maximum of", "max of", "maximum", "max", "not to exceed",
    "do not exceed", "no more than", "not more than", "do not take more than", "do not use more than",
    "nte", "limit to", "limit", "total daily dose not to exceed", "total daily dose should not exceed",
    "daily dose not to exceed",
)  # fmt: skip
# What begins a note; see `ABOUT_THE_DOSE`.
NOTES = phrases(
    "do not take with", "do not take if", "do not use with", "do not mix", "do not combine", "do not drive",
    "do not operate", "do not drink", "do not stop", "do not share", "do not refill", "do not fill until",
    "do not fill", "may cause", "can cause", "will cause", "causes", "use caution", "use with caution",
    "caution", "avoid", "hold for", "hold if", "call", "keep", "store", "no refills", "no refill", "dx",
    "diagnosis",
    "indication", "indications", "icd", "fill on", "fill date", "fill after", "may fill", "ok to fill",
    "earliest fill", "earliest", "must last", "to last", "should last", "this medication", "this medicine",
    "medication may", "medicine may", "warning", "note to pharmacy", "note to pharmacist",
    "notes to pharmacist", "pharmacy :", "daw", "risk of", "stop if", "naloxone", "narcan", "starting",
    "first dose on", "last dose on",
    "until sun", "until mon", "until tue", "until wed", "until thu", "until fri", "until sat", "until today",
    "until tomorrow",
    "max refills remaining", "maximum refills remaining", "start :", "partial fill",
    "alcohol may", "patient has naloxone",
    "acute pain exception", "nonacute pain", "non - acute pain", "chronic pain exempt",
    "chronic pain exemption", "dnf until", "dnf",
)  # fmt: skip
DISPENSED = frozenset({"#", "disp", "dispense", "qty", "quantity", "refill", "refills", "rf"})
# Words that could change how much is taken; a note with one of them is not passed over.
ABOUT_THE_DOSE = (
    VERBS - {"use", "drink"}
    | set(ABBREVIATIONS)
    | set(MOMENTS)
    | set(TIMES)
    | frozenset(
        [
            "every", "each", "q", "then", "increase", "increasing", "increased", "decrease", "decreasing",
            "decreased", "reduce", "reduced", "taper", "titrated", "titrating", "doubled", "triple",
            "tripled", "tapering", "titrate", "repeat", "extra", "additional", "another", "double", "twice",
            "half", "second", "more", "less", "unless", "instead", "max", "maximum", "exceed", "mdd", "nte",
            "limit", "only", "dose", "doses", "prn", "needed", "times", "change", "replace", "start",
            "until", "x", "meal", "meals",
        ]
    )
)  # fmt: skip

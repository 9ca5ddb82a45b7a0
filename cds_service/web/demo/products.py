"""What can be ordered on the demo page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
NUCC = "http://nucc.org/provider-taxonomy"


@dataclass(frozen=True, slots=True)
class Product:
    """A medicine on the list; `unit` is what one dose is counted in."""

    code: str
    name: str
    label: str
    unit: str = "tablet"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often: `times` in `period` hours or days."""

    label: str
    times: int
    period: int = 1
    unit: str = "d"

    @property
    def per_day(self) -> Decimal:
        """Doses a day."""
        return Decimal(self.times) * (24 if self.unit == "h" else 1) / self.period


@dataclass(frozen=True, slots=True)
class Service:
    """A referral, study, plan or procedure; `performer` is a NUCC code and its name."""

    label: str
    system: str
    code: str
    performer: tuple[str, str] | None = None


MEDICATIONS: Mapping[str, Product] = {
    "hydrocodone-5": Product(
        "857002",
        "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet",
        "Hydrocodone-acetaminophen 5-325 mg tablet",
    ),
    "hydrocodone-10": Product(
        "856999",
        "acetaminophen 325 MG / hydrocodone bitartrate 10 MG Oral Tablet",
        "Hydrocodone-acetaminophen 10-325 mg tablet",
    ),
    "oxycodone-5": Product(
        "1049621", "oxycodone hydrochloride 5 MG Oral Tablet", "Oxycodone 5 mg tablet"
    ),
    "oxycodone-10": Product(
        "1049683", "oxycodone hydrochloride 10 MG Oral Tablet", "Oxycodone 10 mg tablet"
    ),
    "morphine-15": Product("892582", "morphine sulfate 15 MG Oral Tablet", "Morphine 15 mg tablet"),
    "morphine-er-15": Product(
        "891881", "morphine sulfate 15 MG Extended Release Oral Tablet", "Morphine ER 15 mg tablet"
    ),
    "hydromorphone-2": Product(
        "897696", "hydromorphone hydrochloride 2 MG Oral Tablet", "Hydromorphone 2 mg tablet"
    ),
    "tramadol-50": Product(
        "835603", "tramadol hydrochloride 50 MG Oral Tablet", "Tramadol 50 mg tablet"
    ),
    "tapentadol-50": Product("825411", "tapentadol 50 MG Oral Tablet", "Tapentadol 50 mg tablet"),
    "codeine-apap": Product(
        "993781",
        "acetaminophen 300 MG / codeine phosphate 30 MG Oral Tablet",
        "Acetaminophen-codeine 300-30 mg tablet",
    ),
    "codeine-syrup": Product(
        "995868",
        "codeine phosphate 2 MG/ML / guaifenesin 20 MG/ML Oral Solution",
        "Codeine-guaifenesin 10-100 mg/5 mL solution",
        "mL",
    ),
    "methadone-10": Product(
        "864706", "methadone hydrochloride 10 MG Oral Tablet", "Methadone 10 mg tablet"
    ),
    "fentanyl-25": Product(
        "245134",
        "72 HR fentanyl 0.025 MG/HR Transdermal System",
        "Fentanyl 25 mcg/hour patch",
        "patch",
    ),
    "buprenorphine-film": Product(
        "1010604",
        "buprenorphine 8 MG / naloxone 2 MG Sublingual Film",
        "Buprenorphine-naloxone 8-2 mg film",
        "film",
    ),
}
RHYTHMS: Mapping[str, Rhythm] = {
    "daily": Rhythm("once a day", 1),
    "bid": Rhythm("2 times a day", 2),
    "tid": Rhythm("3 times a day", 3),
    "qid": Rhythm("4 times a day", 4),
    "q12h": Rhythm("every 12 hours", 1, 12, "h"),
    "q8h": Rhythm("every 8 hours", 1, 8, "h"),
    "q6h": Rhythm("every 6 hours", 1, 6, "h"),
    "q4h": Rhythm("every 4 hours", 1, 4, "h"),
    "q72h": Rhythm("every 72 hours", 1, 72, "h"),
}
REFERRALS: Mapping[str, Service] = {
    "physical-therapy": Service(
        "Physical therapy", SNOMED, "444831000124102", ("225100000X", "Physical therapist")
    ),
    "chiropractic": Service("Chiropractic", SNOMED, "308449000", ("111N00000X", "Chiropractor")),
    "pain-specialist": Service(
        "Pain specialist", SNOMED, "306265007", ("208VP0000X", "Pain medicine physician")
    ),
    "orthopedic-spine": Service(
        "Orthopedic spine surgeon",
        SNOMED,
        "308481009",
        ("207XS0117X", "Orthopedic surgery of the spine"),
    ),
    "neurosurgery": Service(
        "Neurosurgeon", SNOMED, "308482002", ("207T00000X", "Neurological surgery")
    ),
    "medical-spine": Service(
        "Medical spine specialist",
        SNOMED,
        "306289000",
        ("208100000X", "Physical medicine and rehabilitation"),
    ),
    "psychology": Service(
        "Psychologist", SNOMED, "308459004", ("103TB0200X", "Cognitive and behavioral")
    ),
    "rheumatology": Service("Rheumatologist", SNOMED, "306290009", ("207RR0500X", "Rheumatology")),
}
STUDIES: Mapping[str, Service] = {
    "mri": Service("MRI lumbar spine", LOINC, "24968-0"),
    "mri-contrast": Service("MRI lumbar spine without and with contrast", LOINC, "24967-2"),
    "ct": Service("CT lumbar spine", LOINC, "24963-1"),
    "xray": Service("X-ray lumbar spine, two views", LOINC, "24970-6"),
}
THERAPIES: Mapping[str, Service] = {
    "97110": Service("Physical therapy, exercise (97110)", CPT, "97110"),
    "97140": Service("Physical therapy, manual (97140)", CPT, "97140"),
    "97535": Service("Occupational therapy, daily living (97535)", CPT, "97535"),
    "98941": Service("Chiropractic, 3 to 4 regions (98941)", CPT, "98941"),
    "L0650": Service("Lumbar-sacral orthosis (L0650)", HCPCS, "L0650"),
}
INJECTIONS: Mapping[str, Service] = {
    "62323": Service("Lumbar interlaminar, image-guided (62323)", CPT, "62323"),
    "62322": Service("Lumbar interlaminar, not guided (62322)", CPT, "62322"),
    "64483": Service("Lumbar transforaminal, one level (64483)", CPT, "64483"),
    "64484": Service("Lumbar transforaminal, further level (64484)", CPT, "64484"),
    "62321": Service("Cervical or thoracic, image-guided (62321)", CPT, "62321"),
}
KINDS: Mapping[str, str] = {
    "medication": "Medication",
    "referral": "Referral",
    "imaging": "Imaging",
    "therapy": "Therapy plan",
    "injection": "Injection",
}

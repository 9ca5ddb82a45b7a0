"""The conditions that bear on low back pain, sorted once a request into groups. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from cds_service.clinical.evidence import not_healing
from cds_service.clinical.facts import Condition, Facts, Need
from cds_service.clinical.rule import Known, reasoning
from cds_service.frozen import Frozen
from cds_service.knowledge.codes import Sorting

CONTEXT = ("low-back-pain", "radiculopathy-lumbar", "spinal-stenosis-lumbar", "post-laminectomy")
FRACTURES = ("redflag-fracture-traumatic", "redflag-fracture-fragility")
GROUPS = (
    *CONTEXT,
    "redflag-cauda-equina",
    "redflag-urinary-retention",
    "redflag-saddle-or-sphincter",
    "redflag-neurogenic-bladder",
    "redflag-motor-deficit",
    "redflag-major-cord-deficit",
    "redflag-spinal-infection",
    "redflag-systemic-infection",
    "redflag-fever",
    "redflag-malignancy-spinal",
    "redflag-cancer-any",
    "redflag-weight-loss",
    *FRACTURES,
    "redflag-trauma-event",
    "redflag-low-energy-fall",
    "redflag-postop-complication",
    "postprocedural-pain",
    "iv-drug-use",
    "immunosuppression",
    "hiv",
    "organ-transplant",
    "osteoporosis",
    "corticosteroid-status",
    "inflammatory-arthropathy",
    "inflammatory-associated",
    "fibromyalgia",
    "lupus",
    "metabolic-bone-disease",
)


class Problems(Frozen):
    """Conditions by group, refuted and future ones left out; a group that is not sorted
    raises KeyError.
    """

    as_of: date
    groups: Mapping[str, Mapping[str, Condition]]  # by reference
    current: Mapping[str, Mapping[str, Condition]]  # the active ones of each group
    sorting: Sorting

    def active(self, *groups: str) -> tuple[Condition, ...]:
        """Active conditions of any of `groups`; a diagnosis in doubt counts."""
        return _each_once(self.current, groups)

    def ever(self, *groups: str) -> tuple[Condition, ...]:
        """Conditions of any of `groups` at any time, resolved and in remission included,
        each once.
        """
        return _each_once(self.groups, groups)

    def new(self, group: str) -> tuple[Condition, ...]:
        """Active conditions of a group, those of healing and sequela encounters left out; a fracture
        that is healing by the code of one group is not new in the other.
        """
        kin = FRACTURES if group in FRACTURES else (group,)
        return not_healing(self.active(group), *map(self.sorting.set, kin))


def _each_once(
    by_group: Mapping[str, Mapping[str, Condition]], groups: tuple[str, ...]
) -> tuple[Condition, ...]:
    if len(groups) == 1:
        return tuple(by_group[groups[0]].values())
    return tuple({ref: c for group in groups for ref, c in by_group[group].items()}.values())


@reasoning(wants=(Need.CONDITIONS,), codes=GROUPS)
def problems(facts: Facts, known: Known) -> Problems:
    """The conditions of each group."""
    groups: dict[str, dict[str, Condition]] = {name: {} for name in GROUPS}
    current: dict[str, dict[str, Condition]] = {name: {} for name in GROUPS}
    sorting = known.sorting(GROUPS)
    for codes, found in facts.conditions_alike().items():
        names = sorting.of(codes)
        for condition in found if names else ():
            if condition.ever(facts.as_of):
                active = condition.active(facts.as_of)
                for name in names:
                    groups[name][condition.ref] = condition
                    if active:
                        current[name][condition.ref] = condition
    return Problems(facts.as_of, groups, current, sorting)

"""Why an answer is what it is: one answer as a story of values, rules and cards."""

from __future__ import annotations

from cds_service.story.model import Data, Read, Ruling, Said, Shown, Story, Who
from cds_service.story.tell import story

__all__ = ["Data", "Read", "Ruling", "Said", "Shown", "Story", "Who", "story"]

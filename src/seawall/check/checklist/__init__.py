"""The checklist of the stage: what an app of this size must have, and what it need not have yet."""

from seawall.check.checklist.grade import grade
from seawall.check.checklist.judging import checklist
from seawall.check.checklist.survey import Evidence

__all__ = ["Evidence", "checklist", "grade"]

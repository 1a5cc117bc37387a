"""What the engine's own codes say, for `--explain`, the pages and SARIF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EngineRule:
    """The texts of a code that the engine reports itself, with a bad example and the good one."""

    message: str
    reason: str
    how_to_fix: str
    when_to_suppress: str
    bad: str
    good: str


ENGINE_RULES: Final = {
    "PP000": EngineRule(
        "a suppression without a reason, a malformed one, or one that suppresses nothing",
        "Whoever reads `# plugport: allow[PP002]` a year later must learn why. A suppression that is no longer needed"
        " hides the next mistake on its line, and a malformed one hides nothing.",
        "Write the reason behind the brackets, or remove the suppression; `--fix` removes what suppresses nothing.",
        "Never: it would need a suppression.",
        "time.sleep(1)  # plugport: allow[PP004]",
        "time.sleep(1)  # plugport: allow[PP004] the loop is idle until the database answers",
    ),
    "PP900": EngineRule(
        "a file that a rule would have to read and that cannot be parsed",
        "A gate does not pass a file that it could not read.",
        "Repair the file. If it is no Python, as a template, name it under `exclude`.",
        "Never: a file that is excluded on purpose stands under `exclude`.",
        "import docker\n\ndef state(:",
        "import docker\n\ndef state(): ...",
    ),
}

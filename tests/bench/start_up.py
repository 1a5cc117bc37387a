"""Measures `plugport providers` with 30 providers installed: `python tests/bench/start_up.py [--rounds N]`.

Half of them are blocked. Beside it stands what starting Python alone costs, from the same rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.third_party import lay

PROVIDER = """
from plugport.hookspecs import hookimpl
@hookimpl
def observe(event):
    return None
"""


def seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """How long the command took."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-P", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        names = [f"team-{number}" for number in range(30)]
        for name in names:
            lay(Path(folder), name, PROVIDER)
        blocked = ",".join(names[::2])
        environment = os.environ | {"PYTHONPATH": folder, "PLUGPORT_PROVIDERS_BLOCK": blocked}
        seconds(["-m", "plugport.core", "providers"], environment)
        pairs = [
            (seconds(["-c", "pass"], environment), seconds(["-m", "plugport.core", "providers"], environment))
            for _ in range(rounds)
        ]
    alone, providers = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"python alone                            {alone * 1000:6.0f} ms")
    print(f"plugport providers, 30 of them          {providers * 1000:6.0f} ms (goal: below 500)")


if __name__ == "__main__":
    main()

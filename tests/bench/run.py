"""`make bench`: measures, prints tables and bars, and after a whole run writes docs/benchmarks.md with its picture.

`make bench PART="bulk rtt"` measures these parts alone; `PART=page` writes the page from what was measured last. The
exit code is 1 when a bar did not hold.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.bench import plot, report
from tests.bench.bars import judge
from tests.bench.contestants import world
from tests.bench.measure import PARTS, Bench, Effort, Values
from tests.bench.programs import BUILT
from tests.support.servers import REPOSITORY

LAUNCH = Path(__file__).with_name("launch.py")


def save(part: str, result: dict[str, Any]) -> None:
    """Keeps what a part found, for the page."""
    BUILT.mkdir(parents=True, exist_ok=True)
    (BUILT / f"{part}.json").write_text(
        json.dumps({"date": date.today().isoformat(), "load": os.getloadavg()[0], **result})
    )


def saved(part: str) -> dict[str, Any] | None:
    """What a part found when it was last run; None when it never was."""
    path = BUILT / f"{part}.json"
    return dict(json.loads(path.read_text())) if path.exists() else None


def measure(parts: list[str], effort: Effort) -> Values:
    """Runs these parts of the data path in one world."""
    values: Values = {}
    with tempfile.TemporaryDirectory(prefix="qbench") as folder, world(Path(folder)) as found:
        for part in parts:
            begun = time.monotonic()
            bench = Bench(found, effort)
            PARTS[part](bench)
            print(f"{part}: {time.monotonic() - begun:.0f} s, load average {os.getloadavg()[0]:.1f}", flush=True)
            values |= bench.values
            save(part, {"values": bench.values})
    return values


def launch() -> None:
    """Launch-to-pixel, in a real browser."""
    done = subprocess.run([sys.executable, LAUNCH], capture_output=True, text=True, check=True)
    print(done.stdout)
    save("launch", {"text": done.stdout})


def write_page() -> None:
    """docs/benchmarks.md and its picture, from what was measured last; parts that never were are named."""
    known = [*PARTS, "launch"]
    found = {part: result for part in known if (result := saved(part))}
    if not found:
        raise SystemExit("Nothing was measured yet. Run: make bench")
    values: Values = {}
    for result in found.values():
        values |= result.get("values", {})
    loads = sorted(result["load"] for result in found.values())
    facts = {
        "date": " and ".join(sorted({result["date"] for result in found.values()})),
        "load": f"{loads[0]:.1f} to {loads[-1]:.1f}",
        "launch": found["launch"]["text"].strip() if "launch" in found else "",
        "missing": [part for part in known if part not in found],
    }
    docs = REPOSITORY / "docs"
    (docs / "benchmarks.md").write_text(report.page(values, judge(values), facts))
    (docs / "images" / "benchmarks.svg").write_text(plot.svg(values))


def main(wanted: list[str]) -> int:
    """Measures what is wanted, all by default; returns the exit code."""
    known = [*PARTS, "launch", "page"]
    if unknown := set(wanted) - set(known):
        raise SystemExit(f"There is no part {', '.join(sorted(unknown))}. There are: {', '.join(known)}")
    parts = [part for part in PARTS if part in wanted or not wanted]
    values = measure(parts, Effort()) if parts else {}
    verdicts = judge(values)
    print(report.figures_table(values), report.bars_table(verdicts), sep="\n\n", flush=True)
    if "launch" in wanted or not wanted:
        launch()
    if "page" in wanted or not wanted:
        write_page()
    return int(not all(verdict.held for verdict in verdicts))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended then, too
    sys.exit(main(sys.argv[1:]))

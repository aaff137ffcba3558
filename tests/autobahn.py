"""Runs the Autobahn cases against the echo controller and fails unless all of them ran and none failed.

Called by autobahn.sh with the `lakou` binary, the echo component and a folder for the report.
"""

import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Cases of the suite that need no permessage-deflate.
EXPECTED = 301
# What the suite calls a behaviour that breaks no rule: NON-STRICT is right but late (the host reads a message before it
# judges it), INFORMATIONAL has no right answer.
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}


def main(lakou: str, component: str, report: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(component, pathlib.Path(folder, "echo.wasm"))
        server = subprocess.Popen(
            [lakou, "serve", "--controllers", folder, "--listen", "127.0.0.1:0"]
            + ["--max-message", "32MiB", "--max-frame", "32MiB"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            address = listening(server)
            run_cases(f"ws://{address}/echo", report)
        finally:
            server.terminate()
            ended = server.wait(timeout=60)
    good = summary(report)
    if ended != 0:
        print(f"autobahn: the server ended with {ended}", file=sys.stderr)
    return 0 if good and ended == 0 else 1


def listening(server: subprocess.Popen) -> str:
    for line in server.stdout:
        if line.startswith("listening on http://"):
            return line.removeprefix("listening on http://").strip()
    raise SystemExit("autobahn: the server did not start")


def run_cases(url: str, report: str) -> None:
    shutil.rmtree(report, ignore_errors=True)
    kosoku = pathlib.Path(sys.executable).with_name("kosoku")
    # A process of its own, whose exit code says nothing: its interpreter can abort after the work is done. The report
    # is what counts.
    subprocess.run(
        [kosoku, "-x", "12.*", "-x", "13.*", "-o", report, url],
        stdout=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )


def summary(report: str) -> bool:
    """Prints how often each behaviour was seen and which cases failed."""
    index = pathlib.Path(report, "index.json")
    if not index.is_file():
        print("autobahn: no report was written", file=sys.stderr)
        return False
    agents = json.loads(index.read_text())
    results = {case: result for cases in agents.values() for case, result in cases.items()}
    behaviours = collections.Counter(result["behavior"] for result in results.values())
    closes = collections.Counter(result["behaviorClose"] for result in results.values())
    print(f"autobahn: {len(results)} cases")
    print("  behaviour:", ", ".join(f"{name} {count}" for name, count in sorted(behaviours.items())))
    print("  closing:  ", ", ".join(f"{name} {count}" for name, count in sorted(closes.items())))
    failed = sorted(
        case
        for case, result in results.items()
        if result["behavior"] not in GOOD or result["behaviorClose"] not in GOOD
    )
    for case in failed:
        print(f"  FAILED {case}: {results[case]['behavior']}, closing {results[case]['behaviorClose']}")
    if len(results) != EXPECTED:
        print(f"autobahn: {len(results)} cases ran, not {EXPECTED}", file=sys.stderr)
    return not failed and len(results) == EXPECTED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

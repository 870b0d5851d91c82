"""How long the model library and the engine take to compile into an empty cache, and to start from it.

Usage: python scripts/bench/compile_library.py

Each measurement is a process of its own. A case compiles only the models that it uses; this compiles all of them.
"""

import json
import os
import subprocess
import sys
import tempfile

WORK = """
import json, time
begun, cpu = time.perf_counter(), time.process_time()
import numba
from gridai.engine.machine import _operate
from gridai.kernel.compile import entry_address
from gridai.models import catalog
imported = time.perf_counter() - begun
slowest, count = ("", 0.0), 0
for name in catalog.model_files():
    start = time.perf_counter()
    entry_address(catalog.model(name))
    slowest = max(slowest, (name, time.perf_counter() - start), key=lambda pair: pair[1])
    count += 1
models = time.perf_counter() - begun - imported
print(json.dumps([count, imported, models, time.process_time() - cpu, *slowest]))
"""
ENGINE = """
import time
import gridai as ga
from gridai.engine import compile_system, simulate
begun = time.perf_counter()
simulate(compile_system(ga.load_case("smib")), until_s=0.1)
print(time.perf_counter() - begun)
"""


def run(text: str, cache: str) -> str:
    """What a program prints when its cache is in this folder."""
    environment = {**os.environ, "GRIDAI_CACHE_DIR": cache}
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip().splitlines()[-1]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as cache:
        for label in ("empty cache", "from cache"):
            count, imported, models, cpu, name, longest = json.loads(run(WORK, cache))
            print(f"{label:12s} {count} models {models:6.2f} s, imports {imported:.2f} s before")
            print(f"{'':12s} {cpu:.1f} s of CPU in all, longest {name} {longest:.2f} s")
        with tempfile.TemporaryDirectory() as other:
            for label in ("empty cache", "from cache"):
                print(f"{label:12s} power flow, engine and one case {float(run(ENGINE, other)):6.2f} s")


if __name__ == "__main__":
    main()

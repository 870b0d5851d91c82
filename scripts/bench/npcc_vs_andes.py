"""A case of 140 buses (NPCC) read from RAW and DYR by both programs: 20 s with a fault, gridai against ANDES.

The files come with ANDES (`pip install andes`, in a virtual environment of its own); nothing of it is copied. Loads
are impedances in both. ANDES runs at its default step of 1/30 s, gridai at 1/240 s, recording included.

Usage: python scripts/bench/npcc_vs_andes.py --andes-python /path/to/venv/bin/python
"""

import argparse
import subprocess
import time

import gridai as ga
from gridai.engine import BusFault, compile_system, simulate

BUS = 36
PEER = """
import sys, time, andes
root = andes.__path__[0] + "/cases/npcc/"
if sys.argv[1] == "where":
    print(root)
    sys.exit()
andes.config_logger(stream_level=50)
ss = andes.load(root + "npcc.raw", addfile=root + "npcc_full.dyr", setup=False, default_config=True, no_output=True)
ss.add("Fault", dict(idx="F1", bus=int(sys.argv[1]), tf=1.0, tc=1.1, xf=1e-4, rf=0))
ss.setup()
ss.PFlow.run()
ss.TDS.config.tf = 20
ss.TDS.config.no_tqdm = 1
ss.TDS.init()
begun = time.perf_counter()
assert ss.TDS.run()
print(time.perf_counter() - begun)
"""


def peer(python: str, argument: str) -> str:
    """What ANDES in its own process prints last."""
    done = subprocess.run([python, "-c", PEER, argument], capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


def main() -> None:
    """Run both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--andes-python", required=True, help="Python that has ANDES")
    python = parser.parse_args().andes_python
    root = peer(python, "where")
    case, report = ga.import_case(root + "npcc.raw", root + "npcc_full.dyr", loads="constant_impedance")
    print(report)
    begun = time.perf_counter()
    system = compile_system(case)
    print(f"compile {time.perf_counter() - begun:.2f} s")
    bus = case.resolve_bus(BUS)
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        result = simulate(system, [BusFault(bus, 1.0, 1.1)], 20.0)
        times.append(time.perf_counter() - begun)
    own, other = sorted(times)[len(times) // 2], float(peer(python, str(BUS)))
    print(
        f"gridai {1e3 * own:.1f} ms ({result.data.shape[1]} channels)   ANDES {other:.2f} s   ratio {other / own:.0f}"
    )


if __name__ == "__main__":
    main()

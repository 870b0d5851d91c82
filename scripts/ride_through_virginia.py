"""10 July 2024 in Northern Virginia: six faults in 82 s, and what the data centres do by four rules.

As in the event (UPS that count three disturbances in a minute and stay on backup), without counting, by the curve that
ERCOT asks of large electronic loads, and with a tenth of each data centre as motors of the cooling on the mains.

Usage: python scripts/ride_through_virginia.py [OUT]
"""

import sys
from dataclasses import replace

import gridai as ga
from gridai.cluster import MotorClass

out = sys.argv[1] if len(sys.argv) > 1 else "out/ride_through_virginia"


def with_motors(settings):
    """A tenth of the load as motors, the other classes in proportion."""
    rest = tuple(replace(c, share=0.9 * c.share) for c in settings.classes)
    return replace(settings, classes=(*rest, MotorClass("cooling", share=0.1, restart_s=30.0)))


case = ga.load_case("virginia")
motors = replace(
    case, placements=tuple(replace(p, cluster=p.cluster.with_ride_through(with_motors)) for p in case.placements)
)
event = ga.studies.RideThrough().run(case)
for name, report in (
    ("as in the event", event),
    ("without counting", ga.studies.RideThrough(counting=False).run(case)),
    ("by ERCOT's curve", ga.studies.RideThrough(rule="ercot-lel").run(case)),
    ("with motors", ga.studies.RideThrough().run(motors)),
):
    found = report.summary
    peaks = f"{found['zenith'].value:.3f} Hz, {found['swell'].value:.3f} pu"
    print(f"{name:18s}{found['lost'].value:6.0f} MW away, {peaks}")
event.save(out)

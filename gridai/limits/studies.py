"""What limits need to know of the studies: under which condition each one judges its run.

A study that is listed runs the same whatever its profile, so one run is judged by several profiles. A study that is
not listed (a search whose answer depends on the limits, a test suite) is run once for each profile.

`respond` is not listed: it is judged by its run with the answer, which its result holds only in part. `regulate`,
`mitigate` and `size` judge nothing by a profile: their figures are limited as metrics (score_4s, best_speed,
battery_energy and so on), and a limit by a profile is an error that says so.
"""

from __future__ import annotations

CONDITIONS = {
    "pause": "normal",
    "oscillate": "normal",
    "fault": "contingency",
    "trip": "contingency",
    "ride-through": "contingency",
    "recover": "contingency",
    "cascade": "contingency",
    "modes": "small-signal",
    "flicker": "quality",
}
"""Name of the study to the condition of the limits that it is judged by; a test compares it with their reports."""

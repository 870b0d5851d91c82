"""Names of criteria in the legend of a search's figure."""

from gridai.plots.search import in_words
from gridai.results import Limit


def limit(criterion: str, low: float | None, high: float | None, unit: str) -> Limit:
    return Limit(criterion=criterion, unit=unit, low=low, high=high, clause="", source="", confidence="P")


def test_a_criterion_of_which_there_are_several_is_named_by_its_bound():
    """The number of a label counts the limits of its kind in the order of the profile."""
    limits = [
        limit("steady_voltage", 0.9, None, "pu"),
        limit("frequency_nadir", 49.0, None, "Hz"),
        limit("steady_voltage", 0.91, 1.114, "pu"),
        limit("steady_voltage", None, 1.2, "pu"),
    ]
    assert in_words("frequency_nadir", limits) == "frequency nadir"
    assert in_words("steady_voltage", limits) == "steady voltage, at least 0.9 pu"
    assert in_words("steady_voltage (2)", limits) == "steady voltage, 0.91 to 1.114 pu"
    assert in_words("steady_voltage (3)", limits) == "steady voltage, at most 1.2 pu"
    assert in_words("loss_of_step", limits) == "loss of step"
    assert in_words("steady_voltage (7)", limits) == "steady voltage (7)"
    curves = [limit("tolerance_curve", None, None, "pu")] * 2
    assert in_words("tolerance_curve (2)", curves) == "tolerance curve (2)"

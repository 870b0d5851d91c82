"""LoadStep acts on loads whose power scales and refuses others by name."""

import pytest

import gridai as ga
from gridai.engine import LoadStep, compile_system, simulate
from gridai.errors import GridaiError


def test_a_zip_load_steps_and_a_cluster_does_not() -> None:
    case = ga.load_case("kundur")
    load = next(iter(case.net.load["name"]))
    system = compile_system(case)
    kind = next(g.model for g in system.groups if any(d.name == load for d in g.devices))
    assert kind.name == "ZIP"
    result = simulate(system, [LoadStep(load, p_mw=10.0, at_s=0.1)], until_s=0.2)
    assert result.events
    cluster = ga.Cluster.of("H100", count=10_000)
    placed = compile_system(case.with_cluster(cluster, bus="7", balance="slack", name="dc"))
    with pytest.raises(GridaiError, match="dc"):
        simulate(placed, [LoadStep("dc", p_mw=1.0)], until_s=0.2)

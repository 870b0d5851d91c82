"""Inference: the queue against Little's law, latency, overload, arrivals, engines' curves, Serving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridai.cluster import Cluster, Inference, Serving, Workload
from gridai.cluster.workloads.arrivals import Requests, poisson, read_requests
from gridai.cluster.workloads.engines import ENGINES, engine
from gridai.errors import CaseError, SettingError, UnknownNameError


@pytest.mark.parametrize("name", list(ENGINES))
def test_curves_rise_between_idle_and_rated_power(name: str) -> None:
    own, batch = engine(name), np.arange(1, 513)
    watt, step = own.power_w(batch) / own.gpus, own.step_s(batch)
    assert (np.diff(watt) > 0.0).all()
    assert (np.diff(step) > 0.0).all()
    assert own.idle_w < watt[0] < watt[-1] < 1.05 * own.prefill_w
    assert (np.diff(batch / step) > 0.0).all()  # a larger batch gives more tokens a second


@pytest.mark.parametrize("rate", [0.5, 2.0, 5.0])
def test_the_queue_agrees_with_littles_law(rate: float) -> None:
    work = Inference(rate_per_s=rate, simulated=8)
    served = work.serve(900.0, seed=1)
    warm = served.t_s > 60.0
    batch, share, used = engine(work.model).steady(rate, work.prompt, work.output)
    assert used < 1.0
    assert served.batch[warm].mean() == pytest.approx(batch, rel=0.12)  # reached 0.042
    assert served.prefill[warm].mean() == pytest.approx(share, rel=0.05)  # reached 0.029
    # L = lambda W: requests present on average are arrivals a second times their time in the system.
    present = served.batch[warm].mean() + served.waiting[warm].mean()
    assert present == pytest.approx(rate * served.done_s.mean(), rel=0.1)  # reached 0.026
    assert 0.0 < np.median(served.first_s) < np.median(served.done_s)


def test_latency_grows_with_load_and_an_overload_queues() -> None:
    light, heavy, over = (Inference(rate_per_s=r, simulated=2) for r in (1.0, 8.0, 40.0))
    assert light.utilisation < heavy.utilisation < 1.0 < over.utilisation
    a, b, c = (w.serve(200.0) for w in (light, heavy, over))
    assert np.median(a.done_s) < np.median(b.done_s) < np.median(c.done_s)
    assert a.waiting.max() < 10
    assert c.waiting[-1].sum() > 1000
    assert light.mean < heavy.mean < over.mean


@pytest.mark.parametrize("rate", [0.01, 1.0, 6.0])
def test_inference_as_a_workload(rate: float) -> None:
    work = Inference(rate_per_s=rate)
    assert isinstance(work, Workload)
    cluster = Cluster.of("H100", 4096, workload=work)
    course = cluster.demand(300.0, seed=2)
    assert course.value(0.0) == pytest.approx(cluster.p_mw, rel=1e-9)
    assert course.mean(0.0, 300.0) == pytest.approx(cluster.p_mw, rel=0.05)
    assert course == cluster.demand(300.0, seed=2)


def test_noise_falls_with_the_number_of_copies() -> None:
    work = Inference(rate_per_s=2.0, simulated=8)
    t = np.arange(0.0, 300.0, 0.5)
    small, large = (Cluster.of("H100", n, workload=work).demand(300.0).value(t) for n in (4, 400))
    ratio = (small.std() / small.mean()) / (large.std() / large.mean())
    assert 4.0 < ratio < 20.0  # 10 for a hundred copies


def test_recorded_arrivals(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    rows = [f"2023-11-16 18:15:{46 + k // 2}.{5 * (k % 2)}805900,{300 + k},{40 + k}" for k in range(10)]
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + "\n".join(rows), encoding="utf-8")
    requests = read_requests(path)
    assert len(requests) == 10
    assert requests.t_s == pytest.approx(0.5 * np.arange(10))
    assert requests.prompt[3] == 303
    twice = requests.faster(2.0)
    assert twice.rate_per_s == pytest.approx(2.0 * requests.rate_per_s)
    again = requests.repeated(20.0)
    assert 39 <= len(again) <= 41
    assert again.t_s.max() < 20.0
    served = Inference(requests=requests, simulated=1).serve(60.0)
    assert len(served.done_s) > 200
    with pytest.raises(CaseError, match="not a table of requests"):
        read_requests(tmp_path / "none.csv")
    path.write_text("TIMESTAMP,ContextTokens\n1,2\n", encoding="utf-8")
    with pytest.raises(CaseError, match="no column GeneratedTokens"):
        read_requests(path)
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,-3,4\nx,1,1\n", encoding="utf-8")
    with pytest.raises(CaseError, match=r"row 3: TIMESTAMP(.|\n)*row 2: ContextTokens"):
        read_requests(path)


def test_poisson_has_its_rate_and_lengths() -> None:
    found = poisson(50.0, 1000.0, 800.0, 200.0, np.random.default_rng(0))
    assert found.rate_per_s == pytest.approx(50.0, rel=0.02)
    assert found.prompt.mean() == pytest.approx(800.0, rel=0.02)
    assert found.output.mean() == pytest.approx(200.0, rel=0.02)
    gaps = np.diff(found.t_s)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.03)


def test_serving_has_its_moments() -> None:
    work = Serving(decode=0.9, prefill=1.3, prefill_share=0.25, turn_s=0.1, spread=0.1, correlation=0.2)
    course = work.profile(600.0, 8, 8, 0)
    x = course.value(np.arange(0.0, 600.0, 1.0))
    own = np.sqrt(0.25 * 0.75 * 0.4**2 + 0.1**2)
    assert x.mean() == pytest.approx(1.0, abs=0.01)
    assert x.std() == pytest.approx(own * np.sqrt(0.8 / 8 + 0.2), rel=0.1)
    assert course.value(0.0) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Inference(model="Llama-3.1-7B"), UnknownNameError, "unknown engine 'Llama-3.1-7B'; did you mean"),
        (lambda: Inference(rate_per_s=-1.0), SettingError, "rate_per_s = -1.0"),
        (lambda: Inference(requests=3), SettingError, "requests = 3"),  # type: ignore[arg-type]
        (lambda: Requests(np.array([1.0, 0.0]), np.ones(2), np.ones(2)), SettingError, "must not go back"),
        (lambda: Requests(np.array([1.0]), np.ones(2), np.ones(2)), SettingError, "2 prompts"),
        (lambda: poisson(1e6, 1e6, 1.0, 1.0, np.random.default_rng(0)), SettingError, "more than 5000000"),
        (lambda: Requests(np.zeros(3), np.ones(3), np.ones(3)).repeated(9.0), SettingError, "3 at one instant"),
        (lambda: Serving(decode=1.5), SettingError, "prefill = 1.3: must not be below decode = 1.5"),
        (lambda: Serving().profile(1e6, 8, 8, 0), SettingError, "give a longer turn_s"),
    ],
)
def test_bad_settings(make: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()  # type: ignore[operator]

"""Workloads against measured power: MLPerf runs, a production cycle, serving GPUs, published means, Azure's arrivals.

The traces are those of the reference folder (power_traces/README). Nothing of the models is set by hand for a trace:
what a fit finds it finds by itself, what is predicted is predicted from the numbers each test names.
"""

from __future__ import annotations

import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridai.cluster import HARDWARE, Cluster, Inference, Serving, Trace, Training, read_trace
from gridai.cluster.calibration import Fit, fit, fit_cycle, fit_serving, inner_of, measure
from gridai.cluster.calibration.measures import ramps, spectral_line, uniform
from gridai.cluster.calibration.run import as_measured, metered, play
from gridai.cluster.traces import read_each
from gridai.cluster.workloads.arrivals import read_requests

METER_S = 2.0
"""MLPerf's meters average over 2 s."""
BLOCK_HZ = 13 / 142
"""The GPT-3 run's line: the 13th harmonic of 12 steps and an evaluation, 142 s."""


@pytest.fixture(scope="session")
def traces(reference_dir: Path) -> Path:
    folder = reference_dir / "power_traces"
    if not folder.is_dir():
        pytest.skip(f"no measured power at {folder}")
    return folder


def mlperf(folder: Path, name: str, gpus: int) -> Trace:
    return read_trace(folder / f"{name}_ac.csv", gpus=gpus, meter_s=METER_S)


@pytest.fixture(scope="session")
def gpt3(traces: Path) -> Fit:
    start = time.perf_counter()
    found = fit(mlperf(traces, "gpt3_175b_512xh100", 512))
    assert time.perf_counter() - start < 10.0  # an hour of trace; reached 2 s, 3.6 s on a busy core
    return found


@pytest.fixture(scope="session")
def lora(traces: Path) -> tuple[Fit, Fit]:
    return tuple(fit(mlperf(traces, f"llama2_70b_lora_{n}xh100", n)) for n in (64, 512))  # type: ignore[return-value]


def training_of(found: Fit, trace: Trace) -> Trace:
    phase = found.segments.training
    return inner_of(trace, phase.start_s, phase.end_s)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gpt3_fitted(gpt3: Fit, seed: int) -> None:
    trace, model = gpt3.measures(seed)
    assert trace.ramp_step_s == 2.0
    assert model.mean == pytest.approx(trace.mean, rel=0.01)  # reached 0.0003
    for q in (5.0, 95.0):
        assert model.percentiles[q] == pytest.approx(trace.percentiles[q], rel=0.03)  # reached 0.0038
    assert model.line.f_hz == pytest.approx(trace.line.f_hz, rel=0.01)  # reached 0.0031
    assert model.line.amplitude == pytest.approx(trace.line.amplitude, rel=0.15)  # reached 0.023
    assert model.ramp_p999 == pytest.approx(trace.ramp_p999, rel=0.20)  # reached 0.116
    assert model.swing == pytest.approx(trace.swing, rel=0.10)  # reached 0.018


def test_gpt3_parameters_are_those_of_the_run(gpt3: Fit) -> None:
    work = gpt3.workload
    assert isinstance(work, Training)
    assert work.eval_every == 12
    assert 12 * work.step_s + work.eval_s == pytest.approx(142.0, rel=0.005)  # reached 0.0012
    assert work.eval_s == pytest.approx(13.0, rel=0.05)  # reached 0.01
    assert gpt3.mean_mw * 1e6 / 512 == pytest.approx(857.0, rel=0.005)  # reached 0.001


@pytest.mark.parametrize("step_s", [10.75, 10.63])
def test_gpt3_line_predicted_from_step_block_and_evaluation(step_s: float) -> None:
    """Nothing fitted: 12 steps and an evaluation of 13 s. The run's log gives 10.63 s a step, 10.75 s from one to the
    next."""
    t = np.arange(0.0, 3600.0)
    course = Training(step_s=step_s, eval_every=12, eval_s=13.0).profile(3600.0, 512, 8, 0)
    line = spectral_line(metered(course, t, METER_S), 1.0)
    assert line.f_hz == pytest.approx(BLOCK_HZ, rel=0.02)  # reached 0.001 and 0.010


def scaled(lora: tuple[Fit, Fit]) -> tuple[Training, float]:
    """The 64-GPU job on 512: eight times the GPUs, the same work; workload and mean power [MW]."""
    small, _ = lora
    assert isinstance(small.workload, Training)
    return replace(small.workload.on_more_gpus(8.0), job_gpus=512), 8.0 * small.mean_mw


def test_64_to_512_gpus_in_the_training_phase(lora: tuple[Fit, Fit]) -> None:
    """Mean and swing (95th less 5th percentile) of the training phase that the model segments, from the other run.

    The phase is only 38 s long, so a drawn course of that length swings 26 % less to 15 % more by chance (40 seeds,
    -8 % on average); the model's own swing is that of an hour.
    """
    work, mean_mw = scaled(lora)
    t = np.arange(0.0, 3600.0)
    course = metered(play(work, mean_mw, 512, 8, 3600.0, 0), t, METER_S)
    model = measure(Trace("hour", t, course, 512, METER_S))
    trace = measure(lora[1].training)
    assert model.mean == pytest.approx(trace.mean, rel=0.10)  # reached 0.074
    assert model.swing == pytest.approx(trace.swing, rel=0.15)  # reached -0.047


def test_64_to_512_gpus_whole_trace_with_its_own_start_and_stop(lora: tuple[Fit, Fit]) -> None:
    work, mean_mw = scaled(lora)
    trace = lora[1].trace
    found = []
    for seed in range(8):
        model = as_measured(work, mean_mw, trace, lora[1].schedule, seed=seed)
        rms = np.sqrt(np.mean((model.mw - trace.mw) ** 2)) / trace.mean_mw
        found.append((model.mean_mw / trace.mean_mw, measure(model).swing / measure(trace).swing, rms))
    mean, swing, rms = np.mean(found, axis=0)
    assert mean == pytest.approx(1.0, abs=0.10)  # reached 0.022
    assert swing == pytest.approx(1.0, abs=0.15)  # reached 0.050
    assert rms < 0.10  # reached 0.070


def test_segments_of_a_run_are_found(lora: tuple[Fit, Fit]) -> None:
    for found, idle_w in zip(lora, (328.0, 342.0), strict=True):
        assert [p.high for p in found.segments.parts] == [False, True, False, True]
        assert found.segments.training == found.segments.parts[3]
        assert found.segments.idle_mw * 1e6 / found.trace.gpus == pytest.approx(idle_w, rel=0.01)


EDGES = ((0.45, 0.9, 0.257, 0.855), (3.3, 3.9, 0.84, 0.307), (3.88, 4.5, 0.307, 0.84), (14.3, 15.5, 0.80, 0.30))
"""Start and end of a window with one edge [s], and the levels on both sides of it, all read from the trace."""


def edge_s(t: np.ndarray, power: np.ndarray, edge: tuple[float, float, float, float]) -> float:
    """Time from a fifth to four fifths of the way between the two levels. [s]"""
    first, last, before, after = edge
    fine = np.arange(first, last, 1e-4)
    way = (np.interp(fine, t, power) - before) / (after - before)
    return float(fine[int(np.argmax(way > 0.8))] - fine[int(np.argmax(way > 0.2))])


def test_production_cycle(traces: Path) -> None:
    """One iteration of a production job (arXiv:2508.14318): its course, and its four large edges."""
    table = np.genfromtxt(traces / "dgx_h100_production_cycle.csv", delimiter=",", skip_header=1)
    found = fit_cycle(table[:, 0], table[:, 1])
    t, trace = found.t_s, np.interp(found.t_s, table[:, 0] - table[0, 0], table[:, 1])
    fine = np.arange(0.0, t[-1], 0.01)
    model = found.cycle.one().value(fine)
    rms = np.sqrt(np.mean((model - np.interp(fine, t, trace)) ** 2)) / trace.mean()
    assert found.rms < 0.05  # at the samples: reached 0.039
    assert rms < 0.05  # over time: reached 0.038
    for edge in EDGES:
        assert edge_s(fine, model, edge) == pytest.approx(edge_s(t, trace, edge), rel=0.10)  # reached 0.017


@pytest.fixture(scope="session")
def serving(traces: Path) -> Fit:
    return fit_serving(*read_each(traces / "llm_inference_8gpu.csv", unit="W"))


@pytest.fixture(scope="session")
def drawn(serving: Fit) -> list[Trace]:
    return [serving.model(seed) for seed in range(12)]


def test_serving_distribution(serving: Fit, drawn: list[Trace]) -> None:
    shares = (1, 5, 10, 25, 50, 75, 90, 95, 99)
    own = np.percentile(serving.trace.mw, shares)
    found = np.array([np.percentile(model.mw, shares) / own for model in drawn])
    np.testing.assert_allclose(found, 1.0, atol=0.10)  # reached 0.031 for any seed
    means = [model.mean_mw for model in drawn]
    np.testing.assert_allclose(means, serving.trace.mean_mw, rtol=0.10)  # reached 0.008
    assert isinstance(serving.workload, Serving)


@pytest.mark.parametrize(
    ("grid_s", "shares"), [(0.113, (95.0, 99.0)), (1.0, (95.0, 99.0, 99.9)), (5.0, (95.0, 99.0, 99.9))]
)
def test_serving_ramps(serving: Fit, drawn: list[Trace], grid_s: float, shares: tuple[float, ...]) -> None:
    """Percentiles of ramps, mean of 12 seeds. Reached -0.055 and -0.027; -0.048, 0.073 and 0.063; -0.005, 0.010
    and 0.017.

    Not reached: the 99.9th percentile on the samples' own grid, five of them: -12 %, with 13 % between seeds.
    """

    def of(trace: Trace) -> np.ndarray:
        return np.percentile(np.abs(ramps(uniform(trace), trace.step_s, grid_s)), shares)

    np.testing.assert_allclose(np.mean([of(model) for model in drawn], axis=0), of(serving.trace), rtol=0.10)


NLR_RATES = {1: 2069.5, 5: 2091.8, 10: 2256.8, 15: 2403.1, 20: 2575.0, 25: 2694.0, 30: 2852.2, 35: 2885.1}
"""Requests in a second -> mean power of four H100 and the node's processors [W]: Llama-3.1-70B, vLLM, 180 s each;
arXiv:2604.07345, inference_online_rate_llama3_70b/metadata.csv of genai-gpu-power-analysis."""
NLR_PROMPT, NLR_OUTPUT = 173.6, 159.3
"""Mean tokens of the runs' requests (InstructCoder; same data set)."""


def statistics(traces: Path) -> dict[str, dict[str, float]]:
    with (traces / "nlr_h100" / "basic_statistics.csv").open(encoding="utf-8", newline="") as file:
        return {row.pop("Workload"): {k: float(v) for k, v in row.items()} for row in csv.DictReader(file)}


@pytest.fixture(scope="session")
def processors_w(traces: Path) -> float:
    """Processors of an NLR node for one GPU: what its training draws at most over the GPU's rated 700 W. [W]"""
    return statistics(traces)["LLaMA2-LoRA (2node)"]["P99_W"] - HARDWARE["H100"].gpu_tdp_w.value


def mean_w(rate_per_s: float) -> float:
    """Mean power of a GPU in the steady state of the engine. [W]"""
    engine = Inference(most=1024).engine
    batch, prefill, _ = engine.steady(rate_per_s, NLR_PROMPT, NLR_OUTPUT)
    return float(engine.gpu_w(batch, prefill))


@pytest.mark.parametrize("rate", list(NLR_RATES))
def test_power_against_load_of_a_70b_model(processors_w: float, rate: int) -> None:
    """The engine's curve (OpenG2G's fit to ML.ENERGY's runs) against another laboratory, 1 to 35 requests a second."""
    found = mean_w(rate) + processors_w
    # Reached -7.3 % at 1 request a second, within 1.6 % from 10 on.
    assert found == pytest.approx(NLR_RATES[rate] / 4.0, rel=0.10 if rate < 10 else 0.03)


def test_means_of_nlr_inference(traces: Path, processors_w: float) -> None:
    own = statistics(traces)
    rate = own["Inf-Online-Rate (per trace)"]["Mean_W"]  # 1 request a second
    assert mean_w(1.0) + processors_w == pytest.approx(rate, rel=0.10)  # reached 0.073
    offline = own["Inf-Offline (per trace)"]["Mean_W"]  # 550 requests at once
    engine = Inference(most=1024).engine
    assert float(engine.power_w(550)) / 4.0 + processors_w == pytest.approx(offline, rel=0.10)  # reached 0.039
    finite = own["Inf-Online-Finite (per trace)"]  # 1,000 requests, 10 a second: 104.1 s of the trace
    busy_s, whole_s = 104.1, finite["Duration_s"]
    watt = (busy_s * mean_w(10.0) + (whole_s - busy_s) * engine.idle_w) / whole_s + processors_w
    assert watt == pytest.approx(finite["Mean_W"], rel=0.10)  # reached 0.021


def test_mean_of_nlr_fine_tuning_with_its_own_start(traces: Path, processors_w: float) -> None:
    """16 nodes: loading until the first event's end, then training at the catalogue's GPU power."""
    with (traces / "nlr_h100" / "llama2_checkpoint_events.csv").open(encoding="utf-8", newline="") as file:
        loads_s = float(next(csv.DictReader(file))["duration_s"])
    own = statistics(traces)["LLaMA2-LoRA (16node)"]
    h100 = HARDWARE["H100"]
    share = loads_s / own["Duration_s"]
    found = share * h100.gpu_idle_w.value + (1.0 - share) * (h100.gpu_training_w.value + processors_w)
    assert found == pytest.approx(own["Mean_W"], rel=0.10)  # reached 0.001


@pytest.mark.parametrize(("name", "count", "floor"), [("conv", 19_366, 0.7), ("code", 8_819, 0.9)])
def test_azure_arrivals_drive_it(traces: Path, name: str, count: int, floor: float) -> None:
    requests = read_requests(traces / f"azure_llm_arrivals_{name}.csv.gz")
    assert len(requests) == count
    work = Inference(requests=requests, simulated=4)
    served = work.serve(3240.0)
    assert len(served.done_s) > 0.95 * np.sum(requests.t_s < 3300.0)
    assert work.utilisation < 0.2
    assert np.median(served.first_s) < np.median(served.done_s)
    power = work.engine.gpu_w(served.batch, served.prefill).mean(axis=1)
    by_minute = power.reshape(-1, 600).mean(axis=1)
    arrivals = np.histogram(requests.t_s, np.arange(0.0, 60.0 * len(by_minute) + 1.0, 60.0))[0]
    assert np.corrcoef(arrivals, by_minute)[0, 1] > floor  # reached 0.77 and 0.97: power follows the requests
    cluster = Cluster.of("H100", 4096, workload=work)
    course = cluster.demand(600.0)
    assert course.value(0.0) == pytest.approx(cluster.p_mw, rel=1e-9)


def test_an_hour_of_100_000_gpus_that_serve() -> None:
    cluster = Cluster.of("H100", 100_000, workload=Inference())
    start, longest, n = time.perf_counter(), 0, 0
    for t, _ in cluster.stream(3600.0, 0.01):
        longest, n = max(longest, len(t)), n + len(t)
    assert time.perf_counter() - start < 2.0  # reached 0.4 s
    assert n == 360_000
    assert longest <= 65_536

"""GPU servers: what one GPU, and one GPU with its share of the server, draw idle, in training and at most.

    GPU power  +  overhead      =  IT power        all in W for one GPU
    gpu_..._w     overhead_..._w   plug_..._w

IT power is AC power at the server's plug divided by its GPUs. The overhead is the GPU's share of all else in the
server: processors, memory, network cards, switches, fans and the loss of the power supplies. It is the difference
of two stated numbers, so a measured plug power stays measured where the GPU's part of it is only estimated.

Confidence: P primary text quoted, V computed from measured data, S secondary source, M recalled or assumed.
Imports only the standard library, so that `gridai list hardware` is quick.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from gridai.errors import Problems, SettingError, UnknownNameError, near

_MLPERF = "MLPerf Training results v4.0 and v5.0, AC node power"
_NLR = "arXiv:2604.07345, 0.2 s power profiles of 2 to 16 H100 nodes"
_ACME = "InternLM AcmeTrace, A100 clusters Seren and Kalos"


@dataclass(frozen=True)
class Figure:
    """A number with its unit, source and confidence (P, V, S or M, as in the module's docstring)."""

    value: float
    unit: str
    source: str
    confidence: str

    @property
    def verified(self) -> bool:
        """True for primary and computed numbers; the others are shown as unverified."""
        return self.confidence in ("P", "V")

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit} ({self.source}{'' if self.verified else '; unverified'})"


def _w(value: float, confidence: str, source: str) -> Figure:
    return Figure(value, "W", source, confidence)


@dataclass(frozen=True)
class Hardware:
    """A GPU server as a power consumer. Raises SettingError if the numbers cannot be one.

    gpu_idle_w, gpu_training_w, gpu_peak_w   one GPU: job stopped, mean in training, highest sustained. [W]
    gpu_tdp_w                                its rated (thermal design) power. [W]
    plug_idle_w, plug_training_w, plug_peak_w  the same at the server's AC plug, for one GPU. [W]
    server_nameplate_w                       highest input of the whole server by its maker. [W]
    """

    name: str
    title: str
    gpus_per_server: int
    gpu_idle_w: Figure
    gpu_training_w: Figure
    gpu_peak_w: Figure
    gpu_tdp_w: Figure
    plug_idle_w: Figure
    plug_training_w: Figure
    plug_peak_w: Figure
    server_nameplate_w: Figure
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        bad = Problems(f"hardware {self.name}")
        for f, figure in self.figures().items():
            if not 0.0 < figure.value < 1e6:
                bad.add(self.name, None, f, figure.value, "give W above 0, for one GPU (the nameplate: one server)")
        if self.gpus_per_server < 1:
            bad.add(self.name, None, "gpus_per_server", self.gpus_per_server, "give 1 or more")
        if not self.it_idle_w < self.it_training_w <= self.it_peak_w:
            bad.add(self.name, None, "plug_training_w", self.it_training_w, "idle < training <= peak must hold")
        for state, overhead_w in (("idle", self.overhead_idle_w), ("training", self.overhead_training_w)):
            if overhead_w < 0.0:
                bad.add(self.name, None, f"plug_{state}_w", -overhead_w, f"W below gpu_{state}_w: give AC power")
        bad.raise_if_any(SettingError)

    @property
    def it_idle_w(self) -> float:
        """AC power of one GPU and its share of the server, job stopped, server on. [W]"""
        return self.plug_idle_w.value

    @property
    def it_training_w(self) -> float:
        """Mean AC power of one GPU and its share of the server in training. [W]"""
        return self.plug_training_w.value

    @property
    def it_peak_w(self) -> float:
        """Highest AC power of one GPU and its share of the server. [W]"""
        return self.plug_peak_w.value

    @property
    def overhead_idle_w(self) -> float:
        """The GPU's share of the rest of the server, job stopped. [W]"""
        return self.it_idle_w - self.gpu_idle_w.value

    @property
    def overhead_training_w(self) -> float:
        """The GPU's share of the rest of the server, in training. [W]"""
        return self.it_training_w - self.gpu_training_w.value

    @property
    def training_fraction(self) -> float:
        """Mean power of the GPU in training as a share of its TDP."""
        return self.gpu_training_w.value / self.gpu_tdp_w.value

    @property
    def idle_fraction(self) -> float:
        """IT power with the job stopped as a share of that in training."""
        return self.it_idle_w / self.it_training_w

    @property
    def nameplate_w(self) -> float:
        """Nameplate of the server divided by its GPUs. [W]"""
        return self.server_nameplate_w.value / self.gpus_per_server

    def figures(self) -> dict[str, Figure]:
        """The sourced numbers by field name, for tables and `gridai show`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name.endswith("_w")}

    def __str__(self) -> str:
        return (
            f"{self.title}: {self.it_training_w:.0f} W AC a GPU in training, {self.it_idle_w:.0f} W idle, "
            f"{self.nameplate_w:.0f} W by nameplate"
        )


A100 = Hardware(
    name="A100",
    title="NVIDIA A100 SXM, 8 in a server",
    gpus_per_server=8,
    gpu_idle_w=_w(62, "V", f"{_ACME}: 5th to 10th percentile 62-63 W"),
    gpu_training_w=_w(390, "V", f"{_ACME}: mean of the GPU readings above 300 W, Kalos"),
    gpu_peak_w=_w(440, "V", f"{_ACME}: 99th percentile 437-440 W"),
    gpu_tdp_w=_w(400, "S", "data sheet as listed by PC2 Paderborn: max thermal design power 400 W"),
    plug_idle_w=_w(189, "V", f"{_ACME}: GPU servers idle at 1,512 W"),
    plug_training_w=_w(576, "V", f"{_ACME}: median of the GPU servers above 3.5 kW, 4,611 W"),
    plug_peak_w=_w(677, "V", f"{_ACME}: 99th percentile of the GPU servers, 5,418 W"),
    server_nameplate_w=_w(6500, "S", "DGX A100: 6.5 kW at most, its user guide as quoted in the press"),
    aliases=("A100 SXM", "A100 SXM4", "DGX A100", "HGX A100"),
)
H100 = Hardware(
    name="H100",
    title="NVIDIA H100 SXM 700 W, 8 in a server",
    gpus_per_server=8,
    gpu_idle_w=_w(100, "V", f"{_NLR}: lowest reading with a job loaded, 94-107 W"),
    gpu_training_w=_w(630, "M", f"estimate, 0.9 of TDP; {_NLR}: 598-658 W over whole runs"),
    gpu_peak_w=_w(755, "V", f"{_NLR}: 99th percentile 742-756 W"),
    gpu_tdp_w=_w(700, "S", "NVIDIA data sheet as quoted by vendors: up to 700 W (configurable)"),
    plug_idle_w=_w(334, "V", f"{_MLPERF}: median of the idle levels 291, 328, 340 and 345 W of three runs"),
    plug_training_w=_w(857, "V", f"{_MLPERF}: GPT-3 175B on 512 GPUs, mean 0.857 kW a GPU"),
    plug_peak_w=_w(919, "V", f"{_MLPERF}: highest reading of a node, 7.35 kW"),
    server_nameplate_w=_w(10200, "S", "DGX H100/H200: 10.2 kW at most, user guide as quoted by arXiv:2412.08602"),
    aliases=("H100 SXM", "H100 SXM5", "DGX H100", "HGX H100"),
)
H200 = Hardware(
    name="H200",
    title="NVIDIA H200 SXM 700 W, 8 in a server",
    gpus_per_server=8,
    gpu_idle_w=_w(100, "M", "taken from the H100"),
    gpu_training_w=_w(630, "M", "taken from the H100, which has the same TDP"),
    gpu_peak_w=_w(755, "M", "taken from the H100"),
    gpu_tdp_w=_w(700, "P", "MLPerf Inference v4.1, system H200-SXM-141GBx8: 'H200 TGP 700W'"),
    plug_idle_w=_w(334, "M", "taken from the H100"),
    plug_training_w=_w(857, "M", "taken from the H100"),
    plug_peak_w=_w(919, "M", "taken from the H100"),
    server_nameplate_w=_w(10200, "S", "DGX H100/H200: 10.2 kW at most, user guide as quoted by others"),
    aliases=("H200 SXM", "DGX H200", "HGX H200"),
)
B200 = Hardware(
    name="B200",
    title="NVIDIA B200 SXM 1,000 W, 8 in a server",
    gpus_per_server=8,
    gpu_idle_w=_w(130, "M", "assumed"),
    gpu_training_w=_w(970, "M", "assumed: the overhead then equals that of the idle server"),
    gpu_peak_w=_w(1000, "M", "taken as the TDP"),
    gpu_tdp_w=_w(1000, "S", "NVIDIA HGX B200: configurable up to 1,000 W a GPU, quoted by others"),
    plug_idle_w=_w(362, "S", f"{_MLPERF}: node idle 2.9 kW as stated with the data; lowest here 3.3 kW"),
    plug_training_w=_w(1202, "V", f"{_MLPERF}: Llama 2 70B LoRA on 8 GPUs, mean 9.62 kW of the readings above 8 kW"),
    plug_peak_w=_w(1262, "V", f"{_MLPERF}: highest reading of the node, 10.1 kW"),
    server_nameplate_w=_w(14300, "P", "NVIDIA DGX B200 user guide: '14.3 kW max.'"),
    aliases=("B200 SXM", "DGX B200", "HGX B200"),
)
GB200 = Hardware(
    name="GB200",
    title="NVIDIA GB200 NVL72, 72 in a liquid-cooled rack",
    gpus_per_server=72,
    gpu_idle_w=_w(150, "M", "assumed: an eighth of the TDP, as the B200"),
    gpu_training_w=_w(1160, "M", "assumed: 0.97 of the TDP, as the B200"),
    gpu_peak_w=_w(1200, "M", "taken as the TDP"),
    gpu_tdp_w=_w(1200, "S", "Blackwell GPU of the GB200: up to 1,200 W, quoted by glennklockwood.com"),
    plug_idle_w=_w(450, "M", "assumed: 0.28 of training, as the B200 node"),
    plug_training_w=_w(1580, "M", "assumed: a rack at 114 kW, 0.95 of the 120 kW quoted for it"),
    plug_peak_w=_w(1667, "S", "rack of 120 kW, quoted by several vendors"),
    server_nameplate_w=_w(132000, "S", "NVIDIA Mission Control manual: 8 shelves of 33 kW; half assumed to spare"),
    aliases=("GB200 NVL72", "NVL72", "DGX GB200"),
)

HARDWARE: dict[str, Hardware] = {h.name: h for h in (A100, H100, H200, B200, GB200)}
"""The catalogue by name."""


def hardware(name: str) -> Hardware:
    """The hardware of this name or alias, in any spelling. Raises UnknownNameError listing near names."""
    wanted = _folded(str(name))
    for row in HARDWARE.values():
        if wanted in {_folded(n) for n in (row.name, *row.aliases)}:
            return row
    raise UnknownNameError(near(name, HARDWARE, "hardware"))


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum()).removeprefix("nvidia")

"""Write the example submission: a small round with two systems, all of it synthetic.

    python examples/submission/make_submission.py            write everything anew
    python examples/submission/make_submission.py --check    exit with 1 when a file differs from what would be written

Plain Python, no packages, no randomness that is not seeded: the files come out the same everywhere.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "logs"))

from recording import record_mllog  # noqa: E402
from runs import FINETUNING, IMAGE_MODEL, Clock, Run  # noqa: E402
from writers import MllogWriter  # noqa: E402

TOP = "Example_Lab"
README = """\
# A synthetic submission

Written by `python examples/submission/make_submission.py`. Nothing in it was ever run: every system, time, quality
and power reading is invented to show what `mlperf score` and `mlperf rcp` report.

| folder | what it shows |
|---|---|
| `example_8x/llama2_70b_lora` | ten runs, faster than the reference, so the score is scaled; power readings (too far apart) |
| `example_16x/llama2_70b_lora` | ten runs on a larger system, one of them aborted |
| `example_16x/flux1` | six of the ten runs that a result needs |
"""
REACHED_AFTER_8X = (3072, 3072, 2688, 3072, 3456, 3072, 3072, 2688, 3072, 3072)
REACHED_AFTER_16X = (3072, 3456, 3072, 3072, 3456, 3072, 2688, 3072, 3456, 3072)
ABORTED = 4
IMAGES_AFTER = (8126464, 8388608, 7864320, 8126464, 8126464, 7864320)
NORMALISATION = 1.0511463844797177
NODE_WATTS, SWITCH_WATTS, READ_EVERY_S = 8_400, 350, 10


def make_finetuning(number: int, after: int, system: str, block_seconds: float, seed: int) -> Run:
    """A fine-tuning run that reaches its target after so many samples."""
    chance = random.Random(f"{system} {number}")  # noqa: S311 - invented figures
    steps = range(1536, after + 1, 384)
    qualities = {
        samples: round(0.9245 + 0.000021 * (after - samples) + chance.random() / 2_000, 4)
        for samples in steps
    }
    return replace(
        FINETUNING,
        start=FINETUNING.start + number * 5_400,
        platform=system,
        settings={**FINETUNING.settings, "seed": seed},
        qualities=qualities,
        block_seconds=round(block_seconds * (0.99 + chance.random() / 50), 3),
        prefix="",
    )


def make_image_model(number: int, after: int, system: str) -> Run:
    """An image generation run that reaches its target after so many samples."""
    chance = random.Random(f"image {number}")  # noqa: S311 - invented figures
    steps = range(7077888, after + 1, 262144)
    qualities = {
        samples: round(0.5858 + 6e-9 * (after - samples) + chance.random() / 10_000, 5) for samples in steps
    }
    return replace(
        IMAGE_MODEL,
        start=IMAGE_MODEL.start + number * 9_000,
        platform=system,
        settings={**IMAGE_MODEL.settings, "seed": 500 + number},
        qualities=qualities,
        block_seconds=round(640 * (0.99 + chance.random() / 50), 3),
    )


def abort(lines: list[str]) -> list[str]:
    """The log of a run that missed its target: no evaluation reaches it, and it says so itself."""
    kept = [line.replace('"status": "success"', '"status": "aborted"') for line in lines]
    return [line.replace('"value": 0.924', '"value": 0.926') for line in kept]


def write_power(run: Run, nodes: int) -> dict[str, list[str]]:
    """Power readings of a run, from a minute before its clock starts to a minute after it stops."""
    files = {}
    start = run.start + run.init_seconds - 60
    seconds = len(run.qualities) * (run.block_seconds + run.eval_seconds) + 120
    for node in range(nodes):
        chance = random.Random(f"{run.start} {node}")  # noqa: S311 - invented figures
        writer = MllogWriter(Clock(start), "power.py", "")
        writer.record("power_measurement_start")
        for _ in range(int(seconds // READ_EVERY_S)):
            writer.clock.pass_seconds(READ_EVERY_S)
            writer.record("power_reading", round(NODE_WATTS * (0.97 + chance.random() * 0.06)))
        writer.record("power_measurement_stop")
        writer.record("conversion_eff", 0.96)
        files[f"node_{node}.txt"] = writer.lines
    writer = MllogWriter(Clock(start), "power.py", "")
    writer.record("interconnect_power_est", SWITCH_WATTS)
    files["sw_0.txt"] = writer.lines
    return files


def describe_system(name: str, nodes: int) -> str:
    """A system description; what is not told is the same for every example."""
    described = {
        "submitter": TOP,
        "division": "closed",
        "status": "Available on-premise",
        "system_name": name,
        "number_of_nodes": str(nodes),
        "host_processors_per_node": "2",
        "host_processor_model_name": "Example CPU",
        "host_processor_core_count": "64",
        "host_processor_vcpu_count": "",
        "host_processor_frequency": "",
        "host_processor_caches": "",
        "host_processor_interconnect": "",
        "host_memory_capacity": "1 TB",
        "host_storage_type": "NVMe",
        "host_storage_capacity": "15 TB",
        "host_networking": "Ethernet",
        "host_networking_topology": "N/A",
        "host_memory_configuration": "16x 64 GB",
        "accelerators_per_node": "8",
        "accelerator_model_name": "Example Accelerator",
        "accelerator_host_interconnect": "PCIe",
        "accelerator_frequency": "",
        "accelerator_on-chip_memories": "",
        "accelerator_memory_configuration": "HBM",
        "accelerator_memory_capacity": "141 GB",
        "accelerator_interconnect": "Example Link",
        "accelerator_interconnect_topology": "",
        "cooling": "air",
        "hw_notes": "invented",
        "framework": "Example Framework",
        "other_software_stack": {},
        "operating_system": "Linux",
        "sw_notes": "invented",
    }
    return json.dumps(described, indent=2) + "\n"


def render_files() -> dict[str, bytes]:
    """Every file of the submission: path below this folder to content."""
    texts: dict[str, str] = {"README.md": README}
    for name, nodes in (("example_8x", 1), ("example_16x", 2)):
        texts[f"{TOP}/systems/{name}.json"] = describe_system(name, nodes)
    small, large = f"{TOP}/results/example_8x", f"{TOP}/results/example_16x"
    for number, after in enumerate(REACHED_AFTER_8X):
        run = make_finetuning(number, after, "example_8x", 150.0, 3301 + number)
        texts[f"{small}/llama2_70b_lora/result_{number}.txt"] = join(record_mllog(run))
        for name, lines in write_power(run, 1).items():
            texts[f"{small}/llama2_70b_lora/power/result_{number}/{name}"] = join(lines)
    texts[f"{small}/llama2_70b_lora/scaling.json"] = json.dumps({"scaling_factor": NORMALISATION}) + "\n"
    for number, after in enumerate(REACHED_AFTER_16X):
        lines = record_mllog(make_finetuning(number, after, "example_16x", 83.0, 9000 + number))
        lines = abort(lines) if number == ABORTED else lines
        texts[f"{large}/llama2_70b_lora/result_{number}.txt"] = join(lines)
    for number, after in enumerate(IMAGES_AFTER):
        lines = record_mllog(make_image_model(number, after, "example_16x"))
        texts[f"{large}/flux1/result_{number}.txt"] = join(lines)
    return {path: text.encode() for path, text in texts.items()}


def join(lines: list[str]) -> str:
    """Lines as the text of a file."""
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the files, or compare them with what is there."""
    parser = argparse.ArgumentParser(description="Write the example submission.")
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    options = parser.parse_args()
    files = render_files()
    there = {path.relative_to(HERE).as_posix() for path in (HERE / TOP).rglob("*") if path.is_file()}
    extra = sorted(there - set(files))
    stale = [path for path, content in files.items() if not holds(HERE / path, content)]
    if options.check:
        for path in [*stale, *extra]:
            print(f"examples/submission/{path} is not what make_submission.py makes; run it")
        return 1 if stale or extra else 0
    for path in stale:
        (HERE / path).parent.mkdir(parents=True, exist_ok=True)
        (HERE / path).write_bytes(files[path])
    for path in extra:
        (HERE / path).unlink()
    return 0


def holds(path: Path, content: bytes) -> bool:
    """Whether a file is there with this content."""
    return path.is_file() and path.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main())

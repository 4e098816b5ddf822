"""The invented runs behind the example logs: what they log before training, and what they reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ORG = "Example Lab"

Settings = dict[str, Any]


class Clock:
    """Time of a run, in seconds since the Unix epoch."""

    def __init__(self, start: float) -> None:
        self.now = start

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass(frozen=True)
class Run:
    """One run, whatever dialect it is written in.

    Attributes:
        benchmark: name of the benchmark.
        start: beginning of the run, in seconds since the Unix epoch.
        settings: hyperparameters, in the order in which they are logged.
        qualities: progress (epoch or samples) and the quality that its evaluation gives.
        block_seconds: how long the training between two evaluations takes.
        eval_seconds: how long an evaluation takes.
        init_seconds: how long initialization takes.
        platform: name of the system.
        division: closed or open.
        status: availability of the system.
        unit: name of the progress in the metadata.
        quality_key: key under which the quality is logged.
        script: file that the records name as their call site.
        prefix: what a launcher puts before each line.
        extra: events between clearing the caches and initialization.
        tensors: tensors whose initialization is logged.
        metadata: metadata of single settings.
        log_epochs: whether single epochs are logged, not only the blocks between two evaluations.
    """

    benchmark: str
    start: float
    settings: Settings
    qualities: dict[float, Any]
    block_seconds: float = 95.0
    eval_seconds: float = 12.0
    init_seconds: float = 240.0
    platform: str = "2x example-node-8x-accelerator"
    division: str = "closed"
    status: str = "onprem"
    unit: str = "samples_count"
    quality_key: str = "eval_accuracy"
    script: str = "train.py"
    prefix: str = ""
    extra: tuple[tuple[str, Any], ...] = ()
    tensors: tuple[str, ...] = ()
    metadata: dict[str, Settings] = field(default_factory=dict)
    log_epochs: bool = False


PRECISION = {
    "lowest_numerical_precision_in_linear": "fp8",
    "lowest_numerical_precision_in_attn": "bfloat16",
    "lowest_numerical_precision_in_comm": "bfloat16",
    "tensor_parallelism": 2,
    "pipeline_parallelism": 1,
    "context_parallelism": 1,
    "expert_parallelism": 1,
    "micro_batch_size": 1,
    "config_filename": "config_2x8.yaml",
}

LANGUAGE_MODEL = Run(
    benchmark="llama31_8b",
    start=1773042600.0,
    prefix="0: ",
    settings={
        "seed": 21057,
        "global_batch_size": 32,
        "gradient_accumulation_steps": 2,
        "max_sequence_length": 8192,
        "train_samples": 1574207408,
        "eval_samples": 1024,
        "opt_name": "adamw",
        "opt_base_learning_rate": 0.0008,
        "opt_end_learning_rate": 0.00008,
        "opt_learning_rate_warmup_steps": 4000,
        "opt_learning_rate_decay_steps": 1196000,
        "opt_learning_rate_decay_schedule": "cosine with linear warmup",
        "opt_adamw_beta_1": 0.9,
        "opt_adamw_beta_2": 0.95,
        "opt_adamw_epsilon": 1e-05,
        "opt_adamw_weight_decay": 0.1,
        "opt_gradient_clip_norm": 1.0,
        "max_steps": 1200000,
        **PRECISION,
    },
    qualities={147456: 3.4371, 159744: 3.3718, 172032: 3.3249, 184320: 3.2964},
    block_seconds=418.0,
    eval_seconds=21.0,
)

IMAGE_MODEL = Run(
    benchmark="flux1",
    start=1773121800.0,
    platform="4x example-node-8x-accelerator",
    settings={
        "seed": 7411,
        "global_batch_size": 1024,
        "gradient_accumulation_steps": 1,
        "train_samples": 1099776,
        "eval_samples": 29696,
        "evaluation_frequency": 262144,
        "opt_name": "adamw",
        "opt_adamw_beta_1": 0.9,
        "opt_adamw_beta_2": 0.95,
        "opt_adamw_epsilon": 1e-08,
        "opt_adamw_weight_decay": 0.1,
        "opt_base_learning_rate": 0.0002,
        "opt_learning_rate_warmup_steps": 1600,
        "opt_gradient_clip_norm": 1.0,
        **PRECISION,
        "tensor_parallelism": 1,
    },
    qualities={2621440: 0.5914, 2883584: 0.5887, 3145728: 0.5869, 3407872: 0.5856},
    block_seconds=612.0,
    eval_seconds=34.0,
)

FINETUNING = Run(
    benchmark="llama2_70b_lora",
    start=1773205200.0,
    platform="1x example-node-8x-accelerator",
    prefix="[1,0]<stdout>: ",
    settings={
        "seed": 3301,
        "global_batch_size": 8,
        "gradient_accumulation_steps": 1,
        "train_samples": 3901,
        "eval_samples": 173,
        "opt_base_learning_rate": 0.0004,
        "opt_learning_rate_training_steps": 1024,
        "opt_gradient_clip_norm": 0.3,
        "opt_adamw_weight_decay": 0.0001,
        "lora_rank": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.1,
        **PRECISION,
        "tensor_parallelism": 4,
    },
    qualities={1536: 0.9418, 1920: 0.9337, 2304: 0.9281, 2688: 0.9243},
    block_seconds=77.0,
    eval_seconds=9.0,
)

OPEN_FINETUNING = Run(
    benchmark="llama2_70b_lora",
    start=1773211500.0,
    division="open",
    platform="1x example-node-4x-accelerator",
    settings={
        "seed": 90,
        "global_batch_size": 16,
        "train_samples": 3901,
        "eval_samples": 173,
        "opt_name": "adafactor",
        "opt_base_learning_rate": 0.0011,
        "lora_rank": 64,
        **PRECISION,
        "lowest_numerical_precision_in_linear": "nvfp4",
    },
    qualities={1600: 0.9702, 2400: 0.9311},
    block_seconds=145.0,
    eval_seconds=14.0,
)

GRAPH_MODEL = Run(
    benchmark="rgat",
    start=1757414400.0,
    platform="1x example-node-8x-accelerator",
    unit="epoch_num",
    settings={
        "seed": 162,
        "global_batch_size": 16384,
        "gradient_accumulation_steps": 1,
        "train_samples": 94605581,
        "eval_samples": 788379,
        "opt_name": "adam",
        "opt_base_learning_rate": 0.002,
    },
    qualities={0.25: 0.6893, 0.5: 0.7062, 0.75: 0.7174, 1.0: 0.7227},
    block_seconds=104.0,
)

DIFFUSION = Run(
    benchmark="stable_diffusion",
    start=1712908800.0,
    platform="2x example-node-8x-accelerator",
    settings={
        "seed": 4005,
        "global_batch_size": 1024,
        "gradient_accumulation_steps": 1,
        "train_samples": 6513144,
        "eval_samples": 30000,
        "opt_name": "adamw",
        "opt_adamw_beta_1": 0.9,
        "opt_adamw_beta_2": 0.999,
        "opt_adamw_epsilon": 1e-08,
        "opt_adamw_weight_decay": 0.01,
        "opt_base_learning_rate": 0.000128,
        "opt_learning_rate_warmup_steps": 1000,
    },
    qualities={
        3072000: {"FID": 141.6, "CLIP": 0.1231},
        3584000: {"FID": 103.2, "CLIP": 0.1442},
        4096000: {"FID": 86.74, "CLIP": 0.1563},
    },
    block_seconds=530.0,
    eval_seconds=96.0,
)

IMAGE_CLASSIFIER = Run(
    benchmark="resnet",
    start=1712995200.0,
    platform="1x example-node-8x-accelerator",
    unit="epoch_num",
    settings={
        "seed": 1187,
        "global_batch_size": 4096,
        "gradient_accumulation_steps": 1,
        "train_samples": 1281167,
        "eval_samples": 50000,
        "opt_name": "lars",
        "lars_opt_base_learning_rate": 10.5,
        "lars_opt_end_learning_rate": 0.0001,
        "lars_opt_learning_rate_decay_poly_power": 2,
        "lars_opt_learning_rate_decay_steps": 12519,
        "lars_opt_learning_rate_warmup_epochs": 2,
        "lars_opt_momentum": 0.9,
        "lars_opt_weight_decay": 0.00005,
        "lars_epsilon": 0.0,
    },
    qualities={24: 0.6717, 28: 0.7085, 32: 0.7426, 36: 0.7597},
    block_seconds=164.0,
)

RECOMMENDER = Run(
    benchmark="dlrm",
    start=1655208000.0,
    status="cloud",
    platform="example-cloud-8x-accelerator",
    unit="epoch_num",
    settings={
        "seed": 55,
        "global_batch_size": 65536,
        "gradient_accumulation_steps": 1,
        "train_samples": 4195197692,
        "eval_samples": 89137319,
        "opt_base_learning_rate": 24.0,
        "opt_learning_rate_warmup_steps": 2750,
        "lr_decay_start_steps": 49315,
        "sgd_opt_base_learning_rate": 24.0,
        "sgd_opt_learning_rate_decay_poly_power": 2,
        "sgd_opt_learning_rate_decay_steps": 27772,
    },
    tensors=(
        "embeddings",
        *(f"bottom_mlp_dense{number}" for number in (1, 2, 3)),
        *(f"top_mlp_dense{number}" for number in (1, 2, 3, 4, 5)),
    ),
    qualities={0.8: 0.8011, 0.85: 0.8019, 0.9: 0.8026},
    block_seconds=41.0,
)

TRANSLATOR = Run(
    benchmark="transformer",
    start=1593593000.0,
    platform="example-workstation-4x-accelerator",
    unit="epoch_num",
    settings={
        "seed": 3,
        "global_batch_size": 40960,
        "train_samples": 4590101,
        "eval_samples": 3003,
        "opt_name": "adam",
        "opt_base_learning_rate": 0.00198,
        "opt_learning_rate_warmup_steps": 1000,
        "opt_adam_beta_1": 0.9,
        "opt_adam_beta_2": 0.98,
        "opt_adam_epsilon": 1e-09,
        "max_sequence_length": 76,
    },
    metadata={"max_sequence_length": {"method": "discard"}},
    qualities={1: 0.2291, 2: 0.2438, 3: 0.2514},
    log_epochs=True,
    block_seconds=201.0,
)

COSMOLOGY = Run(
    benchmark="cosmoflow",
    start=1693900000.0,
    platform="example-cluster-16-nodes",
    unit="epoch_num",
    quality_key="eval_error",
    extra=(("staging_start", None), ("staging_stop", None)),
    settings={
        "seed": 417,
        "number_of_nodes": 16,
        "accelerators_per_node": 4,
        "global_batch_size": 512,
        "gradient_accumulation_frequency": 1,
        "train_samples": 524288,
        "eval_samples": 65536,
        "opt_name": "sgd",
        "opt_base_learning_rate": 0.004,
        "opt_learning_rate_warmup_epochs": 4,
        "opt_learning_rate_warmup_factor": 1.0,
        "opt_learning_rate_decay_boundary_epochs": [16, 32],
        "opt_learning_rate_decay_factor": [0.25, 0.125],
        "dropout": 0.5,
        "opt_weight_decay": 0.0,
    },
    qualities={9: 0.1613, 18: 0.1385, 27: 0.1292, 36: 0.1234},
    block_seconds=133.0,
)

CLIMATE = Run(
    benchmark="deepcam",
    start=1693990000.0,
    platform="example-cluster-32-nodes",
    unit="epoch_num",
    settings={
        "seed": 333,
        "number_of_nodes": 32,
        "accelerators_per_node": 4,
        "global_batch_size": 1024,
        "batchnorm_group_size": 1,
        "gradient_accumulation_frequency": 1,
        "train_samples": 121266,
        "eval_samples": 15158,
        "opt_name": "LAMB",
        "opt_lr": 0.0055,
        "opt_betas": [0.9, 0.999],
        "opt_eps": 1e-06,
        "opt_weight_decay": 0.01,
        "opt_bias_correction": True,
        "opt_grad_averaging": True,
        "opt_max_grad_norm": 1.0,
        "scheduler_type": "multistep",
        "scheduler_milestones": [800],
        "scheduler_decay_rate": 0.1,
        "scheduler_lr_warmup_steps": 400,
        "scheduler_lr_warmup_factor": 1.0,
    },
    qualities={4: 0.7518, 8: 0.7906, 12: 0.8113, 16: 0.8217},
    log_epochs=True,
    block_seconds=61.0,
)

EARLY_CLASSIFIER = Run(
    benchmark="resnet",
    start=1560852000.0,
    platform="example-pod-32",
    unit="epoch_num",
    settings={
        "seed": 1,
        "global_batch_size": 8192,
        "opt_name": "lars",
        "opt_base_learning_rate": 29.0,
        "opt_learning_rate_warmup_epochs": 5,
        "lars_opt_learning_rate_decay_steps": 10478,
        "lars_opt_learning_rate_decay_poly_power": 2,
        "lars_opt_weight_decay": 0.0001,
        "lars_epsilon": 0.0,
        "model_bn_span": 32,
    },
    qualities={4: 0.3411, 8: 0.5526, 12: 0.6873, 16: 0.7592},
    log_epochs=True,
    block_seconds=66.0,
)

FIRST_ROUND_SETTINGS: Settings = {
    "eval_offset": 0,
    "input_batch_size": 1024,
    "model_hp_initial_max_pool": {"stride": 2},
    "model_hp_begin_block": {"block_type": "bottleneck_block"},
    "model_hp_block_type": "bottleneck_block",
    "model_hp_resnet_topology": "Input Shape: (56, 56, 64), Output Shape: (56, 56, 256)",
    "model_hp_projection_shortcut": None,
    "model_hp_shorcut_add": None,
    "model_hp_end_block": "(56, 56, 256)",
}
FIRST_ROUND_QUALITIES = {0: 0.0174, 20: 0.6012, 40: 0.7064, 60: 0.7496}

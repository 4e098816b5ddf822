"""The example logs: what each one is, what it shows, and the verdict it must get."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mistakes
import runs
from mistakes import Edit
from recording import record_first_round, record_mll, record_mllog


@dataclass(frozen=True)
class Check:
    """What one way of judging a log must say.

    Attributes:
        ruleset: usage and round.
        verdict: pass or fail.
        keys: keys that errors blame; None where they are many and nothing is learned from them.
        codes: codes of all findings, warnings included.
        strict: whether the strict rules are asked for.
    """

    ruleset: str
    verdict: str
    keys: tuple[str, ...] | None = ()
    codes: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True)
class ExampleLog:
    """One log of this folder.

    Attributes:
        path: where it stands below this folder.
        shows: one sentence on what is to be seen.
        lines: its lines, without line ends.
        checks: what judging it must say; the first is the check that the index shows.
        line_end: how lines end.
        is_cut_off: whether the last line has no end.
        leading_bytes: bytes before the first line.
    """

    path: str
    shows: str
    lines: list[str]
    checks: tuple[Check, ...]
    line_end: bytes = b"\n"
    is_cut_off: bool = False
    leading_bytes: bytes = b""

    def encode(self) -> bytes:
        """The bytes of the log."""
        text = self.leading_bytes + self.line_end.join(line.encode() for line in self.lines)
        return text if self.is_cut_off else text + self.line_end


def _good(
    name: str,
    shows: str,
    lines: list[str],
    *rulesets: str,
    line_end: bytes = b"\n",
    leading_bytes: bytes = b"",
) -> ExampleLog:
    checks = [Check(ruleset, "pass", strict=strict) for ruleset in rulesets for strict in (False, True)]
    return ExampleLog(
        f"compliant/{name}.txt", shows, lines, tuple(checks), line_end, leading_bytes=leading_bytes
    )


def _bad(
    name: str,
    shows: str,
    lines: list[str],
    *edits: Edit,
    ruleset: str,
    keys: tuple[str, ...],
    codes: tuple[str, ...],
    cut_off: bool = False,
) -> ExampleLog:
    for edit in edits:
        lines = edit(lines)
    check = Check(ruleset, "fail", keys, codes)
    return ExampleLog(f"broken/{name}.txt", shows, lines, (check,), is_cut_off=cut_off)


def list_compliant_logs() -> list[ExampleLog]:
    """Logs that follow the rules of their round, including the strict ones."""
    return [
        _good(
            "6.1.0_llama31_8b",
            "Progress counted in samples; `srun --label` prefixes each line with the rank.",
            record_mllog(runs.LANGUAGE_MODEL),
            "training/6.1.0",
        ),
        _good(
            "6.1.0_flux1",
            "The minimum: no prefix, only records and a little training noise.",
            record_mllog(runs.IMAGE_MODEL),
            "training/6.1.0",
        ),
        _good(
            "6.1.0_llama2_70b_lora",
            "`mpirun --tag-output` has put rank and stream before each line. 5.1.0 is content too.",
            record_mllog(runs.FINETUNING),
            "training/6.1.0",
            "training/5.1.0",
        ),
        _good(
            "6.1.0_llama2_70b_lora_open",
            "Open division: another optimizer, another adapter rank, few rules.",
            record_mllog(runs.OPEN_FINETUNING),
            "training/6.1.0",
        ),
        _good(
            "5.1.0_rgat",
            "Evaluations within an epoch, so epoch numbers are fractions.",
            record_mllog(runs.GRAPH_MODEL),
            "training/5.1.0",
        ),
        _good(
            "4.0.0_stable_diffusion",
            "Two metrics per evaluation, FID and CLIP, in separate records, judged together.",
            record_mllog(runs.DIFFUSION),
            "training/4.0.0",
        ),
        _good(
            "4.0.0_resnet",
            "The required hyperparameters depend on the logged optimizer, here LARS.",
            record_mllog(runs.IMAGE_CLASSIFIER),
            "training/4.0.0",
        ),
        _good(
            "2.0.0_dlrm",
            "The initialized tensors are logged, each name on a list exactly once.",
            record_mllog(runs.RECOMMENDER),
            "training/2.0.0",
        ),
        _good(
            "0.7.0_transformer",
            "Lines end with CR LF, and one line of noise is not UTF-8; the reader handles both.",
            record_mllog(runs.TRANSLATOR),
            "training/0.7.0",
            line_end=b"\r\n",
            leading_bytes=b"d\xe9marrage de l'entra\xeenement\r\n",
        ),
        _good(
            "0.6.0_resnet",
            "The `:::MLL` dialect: time and key outside the JSON, times in seconds.",
            record_mll(runs.EARLY_CLASSIFIER),
            "training/0.6.0",
        ),
        _good(
            "0.5.0_resnet",
            "The `:::MLPv0.5.0` dialect: call sites outside the JSON, no metadata.",
            record_first_round(1541030400.0),
            "training/0.5.0",
        ),
        _good(
            "hpc_3.0.0_cosmoflow",
            "HPC: the data set is staged before the run; quality is an error to minimize.",
            record_mllog(runs.COSMOLOGY),
            "hpc/3.0.0",
        ),
        _good(
            "hpc_3.0.0_deepcam",
            "HPC: optimizer and schedule each determine the required hyperparameters.",
            record_mllog(runs.CLIMATE),
            "hpc/3.0.0",
        ),
    ]


def list_broken_logs() -> list[ExampleLog]:
    """Logs with one or two mistakes each, of the kind that has cost real submissions their results."""
    language = record_mllog(runs.LANGUAGE_MODEL)
    image = record_mllog(runs.IMAGE_MODEL)
    finetuning = record_mllog(runs.FINETUNING)
    graph = record_mllog(runs.GRAPH_MODEL)
    classifier = record_mllog(runs.IMAGE_CLASSIFIER)
    return [
        *_list_hyperparameter_mistakes(language, finetuning, classifier),
        *_list_life_cycle_mistakes(language, image, graph, classifier),
        *_list_form_mistakes(language, image, graph, finetuning),
        *_list_mistakes_of_older_rounds(),
        _strict_only(finetuning),
    ]


def _list_hyperparameter_mistakes(
    language: list[str], finetuning: list[str], classifier: list[str]
) -> list[ExampleLog]:
    return [
        _bad(
            "misspelt_key",
            "`opt_adamw_beta1` is logged instead of `opt_adamw_beta_1`.",
            language,
            mistakes.rename("opt_adamw_beta_1", "opt_adamw_beta1"),
            ruleset="training/6.1.0",
            keys=("opt_adamw_beta_1",),
            codes=("MLP301",),
        ),
        _bad(
            "wrong_hyperparameter",
            "The adapter rank is 64; the closed division requires 16.",
            finetuning,
            mistakes.change("lora_rank", '"value": 16', '"value": 64'),
            ruleset="training/6.1.0",
            keys=("lora_rank",),
            codes=("MLP304",),
        ),
        _bad(
            "hyperparameters_do_not_fit",
            "The warm-up was lengthened but the decay not shortened; together they must be 1,200,000 steps.",
            language,
            mistakes.change("opt_learning_rate_warmup_steps", "4000", "8000"),
            ruleset="training/6.1.0",
            keys=("opt_learning_rate_decay_steps",),
            codes=("MLP305",),
        ),
        _bad(
            "two_batch_sizes",
            "The global batch size is logged twice, with different values.",
            language,
            mistakes.repeat_with("global_batch_size", '"value": 32', '"value": 64'),
            ruleset="training/6.1.0",
            keys=("global_batch_size",),
            codes=("MLP302",),
        ),
        _bad(
            "other_optimizer",
            "The optimizer is SGD, but the hyperparameters of LARS are logged.",
            classifier,
            mistakes.change("opt_name", "lars", "sgd"),
            ruleset="training/4.0.0",
            codes=("MLP301",),
            keys=(
                "model_bn_span",
                "opt_learning_rate_warmup_epochs",
                "sgd_opt_base_learning_rate",
                "sgd_opt_end_learning_rate",
                "sgd_opt_learning_rate_decay_poly_power",
                "sgd_opt_learning_rate_decay_steps",
                "sgd_opt_momentum",
                "sgd_opt_weight_decay",
            ),
        ),
    ]


def _list_life_cycle_mistakes(
    language: list[str], image: list[str], graph: list[str], classifier: list[str]
) -> list[ExampleLog]:
    return [
        _bad(
            "relaunched",
            "A job that was killed and relaunched has gone on writing to the same file.",
            image,
            mistakes.relaunch_after("eval_accuracy", 1, hours=2),
            ruleset="training/6.1.0",
            keys=("run_start",),
            codes=("MLP111",),
        ),
        _bad(
            "quality_not_reached",
            "The run was stopped by hand when its validation loss was still 0.5869.",
            image,
            mistakes.change("eval_accuracy", "0.5856", "0.5863", -1),
            mistakes.change("run_stop", "success", "aborted"),
            ruleset="training/6.1.0",
            keys=("eval_accuracy",),
            codes=("MLP403",),
        ),
        _bad(
            "run_stop_missing",
            "The job ran out of time: the log ends in the middle of training.",
            classifier,
            mistakes.cut_off_at("block_stop", -1),
            ruleset="training/4.0.0",
            keys=("eval_accuracy", "run_stop"),
            codes=("MLP101", "MLP403"),
        ),
        _bad(
            "init_stop_after_run_start",
            "The clock was started before initialization ended.",
            graph,
            mistakes.swap("init_stop", "run_start"),
            ruleset="training/5.1.0",
            keys=("init_stop", "run_start"),
            codes=("MLP201",),
        ),
        _bad(
            "progress_missing",
            "Evaluations do not state how many samples preceded them.",
            language,
            *[
                mistakes.change("eval_accuracy", f', "samples_count": {samples}', "", number)
                for number, samples in enumerate(runs.LANGUAGE_MODEL.qualities)
            ],
            ruleset="training/6.1.0",
            keys=("eval_accuracy",),
            codes=("MLP402",),
        ),
        _bad(
            "unknown_benchmark",
            "The benchmark's name is misspelled, so none of its rules can be applied.",
            language,
            mistakes.change("submission_benchmark", "llama31_8b", "llama3.1_8b"),
            ruleset="training/6.1.0",
            keys=("submission_benchmark",),
            codes=("MLP104", "MLP106"),
        ),
        _bad(
            "metrics_never_meet",
            "FID and CLIP both reach their targets, but never in the same evaluation.",
            record_mllog(
                replace(
                    runs.DIFFUSION,
                    qualities={
                        3584000: {"FID": 88.1, "CLIP": 0.1442},
                        4096000: {"FID": 93.4, "CLIP": 0.1563},
                    },
                )
            ),
            ruleset="training/4.0.0",
            keys=("aggregated_eval_accuracy",),
            codes=("MLP403",),
        ),
    ]


def _list_form_mistakes(
    language: list[str], image: list[str], graph: list[str], finetuning: list[str]
) -> list[ExampleLog]:
    return [
        _bad(
            "half_a_line",
            "The disk was full: the last record is cut off in the middle.",
            graph,
            mistakes.cut_off_at("run_stop", share=0.7),
            ruleset="training/5.1.0",
            keys=("run_stop",),
            codes=("MLP002",),
            cut_off=True,
        ),
        _bad(
            "trailing_comma",
            "A record was edited by hand, leaving a comma that JSON does not allow.",
            finetuning,
            mistakes.change("lora_alpha", '"value": 32', '"value": 32,', 0),
            ruleset="training/6.1.0",
            keys=("lora_alpha",),
            codes=("MLP001",),
        ),
        _bad(
            "two_writers",
            "Two processes wrote to one file without locking: two records on one line, and one inside another.",
            language,
            mistakes.join_with_next("opt_adamw_beta_1"),
            mistakes.interrupt("opt_gradient_clip_norm", "max_steps"),
            ruleset="training/6.1.0",
            keys=("opt_gradient_clip_norm",),
            codes=("MLP002", "MLP040"),
        ),
        _bad(
            "time_in_seconds",
            "One record gives its time as `time_s`; it does not count.",
            graph,
            mistakes.change("train_samples", '"time_ms": ', '"time_s": '),
            ruleset="training/5.1.0",
            keys=("train_samples",),
            codes=("MLP027",),
        ),
        ExampleLog(
            "broken/no_events.txt",
            "The file is training output without a single record.",
            [line for line in image if ":::MLLOG" not in line],
            (Check("training/6.1.0", "fail", None, ("MLP101", "MLP105", "MLP107", "MLP301", "MLP401")),),
        ),
    ]


def _list_mistakes_of_older_rounds() -> list[ExampleLog]:
    return [
        _bad(
            "epochs_misnumbered",
            "The `:::MLL` dialect; after epoch 6 comes epoch 8.",
            record_mll(runs.EARLY_CLASSIFIER),
            mistakes.change("epoch_start", '"epoch_num": 7', '"epoch_num": 8', 6),
            mistakes.change("epoch_stop", '"epoch_num": 7', '"epoch_num": 8', 6),
            ruleset="training/0.6.0",
            keys=("epoch_start",),
            codes=("MLP201",),
        ),
        _bad(
            "run_final_missing",
            "The `:::MLPv0.5.0` dialect; the program never logs that it ended.",
            record_first_round(1541030400.0),
            mistakes.drop("run_final", "eval_target"),
            ruleset="training/0.5.0",
            keys=("eval_target", "run_final", "run_stop"),
            codes=("MLP101", "MLP203", "MLP401"),
        ),
        _bad(
            "init_too_long",
            "Initialization takes 41 minutes; HPC rounds allow less than 30.",
            record_mllog(replace(runs.CLIMATE, init_seconds=41 * 60.0)),
            ruleset="hpc/3.0.0",
            keys=("init_stop",),
            codes=("MLP202",),
        ),
    ]


def _strict_only(finetuning: list[str]) -> ExampleLog:
    lines = mistakes.change("opt_gradient_clip_norm", '"value": 0.3', '"value": 1.0')(finetuning)
    return ExampleLog(
        "broken/strict_only.txt",
        "Gradients are clipped at 1.0; the written rules want 0.3. Only `--strict` tests it.",
        lines,
        (
            Check("training/6.1.0", "fail", ("opt_gradient_clip_norm",), ("MLP304",), strict=True),
            Check("training/6.1.0", "pass"),
        ),
    )


def list_logs() -> list[ExampleLog]:
    """All logs of this folder."""
    return [*list_compliant_logs(), *list_broken_logs()]

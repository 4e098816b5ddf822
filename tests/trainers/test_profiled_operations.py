"""Operations of a profile: their classes, their traces, and the floating-point operations of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

import keras  # noqa: E402

from reference_impls.harness.profiling.classes import (  # noqa: E402
    _OPERATIONS,
    CLASSES,
    classify_operation,
)
from reference_impls.harness.profiling.flops import count_flops, trace_step  # noqa: E402
from reference_impls.harness.profiling.profiles import share_classes  # noqa: E402
from reference_impls.harness.profiling.traces import (  # noqa: E402
    Event,
    Operation,
    measure_own_time,
    trace_operations,
)


def count(step: Callable[[Any], Any], batch: Any) -> int:
    """The floating-point operations of a step on a batch."""
    return count_flops(*trace_step(step, batch))


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("MatMul", "dense/MatMul", "matrix product"),
        ("_MklNativeFusedMatMul", "dense/BiasAdd", "matrix product"),
        ("_FusedConv2D", "conv/BiasAdd", "convolution"),
        ("_MklNativeConv2DBackpropFilterWithBias", "gradient_tape/conv/Filter", "convolution"),
        ("_MklNativeFusedBatchNormEx", "norm/FusedBatchNormV3", "normalization"),
        ("Mul", "adam/Mul", "elementwise"),
        ("Sum", "Sum", "reduction"),
        ("UnsortedSegmentSum", "adam/UnsortedSegmentSum", "gather and scatter"),
        ("_MklTranspose", "transpose", "data movement"),
        ("StatelessRandomUniformV2", "dropout/uniform", "random numbers"),
        ("CTCLoss", "CTCLoss", "other"),
        ("GRUBlockCell", "gru", "recurrence"),
        ("MatMul", "model/gru/while/body/_1/model/gru/while/cell/MatMul", "recurrence"),
        ("MatMul", "gradient_tape/model/gru/while/model/gru/while_grad/body/_3/MatMul", "recurrence"),
        ("MatMul", "while/body/_1/while/MatMul", "matrix product"),
        ("MatMul", "while/body/_1/while/gradient_tape/while/model/dense/MatMul", "matrix product"),
        ("MatMul", "while/body/_1/model/gru/while_2/body/_9/MatMul", "recurrence"),
    ],
)
def test_operation_has_a_class(kind: str, name: str, expected: str) -> None:
    """Operations and the kernels that replace them are classified alike; loops within layers are the recurrence."""
    assert classify_operation(kind, name) == expected


def test_classes_list_operations_that_exist_once() -> None:
    """Every listed operation is one of TensorFlow's, and is in one class alone."""
    names = [name for listed in _OPERATIONS.values() for name in listed.split()]

    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(tf.raw_ops, name)] == []


def test_time_of_an_operation_leaves_out_what_runs_within_it() -> None:
    """Nested operations are not counted twice, and what is no operation does not count at all."""
    events = [
        Event("call:PartitionedCall", 0, 100),
        Event("ExecutorState::Process", 5, 90),
        Event("a:Mul", 10, 30),
        Event("b:Add", 15, 5),
        Event("c:Sum", 50, 20),
        Event("EagerExecute", 100, 50),
        Event("d:Sub", 100, 7),
    ]

    found = dict(measure_own_time(events))

    assert found == {"call:PartitionedCall": 50, "a:Mul": 25, "b:Add": 5, "c:Sum": 20, "d:Sub": 7}


def test_profiler_records_each_execution() -> None:
    """Every execution of an operation is in the trace, small ones and those in loops included."""
    values = tf.random.uniform((200, 200))

    @tf.function
    def work(x: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(3):
            x = tf.matmul(x, values, name="product")
        return tf.transpose(x)

    work(values)  # compiles
    operations = trace_operations(lambda: [work(values).numpy() for _ in range(2)])

    products = [each for each in operations if classify_operation(each.kind) == "matrix product"]
    assert sum(each.executions for each in products) == 6
    assert all(each.seconds > 0 for each in products)
    assert sum(each.executions for each in operations if "Transpose" in each.kind) == 2


def test_shares_of_classes_add_up() -> None:
    """Every class has its share of the time, and all shares make 1."""
    operations = [
        Operation("a", "MatMul", 1, 3.0),
        Operation("b", "Mul", 9, 1.0),
        Operation("c", "Sub", 1, 1.0),
    ]

    shares = share_classes(operations)

    assert tuple(shares) == CLASSES
    assert shares["matrix product"] == pytest.approx(0.6)
    assert shares["elementwise"] == pytest.approx(0.4)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_flops_of_a_dense_layer_are_two_for_each_multiply_add() -> None:
    """A product of 5×7 by 7×3 counts 2·5·7·3, and its two gradients as much each."""
    weights = tf.Variable(tf.ones((7, 3)))
    batch = tf.ones((5, 7))

    def differentiate(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.matmul(x, weights)
        return tape.gradient(y, [x, weights])

    assert count(lambda x: tf.matmul(x, weights), batch) == 2 * 5 * 7 * 3
    assert count(differentiate, batch) == 3 * 2 * 5 * 7 * 3


def test_flops_of_a_strided_convolution_and_its_gradients_agree() -> None:
    """Each multiply-add of output and kernel counts two, and gradients count no values of padding."""
    kernel = tf.Variable(tf.ones((3, 3, 4, 6)))
    images = tf.ones((2, 10, 10, 4))

    def convolve(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(x, kernel, 2, "VALID")  # [2, 4, 4, 6]

    def differentiate(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = convolve(x)
        return tape.gradient(y, [x, kernel])

    once = 2 * (2 * 4 * 4 * 6) * (3 * 3 * 4)
    assert count(convolve, images) == once
    assert count(differentiate, images) == 3 * once


def test_flops_of_a_loop_count_each_turn() -> None:
    """What a loop does counts as often as it runs, even if the number of turns depends on the data."""
    weights = tf.ones((4, 4))

    def repeat(x: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        return tf.while_loop(
            lambda turn, _: turn < times, lambda turn, y: (turn + 1, tf.matmul(y, weights)), (0, x)
        )[1]

    def turns(times: int) -> int:
        return count(lambda batch: repeat(*batch), (tf.ones((2, 4)), tf.constant(times)))

    # Each turn also counts a comparison and an addition.
    product = 2 * 2 * 4 * 4
    assert turns(8) - turns(5) == pytest.approx(3 * product, abs=3 * 4)
    assert turns(5) >= 5 * product


def test_flops_of_a_recurrent_layer_grow_with_its_sequence() -> None:
    """A GRU counts the products of its cell for each step, forward and, twice as many, backward."""
    layer = keras.layers.GRU(6, use_cudnn=False)
    layer(tf.zeros((2, 5, 4)))
    cell = 2 * 2 * (4 + 6) * 18  # two samples; input and state by three gates

    def differentiate(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            y = layer(x)
        return tape.gradient(y, layer.trainable_variables)

    for step, passes in ((layer, 1), (differentiate, 3)):
        short, long = (count(step, tf.zeros((2, length, 4))) for length in (5, 9))
        assert 4 * passes * cell <= long - short <= 2 * 4 * passes * cell

"""Floating-point operations of a step, counted in its graph."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from reference_impls.harness.errors import TrainerError

_LOOPS, _CALLS = ("While", "StatelessWhile"), ("PartitionedCall", "StatefulPartitionedCall")
_BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
_CONVOLUTION_GRADIENTS = ("Conv2DBackpropInput", "Conv2DBackpropFilter")


class Counted(NamedTuple):
    """A step, traced for a batch.

    Attributes:
        graph: its graph, with the shapes of the batch.
        turns: how often each of its loops ran, by name.
    """

    graph: Any
    turns: Mapping[str, int]


def trace_step(step: Callable[[Any], Any], batch: Any) -> Counted:
    """Trace a step for a batch, and run it once to see how often its loops run.

    Args:
        step: does it.
        batch: nested tensors.
    """

    def count_turns(batch: Any) -> dict[str, tf.Tensor]:
        step(batch)
        graph = tf.compat.v1.get_default_graph()
        # The first result of a loop is the number of its turns.
        return {each.name: each.outputs[0] for each in graph.get_operations() if each.type in _LOOPS}

    function = tf.function(count_turns).get_concrete_function(batch)
    turns = {}
    if any(each.type in _LOOPS for each in function.graph.get_operations()):
        turns = {name: int(count) for name, count in function(batch).items()}
    return Counted(function.graph, turns)


def count_flops(graph: Any, turns: Mapping[str, int]) -> int:
    """The floating-point operations of a graph whose shapes are known.

    They are those that `tf.compat.v1.profiler` knows: two for each multiply-add of convolutions and matrix products, one
    for each value of most elementwise operations and reductions; none for others, such as fused batch norm and
    activations, or for operations whose shapes depend on values. Gradients of convolutions count as the convolution: the
    profiler would add values of padding to them. Loops count as often as they run; of a condition, the greatest branch
    counts.

    Args:
        graph: a `tf.Graph`.
        turns: how often each loop of the graph runs, by name.

    Raises:
        TrainerError: it is not known how often a loop runs.
    """
    total = _count_own(graph)
    for operation in graph.get_operations():
        if operation.type in _LOOPS:
            if operation.name not in turns:
                raise TrainerError(f"it is not known how often the loop {operation.name} runs")
            for part in ("cond", "body"):
                inner = _find_graph(graph, operation.get_attr(part))
                total += turns[operation.name] * count_flops(inner, {})
        elif operation.type in _CALLS:
            total += count_flops(_find_graph(graph, operation.get_attr("f")), {})
        elif operation.type in _BRANCHES:
            attributes = operation.node_def.attr
            branches = (
                operation.get_attr("branches")
                if "branches" in attributes
                else [operation.get_attr("then_branch"), operation.get_attr("else_branch")]
            )
            total += max(count_flops(_find_graph(graph, each), {}) for each in branches)
    return total


def _find_graph(graph: Any, attribute: Any) -> Any:
    """The graph of a function that an operation of a graph calls."""
    return graph._get_function(attribute.name).graph  # no public way leads to it


def _count_own(graph: Any) -> int:
    """What a graph's own operations count, those of the functions that it calls left out."""
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    with contextlib.redirect_stderr(io.StringIO()):  # on which it tells of operations that it cannot count
        counted = profiler.profile(graph, cmd="op", options=options.with_empty_output().build())
    total = int(counted.total_float_ops)
    while counted.children:  # a chain, one type of operation in another
        (counted,) = counted.children
        if counted.name in _CONVOLUTION_GRADIENTS:
            total -= counted.float_ops
    for operation in graph.get_operations():
        if operation.type in _CONVOLUTION_GRADIENTS:
            is_input = operation.type == "Conv2DBackpropInput"
            kernel = operation.inputs[1].shape if is_input else operation.outputs[0].shape
            total += 2 * math.prod(operation.inputs[2].shape) // kernel[-1] * math.prod(kernel)
    return total

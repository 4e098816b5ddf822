"""Measure the rules of Go: ``python benchmarks/measure_go.py speed`` or ``… gnugo --positions 10000 --scores 10000``.

`speed` plays random games on one core and prints moves per second of CPU time. `self-play` does so with a search and an
untrained network of 32 filters and three blocks, on one thread, and says how much of the time the network takes.
`gnugo` compares legal moves, captures and scores with GNU Go, which it gets from Debian if it is not installed, and
exits with 1 if they differ anywhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from reference_impls.reinforcement_learning import rules
from reference_impls.reinforcement_learning.gnugo import compare_games, get_gnugo, start_gnugo
from reference_impls.reinforcement_learning.playing import PlaySettings, play_against_itself
from reference_impls.reinforcement_learning.search import SearchSettings


def measure_speed(size: int, games: int) -> float:
    """Random moves per second of CPU time, compilation excluded."""
    board, rng = rules.make_board(size), np.random.default_rng(1)
    rules.play_randomly(board, np.zeros(size * size, np.int8), rules.BLACK, rng, 4 * size * size)
    start, moves = time.process_time(), 0
    for _ in range(games):
        stones = np.zeros(size * size, np.int8)
        moves += rules.play_randomly(board, stones, rules.BLACK, rng, 4 * size * size)
    return moves / (time.process_time() - start)


def measure_self_play(size: int, games: int, simulations: int) -> str:
    """Moves per second of CPU time, and the parts of network and search, in words."""
    import tensorflow as tf

    from reference_impls.reinforcement_learning.config import NetworkSettings
    from reference_impls.reinforcement_learning.model import NetworkEvaluation, build_network

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rng = np.random.default_rng(1)
    network = NetworkEvaluation(build_network(NetworkSettings(size, 1, 32, 3, 32), 1), rng)
    spent, asked = 0.0, 0

    def evaluate(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        nonlocal spent, asked
        start = time.process_time()
        answer = network(planes)
        spent, asked = spent + time.process_time() - start, asked + len(planes)
        return answer

    settings = PlaySettings(
        size,
        komi=0.5,
        search=SearchSettings(simulations=simulations, noise_weight=0.25, history=1),
        at_once=64,
    )
    play_against_itself(settings, network, 2, rng)  # compiles
    start = time.process_time()
    moves = sum(len(record.moves) for record in play_against_itself(settings, evaluate, games, rng))
    total = time.process_time() - start
    return (
        f"{size}×{size}, {simulations} simulations: {moves / total:,.0f} moves per second; of the time for each position "
        f"the network takes {spent / asked * 1e6:.0f} µs, all else {(total - spent) / asked * 1e6:.0f} µs"
    )


def main() -> int:
    """Run from a command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "self-play", "gnugo"])
    parser.add_argument("--size", type=int, default=5)
    parser.add_argument("--games", type=int, default=1000, help="speed, self-play: games to play")
    parser.add_argument("--simulations", type=int, default=64, help="self-play: simulations of each move")
    parser.add_argument("--positions", type=int, default=10_000, help="gnugo: positions to compare")
    parser.add_argument("--scores", type=int, default=0, help="gnugo: finished games to compare")
    parser.add_argument("--data", type=Path, default=Path("data/reinforcement_learning/gnugo"))
    options = parser.parse_args()
    size = options.size
    if options.what == "speed":
        print(f"{size}×{size}: {measure_speed(size, options.games):,.0f} random moves per second")
        return 0
    if options.what == "self-play":
        print(measure_self_play(size, options.games, options.simulations))
        return 0
    with start_gnugo(get_gnugo(options.data), level=1) as engine:
        found = compare_games(
            engine, size, np.random.default_rng(1), positions=options.positions, scores=options.scores
        )
    print(
        f"{size}×{size}: {found.positions:,} positions, {found.captures:,} captures, {found.superko:,} positions where "
        f"superko forbids a move, {found.scores:,} scores ({found.unsettled:,} games unsettled): "
        f"{len(found.disagreements)} disagreements"
    )
    for line in found.disagreements:
        print(line)
    return 1 if found.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())

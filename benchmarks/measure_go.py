"""Measure the rules of Go: ``python benchmarks/measure_go.py speed`` or ``… gnugo --positions 10000 --scores 10000``.

`speed` plays random games on one core and prints moves per second of CPU time. `gnugo` compares legal moves, captures
and scores with GNU Go, which it gets from Debian if it is not installed, and exits with 1 if they differ anywhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from reference_impls.reinforcement_learning import rules
from reference_impls.reinforcement_learning.gnugo import compare_games, get_gnugo, start_gnugo


def measure_speed(size: int, games: int) -> float:
    """Random moves per second of CPU time, compilation excluded."""
    board, rng = rules.make_board(size), np.random.default_rng(1)
    rules.play_randomly(board, np.zeros(size * size, np.int8), rules.BLACK, rng, 4 * size * size)
    start, moves = time.process_time(), 0
    for _ in range(games):
        stones = np.zeros(size * size, np.int8)
        moves += rules.play_randomly(board, stones, rules.BLACK, rng, 4 * size * size)
    return moves / (time.process_time() - start)


def main() -> int:
    """Run from a command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "gnugo"])
    parser.add_argument("--size", type=int, default=5)
    parser.add_argument("--games", type=int, default=1000, help="speed: games to play")
    parser.add_argument("--positions", type=int, default=10_000, help="gnugo: positions to compare")
    parser.add_argument("--scores", type=int, default=0, help="gnugo: finished games to compare")
    parser.add_argument("--data", type=Path, default=Path("data/reinforcement_learning/gnugo"))
    options = parser.parse_args()
    size = options.size
    if options.what == "speed":
        print(f"{size}×{size}: {measure_speed(size, options.games):,.0f} random moves per second")
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

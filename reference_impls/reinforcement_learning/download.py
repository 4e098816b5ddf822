"""Get the held-out positions: ``python -m reference_impls.reinforcement_learning.download --scale mini --data DIR``.

mini: positions of games that GNU Go plays against itself, and what it plays in them; GNU Go comes from Debian's package
unless it is installed. full: the positions of professional games, whose records (.sgf) you put into the folder ``games``
below the data folder; the original suite's six games of 9×9 are not published with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reference_impls.harness.data.downloads import run_script
from reference_impls.harness.data.prepared import read_prepared, write_prepared
from reference_impls.reinforcement_learning import TASK
from reference_impls.reinforcement_learning.config import GNUGO_SETTINGS, ReinforcementConfig
from reference_impls.reinforcement_learning.gnugo import get_gnugo, start_gnugo
from reference_impls.reinforcement_learning.opponent import collect_moves
from reference_impls.reinforcement_learning.positions import Positions
from reference_impls.reinforcement_learning.professional import list_positions, read_games

POSITIONS_SEED = 2018
"""All runs are evaluated on the same positions."""
GAMES = "games"


def prepare_positions(scale: str, folder: Path) -> int:
    """Prepare the held-out positions of a scale.

    Args:
        scale: ``mini`` or ``full``.
        folder: where to.

    Returns:
        Number of positions.

    Raises:
        DataError: GNU Go cannot be downloaded, or the folder holds no professional games, or damaged ones.
    """
    config = TASK.config(scale, "closed")
    assert isinstance(config, ReinforcementConfig)  # noqa: S101 - the task's own
    found = _collect(config, folder) if config.win_target else _read(config, folder)
    names = ("board_size", "history", "komi", *(GNUGO_SETTINGS if config.win_target else ()))
    settings = {name: getattr(config, name) for name in names}
    write_prepared(folder, found._asdict(), {**settings, "positions": len(found.moves)})
    return len(found.moves)


def _collect(config: ReinforcementConfig, folder: Path) -> Positions:
    with start_gnugo(get_gnugo(folder), level=config.eval_level) as engine:
        return collect_moves(
            engine,
            config.board_size,
            config.komi,
            config.eval_samples,
            config.history,
            np.random.default_rng(POSITIONS_SEED),
            random_moves=config.eval_random_moves,
        )


def _read(config: ReinforcementConfig, folder: Path) -> Positions:
    return list_positions(read_games(folder / GAMES, config.board_size), config.history)


def _get(options: argparse.Namespace, folder: Path) -> str:
    if options.verify:
        arrays, _ = read_prepared(folder, TASK.data_command(options.scale, folder))
        count = len(arrays["moves"])
    else:
        count = prepare_positions(options.scale, folder)
    return f"{count:,} held-out positions, checksums match"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code."""
    return run_script(TASK, "Get, check and prepare positions of Go.", _get, arguments)


if __name__ == "__main__":
    sys.exit(main())

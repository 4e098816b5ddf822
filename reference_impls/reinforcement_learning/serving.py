"""A search as a program that speaks the Go Text Protocol, so that others can play against it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

import numpy as np

from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.gtp import COLORS, name_move, parse_move
from reference_impls.reinforcement_learning.playing import PlaySettings
from reference_impls.reinforcement_learning.rules import BLACK, WHITE
from reference_impls.reinforcement_learning.search import Evaluate, Search, should_resign

NAME, VERSION = "mlperf_logging reinforcement learning", "1"
_LONGEST = 10_000
_COLORS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}


class CommandError(ValueError):
    """A command that cannot be done; the message is the answer."""


class Server:
    """Answers the commands of the protocol with a search.

    Args:
        settings: size of the board, komi at the start, and how to search; the most visited move is played. The
            greatest length of a game does not count here: the other program knows no such limit.
        evaluate: values positions.
        rng: source of the search's noise, if it has some.
    """

    def __init__(self, settings: PlaySettings, evaluate: Evaluate, rng: np.random.Generator) -> None:
        self._settings = settings
        self._evaluate = evaluate
        self._rng = rng
        self._start(settings.komi)
        self._commands = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    def _start(self, komi: float) -> None:
        self.game = Game(self._settings.size, komi, _LONGEST)
        self._search = Search([self.game], self._settings.search, self._evaluate, self._rng)

    def serve(self, lines: Iterable[str]) -> Iterator[str]:
        """Answers, each with the empty line that ends it, to the lines of another program; ends with ``quit``."""
        for line in lines:
            words = line.partition("#")[0].split()
            number = words.pop(0) if words and words[0].isdecimal() else ""
            if not words:
                continue
            try:
                sign, text = "=", self._answer(*words)
            except CommandError as error:
                sign, text = "?", str(error)
            yield f"{sign}{number} {text}".rstrip() + "\n\n"
            if words[0] == "quit":
                return

    def _answer(self, name: str, *arguments: str) -> str:
        command = self._commands.get(name)
        if command is None:
            raise CommandError("unknown command")  # this and the others below are the protocol's words
        try:
            inspect.signature(command).bind(*arguments)
        except TypeError:
            raise CommandError("syntax error") from None
        answer: str = command(*arguments)
        return answer

    def do_protocol_version(self) -> str:
        """The protocol's version."""
        return "2"

    def do_name(self) -> str:
        """The program's name."""
        return NAME

    def do_version(self) -> str:
        """The program's version."""
        return VERSION

    def do_known_command(self, name: str) -> str:
        """Whether a command is known."""
        return "true" if name in self._commands else "false"

    def do_list_commands(self) -> str:
        """All commands."""
        return "\n".join(sorted(self._commands))

    def do_quit(self) -> str:
        """End."""
        return ""

    def do_boardsize(self, size: str) -> str:
        """Start a game; only the network's size will do."""
        if size != str(self._settings.size):
            raise CommandError("unacceptable size")
        return self.do_clear_board()

    def do_clear_board(self) -> str:
        """Start a game."""
        self._start(self.game.komi)
        return ""

    def do_komi(self, komi: str) -> str:
        """Set komi; the moves stay."""
        try:
            points = float(komi)
        except ValueError:
            raise CommandError("syntax error") from None
        before = self.game
        self._start(points)
        for move, color in zip(before.moves, before.colors, strict=True):
            self.game.play(move, color)
        return ""

    def do_play(self, color: str, move: str) -> str:
        """Play a move of either player."""
        player = _find_color(color)
        try:
            self.game.play(parse_move(move, self._settings.size), player)
        except ValueError:  # no point of the board, or illegal there
            raise CommandError("illegal move") from None
        return ""

    def do_genmove(self, color: str) -> str:
        """Search and play a move, or resign. When both have passed, another pass."""
        self.game.to_play = _find_color(color)
        move = self.game.pass_move
        if not self.game.is_over:
            self._search.run()
            if should_resign(self._search, 0, self._settings.resign_threshold):
                return "resign"
            move = self._search.choose_move(0)
        self.game.play(move)
        return name_move(move, self._settings.size)

    def do_showboard(self) -> str:
        """The position, and who is to play."""
        return "\n".join(["", *self.game.draw(), f"{COLORS[self.game.to_play]} to play"])

    def do_final_score(self) -> str:
        """The area as it stands."""
        score = self.game.score()
        return "0" if score == 0 else f"{'B' if score > 0 else 'W'}+{abs(score):g}"


def _find_color(name: str) -> int:
    try:
        return _COLORS[name.lower()]
    except KeyError:
        raise CommandError("syntax error") from None

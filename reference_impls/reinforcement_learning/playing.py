"""Games of a search against itself, to learn from, and of two searches against each other, to compare them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from reference_impls.reinforcement_learning import rules, symmetries
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.rules import BLACK
from reference_impls.reinforcement_learning.search import Evaluate, Search, SearchSettings, should_resign


@dataclass(frozen=True)
class PlaySettings:
    """How games are played; the defaults are Minigo's where it has some.

    Attributes:
        size: rows and columns of the board.
        komi: points for white.
        longest: the most moves of a game, which is then scored as it stands; 0: twice the points.
        random_moves: moves at the start of a game that are played at random, at most; their number is random too.
        search: how a move is searched.
        drawn_moves: how many moves of a game are drawn in proportion to the visits; then the most visited one is
            played. -1: a twelfth of the points, rounded down to an even number.
        value_scale: what the policy learns: 0: the share of visits; otherwise see `Search.improve_prior`.
        resign_threshold: the value below which a player resigns; -1: never.
        played_out: share of the games in which nobody resigns, to see whether resigning is right.
        at_once: games that are played at the same time.
    """

    size: int
    komi: float
    longest: int = 0
    random_moves: int = 0
    search: SearchSettings = field(default_factory=SearchSettings)
    drawn_moves: int = -1
    value_scale: float = 0.0
    resign_threshold: float = -0.9
    played_out: float = 0.1
    at_once: int = 32

    def new_game(self) -> Game:
        """A game without moves."""
        return Game(self.size, self.komi, self.longest or 2 * self.size**2)

    def start_game(self, rng: np.random.Generator) -> Game:
        """A game after its random moves."""
        game = self.new_game()
        play_random_moves(game, self.random_moves, rng)
        return game

    def temperature(self, game: Game) -> float:
        """How the next move of a game is chosen: 1 drawn, 0 the most visited."""
        drawn = self.size**2 // 12 // 2 * 2 if self.drawn_moves < 0 else self.drawn_moves
        return 1.0 if len(game.moves) < drawn else 0.0


def play_random_moves(game: Game, most: int, rng: np.random.Generator) -> None:
    """Begin a game with random moves that are no passes.

    Args:
        game: to play in.
        most: how many moves, at most; the number is drawn as well, from 0 on.
        rng: source of randomness.
    """
    for _ in range(int(rng.integers(most + 1))):
        game.play(int(rng.choice(np.flatnonzero(game.find_legal()[:-1]))))


class Examples(NamedTuple):
    """Positions to learn from.

    Attributes:
        planes: int8 [positions, size, size, channels]; see `game.encode_stones`.
        policy: share of the search's visits for each move, float32 [positions, area + 1].
        value: the game's value for the player to play, from -1 to 1, float32 [positions]; see `rules.value_lead`.
        owners: whose each point is in the end: 1 the player's to play, -1 the opponent's, 0 nobody's, as all are if the game
            was resigned, int8 [positions, size, size, 1].
    """

    planes: np.ndarray
    policy: np.ndarray
    value: np.ndarray
    owners: np.ndarray


class Record(NamedTuple):
    """A finished game of self-play.

    Attributes:
        moves: what was played.
        winner: 1 black, -1 white, 0 nobody.
        resigned: whether the loser gave up.
        values: the search's value of each position for the player to play, float32 [moves].
        examples: one for each position in which a move was played.
    """

    moves: list[int]
    winner: int
    resigned: bool
    values: np.ndarray
    examples: Examples


class _Slot:
    """A game of self-play in progress."""

    def __init__(self, settings: PlaySettings, rng: np.random.Generator) -> None:
        self.game = settings.start_game(rng)
        self.may_resign = rng.random() >= settings.played_out
        self.planes: list[np.ndarray] = []
        self.policy: list[np.ndarray] = []
        self.to_play: list[int] = []
        self.values: list[float] = []

    def end(self, winner: int, value: float, resigned: bool) -> Record:
        game, to_play = self.game, np.array(self.to_play, np.int8)
        owners = np.zeros_like(game.stones) if resigned else rules.find_owners(game.board, game.stones)
        size = game.board.size
        return Record(
            game.moves,
            winner,
            resigned,
            np.array(self.values, np.float32),
            Examples(
                np.stack(self.planes),
                np.stack(self.policy).astype(np.float32),
                value * to_play.astype(np.float32),
                to_play[:, None, None, None] * owners.reshape(size, size, 1),
            ),
        )


def play_against_itself(
    settings: PlaySettings, evaluate: Evaluate, count: int, rng: np.random.Generator
) -> list[Record]:
    """Play games of self-play, many at a time.

    All games that are started are finished, so short ones are no more frequent than they should be.

    Args:
        settings: how to play; the search should have noise.
        evaluate: values positions.
        count: how many games.
        rng: source of noise and drawn moves.

    Returns:
        The games, in the order in which they ended.
    """
    slots: list[_Slot | None] = [_Slot(settings, rng) for _ in range(min(count, settings.at_once))]
    started = len(slots)
    search = Search([slot.game for slot in slots if slot], settings.search, evaluate, rng)
    records: list[Record] = []
    while len(records) < count:
        live = [(index, slot) for index, slot in enumerate(slots) if slot]
        search.run([index for index, _ in live])
        for index, slot in live:
            record = _play_move(settings, search, index, slot)
            if record is None:
                continue
            records.append(record)
            slots[index] = None
            if started < count:
                slots[index] = new = _Slot(settings, rng)
                search.games[index] = new.game
                started += 1
    return records


def _play_move(settings: PlaySettings, search: Search, index: int, slot: _Slot) -> Record | None:
    """Play the move that was searched; the game's record if it ends."""
    game = slot.game
    if game.moves and slot.may_resign and should_resign(search, index, settings.resign_threshold):
        return slot.end(-game.to_play, -game.to_play, resigned=True)
    visits = search.visits(index)
    slot.planes.append(game.encode(settings.search.history))
    scale = settings.value_scale
    slot.policy.append(search.improve_prior(index, scale) if scale else visits / visits.sum())
    slot.to_play.append(game.to_play)
    slot.values.append(search.value(index))
    game.play(search.choose_move(index, settings.temperature(game)))
    if not game.is_over:
        return None
    lead = game.score()
    value = rules.value_lead(lead, float(settings.search.lead_scale))
    return slot.end(int(np.sign(lead)), value, resigned=False)


class MatchResult(NamedTuple):
    """The result of a match, seen from the first player.

    Attributes:
        wins: games won.
        draws: games without a winner, which only an even komi allows.
        games: games played.
    """

    wins: int
    draws: int
    games: int

    @property
    def share(self) -> float:
        """Share of the points; a draw counts half."""
        return (self.wins + self.draws / 2) / self.games

    def passes_gate(self, least_share: float = 0.55) -> bool:
        """Whether the first player, a candidate, replaces the second, the best so far."""
        return self.share >= least_share


_DRAWS_OF_A_START = 100
"""So often another start is drawn while the drawn one has been there before; there may be no other."""


def start_pairs(settings: PlaySettings, count: int, rng: np.random.Generator) -> list[Game]:
    """Games two of which each begin with the same random moves, so that each player can have both sides of them.

    Args:
        settings: how they begin.
        count: how many games, an even number.
        rng: source of the random moves. No two pairs begin in the same position, if there are so many positions.

    Raises:
        ValueError: the number is odd.
    """
    if count % 2:
        raise ValueError(f"{count} games cannot give each player black in half of them")
    games: list[Game] = []
    known: set[bytes] = set()
    for _ in range(count // 2):
        for _ in range(_DRAWS_OF_A_START):
            first, second = settings.start_game(rng), settings.new_game()
            position = first.stones.tobytes() + bytes([first.to_play == BLACK])
            if position not in known:
                break
        known.add(position)
        for move in first.moves:
            second.play(move)
        games += [first, second]
    return games


def play_match(
    settings: PlaySettings, first: Evaluate, second: Evaluate, count: int, rng: np.random.Generator
) -> MatchResult:
    """Let two evaluation functions play against each other, each with black in half of the games.

    Args:
        settings: how both search, better without noise. Games differ by their drawn moves alone.
        first: a player.
        second: the other.
        count: how many games, an even number; all are played at the same time.
        rng: source of the drawn moves.

    Raises:
        ValueError: the number of games is odd.
    """
    games = start_pairs(settings, count, rng)
    searches = [Search(games, settings.search, evaluate, rng) for evaluate in (first, second)]
    black_is_second = np.arange(count) % 2
    winners = np.zeros(count, np.int64)
    live = list(range(count))
    while live:
        for player, search in enumerate(searches):
            # One player moves in all games, then the other: in half of them black, in half of them white.
            mine = [
                index
                for index in live
                if (games[index].to_play == BLACK) == (black_is_second[index] == player)
            ]
            search.run(mine)
            for index in mine:
                game = games[index]
                if game.moves and should_resign(search, index, settings.resign_threshold):
                    winners[index] = -game.to_play
                    live.remove(index)
                    continue
                game.play(search.choose_move(index, settings.temperature(game)))
                if game.is_over:
                    winners[index] = np.sign(game.score())
                    live.remove(index)
    points = winners * np.where(black_is_second, -1, 1)
    return MatchResult(int((points > 0).sum()), int((points == 0).sum()), count)


class Window:
    """The examples of the latest games.

    Args:
        most_games: how many games to keep.

    Attributes:
        lengths: number of examples of each game, oldest first.
        examples: all of them, oldest first.
    """

    def __init__(self, most_games: int) -> None:
        self.most_games = most_games
        self.lengths: list[int] = []
        self.examples: Examples | None = None

    def add(self, records: Iterable[Record]) -> None:
        """Add games, and drop the oldest if there are too many."""
        for record in records:
            self.add_examples(record.examples, [len(record.examples.value)])

    def add_examples(self, examples: Examples, lengths: Sequence[int]) -> None:
        """Add the examples of games one after the other, as many of each as `lengths` says."""
        old = [] if self.examples is None else [self.examples]
        self.lengths += lengths
        dropped = self.lengths[: -self.most_games]
        self.lengths = self.lengths[-self.most_games :]
        joined = Examples(*(np.concatenate(parts) for parts in zip(*old, examples, strict=True)))
        self.examples = Examples(*(part[sum(dropped) :] for part in joined))

    def sample(self, count: int, rng: np.random.Generator) -> Examples:
        """Draw examples, each in a random symmetry.

        Args:
            count: how many; one may be drawn more than once.
            rng: source of randomness.

        Raises:
            ValueError: there are none.
        """
        if self.examples is None:
            raise ValueError("there are no games to learn from yet")
        chosen = rng.integers(len(self.examples.value), size=count)
        which = rng.integers(symmetries.COUNT, size=count)
        planes, policy, value, owners = (part[chosen] for part in self.examples)
        return Examples(
            symmetries.turn_planes(planes, which),
            symmetries.turn_policy(policy, which),
            value,
            symmetries.turn_planes(owners, which),
        )

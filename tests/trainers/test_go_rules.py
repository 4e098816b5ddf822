"""Go: legal moves, captures, superko, scores, and what a network sees; against a plain second implementation."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="the rules of Go are compiled by numba (extra 'reference')")

from reference_impls.reinforcement_learning import rules
from reference_impls.reinforcement_learning.game import Game, IllegalMoveError
from reference_impls.reinforcement_learning.gtp import name_move, parse_move
from reference_impls.reinforcement_learning.rules import BLACK, EMPTY, WHITE


class PlainGo:
    """The same rules once more, with dictionaries and sets, and whole positions instead of keys."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.stones = {(row, column): EMPTY for row in range(size) for column in range(size)}
        self.seen = {tuple(self.stones.values())}

    def near(self, point: tuple[int, int]) -> list[tuple[int, int]]:
        row, column = point
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        return [each for each in around if each in self.stones]

    def region(self, stones: dict[tuple[int, int], int], start: tuple[int, int]) -> set[tuple[int, int]]:
        region, todo = {start}, [start]
        while todo:
            for each in self.near(todo.pop()):
                if stones[each] == stones[start] and each not in region:
                    region.add(each)
                    todo.append(each)
        return region

    def border(self, stones: dict[tuple[int, int], int], region: set[tuple[int, int]]) -> set[int]:
        return {stones[near] for each in region for near in self.near(each) if near not in region}

    def after(self, point: tuple[int, int], color: int) -> dict[tuple[int, int], int] | None:
        """The position after a move; None if it is illegal."""
        if self.stones[point] != EMPTY:
            return None
        stones = {**self.stones, point: color}
        for near in self.near(point):
            region = self.region(stones, near)
            if stones[near] == -color and EMPTY not in self.border(stones, region):
                stones.update(dict.fromkeys(region, EMPTY))
        suicide = EMPTY not in self.border(stones, self.region(stones, point))
        return None if suicide or tuple(stones.values()) in self.seen else stones

    def score(self) -> int:
        score = 0
        for point, stone in self.stones.items():
            border = self.border(self.stones, self.region(self.stones, point)) if stone == EMPTY else {stone}
            score += sum(border) if len(border) == 1 else 0
        return score


@pytest.mark.parametrize(("size", "games"), [(2, 20), (3, 10), (5, 4), (7, 1)])
def test_random_games_agree_with_a_plain_implementation(size: int, games: int) -> None:
    """In every position of random games, legal moves, stones, score and key are those of the plain implementation."""
    rng = np.random.default_rng(size)
    repeats = 0
    for _ in range(games):
        game, plain = Game(size, komi=0.5, longest=3 * size * size), PlainGo(size)
        while not game.is_over:
            results = {point: plain.after(point, game.to_play) for point in plain.stones}
            legal = game.find_legal()
            assert legal.tolist() == [result is not None for result in results.values()] + [True]
            fresh = Game.from_rows(game.draw(), game.to_play, game.komi).find_legal()
            repeats += int((fresh != legal).sum())
            move = int(rng.choice(np.flatnonzero(legal)))
            before = int(np.abs(game.stones).sum())
            captured = game.play(move)
            if move != game.pass_move:
                found = results[divmod(move, size)]
                assert found is not None
                plain.stones = found
                plain.seen.add(tuple(found.values()))
                assert captured == before + 1 - int(np.abs(game.stones).sum())
            assert tuple(game.stones.tolist()) == tuple(plain.stones.values())
            assert game.score() == plain.score() - 0.5
            assert game.keys[-1] == rules.position_key(game.board, game.stones)
    assert repeats or size > 3  # superko was put to the test


def test_stones_without_liberties_are_captured() -> None:
    """The last liberty taken, a group leaves the board, and its points are empty again."""
    game = Game.from_rows([".OO.", "OXX.", ".OO.", "...."], WHITE, komi=0)
    assert game.play(parse_move("D3", 4)) == 2
    assert game.draw() == [".OO.", "O..O", ".OO.", "...."]
    assert game.captured == {BLACK: 0, WHITE: 2}


def test_suicide_is_illegal_unless_it_captures() -> None:
    """A stone may take its own last liberty only if that captures."""
    game = Game.from_rows([".OX", "OOX", "XX."], BLACK, komi=0)
    assert game.find_legal()[0]  # captures three
    game = Game.from_rows([".O.", "O..", "..."], BLACK, komi=0)
    assert not game.find_legal()[0]
    with pytest.raises(IllegalMoveError, match="A3 of black is illegal after 0 moves"):
        game.play(0)
    with pytest.raises(IllegalMoveError, match="10 of black is illegal"):
        game.play(10)


def test_a_ko_is_retaken_only_after_a_change() -> None:
    """Taking back at once would repeat the position; after an exchange elsewhere it does not."""
    game = Game.from_rows([".XO..", "X.XO.", ".XO..", ".....", "....."], WHITE, komi=0)
    taken, retaken = parse_move("B4", 5), parse_move("C4", 5)
    assert game.play(taken) == 1
    assert not game.find_legal()[retaken]
    for name in ("E1", "A1"):
        game.play(parse_move(name, 5))
    assert game.find_legal()[retaken]
    assert game.play(retaken) == 1


def test_superko_counts_positions_of_either_player() -> None:
    """A position may not come back even with the other player to move: after sending two stones and taking one."""
    game = Game.from_rows([".X.X", "OOX.", "O.X.", "...."], BLACK, komi=0)
    assert game.play(parse_move("A4", 4)) == 0
    assert game.play(parse_move("C4", 4)) == 2
    taking = parse_move("B4", 4)
    assert not game.find_legal()[taking]
    again = Game.from_rows(game.draw(), BLACK, komi=0)
    assert again.play(taking) == 1
    assert again.draw() == [".X.X", "OOX.", "O.X.", "...."]


def test_a_game_ends_by_two_passes_or_its_length() -> None:
    """Two passes in a row end a game, and so does the greatest number of moves."""
    game = Game(3, komi=2.5, longest=5)
    game.play(game.pass_move)
    assert not game.is_over
    game.play(4)
    game.play(game.pass_move)
    assert not game.is_over
    game.play(game.pass_move)
    assert game.is_over
    assert game.score() == -11.5  # white has played the only stone

    game = Game(3, komi=0, longest=1)
    game.play(4)
    assert game.is_over


def test_planes_show_the_latest_positions_from_the_side_to_play() -> None:
    """Own stones, then the opponent's, newest position first; missing history is empty; the last plane is the color."""
    game = Game(3, komi=0)
    for move in (0, 4, 8):
        game.play(move)
    planes = game.encode(3)
    assert planes.shape == (3, 3, 7)
    shown = [np.flatnonzero(planes[:, :, each]).tolist() for each in range(7)]
    assert shown == [[4], [0, 8], [4], [0], [], [0], []]  # white is to play
    game.play(game.pass_move)
    shown = [np.flatnonzero(plane).tolist() for plane in np.moveaxis(game.encode(2), -1, 0)]
    assert shown == [[0, 8], [4], [0, 8], [4], list(range(9))]
    assert Game(3, komi=0).encode(4)[:, :, :-1].sum() == 0


def test_points_have_the_names_of_the_protocol() -> None:
    """Letters without I from the left, numbers from the bottom; other names are refused."""
    assert [name_move(point, 9) for point in (0, 8, 72, 80, 81)] == ["A9", "J9", "A1", "J1", "pass"]
    for size in (2, 9, 19, 25):
        assert all(parse_move(name_move(move, size), size) == move for move in range(size * size + 1))
    assert parse_move(" c2 ", 3) == 5
    for name in ("", "I5", "K1", "A0", "A10", "A", "5A", "A1x", "resign"):
        with pytest.raises(ValueError, match="not a point of a board of 9×9"):
            parse_move(name, 9)
    with pytest.raises(ValueError, match="2 to 25 rows"):
        rules.make_board(26)


def test_random_play_follows_from_its_seed_and_spares_eyes() -> None:
    """Equal seeds play equal games; at the end nobody can move except into their own eyes."""
    board = rules.make_board(5)
    ends = []
    for seed in (1, 1, 2):
        stones = np.zeros(25, np.int8)
        moves = rules.play_randomly(board, stones, BLACK, np.random.default_rng(seed), 200)
        assert 0 < moves < 200
        ends.append(stones)
    assert (ends[0] == ends[1]).all()
    assert (ends[0] != ends[2]).any()

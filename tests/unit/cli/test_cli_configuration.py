"""Settings from a file above the logs: which file, what wins, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlperf_logging.cli.check import main
from mlperf_logging.cli.configuration import find_configuration
from mlperf_logging.cli.configuration_file import MAX_DOTS, MAX_JOBS, SETTINGS
from mlperf_logging.errors import UsageError


@pytest.fixture
def run(capfd):
    """Runs the command and gives exit code, output and error text."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        out, err = capfd.readouterr()
        return code, out, err

    return run_command


@pytest.fixture
def show(run):
    """Gives value and source of each setting that holds."""

    def show_settings(*arguments: str) -> dict[str, tuple[object, str]]:
        code, out, _ = run(*arguments, "--show-config", "--format", "json")
        assert code == 0
        return {each["setting"]: (each["value"], each["source"]) for each in json.loads(out)["settings"]}

    return show_settings


def test_file_above_the_logs_counts(folder, write_logs, run):
    """A file above the logs says what counts, and it is said that it does."""
    write_logs({"a/b/x.txt": "fail"})
    assert run("a/b/x.txt")[0] == 1
    (folder / "mlperf.toml").write_text('ignore = ["MLP304"]\nformat = "jsonl"\n')
    code, out, err = run("a/b/x.txt", "--quiet")
    assert (code, json.loads(out)["verdict"]) == (0, "pass")
    assert err == "mlperf-check: settings from mlperf.toml (--no-config leaves them out)\n"


@pytest.mark.parametrize("leave_out", ["--no-config", "--isolated"])
def test_files_can_be_left_out(folder, write_logs, run, leave_out):
    """Without settings from files, a file that is wrong is not even read."""
    write_logs({"x.txt": "fail"})
    (folder / "mlperf.toml").write_text("this is = not TOML")
    assert run("x.txt", leave_out)[::2] == (1, "")


def test_nearest_file_is_the_only_one(folder, write_logs, show):
    """The nearest file counts alone: what one above it says does not."""
    write_logs({"a/b/x.txt": "pass"})
    (folder / "mlperf.toml").write_text("strict = true\njobs = 2\n")
    (folder / "a/mlperf.toml").write_text("jobs = 3\n")
    settings = show("a/b")
    assert settings["jobs"] == (3, "a/mlperf.toml")
    assert settings["strict"] == (False, "default")


def test_shared_file_counts_where_it_has_a_table(folder, write_logs, show):
    """A pyproject.toml counts if it has the table; else the search goes on; a file of your own goes before it."""
    write_logs({"a/x.txt": "pass"})
    (folder / "pyproject.toml").write_text("[tool.mlperf]\njobs = 2\n")
    (folder / "a/pyproject.toml").write_text('[project]\ndependencies = ["mlperf_logging"]\n')
    assert show("a")["jobs"] == (2, "pyproject.toml")
    (folder / "mlperf.toml").write_text("jobs = 4\n")
    assert show("a")["jobs"] == (4, "mlperf.toml")


def test_command_line_wins(folder, write_logs, show):
    """What the command line says replaces what the file says, lists and switches among it."""
    write_logs({"x.txt": "pass"})
    (folder / "mlperf.toml").write_text(
        'usage = "training"\nstrict = true\nignore = ["MLP1"]\nselect = ["MLP3"]\n'
    )
    settings = show("x.txt", "--ignore", "MLP2", "--ruleset", "hpc/1.0.0")
    assert settings["ignore"] == (["MLP2"], "command line")
    assert settings["select"] == (["MLP3"], "mlperf.toml")
    assert settings["strict"] == (True, "mlperf.toml")
    assert settings["usage"] == (None, "default")  # the round that is named says its own


def test_named_file_goes_before_all(folder, write_logs, show, run):
    """A file that the command line names counts in place of the one above the logs."""
    write_logs({"x.txt": "pass"})
    (folder / "mlperf.toml").write_text("jobs = 2\n")
    (folder / "other.toml").write_text("jobs = 5\n")
    assert show("x.txt", "--config", "other.toml")["jobs"] == (5, "other.toml")
    assert "leave one out" in run("x.txt", "--config", "other.toml", "--no-config")[2]
    assert "cannot read the settings in 'none.toml'" in run("x.txt", "--config", "none.toml")[2]


def test_settings_are_shown_to_people(folder, write_logs, run):
    """A table says each setting, its value and where it comes from."""
    write_logs({"x.txt": "pass"})
    (folder / "mlperf.toml").write_text('ignore = ["MLP1", "MLP2"]\nstrict = true\n')
    rows = [line.split("  ") for line in run("x.txt", "--show-config", "--jobs", "3")[1].splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert ["ignore", "MLP1, MLP2", "mlperf.toml"] in cells
    assert ["strict", "true", "mlperf.toml"] in cells
    assert ["jobs", "3", "command line"] in cells
    assert ["waivers", "not set", "default"] in cells


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('ruleste = "9"', "unknown setting 'ruleste'; did you mean 'ruleset'?"),
        ('output = "x"', "unknown setting 'output'; choose from usage, ruleset"),
        ('strict = "yes"', "'strict' must be true or false, not 'yes'"),
        ("jobs = true", f"'jobs' must be a whole number from 0 to {MAX_JOBS}, not true"),
        (f"jobs = {MAX_JOBS + 1}", "'jobs' must be a whole number"),
        ('division = "ajar"', "'division' must be closed or open, in quotes, not 'ajar'"),
        ("division = ['open']", "'division' must be closed or open"),
        ('select = "MLP3"', "'select' must be a list of texts, not 'MLP3'"),
        ('ignore = [""]', "'ignore' must be a list of texts"),
        ('ignore = ["MLP9x"]', "no code or rule is called 'MLP9x'"),
        ('ruleset = "99.9.9"', "unknown ruleset '99.9.9'"),
        ('usage = "trainig"', "unknown usage 'trainig'; did you mean 'training'?"),
        ('format = "jsn"', "'format' must be one of concise, github"),
        ('waivers = "w.yaml"', "'waivers' names 'w.yaml', and there is no such file"),
        ('waivers = "../w.yaml"', "'waivers' leads out of the file's folder; name it with --waivers"),
        ('waivers = "/etc/hostname"', "'waivers' leads out of the file's folder"),
        ('rules = "none"', "there is no folder 'none', and no installed package offers rules of this name"),
        ("a = ", "not valid TOML"),
        ("a = " + "[" * 2_000, "not valid TOML: it nests too deep"),
        ("a = " + "9" * 5_000, "not valid TOML"),
        ("a" + ".a" * (MAX_DOTS + 1) + " = 1", f"a line holds more than {MAX_DOTS} dots; break it"),
        ("a = '\udcff'", "not valid TOML"),
    ],
    ids=lambda value: None,
)
def test_mistakes_name_file_and_setting(folder, write_logs, run, text, words):
    """What is wrong with a file is one sentence with the file and the setting, exit code 2."""
    write_logs({"x.txt": "pass"})
    (folder / "mlperf.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    code, out, err = run("x.txt")
    assert (code, out) == (2, "")
    assert f"mlperf-check: mlperf.toml: {words}" in err
    assert err.splitlines()[-1].startswith("mlperf-check: mlperf.toml: ")


def test_link_out_of_the_folder_is_refused(folder, write_logs, run, tmp_path_factory):
    """A file that a setting names may not be reached through a link that leads elsewhere."""
    write_logs({"x.txt": "pass"})
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("- secret\n")
    (folder / "w.yaml").symlink_to(secret)
    (folder / "mlperf.toml").write_text('waivers = "w.yaml"\n')
    code, out, err = run("x.txt")
    assert (code, out) == (2, "")
    assert "leads out of the file's folder" in err
    assert "secret" not in err


def test_no_setting_writes_or_runs():
    """The settings are those that choose how logs are judged: none names a file to write, or code."""
    chosen = {"usage", "ruleset", "division", "strict", "select", "ignore", "waivers", "jobs", "rules"}
    assert set(SETTINGS) == chosen | {"format"}


def test_logs_with_different_settings_are_refused(folder, write_logs):
    """Logs below different files of settings are not judged in one call; patterns count by what precedes them."""
    write_logs({"a/x.txt": "pass", "b/x.txt": "pass"})
    (folder / "a/mlperf.toml").write_text("jobs = 1\n")
    assert find_configuration(["a/*.txt", "a", "a/none.txt", "-"]) == "a/mlperf.toml"
    with pytest.raises(UsageError, match=r"different settings above them, a/mlperf\.toml and none"):
        find_configuration(["a", "b/x.txt"])
    (folder / "mlperf.toml").write_text("jobs = 1\n")
    assert find_configuration(["-"]) == "mlperf.toml"


def test_looking_for_a_file_reads_nothing(folder, tmp_path):
    """A check without a file of settings does not load what reads one."""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'other'\ndependencies = ['mlperf_logging']\n")
    program = (
        "import sys; from mlperf_logging.cli.check import main; main(['none.txt']); "
        "print({'tomllib', 'tomli'} & {*sys.modules})"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"


def test_paths_of_settings_are_below_their_file(folder, write_logs, run):
    """A waiver file is looked for beside the file of settings, wherever the command runs."""
    write_logs({"a/x.txt": "fail"})
    (folder / "mlperf.toml").write_text('waivers = "w.yaml"\n')
    (folder / "w.yaml").write_text("- {rule: MLP304, path: '*', reason: agreed, expires: 2999-01-01}\n")
    assert run(str(Path("a").resolve()))[0] == 0

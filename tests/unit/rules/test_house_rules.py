"""Rules of one's own: a folder that extends a round of the package and says only what differs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from checkout import BUNDLED_RULES
from commands import run_mlperf
from rule_folders import RuleFolder, compile_all

from mlperf_logging.errors import RuleError, UsageError
from mlperf_logging.rules import repository
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.scoring.rcp.files import load_reference_points
from mlperf_logging.scoring.suites import list_suites, load_suite

NEWEST = open_rules().index()[-1]
KNOWN = NEWEST.benchmarks[0]
HOUSE = f"extends: {NEWEST.name}\ntitle: House rules\n"


@pytest.fixture(params=["files", "compiled"], autouse=True)
def _base(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules that ship with the package, as a checkout and as an installation has them."""
    if request.param == "compiled":
        folder = request.getfixturevalue("built") / BUNDLED_RULES
        monkeypatch.setattr(repository, "RULES_FOLDER", str(folder))


@pytest.fixture
def house(tmp_path: Path) -> RuleFolder:
    """A folder of one file that changes nothing, for a test to add to."""
    (tmp_path / "house").mkdir()
    folder = RuleFolder(tmp_path / "house")
    folder.write("acme/1.0.0.yaml", HOUSE)
    return folder


def load(folder: RuleFolder):
    """The house's round, as a new process would load it."""
    return folder.book().load("acme/1.0.0")


def texts(ruleset, benchmark: str | None = KNOWN, division: str = "closed") -> dict[str, str]:
    """Id and text of the rules that hold for one kind of run."""
    return {rule.id: rule.text for rule in ruleset.table(division, benchmark, strict=True).rules}


def test_one_line_is_the_round_itself(house):
    """A file that only extends a round has its rules, benchmarks, dialect and reference points under another name."""
    base, own = open_rules(), house.book()
    # what tells that a log is of the round is not extended: it holds for the round's own results
    assert [entry._replace(name=NEWEST.name, keys=NEWEST.keys) for entry in own.index()] == [NEWEST]
    assert texts(load(house)) == texts(base.load(NEWEST.name))
    assert load_reference_points(own, "acme/1.0.0") == load_reference_points(base, NEWEST.name)
    assert own.vocabulary() == base.vocabulary()
    compile_all(load(house))


def test_what_differs_is_changed(house):
    """A cell that the folder states replaces that of the round; the package's own round stays as it is."""
    before = texts(open_rules().load(NEWEST.name))
    house.write("acme/1.0.0.yaml", f'{HOUSE}common:\n  acme_job: value != ""\nclosed:\n  seed: in {{1, 2}}\n')
    after = texts(load(house))
    assert set(after) - set(before) == {"common.acme_job", "common.acme_job.value", "closed.seed.value"} | (
        {"closed.seed"} - set(before)
    )
    assert after["common.acme_job.value"] == 'value != ""'
    assert after["closed.seed.value"] == "in {1, 2}"
    assert texts(open_rules().load(NEWEST.name)) == before


def test_round_may_extend_its_namesake(house):
    """A round of the same name as one of the package extends that one, not itself."""
    house.write(f"{NEWEST.name}.yaml", f"extends: {NEWEST.round}\ncommon:\n  acme_job: logged\n")
    assert house.book().load(NEWEST.name).title == open_rules().load(NEWEST.name).title
    assert "common.acme_job" in texts(house.book().load(NEWEST.name))
    house.write("acme/1.0.0.yaml", HOUSE)  # which extends the namesake now, as it stands in the folder
    assert "common.acme_job" in texts(load(house))
    assert load_reference_points(house.book(), NEWEST.name) == load_reference_points(
        open_rules(), NEWEST.name
    )


def test_lists_of_benchmarks_follow(house):
    """Rules that speak of all benchmarks speak of those of the house, and a benchmark may be added."""
    house.write("acme/1.0.0.yaml", f"{HOUSE}benchmarks: {{remove: [{KNOWN}], add: [knitting]}}\n")
    house.write("benchmarks/knitting.yaml", "benchmark: knitting\nboth:\n  yarn: logged\n")
    ruleset = load(house)
    assert ruleset.benchmarks == (*NEWEST.benchmarks[1:], "knitting")
    naming = [text for text in texts(ruleset, "knitting").values() if "knitting" in text]
    assert naming
    assert not any(KNOWN in text for text in naming)
    assert "knitting.yarn" in texts(ruleset, "knitting")


def test_points_keys_and_suites_may_be_added(house):
    """Reference points are changed as a round changes them; keys and suites of the house come on top."""
    base = load_reference_points(open_rules(), NEWEST.name)
    name = next(iter(base))
    house.write("rcp/acme-1.0.0.yaml", f"extends: {NEWEST.name}\nremove: [{name}]\n")
    house.write("keys.yaml", "lifecycle:\n  acme_job: number of the job\n")
    house.write("suites/ours.yaml", "benchmarks:\n  knitting:\n    reference_seconds: 60\n")
    own = house.book()
    assert load_reference_points(own, "acme/1.0.0") == {each: base[each] for each in base if each != name}
    assert own.vocabulary().keys["acme_job"] == "number of the job"
    assert own.vocabulary().codes == open_rules().vocabulary().codes
    assert set(list_suites(house.path)) == {"ours", *list_suites()}
    assert load_suite("ours", house.path).benchmarks["knitting"].reference_minutes == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("extends: training/99.0.0\n", 1, "extends training/99.0.0, which has no rule file"),
        (
            f"{HOUSE}change:\n  knitting: {{}}\n",
            4,
            "changes 'knitting', which is not a benchmark of this round",
        ),
        (f"{HOUSE}common:\n  run_start: null\n  never_heard_of: null\n", 5, "removes 'never_heard_of'"),
        (f"{HOUSE}commn: {{}}\n", 3, "'commn' is not valid here"),
        (f"{HOUSE}benchmarks: {{add: [knitting]}}\n", 3, "benchmark 'knitting' has no file"),
    ],
)
def test_mistakes_have_file_and_line(house, text, line, message):
    """A fault of the folder's file is told with the folder, the file and the line."""
    house.write("acme/1.0.0.yaml", text)
    with pytest.raises(RuleError) as caught:
        compile_all(load(house))
    assert str(caught.value).startswith(f"{house.path}/acme/1.0.0.yaml:{line}: ")
    assert message in str(caught.value)


def test_id_of_the_package_is_taken(house):
    """A record of the folder may not have the id of a rule of the round that it extends."""
    taken = next(rule for rule in open_rules().load(NEWEST.name).table("closed", KNOWN).rules if rule.summary)
    record = (
        f"{HOUSE}rules:\n- {{id: {taken.id}, key: run_stop, cell: logged, code: MLP108, summary: s, why: w, "
        "pass: [run_stop], fail: [seed]}\n"
    )
    house.write("acme/1.0.0.yaml", record)
    with pytest.raises(RuleError, match="is the id of a rule in"):
        load(house)


def test_change_of_a_file_is_seen(house):
    """Nothing is kept between processes: what the file says now is what holds."""
    assert "common.acme_job" not in texts(load(house))
    house.write("acme/1.0.0.yaml", f"{HOUSE}common:\n  acme_job: logged\n")
    assert "common.acme_job" in texts(load(house))


def test_folder_without_rounds_is_refused(tmp_path):
    """A folder in which there is no round is no folder of rules."""
    with pytest.raises(RuleError, match="there is no round in the folder"):
        RuleRepository(tmp_path).index()


def test_unknown_name_is_refused():
    """A name that is neither a folder nor offered by an installed package is one sentence."""
    with pytest.raises(UsageError, match="there is no folder 'hous', and no installed package offers rules"):
        open_rules("hous")


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RuleFolder:
    """An installed package that offers rules and a format; to import its rules would end the test."""
    info = tmp_path / "site" / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mlperf_logging.rules]\nacme = acme_rules.training\nbad = acme_rules:broken\n"
        "[mlperf_logging.reports]\nacme-count = acme_report:Count\nacme_lines = acme_lines\nnone = acme_report:None_\n"
        "text = acme_report:Count\nodd = acme_report:ODD\n"
    )
    folder = RuleFolder(info.parent / "acme_rules" / "training")
    folder.path.mkdir(parents=True)
    (info.parent / "acme_rules" / "__init__.py").write_text("raise SystemExit('imported')")
    folder.write("acme/1.0.0.yaml", f"{HOUSE}common:\n  acme_job: logged\n")
    report = (
        "from mlperf_logging.reports import BaseReport\nODD = 3\nclass {}(BaseReport):\n    description = 'counts'\n"
        "    def add(self, result):\n        return ''\n    def end(self, totals):\n"
        "        return f'{{totals.files}} files\\n'\n"
    )
    (info.parent / "acme_report.py").write_text(report.format("Count"))
    (info.parent / "acme_lines.py").write_text(report.format("Report"))
    monkeypatch.syspath_prepend(info.parent)
    return folder


def test_installed_package_offers_rules(acme):
    """Rules of an installed package are found by their name, and nothing of the package is imported."""
    assert open_rules("acme").folder == str(acme.path)
    assert "common.acme_job" in texts(open_rules("acme").load("acme/1.0.0"))
    with pytest.raises(UsageError, match="rules of this name; did you mean 'acme'"):
        open_rules("acmee")
    with pytest.raises(UsageError, match="which is no package with a folder"):
        open_rules("bad")
    assert "argument --rules: there is no folder 'acmee'" in run_mlperf("check", "--rules", "acmee").stderr


@pytest.mark.usefixtures("acme")
def test_installed_package_offers_reports(tmp_path):
    """A format of an installed package is loaded when it is named; one of this package is not replaced."""
    log = "examples/logs/compliant"
    for name in ("acme-count", "acme_lines"):
        assert run_mlperf("check", "--format", name, log).stdout.endswith(" files\n")
    assert "acme-count" in run_mlperf("check", "--help").stdout
    assert "compliant" in run_mlperf("check", "--format", "text", "--quiet", log).stdout
    assert "cannot be loaded" in run_mlperf("check", "--format", "none", log).stderr
    assert "is no report; derive it from" in run_mlperf("check", "--format", "odd", log).stderr
    assert "did you mean 'acme-count'?" in run_mlperf("check", "--format", "acme-coun", log).stderr


def test_settings_may_name_rules(house, acme, tmp_path, monkeypatch):
    """A file of settings names a folder below its own, or rules of an installed package; no format that is code."""
    monkeypatch.chdir(tmp_path)
    shown = {"rules": str(house.path), "acme": str(acme.path)}
    for name, text in {"rules": "house", "acme": "acme"}.items():
        (tmp_path / "mlperf.toml").write_text(f'rules = "{text}"\n')
        assert shown[name] in run_mlperf("check", "--show-config", "--format", "json", folder=tmp_path).stdout
    (tmp_path / "mlperf.toml").write_text('format = "acme-count"\n')
    assert "'format' must be one of" in run_mlperf("check", ".", folder=tmp_path).stderr


def test_commands_take_the_folder(house):
    """Checking, scoring, testing convergence and showing rules go by the folder."""
    house.write("acme/1.0.0.yaml", f"{HOUSE}common:\n  acme_job: logged\n")
    logs = "examples/submission"
    check = run_mlperf("check", "--rules", house.path, "--statistics", logs)
    assert check.returncode == 1
    assert "acme_job" in check.stdout
    assert "judged by" in check.stdout
    shown = run_mlperf("rules", "show", KNOWN, "--rules", house.path)
    assert (shown.returncode, "acme_job" in shown.stdout) == (0, True)
    score = run_mlperf("score", "--rules", house.path, "--unjudged", logs)
    assert (score.returncode, "ruleset acme/1.0.0" in score.stdout) == (0, True)
    rcp = run_mlperf("rcp", "--rules", house.path, logs)
    assert (rcp.returncode, "ruleset acme/1.0.0" in rcp.stdout) == (0, True)


def test_page_s_example_holds(project, tmp_path):
    """The folder that the how-to page shows resolves, and its rules judge."""
    page = (project / "docs/house_rules.md").read_text("utf-8")
    name, text = re.findall(r"```yaml\n# house/(\S+)\n(.*?)```", page, re.DOTALL)[0]
    (tmp_path / "house").mkdir()
    folder = RuleFolder(tmp_path / "house")
    folder.write(name, text)
    ruleset = load(folder)
    compile_all(ruleset)
    assert {"common.acme_job", "acme-known-status"} <= set(texts(ruleset, ruleset.benchmarks[0]))

"""Load a round's rules and ask which benchmarks it knows and how many runs a result needs."""

from mlperf_logging import load_ruleset

ruleset = load_ruleset("training/6.1.0")
print(f"{ruleset.title}: logs in the {ruleset.dialect} dialect")
for benchmark in ruleset.benchmarks:
    runs = ruleset.facts(benchmark)["runs"]
    print(f"{benchmark}: {runs['required']} runs, {runs['dropped_each_side']} dropped on each side")

"""The benchmarks of a round: those of the round that it extends, less some, plus some, in the order of its results table."""

from mlperf_logging.rules.files import RuleMapping


def list_changes(record: RuleMapping, former: list[str]) -> tuple[list[str], list[str]]:
    """The benchmarks that a round removes, and those that it adds."""
    change = record.take("benchmarks", dict)
    if change is None:
        return [], []
    change.allow("add", "remove", "order")
    removed = former if change.get("remove") == "all" else change.take_texts("remove")
    for name in removed:
        if name not in former:
            raise change.fail(f"removes {name!r}, which the extended round does not have", "remove")
    added = change.take_texts("add")
    for number, name in enumerate(added):
        if name in added[:number] or (name in former and name not in removed):
            raise change.fail(f"adds {name!r}, which the extended round already has", "add")
    return list(removed), added


def put_in_order(record: RuleMapping, benchmarks: list[str]) -> list[str]:
    """The benchmarks in the order that the round states, where it states one."""
    change = record.take("benchmarks", dict, RuleMapping())
    order = change.take_texts("order")
    if order and sorted(order) != sorted(benchmarks):
        raise change.fail(f"must name each benchmark of the round once: {', '.join(benchmarks)}", "order")
    return order or benchmarks

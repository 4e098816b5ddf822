"""MLflow: a run with parameters, tags, metrics, its log and its verdict, in a local database or on a tracking server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.errors import UsageError
from mlperf_logging.exports.names import PlainValue
from mlperf_logging.exports.points import Point
from mlperf_logging.exports.run_export import RunEnd, RunHead, Stamp
from mlperf_logging.exports.writers import BaseSession, BaseWriter, Kept, require_library
from mlperf_logging.runs.summary import SUCCESS

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE, ARTIFACTS = "mlflow.db", "artifacts"
STAMP_TAGS = "mlperf.log", "mlperf.source", "mlperf.content"
"""Tags that hold the stamp of an export; the last one is set when it is complete."""

_METRICS_AT_ONCE, _OTHERS_AT_ONCE, _RUNS_AT_ONCE = 1_000, 100, 1_000


class Writer(BaseWriter):
    """A folder with a database and artifacts, or the address of a tracking server."""

    title = "MLflow"
    about = "runs in a database in DIR, with log and verdict; DIR may be the address of a tracking server"
    hint = "to look at it: mlflow ui --backend-store-uri sqlite:///{place}/mlflow.db"

    def __init__(self, place: str) -> None:
        is_folder = "://" not in place
        require_library("mlflow", self.title, "mlflow", *(("sqlalchemy", "alembic") if is_folder else ()))
        import logging

        from mlflow import MlflowClient

        # Without it, the end of each run would be announced on standard output, among log lines or before an answer.
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        for name in ("mlflow.store.db.utils", "alembic"):  # they tell of each table that is made
            logging.getLogger(name).setLevel(logging.WARNING)
        super().__init__(os.path.abspath(os.path.expanduser(place)) if is_folder else place)
        address = place
        if not is_folder:
            self.hint = "to look at it: {place}"
        else:
            try:
                os.makedirs(self.place, exist_ok=True)
            except OSError as error:
                raise UsageError(f"cannot make the folder {place!r}: {error.strerror}") from None
            address = f"sqlite:///{os.path.join(self.place, DATABASE)}"
        self._artifacts = os.path.join(self.place, ARTIFACTS) if is_folder else None
        self._client = MlflowClient(tracking_uri=address)
        self._experiments: dict[str, str] = {}

    def list_kept(self) -> Mapping[str, Kept]:
        """The runs that hold the stamp of a log, by their ids."""
        kept = {}
        for run in self._list_runs():
            stamp = Stamp(*[run.data.tags.get(tag, "") for tag in STAMP_TAGS])
            kept[run.info.run_id] = Kept(run.info.run_name, stamp)
        return kept

    def _list_runs(self) -> Iterator[Any]:
        experiments = [each.experiment_id for each in self._page(self._client.search_experiments)]
        if experiments:
            wanted = f"tags.`{STAMP_TAGS[0]}` != ''"
            yield from self._page(self._client.search_runs, experiments, wanted)

    @staticmethod
    def _page(search: Any, *arguments: Any) -> Iterator[Any]:
        token = None
        while True:
            found = search(*arguments, max_results=_RUNS_AT_ONCE, page_token=token)
            yield from found
            token = found.token
            if not token:
                return

    def remove(self, handle: str) -> None:
        """Move a run to MLflow's deleted runs, from which ``mlflow gc`` takes it away for good."""
        self._client.delete_run(handle)

    def open(self, head: RunHead, stamp: Stamp | None = None) -> BaseSession:
        """Begin a run in the experiment that it belongs to, which is made where it does not exist."""
        tags = {name: str(value) for name, value in head.tags.items()}
        if stamp is not None:
            tags |= dict(zip(STAMP_TAGS[:2], stamp, strict=False))
        run = self._client.create_run(
            self._find_experiment(head.experiment), max(0, round(head.start_ms)), tags, head.name
        )
        session = Session(head.name, self._client, run.info.run_id, stamp)
        session.describe(head.params)
        return session

    def _find_experiment(self, name: str) -> str:
        if name not in self._experiments:
            found = self._client.get_experiment_by_name(name)
            if found is not None:
                self._experiments[name] = str(found.experiment_id)
            else:
                place = None if self._artifacts is None else os.path.join(self._artifacts, name)
                self._experiments[name] = str(self._client.create_experiment(name, artifact_location=place))
        return self._experiments[name]


class Session(BaseSession):
    """One run."""

    def __init__(self, name: str, client: MlflowClient, run_id: str, stamp: Stamp | None) -> None:
        super().__init__(name)
        self._client, self._run_id, self._stamp = client, run_id, stamp

    def describe(self, params: Mapping[str, PlainValue]) -> None:
        """Add parameters."""
        from mlflow.entities import Param

        listed = [Param(name, str(value)) for name, value in params.items()]
        for first in range(0, len(listed), _OTHERS_AT_ONCE):
            self._client.log_batch(self._run_id, params=listed[first : first + _OTHERS_AT_ONCE])

    def log(self, points: Sequence[Point]) -> None:
        """Add points, as many at once as MLflow takes."""
        from mlflow.entities import Metric

        for first in range(0, len(points), _METRICS_AT_ONCE):
            metrics = [
                Metric(name, value, max(0, round(time_ms)), step)
                for name, step, time_ms, value in points[first : first + _METRICS_AT_ONCE]
            ]
            self._client.log_batch(self._run_id, metrics=metrics)

    def finish(self, end: RunEnd) -> None:
        """Keep log and verdict with the run, and end it; one that did not succeed has failed, one without end was killed."""
        self.describe(end.params)
        tags = {name: str(value) for name, value in end.tags.items()}
        if end.log is not None:
            self._client.log_artifact(self._run_id, end.log)
        if end.verdict is not None:
            self._client.log_text(self._run_id, end.verdict, "verdict.json")
        status = "KILLED" if end.status is None else "FINISHED" if end.status == SUCCESS else "FAILED"
        self._client.set_terminated(self._run_id, status, max(0, round(end.stop_ms)))
        if self._stamp is not None:
            tags[STAMP_TAGS[2]] = self._stamp.content
        for name, value in tags.items():
            self._client.set_tag(self._run_id, name, value)

    def abandon(self) -> None:
        """Mark the run as killed; the next export of its log replaces it."""
        self._client.set_terminated(self._run_id, "KILLED")

"""A study's report as a file of its run in MLflow."""

from rotlab.tracking.client import UNREACHABLE, find_runs, open_client, reason
from rotlab.tracking.uri import TrackingError

PAGE = "report.html"


def log_page(uri: str, study: str, page: str) -> None:
    """Put a page into MLflow, in place of an earlier one.

    Raises:
        TrackingError: if MLflow holds no such study, or does not take it.
    """
    try:
        client = open_client(uri)
        experiment = client.get_experiment_by_name(study)
        runs = (
            []
            if experiment is None
            else list(find_runs(client, experiment.experiment_id, "tags.`rotlab.type` = 'study'"))
        )
        if not runs:
            raise TrackingError(f"MLflow at {uri} holds no run of study {study!r}")
        client.log_text(runs[0].info.run_id, page, PAGE)
    except UNREACHABLE as error:
        raise TrackingError(f"MLflow at {uri} did not take {PAGE}: {reason(error)}") from error

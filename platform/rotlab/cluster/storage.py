"""Rules on where results lie: on what outlives the nodes, and is seen from all of them."""

from rotlab.cluster.layout import Layout, Written
from rotlab.cluster.shell import calls, is_below, option
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place
from rotlab.store.bucket import PROTOCOLS
from rotlab.store.store import Store, StoreError, bucket_url
from rotlab.tracking.uri import sqlite_path

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_DATABASES = ("postgresql", "mysql", "mssql")
_BUCKET = " or ".join(f"{scheme}://BUCKET/PATH" for scheme in PROTOCOLS)
_SHARE = "a file system of the network that every node mounts (NFS, EFS, Filestore, a claim)"


def check_storage(report: Report, layout: Layout) -> None:
    """Note a store on a node's own disk, and an MLflow whose data go with the head."""
    _check_store(report, layout)
    uri = layout.variables.get("MLFLOW_TRACKING_URI")
    servers = [
        (command.place, given)
        for command in layout.commands
        for given in calls(command.text, "mlflow", "server")
    ]
    for place, given in servers:
        _check_server(report, layout, place, given)
    if uri is not None:
        _check_uri(report, layout, uri, has_server=bool(servers))
    elif servers:
        report.add(
            servers[0][0],
            "an MLflow server is started that no study would use; set MLFLOW_TRACKING_URI",
        )


def _check_store(report: Report, layout: Layout) -> None:
    store = layout.variables.get("ROTLAB_STORE")
    if store is None:
        report.add(
            layout.top,
            f"ROTLAB_STORE is not set, so that results would lie on the head's own disk; set it to "
            f"{_BUCKET}, or a folder on {_SHARE}",
        )
        return
    try:
        if bucket_url(store.text) is not None:
            if "MLFLOW_TRACKING_URI" not in layout.variables:
                report.add(
                    store.place,
                    f"the store {store.text} is a bucket, where MLflow's database cannot lie; set "
                    "MLFLOW_TRACKING_URI to that of a server, or of a database",
                )
            return
        root = str(Store.open(store.text, writing=False).root)
    except StoreError as error:
        report.add(store.place, str(error))
        return
    if "://" not in store.text and not is_below(root, layout.shared):
        report.add(
            store.place,
            f"the store {store.text} lies on a node's own disk, and goes with the node; give "
            f"{_BUCKET}, or a folder on {_SHARE}; {_known(layout)}",
        )


def _check_uri(report: Report, layout: Layout, uri: Written, *, has_server: bool) -> None:
    path = sqlite_path(uri.text)
    if path is not None and not is_below(str(path), layout.shared):
        report.add(
            uri.place, f"MLflow's database {path} lies on the head's own disk; {_known(layout)}"
        )
    host = uri.text.partition("://")[2]
    is_local = uri.text.startswith("http") and host.startswith(_LOCAL_HOSTS)
    if is_local and not has_server:
        report.add(
            uri.place,
            f"MLflow is looked for at {uri.text}, but the head starts no `mlflow server`; start "
            "one, or leave MLFLOW_TRACKING_URI out: rotlab then keeps its database in the store",
        )


def _check_server(report: Report, layout: Layout, place: Place, given: list[str]) -> None:
    backend = option(given, "--backend-store-uri")
    path = sqlite_path(backend) if backend else None
    if backend is None or (path is None and not backend.startswith(_DATABASES)):
        report.add(
            place,
            f"MLflow keeps its runs in {backend or 'a file where it was started'}, which goes with "
            f"the head; give --backend-store-uri sqlite:///PATH on {_SHARE}, or a database",
        )
    elif path is not None and not is_below(str(path), layout.shared):
        report.add(place, f"MLflow's database {path} lies on the head's own disk; {_known(layout)}")
    artifacts = option(given, "--artifacts-destination", "--default-artifact-root")
    if artifacts is None or not ("://" in artifacts or is_below(artifacts, layout.shared)):
        report.add(
            place,
            f"MLflow's artifacts lie in {artifacts or './mlartifacts'}, on the head's own disk; "
            "give --artifacts-destination, in a bucket or on shared storage",
        )


def _known(layout: Layout) -> str:
    known = ", ".join(layout.shared)
    return f"shared here: {known}" if known else "nothing here is shared"

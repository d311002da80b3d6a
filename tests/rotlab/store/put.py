"""Files put into a store as no writer of ours would: half written, damaged, by others."""

from pathlib import Path

from rotlab.store.replica import far_of


def put(path: Path, text: str = "") -> None:
    """Have a file there, in the bucket as well where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    far = far_of(path)
    if far is not None:
        far.bucket.replace(far.name, text.encode())


def names(path: Path) -> set[str]:
    """Return the names of all files below a folder: of those in the bucket, where there is one."""
    far = far_of(path)
    if far is not None:
        return set(far.bucket.listed(far.name, deep=True))
    return {one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file()}

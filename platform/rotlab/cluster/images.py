"""Rules on what nodes run: one image, of a version that stays what it is."""

from rotlab.cluster.layout import Layout
from rotlab.planning.space.report import Report

_MOVING = ("latest", "nightly", "main", "master", "dev")


def check_images(report: Report, layout: Layout) -> None:
    """Note images whose content may change under their name, and their absence."""
    if not layout.images:
        report.add(
            ("docker",) if layout.form != "kuberay" else layout.top,
            "names no image, so nodes run whatever their machine's holds; give one that "
            "platform/deploy/Dockerfile makes, with its version",
        )
    for image in layout.images:
        name, _, digest = image.text.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        if not digest and (not tag or tag in _MOVING):
            report.add(
                image.place,
                f"{image.text} may be another image tomorrow, on some nodes; name a version, as in "
                ":0.1.0, or a digest, @sha256:...",
            )

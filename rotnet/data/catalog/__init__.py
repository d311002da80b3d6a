"""The data sets that can be read: one module each, and the seam for those of other packages."""

from rotnet.data.catalog.dealing import RandomSplits
from rotnet.data.catalog.files import VIDEO_SUFFIXES
from rotnet.data.catalog.folder import FolderKind
from rotnet.data.catalog.hmdb51 import hmdb51
from rotnet.data.catalog.kind import Candidate, Kind, Listing, Side, Sides, Splits
from rotnet.data.catalog.kinetics import kinetics
from rotnet.data.catalog.listed import ListedKind
from rotnet.data.catalog.moments import moments
from rotnet.data.catalog.table import table
from rotnet.data.catalog.ucf101 import ucf101
from rotnet.data.catalog.ut_interaction import UtInteractionKind
from rotnet.data.catalog.weizmann import WeizmannKind

__all__ = [
    "VIDEO_SUFFIXES",
    "Candidate",
    "FolderKind",
    "Kind",
    "ListedKind",
    "Listing",
    "RandomSplits",
    "Side",
    "Sides",
    "Splits",
    "UtInteractionKind",
    "WeizmannKind",
    "hmdb51",
    "kinetics",
    "moments",
    "table",
    "ucf101",
]

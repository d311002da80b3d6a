"""Errors that a user can mend. Their text is the message: the value, the rule, the way out."""


class UserError(Exception):
    """Something the user gave is wrong; commands print this text alone and end with status 2."""


class DataError(UserError):
    """A video, a folder of videos or a prepared data set cannot be used."""


class CheckpointError(UserError):
    """A checkpoint does not fit what it is loaded into, or is not one."""

"""Operating system errors in words that say what to do."""

from __future__ import annotations

import errno
import os

from logscope.errors import SourceError

_MENDS = {
    errno.EACCES: "allow reading it, or run as a user who may",
    errno.EPERM: "allow reading it, or run as a user who may",
    errno.ENOENT: "check the path, or use -f to wait for it",
    errno.EMFILE: "raise the limit with `ulimit -n`, or name fewer files",
    errno.ENFILE: "the system is out of file descriptors; name fewer files",
    errno.ELOOP: "the symbolic links lead in a circle; name the file itself",
    errno.ENAMETOOLONG: "name it by a shorter path",
    errno.ENOSPC: "free some space, or point XDG_STATE_HOME at a roomier disk",
    errno.EADDRINUSE: "another program listens there; stop it or choose another port",
    errno.EADDRNOTAVAIL: "this machine has no such address; use 127.0.0.1 or one that `ip address` shows",
    errno.ECONNREFUSED: "nothing listens there; start the receiver first",
}


def source_error(error: OSError, where: str) -> SourceError:
    """A `SourceError` that names the place, the system's own words, and the mend.

    Args:
        error: What the system said.
        where: The source as the user typed it.
    """
    text = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return SourceError(text, where=where, mend=_MENDS.get(error.errno or 0))

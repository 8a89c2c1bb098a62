"""File systems of a network, where a path and a descriptor may tell less than on a disk of one's own.

Their attributes are kept for seconds, and asked of the server when a file is opened (NFS's close-to-open consistency;
sshfs likewise). A path may keep its number while the file behind it is another (sshfs numbers paths), and a descriptor
goes stale where the server has lost the file.
Sources: Linux, Documentation/filesystems/proc.rst, "mountinfo"; nfs(5), "Data and metadata coherence"; sshfs(1).
"""

from __future__ import annotations

import errno
import os
import re
from functools import lru_cache
from pathlib import Path

AWAY = frozenset(
    [
        errno.ESTALE,
        errno.EIO,
        errno.ENOTCONN,
        errno.ECONNABORTED,
        errno.ECONNRESET,
        errno.ETIMEDOUT,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EREMOTEIO,
    ]
)
"""What a system says of a file whose server is away, or has forgotten it."""

_REMOTE = re.compile(r"(?:nfs\d?|cifs|smb\w*|9p|afs|ceph|lustre|glusterfs|beegfs|gpfs|virtiofs|fuse(?:\..*)?)")
_MOUNTS = Path("/proc/self/mountinfo")


@lru_cache(maxsize=256)
def is_remote(device: int) -> bool:
    """Whether a file system is of a network, or of a program; False where the system does not say.

    Args:
        device: As `os.stat` has it in `st_dev`.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = _MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    for mount in mounts:
        about, _, system = mount.partition(" - ")
        if about.split(" ", 3)[2:3] == [number]:
            return _REMOTE.fullmatch(system.partition(" ")[0]) is not None
    return False

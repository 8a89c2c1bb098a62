"""Certificates for TLS, made for a test."""

from __future__ import annotations

from pathlib import Path

import trustme


class Authority:
    """Certificates of one authority in files."""

    def __init__(self, folder: Path, name: str = "one") -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._authority = trustme.CA()
        self.file = self._folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def issue(self, *names: str) -> str:
        """`cert=...&key=...` of a certificate for names."""
        made = self._authority.issue_cert(*names)
        base = self._folder / names[0]
        made.private_key_pem.write_to_path(f"{base}.key")
        Path(f"{base}.key").chmod(0o600)
        for at, part in enumerate(made.cert_chain_pems):
            part.write_to_path(f"{base}.pem", append=at > 0)
        return f"cert={base}.pem&key={base}.key"

"""Where a grown gateway keeps its state, how it is reached safely, and how it is backed up."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from seawall.settings.sections import Section, setting
from seawall.settings.values import Folder, Kind, Number, Text, Whole, read_duration, read_names

_DOMAIN = re.compile(
    r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])", re.ASCII
)


def _read_database_url(value: str) -> str:
    return _check_url(value, ("postgresql", "postgres"), "postgresql://user@host/database")


def _read_valkey_url(value: str) -> str:
    return _check_url(value, ("redis", "rediss", "valkey", "valkeys"), "redis://host:6379/0")


def _read_directory_url(value: str) -> str:
    example = "https://acme-v02.api.letsencrypt.org/directory"
    parts = urlsplit(_check_url(value, ("https",), example))
    if not parts.hostname or "@" in parts.netloc:
        raise ValueError(f'must be an address such as "{example}"')
    return value


def _check_url(value: str, schemes: tuple[str, ...], example: str) -> str:
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in schemes and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not value.isprintable() or " " in value:
        raise ValueError(f'must be an address such as "{example}"')
    return value


def hide_password(url: str) -> str:
    """Write the address of a store without its password."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    query = re.sub(r"(?i)(password=)[^&]*", r"\1…", parts.query)
    name = f"{user.partition(':')[0]}@" if user else ""
    return urlunsplit((parts.scheme, name + host, parts.path, query, parts.fragment))


def has_password(url: str) -> bool:
    """Say whether the address of a store holds a password."""
    parts = urlsplit(url)
    return parts.password is not None or "password=" in parts.query.lower()


def _read_domains(value: object) -> object:
    domains = read_names(value)
    if not isinstance(domains, list) or not all(isinstance(domain, str) for domain in domains):
        raise ValueError('must be a domain such as "api.example.com", or a list of them')
    domains = [domain.lower().rstrip(".") for domain in domains]
    if any(_DOMAIN.fullmatch(domain) is None for domain in domains):
        raise ValueError('must be a domain such as "api.example.com", or a list of them')
    return list(dict.fromkeys(domains))


DatabaseUrl = Annotated[
    str, Field(max_length=2000), AfterValidator(_read_database_url), Kind("address", show=hide_password)
]
ValkeyUrl = Annotated[
    str, Field(max_length=2000), AfterValidator(_read_valkey_url), Kind("address", show=hide_password)
]
File = Annotated[Folder, Kind("file")]
DirectoryUrl = Annotated[str, Field(max_length=500), AfterValidator(_read_directory_url), Kind("address")]
Domains = Annotated[
    list[str],
    Field(max_length=100),
    BeforeValidator(_read_domains),
    Kind("list of domains", "none", ", ".join),
]
Every = Annotated[
    float,
    BeforeValidator(read_duration),
    Field(ge=60, le=366 * 86_400),
    Kind('duration such as "1d" or "6h"', show=lambda seconds: f"{seconds:g} s"),
]


class TlsSettings(Section):
    """HTTPS without a proxy in front: certificate files of your own, or certificates that are fetched.

    Certificates are fetched by ACME (Let's Encrypt); that takes `pip install "seawall[acme]"`.
    """

    cert: File | None = setting("The certificate with its chain, as PEM.", default=None)
    key: File | None = setting("The key of the certificate, as PEM.", default=None)
    auto: Domains = setting("The domains to get a certificate for, by ACME.", default=[])
    email: Text | None = setting("Where the issuer of automatic certificates may write to.", default=None)
    directory_url: DirectoryUrl = setting(
        "The ACME directory of the issuer.", default="https://acme-v02.api.letsencrypt.org/directory"
    )
    ca: File | None = setting(
        "The certificate of the issuer's own server, where that is no public one.", default=None
    )
    http_port: Whole = setting(
        "The port on which the issuer's question is answered and everything else is sent to HTTPS.",
        default=80,
        ge=1,
        le=65_535,
    )
    hsts_days: Whole = setting(
        "For how long browsers are told to come by HTTPS only; 0 says nothing.", default=365, ge=0, le=3650
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("must state both cert and key, or neither")
        if self.cert is not None and self.auto:
            raise ValueError("must state either files (cert and key) or auto, not both")
        return self

    @property
    def mode(self) -> Literal["off", "files", "auto"]:
        """Return where the certificate comes from."""
        return "files" if self.cert is not None else "auto" if self.auto else "off"


class BackupSettings(Section):
    """Copies of the SQLite file, made while the gateway runs: see [Backup](backup.md)."""

    every: Every | None = setting("How often a copy is made; not set means never.", default=None)
    keep: Whole = setting("How many copies are kept; the oldest are deleted.", default=7, ge=1, le=1000)
    to: Folder | None = setting(
        "The folder of the copies; not set means `backups` in the data folder.", default=None
    )

    def folder(self, data_dir: Path) -> Path:
        """Return the folder of the copies; a relative one starts at the working directory."""
        return data_dir / "backups" if self.to is None else Path.cwd() / self.to


class ValkeySettings(Section):
    """How the gateway behaves beside Valkey or Redis; its address is `valkey_url`."""

    timeout_s: Number = setting(
        "How long an answer of the server may take; after that the gateway goes on with its share.",
        default=0.05,
        gt=0,
        le=10,
    )
    gateways: Whole = setting(
        "How many gateway processes there are: each keeps to its part of every limit while the server cannot"
        " be reached; 0 means as many as were seen last.",
        default=0,
        ge=0,
        le=10_000,
    )

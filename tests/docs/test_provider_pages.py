"""Every provider has its page, and the facts on it are those of the code."""

import pytest

from seawall.providers import fields
from seawall.providers.profile import VendorProfile
from seawall.providers.vendors import VENDORS, Vendor
from tests.docs.pages import ROOT, read_page

FOLDER = "docs/providers"
NAMES = {
    "chat": "chat completions",
    "responses": "responses",
    "messages": "messages",
    "embeddings": "embeddings",
}


def facts(vendor: Vendor) -> list[str]:
    """Return the rows of the table that a vendor's page begins with."""
    address = f"`{vendor.base_url}`"
    if not vendor.base_url:
        address = f"what `{vendor.base_url_variable}` says, with `{vendor.path}` behind it"
    return [
        f"| Enabled by | {enabled_by(vendor)} |",
        f"| Address | {address} |",
        f"| Asked in | {asked_in(vendor)} |",
        f"| Output cap | {output_cap(vendor.profile)} |",
        "| Client leaves a stream | "
        + ("billing stops |" if vendor.profile.stops_on_disconnect else "the hold counts |"),
    ]


def enabled_by(vendor: Vendor) -> str:
    if vendor.is_local:
        return f"`{vendor.base_url_variable}`, its address"
    if vendor.base_url_variable:
        return f"`{vendor.key_variable}` and `{vendor.base_url_variable}`, its address"
    return f"`{vendor.key_variable}`"


def asked_in(vendor: Vendor) -> str:
    return ", ".join(NAMES[dialect] for dialect in vendor.profile.dialects)


def output_cap(profile: VendorProfile) -> str:
    if "chat" not in profile.dialects:
        return "`max_tokens`"
    in_responses = "; `max_output_tokens` in responses" if "responses" in profile.dialects else ""
    return f"`{profile.cap_field.name}`{in_responses}"


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_the_page_of_a_vendor_has_its_facts(vendor: Vendor) -> None:
    lines = read_page(f"{FOLDER}/{vendor.name}.md").splitlines()
    start = lines.index("|---|---|") + 1
    assert lines[start : lines.index("", start)] == facts(vendor)


def test_the_index_has_every_vendor_in_the_order_in_which_they_are_asked() -> None:
    index = read_page(f"{FOLDER}/README.md")
    rows = [row for row in index.splitlines() if row.startswith("| `") and ".md) |" in row]
    expected = [
        f"| `{vendor.name}` | `{vendor.base_url_variable if vendor.is_local else vendor.key_variable}` | "
        f"{asked_in(vendor)} | ["
        for vendor in VENDORS
    ]
    assert [row[: row.rindex("[") + 1] for row in rows] == expected


def test_every_page_is_of_a_vendor_or_of_other_addresses() -> None:
    pages = {path.stem for path in (ROOT / FOLDER).glob("*.md")}
    assert pages == {"README", "other", *(vendor.name for vendor in VENDORS)}


def test_the_index_has_every_field_that_is_refused() -> None:
    section = read_page(f"{FOLDER}/README.md").partition("## Fields that are refused")[2]
    names = [*fields._REFUSED, "service_tier", "tools", *filter(None, fields._ORDINARY_TIERS)]
    assert [name for name in [*names, *fields._PRICED_TOOLS] if f"`{name}`" not in section] == []

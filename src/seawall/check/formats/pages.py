"""The page of a rule in Markdown: for `docs/rules`, and for programs that show help beside a finding."""

from collections.abc import Iterator

from seawall.check.catalogue import Rule
from seawall.check.formats.reading import paragraphs

_LANGUAGES = {"python": "python", "js": "js", "jsx": "jsx", "text": "text"}


def page(of: Rule) -> str:
    """Return the whole page, without a heading for the page itself."""
    return "\n\n".join(_parts(of)) + "\n"


def prose(text: str, language: str = "text") -> str:
    """Return paragraphs in Markdown, blocks of code fenced."""
    return "\n\n".join(
        fenced(part, _language_of(part, language)) if kind == "code" else part
        for kind, part in paragraphs(text)
    )


def fenced(code: str, language: str) -> str:
    """Return a block of code; the fence is longer than any in the code."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"


def tag_links(of: Rule) -> list[str]:
    """Return the tags as links to whoever wrote them."""
    return [
        *(f"[CWE-{number}](https://cwe.mitre.org/data/definitions/{number}.html)" for number in of.cwe),
        *(f"[OWASP {entry}](https://genai.owasp.org/llm-top-10/)" for entry in of.owasp_llm),
        *(
            f"[ASVS 5.0.0 {number}](https://github.com/OWASP/ASVS/tree/v5.0.0_release/5.0/en)"
            for number in of.asvs
        ),
    ]


def _parts(of: Rule) -> Iterator[str]:
    yield f"**Looks for:** {prose(of.what)}"
    yield f"**Why it matters:** {prose(of.why)}"
    if of.example_bad and of.example_good:
        yield f"Found:\n\n{fenced(of.example_bad, _LANGUAGES[of.example_in])}"
        yield f"Fine:\n\n{fenced(of.example_good, _LANGUAGES[of.example_in])}"
    yield f"## How to mend it\n\n{prose(of.fix)}"
    if of.fix_python:
        yield f"Python:\n\n{fenced(of.fix_python, 'python')}"
    if of.fix_javascript:
        language = "jsx" if of.example_in == "jsx" else "js"
        yield f"JavaScript and TypeScript:\n\n{fenced(of.fix_javascript, language)}"
    if of.seawall:
        yield f"## Where Seawall closes it\n\n{prose(of.seawall)}"


def _language_of(code: str, language: str) -> str:
    """Guess what a block of our own texts is: settings, commands, or neither."""
    first = code.split("\n", 1)[0]
    if first.startswith("["):
        return "toml"
    if first.startswith("- repo:"):
        return "yaml"
    if first.startswith(("seawall ", "git ", "python3 ")):
        return "sh"
    return language

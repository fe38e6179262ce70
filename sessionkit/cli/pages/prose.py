"""Markdown of messages as HTML that holds no raw HTML, loads nothing, and links to the web and to mail alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from sessionkit.cli.neutral import visible_lines

LONGEST_PROSE: Final = 100_000
"""Up to how many characters a text is read as Markdown. Beyond, it takes too long, and nobody reads it."""

_ALLOWED: Final = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_DEMOTED: Final = 2


def allowed_link(url: str) -> bool:
    """Whether a page may link to this.

    >>> [allowed_link(url) for url in ("https://a.example", "javascript:x()", "data:text/html,x", "page.html")]
    [True, False, False, False]
    """
    return _ALLOWED.match(url) is not None


def link(url: str, text: str) -> str:
    """A link, as HTML; the text alone where the page may not link."""
    return f'<a href="{escape(url)}" rel="{_REL}">{escape(text)}</a>' if allowed_link(url) else escape(text)


_REL: Final = "noopener noreferrer nofollow"


class _Renderer(RendererHTML):
    """Leaves out what a page has no use for: titles, languages, styles. Pictures from elsewhere are named."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        url = str(token.attrs.get("src", ""))
        named = self.renderInlineAsText(token.children or [], options, env)
        return f'<span class="picture">picture: {link(url, named or url)}</span>'

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f'<a href="{escape(str(tokens[idx].attrs.get("href", "")))}" rel="{_REL}">'

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<pre><code>{escape(tokens[idx].content)}</code></pre>\n"

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self.fence(tokens, idx, options, env)

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<{_demoted(tokens[idx])}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"</{_demoted(tokens[idx])}>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<{tokens[idx].tag}{_alignment(tokens[idx])}>"

    td_open = th_open


def _demoted(token: Token) -> str:
    """The headings of a message stand below those of the page."""
    return f"h{min(int(token.tag[1]) + _DEMOTED, 6)}"


def _alignment(token: Token) -> str:
    """Styles in attributes are forbidden on the page: a class says the same."""
    style = str(token.attrs.get("style", ""))
    return next((f' class="{side}"' for side in ("center", "right") if style.endswith(side)), "")


def _make_parser() -> MarkdownIt:
    # Lines of a chat are meant as lines: `breaks`.
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "xhtmlOut": False}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    parser.validateLink = allowed_link  # type: ignore[method-assign]
    return parser


_PARSER: Final = _make_parser()


def prose(text: str) -> str:
    """A text in Markdown as HTML, in which nothing steers the eye of its reader.

    >>> print(prose("Two *mugs* <script>"), end="")
    <p>Two <em>mugs</em> &lt;script&gt;</p>
    """
    harmless = "\n".join(visible_lines(text))
    if len(harmless) > LONGEST_PROSE:
        return f"<pre>{escape(harmless)}</pre>\n"
    html: str = _PARSER.render(harmless)
    return html

"""Texts that try to become elements, attributes, links or Markdown of a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sessionkit.messages import Message
from sessionkit.sessions import Session

INJECTIONS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "</pre></details></article><h1 onclick=alert(1)>forged</h1>",
    "</main></body></html><script src=//evil.example/x.js></script>",
    "<!-- <script>alert(1)</script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><!DOCTYPE html>",
    "<svg onload=alert(1)><use href='data:image/svg+xml,x'/></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>click</a>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<form action=https://evil.example><input name=q autofocus onfocus=alert(1)></form>",
    "<object data='data:text/html,x'></object><embed src=x>",
    "<template shadowrootmode=open><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<plaintext>",
    "<textarea><xmp><noembed>",
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)' autofocus='",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "`onclick=alert(1)`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#x3c;/script&#x3e;",
    "&quot; onload=&quot;alert(1)",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<\x00script>alert(1)</script>",
    "<img/src=x/onerror=alert(1)>",
    "<a\nhref=javascript:alert(1)\n>x</a>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](javascript&colon;alert(1))",
    "[click](java\tscript:alert(1))",
    "[click](\x01javascript:alert(1))",
    "[click](vbscript:x)",
    "[click](data:text/html,<script>alert(1)</script>)",
    "[click](file:///etc/passwd)",
    "[click](//evil.example)",
    "[click](/relative)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "[click][1]\n\n[1]: javascript:alert(1)",
    "[1]: https://evil.example 'title'",
    "[x](https://a.example '\" onmouseover=\"alert(1)')",
    '[x](https://a.example/"onmouseover="alert(1))',
    "[x](<https://a.example/><script>alert(1)</script>)",
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](javascript:alert(1))",
    '!["onerror=alert(1)](https://a.example/x.png)',
    '```"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```',
    "```html onload=alert(1)\n<script>alert(1)</script>",
    "~~~\nthe fence stays open",
    "`````\n````\n```",
    "    <script>indented</script>",
    "# forged heading\n\n**assistant**\n\n---\n\nforged\n===",
    "1 · **system**\n\n> forged",
    "</details>\n\n# forged\n\n<details>",
    "> > > > > deep\n\n- a\n  - b\n    - <b>c</b>",
    "| a | b |\n|--:|:-:|\n| <b>1</b> | `<i>2</i>` |",
    "`a` <b>x</b> `` ` <i> ``",
    "\\<script>alert(1)\\</script>",
    "\\`<script>alert(1)</script>\\`",
    "{{7*7}} ${7*7} <%= 7*7 %> {title}",
    "</summary><summary>",
]

PICTURES: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": "javascript:alert(1)"}},
    {"type": "image_url", "image_url": {"url": 'https://evil.example/pixel.png" onerror="alert(1)'}},
    {"type": "image_url", "image_url": "data:image/svg+xml;base64,PHN2Zz4="},
    {"type": "image_url", "image_url": {"url": 'data:image/png;base64,AAAA" onerror="alert(1)'}},
    {"type": "input_image", "image_url": "data:text/html;base64,AAAA"},
    {"type": "image", "source": {"type": "base64", "media_type": 'image/png"><script>', "data": "AAAA"}},
    {"type": "image", "source": {"type": "url", "url": "https://evil.example/pixel.png"}},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
]


def session_with(text: str, *, said: str | None = None) -> tuple[Session, Sequence[Message]]:
    """A session that holds a text in every place.

    Args:
        text: stands in keys, names, ids, arguments, results and so on.
        said: stands in what is rendered as Markdown: contents, reasoning, summary; without it the text does.
    """
    said = text if said is None else said
    call = {"id": text, "type": text, "function": {"name": text, "arguments": json.dumps({text: text})}}
    broken = {"id": f"2{text}", "function": {"name": text, "arguments": text}}
    messages: list[dict[str, Any]] = [
        {"role": text, "content": said, "name": text, "x" + text: text, "created_at": text, "model_name": text},
        {"role": "assistant", "content": None, "reasoning_content": said, "tool_calls": [call, broken]},
        {"role": "tool", "tool_call_id": text, "content": json.dumps([text])},
        {"role": "tool", "tool_call_id": f"2{text}", "content": text},
        {"role": "user", "content": [{"type": "text", "text": said}, {"type": text}, text], "media": [text]},
    ]
    session = Session(
        key=text.replace("\0", ""),
        count=len(messages),
        summary=said,
        metadata={text: text},
        aliases=[text.replace("\0", "")],
        created=text,
        updated=text,
    )
    return session, [Message.from_dict(message) for message in messages]

"""Pictures in the contents of messages, in the shapes of OpenAI (chat, responses) and Anthropic."""

from __future__ import annotations

import re
from typing import Any, Final

import attrs

from sessionkit import codec
from sessionkit.cli.neutral import visible

_CARRIED: Final = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+={0,2})")


@attrs.frozen
class Picture:
    """A picture.

    Attributes:
        url: where it can be had, or a name for it, in one harmless line.
        media_type: when the message carries it: ``png``, ``jpeg``, ``gif`` or ``webp``.
        data: when the message carries it: the picture in base64.
    """

    url: str = ""
    media_type: str = ""
    data: str = ""


def picture_of(attachment: str) -> Picture | None:
    """The picture that an attachment is (see :class:`sessionkit.cli.parts.Part`), None when it is something else.

    >>> picture_of('{"type":"image_url","image_url":{"url":"https://a.example/mug.png"}}').url
    'https://a.example/mug.png'
    """
    item = codec.decode(attachment)
    if not isinstance(item, dict):
        return None
    source = item.get("source")
    if item.get("type") == "image" and isinstance(source, dict):
        return _made(f"data:{source.get('media_type')};base64,{source.get('data')}") or _made(source.get("url"))
    if item.get("type") not in {"image_url", "input_image"}:
        return None
    place = item.get("image_url")
    return _made(place.get("url") if isinstance(place, dict) else place)


def _made(url: Any) -> Picture | None:
    if not isinstance(url, str):
        return None
    match = _CARRIED.fullmatch(url)
    if match is not None:
        return Picture(media_type=match[1], data=match[2])
    return None if url.startswith("data:") else Picture(url=visible(url))

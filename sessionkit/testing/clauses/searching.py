"""What a search finds."""

from __future__ import annotations

import pytest

from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, simple

KEY = "k"

TEXTS = [
    "two mugs",
    "naïve café",
    'a "quoted" \\ path\nand a line',
    "\u2028 \x7f \x01 <b>&amp;</b>",
    "grüße 😀 KELVIN \u212a",
    "Mugs of TEA",
]


class SearchingClauses(ConformanceBase):
    """Rule: ``sessionkit_sift``, which is optional: without it every message is looked at."""

    @pytest.mark.parametrize("ignore_case", [False, True])
    def test_a_search_finds_what_a_look_at_every_message_finds(self, store: SessionStore, ignore_case: bool) -> None:
        """However the messages came in and whatever was cut off in front of them."""
        store.add_messages(KEY, simple("mugs that are truncated", *TEXTS))
        for text in TEXTS:
            store.add_message(KEY, "user", text)
        store.add_messages(KEY, simple(*TEXTS))
        store.truncate_history(KEY, 3 * len(TEXTS))
        contents = [message.text for message in store.get_history(KEY)]
        for wanted in ("mug", "Mugs", "é", '"quoted"', "\\ p", "\u2028", "\x01", "&", "ß", "😀", "k", "nowhere", "a"):
            folded = wanted.lower() if ignore_case else wanted
            if ignore_case and wanted in ("ß", "k"):
                continue  # what is equal then is the search's to say: it is tested with it
            expected = [at for at, text in enumerate(contents) if folded in (text.lower() if ignore_case else text)]
            found = [match.position for match in store.search(wanted, ignore_case=ignore_case) if match.key == KEY]
            assert [position for position in found if position is not None] == expected, wanted

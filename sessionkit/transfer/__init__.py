"""Sessions in and out as documents: JSON Lines, one conversation a line, or one JSON document.

>>> from sessionkit import open_store
>>> from sessionkit.transfer import export_sessions, import_sessions, read_documents
>>> with open_store("memory:") as store:
...     lines = [b'{"id": "a", "messages": [{"role": "user", "content": null}]}']
...     import_sessions(store, read_documents(lines, "old.jsonl")).imported
...     [document["messages"] for document in export_sessions(store)]
1
[[{'role': 'user', 'content': None}]]
"""

from sessionkit.transfer.documents import SessionDocument
from sessionkit.transfer.exporting import export_session, export_sessions
from sessionkit.transfer.importing import TransferReport, import_sessions
from sessionkit.transfer.reading import Placed, Unreadable, read_documents

__all__ = [
    "Placed",
    "SessionDocument",
    "TransferReport",
    "Unreadable",
    "export_session",
    "export_sessions",
    "import_sessions",
    "read_documents",
]

"""Sessions in and out as documents, and from one store to another.

>>> from sessionkit import open_store
>>> from sessionkit.transfer import export_sessions, import_sessions, read_documents
>>> with open_store("memory:") as store:
...     lines = [b'{"id": "a", "messages": [{"role": "user", "content": null}]}']
...     import_sessions(store, read_documents(lines, "old.jsonl")).imported
...     [document["messages"] for document in export_sessions(store)]
1
[[{'role': 'user', 'content': None}]]
"""

from sessionkit.transfer.copy_report import Cause, CopyReport, Skipped, VerifyReport
from sessionkit.transfer.copying import UNFINISHED, copy_sessions
from sessionkit.transfer.documents import SessionDocument
from sessionkit.transfer.exporting import export_pieces, export_session, export_sessions, export_text
from sessionkit.transfer.importing import TransferReport, import_sessions
from sessionkit.transfer.reading import Placed, Unreadable, read_documents
from sessionkit.transfer.verifying import verify_sessions

__all__ = [
    "UNFINISHED",
    "Cause",
    "CopyReport",
    "Placed",
    "SessionDocument",
    "Skipped",
    "TransferReport",
    "Unreadable",
    "VerifyReport",
    "copy_sessions",
    "export_pieces",
    "export_session",
    "export_sessions",
    "export_text",
    "import_sessions",
    "read_documents",
    "verify_sessions",
]

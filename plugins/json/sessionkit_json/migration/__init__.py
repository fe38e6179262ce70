"""Moving the documents of a directory into another store, as picoclaw's ``MigrateFromJSON`` does, without its losses.

This part is an application of the store, and of the command; the backend needs nothing of it.
"""

from __future__ import annotations

from sessionkit_json.migration.migrating import (
    MIGRATED,
    Left,
    MigrationReport,
    document_files,
    migrate_documents,
)

__all__ = ["MIGRATED", "Left", "MigrationReport", "document_files", "migrate_documents"]

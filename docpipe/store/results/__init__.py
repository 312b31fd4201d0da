"""Results in SQL: documents, attempts, extractions, and a table with typed columns for each schema."""

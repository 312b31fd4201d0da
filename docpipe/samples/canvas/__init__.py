"""Drawing on PDF pages: text styles, strokes, tables, logos, stamps. What is written is remembered with its place."""

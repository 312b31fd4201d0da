"""Results as files: JSON Lines, CSV and Excel.

In: stored results. Out: a file that is there whole or not at all; or, during a run, one whole line per document.
"""

from docpipe.export.lines import LineWriter, json_line, to_record
from docpipe.export.write import SUFFIXES, check_target, write

__all__ = ["SUFFIXES", "LineWriter", "check_target", "json_line", "to_record", "write"]

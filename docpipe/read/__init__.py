"""Reading: the words of a page, from the PDF's own text where it is honest, by OCR where it is not.

In: a document and a page with its picture. Out: the page with words in reading order, upright.
"""

from docpipe.read.reader import PageReader

__all__ = ["PageReader"]

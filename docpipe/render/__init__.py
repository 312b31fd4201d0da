"""Decoding of untrusted files (PDF and images) in a process of its own, with limits.

In: a path, its media type, a password. Out: page sizes, drawn pages, the characters of a text layer,
or an InputError. Importing this loads no decoder: they are loaded in the decoder process.
"""

from docpipe.render.limits import Limits
from docpipe.render.rendered_page import Characters, Drawing, PageObjects, PageSize, RenderEngine
from docpipe.render.renderer import Renderer
from docpipe.render.source_file import PDF, SourceFile

__all__ = [
    "PDF",
    "Characters",
    "Drawing",
    "Limits",
    "PageObjects",
    "PageSize",
    "RenderEngine",
    "Renderer",
    "SourceFile",
]

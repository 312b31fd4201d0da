"""Decoding of untrusted files (PDF and images) in a child process with limits.

In: a path, its media type, a password. Out: page sizes, drawn pages, the characters of a text layer,
or an InputError. Importing this loads no decoder: they live in the child.
"""

from docpipe.render.limits import Limits
from docpipe.render.renderer import Renderer
from docpipe.render.results import Characters, Drawing, PageLook, PageSize

__all__ = ["Characters", "Drawing", "Limits", "PageLook", "PageSize", "Renderer"]

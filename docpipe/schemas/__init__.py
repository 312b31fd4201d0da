"""The shipped schemas: a name for each, and where its class is.

Kinds are in `docpipe.schemas.kinds`, rules in `docpipe.schemas.rules`.
"""

SHIPPED = {
    "invoice": "docpipe.schemas.invoice:Invoice",
    "receipt": "docpipe.schemas.receipt:Receipt",
    "form": "docpipe.schemas.form:Form",
}

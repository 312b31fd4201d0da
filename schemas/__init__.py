"""The shipped schemas: a name for each, and where its class is.

Kinds are in `schemas.kinds`, rules in `schemas.rules`.
"""

SHIPPED = {
    "invoice": "schemas.invoice:Invoice",
    "receipt": "schemas.receipt:Receipt",
    "form": "schemas.form:Form",
}

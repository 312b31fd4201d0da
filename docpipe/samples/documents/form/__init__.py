"""Forms: questions with blanks or check boxes, and registrations of public offices."""

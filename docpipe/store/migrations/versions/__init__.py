"""One file per step, in order; a step that was released is never changed. Going back is by backup, not by downgrade."""

"""What scanners, phones, fax machines and copiers do to a page."""

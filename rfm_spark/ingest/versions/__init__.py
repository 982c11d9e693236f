"""Record versions: builds receipt versions and decides which version of an id is current."""
